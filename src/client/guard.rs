//! The shrink guard: an answer that has lost what was there a moment ago is more often a renamed branch than a deletion.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::error::{ErrorKind, XtraError};
use crate::secrets::Secrets;

/// Which secrets a refresh must not lose.
#[derive(Default)]
pub(super) struct Guard {
    everywhere: Vec<String>,
    by_scope: Mutex<HashMap<Vec<u8>, BTreeSet<String>>>,
}

impl Guard {
    /// Memory for the names of so many scopes; those declared after that are not guarded by name.
    #[cfg(any(test, feature = "xtra"))]
    const MOST: usize = 4096;

    /// A guard of these names in every scope.
    pub(super) fn new(everywhere: Vec<String>) -> Self {
        Self { everywhere, by_scope: Mutex::default() }
    }

    /// Guards these names in one scope too.
    #[cfg(any(test, feature = "xtra"))]
    pub(super) fn declare<'a>(&self, key: &[u8], names: impl Iterator<Item = &'a str>) {
        let mut by_scope = self.by_scope.lock().unwrap_or_else(PoisonError::into_inner);
        if by_scope.len() < Self::MOST || by_scope.contains_key(key) {
            by_scope.entry(key.to_vec()).or_default().extend(names.map(str::to_owned));
        }
    }

    /// The guarded names that a snapshot does not have.
    pub(super) fn lacking(&self, key: &[u8], secrets: &Secrets) -> Vec<String> {
        let by_scope = self.by_scope.lock().unwrap_or_else(PoisonError::into_inner);
        let names = self.everywhere.iter().chain(by_scope.get(key).into_iter().flatten());
        names.filter(|name| !has(secrets, name)).cloned().collect()
    }

    /// Why `new` must not take the place of `old`, if it must not.
    pub(super) fn objection(&self, key: &[u8], old: &Secrets, new: &Secrets) -> Option<XtraError> {
        if !old.is_empty() && new.is_empty() && new.unreadable().is_empty() {
            let message = format!(
                "the scope held {} secrets and now holds none; a renamed or deleted environment or branch looks the same. \
                 The snapshot from before is kept. If this is right, accept it with invalidate()",
                old.len()
            );
            return Some(XtraError::new(ErrorKind::EmptyScope, message));
        }
        let lost: BTreeSet<_> = self.lacking(key, new).into_iter().filter(|name| has(old, name)).collect();
        if lost.is_empty() {
            return None;
        }
        let message = format!(
            "the scope no longer holds {}, which is required. The snapshot from before is kept. If this is right, accept it \
             with invalidate()",
            lost.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
        );
        Some(XtraError::new(ErrorKind::MissingSecret, message).with_keys(lost))
    }
}

/// Whether there is such a secret, be it one that cannot be read.
fn has(secrets: &Secrets, name: &str) -> bool {
    secrets.contains(name) || secrets.unreadable().iter().any(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cache::Clock;
    use crate::secrets::{Origin, SnapshotSource, Unreadable, UnreadableReason};
    use crate::services::Loaded;

    fn secrets(names: &[&str]) -> Secrets {
        Secrets::from_iter(names.iter().map(|name| (*name, "v")))
    }

    #[test]
    fn what_was_there_and_is_empty_now_is_objected_to_and_what_was_empty_before_is_not() {
        let guard = Guard::default();
        let error = guard.objection(b"k", &secrets(&["A", "B"]), &secrets(&[])).expect("it shrank to nothing");
        assert_eq!(error.kind(), ErrorKind::EmptyScope);
        assert!(guard.objection(b"k", &secrets(&[]), &secrets(&[])).is_none());
        assert!(guard.objection(b"k", &secrets(&["A", "B"]), &secrets(&["B"])).is_none());
    }

    #[test]
    fn a_required_name_that_is_lost_is_objected_to_where_it_is_required() {
        let guard = Guard::new(vec!["EVERYWHERE".to_owned()]);
        guard.declare(b"k", ["HERE"].into_iter());
        let old = secrets(&["EVERYWHERE", "HERE", "OTHER"]);
        let error = guard.objection(b"k", &old, &secrets(&["OTHER"])).expect("both are lost");
        assert_eq!((error.kind(), error.keys()), (ErrorKind::MissingSecret, &["EVERYWHERE".into(), "HERE".into()][..]));
        let error = guard.objection(b"elsewhere", &old, &secrets(&["OTHER"])).expect("one is lost");
        assert_eq!(error.keys(), ["EVERYWHERE"]);
        assert!(guard.objection(b"k", &secrets(&["OTHER"]), &secrets(&["NEW"])).is_none(), "it never had them");
    }

    #[test]
    fn a_name_whose_value_cannot_be_read_any_more_is_not_lost() {
        let guard = Guard::new(vec!["A".to_owned()]);
        let masked = Loaded::from_iter([("B", "v")]).with_unreadable([Unreadable::new("A", UnreadableReason::Masked)]);
        let clock = Clock::system();
        let origin = Origin { source: SnapshotSource::Memory, fetched: clock.now(), clock, ttl: Duration::ZERO };
        let new = Secrets::assemble(masked.values, masked.unreadable, origin);
        assert!(guard.objection(b"k", &secrets(&["A"]), &new).is_none());
    }
}
