//! One immutable set of secrets, as it was at one moment.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::layers::{LayerMap, LayerState};
use super::sorted::{SecretsIter, SortedPairs};
use super::unreadable::Unreadable;
use super::value::SecretValue;
use super::{Clock, Place, Tick, XtraError, unreadable};

/// Where a snapshot came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SnapshotSource {
    /// The secrets manager, over the network. Copies served from the cache keep this source: ask [`Secrets::age`].
    Service,
    /// The program itself: [`Secrets::from_iter`](Secrets#method.from_iter) or an in-memory client.
    Memory,
    /// Files of this machine: a `.env` file or a directory, see [`sources`](crate::sources), and
    /// [`XtraClientBuilder::local_file`](crate::XtraClientBuilder::local_file).
    LocalFile,
    /// The environment variables of this process: see [`EnvVars`](crate::sources::EnvVars).
    Environment,
    /// Several sources, put together by [`Layered`](crate::sources::Layered): [`Secrets::layers`] tells which.
    Layers,
    /// A copy on disk that an earlier load has saved, because the service could not be reached: see `OfflineOptions`, with the
    /// feature `offline`.
    Offline,
}

/// The moment of a snapshot, and the time to live that it was fetched under.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) source: SnapshotSource,
    pub(crate) clock: Clock,
    pub(crate) fetched: Tick,
    pub(crate) ttl: Duration,
    /// The variable for the passphrase that opens what clients have sealed.
    pub(crate) passphrase: Option<&'static str>,
    /// The place that it was read from, where there is one.
    pub(crate) place: Option<Arc<Place>>,
}

impl Origin {
    /// That of a snapshot which the program has just made.
    pub(crate) fn of_memory() -> Self {
        let clock = Clock::system();
        let fetched = clock.now();
        Self { source: SnapshotSource::Memory, clock, fetched, ttl: Duration::ZERO, passphrase: None, place: None }
    }
}

/// The secrets of one scope at one moment: names in order, values redacted when printed. It never changes.
///
/// ```
/// use xtrasecurity::Secrets;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let secrets = Secrets::from_iter([("DATABASE_URL", "postgres://db"), ("PORT", "8080")]);
/// assert_eq!(secrets.require("PORT")?.expose(), "8080");
/// assert_eq!(secrets.names().collect::<Vec<_>>(), ["DATABASE_URL", "PORT"]);
/// for (name, value) in &secrets {
///     println!("{name} has {} bytes", value.len());
/// }
/// assert_eq!(format!("{secrets:?}"), r#"Secrets {"DATABASE_URL": [REDACTED], "PORT": [REDACTED]}"#);
/// # Ok(())
/// # }
/// ```
pub struct Secrets {
    parts: Arc<Parts>,
    /// How old it was already at the moment of its origin.
    older: Duration,
    /// What the service tells it by.
    validator: Option<Arc<str>>,
    /// What it was put together of.
    layers: Option<Arc<LayerMap>>,
}

/// What all copies of a snapshot share.
struct Parts {
    values: SortedPairs,
    /// Sorted by name.
    unreadable: Vec<Unreadable>,
    origin: Origin,
}

impl Secrets {
    pub(crate) fn assemble(values: SortedPairs, mut unreadable: Vec<Unreadable>, origin: Origin) -> Self {
        // stable, so that of a name that comes twice the first reason stays the first
        unreadable.sort_by(|one, other| one.name.cmp(&other.name));
        let parts = Arc::new(Parts { values, unreadable, origin });
        Self { parts, older: Duration::ZERO, validator: None, layers: None }
    }

    /// The same, which was put together of these.
    pub(crate) fn of_layers(mut self, layers: Option<Arc<LayerMap>>) -> Self {
        self.layers = layers;
        self
    }

    /// The sources that a [`Layered`](crate::sources::Layered) has put this snapshot together of, in their order, and which of them
    /// were missing. Empty for every other snapshot.
    #[must_use]
    pub fn layers(&self) -> &[LayerState] {
        self.layers.as_ref().map_or(&[], |layers| layers.states())
    }

    /// The source that gave `name`, when the snapshot has it and was put together of several; a secret that cannot be read has
    /// one too.
    #[must_use]
    pub fn layer_of(&self, name: &str) -> Option<&LayerState> {
        let is_there = self.contains(name) || self.unreadable_of(name).is_some();
        self.layers.as_ref().filter(|_| is_there)?.of(name)
    }

