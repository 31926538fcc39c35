//! Everything that reads a text which a service or a file sends. The fuzz target `values` runs the same.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use xtrasecurity::schemars::{self, JsonSchema};
use xtrasecurity::{Schema, SecretValue, Secrets, credentials::Token, references::Reference, watch::Change};

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
pub struct One<T> {
    pub value: Option<T>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Flattened<T> {
    named: Option<u8>,
    #[serde(flatten)]
    rest: HashMap<String, T>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Inner {
    url: Option<String>,
    timeout: Option<Duration>,
    #[serde(flatten)]
    more: Option<Deeper>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Deeper {
    size: u32,
    ratio: f32,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Node {
    name: Option<String>,
    #[serde(default)]
    children: Vec<Node>,
    next: Option<Box<Node>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
enum Plain {
    One,
    #[serde(rename = "two-and-a-half")]
    Two,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
enum WithData {
    Off,
    Every(Duration),
    At { hour: u8, minute: u8 },
    Many(u8, String),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
#[allow(dead_code)]
enum Tagged {
    File { path: PathBuf },
    Net { address: SocketAddr, timeout: Option<Duration> },
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)]
enum Untagged {
    Number(i64),
    Flag(bool),
    Times(Vec<Duration>),
    Text(String),
}

/// Forms that differ only behind what they have in common, which is the same again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)]
pub enum Late {
    One { next: Box<Late>, end: u8 },
    Two { next: Box<Late>, last: u8 },
    Three { next: Box<Late> },
    None,
}

/// A duration that the program reads in its own way, with the parser that panics when a sum is too large.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Humane(
    #[serde(deserialize_with = "humane")]
    #[allow(dead_code)]
    Duration,
);

fn humane<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(serde::de::Error::custom)
}

/// Every format that a schema may ask for, and a few keywords that compute.
static SCHEMAS: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    let formats = [
        "date",
        "date-time",
        "time",
        "duration",
        "email",
        "idn-email",
        "hostname",
        "idn-hostname",
        "ip",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "iri",
        "iri-reference",
        "uri-template",
        "uuid",
        "json-pointer",
        "relative-json-pointer",
        "regex",
        "duration-text",
    ];
    let mut texts: Vec<String> = formats.map(|format| format!(r#"{{"type":"string","format":"{format}"}}"#)).to_vec();
    texts.extend(
        [
            r#"{"type":"number","multipleOf":0.01,"exclusiveMinimum":-1e300,"maximum":1e300}"#,
            r#"{"type":"number","multipleOf":1e-300}"#,
            r#"{"type":"integer","multipleOf":3,"minimum":-9223372036854775808,"maximum":18446744073709551615}"#,
            r#"{"type":"string","pattern":"^(?=.*[A-Z])(?!.*--)(.)\\1*$","minLength":1,"maxLength":18446744073709551615}"#,
            r#"{"type":"array","uniqueItems":true,"contains":{"type":"number"},"prefixItems":[{"type":"string"}]}"#,
            r#"{"type":"object","patternProperties":{"^a":{"type":"integer"}},"propertyNames":{"maxLength":3},"minProperties":1}"#,
            r#"{"oneOf":[{"type":"object","properties":{"a":{"const":1}},"required":["a"]},{"type":"array"},{"enum":[1,"x",null]}]}"#,
            r##"{"anyOf":[{"$ref":"#"},{"type":"boolean"}]}"##,
        ]
        .map(str::to_owned),
    );
    let whole = |text: String| format!(r#"{{"type":"object","properties":{{"value":{text}}}}}"#);
    texts.into_iter().map(|text| Schema::from_json(&whole(text)).expect("a schema")).collect()
});

/// Reads a text as everything that it may be meant as.
pub fn read(text: &str) {
    as_types(text);
    as_names(text);
    let secrets = Secrets::from_iter([("VALUE", text)]);
    for schema in SCHEMAS.iter() {
        let report = secrets.check_schema(schema);
        let _ = (report.to_string(), report.into_result());
    }
    if let Ok(schema) = Schema::from_json(text) {
        let _ = (schema.example(), secrets.check_schema(&schema));
    }
    if let Ok(reference) = text.parse::<Reference>() {
        assert_eq!(reference.to_string().parse::<Reference>().ok(), Some(reference));
    }
    if let Ok(read) = Secrets::from_dotenv(text) {
        let _ = read.dotenv_misreads();
        // what a shell would run is not written
        if let Ok(written) = read.to_dotenv() {
            let again = Secrets::from_dotenv(written.expose()).expect("what was written can be read");
            assert!(Change::between(Some(&read), Arc::new(again)).is_empty(), "it came back otherwise");
        }
    }
    let _ = secrets.to_dotenv();
    let _ = Token::new(text);
}

fn as_types(text: &str) {
    as_one::<Duration>(text);
    as_one::<Vec<Duration>>(text);
    as_one::<HashMap<String, Duration>>(text);
    as_one::<Humane>(text);
    as_one::<SystemTime>(text);
    as_one::<(u8, i8, u16, i16, u32, i32)>(text);
    as_one::<u64>(text);
    as_one::<i64>(text);
    as_one::<u128>(text);
    as_one::<i128>(text);
    as_one::<NonZeroU32>(text);
    as_one::<f32>(text);
    as_one::<f64>(text);
    as_one::<bool>(text);
    as_one::<char>(text);
    as_one::<String>(text);
    as_one::<SecretValue>(text);
    as_one::<IpAddr>(text);
    as_one::<SocketAddr>(text);
    as_one::<PathBuf>(text);
    as_one::<[u8; 4]>(text);
    as_one::<Vec<String>>(text);
    as_one::<Vec<f64>>(text);
    as_one::<BTreeMap<u32, Vec<bool>>>(text);
    as_one::<serde_json::Value>(text);
    as_one::<Inner>(text);
    as_one::<Node>(text);
    as_one::<Plain>(text);
    as_one::<WithData>(text);
    as_one::<Tagged>(text);
    as_one::<Untagged>(text);
    as_one::<Vec<Untagged>>(text);
    as_one::<Late>(text);
}

fn as_one<T: DeserializeOwned + JsonSchema>(text: &str) {
    let secrets = Secrets::from_iter([("VALUE", text)]);
    let _ = secrets.parse::<One<T>>();
    let _ = secrets.parse::<Flattened<T>>();
}

/// A name decides which setting it feeds, and where it stands in a configuration.
fn as_names(text: &str) {
    let secrets = Secrets::from_iter([(text, "1")]);
    let _ =
        (secrets.parse::<One<Inner>>(), secrets.check::<Flattened<u8>>(), secrets.search(text), secrets.to_dotenv());
}
