//! The configuration of a client as a report: each setting, where it was found, and what is wrong with it.

use std::borrow::Cow;
use std::fmt;

use super::settings::Sourced;
use crate::core::XtraError;

/// What stands for a token or a passphrase.
const REDACTED: &str = "[REDACTED]";

/// What a client would be made of: each setting, where it was found, and what is wrong with it. For diagnosis: nothing is sent,
/// and no token is shown.
///
/// A client builder's `explain` makes one. `Display` writes a line for each setting.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Configuration {
    settings: Vec<Setting>,
}

impl Configuration {
    /// The settings, in the order in which the builder lists them.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The setting of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// Whether no setting has a problem, so that a client can be built.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.settings.iter().all(|setting| setting.problem.is_none())
    }
}

impl FromIterator<Setting> for Configuration {
    fn from_iter<I: IntoIterator<Item = Setting>>(settings: I) -> Self {
        Self { settings: settings.into_iter().collect() }
    }
}

/// One setting of a [`Configuration`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Setting {
    name: &'static str,
    shown: Option<String>,
    origin: Cow<'static, str>,
    option: Option<&'static str>,
    problem: Option<XtraError>,
}

impl Setting {
    /// A setting that may be shown.
    #[must_use]
    pub fn new(name: &'static str, found: Sourced) -> Self {
        Self { name, shown: Some(found.value), origin: found.origin, option: found.option, problem: None }
    }

    /// A token or a passphrase from `origin`, which is shown as `[REDACTED]`.
    #[must_use]
    pub fn redacted(name: &'static str, origin: impl Into<Cow<'static, str>>) -> Self {
        Self { shown: Some(REDACTED.to_owned()), ..Self::absent(name, origin) }
    }

    /// A setting that is not set. `origin` says why, or where it was looked for.
    #[must_use]
    pub fn absent(name: &'static str, origin: impl Into<Cow<'static, str>>) -> Self {
        Self { name, shown: None, origin: origin.into(), option: None, problem: None }
    }

    /// This setting with what is wrong with it, if anything is.
    #[must_use]
    pub fn with_problem(mut self, problem: Option<XtraError>) -> Self {
        self.problem = problem;
        self
    }

    /// This setting, checked when it is set.
    #[must_use]
    pub fn checked(self, check: impl FnOnce(&str) -> Result<(), XtraError>) -> Self {
        match self.shown.as_deref().map(check) {
            Some(Err(problem)) => self.with_problem(Some(problem)),
            _ => self,
        }
    }

    /// The setting's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is set to, `None` when it is not set. A token or a passphrase is shown as `[REDACTED]`.
    #[must_use]
    pub fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// Where it was found: a variable, a file, an option of the builder, or `default`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The option of the builder that gave it, when one did: the name of its method.
    #[must_use]
    pub fn option(&self) -> Option<&'static str> {
        self.option
    }

    /// Why it cannot be used, and what to do about it.
    #[must_use]
    pub fn problem(&self) -> Option<&XtraError> {
        self.problem.as_ref()
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.shown().unwrap_or("not set");
        write!(f, "{}: {shown} ({})", self.name, self.origin)?;
        match &self.problem {
            Some(problem) => write!(f, ": {problem}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.iter().try_for_each(|setting| writeln!(f, "{setting}"))
    }
}
