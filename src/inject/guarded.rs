//! The guarded variables: names that a secret may not have unless the caller allows them.
//!
//! Guarded are the variables that decide what code a process loads or runs, whom it trusts, or what this client itself does.
//! Whoever may write a secret of such a name could otherwise take over every process that the secrets are given to. The
//! families come from the manuals of the tools. They are a net for mistakes and quiet attacks, and not a wall: no list of
//! names could be complete.

mod index;
mod languages;
mod system;
mod tools;

use std::borrow::Cow;

use crate::SERVICE_VARIABLES;

/// How this platform compares the names of variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Sensitive,
    Insensitive,
}

pub(super) const CASE: Case = if cfg!(windows) { Case::Insensitive } else { Case::Sensitive };

impl Case {
    /// The form in which two names are equal exactly when they are one variable.
    pub(super) fn key(self, name: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::Sensitive => name,
            Self::Insensitive => Cow::Owned(name.to_ascii_lowercase()),
        }
    }
}

const LOADER: &str = "the dynamic loader takes code from it";
const SEARCH: &str = "it decides which programs are found and run";
const STARTUP: &str = "a runtime loads code or options from it when it starts";
const MODULES: &str = "a runtime searches it for code to load";
const SHELL: &str = "a shell runs or is steered by what it holds";
const PROGRAM: &str = "tools run the program that it names";
const SETTINGS: &str = "tools find the settings there that name programs to run";
const OPTIONS: &str = "a tool takes options from it that can run programs";
const BUILD: &str = "build tools take programs or code from it";
const PACKAGES: &str = "it decides where code is downloaded from";
const PLUGINS: &str = "a library loads plug-ins from it";
const TRUST: &str = "it decides whom connections go through or are trusted to";
const OURS: &str = "it decides what this client sends, and where";

/// The variables of one tool that belong together, and the manual that lists them.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the documentation has the tool and the source; a test holds it to them")
)]
struct Family {
    /// The tool, as the documentation of `Selection::allow_name` calls it.
    tool: &'static str,
    /// The reason that an error shows.
    why: &'static str,
    /// Where the tool's own documentation lists the variables.
    source: &'static str,
    /// The names, with blanks between them. One `*` in a name stands for any text.
    names: &'static str,
    /// Names that `names` covers and that are free all the same, in the same form.
    free: &'static str,
    /// Whether the tool ignores the case of the names on every platform.
    any_case: bool,
}

impl Family {
    const fn new(tool: &'static str, why: &'static str, source: &'static str, names: &'static str) -> Self {
        Self { tool, why, source, names, free: "", any_case: false }
    }

    const fn except(self, free: &'static str) -> Self {
        Self { free, ..self }
    }

    const fn in_any_case(self) -> Self {
        Self { any_case: true, ..self }
    }

    fn case(&self, platform: Case) -> Case {
        if self.any_case { Case::Insensitive } else { platform }
    }

    fn leaves_free(&self, name: &str, platform: Case) -> bool {
        self.free.split_whitespace().any(|pattern| covers(pattern, name, self.case(platform)))
    }
}

/// Those of the services that this crate is a client of.
static OWN: [Family; SERVICE_VARIABLES.len()] = {
    let mut own =
        [const { Family::new("This client", OURS, "the documentation of this crate", "") }; SERVICE_VARIABLES.len()];
    let (mut left, mut services) = (own.as_mut_slice(), SERVICE_VARIABLES);
    while let (Some((family, further)), Some((service, others))) = (left.split_first_mut(), services.split_first()) {
        family.names = service.guarded;
        (left, services) = (further, others);
    }
    own
};

static FAMILIES: [&[Family]; 4] = [&OWN, system::FAMILIES, languages::FAMILIES, tools::FAMILIES];

/// Why `name` is guarded, or `None` when it is not.
pub(super) fn reason(name: &str, platform: Case) -> Option<&'static str> {
    let whole = index::like(name).filter(|(known, family)| same(known, name, family.case(platform)));
    let open = index::around(name).filter(|(start, end, family)| lies_between(name, start, end, family.case(platform)));
    let mut families = whole.map(|(_, family)| family).chain(open.map(|(.., family)| family));
    families.find(|family| !family.leaves_free(name, platform)).map(|family| family.why)
}

fn same(left: &str, right: &str, case: Case) -> bool {
    match case {
        Case::Sensitive => left == right,
        Case::Insensitive => left.eq_ignore_ascii_case(right),
    }
}

fn covers(pattern: &str, name: &str, case: Case) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => lies_between(name, start, end, case),
        None => same(pattern, name, case),
    }
}

fn lies_between(name: &str, start: &str, end: &str, case: Case) -> bool {
    let Some(rest) = name.len().checked_sub(start.len() + end.len()) else { return false };
    name.get(..start.len()).is_some_and(|head| same(head, start, case))
        && name.get(start.len() + rest..).is_some_and(|tail| same(tail, end, case))
}

#[cfg(test)]
mod tests;
