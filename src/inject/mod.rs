//! Secrets as environment variables: of a child process, or of this one.

mod guarded;
mod request;
mod selection;
mod variables;

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::process::Command;

use crate::SERVICE_VARIABLES;
use crate::core::snapshot::Secrets;
use crate::core::{ErrorKind, Hint, XtraError};
use selection::{Target, Variable};
use variables::key;

pub use request::Inject;
pub use selection::Selection;
pub use variables::InjectionReport;
pub(crate) use variables::{Existing, Inherited, unsettable};

/// The environment variables of one service.
pub(crate) struct ServiceVariables {
    /// Those that steer its clients: names with blanks between them, in which one `*` stands for any text.
    pub(crate) guarded: &'static str,
    /// Those that hold credentials.
    pub(crate) credentials: &'static [&'static str],
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
/// let report = secrets.injection().only(["DATABASE_URL"]).apply_to(&mut command)?;
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

/// What becomes of our own credentials in the environment of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credentials {
    /// Nothing was said: they are removed.
    Default,
    Inherited,
    Removed,
}

impl Secrets {
    /// Starts to choose how these secrets become environment variables.
    pub fn injection(&self) -> Injection<'_> {
        Injection { secrets: self, selection: Selection::new(), existing: None, credentials: Credentials::Default }
    }

    /// Gives every secret to a child process as a variable of its own name; short for `injection().apply_to(command)`. The
    /// child does not inherit this client's own credentials.
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

    /// Leaves these secrets out; see [`Selection::exclude`].
    pub fn exclude(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.edit(|selection| selection.exclude(names))
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

    /// Leaves these variables as they are when they are set already, and overrides all others. `variables` are full names,
    /// after prefix and renaming. Further calls add to the names.
    pub fn keep(mut self, variables: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut names = match self.existing {
            Some(Existing::KeepNamed(names)) => names,
            _ => BTreeSet::new(),
        };
        names.extend(variables.into_iter().map(|name| key(OsStr::new(&name.into())).into_owned()));
        self.existing = Some(Existing::KeepNamed(names));
        self
    }

    /// Leaves this client's own credentials in the child's environment, for a child that is a client itself. By default
    /// [`apply_to`](Self::apply_to) removes them; see [`without_credentials`](Self::without_credentials).
    pub fn with_credentials(mut self) -> Self {
        self.credentials = Credentials::Inherited;
        self
    }

    /// Removes this client's own credentials from the child's environment, inherited or set on the command before: every
    /// variable that a service of this crate, or its vendor's documents, have a token or a passphrase in. A secret of such a
    /// name, when it is chosen and allowed, is still set.
    ///
    /// This is the default of [`apply_to`](Self::apply_to). [`inject`](Self::inject), which is not about a child, refuses it.
    pub fn without_credentials(mut self) -> Self {
        self.credentials = Credentials::Removed;
        self
    }

    /// Gives the secrets to a child process. This is sound everywhere: nothing of this process changes.
    ///
    /// A variable that the child would inherit, or that was set on the command before, is overridden, unless
    /// [`keep_existing`](Self::keep_existing) or [`keep`](Self::keep) was asked for. This client's own credentials are removed,
    /// unless [`with_credentials`](Self::with_credentials) was asked for. (The standard library does not tell of `Command::env_clear`, so
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
        if self.credentials != Credentials::Inherited {
            for name in SERVICE_VARIABLES.iter().flat_map(|service| service.credentials) {
                command.env_remove(name);
            }
        }
        let existing = self.existing_or(&Existing::Override);
        let before = ChildEnvironment::of(command);
        let mut report = InjectionReport::default();
        for (name, value) in variables {
            if report.decide(&name, before.get(&name), value, existing) {
                command.env(&*name, value.expose());
            }
        }
        Ok(report)
    }

    /// The variables for this process, checked; `inject` is in `env.rs`.
    pub(crate) fn plan_for_this_process(&self) -> Result<Vec<Variable<'s>>, XtraError> {
        if self.credentials == Credentials::Removed {
            let message = "credentials can be removed from the environment of a child only. Nothing was set";
            return Err(XtraError::new(ErrorKind::Invalid, message)
                .with_hint(Hint::Use { call: "apply_to", purpose: "start a child without them" })
                .with_hint(Hint::LeaveOut { option: "without_credentials" }));
        }
        self.selection.plan(self.secrets, Target::ThisProcess)
    }

    pub(crate) fn existing_or<'e>(&'e self, default: &'e Existing) -> &'e Existing {
        self.existing.as_ref().unwrap_or(default)
    }

    fn edit(mut self, change: impl FnOnce(Selection) -> Selection) -> Self {
        self.selection = change(self.selection);
        self
    }
}

/// What the child would have if nothing more were done: what was set on the command, else what it inherits.
struct ChildEnvironment {
    /// `None` for a variable that was removed.
    given: HashMap<OsString, Option<OsString>>,
    inherited: Inherited,
}

impl ChildEnvironment {
    fn of(command: &Command) -> Self {
        let given = command.get_envs();
        let given = given.map(|(name, value)| (key(name).into_owned(), value.map(OsStr::to_owned))).collect();
        Self { given, inherited: Inherited::now() }
    }

    fn get(&self, name: &str) -> Option<&OsStr> {
        let name = OsStr::new(name);
        match self.given.get(&*key(name)) {
            Some(value) => value.as_deref(),
            None => self.inherited.get(name),
        }
    }
}

#[cfg(test)]
mod tests;
