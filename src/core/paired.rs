//! The names of two snapshots side by side.

#![cfg_attr(not(feature = "watch"), allow(dead_code, reason = "for watches, and services that compare snapshots"))]

use std::cmp::Ordering;
use std::iter::Peekable;

use super::snapshot::Secrets;
use super::value::SecretValue;

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
