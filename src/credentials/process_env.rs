//! The process environment: the variables and directories that tokens and settings are taken from.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::Sourced;
use crate::core::process::{NotUnicode, current_dir, home_dir, var};
use crate::core::{ErrorKind, Hint, XtraError};

/// The variables and directories that tokens and settings are looked up in.
///
/// [`current`](Self::current) is that of this process, asked at each look-up. A test makes one of its own with
/// [`of_variables`](Self::of_variables), so that it need not change the process. `Debug` prints no values.
///
/// ```
/// use xtrasecurity::credentials::ProcessEnv;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let env = ProcessEnv::of_variables([("ACME_PROJECT", "p1"), ("ACME_URL", "")]);
/// assert_eq!(env.setting("ACME_PROJECT")?.unwrap().value, "p1");
/// assert!(env.setting("ACME_URL")?.is_none(), "an empty variable counts as absent");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ProcessEnv {
    variables: Variables,
    home: Option<PathBuf>,
    working_dir: Option<PathBuf>,
    platform: Platform,
}

#[derive(Clone)]
enum Variables {
    OfProcess,
    Given(HashMap<String, Result<String, NotUnicode>>),
}

/// A family of systems that keep the settings of command line tools in one customary place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    Unix,
    MacOs,
    Windows,
}

impl ProcessEnv {
    /// The environment of this process.
    #[must_use]
    pub fn current() -> Self {
        Self {
            variables: Variables::OfProcess,
            home: home_dir(),
            working_dir: current_dir(),
            platform: if cfg!(windows) {
                Platform::Windows
            } else if cfg!(target_os = "macos") {
                Platform::MacOs
            } else {
                Platform::Unix
            },
        }
    }

    /// An environment with these variables, no home and no working directory.
    #[must_use]
    pub fn of_variables<N: Into<String>, V: Into<OsString>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let given = variables.into_iter().map(|(name, value)| {
            // bytes that are not Unicode are not kept
            (name.into(), value.into().into_string().map_err(|_| NotUnicode))
        });
        Self { variables: Variables::Given(given.collect()), home: None, working_dir: None, platform: Platform::Unix }
    }

    /// This environment with another home directory.
    #[must_use]
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// This environment with another working directory.
    #[must_use]
    pub fn with_working_dir(mut self, working_dir: impl Into<PathBuf>) -> Self {
        self.working_dir = Some(working_dir.into());
        self
    }

    /// The home directory of the user, when one is known.
    #[must_use]
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// The working directory, unless it is gone or out of reach.
    #[must_use]
    pub fn working_dir(&self) -> Option<&Path> {
        self.working_dir.as_deref()
    }

    /// The value of a variable, and the variable as its origin. `None` when it is not set or empty.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when it is not Unicode text.
    pub fn setting(&self, name: &'static str) -> Result<Option<Sourced>, XtraError> {
        match self.var(name) {
            Ok(value) => Ok(value.filter(|text| !text.is_empty()).map(|text| Sourced::new(text, name))),
            Err(NotUnicode) => Err(XtraError::new(ErrorKind::Config, format!("{name} is not Unicode text"))
                .with_hint(Hint::advice("Set it again, or unset it"))),
        }
    }

    /// The value of a variable, which may be empty; `None` when it is not set.
    pub(crate) fn var(&self, name: &str) -> Result<Option<String>, NotUnicode> {
        match &self.variables {
            Variables::OfProcess => var(name),
            Variables::Given(given) => given.get(name).cloned().transpose(),
        }
    }

    /// The directory that the command line tool of this name keeps its settings in, by the custom of the platform.
    pub(super) fn tool_dir(&self, name: &str) -> Option<PathBuf> {
        // a relative path would lead into the working directory, which may be somebody else's
        let given = |name| self.var(name).ok().flatten().map(PathBuf::from).filter(|path| path.is_absolute());
        let in_home = |path: &str| self.home.as_ref().map(|home| home.join(path));
        Some(match self.platform {
            Platform::Unix => given("XDG_CONFIG_HOME").or_else(|| in_home(".config"))?.join(name),
            Platform::MacOs => in_home("Library/Preferences")?.join(name),
            Platform::Windows => given("APPDATA").or_else(|| in_home("AppData/Roaming"))?.join(name).join("Config"),
        })
    }

    /// A path as messages show it: without the name of the user's directory.
    pub(super) fn shown(&self, path: &Path) -> String {
        match self.home.as_ref().and_then(|home| path.strip_prefix(home).ok()) {
            Some(rest) => format!("~/{}", rest.display()),
            None => path.display().to_string(),
        }
    }
}

impl fmt::Debug for ProcessEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessEnv").field("platform", &self.platform).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl ProcessEnv {
    /// An environment in which a variable of the value [`NOT_UNICODE`](Self::NOT_UNICODE) is not Unicode.
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        let mut env = Self::of_variables(variables.iter().copied());
        if let Variables::Given(given) = &mut env.variables {
            for value in given.values_mut().filter(|value| value.as_deref() == Ok(Self::NOT_UNICODE)) {
                *value = Err(NotUnicode);
            }
        }
        env
    }

    pub(crate) const NOT_UNICODE: &str = "<not unicode>";

    fn on(mut self, platform: Platform) -> Self {
        self.platform = platform;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_of_a_command_line_tool_is_where_the_platform_keeps_settings() {
        let variables = [("XDG_CONFIG_HOME", "/xdg"), ("APPDATA", "/roaming")];
        let cases = [
            (Platform::Unix, &variables[..], "/xdg/acme"),
            (Platform::Unix, &[], "/home/u/.config/acme"),
            (Platform::Unix, &[("XDG_CONFIG_HOME", "here")], "/home/u/.config/acme"),
            (Platform::Unix, &[("XDG_CONFIG_HOME", "")], "/home/u/.config/acme"),
            (Platform::MacOs, &variables, "/home/u/Library/Preferences/acme"),
            (Platform::Windows, &variables, "/roaming/acme/Config"),
            (Platform::Windows, &[], "/home/u/AppData/Roaming/acme/Config"),
        ];
        for (platform, variables, expected) in cases {
            let env = ProcessEnv::of(variables).with_home("/home/u").on(platform);
            assert_eq!(env.tool_dir("acme").as_deref(), Some(Path::new(expected)), "{platform:?}");
        }
    }

    #[test]
    fn without_a_home_there_is_no_store() {
        for platform in [Platform::Unix, Platform::MacOs, Platform::Windows] {
            assert_eq!(ProcessEnv::of(&[]).on(platform).tool_dir("acme"), None);
        }
    }

    #[test]
    fn a_variable_that_is_not_unicode_is_an_error_that_names_it() {
        let error = ProcessEnv::of(&[("ACME_URL", ProcessEnv::NOT_UNICODE)]).setting("ACME_URL").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().starts_with("ACME_URL is not Unicode"), "{error}");
    }

    #[test]
    fn no_value_is_printed() {
        assert!(!format!("{:?}", ProcessEnv::of(&[("A", "hunter2")])).contains("hunter2"));
    }
}
