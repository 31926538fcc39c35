//! Secrets as a provider of figment.

use std::sync::Arc;

use figment::providers::Serialized;
use figment::{Figment, Profile, Provider};
use serde::Deserialize;
use xtrasecurity::dev_server::{DevServer, RateLimits};
use xtrasecurity::{ErrorKind, SecretValue, Secrets, SecretsProvider, XtraError, blocking};

#[derive(Debug, Deserialize, PartialEq)]
struct Config {
    name: String,
    database: Database,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Database {
    url: String,
    pool: u16,
}

fn secrets() -> Secrets {
    Secrets::from_iter([("DATABASE__URL", "postgres://db"), ("DATABASE__POOL", "8"), ("NAME", "web")])
}

fn text(figment: &Figment, key: &str) -> String {
    figment.extract_inner(key).unwrap()
}

#[test]
fn nested_names_become_a_nested_configuration() {
    let config: Config = Figment::from(SecretsProvider::new(&secrets()).guess_types()).extract().unwrap();
    let database = Database { url: "postgres://db".to_owned(), pool: 8 };
    assert_eq!(config, Config { name: "web".to_owned(), database });
}

#[test]
fn what_is_merged_later_wins_and_the_rest_stays() {
    let figment = Figment::from(Serialized::default("database.pool", 2))
        .join(Serialized::default("database.url", "default"))
        .join(Serialized::default("database.host", "localhost"))
        .merge(SecretsProvider::new(&secrets()));
    assert_eq!(text(&figment, "database.url"), "postgres://db");
    assert_eq!(text(&figment, "database.pool"), "8");
    assert_eq!(text(&figment, "database.host"), "localhost");
    let figment = figment.merge(Serialized::default("database.url", "from the command line"));
    assert_eq!(text(&figment, "database.url"), "from the command line");
    let joined = Figment::from(Serialized::default("database.url", "first")).join(SecretsProvider::new(&secrets()));
    assert_eq!(text(&joined, "database.url"), "first");
}

#[test]
fn values_stay_texts_unless_guessing_is_asked_for() {
    let secrets =
        Secrets::from_iter([("PASSWORD", "00123"), ("PORT", "8080"), ("TLS", "true"), ("BIG", "18446744073709551615")]);
    let plain = Figment::from(SecretsProvider::new(&secrets));
    for (key, value) in [("password", "00123"), ("port", "8080"), ("tls", "true")] {
        assert_eq!(text(&plain, key), value);
    }
    assert!(plain.extract_inner::<u16>("port").is_err());
    let guessed = Figment::from(SecretsProvider::new(&secrets).guess_types());
    assert_eq!(text(&guessed, "password"), "00123");
    assert_eq!(guessed.extract_inner::<u16>("port").unwrap(), 8080);
    assert!(guessed.extract_inner::<bool>("tls").unwrap());
    assert_eq!(guessed.extract_inner::<u64>("big").unwrap(), u64::MAX);
}

#[test]
fn a_profile_takes_the_secrets() {
    let provider = SecretsProvider::new(&secrets()).profile("production");
    let figment = Figment::from(Serialized::default("name", "default")).merge(provider);
    assert_eq!(text(&figment, "name"), "default");
    assert_eq!(text(&figment.clone().select("production"), "name"), "web");
    let global = Figment::new().merge(SecretsProvider::new(&secrets()).profile("global"));
    assert_eq!(text(&global.select("any"), "name"), "web");
    let data = SecretsProvider::new(&secrets()).data().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), [&Profile::Default]);
}

#[test]
fn a_prefix_chooses_separators_and_case_can_be_changed() {
    let secrets = Secrets::from_iter([("APP_DB-URL", "u"), ("OTHER", "x")]);
    let figment = Figment::from(SecretsProvider::new(&secrets).prefix("APP_").separator("-"));
    assert_eq!(text(&figment, "db.url"), "u");
    assert!(figment.find_value("other").is_err());
    let figment = Figment::from(SecretsProvider::new(&secrets).keep_case().separator(""));
    assert_eq!(text(&figment, "APP_DB-URL"), "u");
}

#[test]
fn unicode_names_and_values_arrive_unchanged() {
    let secrets = Secrets::from_iter([("ÄRGER__GRÖSSE", "größer 🦀\n\"'\\")]);
    let figment = Figment::from(SecretsProvider::new(&secrets));
    assert_eq!(text(&figment, "ärger.grösse"), "größer 🦀\n\"'\\");
}

