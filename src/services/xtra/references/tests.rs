//! Tests of references: their syntax, and the texts that they are put into.

use std::str::FromStr;

use crate::core::{ErrorKind, SecretValue};
use crate::references::{
    Base, Broken, Graph, MOST_BYTES, MOST_LEVELS, Malformed, Part, Piece, Position, Reference, Seen, Template, Text,
};
use crate::services::xtra::Xtra;

const PROJECT: &str = "665f1c2ab7c0de0012345678";

fn reference(text: &str) -> Reference {
    Reference::from_str(text).unwrap()
}

/// The pieces of a text: plain text as it is, references in angle brackets.
fn pieces(text: &str, template: &Template) -> Vec<String> {
    let shown = template.pieces.iter().map(|piece| match piece {
        Piece::Text(range) => text[range.clone()].to_owned(),
        Piece::Reference(reference, _) => format!("<{reference}>"),
    });
    shown.collect()
}

fn taken_apart(text: &str) -> String {
    pieces(text, &Template::of_text::<Xtra>(text).unwrap()).concat()
}

fn malformed(text: &str) -> Vec<Malformed> {
    Template::of_text::<Xtra>(text).unwrap_err()
}

#[test]
fn every_part_of_a_reference_is_read_and_decoded() {
    let plain = reference("xtra:///production/API_KEY");
    assert_eq!((plain.project(), plain.branch()), (None, None));
    let full = reference(&format!("xtra://{PROJECT}/pre%20prod/tls%2Fkey%3F?branch=feature%2Fx%26y"));
    assert_eq!(full.project(), Some(PROJECT));
    assert_eq!((full.environment(), full.name(), full.branch()), (Some("pre prod"), "tls/key?", Some("feature/x&y")));
    let unicode = reference("xtra:///produktion/SCHLÜSSEL?branch=größe");
    assert_eq!((unicode.name(), unicode.branch()), ("SCHLÜSSEL", Some("größe")));
    assert_eq!(reference("xtra:///production/a+b").name(), "a+b", "a plus is a plus");
}

#[test]
fn a_reference_is_shown_in_a_form_that_parses_to_itself() {
    for text in [
        "xtra:///production/API_KEY",
        "xtra://665f1c2ab7c0de0012345678/a%2Fb/c%2F%25%23%3F%7B%7D%20%0A%00d?branch=feature/x%26y%20z%25",
        "xtra:///e/%E2%80%AE?branch=%C2%A0x%C2%A0y",
        "xtra:///ü/ß&=?branch=a=b",
        "xtra:///API_KEY",
        "xtra:///tls%2Fkey?branch=b",
    ] {
        // a branch that begins with white space cannot be asked for
        let Ok(parsed) = Reference::from_str(text) else {
            assert!(text.contains("branch=%C2"), "{text}");
            continue;
        };
        assert_eq!(reference(&parsed.to_string()), parsed);
        assert!(!parsed.to_string().contains(char::is_control));
    }
    assert_eq!(
        reference("xtra:///e/%e2%80%ae").to_string(),
        "xtra:///e/%E2%80%AE",
        "what cannot be seen is spelled out"
    );
}

