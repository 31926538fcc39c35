//! The guarded variables: names that a secret may not have unless the caller allows them.
//!
//! Guarded are the variables that decide what code a process loads or runs, whom it trusts, or what this client itself does.
//! Whoever may write a secret of such a name could otherwise take over every process that the secrets are given to. The
//! families come from the manuals of the tools. They are a net for mistakes and quiet attacks, and not a wall: no list of
//! names could be complete.

mod languages;
mod system;
mod tools;

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use super::ServiceVariables;
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
static OWN: LazyLock<Vec<Family>> = LazyLock::new(|| {
    let family =
        |own: &ServiceVariables| Family::new("This client", OURS, "the documentation of this crate", own.guarded);
    SERVICE_VARIABLES.iter().map(family).collect()
});

fn families() -> impl Iterator<Item = &'static Family> {
    OWN.iter().chain(system::FAMILIES).chain(languages::FAMILIES).chain(tools::FAMILIES)
}

/// The patterns by what a look-up can tell of them, so that it compares a name with few. A program that injects once makes this
/// once, so it is made of nothing but places: no text is copied, and no hash computed.
struct Index {
    /// Names without `*`, each with the place after the next one of its bucket; 0 is the end.
    whole: Vec<(&'static str, &'static Family, usize)>,
    /// The places after the first and the last of each bucket.
    buckets: [(usize, usize); BUCKETS],
    /// What is before `*`, and what is behind it.
    open: Vec<(&'static str, &'static str, &'static Family)>,
}

const BUCKETS: usize = 512;

/// The bucket of a name, whatever its case.
fn bucket(name: &str) -> usize {
    let bytes = name.as_bytes();
    let at = |place: usize| bytes.get(place).map_or(0, |byte| usize::from(byte | 0x20));
    let (middle, last) = (bytes.len() / 2, bytes.len().wrapping_sub(1));
    (bytes.len() * 31 + at(0) * 7 + at(middle) * 13 + at(last) * 57 + at(last.wrapping_sub(2)) * 5) % BUCKETS
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index { whole: Vec::with_capacity(2048), buckets: [(0, 0); BUCKETS], open: Vec::new() };
        for family in families() {
            for pattern in family.names.split_ascii_whitespace() {
                match memchr::memchr(b'*', pattern.as_bytes()).and_then(|at| pattern.split_at_checked(at)) {
                    Some((start, rest)) => index.open.push((start, rest.strip_prefix('*').unwrap_or(rest), family)),
                    None => index.add(pattern, family),
                }
            }
        }
        index
    })
}

impl Index {
    fn add(&mut self, name: &'static str, family: &'static Family) {
        self.whole.push((name, family, 0));
        let place = self.whole.len();
        let Some((first, last)) = self.buckets.get_mut(bucket(name)) else { return };
        match self.whole.get_mut(last.wrapping_sub(1)) {
            Some((.., next)) => *next = place,
            None => *first = place,
        }
        *last = place;
    }

    /// The names that may be this one, in the order in which they were added.
    fn like(&self, name: &str) -> impl Iterator<Item = (&'static str, &'static Family)> {
        let mut next = self.buckets.get(bucket(name)).map_or(0, |(first, _)| *first);
        std::iter::from_fn(move || {
            let (name, family, after) = self.whole.get(next.wrapping_sub(1))?;
            next = *after;
            Some((*name, *family))
        })
    }
}

/// Why `name` is guarded, or `None` when it is not.
pub(super) fn reason(name: &str, platform: Case) -> Option<&'static str> {
    let index = index();
    let whole = index.like(name).filter(|(known, family)| same(known, name, family.case(platform)));
    let open = index.open.iter().filter(|(start, end, family)| lies_between(name, start, end, family.case(platform)));
    let mut families = whole.map(|(_, family)| family).chain(open.map(|(.., family)| *family));
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
