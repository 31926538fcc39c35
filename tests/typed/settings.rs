//! Secrets as types: what feeds a field, how its text is read, and what is said when it cannot be.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use xtrasecurity::schemars::{self, JsonSchema};
use xtrasecurity::{ErrorKind, Schema, SecretValue, Secrets, XtraError};

/// No text of an error may show this.
const CANARY: &str = "canary4242";

fn parse<T: DeserializeOwned + JsonSchema>(pairs: &[(&str, &str)]) -> Result<T, XtraError> {
    Secrets::from_iter(pairs.iter().copied()).parse()
}

/// The error of a parse, checked to hold no value.
#[track_caller]
fn problem<T: DeserializeOwned + JsonSchema>(pairs: &[(&str, &str)]) -> String {
    let error = parse::<T>(pairs).err().expect("a problem");
    let report = Secrets::from_iter(pairs.iter().copied()).check::<T>();
    for text in [format!("{error}"), format!("{error:?}"), format!("{report}"), format!("{report:?}")] {
        assert!(!text.contains("canary") && !text.contains("4242"), "{text}");
    }
    error.to_string()
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Level {
    Debug,
    Info,
    Warn,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
enum Sink {
    /// nowhere
    Off,
    /// to a file
    File { path: String },
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Storage {
    Disk { path: String },
    Bucket { name: String, parts: u32 },
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
struct Url(#[schemars(extend("format" = "uri"))] String);

#[test]
fn a_string_stays_as_it_is_and_other_types_are_read() {
    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    struct Settings {
        zip: String,
        flag: String,
        power: Option<String>,
        port: u16,
        big: u64,
        low: i64,
        ratio: f64,
        verbose: bool,
        level: Level,
        sink: Sink,
        file: Sink,
        timeout: Duration,
        wait: Option<Duration>,
        tags: Vec<String>,
        ports: Vec<u16>,
        pair: (u8, String),
        address: IpAddr,
        letter: char,
        url: Url,
        absent: Option<u8>,
        empty: Option<u8>,
        blank: Option<String>,
        #[serde(default)]
        retries: u32,
    }
    let settings: Settings = parse(&[
        ("ZIP", "00123"),
        ("FLAG", "true"),
        ("POWER", "1e5"),
        ("PORT", "8080\n"),
        ("BIG", "18446744073709551615"),
        ("LOW", "-9223372036854775808"),
        ("RATIO", "0.5"),
        ("VERBOSE", "Yes"),
        ("LEVEL", "warn"),
        ("SINK", "Off"),
        ("FILE", r#"{"File": {"path": "/x"}}"#),
        ("TIMEOUT", "1h 30m"),
        ("WAIT", "250ms"),
        ("TAGS", "a, b"),
        ("PORTS", "[1, 2]"),
        ("PAIR", r#"[7, "x"]"#),
        ("ADDRESS", "::1"),
        ("LETTER", "é"),
        ("URL", "postgres://user@host/db"),
        ("EMPTY", ""),
        ("BLANK", ""),
    ])
    .unwrap();
    let expected = Settings {
        zip: "00123".into(),
        flag: "true".into(),
        power: Some("1e5".into()),
        port: 8080,
        big: u64::MAX,
        low: i64::MIN,
        ratio: 0.5,
        verbose: true,
        level: Level::Warn,
        sink: Sink::Off,
        file: Sink::File { path: "/x".into() },
        timeout: Duration::from_secs(5400),
        wait: Some(Duration::from_millis(250)),
        tags: vec!["a".into(), "b".into()],
        ports: vec![1, 2],
        pair: (7, "x".into()),
        address: "::1".parse().unwrap(),
        letter: 'é',
        url: Url("postgres://user@host/db".into()),
        absent: None,
        empty: None,
        blank: Some(String::new()),
        retries: 0,
    };
    assert_eq!(settings, expected);
}

#[test]
fn a_secret_value_is_a_field_like_any_other_and_stays_redacted() {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Settings {
        password: SecretValue,
        token: Option<SecretValue>,
        keys: Vec<SecretValue>,
    }
    let settings: Settings = parse(&[("PASSWORD", "00123"), ("TOKEN", CANARY), ("KEYS", "a,b")]).unwrap();
    assert_eq!(settings.password, "00123");
    assert_eq!(settings.token.as_ref().unwrap(), &CANARY);
    assert_eq!(settings.keys, ["a", "b"]);
    assert_eq!(
        format!("{settings:?}"),
        "Settings { password: [REDACTED], token: Some([REDACTED]), keys: [[REDACTED], [REDACTED]] }"
    );
    let schema = Schema::of::<Settings>().example();
    assert!(schema.json_schema().contains("\"writeOnly\": true"));
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
struct Pool {
    /// how many connections are kept
    #[serde(default)]
    size: u32,
    idle: Option<Duration>,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
struct Database {
    /// where the database is
    url: String,
    pool: Pool,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
struct Nested {
    database: Database,
    replica: Option<Database>,
}

#[test]
fn a_struct_comes_by_prefix_or_as_json() {
    let database = |idle| Database { url: "u".into(), pool: Pool { size: 5, idle } };
    let expected = Nested { database: database(Some(Duration::from_secs(30))), replica: None };
    let double = [("DATABASE__URL", "u"), ("DATABASE__POOL__SIZE", "5"), ("DATABASE__POOL__IDLE", "30s")];
    assert_eq!(parse::<Nested>(&double).unwrap(), expected);
    let single = [("DATABASE_URL", "u"), ("DATABASE_POOL_SIZE", "5"), ("database__pool__idle", "30s")];
    assert_eq!(parse::<Nested>(&single).unwrap(), expected);
    let json = [("DATABASE", r#"{"url": "u", "pool": {"size": 5, "idle": "30s"}}"#)];
    assert_eq!(parse::<Nested>(&json).unwrap(), expected);
    let mixed = [("DATABASE__URL", "u"), ("DATABASE__POOL", r#"{"size": 5, "idle": "30s"}"#)];
    assert_eq!(parse::<Nested>(&mixed).unwrap(), expected);
    let with_replica = [("DATABASE", r#"{"url": "u", "pool": {"size": 5}}"#), ("REPLICA__URL", "u")];
    let nested: Nested = parse(&with_replica).unwrap();
    assert_eq!(nested.replica, Some(Database { url: "u".into(), pool: Pool { size: 0, idle: None } }));
}

#[test]
fn what_is_missing_in_a_struct_is_named_by_its_own_secret() {
    assert_eq!(problem::<Nested>(&[]), "1 of 6 settings is wrong: DATABASE__URL is missing (where the database is)");
    assert_eq!(
        problem::<Nested>(&[("DATABASE__URL", "u"), ("REPLICA__POOL__SIZE", "1")]),
        "1 of 6 settings is wrong: REPLICA__URL is missing (where the database is)"
    );
    assert_eq!(
        problem::<Nested>(&[("DATABASE", r#"{"pool": {"size": "canary4242"}}"#)]),
        "2 of 6 settings are wrong: DATABASE is wrong at pool.size: it is not an integer; DATABASE lacks url"
    );
}

#[test]
fn names_within_json_that_the_schema_does_not_know_are_not_shown() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Settings {
        pool: Pool,
        labels: BTreeMap<String, u8>,
    }
    let text =
        problem::<Settings>(&[("POOL", r#"{"canary4242": 1}"#), ("LABELS", r#"{"424242": "x", "canary": "y"}"#)]);
    assert!(text.contains("LABELS is wrong at *: it is not an integer"), "{text}");
    assert!(text.contains("POOL holds a part that its schema does not know"), "{text}");
}

#[test]
fn a_name_that_is_a_field_of_its_own_feeds_no_other() {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Settings {
        database_url: String,
        database: Inner,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Inner {
        url: String,
    }
    let settings: Settings = parse(&[("DATABASE_URL", "outer"), ("DATABASE__URL", "inner")]).unwrap();
    assert_eq!((settings.database_url.as_str(), settings.database.url.as_str()), ("outer", "inner"));
    assert!(problem::<Settings>(&[("DATABASE_URL", CANARY)]).contains("DATABASE__URL is missing"));
}

#[test]
fn two_secrets_for_one_field_are_a_problem_that_names_both() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Settings {
        port: u16,
        database: Database,
    }
    let text =
        problem::<Settings>(&[("port", "4242"), ("PORT", "4242"), ("DATABASE_URL", "u"), ("DATABASE__URL", "u")]);
    assert!(text.contains("PORT and port would feed the same setting"), "{text}");
    assert!(text.contains("DATABASE_URL and DATABASE__URL would feed the same setting"), "{text}");
    let text = problem::<Settings>(&[("PORT", "1"), ("DATABASE", r#"{"url": "canary"}"#), ("DATABASE__URL", CANARY)]);
    assert!(text.contains("DATABASE and DATABASE__URL would feed the same setting"), "{text}");
}

#[test]
fn one_secret_that_two_fields_could_mean_is_a_problem_that_names_the_fields() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Settings {
        a: InnerA,
        a_b: InnerB,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct InnerA {
        b_c: String,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct InnerB {
        c: String,
    }
    assert_eq!(
        problem::<Settings>(&[("A_B_C", CANARY)]),
        "1 of 2 settings is wrong: A_B_C could be a.b_c or a_b.c: write A__B_C or A_B__C for the one meant"
    );
    parse::<Settings>(&[("A__B_C", "x"), ("A_B__C", "y")]).unwrap();
}

#[test]
fn fields_whose_names_differ_only_by_case_are_told_apart() {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Settings {
        url: String,
        #[serde(rename = "URL")]
        upper: String,
        #[serde(rename = "Url")]
        mixed: Option<String>,
    }
    let settings: Settings = parse(&[("url", "a"), ("URL", "b")]).unwrap();
    assert_eq!((settings.url.as_str(), settings.upper.as_str(), settings.mixed), ("a", "b", None));
    assert_eq!(problem::<Settings>(&[("URL", CANARY)]), "1 of 3 settings is wrong: url is missing");
}

#[test]
fn renamed_flattened_and_defaulted_fields_are_found() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    struct Settings {
        database_url: String,
        #[serde(rename = "api-key")]
        key: String,
        #[serde(flatten)]
        http: Http,
        #[serde(flatten)]
        rest: HashMap<String, String>,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Http {
        timeout: Duration,
        #[serde(default = "eighty")]
        port: u16,
    }
    fn eighty() -> u16 {
        80
    }
    let settings: Settings =
        parse(&[("DATABASE_URL", "u"), ("API_KEY", "k"), ("TIMEOUT", "5s"), ("Other", "7"), ("X", "y")]).unwrap();
    assert_eq!((settings.database_url.as_str(), settings.key.as_str()), ("u", "k"));
    assert_eq!((settings.http.timeout, settings.http.port), (Duration::from_secs(5), 80));
    assert_eq!(settings.rest.len(), 2);
    assert_eq!(settings.rest.get("Other").map(String::as_str), Some("7"));
}

#[test]
fn maps_come_by_prefix_or_as_json() {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Settings {
        labels: HashMap<String, String>,
        limits: BTreeMap<u8, u16>,
    }
    let by_prefix: Settings =
        parse(&[("LABELS__team", "00"), ("labels__Env", "x"), ("LIMITS", r#"{"7": 8}"#)]).unwrap();
    assert_eq!(by_prefix.labels, HashMap::from([("team".into(), "00".into()), ("Env".into(), "x".into())]));
    assert_eq!(by_prefix.limits, BTreeMap::from([(7, 8)]));
    let numbers: Settings = parse(&[("LABELS", "{}"), ("LIMITS__7", "8")]).unwrap();
    assert_eq!(numbers.limits, BTreeMap::from([(7, 8)]));
    let text = problem::<Settings>(&[("LABELS__a", CANARY), ("labels__a", CANARY), ("LIMITS__7", CANARY)]);
    assert!(text.contains("LABELS__a and labels__a would feed the same setting"), "{text}");
    assert!(text.contains("LIMITS__7 is not an integer"), "{text}");
    let whole: HashMap<String, u16> = parse(&[("A", "1"), ("b", "2")]).unwrap();
    assert_eq!(whole, HashMap::from([("A".into(), 1), ("b".into(), 2)]));
}

#[test]
fn a_tagged_enum_comes_by_parts_or_as_json() {
    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    struct Settings {
        storage: Storage,
    }
    let parts = [("STORAGE__KIND", "bucket"), ("STORAGE__NAME", "007"), ("STORAGE__PARTS", "3")];
    let bucket = Settings { storage: Storage::Bucket { name: "007".into(), parts: 3 } };
    assert_eq!(parse::<Settings>(&parts).unwrap(), bucket);
    assert_eq!(parse::<Settings>(&[("STORAGE", r#"{"kind":"bucket","name":"007","parts":3}"#)]).unwrap(), bucket);
    assert!(problem::<Settings>(&[]).contains("STORAGE is missing"));
    let text = problem::<Settings>(&[("STORAGE__KIND", "bucket"), ("STORAGE__PARTS", "3")]);
    assert!(text.contains("STORAGE__NAME is missing"), "{text}");
    assert!(problem::<Settings>(&[("STORAGE__PARTS", "3")]).contains("STORAGE__KIND is missing"));
    let text = problem::<Settings>(&[("STORAGE__KIND", CANARY)]);
    assert!(text.contains("STORAGE__KIND is none of disk, bucket"), "{text}");
}

#[test]
fn the_tag_of_an_enum_decides_how_its_parts_are_read() {
    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    #[serde(tag = "kind", content = "value")]
    enum Adjacent {
        Number(u16),
        Text(String),
        Wait(Duration),
        Inner(Database),
    }
    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    #[serde(tag = "mode")]
    enum Flat {
        A { at: u16 },
        B { at: Duration },
        C { at: String },
    }
    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    struct Settings {
        adjacent: Option<Adjacent>,
        #[serde(flatten)]
        flat: Flat,
    }
    let read = |kind, value, mode, at| {
        let pairs = [("ADJACENT__KIND", kind), ("ADJACENT__VALUE", value), ("MODE", mode), ("AT", at)];
        parse::<Settings>(&pairs).unwrap()
    };
    let settings = |adjacent, flat| Settings { adjacent: Some(adjacent), flat };
    assert_eq!(read("Number", "7", "A", "8"), settings(Adjacent::Number(7), Flat::A { at: 8 }));
    assert_eq!(read("Text", "7", "C", "8s"), settings(Adjacent::Text("7".into()), Flat::C { at: "8s".into() }));
    let wait = Duration::from_secs(7);
    assert_eq!(read("Wait", "7s", "B", "7s"), settings(Adjacent::Wait(wait), Flat::B { at: wait }));
    let json = [("ADJACENT", r#"{"kind":"Wait","value":"7s"}"#), ("MODE", "B"), ("AT", "7s")];
    assert_eq!(parse::<Settings>(&json).unwrap(), settings(Adjacent::Wait(wait), Flat::B { at: wait }));
    assert!(problem::<Settings>(&[("AT", CANARY)]).contains("MODE is missing"));
}

#[test]
fn what_the_schema_says_beyond_the_type_is_checked() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Settings {
        #[schemars(range(min = 1, max = 10))]
        workers: u32,
        #[schemars(length(min = 8))]
        password: String,
        #[schemars(regex(pattern = "^sk-"))]
        key: String,
        #[schemars(email)]
        contact: String,
        url: Url,
        level: Level,
        sink: Sink,
        timeout: Duration,
        count: u32,
        total: u64,
    }
    let text = problem::<Settings>(&[
        ("WORKERS", "4242"),
        ("PASSWORD", "canary"),
        ("KEY", CANARY),
        ("CONTACT", CANARY),
        ("URL", CANARY),
        ("LEVEL", CANARY),
        ("SINK", CANARY),
        ("TIMEOUT", "4242"),
        ("COUNT", "5000000000"),
        ("TOTAL", "42424242424242424242"),
    ]);
    for part in [
        "WORKERS is more than 10",
        "PASSWORD is shorter than 8 characters",
        "KEY does not match the pattern ^sk-",
        "CONTACT is not an email address",
        "URL is not an absolute URL or URI",
        "LEVEL is none of debug, info, warn",
        "SINK is not Off, and no JSON object",
        "TIMEOUT is not a duration with a unit",
        "COUNT is more than 4294967295",
        "TOTAL is an integer that does not fit into 64 bits",
        "10 of 10 settings are wrong",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Thirty {
    /// where the database is
    database_url: String,
    /// the port to listen on
    port: u16,
    log_level: Level,
    /// how long a request may take
    request_timeout: Duration,
    feature_new_ui: bool,
    a1: String,
    a2: String,
    a3: String,
    a4: String,
    a5: String,
    b1: u8,
    b2: u8,
    b3: u8,
    b4: u8,
    b5: u8,
    c1: Option<String>,
    c2: Option<String>,
    c3: Option<String>,
    c4: Option<String>,
    c5: Option<String>,
    d1: bool,
    d2: bool,
    d3: bool,
    d4: bool,
    d5: bool,
    e1: SecretValue,
    e2: SecretValue,
    e3: SecretValue,
    e4: SecretValue,
    e5: SecretValue,
}

#[test]
fn five_mistakes_in_thirty_settings_are_one_error_with_all_five() {
    let right = ["A1", "A2", "A3", "A4", "A5", "C1", "E1", "E2", "E3", "E4", "E5"].map(|name| (name, CANARY));
    let numbers = ["B1", "B2", "B3", "B4", "B5"].map(|name| (name, "42"));
    let flags = ["D1", "D2", "D3", "D4", "D5"].map(|name| (name, "on"));
    let wrong = [("PORT", "70000"), ("LOG_LEVEL", CANARY), ("REQUEST_TIMEOUT", "4242"), ("FEATURE_NEW_UI", CANARY)];
    let pairs: Vec<_> = right.into_iter().chain(numbers).chain(flags).chain(wrong).collect();
    let error = parse::<Thirty>(&pairs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.names(), ["DATABASE_URL", "FEATURE_NEW_UI", "LOG_LEVEL", "PORT", "REQUEST_TIMEOUT"]);
    assert_eq!(
        problem::<Thirty>(&pairs),
        "5 of 30 settings are wrong: DATABASE_URL is missing (where the database is); \
         FEATURE_NEW_UI is not true or false (or 1, 0, yes, no, on, off); \
         LOG_LEVEL is none of debug, info, warn; \
         PORT is more than 65535 (the port to listen on); \
         REQUEST_TIMEOUT is not a duration with a unit, such as 500ms, 30s, 5m or 1h 30m (how long a request may take)"
    );
}

#[test]
fn missing_names_alone_are_an_error_of_their_own_kind() {
    let error = parse::<Nested>(&[("OTHER", CANARY)]).unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::MissingSecret, &["DATABASE__URL".to_owned()][..]));
}

/// A type whose own code refuses, in words that quote.
#[derive(Debug)]
struct Picky;

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(format!("{text} will not do")))
    }
}

impl JsonSchema for Picky {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Picky".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

#[test]
fn everything_that_only_the_types_refuse_is_told_at_once_without_their_words() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Settings {
        one: Picky,
        two: Option<Picky>,
        address: std::net::SocketAddr,
        inner: Inner,
        fine: String,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Inner {
        three: Picky,
    }
    let pairs = [("ONE", CANARY), ("TWO", CANARY), ("ADDRESS", CANARY), ("INNER__THREE", CANARY), ("FINE", CANARY)];
    assert_eq!(
        problem::<Settings>(&pairs),
        "4 of 5 settings are wrong: ADDRESS is refused by its type; INNER__THREE is refused by its type; \
         ONE is refused by its type; TWO is refused by its type"
    );
}

#[test]
fn unexpected_names_are_listed_and_fail_only_where_they_are_ruled_out() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Open {
        port: u16,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Closed {
        port: u16,
    }
    let secrets = Secrets::from_iter([("PORT", "1"), ("PROT", CANARY)]);
    let report = secrets.check::<Open>();
    assert!(report.is_valid());
    assert_eq!(report.unexpected()[0].to_string(), "PROT is not part of the schema");
    assert!(secrets.parse::<Open>().is_ok());
    assert!(!secrets.check::<Closed>().is_valid());
    assert_eq!(
        problem::<Closed>(&[("PORT", "1"), ("PROT", CANARY)]),
        "the only setting is right, and 1 name is unexpected: PROT is not part of the schema"
    );
}

#[test]
fn a_type_that_is_no_object_is_refused_as_a_schema() {
    let error = parse::<Vec<String>>(&[("A", CANARY)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("describes no object"), "{error}");
    assert!(!Secrets::from_iter([("A", "1")]).check::<String>().is_valid());
}

#[test]
fn a_type_that_contains_itself_is_read_by_parts_and_as_json() {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Tree {
        name: String,
        #[serde(default)]
        below: Vec<Tree>,
        left: Option<Box<Tree>>,
    }
    let tree: Tree =
        parse(&[("NAME", "a"), ("BELOW", r#"[{"name":"b"}]"#), ("LEFT", r#"{"name":"c","left":{"name":"d"}}"#)])
            .unwrap();
    assert_eq!((tree.name.as_str(), tree.below.len()), ("a", 1));
    assert_eq!(tree.left.and_then(|left| left.left).map(|left| left.name).as_deref(), Some("d"));
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Place {
    region: String,
    zone: Option<Picky>,
}

#[test]
fn a_part_that_is_refused_is_named_wherever_serde_holds_it_back_first() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Settings {
        port: u16,
        #[serde(flatten)]
        place: Place,
        #[serde(flatten)]
        other: Other,
        store: Option<Store>,
        inner: Option<Inner>,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Other {
        name: String,
        address: IpAddr,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Inner {
        size: u8,
        #[serde(flatten)]
        place: Place,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    #[allow(dead_code)]
    enum Store {
        Disk { path: String, owner: Picky },
    }
    let right = [("PORT", "1"), ("REGION", "eu"), ("NAME", "n"), ("ADDRESS", "::1")];
    let with = |more: &[(&'static str, &'static str)]| [&right, more].concat();
    let is_refused = |name: &str| format!("1 of 11 settings is wrong: {name} is refused by its type");
    assert!(parse::<Settings>(&right).is_ok());
    assert_eq!(problem::<Settings>(&with(&[("ZONE", CANARY)])), is_refused("ZONE"));
    assert_eq!(
        problem::<Settings>(&[("PORT", "1"), ("REGION", "eu"), ("NAME", "n"), ("ADDRESS", CANARY)]),
        "1 of 11 settings is wrong: ADDRESS is not an IP address"
    );
    let store = [("STORE__KIND", "Disk"), ("STORE__PATH", "/"), ("STORE__OWNER", CANARY)];
    assert_eq!(problem::<Settings>(&with(&store)), is_refused("STORE__OWNER"));
    let inner = [("INNER__SIZE", "1"), ("INNER__REGION", "eu"), ("INNER__ZONE", CANARY)];
    assert_eq!(problem::<Settings>(&with(&inner)), is_refused("INNER__ZONE"));
    let json = [("INNER", r#"{"size":1,"region":"eu","zone":"canary4242"}"#)];
    assert_eq!(
        problem::<Settings>(&with(&json)),
        "1 of 11 settings is wrong: INNER is wrong at zone: it is refused by its type"
    );
}

#[test]
fn what_a_type_refuses_as_a_whole_is_blamed_on_no_part() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(try_from = "Range")]
    struct Ordered {
        #[allow(dead_code)]
        range: Range,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Range {
        least: u8,
        most: Option<u8>,
    }
    impl TryFrom<Range> for Ordered {
        type Error = String;
        fn try_from(range: Range) -> Result<Self, String> {
            match range.most {
                Some(most) if most < range.least => Err(format!("{most} {}", range.least)),
                _ => Ok(Self { range }),
            }
        }
    }
    assert_eq!(
        problem::<Ordered>(&[("LEAST", "2"), ("MOST", "1")]),
        "1 of 2 settings is wrong: Ordered as a whole is refused by its type"
    );
}

#[test]
fn a_type_cannot_smuggle_a_value_into_what_it_expects() {
    #[derive(Debug)]
    struct Loud;
    impl<'de> Deserialize<'de> for Loud {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            use serde::de::{Error, Unexpected};
            let text = String::deserialize(deserializer)?;
            Err(match text.len() {
                10 => D::Error::invalid_length(text.len(), &format!("less than {text}").as_str()),
                _ => D::Error::invalid_type(Unexpected::Str(&text), &format!("not {text}").as_str()),
            })
        }
    }
    impl JsonSchema for Loud {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Loud".into()
        }
        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({ "type": "string" })
        }
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Settings {
        one: Loud,
        two: Loud,
    }
    assert_eq!(
        problem::<Settings>(&[("ONE", CANARY), ("TWO", "canary")]),
        "2 of 2 settings are wrong: ONE is refused by its type; TWO is refused by its type"
    );
}

#[test]
fn a_duration_that_is_read_by_code_of_its_own_gets_its_text() {
    fn minutes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        let minutes = text.strip_suffix("min").and_then(|number| number.parse::<u64>().ok());
        minutes.map(|minutes| Duration::from_secs(60 * minutes)).ok_or(serde::de::Error::custom("no"))
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Settings {
        #[serde(deserialize_with = "minutes")]
        own: Duration,
        usual: Duration,
        by_name: HashMap<String, Duration>,
        texts: BTreeMap<String, String>,
    }
    let pairs = [("OWN", "2min"), ("USUAL", "2min"), ("BY_NAME", r#"{"x":"2min"}"#), ("TEXTS__x", "2min")];
    let settings: Settings = parse(&pairs).unwrap();
    let two = Duration::from_secs(120);
    assert_eq!((settings.own, settings.usual, settings.by_name["x"]), (two, two, two));
    assert_eq!(settings.texts["x"], "2min");
}

#[test]
fn json_that_has_none_of_several_forms_is_told_by_the_form_that_was_meant() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Closed {
        port: u16,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Settings {
        closed: Option<Closed>,
        storage: Option<Storage>,
        number: Option<u8>,
    }
    for (name, text, expected) in [
        ("CLOSED", r#"{"port":1,"canary":2}"#, "CLOSED holds a part that its schema does not know"),
        ("CLOSED", r#"{"port":1,"port":4242}"#, "CLOSED holds a name twice in one object (line 1, column 16)"),
        ("STORAGE", r#"{"kind":"canary"}"#, "STORAGE is wrong at kind: it is none of disk, bucket"),
        ("NUMBER", "canary", "NUMBER is not an integer"),
    ] {
        assert_eq!(problem::<Settings>(&[(name, text)]), format!("1 of 3 settings is wrong: {expected}"), "{text}");
    }
}
