//! Which secrets become variables, and under which names. Nothing is set here.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::guarded::{self, CASE, Case};
use crate::env;
use crate::error::{ErrorKind, XtraError};
use crate::secrets::{SecretValue, Secrets};

/// One variable to set: its name, and the value of the secret behind it.
pub(super) type Variable<'s> = (Cow<'s, str>, &'s SecretValue);

/// Whose environment the variables are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    ThisProcess,
    Child,
}

/// Which secrets become variables, and what the variables are called.
///
/// By default every secret becomes a variable of its own name. The checks are all or nothing: when one variable cannot or
/// may not be set, none is, and one error names all of them.
///
/// ```
/// use xtrasecurity::{Secrets, Selection};
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let secrets = Secrets::from_iter([("DATABASE_URL", "postgres://db"), ("API_KEY", "k"), ("NOTES", "n")]);
/// let selection = Selection::new().except(["NOTES"]).prefix("APP_").rename("DATABASE_URL", "PGURL");
///
/// let mut command = std::process::Command::new("env");
/// let report = secrets.injection().select(selection).apply_to(&mut command)?;
/// assert_eq!(report.set(), ["APP_API_KEY", "PGURL"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Selection {
    only: Option<BTreeSet<String>>,
    except: BTreeSet<String>,
    prefix: String,
    renamed: BTreeMap<String, String>,
    allowed: Vec<String>,
}

impl Selection {
    /// Every secret, under its own name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes these secrets and no others. A name that the snapshot does not have is an error
    /// ([`ErrorKind::MissingSecret`]), and so is one whose value did not come through ([`ErrorKind::Masked`] or
    /// [`ErrorKind::Undecryptable`]). Further calls add to the choice; an empty list chooses nothing.
    pub fn only(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.only.get_or_insert_default().extend(names.into_iter().map(Into::into));
        self
    }

    /// Leaves these secrets out, also when [`only`](Self::only) names them. A name that the snapshot does not have is no
    /// error.
    pub fn except(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.except.extend(names.into_iter().map(Into::into));
        self
    }

    /// Puts `prefix` in front of every name, except those given by [`rename`](Self::rename). The last call counts.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Calls the variable of `secret` exactly `variable`, without a prefix. A secret that the snapshot does not have, or that
    /// cannot be read, is an error as with [`only`](Self::only).
    pub fn rename(mut self, secret: impl Into<String>, variable: impl Into<String>) -> Self {
        self.renamed.insert(secret.into(), variable.into());
        self
    }

    /// Allows one guarded variable, such as `PATH`. `variable` is its full name, after prefix and renaming.
    ///
    /// Guarded are the variables that change what code a process loads or runs, or where this client sends its token: whoever
    /// may write the secret could take over every process that gets it. They are the following, where `*` stands for any
    /// ending; on Windows their case does not matter.
    ///
    /// - The loader and the C library: `LD_*`, `DYLD_*`, `GCONV_PATH`, `GLIBC_TUNABLES`, `OPENSSL_CONF`,
    ///   `OPENSSL_ENGINES`, `OPENSSL_MODULES`
    /// - Finding programs: `PATH`, `PATHEXT`, `COMSPEC`, `SystemRoot`, `windir`, `SHELL`
    /// - Finding the user's settings: `HOME`, `USERPROFILE`, `APPDATA`, `LOCALAPPDATA`, `XDG_CONFIG_HOME`,
    ///   `XDG_CONFIG_DIRS`
    /// - Shells: `BASH_ENV`, `BASH_FUNC_*`, `BASH_LOADABLES_PATH`, `BASHOPTS`, `CDPATH`, `FPATH`, `IFS`,
    ///   `PROMPT_COMMAND`, `PS0`, `PS1`, `PS2`, `PS4`, `PSModulePath`, `SHELLOPTS`, `ZDOTDIR`
    /// - Node.js and its kin: `BUN_OPTIONS`, `NODE_OPTIONS`, `NODE_PATH`, `NODE_REPL_EXTERNAL_MODULE`
    /// - Python: `PYTHONBREAKPOINT`, `PYTHONHOME`, `PYTHONPATH`, `PYTHONPLATLIBDIR`, `PYTHONPYCACHEPREFIX`,
    ///   `PYTHONSTARTUP`, `PYTHONUSERBASE`, `PYTHONWARNINGS`
    /// - Bundler, Ruby, Lua, Perl, PHP, R: `BUNDLE_GEMFILE`, `GEM_HOME`, `GEM_PATH`, `LUA_CPATH*`, `LUA_INIT*`,
    ///   `LUA_PATH*`, `PERL5DB`, `PERL5LIB`, `PERL5OPT`, `PERLLIB`, `PHPRC`, `PHP_INI_SCAN_DIR`, `RUBYLIB`,
    ///   `RUBYOPT`, `R_ENVIRON*`, `R_PROFILE*`
    /// - Java, .NET, Erlang: `CLASSPATH`, `JAVA_TOOL_OPTIONS`, `JDK_JAVA_OPTIONS`, `_JAVA_OPTIONS`,
    ///   `CORECLR_*`, `COR_ENABLE_PROFILING`, `COR_PROFILER*`, `DOTNET_ADDITIONAL_DEPS`, `DOTNET_SHARED_STORE`,
    ///   `DOTNET_STARTUP_HOOKS`, `ERL_AFLAGS`, `ERL_FLAGS`, `ERL_LIBS`, `ERL_ZFLAGS`
    /// - Programs that tools start: `BROWSER`, `EDITOR`, `LESSCLOSE`, `LESSOPEN`, `MANPAGER`, `PAGER`,
    ///   `SSH_ASKPASS`, `SUDO_ASKPASS`, `VISUAL`
    /// - Git: `GIT_ASKPASS`, `GIT_CONFIG*`, `GIT_DIR`, `GIT_EDITOR`, `GIT_EXEC_PATH`, `GIT_EXTERNAL_DIFF`,
    ///   `GIT_PAGER`, `GIT_PROXY_COMMAND`, `GIT_SEQUENCE_EDITOR`, `GIT_SSH`, `GIT_SSH_COMMAND`,
    ///   `GIT_TEMPLATE_DIR`
    /// - Builds: `CARGO_HOME`, `GOFLAGS`, `MAKEFLAGS`, `RUSTC`, `RUSTC_WORKSPACE_WRAPPER`, `RUSTC_WRAPPER`,
    ///   `RUSTFLAGS`
    /// - This client: `XTRA_API_URL`
    pub fn allow_name(mut self, variable: impl Into<String>) -> Self {
        self.allowed.push(variable.into());
        self
    }

