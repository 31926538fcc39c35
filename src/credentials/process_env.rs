//! What a program finds around itself: variables and directories. A value, so that tests need not change the process.

use std::path::PathBuf;

use crate::env::{NotUnicode, current_dir, home_dir, var};

/// Looks a variable up; `None` when it is not set.
type Lookup = Box<dyn Fn(&str) -> Result<Option<String>, NotUnicode> + Send + Sync>;

/// The variables and directories that credentials and defaults are taken from.
pub(crate) struct Surroundings {
    lookup: Lookup,
    pub(super) home: Option<PathBuf>,
    pub(crate) working: Option<PathBuf>,
    pub(super) platform: Platform,
}

/// Where a platform keeps the settings of command line tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    Unix,
    MacOs,
    Windows,
}

impl Surroundings {
    /// Those of this process.
    pub(crate) fn process() -> Self {
        Self {
            lookup: Box::new(var),
            home: home_dir(),
            working: current_dir(),
            platform: if cfg!(windows) {
                Platform::Windows
            } else if cfg!(target_os = "macos") {
                Platform::MacOs
            } else {
                Platform::Unix
            },
        }
    }

    pub(crate) fn var(&self, name: &str) -> Result<Option<String>, NotUnicode> {
        (self.lookup)(name)
    }

    /// The settings file of the vendor's command line tool. The path is the customary one of the library that the tool keeps
    /// its settings with; the tool documents none.
    pub(super) fn cli_store(&self) -> Option<PathBuf> {
        let below = |directory: PathBuf| directory.join("xtra-cli-nodejs");
        // a relative path would lead into the working directory, which may be somebody else's
        let given = |name| self.var(name).ok().flatten().map(PathBuf::from).filter(|path| path.is_absolute());
        let in_home = |path: &str| self.home.as_ref().map(|home| home.join(path));
        let directory = match self.platform {
            Platform::Unix => below(given("XDG_CONFIG_HOME").or_else(|| in_home(".config"))?),
            Platform::MacOs => below(in_home("Library/Preferences")?),
            Platform::Windows => below(given("APPDATA").or_else(|| in_home("AppData/Roaming"))?).join("Config"),
        };
        Some(directory.join("config.json"))
    }
}

#[cfg(test)]
impl Surroundings {
    /// Surroundings with these variables, no home and no working directory.
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let lookup = move |name: &str| match variables.iter().find(|(known, _)| known == name) {
            // stands for bytes that are not Unicode
            Some((_, value)) if value == Self::NOT_UNICODE => Err(NotUnicode),
            found => Ok(found.map(|(_, value)| value.clone())),
        };
        Self { lookup: Box::new(lookup), home: None, working: None, platform: Platform::Unix }
    }

    /// A variable set to this reads as one that is not Unicode.
    pub(crate) const NOT_UNICODE: &str = "<not unicode>";

    pub(crate) fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    pub(crate) fn with_working_dir(mut self, working: impl Into<PathBuf>) -> Self {
        self.working = Some(working.into());
        self
    }

    pub(super) fn on(mut self, platform: Platform) -> Self {
        self.platform = platform;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_store_of_the_command_line_tool_is_where_the_platform_keeps_settings() {
        let variables = [("XDG_CONFIG_HOME", "/xdg"), ("APPDATA", "/roaming")];
        let cases = [
            (Platform::Unix, &variables[..], "/xdg/xtra-cli-nodejs/config.json"),
            (Platform::Unix, &[], "/home/u/.config/xtra-cli-nodejs/config.json"),
            (Platform::Unix, &[("XDG_CONFIG_HOME", "here")], "/home/u/.config/xtra-cli-nodejs/config.json"),
            (Platform::Unix, &[("XDG_CONFIG_HOME", "")], "/home/u/.config/xtra-cli-nodejs/config.json"),
            (Platform::MacOs, &variables, "/home/u/Library/Preferences/xtra-cli-nodejs/config.json"),
            (Platform::Windows, &variables, "/roaming/xtra-cli-nodejs/Config/config.json"),
            (Platform::Windows, &[], "/home/u/AppData/Roaming/xtra-cli-nodejs/Config/config.json"),
        ];
        for (platform, variables, expected) in cases {
            let surroundings = Surroundings::of(variables).with_home("/home/u").on(platform);
            assert_eq!(surroundings.cli_store().as_deref(), Some(Path::new(expected)), "{platform:?}");
        }
    }

    #[test]
    fn without_a_home_there_is_no_store() {
        for platform in [Platform::Unix, Platform::MacOs, Platform::Windows] {
            assert_eq!(Surroundings::of(&[]).on(platform).cli_store(), None);
        }
    }
}
