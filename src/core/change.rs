//! Two snapshots side by side, and the change from one to the other.

use std::cmp::Ordering;
use std::iter::Peekable;
#[cfg(feature = "watch")]
use std::sync::Arc;

use super::snapshot::Secrets;
use super::value::SecretValue;

/// What became of a watched scope: which secrets came, changed and went, and the snapshot that they are in now.
///
/// The lists hold names only, in order. A secret that is there, but whose value does not come through any more, has changed;
/// it was not removed.
///
/// ```
/// use std::sync::Arc;
/// use xtrasecurity::{Secrets, watch::Change};
///
/// let before = Secrets::from_iter([("API_KEY", "k-1"), ("PORT", "80")]);
/// let now = Arc::new(Secrets::from_iter([("API_KEY", "k-2"), ("HOST", "db")]));
/// let change = Change::between(Some(&before), now);
/// assert_eq!((&change.added[..], &change.changed[..], &change.removed[..]), (
///     &["HOST".to_owned()][..], &["API_KEY".to_owned()][..], &["PORT".to_owned()][..],
/// ));
/// assert!(change.concerns("API_KEY"));
/// assert_eq!(change.snapshot.require("API_KEY").unwrap().expose(), "k-2");
/// ```
#[cfg(feature = "watch")]
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Change {
    /// The names that were not there before.
    pub added: Vec<String>,
    /// The names whose value is another one.
    pub changed: Vec<String>,
    /// The names that are not there any more.
    pub removed: Vec<String>,
    /// All secrets as they are now.
    pub snapshot: Arc<Secrets>,
}

#[cfg(feature = "watch")]
impl Change {
    /// What `now` has that `before` had not, and the other way round. Without a `before` everything is new.
    #[must_use]
    pub fn between(before: Option<&Secrets>, now: Arc<Secrets>) -> Self {
        let (mut added, mut changed, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        let nothing = Secrets::from_iter([("", ""); 0]);
        for (name, was, is) in paired(before.unwrap_or(&nothing), &now) {
            match (was, is) {
                (Some(was), Some(is)) if was != is => changed.push(name.to_owned()),
                (Some(_), None) => removed.push(name.to_owned()),
                (None, Some(_)) => added.push(name.to_owned()),
                _ => {}
            }
        }
        Self { added, changed, removed, snapshot: now }
    }

    /// Whether nothing is different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }

    /// Every name that came, changed or went.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [&self.added, &self.changed, &self.removed].into_iter().flatten().map(String::as_str)
    }

    /// Whether `name` came, changed or went.
    #[must_use]
    pub fn concerns(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }
}

/// What one snapshot has under a name: nothing, or a secret whose value came through or did not.
pub(crate) type Side<'s> = Option<Option<&'s SecretValue>>;

/// Every name that is in one of the two, in order and once, with what each has under it. It takes one pass over both.
pub(crate) fn paired<'s>(
    one: &'s Secrets,
    other: &'s Secrets,
) -> impl Iterator<Item = (&'s str, Side<'s>, Side<'s>)> + use<'s> {
    let (mut one, mut other) = (entries(one), entries(other));
    std::iter::from_fn(move || {
        let order = match (one.peek(), other.peek()) {
            (Some((left, _)), Some((right, _))) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        // of a name that is in both, one from each side
        let left = if order.is_le() { one.next() } else { None };
        let right = if order.is_ge() { other.next() } else { None };
        let name = left.or(right)?.0;
        Some((name, left.map(|(_, value)| value), right.map(|(_, value)| value)))
    })
}

/// A name that is there, with its value if that came through.
type Entry<'s> = (&'s str, Option<&'s SecretValue>);

/// Every name that is there, in order and once.
fn entries(secrets: &Secrets) -> Peekable<std::vec::IntoIter<Entry<'_>>> {
    let mut entries: Vec<Entry<'_>> = secrets.iter().map(|(name, value)| (name, Some(value))).collect();
    if !secrets.unreadable().is_empty() {
        entries.extend(secrets.unreadable().iter().map(|entry| (entry.name.as_str(), None)));
        // stable, so that of a name that is in both lists the value stays
        entries.sort_by_key(|(name, _)| *name);
        entries.dedup_by_key(|(name, _)| *name);
    }
    entries.into_iter().peekable()
}

#[cfg(all(test, feature = "watch"))]
mod tests {
    use super::*;
    use crate::core::Clock;
    use crate::core::{Origin, SnapshotSource, Unreadable, UnreadableReason};

    fn snapshot(pairs: &[(&str, &str)], unreadable: &[&str]) -> Arc<Secrets> {
        let clock = Clock::system();
        let fetched = clock.now();
        let origin = Origin {
            source: SnapshotSource::Service,
            clock,
            fetched,
            ttl: std::time::Duration::ZERO,
            passphrase: None,
            place: None,
        };
        let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let unreadable = unreadable.iter().map(|name| Unreadable::new(*name, UnreadableReason::Masked)).collect();
        Arc::new(Secrets::assemble(values, unreadable, origin))
    }

    fn between(before: &Arc<Secrets>, now: &Arc<Secrets>) -> [String; 3] {
        let change = Change::between(Some(before), Arc::clone(now));
        [change.added.join(" "), change.changed.join(" "), change.removed.join(" ")]
    }

    #[test]
    fn every_name_is_in_the_list_that_it_belongs_to_and_the_same_ones_are_in_none() {
        let before = snapshot(&[("A", "1"), ("C", "3"), ("D", "4"), ("Z", "9")], &[]);
        let now = snapshot(&[("B", "2"), ("C", "3"), ("D", "5"), ("E", "6")], &[]);
        assert_eq!(between(&before, &now), ["B E", "D", "A Z"]);
        assert_eq!(between(&now, &before), ["A Z", "D", "B E"]);
        assert_eq!(between(&now, &now), ["", "", ""]);
        assert_eq!(between(&snapshot(&[], &[]), &now), ["B C D E", "", ""]);
    }

    #[test]
    fn without_a_snapshot_before_everything_is_new() {
        let change = Change::between(None, snapshot(&[("A", "1")], &["B"]));
        assert_eq!(change.added, ["A", "B"]);
        assert!(!change.is_empty());
        assert!(Change::between(None, snapshot(&[], &[])).is_empty());
    }

    #[test]
    fn a_value_that_stops_coming_through_has_changed_and_was_not_removed() {
        let (readable, masked) = (snapshot(&[("A", "1"), ("B", "2")], &[]), snapshot(&[("B", "2")], &["A"]));
        assert_eq!(between(&readable, &masked), ["", "A", ""]);
        assert_eq!(between(&masked, &readable), ["", "A", ""]);
        assert_eq!(between(&masked, &masked), ["", "", ""]);
        assert_eq!(between(&masked, &snapshot(&[("B", "2")], &[])), ["", "", "A"]);
    }

    #[test]
    fn a_change_prints_names_and_no_value() {
        let change = Change::between(None, snapshot(&[("A", "hunter2")], &[]));
        let text = format!("{change:?} {change:#?}");
        assert!(text.contains("\"A\"") && !text.contains("hunter2"), "{text}");
    }
}
