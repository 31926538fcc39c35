//! No text makes a reader panic, overflow the stack or run for long: values, names, schemas, references and `.env` files.

mod readers;

use std::time::Duration;

use figment::Figment;
use proptest::prelude::*;
use readers::{Late, One, read};
use serde_json::Value;
use xtrasecurity::{Schema, Secrets, SecretsProvider};

/// Less than a thread of any runtime has.
const STACK: usize = 1024 * 1024;

/// Runs `test` on a thread with a small stack.
fn with_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(test).expect("a thread").join().expect("no panic");
}

/// Without a file of failed cases: what fails becomes a test.
fn cases(number: u32) -> ProptestConfig {
    ProptestConfig { cases: number, failure_persistence: None, ..ProptestConfig::default() }
}

/// Texts that have broken readers, here or elsewhere.
fn notorious() -> Vec<String> {
    let most = u64::MAX;
    let mut texts: Vec<String> = [
        "",
        " ",
        "\0",
        "\u{feff}",
        "\u{2028}",
        "-",
        "+",
        ".",
        "e",
        "0x10",
        "0b1",
        "1_000",
        "-0",
        "-0.0",
        "+1",
        "00123",
        "1e400",
        "-1e400",
        "1e-400",
        "1e999999999999",
        "5e-324",
        "NaN",
        "inf",
        "-Infinity",
        "null",
        "true",
        "\"",
        "\"x",
        "\\",
        "'",
        "''",
        "٣",
        "½",
        "1\u{301}",
        "💥",
        "µs",
        "1µs",
        "1μs",
        "1 m s",
        "P1Y",
        "PT1S",
        "P99999999999999999999Y",
        "s",
        "1s 0",
        "0s",
        "1969-12-31T23:59:60Z",
        "0000-00-00",
        "9999-12-31T23:59:59.999999999999999999Z",
        "+292277026596-12-04T15:30:08Z",
        "2026-02-30T25:61:61Z",
        "-0001-01-01",
        "24:00:00Z",
        "[",
        "{",
        "[]",
        "{}",
        "{\"\":{}}",
        "[[[1,],]]",
        "{\"a\":1,\"a\":2}",
        "{\"secs\":18446744073709551615,\"nanos\":4294967295}",
        "{\"secs_since_epoch\":18446744073709551615,\"nanos_since_epoch\":999999999}",
        "{\"At\":{\"hour\":256}}",
        "{\"kind\":\"Net\"}",
        "http://[::1",
        "http://a:b@c:99999/",
        "postgres://",
        "://",
        "xtra:///",
        "xtra://a/b/c/d/e",
        "xtra:///%",
        "xtra:///production/%zz",
        "{{ xtra:///",
        "a@b@c",
        "@",
        "a@[1.2.3",
        "::",
        "1.2.3.4.5",
        "fe80::1%eth0",
        "(",
        "(?<",
        "[a-",
        "a{99999}",
        "\\p{",
        "~1~0",
        "/~",
        "{+x*:99999}",
        "xn--",
        "xn--\u{0}",
        "..",
        "A=\"",
        "A='\nB",
        "export ",
        "=",
        "A=$(",
        "#",
        "__proto__",
        "a.b.c.",
        "eyJhbGciOiJub25lIn0.eyJleHAiOjFlMzAwfQ.x",
        "eyJhbGciOiJub25lIn0.eyJleHAiOi05ZTk5OX0.x",
        "a.b.c",
        "....",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.extend([
        format!("{most}s 1000ms"),
        format!("1000ms {most}s"),
        format!("{most}s{most}s"),
        format!("{most}y"),
        format!("{most}.999999999s 1ns"),
        format!("{most}ns 999999999ns"),
        format!("{most}0s"),
        format!("0.{}s", "9".repeat(400)),
        format!("{most}"),
        u128::MAX.to_string(),
        i128::MIN.to_string(),
        format!("{}1", "0".repeat(100_000)),
        "9".repeat(100_000),
        format!("1e{}", "9".repeat(1000)),
        format!("1.{}", "1".repeat(100_000)),
        format!("{{\"type\":\"object\",\"multipleOf\":0,\"minLength\":{most},\"maxLength\":-1}}"),
    ]);
    texts
}

/// Texts of very many levels.
fn deep() -> Vec<String> {
    let mut texts = Vec::new();
    for levels in [100, 126, 127, 128, 129, 1_000, 10_000] {
        texts.push("[".repeat(levels));
        texts.push(format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
        for (open, end) in [("{\"next\":", "null"), ("{\"children\":[", ""), ("{\"a\":", "1"), ("{\"Every\":", "1")] {
            let close: String = open
                .chars()
                .rev()
                .filter_map(|c| match c {
                    '{' => Some('}'),
                    '[' => Some(']'),
                    _ => None,
                })
                .collect();
            texts.push(format!("{}{end}{}", open.repeat(levels), close.repeat(levels)));
            texts.push(open.repeat(levels));
        }
        texts.push(format!("{}1{}", "{\"type\":\"object\",\"not\":".repeat(levels), "}".repeat(levels)));
        texts.push("A__".repeat(levels) + "A");
        texts.push("{{".repeat(levels));
        texts.push("(".repeat(levels));
    }
    texts
}

#[test]
fn no_notorious_text_breaks_a_reader() {
    with_small_stack(|| notorious().iter().for_each(|text| read(text)));
}

#[test]
fn no_depth_of_a_text_breaks_a_reader() {
    with_small_stack(|| deep().iter().for_each(|text| read(text)));
}

/// A schema that holds every level of a value against so many schemas, one within the other, and a value of many levels.
fn nested(schemas: usize, combination: &str) -> (String, String) {
    let (open, close) = match combination {
        "not" => (r#"{"not":"#.to_owned(), "}"),
        list => (format!(r#"{{"{list}":["#), "]}"),
    };
    let next = r##"{"type":"object","properties":{"next":{"$ref":"#/$defs/level"}}}"##;
    let level = format!("{}{next}{}", open.repeat(schemas), close.repeat(schemas));
    let schema = format!(
        r##"{{"$defs":{{"level":{level}}},"type":"object","properties":{{"value":{{"$ref":"#/$defs/level"}}}}}}"##
    );
    (schema, format!("{}null{}", r#"{"next":"#.repeat(126), "}".repeat(126)))
}

#[test]
fn no_nesting_of_a_schema_and_a_value_overflows_a_small_stack() {
    with_small_stack(|| {
        for combination in ["allOf", "anyOf", "oneOf", "not"] {
            for schemas in [1, 4, 16, 58] {
                let (schema, value) = nested(schemas, combination);
                let schema = Schema::from_json(&schema).expect("a schema");
                for end in ["null", "1", "[]"] {
                    let secrets = Secrets::from_iter([("VALUE", value.replace("null", end))]);
                    let _ = secrets.check_schema(&schema).to_string();
                }
            }
        }
    });
}

#[test]
fn forms_within_forms_of_very_many_levels_are_refused_by_name_and_few_are_read() {
    let value = |levels: usize| format!("{}null{}", r#"{"next":"#.repeat(levels), "}".repeat(levels));
    for levels in [30, 60, 120] {
        let error = Secrets::from_iter([("VALUE", value(levels))]).parse::<One<Late>>().unwrap_err();
        assert!(
            error.to_string().contains("VALUE cannot be held against the schema, because that takes too long"),
            "{error}"
        );
    }
    assert!(Secrets::from_iter([("VALUE", value(6))]).parse::<One<Late>>().is_ok());
}

#[test]
fn a_duration_that_is_too_long_is_refused_by_name_wherever_it_stands() {
    let text = format!("{}s 1000ms", u64::MAX);
    let secrets = |value: String| Secrets::from_iter([("VALUE", value)]);
    let told = |error: xtrasecurity::XtraError| error.to_string();
    let is_no_duration = "VALUE is not a duration with a unit, such as 500ms, 30s, 5m or 1h 30m";
    let error = told(secrets(text.clone()).parse::<One<Duration>>().unwrap_err());
    assert!(error.contains(is_no_duration) && !error.contains("1844"), "{error}");
    let report = secrets(text.clone()).check::<One<Duration>>();
    assert_eq!(report.invalid()[0].to_string(), is_no_duration);
    let schema = Schema::of::<One<Duration>>();
    assert!(!secrets(text.clone()).check_schema(&schema).is_valid());
    for value in [format!("1s, {text}"), format!("[\"1s\",\"{text}\"]")] {
        assert!(secrets(value).parse::<One<Vec<Duration>>>().is_err());
    }
    assert!(
        secrets(format!("{{\"a\":\"{text}\"}}")).parse::<One<std::collections::HashMap<String, Duration>>>().is_err()
    );
    let longest = secrets(format!("{}s 999ms", u64::MAX)).parse::<One<Duration>>().unwrap();
    assert_eq!(longest.value, Some(Duration::new(u64::MAX, 999_000_000)));
}

#[test]
fn a_pattern_that_looks_around_comes_to_an_end_and_never_passes_what_it_could_not_check() {
    let schema = |pattern: &str| {
        let json = serde_json::json!({ "type": "object", "properties": { "password": { "type": "string", "pattern": pattern } } });
        Schema::from_json(&json.to_string()).unwrap()
    };
    let check = |pattern: &str, value: &str| {
        let report = Secrets::from_iter([("PASSWORD", value)]).check_schema(&schema(pattern));
        report.invalid().first().map(|problem| problem.problem().to_owned())
    };
    let common = "^(?=.*[A-Z])(?=.*\\d)(?!.*\\s).{8,}$";
    assert_eq!(check(common, "Abcdefg1"), None);
    assert_eq!(check(common, &("A1".to_owned() + &"x".repeat(40_000))), None);
    assert!(check(common, &"a".repeat(40_000)).unwrap().starts_with("does not match the pattern"));
    // as many steps back as the value has characters
    let tempered = "^(?:(?!--).)*$";
    assert_eq!(check(tempered, &"a".repeat(3000)), None);
    assert!(check(tempered, &("a".repeat(3000) + "--")).unwrap().starts_with("does not match"));
    for (pattern, value) in [
        ("(?=.*[A-Z])(?=.*[0-9])", "a".repeat(40_000)),
        ("(?=.*[A-Z])(?=.*[0-9])", "a".repeat(400_000)),
        ("^(?!(?=.*[A-Z])(?=.*[0-9]))(a*)*\\1c", "a".repeat(40_000)),
    ] {
        let problem = check(pattern, &value).unwrap();
        assert!(problem.contains("takes too long") && problem.contains("pattern"), "{problem}");
    }
    // what could not be checked is no reason for a `not` to pass
    let json = r#"{"type":"object","properties":{"password":{"not":{"pattern":"(?=.*[A-Z])(?=.*[0-9])"}}}}"#;
    let report = Secrets::from_iter([("PASSWORD", "a".repeat(40_000))]).check_schema(&Schema::from_json(json).unwrap());
    assert!(!report.is_valid());
}

#[test]
fn names_of_many_levels_are_one_error_for_both_libraries() {
    with_small_stack(|| {
        for levels in [32, 10_000, 1_000_000] {
            let secrets = Secrets::from_iter([("A__".repeat(levels) + "A", "1")]);
            let error = Figment::from(SecretsProvider::new(&secrets)).extract::<Value>().unwrap_err();
            assert!(error.to_string().contains("nested more than 32 keys deep"), "{error}");
            let built = config::Config::builder().add_source(SecretsProvider::new(&secrets)).build();
            assert!(built.unwrap_err().to_string().contains("nested more than 32 keys deep"));
        }
    });
}

/// Sums of parts near the ends of numbers, and what looks like them.
fn durations() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<u64>().prop_map(|number| number.to_string()),
        (0..3_u64).prop_map(|less| (u64::MAX - less).to_string()),
        (0..2_000_u64).prop_map(|number| number.to_string()),
        "[0-9]{1,22}",
        "[0-9]{1,20}\\.[0-9]{1,22}",
    ];
    let unit = prop::sample::select(vec![
        "ns", "us", "µs", "ms", "s", "sec", "m", "min", "h", "d", "days", "w", "M", "months", "y", "years", "", "x",
    ]);
    let space = prop::sample::select(vec!["", " ", "  ", "\t"]);
    prop::collection::vec((number, space.clone(), unit, space), 1..6).prop_map(|parts| {
        parts.iter().map(|(number, gap, unit, after)| format!("{number}{gap}{unit}{after}")).collect()
    })
}

/// JSON of every form, with the keywords of schemas among its names.
fn json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<f64>().prop_map(|number| serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number)),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
    ];
    let word = prop::sample::select(vec![
        "object",
        "string",
        "integer",
        "#",
        "#/$defs/a",
        "One",
        "Net",
        "30s",
        "date-time",
        "(a*)*\\1",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        word.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "type",
        "properties",
        "required",
        "$ref",
        "$defs",
        "a",
        "items",
        "prefixItems",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "if",
        "then",
        "pattern",
        "patternProperties",
        "additionalProperties",
        "format",
        "minimum",
        "multipleOf",
        "maxLength",
        "default",
        "$schema",
        "$id",
        "secs",
        "nanos",
        "kind",
        "path",
        "address",
        "url",
        "size",
        "name",
        "children",
        "next",
        "Every",
        "At",
        "hour",
    ]);
    leaf.prop_recursive(8, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(key.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
    .prop_map(|value| value.to_string())
}

/// Half of a text, another's end, a byte more: what is nearly right.
fn nearly(texts: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (texts, any::<prop::sample::Index>(), any::<char>(), any::<bool>()).prop_map(|(text, at, other, cut)| {
        let at = text.char_indices().map(|(at, _)| at).nth(at.index(text.chars().count().max(1))).unwrap_or_default();
        let (start, end) = text.split_at(at);
        if cut { start.to_owned() } else { format!("{start}{other}{end}") }
    })
}

/// Whether the other parser, which panics where a sum is too large, would give the same. It is asked where it cannot panic.
fn agrees_with_humantime(text: &str) -> bool {
    let read = Secrets::from_iter([("VALUE", text)]).parse::<One<Duration>>().ok().and_then(|one| one.value);
    read.is_none_or(|read| match humantime::parse_duration(text.trim()) {
        Ok(other) => other == read,
        // it adds up nanoseconds in a number that holds less than a duration does
        Err(problem) => problem == humantime::DurationError::NumberOverflow,
    })
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn no_text_at_all_breaks_a_reader(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn no_text_of_ascii_breaks_a_reader(text in "[ -~\n\t]{0,60}") {
        read(&text);
    }

    #[test]
    fn no_number_breaks_a_reader(text in "[-+]?[0-9]{0,40}(\\.[0-9]{0,40})?([eE][-+]?[0-9]{0,6})?") {
        read(&text);
    }

    #[test]
    fn no_date_or_time_breaks_a_reader(text in "[-+]?[0-9]{0,10}-[0-9]{1,3}-[0-9]{1,3}[Tt ]?([0-9]{1,3}:){0,3}[0-9]{0,20}(\\.[0-9]{0,30})?(Z|[-+][0-9:]{0,9})?") {
        read(&text);
    }

    #[test]
    fn no_address_breaks_a_reader(text in "([a-z]{0,8}:)?(//)?([a-z:%]{0,9}@)?([a-z0-9.\\-]{0,20}|\\[[0-9a-f:.%]{0,40}\\]?)(:[0-9]{0,7})?[/?#%a-z0-9{}]{0,20}") {
        read(&text);
    }

    #[test]
    fn no_json_breaks_a_reader_whole_or_not(text in prop_oneof![json(), nearly(json())]) {
        with_small_stack(move || read(&text));
    }
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn a_duration_that_is_read_is_the_sum_of_its_parts_and_no_other_breaks_a_reader(text in durations()) {
        prop_assert!(agrees_with_humantime(&text), "{text:?}");
    }
}