#[test]
fn a_conflict_is_an_error_with_both_names_and_no_value() {
    for (one, other) in [("DATABASE", "DATABASE__URL"), ("PORT", "port")] {
        let secrets = Secrets::from_iter([(one, "hunter2"), (other, "hunter2")]);
        let error = Figment::from(SecretsProvider::new(&secrets)).extract::<figment::value::Dict>().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(error.to_string().contains(&format!("{one:?}")) && error.to_string().contains(&format!("{other:?}")));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn no_secrets_at_all_is_an_error_unless_it_is_accepted() {
    let none = Secrets::from_iter(Vec::<(String, String)>::new());
    let error = Figment::from(SecretsProvider::new(&none)).extract::<figment::value::Dict>().unwrap_err();
    assert!(error.to_string().contains("allow_empty()"), "{error}");
    let figment =
        Figment::from(Serialized::default("name", "default")).merge(SecretsProvider::new(&none).allow_empty());
    assert_eq!(text(&figment, "name"), "default");
    let mistyped =
        Figment::from(Serialized::default("name", "default")).merge(SecretsProvider::new(&secrets()).prefix("AP_"));
    let error = mistyped.extract::<figment::value::Dict>().unwrap_err().to_string();
    assert!(error.contains("\"AP_\"") && error.contains("allow_empty()"), "{error}");
}

#[test]
fn a_lazy_provider_reads_when_it_is_merged_and_passes_errors_on() {
    let reads = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = Arc::clone(&reads);
    let provider = SecretsProvider::lazy(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(Arc::new(secrets()))
    });
    assert_eq!(reads.load(std::sync::atomic::Ordering::Relaxed), 0);
    assert_eq!(text(&Figment::from(provider), "name"), "web");
    assert_eq!(reads.load(std::sync::atomic::Ordering::Relaxed), 1);

    let failing = SecretsProvider::lazy(|| Err(XtraError::new(ErrorKind::Timeout, "the call took too long")));
    let error = Figment::from(failing).extract::<Config>().unwrap_err();
    assert!(error.to_string().starts_with("the call took too long"), "{error}");
    assert!(error.to_string().ends_with("in secrets of xtrasecurity"), "{error}");
}

#[test]
fn an_answer_of_the_service_comes_through_with_its_text() {
    // figment is not asynchronous, so the read blocks this thread, beside the server's
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(DevServer::builder().rate_limits(RateLimits::off()).start()).unwrap();
    let provider = |token: String| {
        let client = blocking::XtraClient::builder().dev_server(&server).token(token).build().unwrap();
        SecretsProvider::lazy(move || client.get_secrets("production").send())
    };
    let figment = Figment::from(provider(server.token().to_owned()));
    assert_eq!(text(&figment, "feature_new_ui"), "off");
    let unknown = provider("xs_unknown_0123456789abcdef0123456789abcdef0123".to_owned());
    let error = Figment::from(unknown).extract::<Config>().unwrap_err().to_string();
    assert!(error.contains("status 401") && error.contains("create a new one"), "{error}");
    runtime.block_on(server.stop());
}

#[test]
fn the_provider_prints_its_options_and_no_value() {
    let secrets = Secrets::from_iter([("PASSWORD", "hunter2")]);
    let provider = SecretsProvider::new(&secrets).prefix("APP_");
    let shown = format!("{provider:?} {:?}", provider.metadata());
    assert!(shown.contains("APP_") && shown.contains("secrets of xtrasecurity"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_value_of_the_wrong_type_is_an_error_that_names_the_key_and_where_it_came_from() {
    // that the library quotes the value is documented, and not ours to change
    let secrets = Secrets::from_iter([("DATABASE__POOL", "many"), ("DATABASE__URL", "u"), ("NAME", "web")]);
    let error = Figment::from(SecretsProvider::new(&secrets)).extract::<Config>().unwrap_err().to_string();
    assert!(error.contains("database.pool") && error.contains("secrets of xtrasecurity"), "{error}");
}

#[test]
fn a_field_for_a_secret_takes_texts_and_refuses_the_rest_without_quoting_it() {
    #[derive(Debug, Deserialize)]
    struct Login {
        password: SecretValue,
    }
    let secrets = Secrets::from_iter([("PASSWORD", "31415926")]);
    let login: Login = Figment::from(SecretsProvider::new(&secrets)).extract().unwrap();
    assert_eq!(login.password.expose(), "31415926");
    assert!(!format!("{login:?}").contains("31415926"));
    let error = Figment::from(SecretsProvider::new(&secrets).guess_types()).extract::<Login>().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("31415926"), "{error:?}");
}
