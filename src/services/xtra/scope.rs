//! The scope of a read or write: project, environment, branch. Names are checked before anything is sent.

use std::borrow::Cow;

use url::Url;

use super::credentials::full_environment_name;
use crate::core::{ErrorKind, ScopeDescription, XtraError, shown_name};
use crate::engine::KeyWriter;
use crate::http::is_quoted;

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

/// The same.
impl<'a> From<Cow<'a, str>> for XtraScope<'a> {
    fn from(environment: Cow<'a, str>) -> Self {
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

/// The environments that most projects have.
const USUAL: [&str; 5] = ["production", "staging", "development", "preview", "test"];

impl CheckedScope {
    /// The scope in words.
    pub(super) fn describe(&self) -> ScopeDescription {
        let mut text = format!("the environment {} on the branch {}", quoted(&self.environment), quoted(&self.branch));
        if let Some(id) = &self.project {
            text.push_str(&format!(" of the project {}", quoted(id)));
        }
        let long = full_environment_name(&self.environment);
        ScopeDescription::new(text)
            .named(&self.environment)
            .usual(&USUAL)
            .short_for(USUAL.into_iter().find(|usual| *usual == long && self.environment != long))
            .empty_means("The service does not tell a mistyped environment or branch from an empty one")
    }
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

/// The host of the vendor's own service.
const VENDOR: &str = "www.xtrasecurity.in";

/// The form of a service's project ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProjectIds {
    /// 24 hexadecimal digits. The vendor's own service answers anything else with an unexplained 500.
    Hexadecimal,
    /// Whatever a path can hold: a server of somebody's own may give ids of another form.
    Any,
}

impl ProjectIds {
    /// Those of the service with this base URL.
    pub(crate) fn of(root: &str) -> Self {
        let url = Url::parse(root).ok();
        let host = url.as_ref().and_then(Url::host_str).map(|host| host.trim_end_matches('.'));
        if host == Some(VENDOR) { Self::Hexadecimal } else { Self::Any }
    }

    /// The id, when it is one.
    pub(crate) fn checked(self, id: &str) -> Result<&str, XtraError> {
        if self == Self::Any || is_quoted(id) {
            return sendable_project(id);
        }
        if is_id(id) {
            return Ok(id);
        }
        Err(XtraError::new(
            ErrorKind::Invalid,
            format!(
                "the project id {} is not 24 hexadecimal digits. It is the id in the project's address in the dashboard, not \
                 its name",
                quoted(id)
            ),
        ))
    }
}

/// The id, when it can be sent to any service: in a path it is one segment, which the percent-encoding makes of all texts but
/// these.
pub(crate) fn sendable_project(id: &str) -> Result<&str, XtraError> {
    match flaw_of(id) {
        None => Ok(id),
        Some(problem) => Err(XtraError::new(
            ErrorKind::Invalid,
            format!("the project id {problem}. Give the id as the dashboard shows it"),
        )),
    }
}

/// A project's id in the form in which ids are compared: the service takes its own in either case, and gives them in lower
/// case. Those of another form are taken as they are.
pub(crate) fn compared_project(id: String) -> String {
    if is_id(&id) { id.to_ascii_lowercase() } else { id }
}

/// Whether two ids are one project's.
pub(crate) fn is_same_project(one: &str, other: &str) -> bool {
    one == other || (is_id(one) && one.eq_ignore_ascii_case(other))
}

/// Adds a project to a cache key, so that the same ids give the same key.
pub(crate) fn write_project(id: &str, key: &mut KeyWriter) {
    if is_id(id) {
        key.field_any_case(id);
    } else {
        key.field(id);
    }
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
    match flaw_of(name) {
        None => Ok(name),
        Some(problem) => Err(XtraError::new(
            ErrorKind::Invalid,
            format!("the {what} name {problem}. Give the name as the dashboard shows it"),
        )),
    }
}

/// Why a name or an id cannot be sent.
fn flaw_of(name: &str) -> Option<String> {
    Some(match name {
        "" => "is empty".to_owned(),
        "." | ".." => format!("{} would change the address that is asked", quoted(name)),
        _ if name.trim() != name => format!("{} begins or ends with white space", quoted(name)),
        _ if is_quoted(name) => format!("{} is in quotes: take them away", quoted(name)),
        _ if name.chars().any(char::is_control) => format!("{} contains a control character", quoted(name)),
        _ => return None,
    })
}

/// Whether a text begins as tokens do.
pub(crate) fn looks_like_a_token(text: &str) -> bool {
    ["xs_", "xtra_", "eyJ"].iter().any(|start| text.trim().starts_with(start))
}

/// A name for a message: escaped, and only when it is of a kind that somebody gives to things.
pub(crate) fn quoted(name: &str) -> String {
    shown_name(name, looks_like_a_token)
}

/// A name or an id for a setting: [`quoted`], without the quotes. An id may be a UUID.
pub(crate) fn shown(name: &str) -> Cow<'_, str> {
    const UUID: usize = 36;
    match name.chars().count() <= UUID && !looks_like_a_token(name) {
        true => Cow::Borrowed(name),
        false => Cow::Owned(quoted(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_ids_of_the_vendors_host_are_24_hex_digits_in_either_case_and_nothing_else() {
        for root in ["https://www.xtrasecurity.in/api", "https://www.xtrasecurity.in.:8443/api"] {
            assert_eq!(ProjectIds::of(root), ProjectIds::Hexadecimal, "{root}");
        }
        let ids = ProjectIds::Hexadecimal;
        assert!(ids.checked("665f1c2ab7c0de0012345678").is_ok());
        assert!(ids.checked("665F1C2AB7C0DE0012345678").is_ok());
        for id in ["", "payments", "665f1c2ab7c0de001234567", "665f1c2ab7c0de00123456789", "665f1c2ab7c0de001234567g"] {
            let error = ids.checked(id).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("24 hexadecimal digits"));
        }
    }

    #[test]
    fn project_ids_of_another_host_are_whatever_a_path_can_hold() {
        for root in [
            "https://secrets.example.test/api",
            "http://127.0.0.1:4311/api",
            "https://xtrasecurity.in.example.test/api",
            "https://example.test/www.xtrasecurity.in/api",
        ] {
            assert_eq!(ProjectIds::of(root), ProjectIds::Any, "{root}");
        }
        for id in ["prj_123456789", "665f1c2ab7c0de0012345678", "a/b", "..a", "über uns", "50%", "a\"b", "a?b#c"] {
            assert_eq!(ProjectIds::Any.checked(id).unwrap(), id);
        }
        for id in ["", ".", "..", " ", "prj_1\n", " prj_1", "a\0b"] {
            let error = ProjectIds::Any.checked(id).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{id:?}");
            assert!(error.to_string().starts_with("the project id "), "{error}");
        }
    }

    #[test]
    fn ids_and_names_in_quotes_are_told_so_and_others_with_quotes_in_them_are_taken() {
        for text in ["\"staging\"", "'staging'", "`staging`", "\"\""] {
            for error in [
                ProjectIds::Any.checked(text).unwrap_err(),
                ProjectIds::Hexadecimal.checked(text).unwrap_err(),
                environment(text).unwrap_err(),
                branch(text).unwrap_err(),
            ] {
                assert!(error.to_string().contains("is in quotes"), "{error}");
            }
        }
        for text in ["my \"project\"", "'til then", "\"", "a'b"] {
            assert!(ProjectIds::Any.checked(text).is_ok() && branch(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn only_ids_of_the_services_own_form_are_the_same_in_either_case() {
        let (lower, upper) = ("665f1c2ab7c0de0012345678", "665F1C2AB7C0DE0012345678");
        assert!(is_same_project(lower, upper) && !is_same_project("prj_a", "prj_A"));
        assert_eq!(compared_project(upper.to_owned()), lower);
        assert_eq!(compared_project("prj_A".to_owned()), "prj_A");
        let key = |id: &str| {
            let mut key = KeyWriter::new();
            write_project(id, &mut key);
            key.as_slice().to_vec()
        };
        assert!(key(lower) == key(upper) && key("prj_a") != key("prj_A"));
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
            let error = ProjectIds::Hexadecimal.checked(token).unwrap_err();
            assert!(!error.to_string().contains(token.trim()), "{error}");
        }
        assert!(ProjectIds::Hexadecimal.checked("payments").unwrap_err().to_string().contains("\"payments\""));
    }
}
