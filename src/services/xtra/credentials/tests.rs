//! The promises of the chain and of the settings, with XtraSecurity's variables and files.

use std::fs;
use std::sync::Arc;

use futures_util::FutureExt;
use tempfile::TempDir;

use super::*;
use crate::credentials::{Chain, Resolved, StaticToken};
use crate::http::{CredentialProvider, jwt};

/// A home directory whose files hold tokens.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn holding(self, path: &str, content: &str) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn full() -> Self {
        Self::new().holding(CONFIG, r#"{"token":"from-home"}"#).holding(STORE, r#"{"authToken":"from-cli"}"#)
    }
}

const CONFIG: &str = ".xtra/config.json";
const STORE: &str = ".config/xtra-cli-nodejs/config.json";
const BOTH: &[(&str, &str)] = &[("XTRA_TOKEN", "from-variable"), ("XTRA_MACHINE_TOKEN", "from-machine")];

type Custom = (ChainPosition, Arc<dyn CredentialProvider>);

fn custom(position: ChainPosition, token: &str) -> Custom {
    (position, Arc::new(StaticToken::new(token).unwrap()))
}

fn resolve(explicit: Option<&str>, custom: &[Custom], env: &ProcessEnv) -> Result<Resolved, XtraError> {
    let chain = Chain::new(STEPS).token(explicit.map(Into::into));
    let chain = custom.iter().cloned().fold(chain, |chain, (at, provider)| chain.provider(at, provider));
    chain.resolve(env)
}

fn token(
    explicit: Option<&str>,
    custom: &[Custom],
    variables: &[(&str, &str)],
    home: &Home,
) -> Result<String, XtraError> {
    let env = ProcessEnv::of(variables).with_home(home.0.path());
    let provider = resolve(explicit, custom, &env)?.provider();
    let token = provider.token().now_or_never().unwrap()?;
    Ok(token.expose().to_owned())
}

fn failure(explicit: Option<&str>, variables: &[(&str, &str)], home: &Home) -> String {
    let error = token(explicit, &[], variables, home).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    let text = format!("{error} {error:?}");
    assert!(!text.contains("hunter2"), "{text}");
    error.to_string()
}

