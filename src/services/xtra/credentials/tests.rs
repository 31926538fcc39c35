use std::fs;

use futures_util::FutureExt;
use tempfile::TempDir;

use super::*;
use crate::credentials::jwt;

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

fn custom(place: Place, token: &str) -> CustomProvider {
    CustomProvider { place, provider: Arc::new(StaticToken::new(token).unwrap()) }
}

fn token(
    explicit: Option<&str>,
    custom: &[CustomProvider],
    variables: &[(&str, &str)],
    home: &Home,
) -> Result<String, XtraError> {
    let surroundings = Surroundings::of(variables).with_home(home.0.path());
    let provider = resolve(explicit, custom, &surroundings)?.provider;
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
    let everywhere =
        [custom(Place::Last, "last"), custom(Place::AfterEnvironment, "after"), custom(Place::First, "first")];
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
    let two = [custom(Place::First, "one"), custom(Place::First, "two")];
    assert_eq!(token(None, &two, &[], &Home::new()).unwrap(), "one");
}

#[test]
fn empty_texts_count_as_absent() {
    let variables = [("XTRA_TOKEN", ""), ("XTRA_MACHINE_TOKEN", "")];
    assert_eq!(token(Some(""), &[], BOTH, &Home::new()).unwrap(), "from-variable");
    assert_eq!(token(Some(""), &[], &variables, &Home::full()).unwrap(), "from-home");
    let home = Home::full().holding(CONFIG, r#"{"token":""}"#);
    assert_eq!(token(None, &[], &variables, &home).unwrap(), "from-cli");
}

#[test]
fn the_error_tells_what_each_place_had_and_what_to_do() {
    let home = Home::new().holding(CONFIG, r#"{"user":"x"}"#);
    let text = failure(None, &[("XTRA_MACHINE_TOKEN", "")], &home);
    for part in [
        "the token option: not given",
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
    let error = resolve(None, &[], &Surroundings::of(&[])).err().unwrap();
    assert_eq!(error.to_string().matches("no home directory is known").count(), 2, "{error}");
}

#[test]
fn a_text_that_cannot_be_a_token_is_an_error_at_once_that_names_its_place() {
    let full = Home::full();
    let place = |explicit, variables: &[(&str, &str)], home| failure(explicit, variables, home);
    assert!(place(Some("hunter2 "), BOTH, &full).starts_with("the token option begins or ends with white space"));
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
    let text = failure(None, &[("XTRA_TOKEN", Surroundings::NOT_UNICODE), BOTH[1]], &Home::full());
    assert!(text.starts_with("XTRA_TOKEN holds a character that is not ASCII"), "{text}");
}

#[test]
fn an_expired_jwt_is_an_error_at_once_that_says_when_and_where() {
    let expired = jwt::signed(r#"{"exp":1767225600}"#);
    let text = failure(Some(&expired), BOTH, &Home::full());
    assert!(text.starts_with("the token from the token option expired at 2026-01-01T00:00:00Z"), "{text}");
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
    let provider = resolve(None, &[], &Surroundings::of(&[]).with_home(home.0.path())).unwrap().provider;
    let refused = provider.token().now_or_never().unwrap().unwrap();
    let _home = home.holding(CONFIG, r#"{"token":"renewed"}"#);
    assert!(provider.invalidate(&refused));
    assert_eq!(provider.token().now_or_never().unwrap().unwrap().expose(), "renewed");
}
