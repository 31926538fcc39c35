//! Defaults for what a call does not say: project, environment, branch and API root; and the passphrase of sealed values.

use std::borrow::Cow;
use std::path::Path;

use serde::Deserialize;

use super::file;
use super::file::Problem;
use super::surroundings::Surroundings;
use crate::core::{ErrorKind, SecretValue, XtraError};
use crate::env::NotUnicode;

/// The project's settings file of the vendor's command line tool, in the working directory only.
const FILE: &str = ".xtrarc";

/// What was found for calls that do not say. Empty texts count as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Defaults {
    pub(crate) project: Option<Located>,
    pub(crate) environment: Option<Located>,
    pub(crate) branch: Option<Located>,
    /// The variable's.
    pub(crate) api_url: Option<Located>,
    /// The file's. The working directory may be somebody else's, so whether it may be used is for the caller to decide.
    pub(crate) api_url_in_file: Option<Located>,
    /// In variables only: the file is shared, and often committed.
    pub(crate) passphrase: Option<Passphrase>,
}

/// A passphrase, and the variable that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passphrase {
    pub(crate) value: SecretValue,
    pub(crate) origin: Cow<'static, str>,
}

/// A text, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) text: String,
    pub(crate) origin: Cow<'static, str>,
}

impl Located {
    pub(crate) fn new(text: impl Into<String>, origin: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), origin: origin.into() }
    }
}

#[derive(Deserialize, Default)]
struct Fields {
    project: Option<String>,
    env: Option<String>,
    branch: Option<String>,
    #[serde(rename = "apiUrl")]
    api_url: Option<String>,
}

impl Defaults {
    /// `XTRA_PROJECT_ID`, then `.xtrarc`; both of `XTRA_API_URL` and `.xtrarc`. The passphrase is that of
    /// `XTRA_VAULT_PASSPHRASE`, then that of `XTRA_MASTER_SECRET`.
    ///
    /// Fails when a variable is not Unicode, or the file is there and cannot be used.
    pub(crate) fn load(surroundings: &Surroundings) -> Result<Self, XtraError> {
        let (defaults, mut problems) = Self::survey(surroundings);
        if problems.is_empty() { Ok(defaults) } else { Err(problems.swap_remove(0)) }
    }

    /// What can be used, and why the rest cannot.
    pub(crate) fn survey(surroundings: &Surroundings) -> (Self, Vec<XtraError>) {
        let mut problems = Vec::new();
        let mut variable = |name| {
            variable(name, surroundings).unwrap_or_else(|error| {
                problems.push(error);
                None
            })
        };
        let project = variable("XTRA_PROJECT_ID");
        let api_url = variable("XTRA_API_URL");
        let passphrase = variable("XTRA_VAULT_PASSPHRASE").or_else(|| variable("XTRA_MASTER_SECRET"));
        let file = surroundings
            .working
            .as_ref()
            .map_or_else(|| Ok(Fields::default()), |directory| read(&directory.join(FILE)));
        let file = file.unwrap_or_else(|error| {
            problems.push(error);
            Fields::default()
        });
        let defaults = Self {
            project: project.or(in_file(file.project, "project")),
            environment: in_file(file.env.map(full_environment_name), "env"),
            branch: in_file(file.branch, "branch"),
            api_url,
            api_url_in_file: in_file(file.api_url, "apiUrl"),
            passphrase: passphrase
                .map(|found| Passphrase { value: SecretValue::new(found.text), origin: found.origin }),
        };
        (defaults, problems)
    }
}

fn variable(name: &'static str, surroundings: &Surroundings) -> Result<Option<Located>, XtraError> {
    match surroundings.var(name) {
        Ok(value) => Ok(given(value).map(|text| Located::new(text, name))),
        Err(NotUnicode) => {
            Err(XtraError::new(ErrorKind::Config, format!("{name} is not Unicode text. Set it again, or unset it")))
        }
    }
}

fn read(path: &Path) -> Result<Fields, XtraError> {
    let fields = file::read(path).and_then(|content| file::parse(&content));
    match fields {
        Ok(fields) => Ok(fields),
        Err(Problem::Missing) => Ok(Fields::default()),
        Err(problem) => {
            let message = format!(
                "{FILE} in the working directory cannot be used: {problem}. It is a JSON object whose `project`, `env`, \
                 `branch` and `apiUrl` are texts"
            );
            let error = XtraError::new(ErrorKind::Config, message);
            Err(problem.os_error().map_or(error.clone(), |os_error| error.with_os_error(os_error)))
        }
    }
}

fn in_file(text: Option<String>, field: &str) -> Option<Located> {
    given(text).map(|text| Located::new(text, format!("{FILE} ({field})")))
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// The command line tool writes and accepts short names; the service knows only the long ones.
fn full_environment_name(name: String) -> String {
    match name.as_str() {
        "dev" => "development".to_owned(),
        "stg" => "staging".to_owned(),
        "prod" => "production".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const FULL: &str =
        r#"{"project":"p1","env":"staging","branch":"b1","apiUrl":"https://file/api","createdAt":"now","x":[1]}"#;

    fn load(variables: &[(&str, &str)], file: Option<&str>) -> Result<Defaults, XtraError> {
        let dir = tempfile::tempdir().unwrap();
        if let Some(content) = file {
            fs::write(dir.path().join(FILE), content).unwrap();
        }
        Defaults::load(&Surroundings::of(variables).with_working_dir(dir.path()))
    }

    fn text(found: Option<Located>) -> Option<String> {
        found.map(|found| found.text)
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_file_gives_all_four_and_unknown_fields_are_ignored() {
        let found = |text: &str, field: &str| Some(Located::new(text, format!(".xtrarc ({field})")));
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
        assert_eq!(defaults.project, Some(Located::new("p2", "XTRA_PROJECT_ID")));
        assert_eq!(defaults.api_url, Some(Located::new("https://variable/api", "XTRA_API_URL")));
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
        assert_eq!(Defaults::load(&Surroundings::of(&[])).unwrap(), Defaults::default());
    }

    #[test]
    fn the_passphrase_is_the_first_variable_that_is_not_empty() {
        let found = |first, second| {
            let variables = [("XTRA_VAULT_PASSPHRASE", first), ("XTRA_MASTER_SECRET", second)];
            load(&variables, Some(FULL))
                .unwrap()
                .passphrase
                .map(|found| (found.value.expose().to_owned(), found.origin))
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
        let surroundings = Surroundings::of(&[]).with_working_dir(below).with_home(dir.path());
        assert_eq!(Defaults::load(&surroundings).unwrap(), Defaults::default());
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
        let error = Defaults::load(&Surroundings::of(&[]).with_working_dir(dir.path())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("regular file"), "{error}");
    }

    #[test]
    fn a_variable_that_is_not_unicode_is_a_config_error_that_names_it() {
        for name in ["XTRA_PROJECT_ID", "XTRA_API_URL", "XTRA_VAULT_PASSPHRASE", "XTRA_MASTER_SECRET"] {
            let error = load(&[(name, Surroundings::NOT_UNICODE)], Some(FULL)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().starts_with(name), "{error}");
        }
    }
}
