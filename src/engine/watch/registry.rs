//! The topics of a client: one a watched scope and runtime.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::Id;

use super::topic::Topic;
use crate::core::Secrets;

/// The topics of a client's watched scopes, by the part of the key that names the scope: who asks may change meanwhile.
#[derive(Default)]
pub(crate) struct Topics(Mutex<HashMap<Vec<u8>, Vec<OnRuntime>>>);

/// A topic lives as long as its watchers, on the runtime that its poller runs on.
type OnRuntime = (Option<Id>, Weak<Topic>);

impl Topics {
    /// Shows a snapshot that the cache has taken in to whoever watches its scope.
    pub(crate) fn show(&self, key: &[u8], secrets: &Arc<Secrets>) {
        self.of(key).iter().for_each(|topic| topic.update(who_part(key), secrets));
    }

    /// Has the scope polled now: what is known of it is out of date.
    pub(crate) fn ask(&self, key: &[u8]) {
        self.of(key).iter().for_each(|topic| topic.ask());
    }

    /// The same for every scope whose key begins like this.
    pub(crate) fn ask_under(&self, start: &[u8]) {
        let start = scope_part(start);
        let is_under = |(scope, _): &(&Vec<u8>, &Vec<OnRuntime>)| scope.starts_with(start);
        let topics: Vec<_> = self
            .lock()
            .iter()
            .filter(is_under)
            .flat_map(|(_, of)| of)
            .filter_map(|(_, topic)| topic.upgrade())
            .collect();
        topics.iter().for_each(|topic| topic.ask());
    }

    /// The same for every scope.
    pub(crate) fn ask_all(&self) {
        let topics: Vec<_> = self.lock().values().flatten().filter_map(|(_, topic)| topic.upgrade()).collect();
        topics.iter().for_each(|topic| topic.ask());
    }

    /// The topics of a scope, on whatever runtime.
    fn of(&self, key: &[u8]) -> Vec<Arc<Topic>> {
        let topics = self.lock();
        let of = topics.get(scope_part(key)).into_iter().flatten();
        of.filter_map(|(_, topic)| topic.upgrade()).collect()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Vec<OnRuntime>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a key says who asks; before it stands the source, behind it the scope.
pub(crate) const WHO: Range<usize> = 16..32;

pub(crate) fn who_part(key: &[u8]) -> &[u8] {
    key.get(WHO).unwrap_or_default()
}

pub(crate) fn scope_part(key: &[u8]) -> &[u8] {
    key.get(WHO.end..).unwrap_or_default()
}
