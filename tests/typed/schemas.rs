//! Schemas from files, and files to fill in from schemas.

use std::fs;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xtrasecurity::schemars::{self, JsonSchema};
use xtrasecurity::{ErrorKind, Schema, SecretValue, Secrets, schema::example};

#[derive(Debug, Deserialize, Serialize, JsonSchema, PartialEq, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Level {
    Debug,
    Info,
}

/// What the program needs.
///
/// Ask the team for the values.
#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Settings {
    /// where the database is
    database_url: SecretValue,
    /// how much is logged
    #[serde(default = "level")]
    log_level: Level,
    /// how long a request may take
    #[serde(default = "timeout")]
    timeout: Duration,
    /// said to everybody
    #[serde(default = "greeting")]
    greeting: String,
    cache: Cache,
    /// the standby
    replica: Option<Replica>,
    tags: Vec<String>,
    port: u16,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Cache {
    /// entries kept
    size: u32,
    #[serde(default)]
    warm: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Replica {
    url: String,
}

fn level() -> Level {
    Level::Info
}

fn timeout() -> Duration {
    Duration::from_secs(90)
}

fn greeting() -> String {
    "it's # \"fine\"".to_owned()
}

#[test]
fn an_example_tells_what_each_setting_is() {
    let expected = r#"# Settings
# What the program needs.
#
# Ask the team for the values.

# entries kept
# integer from 0 to 4294967295; required
CACHE__SIZE=

# true or false; optional; by default false
# CACHE__WARM=false

# where the database is
# text; secret; required
DATABASE_URL=

# said to everybody
# text; optional; by default it's # "fine"
# GREETING="it's # \"fine\"" # escaped "as in a shell"

# how much is logged
# one of debug, info; optional; by default info
# LOG_LEVEL=info

# integer from 0 to 65535; required
PORT=

# REPLICA: the standby

# text; required with the others of its group
# REPLICA__URL=

# list, with commas or as JSON; required
TAGS=

# how long a request may take
# duration, such as 30s or 1h 30m; optional; by default 1m 30s
# TIMEOUT='1m 30s'
"#;
    let example = example::<Settings>();
    assert_eq!(example.dotenv(), expected);
    let misreads: Vec<_> = example.dotenv_misreads().iter().map(|misread| misread.name()).collect();
    assert_eq!((&misreads[..], example.without_default()), (&["GREETING"][..], &[][..]));
}

#[test]
fn an_example_that_is_filled_in_parses_and_checks_clean() {
    let filled = example::<Settings>()
        .dotenv()
        .replace("\nDATABASE_URL=", "\nDATABASE_URL='p#ss'")
        .replace("\nCACHE__SIZE=", "\nCACHE__SIZE=5")
        .replace("\nPORT=", "\nPORT=80")
        .replace("\nTAGS=", "\nTAGS=a,b");
    let secrets = Secrets::from_dotenv(&filled).unwrap();
    assert_eq!(secrets.len(), 4);
    assert!(secrets.check::<Settings>().is_valid());
    // and so it does with every default written out
    let uncommented: Vec<_> = filled
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest)
                if rest.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_uppercase() || c == '_')) =>
            {
                rest
            }
            _ => line,
        })
        .collect();
    let secrets = Secrets::from_dotenv(&uncommented.join("\n")).unwrap();
    assert_eq!(secrets.len(), 9);
    let settings: Settings = secrets.parse().unwrap();
    assert_eq!((settings.greeting, settings.timeout, settings.log_level), (greeting(), timeout(), level()));
    assert_eq!(settings.cache.size, 5);
}

#[test]
fn an_example_of_anything_is_comments_and_assignments_only() {
    let schema = Schema::from_json(
        &json!({
            "type": "object",
            "title": "x\nTITLE=1",
            "properties": {
                "a b": { "description": "one\nINJECTED=1\r\ntwo\u{2028}INJECTED=2", "default": "x\ny" },
                "größe": { "type": "integer" },
                "c": { "enum": ["a\nSNEAKED=2", "b"], "default": "a\nSNEAKED=2" },
                "all": { "default": "'`\"" },
                "map": { "type": "object", "additionalProperties": { "type": "integer" } },
            },
        })
        .to_string(),
    )
    .unwrap();
    let text = schema.example().dotenv().to_owned();
    let secrets = Secrets::from_dotenv(&text).unwrap();
    assert!(secrets.is_empty(), "{text}");
    // readers in JavaScript end lines at these too
    assert!(!text.contains(['\u{2028}', '\u{2029}']), "{text}");
}