    /// The same, which the service tells by this.
    pub(crate) fn told_by(mut self, validator: Option<Arc<str>>) -> Self {
        self.validator = validator;
        self
    }

    /// What the service tells it by.
    pub(crate) fn validator(&self) -> Option<Arc<str>> {
        self.validator.clone()
    }

    /// Its values, in the same memory, and the names without one.
    pub(crate) fn contents(&self) -> (SortedPairs, Vec<Unreadable>) {
        (self.parts.values.clone(), self.parts.unreadable.clone())
    }

    /// The same, of which some was fetched so long before the moment of its origin: perhaps by another process.
    pub(crate) fn older_by(mut self, time: Duration) -> Self {
        self.older = time;
        self
    }

    /// The same snapshot, counted by a reference count of its own: threads that share one wait for each other.
    pub(crate) fn share(&self) -> Self {
        Self { parts: Arc::clone(&self.parts), validator: self.validator.clone(), layers: self.layers.clone(), ..*self }
    }

    /// Whether both are one snapshot, and not two with equal contents. Threads may have one snapshot by different `Arc`s, so
    /// [`Arc::ptr_eq`] does not tell.
    #[must_use]
    pub fn is_same_snapshot(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.parts, &other.parts)
    }

    /// The value of `name`, or `None` when there is none that can be read.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretValue> {
        self.parts.values.get(name)
    }

    /// The value of `name`.
    ///
    /// # Errors
    ///
    /// [`MissingSecret`](crate::ErrorKind::MissingSecret) when the snapshot has no such secret, with where it was read from and
    /// the nearest name; [`Masked`](crate::ErrorKind::Masked) or [`Undecryptable`](crate::ErrorKind::Undecryptable) when it has
    /// one whose value did not come through.
    pub fn require(&self, name: &str) -> Result<&SecretValue, XtraError> {
        self.get(name).ok_or_else(|| match self.unreadable_of(name) {
            Some(entry) => unreadable::error(std::slice::from_ref(entry), self.parts.origin.passphrase),
            None => self.missing(name),
        })
    }

    /// Whether there is a readable value of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The names that can be read, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.parts.values.names()
    }

    /// Names and values, in order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &SecretValue)> {
        self.parts.values.iter()
    }

    /// How many secrets can be read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.values.len()
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.values.is_empty()
    }

    /// The secrets whose values did not come through, in order of the names. Empty unless the read said `allow_unreadable()`.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.parts.unreadable
    }

    /// Why the value of `name` did not come through, when it did not.
    pub(crate) fn unreadable_of(&self, name: &str) -> Option<&Unreadable> {
        let at = self.parts.unreadable.partition_point(|entry| entry.name.as_str() < name);
        self.parts.unreadable.get(at).filter(|entry| entry.name == name)
    }

    /// How long ago the snapshot was fetched.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.parts.origin.clock.now().since(self.parts.origin.fetched).saturating_add(self.older)
    }

    /// Whether the snapshot is older than the time to live configured when it was fetched.
    /// One that was made by the program is never stale, and a copy from the disk always is.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        match self.parts.origin.source {
            SnapshotSource::Memory => false,
            SnapshotSource::Offline => true,
            SnapshotSource::Service
            | SnapshotSource::LocalFile
            | SnapshotSource::Environment
            | SnapshotSource::Layers => self.age() >= self.parts.origin.ttl,
        }
    }

    /// Where the snapshot came from.
    #[must_use]
    pub fn source(&self) -> SnapshotSource {
        self.parts.origin.source
    }

    /// Those whose names `keep` accepts, as a snapshot of the same moment.
    pub(crate) fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let Parts { values, unreadable, origin } = &*self.parts;
        let unreadable = unreadable.iter().filter(|entry| keep(&entry.name)).cloned().collect();
        let kept = Self::assemble(values.only(&keep), unreadable, origin.clone());
        Self { older: self.older, layers: self.layers.clone(), ..kept }
    }

    /// At most `limit` secrets, in order of the names, behind the first `offset`.
    pub(crate) fn range(&self, offset: usize, limit: usize) -> SecretsIter<'_> {
        self.parts.values.range(offset, limit)
    }

    /// Where the secrets were read from.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.parts.origin.place.as_deref()
    }

    /// How much older than its origin some of it is.
    #[cfg(feature = "offline")]
    pub(crate) fn older(&self) -> Duration {
        self.older
    }

    /// When the snapshot was asked for.
    pub(crate) fn fetched(&self) -> Tick {
        self.parts.origin.fetched
    }

    /// Fails, naming them, when there are secrets that cannot be read.
    #[inline]
    pub(crate) fn all_readable(&self) -> Result<(), XtraError> {
        Self::refuse_unreadable(&self.parts.unreadable, self.parts.origin.passphrase)
            .map_err(|error| error.with_hint(crate::core::Hint::AllowUnreadable))
    }

    /// One error for all of these, when there are any. `passphrase` is the variable for it.
    #[inline]
    pub(crate) fn refuse_unreadable(
        unreadable: &[crate::core::Unreadable],
        passphrase: Option<&'static str>,
    ) -> Result<(), XtraError> {
        if unreadable.is_empty() { Ok(()) } else { Err(unreadable::error(unreadable, passphrase)) }
    }
}

