//! Secrets as environment variables: of a child process, or of this one.

mod guarded;
mod selection;

use std::process::Command;

use self::selection::{Target, Variable};
use super::snapshot::Secrets;
use crate::env::{self, Existing};
use crate::error::{ErrorKind, XtraError};

pub use self::selection::Selection;

/// The variables that hold our own credentials.
const CREDENTIALS: [&str; 4] = ["XTRA_TOKEN", "XTRA_MACHINE_TOKEN", "XTRA_VAULT_PASSPHRASE", "XTRA_MASTER_SECRET"];

/// What became of the variables: names only, in order of the secrets' names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InjectionReport {
    set: Vec<String>,
    kept: Vec<String>,
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

    pub(crate) fn push_set(&mut self, variable: &str) {
        self.set.push(variable.to_owned());
    }

    pub(crate) fn push_kept(&mut self, variable: &str) {
        self.kept.push(variable.to_owned());
    }
}

/// Secrets on their way into an environment; made by [`Secrets::injection`].
///
/// Finish with [`apply_to`](Self::apply_to) for a child process, which is sound everywhere, or with
/// [`inject`](Self::inject) for this process, which needs a process with one thread.
///
/// ```
/// use std::process::Command;
/// use xtrasecurity::Secrets;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let secrets = Secrets::from_iter([("DATABASE_URL", "postgres://db"), ("API_KEY", "k")]);
/// let mut command = Command::new("psql");
/// let report = secrets.injection().only(["DATABASE_URL"]).without_credentials().apply_to(&mut command)?;
/// assert_eq!(report.set(), ["DATABASE_URL"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is set before apply_to or inject"]
pub struct Injection<'s> {
    secrets: &'s Secrets,
    selection: Selection,
    /// `None`: as the target has it, a child overrides and this process keeps.
    existing: Option<Existing>,
    credentials: Credentials,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credentials {
    Inherited,
    Removed,
}

impl Secrets {
    /// Starts to choose how these secrets become environment variables.
    pub fn injection(&self) -> Injection<'_> {
        Injection { secrets: self, selection: Selection::new(), existing: None, credentials: Credentials::Inherited }
    }

    /// Gives every secret to a child process as a variable of its own name; short for `injection().apply_to(command)`.
    ///
    /// # Errors
    ///
    /// As [`Injection::apply_to`]; the command is then unchanged.
    ///
    /// ```
    /// use std::process::Command;
    /// use xtrasecurity::Secrets;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// let secrets = Secrets::from_iter([("DATABASE_URL", "postgres://db")]);
    /// let mut command = Command::new("psql");
    /// secrets.apply_to(&mut command)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn apply_to(&self, command: &mut Command) -> Result<InjectionReport, XtraError> {
        self.injection().apply_to(command)
    }
}

impl<'s> Injection<'s> {
    /// Takes the choice of names from `selection`, in place of the one made so far.
    pub fn select(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Takes these secrets and no others; see [`Selection::only`].
    pub fn only(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.edit(|selection| selection.only(names))
    }

    /// Leaves these secrets out; see [`Selection::except`].
    pub fn except(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.edit(|selection| selection.except(names))
    }

    /// Puts `prefix` in front of every name; see [`Selection::prefix`].
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.edit(|selection| selection.prefix(prefix))
    }

    /// Calls the variable of `secret` exactly `variable`; see [`Selection::rename`].
    pub fn rename(self, secret: impl Into<String>, variable: impl Into<String>) -> Self {
        self.edit(|selection| selection.rename(secret, variable))
    }

    /// Allows one guarded variable, such as `PATH`; [`Selection::allow_name`] lists all that are guarded.
    pub fn allow_name(self, variable: impl Into<String>) -> Self {
        self.edit(|selection| selection.allow_name(variable))
    }

    /// Leaves variables that are set already as they are. The default of [`inject`](Self::inject).
    pub fn keep_existing(mut self) -> Self {
        self.existing = Some(Existing::Keep);
        self
    }

    /// Overrides variables that are set already. The default of [`apply_to`](Self::apply_to).
    pub fn override_existing(mut self) -> Self {
        self.existing = Some(Existing::Override);
        self
    }

    /// Removes this client's own credentials from the child's environment: `XTRA_TOKEN`, `XTRA_MACHINE_TOKEN`,
    /// `XTRA_VAULT_PASSPHRASE` and `XTRA_MASTER_SECRET`. A secret of such a name, when it is chosen, is still set.
    ///
    /// It is for [`apply_to`](Self::apply_to); [`inject`](Self::inject) refuses it.
    pub fn without_credentials(mut self) -> Self {
        self.credentials = Credentials::Removed;
        self
    }

    /// Gives the secrets to a child process. This is sound everywhere: nothing of this process changes.
    ///
    /// A variable that the child would inherit, or that was set on the command before, is overridden, unless
    /// [`keep_existing`](Self::keep_existing) was asked for. (The standard library does not tell of `Command::env_clear`, so
    /// `keep_existing` takes this process's variables for inherited even after it.) For a `tokio::process::Command`, pass
    /// its `as_std_mut()`.
    ///
    /// The command holds copies of the values until it is dropped, and its `Debug` output shows them: do not print it.
    ///
    /// # Errors
    ///
    /// The command is unchanged when the call fails. [`ErrorKind::Invalid`] names every variable that cannot be set, and
    /// why: an empty name, `=` or a NUL byte, a guarded name (see [`allow_name`](Self::allow_name)), two secrets that become
    /// one variable, and, on Linux, more than 128 KiB, which the kernel would refuse without saying which it was.
    /// [`ErrorKind::MissingSecret`]: a secret chosen by name is not in the snapshot; [`ErrorKind::Masked`] or
    /// [`ErrorKind::Undecryptable`]: it is there, but its value did not come through.
    pub fn apply_to(&self, command: &mut Command) -> Result<InjectionReport, XtraError> {
        let variables = self.selection.plan(self.secrets, Target::Child)?;
        if self.credentials == Credentials::Removed {
            for name in CREDENTIALS {
                command.env_remove(name);
            }
        }
        let existing = self.existing_or(Existing::Override);
        let mut report = InjectionReport::default();
        for (name, value) in variables {
            if existing == Existing::Keep && child_has(command, &name) {
                report.push_kept(&name);
            } else {
                command.env(&*name, value.expose());
                report.push_set(&name);
            }
        }
        Ok(report)
    }

    /// The variables for this process, checked; `inject` is in `env.rs`.
    pub(crate) fn plan_for_this_process(&self) -> Result<Vec<Variable<'s>>, XtraError> {
        if self.credentials == Credentials::Removed {
            let message =
                "without_credentials is for the environment of a child: use apply_to, or leave it out. Nothing was set";
            return Err(XtraError::new(ErrorKind::Invalid, message));
        }
        self.selection.plan(self.secrets, Target::ThisProcess)
    }

    pub(crate) fn existing_or(&self, default: Existing) -> Existing {
        self.existing.unwrap_or(default)
    }

    fn edit(mut self, change: impl FnOnce(Selection) -> Selection) -> Self {
        self.selection = change(self.selection);
        self
    }
}

/// Whether the child would have the variable if nothing more were done: set on the command, or inherited.
fn child_has(command: &Command, name: &str) -> bool {
    let same = |known: &std::ffi::OsStr| match guarded::CASE {
        guarded::Case::Sensitive => known == name,
        guarded::Case::Insensitive => known.eq_ignore_ascii_case(name),
    };
    match command.get_envs().find(|(known, _)| same(known)) {
        Some((_, value)) => value.is_some(),
        None => env::is_set(name),
    }
}

#[cfg(test)]
mod tests;