#[test]
fn the_schema_of_an_example_is_a_schema_that_reports_the_same() {
    let again = Schema::from_json(example::<Settings>().json_schema()).unwrap();
    let wrong =
        Secrets::from_iter([("PORT", "x"), ("TIMEOUT", "5"), ("LOG_LEVEL", "x"), ("CACHE__SIZE", "-1"), ("Z", "")]);
    let right = Secrets::from_iter([
        ("PORT", "1"),
        ("TIMEOUT", "5s"),
        ("CACHE", r#"{"size":1}"#),
        ("TAGS", ""),
        ("DATABASE_URL", ""),
    ]);
    for secrets in [wrong, right, Secrets::from_iter([("A", "")])] {
        let report = secrets.check::<Settings>();
        assert_eq!(secrets.check_schema(&again), report);
        assert_eq!(secrets.check_schema(&Schema::of::<Settings>()), report);
    }
    assert_eq!(again.example(), example::<Settings>());
}

#[test]
fn a_schema_is_read_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), r#"{"required": ["TOKEN"], "properties": {"n": {"type": "integer"}}}"#).unwrap();
    let schema = Schema::from_file(file.path()).unwrap();
    let report = Secrets::from_iter([("n", "x"), ("M", "1")]).check_schema(&schema);
    assert_eq!(
        report.to_string(),
        "2 of 2 settings are wrong\n  TOKEN is missing\n  n is not an integer\n  M is not part of the schema"
    );
}

