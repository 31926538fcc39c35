//! Secrets as a source of config-rs.

use std::sync::Arc;

use config::{Config, ConfigError, Source};
use serde::Deserialize;
use xtrasecurity::dev_server::{DevServer, RateLimits, route};
use xtrasecurity::{ErrorKind, Secrets, SecretsProvider, XtraClient, XtraError};

#[derive(Debug, Deserialize, PartialEq)]
struct Settings {
    tls: bool,
    ratio: f64,
    database: Database,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Database {
    url: String,
    pool: u16,
}

fn secrets() -> Secrets {
    Secrets::from_iter([
        ("DATABASE__URL", "postgres://db"),
        ("DATABASE__POOL", "8"),
        ("TLS", "true"),
        ("RATIO", "0.5"),
        ("PASSWORD", "00123"),
    ])
}

fn of(secrets: &Secrets) -> Result<Config, ConfigError> {
    Config::builder().add_source(SecretsProvider::new(secrets)).build()
}

/// The error of ours that config-rs hands through.
fn ours(error: ConfigError) -> XtraError {
    let ConfigError::Foreign(error) = error else { panic!("{error} is not handed through") };
    *error.downcast::<XtraError>().unwrap()
}

#[test]
fn nested_names_become_nested_settings_and_texts_what_is_asked_for() {
    let config = of(&secrets()).unwrap();
    let database = Database { url: "postgres://db".to_owned(), pool: 8 };
    assert_eq!(config.clone().try_deserialize::<Settings>().unwrap(), Settings { tls: true, ratio: 0.5, database });
    assert_eq!(config.get::<u16>("database.pool").unwrap(), 8);
    assert_eq!(config.get::<String>("password").unwrap(), "00123", "a text is asked for, and a text it is");
    assert_eq!(config.get::<String>("tls").unwrap(), "true");
}

#[test]
fn sources_added_later_win_and_the_rest_stays() {
    let config = Config::builder()
        .set_default("database.host", "localhost")
        .unwrap()
        .set_default("database.pool", 2)
        .unwrap()
        .add_source(Beside(&[("database.url", "from before"), ("name", "web")]))
        .add_source(SecretsProvider::new(&secrets()))
        .add_source(Beside(&[("tls", "false")]))
        .set_override("ratio", 0.75)
        .unwrap()
        .build()
        .unwrap();
    assert_eq!(config.get::<String>("database.host").unwrap(), "localhost");
    assert_eq!(config.get::<u16>("database.pool").unwrap(), 8);
    assert_eq!(config.get::<String>("database.url").unwrap(), "postgres://db");
    assert_eq!(config.get::<String>("name").unwrap(), "web");
    assert!(!config.get::<bool>("tls").unwrap());
    assert!(config.get::<f64>("ratio").unwrap() > 0.7);
}

/// A source beside the secrets.
#[derive(Debug, Clone)]
struct Beside(&'static [(&'static str, &'static str)]);

impl Source for Beside {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<config::Map<String, config::Value>, ConfigError> {
        Ok(self.0.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect())
    }
}

#[test]
fn a_prefix_chooses_separators_and_case_can_be_changed() {
    let secrets = Secrets::from_iter([("APP_DB_X_URL", "u"), ("OTHER", "x")]);
    let build = |provider: SecretsProvider| Config::builder().add_source(provider).build().unwrap();
    let config = build(SecretsProvider::new(&secrets).prefix("APP_").separator("_X_"));
    assert_eq!(config.get::<String>("db.url").unwrap(), "u");
    assert!(matches!(config.get::<String>("other"), Err(ConfigError::NotFound(_))));
    let config = build(SecretsProvider::new(&secrets).keep_case());
    assert_eq!(config.get::<String>("APP_DB_X_URL").unwrap(), "u");
}

#[test]
fn unicode_names_and_values_arrive_unchanged() {
    let secrets = Secrets::from_iter([("ÄRGER", "größer 🦀\n\"'\\"), ("A__Ö", "ö")]);
    let all = of(&secrets).unwrap().try_deserialize::<serde_json::Value>().unwrap();
    assert_eq!(all, serde_json::json!({ "ärger": "größer 🦀\n\"'\\", "a": { "ö": "ö" } }));
}

#[test]
fn a_dot_nests_as_the_separator_does_and_never_overwrites_in_silence() {
    let config = of(&Secrets::from_iter([("tls.crt", "c"), ("TLS__KEY", "k")])).unwrap();
    assert_eq!(config.get::<String>("tls.crt").unwrap(), "c");
    assert_eq!(config.get::<String>("tls.key").unwrap(), "k");
    let error = ours(of(&Secrets::from_iter([("tls.crt", "hunter2"), ("TLS__CRT", "hunter2")])).unwrap_err());
    assert_eq!(error.names(), ["TLS__CRT", "tls.crt"]);
}

#[test]
fn conflicts_are_errors_with_both_names_and_no_value() {
    for (one, other) in [("DATABASE", "DATABASE__URL"), ("PORT", "port")] {
        let error = of(&Secrets::from_iter([(one, "hunter2"), (other, "hunter2")])).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        let error = ours(error);
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.names(), [one, other]);
    }
}

#[test]
fn a_name_that_would_be_taken_for_an_index_is_an_error_and_no_huge_list() {
    let error = ours(of(&Secrets::from_iter([("A[4000000000]", "hunter2")])).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.names(), ["A[4000000000]"]);
}

#[test]
fn no_secrets_at_all_is_an_error_unless_it_is_accepted() {
    let none = Secrets::from_iter(Vec::<(String, String)>::new());
    assert_eq!(ours(of(&none).unwrap_err()).kind(), ErrorKind::EmptyScope);
    let config = Config::builder().add_source(SecretsProvider::new(&none).allow_empty()).build().unwrap();
    assert!(config.get::<String>("name").is_err());
    let mistyped = |provider: SecretsProvider| Config::builder().add_source(provider.prefix("AP_")).build();
    assert_eq!(ours(mistyped(SecretsProvider::new(&secrets())).unwrap_err()).kind(), ErrorKind::EmptyScope);
    assert!(mistyped(SecretsProvider::new(&secrets()).allow_empty()).is_ok());
}

#[test]
fn names_that_are_no_path_are_one_key_as_they_are() {
    let odd = [("B.", "1"), (".E", "2"), ("A..B", "3"), ("x y", "4"), ("a/b", "5"), ("P__q[1]", "6"), ("-", "7")];
    let all = of(&Secrets::from_iter(odd)).unwrap().try_deserialize::<serde_json::Value>().unwrap();
    let expected = serde_json::json!({
        "b.": "1", ".e": "2", "a..b": "3", "x y": "4", "a/b": "5", "p": { "q[1]": "6" }, "-": "7"
    });
    assert_eq!(all, expected);
}

#[test]
fn a_lazy_source_reads_each_time_that_the_configuration_is_built() {
    let reads = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = Arc::clone(&reads);
    let provider = SecretsProvider::lazy(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(Arc::new(secrets()))
    });
    let builder = Config::builder().add_source(provider);
    builder.build_cloned().unwrap();
    builder.build().unwrap();
    assert_eq!(reads.load(std::sync::atomic::Ordering::Relaxed), 2);
    let failing = SecretsProvider::lazy(|| Err(XtraError::new(ErrorKind::Timeout, "the call took too long")));
    let error = Config::builder().add_source(failing).build().unwrap_err();
    assert_eq!(error.to_string(), "the call took too long");
    assert_eq!(ours(error).kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn an_asynchronous_source_reads_by_way_of_the_cache() {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let client = XtraClient::builder().dev_server(&server).build().unwrap();
    for _ in 0..2 {
        let provider = SecretsProvider::of_client(&client, "production").prefix("DATABASE_");
        let config = Config::builder().add_async_source(provider).build().await.unwrap();
        assert!(config.get::<String>("url").unwrap().starts_with("postgres://"));
        assert!(config.get::<String>("api_key").is_err());
    }
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
    let branch = SecretsProvider::deferred(move || {
        let client = client.clone();
        async move { client.get_secrets("production").branch("feature/new-ui").await }
    });
    let config = Config::builder().add_async_source(branch).build().await.unwrap();
    assert_eq!(config.get::<String>("feature_new_ui").unwrap(), "on");
}

#[tokio::test]
async fn errors_of_the_service_are_handed_through() {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let build = async |client: &XtraClient, environment: &str| {
        Config::builder().add_async_source(SecretsProvider::of_client(client, environment)).build().await.unwrap_err()
    };
    let unknown = "xs_unknown_0123456789abcdef0123456789abcdef0123";
    let stranger = XtraClient::builder().dev_server(&server).token(unknown).build().unwrap();
    let error = build(&stranger, "production").await;
    assert!(error.to_string().contains("status 401"), "{error}");
    assert_eq!(ours(error).kind(), ErrorKind::Unauthorized);
    let client = XtraClient::builder().dev_server(&server).build().unwrap();
    assert_eq!(ours(build(&client, "prodution").await).kind(), ErrorKind::EmptyScope);
    let viewer = XtraClient::builder().dev_server(&server).token(server.token_for("viewer").unwrap()).build().unwrap();
    assert_eq!(ours(build(&viewer, "production").await).kind(), ErrorKind::Masked);
    let names_only = viewer.get_secrets("production").allow_unreadable().await.unwrap();
    assert_eq!(ours(of(&names_only).unwrap_err()).kind(), ErrorKind::Masked, "and not that there is nothing");
}

#[test]
fn the_provider_prints_its_options_and_no_value() {
    let secrets = Secrets::from_iter([("PASSWORD", "hunter2")]);
    let shown = format!("{:?}", SecretsProvider::new(&secrets).prefix("APP_"));
    assert!(shown.contains("APP_") && !shown.contains("hunter2"), "{shown}");
    let client = XtraClient::in_memory([("PASSWORD", "hunter2")]).unwrap();
    let shown = format!("{:?}", SecretsProvider::of_client(&client, "production").prefix("APP_"));
    assert!(shown.contains("APP_") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_value_of_the_wrong_type_is_an_error_that_names_the_key() {
    // that the library quotes the value is documented, and not ours to change
    let config = of(&Secrets::from_iter([("PORT", "many")])).unwrap();
    let error = config.get::<u16>("port").unwrap_err().to_string();
    assert!(error.contains("port") && error.contains("secrets of xtrasecurity"), "{error}");
}
