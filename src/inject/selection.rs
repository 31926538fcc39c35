//! The selection: the secrets that become variables, and their names. Nothing is set here.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::guarded;
use super::guarded::{CASE, Case};
use super::unsettable;
use crate::core::{ErrorKind, Hint, SecretValue, Secrets, XtraError};

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
/// use xtrasecurity::{Secrets, inject::Selection};
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let secrets = Secrets::from_iter([("DATABASE_URL", "postgres://db"), ("API_KEY", "k"), ("NOTES", "n")]);
/// let selection = Selection::new().exclude(["NOTES"]).prefix("APP_").rename("DATABASE_URL", "PGURL");
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
    exclude: BTreeSet<String>,
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
    pub fn exclude(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.exclude.extend(names.into_iter().map(Into::into));
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
    /// Guarded are the variables that change what code a process loads or runs, whom it trusts, or what this client itself
    /// does: whoever may write the secret could take over every process that gets it. The list comes from the manuals of the
    /// tools. It is a net for mistakes and quiet attacks, and not a wall: let nobody write secrets whom you would not let run
    /// code. `*` stands for any text; the case of a name does not matter on Windows, and for some tools on no system.
    ///
    #[doc = include_str!("guarded.md")]
    pub fn allow_name(mut self, variable: impl Into<String>) -> Self {
        self.allowed.push(variable.into());
        self
    }

    /// The variables to set, in order of the secrets' names, or everything that is wrong with them.
    pub(super) fn plan<'s>(&self, secrets: &'s Secrets, target: Target) -> Result<Vec<Variable<'s>>, XtraError> {
        self.all_there(secrets)?;
        let mut plan = Plan::new(self, target, CASE);
        for (secret, value) in secrets.iter().filter(|(secret, _)| self.takes(secret)) {
            plan.add(secret, value);
        }
        plan.finish()
    }

    /// Whether each secret that was asked for by name has a value to give.
    fn all_there(&self, secrets: &Secrets) -> Result<(), XtraError> {
        let unreadable: HashSet<&str> = secrets.unreadable().iter().map(|secret| secret.name.as_str()).collect();
        let mut missing = BTreeSet::new();
        for name in self.only.iter().flatten().chain(self.renamed.keys()).filter(|name| !secrets.contains(name)) {
            if unreadable.contains(name.as_str()) {
                // it is there and cannot be read: that says more
                secrets.require(name)?;
            }
            missing.insert(name);
        }
        if missing.is_empty() {
            return Ok(());
        }
        let names = missing.iter().map(|name| secrets.shown(name)).collect::<Vec<_>>().join(", ");
        let message = format!(
            "no variable was set, because {} has no secret of these names: {names}. Names are case-sensitive",
            secrets.place_text()
        );
        let error = XtraError::new(ErrorKind::MissingSecret, message).with_names(missing.iter().copied());
        let error = secrets.perhaps_meant(error, missing.iter().map(|name| name.as_str()), |_| true);
        Err(error.with_hint(Hint::advice("Check the names, the environment and the branch")))
    }

    fn takes(&self, secret: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(secret)) && !self.exclude.contains(secret)
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
    allowed: HashSet<Cow<'p, str>>,
    variables: Vec<Variable<'s>>,
    /// The variables again, for the look-up, where two secrets may become one: names of a snapshot differ, also behind a prefix.
    taken: Option<HashSet<Cow<'s, str>>>,
    flaws: Vec<Flaw<'s>>,
}

struct Flaw<'s> {
    secret: &'s str,
    variable: String,
    why: Why,
}

enum Why {
    Impossible(&'static str),
    Guarded(&'static str),
}

impl<'p, 's> Plan<'p, 's> {
    fn new(selection: &'p Selection, target: Target, case: Case) -> Self {
        let allowed = selection.allowed.iter().map(|name| case.key(Cow::Borrowed(name))).collect();
        let may_meet = !selection.renamed.is_empty() || case == Case::Insensitive;
        let taken = may_meet.then(HashSet::new);
        Self { selection, target, case, allowed, variables: Vec::new(), taken, flaws: Vec::new() }
    }

    fn add(&mut self, secret: &'s str, value: &'s SecretValue) {
        let variable = self.selection.variable_name(secret);
        if let Some(why) = self.flaw(&variable, value) {
            self.flaws.push(Flaw { secret, variable: variable.clone().into_owned(), why });
        }
        // kept even when flawed, so that a second secret of the same name is found as well
        if let Some(taken) = &mut self.taken {
            taken.insert(self.case.key(variable.clone()));
        }
        self.variables.push((variable, value));
    }

    fn flaw(&self, variable: &str, value: &SecretValue) -> Option<Why> {
        if let Some(why) = unsettable(variable, value) {
            return Some(Why::Impossible(why));
        }
        let key = self.case.key(Cow::Borrowed(variable));
        if self.taken.as_ref().is_some_and(|taken| taken.contains(&key)) {
            return Some(Why::Impossible("another secret becomes the variable of this name"));
        }
        if self.target == Target::Child && too_long_for_a_child(variable, value) {
            return Some(Why::Impossible(
                "with its name it is longer than the 128 KiB that Linux allows one variable of a new process",
            ));
        }
        let why = guarded::reason(variable, self.case)?;
        (!self.allowed.contains(&key)).then_some(Why::Guarded(why))
    }

    fn finish(self) -> Result<Vec<Variable<'s>>, XtraError> {
        /// More flaws than these are counted only. What is guarded is still listed whole, to be allowed at once.
        const DESCRIBED: usize = 50;

        if self.flaws.is_empty() {
            return Ok(self.variables);
        }
        let mut list = self.flaws.iter().take(DESCRIBED).map(Flaw::describe).collect::<Vec<_>>().join("; ");
        if let Some(more) = self.flaws.len().checked_sub(DESCRIBED).filter(|more| *more > 0) {
            list = format!("{list}; and {more} more");
        }
        let message =
            format!("{} of {} variables cannot be set, so none was: {list}", self.flaws.len(), self.variables.len());
        let error = XtraError::new(ErrorKind::Invalid, message)
            .with_names(self.flaws.iter().map(|flaw| flaw.secret))
            .with_hint(Hint::ChooseVariables);
        let names: Vec<String> = self.flaws.iter().filter_map(Flaw::to_be_allowed).map(Cow::into_owned).collect();
        Err(if names.is_empty() { error } else { error.with_hint(Hint::AllowName { names }) })
    }
}

impl Flaw<'_> {
    fn describe(&self) -> String {
        let secret = shown(self.secret);
        let why = match self.why {
            Why::Impossible(why) => Cow::Borrowed(why),
            Why::Guarded(why) => format!("guarded: {why}").into(),
        };
        if self.secret == self.variable {
            format!("{secret} ({why})")
        } else {
            format!("{secret} as {} ({why})", shown(&self.variable))
        }
    }

    /// A guarded name as it can be pasted into a shell: in quotes where a shell would take it for more than text. Names that
    /// no list can hold have none.
    fn to_be_allowed(&self) -> Option<Cow<'_, str>> {
        const LONGEST: usize = 256;
        let name = self.variable.as_str();
        let is_text = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\'' | b',' | b'!');
        if !matches!(self.why, Why::Guarded(_)) || name.len() > LONGEST || !name.bytes().all(is_text) {
            return None;
        }
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        Some(if is_plain { Cow::Borrowed(name) } else { format!("'{name}'").into() })
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
