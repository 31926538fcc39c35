//! XtraSecurity's variables and files: where its clients find their token, base URL, defaults and passphrase.

use std::path::PathBuf;

use crate::core::{ErrorKind, Hint, SecretValue, XtraError, events};
use crate::credentials::{
    BaseUrls, ChainPosition, ProcessEnv, SettingsFile, SettingsReader, Sourced, Step, TokenStore,
};

/// The base URL of XtraSecurity itself, which a client uses when none is given.
pub const DEFAULT_API_URL: &str = "https://www.xtrasecurity.in/api";

/// What `xtrasec login` and the vendor's login write.
const USER_FILE: TokenStore =
    TokenStore::in_home(".xtra/config.json").token_in(&["token", "authToken"]).base_url_in("apiUrl");

/// The settings of the vendor's command. The tool documents no path: this is the customary one of the library that it keeps its
/// settings with.
const VENDOR_STORE: TokenStore = TokenStore::of_tool("xtra-cli-nodejs", "the settings of the xtra command")
    .token_in(&["token", "authToken"])
    .base_url_in("apiUrl");

/// Where a token is looked for.
pub(super) const STEPS: &[Step] = &[
    Step::Explicit,
    Step::Custom(ChainPosition::First),
    Step::Variable("XTRA_TOKEN"),
    Step::Variable("XTRA_MACHINE_TOKEN"),
    Step::Custom(ChainPosition::AfterEnvironment),
    Step::Store(USER_FILE),
    Step::Store(VENDOR_STORE),
    Step::Custom(ChainPosition::Last),
];

/// The project's settings of the vendor's command, in the working directory or above it in its repository.
const SETTINGS_FILE: SettingsFile = SettingsFile::new(".xtrarc", &["project", "env", "branch", "apiUrl"]);

/// The passphrase of sealed values. In variables only: the file is shared, and often committed.
const PASSPHRASES: &[&str] = &[PASSPHRASE_VARIABLE, "XTRA_MASTER_SECRET"];

/// The variable that errors name.
pub(crate) const PASSPHRASE_VARIABLE: &str = "XTRA_VAULT_PASSPHRASE";

/// Turns local mode on when it is exactly `true`. The vendor's command obeys the same variable.
pub(super) const LOCAL_MODE: &str = "XTRA_LOCAL_MODE";

/// What local mode reads, from the working directory.
const LOCAL_FILE: &str = ".env.local";

/// What calls use that do not say, as variables and files have it. Empty texts count as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Defaults {
    pub(super) project: Option<Sourced>,
    pub(super) environment: Option<Sourced>,
    pub(super) branch: Option<Sourced>,
    /// The variable's.
    pub(super) api_url: Option<Sourced>,
    /// The file's, which the base URL's rule decides about.
    pub(super) api_url_in_file: Option<Sourced>,
    pub(super) passphrase: Option<Sourced<SecretValue>>,
}

impl Defaults {
    /// The variables, then `.xtrarc`; of the base URL both.
    ///
    /// Fails when a variable is not Unicode, or the file is there and cannot be used.
    pub(crate) fn load(env: &ProcessEnv) -> Result<Self, XtraError> {
        let (defaults, mut problems) = Self::load_lenient(env);
        if problems.is_empty() { Ok(defaults) } else { Err(problems.swap_remove(0)) }
    }

    /// What can be used, and why the rest cannot.
    pub(super) fn load_lenient(env: &ProcessEnv) -> (Self, Vec<XtraError>) {
        let mut reader = SettingsReader::new(env);
        let project = reader.first_variable(&["XTRA_PROJECT_ID"]);
        let api_url = reader.first_variable(&["XTRA_API_URL"]);
        let passphrase = reader.first_variable(PASSPHRASES);
        let mut file = reader.file(&SETTINGS_FILE);
        let defaults = Self {
            project: project.or(file.take("project")),
            environment: file.take("env").map(|found| found.map(|name| full_environment_name(&name).to_owned())),
            branch: file.take("branch"),
            api_url,
            api_url_in_file: file.take("apiUrl"),
            passphrase: passphrase.map(|found| found.map(SecretValue::new)),
        };
        (defaults, reader.into_problems())
    }

    /// The base URLs to choose from, `option` first.
    pub(super) fn base_urls(&self, option: Option<Sourced>, env: &ProcessEnv) -> BaseUrls {
        BaseUrls::new(DEFAULT_API_URL)
            .named(option)
            .named(self.api_url.clone())
            .in_working_dir(self.api_url_in_file.clone())
            .user(USER_FILE.contents(env))
            .variable("XTRA_API_URL")
            .login("xtrasec login --api-url …")
    }
}

/// The vendor's command writes and accepts short names; the service knows only the long ones.
pub(super) fn full_environment_name(name: &str) -> &str {
    match name {
        "dev" => "development",
        "stg" => "staging",
        "prod" => "production",
        _ => name,
    }
}

/// The file that is read in the service's place, when whoever started the program has turned local mode on.
pub(super) fn local_file(env: &ProcessEnv) -> Result<Option<PathBuf>, XtraError> {
    match env.var(LOCAL_MODE) {
        Ok(Some(value)) if value == "true" => {}
        Ok(Some(value)) if !matches!(value.as_str(), "" | "false" | "0") => {
            tracing::warn!(target: events::CREDENTIALS, "{LOCAL_MODE} is set to something else than `true`, and does nothing");
            return Ok(None);
        }
        _ => return Ok(None),
    }
    match env.working_dir() {
        Some(directory) => Ok(Some(directory.join(LOCAL_FILE))),
        None => Err(XtraError::new(
            ErrorKind::Config,
            format!(
                "{LOCAL_MODE} is set, but the working directory, where {LOCAL_FILE} is read, is gone or cannot be told"
            ),
        )
        .with_hint(Hint::advice("Change to another directory"))
        .with_hint(Hint::LeaveLocalMode { variable: LOCAL_MODE })),
    }
}

#[cfg(test)]
mod tests;