#[test]
fn what_is_no_reference_is_refused_with_the_reason() {
    for (text, reason) in [
        ("XTRA:///production/A", "lower case"),
        ("production/A", "does not begin with xtra://"),
        ("xtra://production/A", "Write \"xtra:///production/A\""),
        ("xtra://aaaaaaaaaaaaaaaaaaaaaaaa/A", "three parts"),
        ("xtra://", "three parts"),
        ("xtra:///", "name of the secret is empty"),
        ("xtra:///production/A/B", "%2F"),
        ("xtra://../production/A", "no id that can be sent"),
        ("xtra://%2e/production/A", "no id that can be sent"),
        ("xtra:////A", "environment"),
        ("xtra:///../A", "environment"),
        ("xtra:///%2e%2e/A", "environment"),
        ("xtra:///production/", "name of the secret is empty"),
        ("xtra:///production/A%", "%25"),
        ("xtra:///production/A%4", "%25"),
        ("xtra:///production/A%zz", "%25"),
        ("xtra:///production/A%+1", "%25"),
        ("xtra:///production/%ff", "UTF-8"),
        ("xtra:///production/A#b", "%23"),
        ("xtra:///production/A B", "white space"),
        ("xtra:///production/A{", "percent-encoded"),
        ("xtra:///production/A?", "?branch="),
        ("xtra:///production/A?branch", "?branch="),
        ("xtra:///production/A?version=3", "?branch="),
        ("xtra:///production/A?branch=x&version=3", "?branch="),
        ("xtra:///production/A?Branch=x", "?branch="),
        ("xtra:///production/A?branch=x&branch=y", "names the branch twice"),
        ("xtra:///production/A?branch=", "branch"),
        ("xtra:///production/A?branch=..", "branch"),
    ] {
        let error = Reference::from_str(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
        assert!(error.to_string().contains(reason), "{text}: {error}");
    }
}

#[test]
fn what_looks_like_a_token_or_a_password_is_not_repeated() {
    for text in
        ["xtra://app:hunter2@host/A/B", "xtra://xs_hunter2/production/A", "hunter2", "xtra:///p/A?token=xs_hunter2"]
    {
        let error = Reference::from_str(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    let long = format!("xtra:///production/{}/x", "A".repeat(500));
    assert!(Reference::from_str(&long).unwrap_err().to_string().len() < 500);
}

#[test]
fn a_reference_without_a_project_takes_project_and_branch_from_where_it_stands() {
    let base = Base { project: Some(PROJECT.to_owned()), environment: None, parameter: Some("feature".to_owned()) };
    let within = |text: &str| reference(text).within(&base).to_string();
    let in_value = Base { environment: Some("staging".to_owned()), ..base.clone() };
    let own = reference("xtra:///K").within(&in_value);
    assert_eq!(
        (own.environment(), own.to_string()),
        (Some("staging"), format!("xtra://{PROJECT}/staging/K?branch=feature"))
    );
    let other = reference("xtra:///e/K").within(&in_value);
    assert_eq!(other.environment(), Some("e"), "one that is named counts");
    assert_eq!(within("xtra:///e/K"), format!("xtra://{PROJECT}/e/K?branch=feature"));
    assert_eq!(within("xtra:///e/K?branch=b"), format!("xtra://{PROJECT}/e/K?branch=b"));
    let other = "xtra://aaaaaaaaaaaaaaaaaaaaaaaa/e/K";
    assert_eq!(within(other), other, "a branch belongs to its project");
}

#[test]
fn references_are_found_wherever_they_stand_and_with_any_white_space() {
    assert_eq!(taken_apart("a={{ xtra:///e/A }}, b={{xtra:///e/B}}"), "a=<xtra:///e/A>, b=<xtra:///e/B>");
    assert_eq!(taken_apart("{{\n\t xtra:///e/A \r\n}}"), "<xtra:///e/A>");
    assert_eq!(taken_apart("{\"a\":{{{ xtra:///e/A }}}"), "{\"a\":{<xtra:///e/A>}");
    assert_eq!(taken_apart("{{ xtra:///e/A }}{{ xtra:///e/B }}"), "<xtra:///e/A><xtra:///e/B>");
    assert_eq!(taken_apart("é{{ xtra:///e/Ä }}é"), "é<xtra:///e/Ä>é");
}

#[test]
fn a_text_that_is_one_reference_is_that_reference() {
    assert_eq!(taken_apart(" xtra:///e/A\n"), "<xtra:///e/A>");
    assert_eq!(taken_apart("xtra:///e/A is where it is"), "xtra:///e/A is where it is");
    assert_eq!(taken_apart("see xtra:///e/A"), "see xtra:///e/A");
    assert_eq!(taken_apart("xtra:///e/{{xtra:///e/A}}"), "xtra:///e/<xtra:///e/A>");
    assert_eq!(malformed("\n  xtra://e/A\n")[0].at, Position { line: 2, column: 3 });
}

#[test]
fn a_backslash_makes_braces_plain_and_two_are_one_before_a_reference() {
    assert_eq!(taken_apart(r"\{{ xtra:///e/A }}"), "{{ xtra:///e/A }}");
    assert_eq!(taken_apart(r"\{{ name }}"), "{{ name }}");
    assert_eq!(taken_apart(r"C:\\{{ xtra:///e/A }}"), r"C:\<xtra:///e/A>");
    assert_eq!(taken_apart(r"\\\{{ xtra:///e/A }}"), r"\\<xtra:///e/A>");
    assert_eq!(taken_apart(r"\{{{{ xtra:///e/A }}"), "{{<xtra:///e/A>");
    assert_eq!(taken_apart(r"\n \{ \\ {{ xtra:///e/A }}\"), r"\n \{ \\ <xtra:///e/A>\");
}

#[test]
fn other_template_languages_pass_through() {
    for text in [
        "{{ user.name }}",
        "{{#each items}}{{this}}{{/each}}",
        "{{{raw}}}",
        "{{",
        "}}",
        "{{{{{{",
        "{% if x %}{{ x }}{% endif %}",
        "{{- xtra:///e/A }}",
        "{{ \"xtra:///e/A\" }}",
        "",
        "\\",
        "{ { xtra:///e/A } }",
    ] {
        assert_eq!(taken_apart(text), text);
    }
}

#[test]
fn a_scheme_in_capitals_between_braces_is_a_mistake_and_does_not_pass_through() {
    for text in ["a={{ XTRA:///e/A }}", "a={{Xtra:///e/A}} {{ xtra:///e/B }}"] {
        let found = malformed(text);
        assert_eq!((found.len(), found[0].at), (1, Position { line: 1, column: 3 }));
        assert!(found[0].with_text("there").contains("lower case"), "{found:?}");
    }
    assert_eq!(taken_apart("{{ XTRA }} {{ xträ:///e/A }} {{ xtra:/é }}"), "{{ XTRA }} {{ xträ:///e/A }} {{ xtra:/é }}");
}

#[test]
fn a_reference_is_bounded_so_that_messages_are() {
    let of_length = |length: usize| format!("xtra:///e/{}", "k".repeat(length - "xtra:///e/".len()));
    assert!(Reference::from_str(&of_length(2048)).is_ok());
    let error = Reference::from_str(&of_length(2049)).unwrap_err();
    assert!(error.to_string().contains("longer than 2048 bytes"), "{error}");
}

#[test]
fn every_malformed_reference_is_reported_with_its_place() {
    let found = malformed("one\n  {{ xtra://e/A }} {{ xtra:///e/B }}\né{{ xtra:///e/A | upper }}\n{{ xtra:///e/A");
    let places: Vec<_> = found.iter().map(|found| (found.at.line, found.at.column)).collect();
    assert_eq!(places, [(2, 3), (3, 2), (4, 1)]);
    let texts: Vec<_> = found.iter().map(|found| found.with_text("there")).collect();
    assert!(texts[0].starts_with("\"xtra://e/A\" (there): ") && texts[0].contains("third slash"), "{texts:?}");
    assert!(texts[1].starts_with("\"xtra:///e/A\" (there): ") && texts[1].contains("white space"), "{texts:?}");
    assert!(texts[2].contains("}}, is missing"), "{texts:?}");
    assert!(found.iter().all(|found| !found.without_text().contains("e/A")));
}

#[test]
fn what_follows_an_unclosed_reference_is_not_repeated() {
    for between in ["\n", "\"", "'", ",", ";", "<br>", " ", "|", "}", ")"] {
        let found = malformed(&format!("{{{{ xtra:///e/A{between}password=hunter2"));
        let shown = found[0].with_text("there");
        assert!(shown.contains("xtra:///e/A") && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_value_without_a_reference_stands_for_itself_to_the_byte() {
    for value in [r"a\{{b", r"\\{{", "{{ name }}", "xtra", " padded ", "{{ xtra:/ }}", ""] {
        let template = Template::of_value::<Xtra>(value).unwrap();
        assert_eq!(pieces(value, &template).concat(), value);
    }
    let value = r"\{{ {{ xtra:///e/A }}";
    assert_eq!(pieces(value, &Template::of_value::<Xtra>(value).unwrap()).concat(), "{{ <xtra:///e/A>");
}

#[test]
fn any_text_is_taken_apart_without_a_panic_and_what_has_no_reference_comes_out_as_it_was() {
    let words = [
        "{{",
        "}}",
        "{",
        "}",
        "\\",
        "xtra://",
        "/",
        "xtra:///e/K",
        "{{ xtra:///e/K }}",
        " ",
        "\n",
        "é",
        "%",
        "?branch=",
        "a",
        "\0",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let (mut plain, mut with_references) = (0, 0);
    for _ in 0..50_000 {
        let length = next(12);
        let text: String = (0..length).map(|_| words[next(words.len())]).collect();
        let Ok(template) = Template::of_text::<Xtra>(&text) else { continue };
        let _ = Template::of_value::<Xtra>(&text);
        let shown = pieces(&text, &template).concat();
        if template.pieces.iter().any(|piece| matches!(piece, Piece::Reference(..))) {
            with_references += 1;
        } else {
            assert_eq!(shown, text.replace("\\{{", "{{"));
            plain += 1;
        }
    }
    assert!(plain > 1_000 && with_references > 1_000, "{plain} {with_references}");
}

#[test]
fn a_long_text_full_of_openings_takes_one_pass() {
    let began = std::time::Instant::now();
    assert_eq!(malformed(&"{{ xtra://x }}".repeat(100_000)).len(), 100, "nobody reads more");
    let openings = "{{ xtra://".repeat(400_000);
    assert!(Template::of_text::<Xtra>(&openings).is_err());
    assert!(Template::of_text::<Xtra>(&format!("{openings}}}}}")).is_err());
    assert_eq!(taken_apart(&"{{".repeat(1_000_000)).len(), 2_000_000);
    assert!(Template::of_value::<Xtra>(&"xtra://  ".repeat(400_000)).is_ok());
    assert!(Template::of_value::<Xtra>(&format!("{}xtra://", " ".repeat(1_000_000))).is_err());
    assert!(began.elapsed().as_secs() < 20);
}

/// A graph whose node `n` refers to those of the list at `n`, with a text around each.
fn graph(leads_to: &[&[usize]]) -> Graph {
    let mut graph = Graph::default();
    for id in 0..leads_to.len() {
        graph.meet(reference(&format!("xtra:///e/K{id}")), 0, Seen::Text(0, Position { line: 1, column: 1 }));
    }
    for (id, targets) in leads_to.iter().enumerate() {
        graph.fill(id, text(&format!("{id}"), targets));
    }
    graph
}

fn text(plain: &str, targets: &[usize]) -> Text {
    let mut parts = vec![Part::Plain(0..plain.len())];
    parts.extend(targets.iter().map(|target| Part::Value(*target)));
    Text { source: SecretValue::from(plain), parts }
}

fn of(graph: &Graph, targets: &[usize]) -> Result<String, Broken> {
    graph.put_together(&[text("", targets)]).map(|made| made[0].expose().to_owned())
}

#[test]
fn values_are_put_into_the_places_of_their_references() {
    assert_eq!(of(&graph(&[&[1, 2], &[2], &[]]), &[0, 2]).unwrap(), "01222");
}

#[test]
fn circles_are_found_with_everything_on_the_way() {
    assert_eq!(of(&graph(&[&[0]]), &[0]).unwrap_err(), Broken::Circle(vec![0, 0]));
    assert_eq!(of(&graph(&[&[1], &[2], &[1]]), &[0]).unwrap_err(), Broken::Circle(vec![1, 2, 1]));
    assert_eq!(of(&graph(&[&[1, 1], &[]]), &[0, 0]).unwrap(), "011011", "twice is no circle");
}

#[test]
fn the_depth_is_bounded_in_whatever_order_the_texts_come() {
    let chain = |length: usize| {
        let targets: Vec<Vec<usize>> =
            (1..=length).map(|next| if next < length { vec![next] } else { vec![] }).collect();
        graph(&targets.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    assert!(of(&chain(MOST_LEVELS), &[0]).is_ok());
    let long = chain(MOST_LEVELS + 1);
    assert!(matches!(of(&long, &[0]), Err(Broken::Deep(_))));
    let backwards: Vec<usize> = (0..=MOST_LEVELS).rev().collect();
    assert!(matches!(of(&long, &backwards), Err(Broken::Deep(_))));
    assert!(of(&long, &backwards[..MOST_LEVELS]).is_ok());
    let very_long = chain(100_000);
    assert!(matches!(of(&very_long, &(0..100_000).collect::<Vec<_>>()), Err(Broken::Deep(_))));
}

#[test]
fn values_that_multiply_are_stopped_before_they_take_the_memory() {
    let ten: Vec<Vec<usize>> = (1..=12).map(|next| vec![next; 10]).chain([vec![]]).collect();
    let graph = graph(&ten.iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert_eq!(of(&graph, &[0]).unwrap_err(), Broken::Large);
    let at_limit = "x".repeat(MOST_BYTES);
    let text = |plain: &str| Text { source: plain.into(), parts: vec![Part::Plain(0..1), Part::Plain(1..plain.len())] };
    assert!(Graph::default().put_together(&[text(&at_limit)]).is_ok());
    assert_eq!(Graph::default().put_together(&[text(&at_limit), text("xy")]).unwrap_err(), Broken::Large);
}

#[test]
fn a_value_that_is_one_reference_is_shared_and_not_copied() {
    let value = SecretValue::from("hunter2");
    let mut graph = Graph::default();
    let id = graph.meet(reference("xtra:///e/K"), 0, Seen::Text(0, Position { line: 1, column: 1 }));
    graph.fill(id, Text { source: value.clone(), parts: vec![Part::Plain(0..value.len())] });
    let whole = Text { source: "xtra:///e/K".into(), parts: vec![Part::Value(id)] };
    let made = graph.put_together(&[whole]).unwrap();
    assert!(std::ptr::eq(made[0].expose(), value.expose()));
}
