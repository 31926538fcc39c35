//! The scope of secr: an environment of a project of an organisation, each by its slug.

use std::borrow::Cow;

use crate::core::{ErrorKind, ScopeDescription, XtraError, shown_name};

/// One set of secrets of secr: an environment of a project. All three names are slugs, as the dashboard's addresses have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecrScope<'a> {
    pub(super) org: Cow<'a, str>,
    pub(super) project: Cow<'a, str>,
    /// Empty for what is about the project.
    pub(super) environment: Cow<'a, str>,
}

impl<'a> SecrScope<'a> {
    /// An environment of a project of an organisation.
    pub fn new(
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
        environment: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self { org: org.into(), project: project.into(), environment: environment.into() }
    }

    /// A project as a whole.
    pub(super) fn of_project(org: Cow<'a, str>, project: Cow<'a, str>) -> Self {
        Self { org, project, environment: Cow::Borrowed("") }
    }

    /// The scope, checked and owned.
    pub(super) fn checked(&self) -> Result<SecrScope<'static>, XtraError> {
        let checked = self.checked_project()?;
        let environment = sendable("environment", &self.environment)?;
        Ok(SecrScope { environment: Cow::Owned(environment.to_owned()), ..checked })
    }

    /// The project of the scope, checked and owned.
    pub(super) fn checked_project(&self) -> Result<SecrScope<'static>, XtraError> {
        let owned = |what, name| sendable(what, name).map(|name| Cow::Owned(name.to_owned()));
        Ok(SecrScope::of_project(owned("organisation", &self.org)?, owned("project", &self.project)?))
    }

    /// The scope as the arguments of a call.
    pub(super) fn shown(&self) -> String {
        let names = [&self.org, &self.project, &self.environment];
        names.into_iter().filter(|name| !name.is_empty()).map(|name| shown(name)).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn describe(&self) -> ScopeDescription {
        let text = format!("the environment {} of the project {}", shown(&self.environment), shown(&self.project));
        ScopeDescription::new(text).named(&*self.environment).usual(&["development", "staging", "production"])
    }
}

/// An organisation, a project and an environment.
impl<'a> From<(&'a str, &'a str, &'a str)> for SecrScope<'a> {
    fn from((org, project, environment): (&'a str, &'a str, &'a str)) -> Self {
        Self::new(org, project, environment)
    }
}

/// The name, when it can be a segment of a path.
pub(super) fn sendable<'n>(what: &str, name: &'n str) -> Result<&'n str, XtraError> {
    let flaw = match name {
        "" => "is empty".to_owned(),
        "." | ".." => format!("{name:?} would change the address that is asked"),
        _ if name.trim() != name => format!("{} begins or ends with white space", shown(name)),
        _ if name.chars().any(char::is_control) => format!("{} contains a control character", shown(name)),
        _ => return Ok(name),
    };
    Err(XtraError::new(ErrorKind::Invalid, format!("the name of the {what} {flaw}. Nothing was sent")))
}

/// Whether a text begins as the service's tokens do.
pub(super) fn looks_like_a_token(text: &str) -> bool {
    text.trim_start().starts_with("secr_")
}

/// A name for a message.
pub(super) fn shown(name: &str) -> String {
    shown_name(name, looks_like_a_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_be_sent_is_refused_by_the_part_that_it_is_of() {
        for (scope, part) in [
            (SecrScope::new("", "web", "production"), "organisation"),
            (SecrScope::new("acme", "..", "production"), "project"),
            (SecrScope::new("acme", "web", " production"), "environment"),
            (SecrScope::new("acme", "web", ""), "environment"),
            (SecrScope::new("acme", "we\nb", "dev"), "project"),
        ] {
            let error = scope.checked().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(part), "{error}");
        }
        assert_eq!(SecrScope::new("acme", "web", "dev").checked().unwrap(), ("acme", "web", "dev").into());
    }

    #[test]
    fn a_token_that_was_passed_as_a_name_is_not_shown() {
        let scope = SecrScope::new("secr_tok_canary", "web", "production");
        assert!(!scope.shown().contains("canary") && scope.shown().contains("\"web\", \"production\""));
    }
}
