//! What the client promises, on plain maps.

use std::collections::{BTreeMap, BTreeSet};

use xtrasecurity::ErrorKind::{self, Conflict, EmptyScope, Invalid, NotFound};

use crate::model::steps::{At, MASK, Step};

/// What a call comes to, in words.
pub(crate) type Outcome = Result<String, ErrorKind>;

/// A secret of an environment on a branch.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(crate) value: String,
    pub(crate) version: u64,
    /// What the service has recorded: not what a rotation makes, until it is replaced.
    pub(crate) history: BTreeMap<u64, String>,
    /// Which comes first, of all that were ever made.
    born: u64,
}

/// A secret of `main` that shows another one, as long as that one is there.
#[derive(Debug, Clone, Copy)]
struct Link {
    born: u64,
    source: u64,
}

/// What a read shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen<'a> {
    pub(crate) value: &'a str,
    pub(crate) version: u64,
    pub(crate) is_link: bool,
}

/// What the service finds first of a key in an environment, whatever the branch.
enum First {
    Secret(u64),
    Link,
}

#[derive(Debug)]
pub(crate) struct Model {
    branches: BTreeSet<&'static str>,
    secrets: BTreeMap<(At, &'static str), Secret>,
    /// Usually one. Where it shows nothing any more, and a secret of another branch stands before it, neither the service nor
    /// the client notices it when another one is made.
    links: BTreeMap<(&'static str, &'static str), Vec<Link>>,
    made: u64,
}

const MAIN: &str = "main";

impl Model {
    pub(crate) fn new() -> Self {
        Self { branches: [MAIN, "a"].into(), secrets: BTreeMap::new(), links: BTreeMap::new(), made: 0 }
    }

    pub(crate) fn own(&self, at: At, key: &'static str) -> Option<&Secret> {
        self.secrets.get(&(at, key))
    }

