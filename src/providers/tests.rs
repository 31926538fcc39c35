//! Tests of the providers.

use super::layout::Layout;
use super::tree::{Node, Scalar, Table};
use crate::core::{ErrorKind, SecretValue, Secrets};

fn table(layout: &Layout, pairs: &[(&str, &str)]) -> Result<Table, crate::XtraError> {
    let secrets = Secrets::from_iter(pairs.iter().copied());
    layout.table(secrets.iter(), || super::empty(&secrets))
}

/// `a.b=text`, `c=(true)`, `d=(1)`, in order.
fn shown(table: &Table) -> Vec<String> {
    table
        .0
        .iter()
        .flat_map(|(key, node)| match node {
            Node::Table(inner) => shown(inner).into_iter().map(|line| format!("{key}.{line}")).collect(),
            Node::Leaf(_, Scalar::Text(text)) => vec![format!("{key}={}", text.expose())],
            Node::Leaf(_, Scalar::Bool(truth)) => vec![format!("{key}=({truth})")],
            Node::Leaf(_, Scalar::Integer(number)) => vec![format!("{key}=({number})")],
            #[cfg(feature = "typed")]
            Node::Leaf(_, Scalar::Typed(tree)) => vec![format!("{key}={}", tree.0)],
        })
        .collect()
}

fn of(layout: &Layout, pairs: &[(&str, &str)]) -> Vec<String> {
    shown(&table(layout, pairs).unwrap())
}

#[test]
fn separators_and_dots_nest_and_capitals_become_small() {
    let layout = Layout::default();
    let pairs =
        [("DATABASE__URL", "u"), ("Database__Pool__Size", "8"), ("tls.crt", "c"), ("A_B", "x"), ("ÜBER__Ä", "ü")];
    assert_eq!(of(&layout, &pairs), ["a_b=x", "database.pool.size=8", "database.url=u", "tls.crt=c", "über.ä=ü"]);
    let layout = Layout { keep_case: true, separator: "_X_".to_owned(), ..Layout::default() };
    assert_eq!(of(&layout, &[("A_X_B", "1"), ("A__B", "2")]), ["A.B=1", "A__B=2"]);
    let layout = Layout { separator: "_X_".to_owned(), ..Layout::default() };
    assert_eq!(of(&layout, &[("A_X_B", "1")]), ["a.b=1"], "a separator in capitals separates");
    let flat = Layout { separator: String::new(), ..Layout::default() };
    assert_eq!(of(&flat, &[("A__B", "1")]), ["a__b=1"]);
}

#[test]
fn a_name_with_an_empty_part_is_one_key() {
    let pairs = [("__A", "1"), ("B__", "2"), ("C____D", "3"), (".E", "4"), ("__", "5")];
    assert_eq!(of(&Layout::default(), &pairs), [".e=4", "__=5", "__a=1", "b__=2", "c____d=3"]);
}

#[test]
fn a_prefix_chooses_and_is_taken_off() {
    let layout = Layout { prefix: "APP_".to_owned(), ..Layout::default() };
    let pairs = [("APP_PORT", "1"), ("APP_", "2"), ("PORT", "3"), ("app_x", "4"), ("APP_DB__URL", "5")];
    assert_eq!(of(&layout, &pairs), ["db.url=5", "port=1"]);
}

#[test]
fn two_secrets_that_want_one_key_are_an_error_with_both_names() {
    for (one, other) in [
        ("DATABASE", "DATABASE__URL"),
        ("DATABASE__A__B", "DATABASE__A"),
        ("PORT", "port"),
        ("A__B", "a.b"),
        ("A", "A__B__C__D"),
    ] {
        for pairs in [[(one, "hunter2"), (other, "hunter2")], [(other, "hunter2"), (one, "hunter2")]] {
            // given as they come, not in the order of a snapshot
            let pairs = pairs.map(|(name, value)| (name, SecretValue::from(value)));
            let error = Layout::default()
                .table(pairs.iter().map(|(name, value)| (*name, value)), || {
                    super::empty(&Secrets::from_iter([("", ""); 0]))
                })
                .err()
                .unwrap();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let (text, mut keys) = (format!("{error} {error:?}"), error.names().to_vec());
            keys.sort();
            let mut both = [one, other];
            both.sort_unstable();
            assert_eq!(keys, both);
            assert!(text.contains(&format!("{one:?}")) && text.contains(&format!("{other:?}")), "{text}");
            assert!(!text.contains("hunter2"));
        }
    }
    let kept = Layout { keep_case: true, ..Layout::default() };
    assert_eq!(of(&kept, &[("PORT", "1"), ("port", "2")]).len(), 2);
}

#[test]
fn only_texts_that_are_written_as_they_would_be_are_guessed() {
    let layout = Layout { guess_types: true, ..Layout::default() };
    for guessed in
        ["true", "false", "0", "8080", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615"]
    {
        assert_eq!(of(&layout, &[("A", guessed)]), [format!("a=({guessed})")]);
        assert_eq!(of(&Layout::default(), &[("A", guessed)]), [format!("a={guessed}")], "never by itself");
    }
    for text in [
        "00123",
        "+1",
        "-0",
        "1_000",
        "1.0",
        "1e3",
        "TRUE",
        "True",
        "yes",
        "",
        " 1",
        "1 ",
        "0x10",
        "NaN",
        "inf",
        "null",
        "18446744073709551616",
        "-9223372036854775809",
        "[1]",
        "١٢٣",
    ] {
        assert_eq!(of(&layout, &[("A", text)]), [format!("a={text}")]);
    }
}

#[test]
fn nothing_at_all_is_an_error_unless_it_is_accepted() {
    assert_eq!(table(&Layout::default(), &[]).err().unwrap().kind(), ErrorKind::EmptyScope);
    let layout = Layout { allow_empty: true, ..Layout::default() };
    assert!(of(&layout, &[]).is_empty());
    let layout = Layout { prefix: "APP_".to_owned(), ..Layout::default() };
    for pairs in [[("OTHER", "hunter2")], [("app_x", "hunter2")], [("APP_", "hunter2")]] {
        let error = table(&layout, &pairs).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::EmptyScope);
        assert!(error.to_string().contains("\"APP_\"") && error.to_string().contains("allow_empty()"), "{error}");
        assert!(!error.to_string().contains("hunter2"));
    }
    #[cfg(feature = "typed")]
    {
        let schema = crate::schema::Schema::from_json(r#"{ "type": "object", "properties": { "port": {} } }"#).ok();
        let layout = Layout { schema, ..layout.clone() };
        assert!(layout.schema.is_some());
        assert_eq!(table(&layout, &[("PORT", "1")]).err().unwrap().kind(), ErrorKind::EmptyScope);
        assert_eq!(of(&layout, &[("APP_PORT", "1")]), ["port=\"1\""]);
    }
    let layout = Layout { allow_empty: true, ..layout };
    assert!(of(&layout, &[("OTHER", "1")]).is_empty());
}

#[test]
fn a_name_made_of_separators_does_not_use_up_the_stack() {
    let name = vec!["A"; 100_000].join("__");
    let error = table(&Layout::default(), &[(name.as_str(), "1")]).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