/// A snapshot made by the program, for tests. When a name comes twice, the last value counts.
impl<N: Into<String>, V: Into<SecretValue>> FromIterator<(N, V)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let values = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self::assemble(values, Vec::new(), Origin::of_memory())
    }
}

/// Names and values, in order of the names: `for (name, value) in &secrets`.
impl<'s> IntoIterator for &'s Secrets {
    type Item = (&'s str, &'s SecretValue);
    type IntoIter = SecretsIter<'s>;

    fn into_iter(self) -> SecretsIter<'s> {
        self.parts.values.iter()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets ")?;
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ErrorKind;
    use crate::core::ManualClock;
    use crate::core::UnreadableReason;

    #[test]
    fn lookups_are_exact_and_case_sensitive() {
        let secrets = Secrets::from_iter([("B", "2"), ("A", "1"), ("a", "3"), ("", "4")]);
        assert_eq!(secrets.get("A").map(SecretValue::expose), Some("1"));
        assert_eq!(secrets.get("a").map(SecretValue::expose), Some("3"));
        assert_eq!(secrets.get("").map(SecretValue::expose), Some("4"));
        assert!(secrets.get("C").is_none());
    }

    #[test]
    fn a_loop_over_a_snapshot_meets_each_secret_in_order_of_the_names() {
        let secrets = Secrets::from_iter([("B", "2"), ("A", "1"), ("C", "3")]);
        let mut met = Vec::new();
        for (name, value) in &secrets {
            met.push((name, value.expose()));
        }
        assert_eq!(met, [("A", "1"), ("B", "2"), ("C", "3")]);
        assert_eq!((secrets.into_iter().len(), secrets.into_iter().next_back().map(|(name, _)| name)), (3, Some("C")));
        assert_eq!(format!("{:?}", secrets.into_iter()), r#"{"A": [REDACTED], "B": [REDACTED], "C": [REDACTED]}"#);
    }

    #[test]
    fn requiring_an_unreadable_name_tells_why_it_is_unreadable() {
        let origin = Secrets::from_iter([("A", "1")]).parts.origin.clone();
        let unreadable = vec![Unreadable::new("B", UnreadableReason::Masked)];
        let secrets = Secrets::assemble(SortedPairs::default(), unreadable, origin);
        assert_eq!(secrets.require("B").unwrap_err().kind(), ErrorKind::Masked);
        assert_eq!(secrets.require("C").unwrap_err().kind(), ErrorKind::MissingSecret);
    }

    #[test]
    fn a_snapshot_is_stale_once_it_is_as_old_as_the_ttl() {
        let manual = ManualClock::new();
        let clock = manual.clock();
        let origin = Origin {
            source: SnapshotSource::Service,
            fetched: clock.now(),
            clock,
            ttl: Duration::from_secs(30),
            passphrase: None,
            place: None,
        };
        let secrets = Secrets::assemble(SortedPairs::default(), Vec::new(), origin);
        manual.advance(Duration::from_secs(29));
        assert!(!secrets.is_stale());
        manual.advance(Duration::from_secs(1));
        assert!(secrets.is_stale());
        assert_eq!(secrets.age(), Duration::from_secs(30));
    }
}