    /// What hides a link is what was made in its place.
    pub(crate) fn seen(&self, at: At, key: &'static str) -> Option<Seen<'_>> {
        if let Some(own) = self.own(at, key) {
            return Some(Seen { value: &own.value, version: own.version, is_link: false });
        }
        let source = self.links_at(at, key).iter().find_map(|link| self.source(link))?;
        Some(Seen { value: &source.value, version: 1, is_link: true })
    }

    fn links_at(&self, at: At, key: &'static str) -> &[Link] {
        self.links.get(&(at.0, key)).filter(|_| at.1 == MAIN).map(Vec::as_slice).unwrap_or_default()
    }

    fn source(&self, link: &Link) -> Option<&Secret> {
        self.secrets.values().find(|secret| secret.born == link.source)
    }

    fn first(&self, environment: &str, key: &'static str) -> Option<First> {
        let own = self.secrets.iter().filter(|((at, known), _)| at.0 == environment && *known == key);
        let own = own.map(|(_, secret)| secret.born).min();
        let links = self.links.iter().filter(|((known, name), _)| *known == environment && *name == key);
        match (own, links.flat_map(|(_, links)| links).map(|link| link.born).min()) {
            (Some(own), Some(link)) if link < own => Some(First::Link),
            (Some(own), _) => Some(First::Secret(own)),
            (None, link) => link.map(|_| First::Link),
        }
    }

    fn has_branch(&self, name: &str) -> Result<(), ErrorKind> {
        if self.branches.contains(name) { Ok(()) } else { Err(NotFound) }
    }

    fn born(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn write(&mut self, at: At, key: &'static str, value: &str) {
        if let Some(secret) = self.secrets.get_mut(&(at, key)) {
            secret.replace(value.to_owned());
            return;
        }
        let born = self.born();
        let secret = Secret { value: value.to_owned(), version: 1, history: [(1, value.to_owned())].into(), born };
        self.secrets.insert((at, key), secret);
    }

    /// What the step comes to. `drawn` is the random value that a rotation has told.
    pub(crate) fn apply(&mut self, step: &Step, drawn: Option<&str>) -> Outcome {
        match *step {
            Step::Set { at, key, value, expect, skip_unchanged } => {
                readable(&[(key, value)])?;
                let seen = self.seen(at, key);
                if expect.is_some_and(|expect| seen.as_ref().map(|seen| seen.version) != Some(expect)) {
                    return Err(Conflict);
                }
                if skip_unchanged && seen.is_some_and(|seen| seen.value == value) {
                    return Ok("Unchanged".to_owned());
                }
                self.set(at, &[(key, value)])
            }
            Step::SetAll { at, ref pairs } => {
                readable(pairs)?;
                self.set(at, pairs)
            }
            Step::Create { at, key, value } => {
                readable(&[(key, value)])?;
                if self.seen(at, key).is_some() {
                    return Err(Conflict);
                }
                self.set(at, &[(key, value)]).map(|_| String::new())
            }
            Step::Delete { at, key, if_exists } => self.delete(at, key, if_exists),
            Step::RollBack { at, key, version } => self.roll_back(at, key, version),
            Step::Rotate { at, key, value } => self.rotate(at, key, value, drawn),
            Step::Promote { from, to, overwrite } => self.promote(from, to, overwrite),
            Step::Clone { branch, from, to, overwrite } => self.clone(At(from, branch), At(to, branch), overwrite),
            Step::Link { environment, key, source } => self.link(environment, key, source),
            Step::CreateBranch(name) => match self.branches.insert(name) {
                true => Ok(name.to_owned()),
                false => Err(Invalid),
            },
            Step::DeleteBranch(MAIN) | Step::RenameBranch(MAIN, _) => Err(Invalid),
            Step::DeleteBranch(name) => {
                self.has_branch(name)?;
                self.branches.remove(name);
                self.secrets.retain(|(at, _), _| at.1 != name);
                Ok(String::new())
            }
            Step::RenameBranch(name, new) => {
                self.has_branch(name)?;
                if !self.branches.insert(new) {
                    return Err(Conflict);
                }
                self.branches.remove(name);
                let renamed = |at: At| if at.1 == name { At(at.0, new) } else { at };
                let secrets = std::mem::take(&mut self.secrets);
                self.secrets = secrets.into_iter().map(|((at, key), secret)| ((renamed(at), key), secret)).collect();
                Ok(new.to_owned())
            }
        }
    }

    fn set(&mut self, at: At, pairs: &[(&'static str, &str)]) -> Outcome {
        self.has_branch(at.1)?;
        let (mut created, mut updated) = (Vec::new(), Vec::new());
        for (key, value) in pairs {
            let list = if self.seen(at, key).is_some() { &mut updated } else { &mut created };
            list.push(*key);
            self.write(at, key, value);
        }
        Ok(told(&created, &updated))
    }

    fn delete(&mut self, at: At, key: &'static str, if_exists: bool) -> Outcome {
        self.has_branch(at.1)?;
        let links = self.links_at(at, key).len();
        let rows = usize::from(self.secrets.remove(&(at, key)).is_some()) + links;
        if links > 0 {
            self.links.remove(&(at.0, key));
        }
        if rows == 0 && !if_exists {
            return Err(NotFound);
        }
        Ok(rows.to_string())
    }

    /// What there is of its own, for calls that a link is refused.
    fn changeable(&mut self, at: At, key: &'static str) -> Result<&mut Secret, ErrorKind> {
        self.has_branch(at.1)?;
        let missing = if self.links_at(at, key).is_empty() { NotFound } else { Invalid };
        self.secrets.get_mut(&(at, key)).ok_or(missing)
    }

    fn roll_back(&mut self, at: At, key: &'static str, version: u64) -> Outcome {
        let secret = self.changeable(at, key)?;
        if secret.version == version {
            return Err(Invalid);
        }
        let value = secret.history.get(&version).cloned().ok_or(NotFound)?;
        secret.replace(value);
        Ok(secret.version.to_string())
    }

    fn rotate(&mut self, at: At, key: &'static str, value: Option<&'static str>, drawn: Option<&str>) -> Outcome {
        readable(&[(key, value.unwrap_or_default())])?;
        let first = self.first(at.0, key);
        let is_over_a_link = !self.links_at(at, key).is_empty();
        let secret = self.changeable(at, key)?;
        if is_over_a_link && matches!(first, Some(First::Link)) {
            return Err(Conflict);
        }
        let new = value.or(drawn).unwrap_or_default().to_owned();
        // otherwise the service's rotation would go to another branch, and the client writes
        let by_the_service = matches!(first, Some(First::Secret(born)) if born == secret.born) && value != Some("");
        if by_the_service {
            secret.history.insert(secret.version, secret.value.clone());
            secret.version += 1;
            secret.value.clone_from(&new);
        } else {
            secret.replace(new.clone());
        }
        Ok(format!("{} {new}", secret.version))
    }

    fn readable_at(&self, at: At) -> Vec<(&'static str, String, bool)> {
        let keys = crate::model::steps::KEYS.iter().copied();
        keys.filter_map(|key| self.seen(at, key).map(|seen| (key, seen.value.to_owned(), seen.is_link))).collect()
    }

    fn promote(&mut self, from: At, to: At, overwrite: bool) -> Outcome {
        if from == to {
            return Err(Invalid);
        }
        let source = self.readable_at(from);
        if source.is_empty() {
            return Err(EmptyScope);
        }
        let (mut created, mut updated, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        let mut writes = Vec::new();
        for (key, value, _) in source {
            let list = match self.seen(to, key) {
                Some(seen) if seen.value == value || !overwrite => &mut skipped,
                Some(_) => &mut updated,
                None => &mut created,
            };
            list.push(key);
            if !skipped.contains(&key) {
                writes.push((key, value));
            }
        }
        if !writes.is_empty() {
            self.has_branch(to.1)?;
        }
        writes.iter().for_each(|(key, value)| self.write(to, key, value));
        skipped.sort_unstable();
        Ok(format!("{} skipped {skipped:?}", told(&created, &updated)))
    }

    fn clone(&mut self, from: At, to: At, overwrite: bool) -> Outcome {
        if from == to {
            return Err(Invalid);
        }
        let source = self.readable_at(from);
        if source.is_empty() {
            return Err(EmptyScope);
        }
        let hides = |key| self.seen(to, key).is_some_and(|seen| seen.is_link);
        if source.iter().any(|(key, _, is_link)| *is_link || hides(*key)) {
            return Err(Conflict);
        }
        let (mut copied, mut updated, mut skipped) = (0, 0, 0);
        for (key, value, _) in source {
            match self.seen(to, key) {
                Some(_) if !overwrite => {
                    skipped += 1;
                    continue;
                }
                Some(_) => updated += 1,
                None => copied += 1,
            }
            self.write(to, key, &value);
        }
        Ok(format!("{copied} {updated} {skipped}"))
    }

    fn link(&mut self, environment: &'static str, key: &'static str, source: (&'static str, &'static str)) -> Outcome {
        if source == (environment, key) {
            return Err(Invalid);
        }
        let at = At(environment, MAIN);
        let is_first = matches!(self.first(environment, key), Some(First::Link));
        if self.seen(at, key).is_some() || (is_first && !self.links_at(at, key).is_empty()) {
            return Err(Conflict);
        }
        match self.first(source.0, source.1) {
            None => Err(NotFound),
            Some(First::Link) => Err(Invalid),
            Some(First::Secret(source)) => {
                let born = self.born();
                self.links.entry((environment, key)).or_default().push(Link { born, source });
                Ok(String::new())
            }
        }
    }
}

impl Secret {
    fn replace(&mut self, value: String) {
        self.version += 1;
        self.history.insert(self.version, value.clone());
        self.value = value;
    }
}

pub(crate) fn told<N: AsRef<str>>(created: &[N], updated: &[N]) -> String {
    let names = |names: &[N]| {
        let mut names: Vec<_> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        names.sort_unstable();
        names
    };
    format!("created {:?} updated {:?}", names(created), names(updated))
}

fn readable(pairs: &[(&str, &str)]) -> Result<(), ErrorKind> {
    if pairs.iter().any(|(_, value)| *value == MASK) { Err(Invalid) } else { Ok(()) }
}