#[test]
fn the_first_place_that_has_a_token_wins() {
    let everywhere = [
        custom(ChainPosition::Last, "last"),
        custom(ChainPosition::AfterEnvironment, "after"),
        custom(ChainPosition::First, "first"),
    ];
    let (full, empty) = (Home::full(), Home::new());
    assert_eq!(token(Some("explicit"), &everywhere, BOTH, &full).unwrap(), "explicit");
    assert_eq!(token(None, &everywhere, BOTH, &full).unwrap(), "first");
    assert_eq!(token(None, &everywhere[..2], BOTH, &full).unwrap(), "from-variable");
    assert_eq!(token(None, &everywhere[..2], &BOTH[1..], &full).unwrap(), "from-machine");
    assert_eq!(token(None, &everywhere[..2], &[], &full).unwrap(), "after");
    assert_eq!(token(None, &everywhere[..1], &[], &full).unwrap(), "from-home");
    let store = Home::new().holding(STORE, r#"{"token":"from-cli"}"#);
    assert_eq!(token(None, &everywhere[..1], &[], &store).unwrap(), "from-cli");
    assert_eq!(token(None, &everywhere[..1], &[], &empty).unwrap(), "last");
    assert!(token(None, &[], &[], &empty).is_err());
}

#[test]
fn of_two_custom_providers_in_one_place_the_first_is_used() {
    let two = [custom(ChainPosition::First, "one"), custom(ChainPosition::First, "two")];
    assert_eq!(token(None, &two, &[], &Home::new()).unwrap(), "one");
}

#[test]
fn empty_texts_count_as_absent() {
    let variables = [("XTRA_TOKEN", ""), ("XTRA_MACHINE_TOKEN", "")];
    assert_eq!(token(None, &[], &variables, &Home::full()).unwrap(), "from-home");
    let home = Home::full().holding(CONFIG, r#"{"token":""}"#);
    assert_eq!(token(None, &[], &variables, &home).unwrap(), "from-cli");
}

#[test]
fn an_empty_option_is_refused_in_place_of_a_token_that_was_not_meant() {
    assert!(failure(Some(""), BOTH, &Home::full()).starts_with("the given token is empty"));
}

#[test]
fn the_error_tells_what_each_place_had_and_what_to_do() {
    let home = Home::new().holding(CONFIG, r#"{"user":"x"}"#);
    let text = failure(None, &[("XTRA_MACHINE_TOKEN", "")], &home);
    for part in [
        "the program: gives none",
        "XTRA_TOKEN: not set",
        "XTRA_MACHINE_TOKEN: empty",
        "~/.xtra/config.json: the file has no token under `token` or `authToken`",
        "~/.config/xtra-cli-nodejs/config.json): there is no such file",
        "Set XTRA_TOKEN, or pass token(..)",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains(&home.0.path().display().to_string()), "{text}");
}

#[test]
fn without_a_home_directory_the_error_says_so() {
    let error = resolve(None, &[], &ProcessEnv::of(&[])).err().unwrap();
    assert_eq!(error.to_string().matches("no home directory is known").count(), 2, "{error}");
}

#[test]
fn a_text_that_cannot_be_a_token_is_an_error_at_once_that_names_its_place() {
    let full = Home::full();
    let place = |explicit, variables: &[(&str, &str)], home| failure(explicit, variables, home);
    assert!(place(Some("hunter2 "), BOTH, &full).starts_with("the given token begins or ends with white space"));
    assert!(place(None, &[("XTRA_TOKEN", "hunter2\n"), BOTH[1]], &full).starts_with("XTRA_TOKEN begins or ends"));
    assert!(
        place(None, &[("XTRA_MACHINE_TOKEN", "hunter2\u{1}")], &full).starts_with("XTRA_MACHINE_TOKEN holds a control")
    );
    let home = Home::full().holding(CONFIG, r#"{"token":"hunter2 hunter2"}"#);
    assert!(place(None, &[], &home).starts_with("the token in ~/.xtra/config.json holds white space"));
    let home = Home::new().holding(STORE, r#"{"token":"hünter2"}"#);
    assert!(place(None, &[], &home).contains("xtra-cli-nodejs/config.json) holds a character that is not ASCII"));
}

#[test]
fn a_variable_that_is_not_unicode_is_an_error_at_once() {
    let text = failure(None, &[("XTRA_TOKEN", ProcessEnv::NOT_UNICODE), BOTH[1]], &Home::full());
    assert!(text.starts_with("XTRA_TOKEN holds a character that is not ASCII"), "{text}");
}

#[test]
fn an_expired_jwt_is_an_error_at_once_that_says_when_and_where() {
    let expired = jwt::signed(r#"{"exp":1767225600}"#);
    let text = failure(Some(&expired), BOTH, &Home::full());
    assert!(text.starts_with("the token from the program expired at 2026-01-01T00:00:00Z"), "{text}");
    let text = failure(None, &[("XTRA_TOKEN", &expired), BOTH[1]], &Home::full());
    assert!(text.starts_with("the token from XTRA_TOKEN expired at 2026-01-01T00:00:00Z"), "{text}");
    let home = Home::full().holding(CONFIG, &format!(r#"{{"token":"{expired}"}}"#));
    let text = failure(None, &[], &home);
    assert!(text.starts_with("the token from ~/.xtra/config.json expired at"), "{text}");
}

#[test]
fn a_file_that_cannot_be_used_is_passed_over_and_named_in_the_error() {
    let broken = r#"{"token": hunter2}"#;
    assert_eq!(token(None, &[], &[], &Home::full().holding(CONFIG, broken)).unwrap(), "from-cli");
    let wrong_type = "{\n \"authToken\": {\"hunter2\": 1}\n}";
    let text = failure(None, &[], &Home::new().holding(CONFIG, broken).holding(STORE, wrong_type));
    assert!(text.contains("~/.xtra/config.json: the file has something that is not JSON at line 1, column"), "{text}");
    assert!(text.contains("config.json): the file has a value of the wrong type at line 2, column"), "{text}");
    let home = Home::new();
    fs::create_dir_all(home.0.path().join(CONFIG)).unwrap();
    assert!(failure(None, &[], &home).contains("~/.xtra/config.json: it is not a regular file"));
}

#[test]
fn a_token_from_a_file_is_renewed_from_it_when_refused() {
    let home = Home::full();
    let provider = resolve(None, &[], &ProcessEnv::of(&[]).with_home(home.0.path())).unwrap().provider();
    let refused = provider.token().now_or_never().unwrap().unwrap();
    let _home = home.holding(CONFIG, r#"{"token":"renewed"}"#);
    assert!(provider.invalidate(&refused));
    assert_eq!(provider.token().now_or_never().unwrap().unwrap().expose(), "renewed");
}

const FILE: &str = ".xtrarc";

const FULL: &str =
    r#"{"project":"p1","env":"staging","branch":"b1","apiUrl":"https://file/api","createdAt":"now","x":[1]}"#;

fn load(variables: &[(&str, &str)], file: Option<&str>) -> Result<Defaults, XtraError> {
    let dir = tempfile::tempdir().unwrap();
    if let Some(content) = file {
        fs::write(dir.path().join(FILE), content).unwrap();
    }
    Defaults::load(&ProcessEnv::of(variables).with_working_dir(dir.path()))
}

fn text(found: Option<Sourced>) -> Option<String> {
    found.map(|found| found.value)
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn the_file_gives_all_four_and_unknown_fields_are_ignored() {
    let found = |text: &str, field: &str| Some(Sourced::new(text, format!(".xtrarc ({field})")));
    let expected = Defaults {
        project: found("p1", "project"),
        environment: found("staging", "env"),
        branch: found("b1", "branch"),
        api_url: None,
        api_url_in_file: found("https://file/api", "apiUrl"),
        passphrase: None,
    };
    assert_eq!(load(&[], Some(FULL)).unwrap(), expected);
}

#[test]
fn a_variable_is_preferred_to_the_file_unless_it_is_empty_and_base_urls_are_told_apart() {
    let variables = [("XTRA_PROJECT_ID", "p2"), ("XTRA_API_URL", "https://variable/api")];
    let defaults = load(&variables, Some(FULL)).unwrap();
    assert_eq!(defaults.project, Some(Sourced::new("p2", "XTRA_PROJECT_ID")));
    assert_eq!(defaults.api_url, Some(Sourced::new("https://variable/api", "XTRA_API_URL")));
    assert_eq!(text(defaults.api_url_in_file), some("https://file/api"));
    assert_eq!(text(defaults.branch), some("b1"));
    let defaults = load(&[("XTRA_PROJECT_ID", ""), ("XTRA_API_URL", "")], Some(FULL)).unwrap();
    assert_eq!((text(defaults.project), text(defaults.api_url)), (some("p1"), None));
}

#[test]
fn nothing_around_means_no_defaults() {
    assert_eq!(load(&[], None).unwrap(), Defaults::default());
    assert_eq!(load(&[], Some("{}")).unwrap(), Defaults::default());
    assert_eq!(load(&[], Some(r#"{"project":"","env":null,"branch":""}"#)).unwrap(), Defaults::default());
    assert_eq!(Defaults::load(&ProcessEnv::of(&[])).unwrap(), Defaults::default());
}

#[test]
fn the_passphrase_is_the_first_variable_that_is_not_empty() {
    let found = |first, second| {
        let variables = [("XTRA_VAULT_PASSPHRASE", first), ("XTRA_MASTER_SECRET", second)];
        load(&variables, Some(FULL)).unwrap().passphrase.map(|found| (found.value.expose().to_owned(), found.origin))
    };
    assert_eq!(found("one", "two"), Some(("one".to_owned(), "XTRA_VAULT_PASSPHRASE".into())));
    assert_eq!(found("", "two"), Some(("two".to_owned(), "XTRA_MASTER_SECRET".into())));
    assert_eq!(found("", ""), None);
}

#[test]
fn the_passphrase_is_not_shown() {
    let defaults = load(&[("XTRA_MASTER_SECRET", "hunter2")], None).unwrap();
    assert!(!format!("{defaults:?}").contains("hunter2"));
}

#[test]
fn only_the_working_directory_is_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE), FULL).unwrap();
    let below = dir.path().join("below");
    fs::create_dir(&below).unwrap();
    let env = ProcessEnv::of(&[]).with_working_dir(below).with_home(dir.path());
    assert_eq!(Defaults::load(&env).unwrap(), Defaults::default());
}

#[test]
fn short_environment_names_in_the_file_are_expanded() {
    for (short, long) in
        [("dev", "development"), ("stg", "staging"), ("prod", "production"), ("qa", "qa"), ("DEV", "DEV")]
    {
        let defaults = load(&[], Some(&format!(r#"{{"env":"{short}"}}"#))).unwrap();
        assert_eq!(text(defaults.environment), some(long));
    }
}

#[test]
fn a_file_that_cannot_be_used_is_a_config_error_with_its_name_and_the_position_and_no_content() {
    let cases = [
        ("{\n  \"project\": 12345\n}", "wrong type at line 2, column"),
        ("{\"branch\": [\"hunter2\"]}", "wrong type at line 1, column"),
        ("[\"hunter2\"", "line 1, column"),
        ("\n\nhunter2", "not JSON at line 3, column 1"),
        ("", "too early at line 1"),
    ];
    for (content, wrong) in cases {
        let error = load(&[], Some(content)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = format!("{error} {error:?}");
        assert!(text.contains(FILE) && text.contains(wrong), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("12345"), "{text}");
    }
}

#[test]
fn a_directory_in_place_of_the_file_is_a_config_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(FILE)).unwrap();
    let error = Defaults::load(&ProcessEnv::of(&[]).with_working_dir(dir.path())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("regular file"), "{error}");
}

#[test]
fn a_variable_that_is_not_unicode_is_a_config_error_that_names_it() {
    for name in ["XTRA_PROJECT_ID", "XTRA_API_URL", "XTRA_VAULT_PASSPHRASE", "XTRA_MASTER_SECRET"] {
        let error = load(&[(name, ProcessEnv::NOT_UNICODE)], Some(FULL)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().starts_with(name), "{error}");
    }
}
