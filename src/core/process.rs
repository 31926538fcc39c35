//! The surroundings of this process, as far as they are read: its variables, its user's home and its working directory.

use std::ffi::OsString;
use std::path::PathBuf;

/// A variable is set, but its value is not Unicode. The value is not kept.
#[cfg(any(feature = "offline", feature = "http"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotUnicode;

/// Every variable of this process.
pub(crate) fn variables() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// The value of a variable, `None` when it is not set. An empty value is a value.
#[cfg(any(feature = "offline", feature = "http"))]
pub(crate) fn var(name: &str) -> Result<Option<String>, NotUnicode> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(NotUnicode),
    }
}

/// The path in a variable, `None` when it is not set or empty. It need not be Unicode.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The home directory of the user, when there is one. A relative path is none: it would lead into the working directory.
#[cfg(any(feature = "offline", feature = "http"))]
pub(crate) fn home_dir() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
}

/// The working directory, unless it is gone or out of reach.
#[cfg(feature = "http")]
pub(crate) fn current_dir() -> Option<PathBuf> {
    std::env::current_dir().ok()
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_not_set_is_none_and_one_that_is_set_has_its_value() {
        assert_eq!(var("XTRASECURITY_TEST_THAT_IS_NEVER_SET"), Ok(None));
        assert!(var("PATH").is_ok_and(|path| path.is_some_and(|path| !path.is_empty())));
    }
}
