//! Providers that take keys and types from a schema: the same settings by figment and by config-rs.

use std::time::Duration;

use config::Config;
use figment::Figment;
use figment::providers::Serialized;
use serde::Deserialize;
use xtrasecurity::schemars::{self, JsonSchema};
use xtrasecurity::{Schema, SecretValue, Secrets, SecretsProvider};

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
struct Settings {
    port: u16,
    pin: String,
    ratio: f64,
    verbose: bool,
    timeout: Duration,
    tags: Vec<String>,
    limit: Option<u64>,
    database: Database,
    region: String,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
struct Database {
    url: SecretValue,
    pool: u8,
}

fn secrets() -> Secrets {
    Secrets::from_iter([
        ("PORT", "8080"),
        ("PIN", "1234"),
        ("RATIO", "0.5"),
        ("VERBOSE", "on"),
        ("TIMEOUT", "1m 30s"),
        ("TAGS", "a, b"),
        ("LIMIT", "18446744073709551615"),
        ("DATABASE__URL", "postgres://db"),
        ("DATABASE_POOL", "8"),
        ("REGION_OF_SOMEBODY_ELSE", "x"),
    ])
}

fn expected() -> Settings {
    Settings {
        port: 8080,
        pin: "1234".to_owned(),
        ratio: 0.5,
        verbose: true,
        timeout: Duration::from_secs(90),
        tags: vec!["a".to_owned(), "b".to_owned()],
        limit: Some(u64::MAX),
        database: Database { url: "postgres://db".into(), pool: 8 },
        region: "from the layer below".to_owned(),
    }
}

#[test]
fn figment_gets_the_types_of_the_schema_and_the_rest_from_other_layers() {
    let figment = Figment::from(Serialized::default("region", "from the layer below"))
        .merge(SecretsProvider::new(&secrets()).typed::<Settings>());
    assert_eq!(figment.extract::<Settings>().unwrap(), expected());
    assert!(figment.find_value("region_of_somebody_else").is_err(), "what the schema does not know is left out");
}

#[test]
fn config_gets_the_same() {
    let config = Config::builder()
        .set_default("region", "from the layer below")
        .unwrap()
        .add_source(SecretsProvider::new(&secrets()).typed::<Settings>())
        .build()
        .unwrap();
    assert_eq!(config.try_deserialize::<Settings>().unwrap(), expected());
}

#[test]
fn a_prefix_comes_off_before_the_schema_is_asked() {
    #[derive(Deserialize, JsonSchema)]
    struct Port {
        port: u16,
    }
    let secrets = Secrets::from_iter([("APP_PORT", "1"), ("PORT", "2")]);
    let provider = SecretsProvider::new(&secrets).prefix("APP_").schema(Schema::of::<Port>());
    assert_eq!(Figment::from(provider).extract::<Port>().unwrap().port, 1);
}

#[test]
fn every_secret_that_does_not_fit_is_named_in_one_error_without_a_value() {
    let secrets = Secrets::from_iter([("PORT", "canary"), ("VERBOSE", "canary"), ("TIMEOUT", "canary")]);
    let provider = SecretsProvider::new(&secrets).typed::<Settings>();
    let by_figment = Figment::from(provider.clone()).extract::<Settings>().unwrap_err();
    let by_config = Config::builder().add_source(provider).build().unwrap_err();
    for text in [format!("{by_figment} {by_figment:?}"), format!("{by_config} {by_config:?}")] {
        assert!(["PORT", "VERBOSE", "TIMEOUT"].iter().all(|name| text.contains(name)), "{text}");
        assert!(!text.contains("canary") && !text.contains("missing"), "{text}");
    }
}

#[test]
fn a_type_that_is_no_struct_is_an_error_that_says_so() {
    let provider = SecretsProvider::new(&secrets()).typed::<u16>();
    let error = Figment::from(provider).extract_inner::<u16>("port").unwrap_err();
    assert!(error.to_string().contains("describes no object"), "{error}");
}
