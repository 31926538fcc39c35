//! The variables of an environment: those that exist, those that can be set at all, and what became of each.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};

use crate::core::{SecretValue, process};

/// What became of the variables: names only, in order of the secrets' names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InjectionReport {
    set: Vec<String>,
    kept: Vec<String>,
    differing: Vec<String>,
}

impl InjectionReport {
    /// The variables that now hold a secret.
    #[must_use]
    pub fn set(&self) -> &[String] {
        &self.set
    }

    /// The variables that were there already and were left as they were.
    #[must_use]
    pub fn kept(&self) -> &[String] {
        &self.kept
    }

    /// Those of both lists that were there already with another value than the secret's: where they were set, that value was
    /// replaced; where they were kept, the secret does not get through.
    #[must_use]
    pub fn differing(&self) -> &[String] {
        &self.differing
    }

    /// Whether the variable is to be set, which is noted.
    pub(crate) fn decide(
        &mut self,
        variable: &str,
        before: Option<&OsStr>,
        value: &SecretValue,
        existing: &Existing,
    ) -> bool {
        if before.is_some_and(|before| before != OsStr::new(value.expose())) {
            self.differing.push(variable.to_owned());
        }
        let sets = before.is_none() || !existing.keeps(variable);
        let list = if sets { &mut self.set } else { &mut self.kept };
        list.push(variable.to_owned());
        sets
    }
}

/// What happens to a variable that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Override,
    /// These are kept, by their [`key`]; the others are overridden.
    KeepNamed(BTreeSet<OsString>),
}

impl Existing {
    pub(crate) fn keeps(&self, name: &str) -> bool {
        match self {
            Self::Keep => true,
            Self::Override => false,
            Self::KeepNamed(names) => names.contains(&*key(OsStr::new(name))),
        }
    }
}

/// The variables of this process at one moment. A look-up does not search through all of them, as one in the environment
/// itself does.
pub(crate) struct Inherited(HashMap<OsString, OsString, foldhash::fast::RandomState>);

impl Inherited {
    pub(crate) fn now() -> Self {
        Self(process::variables().map(|(name, value)| (key(&name).into_owned(), value)).collect())
    }

    pub(crate) fn get(&self, name: &OsStr) -> Option<&OsStr> {
        self.0.get(&*key(name)).map(OsString::as_os_str)
    }
}

/// The form of a name in which two are equal exactly when they are one variable on this platform.
pub(crate) fn key(name: &OsStr) -> Cow<'_, OsStr> {
    if cfg!(windows) { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) }
}

/// Why no environment can hold this variable, whoever asks.
pub(crate) fn unsettable(name: &str, value: &SecretValue) -> Option<&'static str> {
    /// What `SetEnvironmentVariableW` takes, in UTF-16 units, without the closing zero.
    const WINDOWS_LONGEST: usize = 32_766;

    if name.is_empty() {
        Some("the name is empty")
    } else if name.contains('=') {
        Some("the name holds `=`")
    } else if name.contains('\0') {
        Some("the name holds a NUL byte")
    } else if value.expose().contains('\0') {
        Some("the value holds a NUL byte")
    } else if cfg!(windows) && value.expose().encode_utf16().count() > WINDOWS_LONGEST {
        Some("the value is longer than the 32,766 characters that Windows allows")
    } else {
        None
    }
}