    /// The variables to set, in order of the secrets' names, or everything that is wrong with them.
    pub(super) fn plan<'s>(&self, secrets: &'s Secrets, target: Target) -> Result<Vec<Variable<'s>>, XtraError> {
        self.all_there(secrets)?;
        let mut plan = Plan { selection: self, target, case: CASE, variables: Vec::new(), flaws: Vec::new() };
        for (secret, value) in secrets.iter().filter(|(secret, _)| self.takes(secret)) {
            plan.add(secret, value);
        }
        plan.finish()
    }

    /// Whether each secret that was asked for by name has a value to give.
    fn all_there(&self, secrets: &Secrets) -> Result<(), XtraError> {
        let mut missing = BTreeSet::new();
        for name in self.only.iter().flatten().chain(self.renamed.keys()) {
            match secrets.require(name) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::MissingSecret => drop(missing.insert(name)),
                // it is there and cannot be read: that says more
                Err(error) => return Err(error),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let names = missing.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ");
        let message = format!(
            "chosen by name but not among the {} secrets of this snapshot, so no variable was set: {names}. Names are \
             case-sensitive; check the names, the environment and the branch",
            secrets.len()
        );
        Err(XtraError::new(ErrorKind::MissingSecret, message).with_keys(missing))
    }

    fn takes(&self, secret: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(secret)) && !self.except.contains(secret)
    }

    fn variable_name<'s>(&self, secret: &'s str) -> Cow<'s, str> {
        match self.renamed.get(secret) {
            Some(variable) => Cow::Owned(variable.clone()),
            None if self.prefix.is_empty() => Cow::Borrowed(secret),
            None => Cow::Owned(format!("{}{secret}", self.prefix)),
        }
    }
}

/// A plan in the making: the variables, and what is wrong with some of them.
struct Plan<'p, 's> {
    selection: &'p Selection,
    target: Target,
    case: Case,
    variables: Vec<Variable<'s>>,
    flaws: Vec<Flaw<'s>>,
}

struct Flaw<'s> {
    secret: &'s str,
    variable: String,
    why: Cow<'static, str>,
}

impl<'s> Plan<'_, 's> {
    fn add(&mut self, secret: &'s str, value: &'s SecretValue) {
        let variable = self.selection.variable_name(secret);
        if let Some(why) = self.flaw(&variable, value) {
            self.flaws.push(Flaw { secret, variable: variable.clone().into_owned(), why });
        }
        // kept even when flawed, so that a second secret of the same name is found as well
        self.variables.push((variable, value));
    }

    fn flaw(&self, variable: &str, value: &SecretValue) -> Option<Cow<'static, str>> {
        if let Some(why) = env::unsettable(variable, value) {
            return Some(why.into());
        }
        if self.variables.iter().any(|(other, _)| guarded::same(other, variable, self.case)) {
            return Some("another secret becomes the variable of this name".into());
        }
        if self.target == Target::Child && too_long_for_a_child(variable, value) {
            return Some(
                "with its name it is longer than the 128 KiB that Linux allows one variable of a new process".into(),
            );
        }
        let why = guarded::reason(variable, self.case)?;
        let allowed = self.selection.allowed.iter().any(|allowed| guarded::same(allowed, variable, self.case));
        (!allowed).then(|| format!("guarded: {why}").into())
    }

    fn finish(self) -> Result<Vec<Variable<'s>>, XtraError> {
        if self.flaws.is_empty() {
            return Ok(self.variables);
        }
        let list = self.flaws.iter().map(Flaw::describe).collect::<Vec<_>>().join("; ");
        let message = format!(
            "{} of {} variables cannot be set, so none was: {list}. Leave a secret out with except, call its variable \
             otherwise with rename, or allow a guarded variable with allow_name",
            self.flaws.len(),
            self.variables.len()
        );
        Err(XtraError::new(ErrorKind::Invalid, message).with_keys(self.flaws.iter().map(|flaw| flaw.secret)))
    }
}

impl Flaw<'_> {
    fn describe(&self) -> String {
        let secret = shown(self.secret);
        if self.secret == self.variable {
            format!("{secret} ({})", self.why)
        } else {
            format!("{secret} as {} ({})", shown(&self.variable), self.why)
        }
    }
}

/// A name in quotes, without control characters, and cut to a length that a log can take.
fn shown(name: &str) -> String {
    const LONGEST: usize = 80;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", name.get(..end).unwrap_or_default()),
        None => format!("{name:?}"),
    }
}

/// The kernel refuses to start a program when one string is longer than `MAX_ARG_STRLEN`: `NAME=value` and its zero.
fn too_long_for_a_child(name: &str, value: &SecretValue) -> bool {
    const MAX_ARG_STRLEN: usize = 128 * 1024;
    cfg!(any(target_os = "linux", target_os = "android")) && name.len() + value.len() + 2 > MAX_ARG_STRLEN
}

#[cfg(test)]
mod tests;
