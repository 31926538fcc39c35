//! The environment variables of this process as a source of secrets.

use std::ffi::OsString;
use std::fmt;

use super::local;
use crate::SERVICE_VARIABLES;
use crate::core::{
    Identity, ScopeDescription, SecretValue, SnapshotSource, Unreadable, UnreadableReason, XtraError, process,
    shown_name,
};
use crate::engine::{KeyWriter, Loaded, SecretSource};

/// The environment variables of this process, as they are at each load.
///
/// - With a [`prefix`](Self::prefix) only the variables that begin with it, without it.
/// - Without the variables that hold credentials of this crate's clients, such as a token: give them to a client instead.
///   [`with_credentials`](Self::with_credentials) takes them in.
/// - A variable whose name or value is no UTF-8 text is [unreadable](crate::snapshot::UnreadableReason::NotText), and not left
///   out: a read fails with its name, unless it says [`allow_unreadable`](crate::Request::allow_unreadable). Bytes that are no
///   text show as `�` in the name. A prefix keeps variables that do not matter out of this.
///
/// A load never fails. The values stay in the environment, for every library and child process; they are not wiped there.
///
/// ```
/// use xtrasecurity::{Client, XtraError, sources::EnvVars};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), XtraError> {
/// let client = Client::new_with_source(EnvVars::new().prefix("CARGO_PKG_"));
/// let secrets = client.read(()).await?;
/// # if secrets.contains("NAME") {
/// assert_eq!(secrets.require("NAME")?.expose(), "xtrasecurity"); // CARGO_PKG_NAME
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use = "it is read by a client"]
pub struct EnvVars {
    prefix: String,
    with_credentials: bool,
}

impl EnvVars {
    /// Every variable but the credentials of this crate's clients.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the variables that begin with `prefix` and no others, and calls them by what follows it: with `APP_`, the variable
    /// `APP_PORT` is the secret `PORT`. The case of the letters counts. A variable that is called as the prefix is left out.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Takes the variables in that hold credentials of this crate's clients.
    pub fn with_credentials(mut self) -> Self {
        self.with_credentials = true;
        self
    }

    fn loaded(&self, variables: impl Iterator<Item = (OsString, OsString)>) -> Loaded {
        let (mut values, mut unreadable) = (Vec::new(), Vec::new());
        for (name, value) in variables {
            let Some(rest) =
                name.as_encoded_bytes().strip_prefix(self.prefix.as_bytes()).filter(|rest| !rest.is_empty())
            else {
                continue;
            };
            if !self.with_credentials && is_credential(&name) {
                continue;
            }
            match (std::str::from_utf8(rest), value.into_string()) {
                (Ok(rest), Ok(value)) => values.push((rest.to_owned(), SecretValue::new(value))),
                _ => unreadable.push(Unreadable::new(String::from_utf8_lossy(rest), UnreadableReason::NotText)),
            }
        }
        Loaded::from_iter(values).with_unreadable(unreadable).from_source(SnapshotSource::Environment)
    }
}

fn is_credential(name: &OsString) -> bool {
    let is = |credential: &&str| match cfg!(windows) {
        true => name.eq_ignore_ascii_case(credential),
        false => name.as_os_str() == *credential,
    };
    SERVICE_VARIABLES.iter().flat_map(|service| service.credentials).any(is)
}

impl SecretSource for EnvVars {
    type Scope<'a> = ();
    type Owned = ();

    fn name(&self) -> &'static str {
        "environment"
    }

    fn base_url(&self) -> &str {
        &self.prefix
    }

    fn describe(&self, (): &()) -> Option<ScopeDescription> {
        let text = match self.prefix.is_empty() {
            true => "the environment of this process".to_owned(),
            false => {
                format!("the part of the environment that begins with {}", shown_name(&self.prefix, |_| false))
            }
        };
        Some(ScopeDescription::new(text).empty_means("No such variable is set"))
    }

    fn identity(&self) -> Identity {
        local()
    }

    fn write_key(&self, (): &(), _: &mut KeyWriter) {}

    fn prepare(&self, (): &()) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
        Ok(self.loaded(process::variables()))
    }
}

/// Without the prefix: what was passed by mistake may be a token.
impl fmt::Debug for EnvVars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvVars").field("with_credentials", &self.with_credentials).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(loaded: &Loaded) -> Vec<&str> {
        loaded.values.names().collect()
    }

    fn of(source: &EnvVars, variables: &[(&str, &str)]) -> Loaded {
        source.loaded(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn a_prefix_chooses_the_variables_and_is_taken_off_their_names() {
        let variables = [("APP_PORT", "1"), ("APP_", "2"), ("app_HOST", "3"), ("PATH", "4"), ("MY_APP_X", "5")];
        assert_eq!(names(&of(&EnvVars::new().prefix("APP_"), &variables)), ["PORT"]);
        assert_eq!(of(&EnvVars::new(), &variables).values.len(), variables.len());
    }

    #[test]
    fn the_credentials_of_every_service_are_left_out_unless_they_are_asked_for() {
        let credentials: Vec<&str> =
            SERVICE_VARIABLES.iter().flat_map(|service| service.credentials).copied().collect();
        assert!(credentials.len() >= 4, "{credentials:?}");
        let variables: Vec<_> = credentials.iter().map(|name| (*name, "hunter2")).chain([("PORT", "1")]).collect();
        assert_eq!(names(&of(&EnvVars::new(), &variables)), ["PORT"]);
        assert_eq!(of(&EnvVars::new().with_credentials(), &variables).values.len(), variables.len());
        let first = credentials[0];
        let cut = EnvVars::new().prefix(&first[..3]);
        assert!(names(&of(&cut, &variables)).is_empty(), "behind a prefix too");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_unreadable_and_named() {
        use std::os::unix::ffi::OsStringExt;
        let bytes = |text: &[u8]| OsString::from_vec(text.to_vec());
        let variables = [
            (bytes(b"APP_BINARY"), bytes(b"hunter2\xff")),
            (bytes(b"APP_\xffNAME"), bytes(b"hunter2")),
            (bytes(b"OTHER"), bytes(b"\xff")),
            (bytes(b"APP_A"), bytes(b"1")),
        ];
        let loaded = EnvVars::new().prefix("APP_").loaded(variables.into_iter());
        let expected = ["BINARY", "\u{fffd}NAME"].map(|name| Unreadable::new(name, UnreadableReason::NotText));
        assert_eq!((names(&loaded), &loaded.unreadable[..]), (vec!["A"], &expected[..]));
        assert!(!format!("{loaded:?}").contains("hunter2"));
    }
}
