//! Which secrets: project, environment, branch. Names are checked before anything is sent.

use std::borrow::Cow;

use crate::error::{ErrorKind, XtraError};

/// The branch of reads that name none.
pub(super) const MAIN: &str = "main";

/// One set of secrets of XtraSecurity: an environment on a branch of a project.
///
/// The [default](Default) scope is the client's: its project, its default environment and its default branch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XtraScope<'a> {
    pub(super) project: Option<Cow<'a, str>>,
    pub(super) environment: Option<Cow<'a, str>>,
    pub(super) branch: Option<Cow<'a, str>>,
}

impl<'a> XtraScope<'a> {
    /// An environment, on the client's project and default branch.
    pub fn new(environment: impl Into<Cow<'a, str>>) -> Self {
        Self { environment: Some(environment.into()), ..Self::default() }
    }

    /// The same in another project.
    #[must_use]
    pub fn project(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.project = Some(id.into());
        self
    }

    /// The same of another environment.
    #[must_use]
    pub fn environment(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// The same on another branch.
    #[must_use]
    pub fn branch(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.branch = Some(name.into());
        self
    }
}

/// An environment, on the client's project and default branch.
impl<'a> From<&'a str> for XtraScope<'a> {
    fn from(environment: &'a str) -> Self {
        Self::new(environment)
    }
}

/// The same.
impl From<String> for XtraScope<'_> {
    fn from(environment: String) -> Self {
        Self::new(environment)
    }
}

/// A scope that may be sent.
#[derive(Debug, Clone)]
pub struct CheckedScope {
    /// `None`: the project of the service account that is asking.
    pub(super) project: Option<String>,
    pub(super) environment: String,
    pub(super) branch: String,
}

/// One environment on a branch of a project, for what goes by the environment's exact name.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) project: String,
    /// As the caller spelled it.
    pub(crate) environment: String,
    pub(crate) branch: String,
}

impl Place {
    pub(crate) fn is_on_main(&self) -> bool {
        self.branch == MAIN
    }

    pub(crate) fn on_main(&self) -> Self {
        Self { branch: MAIN.to_owned(), ..self.clone() }
    }

    /// The same place with another environment, checked.
    pub(crate) fn in_environment(&self, name: &str) -> Result<Self, XtraError> {
        Ok(Self { environment: exact_environment(name)?.to_owned(), ..self.clone() })
    }
}

/// Whether the service, or a person, takes this environment for production.
pub(crate) fn names_production(environment: &str) -> bool {
    ["production", "prod"].iter().any(|name| environment.eq_ignore_ascii_case(name))
}

/// The id, when it is one. The service answers anything else with an unexplained 500.
pub(crate) fn project_id(id: &str) -> Result<&str, XtraError> {
    if is_id(id) {
        return Ok(id);
    }
    Err(XtraError::new(
        ErrorKind::Invalid,
        format!(
            "the project id {} is not 24 hexadecimal digits. It is the id in the project's address in the dashboard, not its \
             name",
            quoted(id)
        ),
    ))
}

/// Whether this has the form of the service's ids.
pub(super) fn is_id(id: &str) -> bool {
    id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The name of an environment in the form that is sent: reads do not tell cases apart, and lower case is what is stored.
pub(super) fn environment(name: &str) -> Result<String, XtraError> {
    name_of("environment", name).map(str::to_lowercase)
}

/// The same as it was given: writes tell cases apart.
pub(super) fn exact_environment(name: &str) -> Result<&str, XtraError> {
    name_of("environment", name)
}

/// Whether reads can name this environment.
pub(crate) fn check_environment(name: &str) -> Result<(), XtraError> {
    environment(name).map(drop)
}

pub(crate) fn branch(name: &str) -> Result<&str, XtraError> {
    name_of("branch", name)
}

/// Names that the service would take for something else: it answers them with "no secrets", or with another resource.
fn name_of<'a>(what: &str, name: &'a str) -> Result<&'a str, XtraError> {
    let problem = match name {
        "" => "is empty".to_owned(),
        "." | ".." => format!("{} would change the address that is asked", quoted(name)),
        _ if name.trim() != name => format!("{} begins or ends with white space", quoted(name)),
        _ if name.chars().any(char::is_control) => format!("{} contains a control character", quoted(name)),
        _ => return Ok(name),
    };
    Err(XtraError::new(
        ErrorKind::Invalid,
        format!("the {what} name {problem}. Give the name as the dashboard shows it"),
    ))
}

/// A name for a message: escaped, and only when it is of a kind that somebody gives to things. What was passed by mistake may
/// be a token or a value.
pub(crate) fn quoted(name: &str) -> String {
    const LONGEST: usize = 32;
    if name.chars().count() > LONGEST || ["xs_", "xtra_", "eyJ"].iter().any(|start| name.trim().starts_with(start)) {
        return "(not shown: it is no name)".to_owned();
    }
    format!("{name:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_ids_are_24_hex_digits_in_either_case_and_nothing_else() {
        assert!(project_id("665f1c2ab7c0de0012345678").is_ok());
        assert!(project_id("665F1C2AB7C0DE0012345678").is_ok());
        for id in ["", "payments", "665f1c2ab7c0de001234567", "665f1c2ab7c0de00123456789", "665f1c2ab7c0de001234567g"] {
            let error = project_id(id).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("24 hexadecimal digits"));
        }
    }

    #[test]
    fn names_that_the_service_would_misread_are_refused() {
        for name in ["", ".", "..", " main", "main ", "a\nb", "a\0b"] {
            assert_eq!(environment(name).unwrap_err().kind(), ErrorKind::Invalid, "{name:?}");
            assert_eq!(branch(name).unwrap_err().kind(), ErrorKind::Invalid, "{name:?}");
        }
        assert_eq!(branch("feature/new-ui").unwrap(), "feature/new-ui");
        assert_eq!(branch("..hidden").unwrap(), "..hidden");
    }

    #[test]
    fn environments_go_out_in_lower_case_and_branches_as_given() {
        assert_eq!(environment("Production").unwrap(), "production");
        assert_eq!(branch("Main").unwrap(), "Main");
    }

    #[test]
    fn a_token_passed_in_the_place_of_a_name_is_not_shown() {
        for token in ["xs_0123456789abcdef", " xtra_hunter2", "eyJhbGciOiJIUzI1NiJ9.e30.x", &"hunter2".repeat(10)] {
            let error = project_id(token).unwrap_err();
            assert!(!error.to_string().contains(token.trim()), "{error}");
        }
        assert!(project_id("payments").unwrap_err().to_string().contains("\"payments\""));
    }
}