#[test]
fn every_draft_is_read_by_its_name() {
    for (draft, defs) in [
        ("http://json-schema.org/draft-04/schema#", "definitions"),
        ("http://json-schema.org/draft-07/schema#", "definitions"),
        ("https://json-schema.org/draft/2020-12/schema", "$defs"),
    ] {
        let text = json!({
            "$schema": draft,
            "type": "object",
            "properties": { "PORT": { "$ref": format!("#/{defs}/port") } },
            defs: { "port": { "type": "integer", "maximum": 9 } },
        });
        let schema = Schema::from_json(&text.to_string()).unwrap();
        assert_eq!(
            Secrets::from_iter([("PORT", "10")]).check_schema(&schema).invalid()[0].problem(),
            "is more than 9",
            "{draft}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_the_reason_and_nothing_of_its_content() {
    let deep = format!("{}{}", "{\"items\":".repeat(500), "}".repeat(500));
    let large = format!(r#"{{"type":"object","description":"{}"}}"#, "canary ".repeat(200_000));
    let reference = |to: &str| json!({ "type": "object", "properties": { "a": { "$ref": to } } }).to_string();
    for (content, reason) in [
        ("canary", "not valid JSON (line 1, column 1)"),
        ("{\n  \"canary\": 1,,\n}", "not valid JSON (line 2, column"),
        ("", "not valid JSON"),
        ("[{\"canary\": 1}]", "must be a JSON object"),
        ("true", "must be a JSON object"),
        (r#"{"type":"array","title":"canary"}"#, "describes no object"),
        (r#"{"type":"canary"}"#, "describes no object"),
        (r#"{"type":"object","properties":{"a":{"type":"canary"}}}"#, "/properties/a/type"),
        (r#"{"type":"object","properties":{"a":{"pattern":"(canary"}}}"#, "/properties/a/pattern"),
        (r#"{"type":"object","$schema":"https://canary.example/schema"}"#, "$schema is not known"),
        (&reference("https://canary.example/x.json"), "nothing is fetched"),
        (&reference("file:///etc/passwd"), "nothing is fetched"),
        (&reference("other.json#/canary"), "nothing is fetched"),
        (&reference("#canary"), "nothing is fetched"),
        (&reference("#/$defs/nowhere"), "leads nowhere"),
        (r##"{"type":"object","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##, "in a circle"),
        (r##"{"$ref":"#"}"##, "in a circle"),
        (r##"{"type":"object","properties":{"a":{"$dynamicRef":"#canary"}}}"##, "$dynamicRef, which is not supported"),
        (r##"{"type":"object","properties":{"a":{"$recursiveRef":"#"}}}"##, "$recursiveRef, which is not supported"),
        (r##"{"type":"object","$defs":{"a":{"$anchor":"canary"}}}"##, "$anchor, which is not supported"),
        (r##"{"type":"object","properties":{"a":{"$id":"https://canary.example/a"}}}"##, "$id below its top"),
        (&deep, "not valid JSON"),
        (&large, "larger than 1 MiB"),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        let error = Schema::from_file(file.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(reason), "{reason}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn a_path_that_is_no_file_to_read_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &std::path::Path| Schema::from_file(path).unwrap_err().to_string();
    assert!(refused(folder.path()).contains("it is not a file"));
    assert!(refused(&folder.path().join("absent.json")).contains("there is no such file"));
    let binary = folder.path().join("binary.json");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    assert!(refused(&binary).contains("it is not UTF-8 text"));
}

#[test]
fn loops_and_long_chains_end() {
    // a schema that contains itself in place, which no chain of plain references shows
    let text = json!({
        "type": "object",
        "properties": { "a": { "$ref": "#/$defs/a" } },
        "$defs": { "a": { "allOf": [{ "$ref": "#/$defs/b" }] }, "b": { "anyOf": [{ "$ref": "#/$defs/a" }, { "type": "integer" }] } },
    });
    {
        let schema = Schema::from_json(&text.to_string()).unwrap();
        assert!(Secrets::from_iter([("A", "1")]).check_schema(&schema).is_valid());
        assert!(schema.example().dotenv().contains("# A="));
    }
    for length in [499_usize, 9_000] {
        let mut defs = serde_json::Map::new();
        for n in 0..length {
            defs.insert(format!("d{n}"), json!({ "type": "object", "properties": { "x": { "$ref": format!("#/$defs/d{}", (n + 1) % length) } } }));
        }
        let text = json!({ "$ref": "#/$defs/d0", "$defs": Value::Object(defs) }).to_string();
        match Schema::from_json(&text) {
            Ok(schema) => {
                assert!(length < 1000);
                assert!(!Secrets::from_iter([("X", "1")]).check_schema(&schema).is_valid());
            }
            Err(error) => assert!(error.to_string().contains("refers to more than"), "{error}"),
        }
    }
}

#[test]
fn a_wide_schema_that_contains_itself_does_not_grow_without_end() {
    let mut properties = serde_json::Map::new();
    for n in 0..40 {
        properties.insert(format!("p{n}"), json!({ "$ref": format!("#/$defs/s{}", n % 8) }));
    }
    let mut defs = serde_json::Map::new();
    for n in 0..8 {
        defs.insert(format!("s{n}"), json!({ "type": "object", "properties": properties }));
    }
    let text = json!({ "type": "object", "properties": properties, "$defs": defs }).to_string();
    let schema = Schema::from_json(&text).unwrap();
    let report = Secrets::from_iter([("P1", "1")]).check_schema(&schema);
    assert_eq!(report.invalid()[0].to_string(), "P1 is not a JSON object");
}

#[test]
fn a_small_schema_that_means_very_much_is_refused_at_once() {
    let refused = |defs: serde_json::Map<String, Value>| {
        let text =
            json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/d0" } }, "$defs": defs }).to_string();
        let error = Schema::from_json(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("schemas of one place"), "{error}");
    };
    let to = |n: usize| json!({ "$ref": format!("#/$defs/d{n}") });
    for keyword in ["allOf", "anyOf", "oneOf"] {
        // each refers to the next twice
        let mut doubling = serde_json::Map::new();
        for n in 0..60 {
            doubling.insert(format!("d{n}"), json!({ keyword: [to(n + 1), to(n + 1)] }));
        }
        doubling.insert("d60".to_owned(), json!({ "type": "string" }));
        refused(doubling);
        // each refers to all others
        let others = |n: usize| (0..14).filter(|other| *other != n).map(to).collect::<Vec<_>>();
        refused((0..14).map(|n| (format!("d{n}"), json!({ keyword: others(n) }))).collect());
    }
    // a long way down
    let mut deep = serde_json::Map::new();
    for n in 0..10 {
        deep.insert(format!("d{n}"), (0..60).fold(to(n + 1), |schema, _| json!({ "not": schema })));
    }
    deep.insert("d10".to_owned(), json!({ "type": "string" }));
    refused(deep);
}

#[test]
fn the_properties_of_one_object_are_bounded() {
    let schema = |count: usize| {
        let properties: serde_json::Map<_, _> = (0..count).map(|n| (format!("p{n}"), json!({}))).collect();
        Schema::from_json(&json!({ "type": "object", "properties": properties }).to_string())
    };
    assert!(schema(4096).is_ok());
    assert!(schema(4097).unwrap_err().to_string().contains("more than 4096 properties"));
    let required: Vec<_> = (0..4097).map(|n| format!("p{n}")).collect();
    assert!(Schema::from_json(&json!({ "type": "object", "required": required }).to_string()).is_err());
}

#[test]
fn a_schema_that_asks_for_nothing_or_allows_nothing_says_so() {
    let report =
        |schema: Value| Secrets::from_iter([("A", "1")]).check_schema(&Schema::from_json(&schema.to_string()).unwrap());
    let nothing = report(json!({ "type": "object", "additionalProperties": true }));
    assert_eq!(nothing.to_string(), "no setting is asked for");
    let never = report(json!({ "type": "object", "properties": { "a": { "enum": [] } } }));
    assert_eq!(never.invalid()[0].to_string(), "A is not allowed by its schema");
}

#[test]
fn the_default_of_a_secret_is_not_written_into_an_example() {
    let text = json!({
        "type": "object",
        "properties": {
            "password": { "type": "string", "writeOnly": true, "default": "canary" },
            "database": {
                "type": "object",
                "properties": { "key": { "type": "string", "writeOnly": true }, "name": { "type": "string" } },
                "default": { "key": "canary", "name": "main" },
            },
        },
    });
    let example = Schema::from_json(&text.to_string()).unwrap().example();
    assert!(!example.dotenv().contains("canary"), "{}", example.dotenv());
    assert!(example.dotenv().contains("# DATABASE__NAME=main"), "{}", example.dotenv());
}

#[test]
fn a_check_finds_an_address_that_is_none_as_a_parse_does() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Listener {
        address: std::net::IpAddr,
    }
    let report = |text: &str| Secrets::from_iter([("ADDRESS", text)]).check::<Listener>();
    assert!(report("10.0.0.1").is_valid() && report("::1").is_valid());
    assert_eq!(report("10.0.0.256").invalid()[0].to_string(), "ADDRESS is not an IP address");
}

#[test]
fn what_another_secret_makes_necessary_is_told_by_its_name() {
    let missing = |schema: Value| {
        let schema = Schema::from_json(&schema.to_string()).unwrap();
        let report = Secrets::from_iter([("A", "1")]).check_schema(&schema);
        report.missing().iter().map(|problem| problem.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(missing(json!({ "type": "object", "dependentRequired": { "A": ["C"] } })), ["C"]);
    assert_eq!(missing(json!({ "type": "object", "dependentSchemas": { "A": { "required": ["C"] } } })), ["C"]);
    let draft = "http://json-schema.org/draft-07/schema#";
    assert_eq!(missing(json!({ "$schema": draft, "type": "object", "dependencies": { "A": ["C"] } })), ["C"]);
}

#[test]
fn what_a_schema_bars_is_told_in_words() {
    let problem = |barred: Value| {
        let schema = json!({ "type": "object", "properties": { "A": { "type": "integer", "not": barred } } });
        let report = Secrets::from_iter([("A", "0")]).check_schema(&Schema::from_json(&schema.to_string()).unwrap());
        report.invalid()[0].problem().to_owned()
    };
    assert_eq!(problem(json!({ "const": 0 })), "must not be 0");
    assert_eq!(problem(json!({ "maximum": 5 })), "is what its schema does not allow");
}
