//! Values by name, in one piece of memory.

use std::fmt;

use super::value::SecretValue;

/// Names and values in order of the names, each name once. When one came twice, the last value counts.
///
/// A map would be built node by node only to be taken apart again: whole snapshots come, and are only read from then on.
#[derive(Clone, Default)]
pub(crate) struct Sorted(Vec<(String, SecretValue)>);

impl Sorted {
    pub(crate) fn into_pairs(self) -> Vec<(String, SecretValue)> {
        self.0
    }

    #[cfg(feature = "offline")]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, SecretValue)> for Sorted {
    fn from_iter<I: IntoIterator<Item = (String, SecretValue)>>(pairs: I) -> Self {
        Self::from(pairs.into_iter().collect::<Vec<_>>())
    }
}

impl From<Vec<(String, SecretValue)>> for Sorted {
    fn from(mut pairs: Vec<(String, SecretValue)>) -> Self {
        if pairs.is_sorted_by(|(one, _), (other, _)| one < other) {
            return Self(pairs);
        }
        // stable, so that the last of a name stays the last
        pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
        pairs.dedup_by(|later, earlier| {
            let is_repeated = later.0 == earlier.0;
            if is_repeated {
                std::mem::swap(later, earlier);
            }
            is_repeated
        });
        Self(pairs)
    }
}

impl fmt::Debug for Sorted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name, value))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_order_and_once_with_their_last_value() {
        let pairs = [("B", "1"), ("A", "2"), ("B", "3"), ("C", "4"), ("B", "5")];
        let sorted: Sorted = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let pairs = sorted.into_pairs();
        let shown: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(shown, [("A", "2"), ("B", "5"), ("C", "4")]);
    }
}
