//! A layer: a scope of one source, the names that it may give, and whether it may be missing.

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::core::{ErrorKind, Hint, Identity, Quota, Secrets, XtraError};
use crate::engine::part::ScopePart;
use crate::engine::{CacheOptions, Client, EngineOptions, SecretSource, Traffic};
#[cfg(feature = "watch")]
use crate::engine::{Listener, Listening};

/// A snapshot, and how old it was already when it was asked for.
pub(super) type Fetched = (Arc<Secrets>, Duration);

/// One source of a [`Layered`](super::Layered), with its scope.
#[must_use = "a layer is read as part of a Layered"]
pub struct Layer {
    part: Result<Box<dyn Part>, XtraError>,
    label: String,
    names: Option<Names>,
    optional: bool,
    /// It could not be read the last time.
    pub(super) missing: AtomicBool,
}

/// The names that a layer may give.
#[derive(Debug)]
enum Names {
    Every,
    Listed(BTreeSet<String>),
}

impl Layer {
    /// The secrets of `scope` in `source`, such as `Layer::new(Directory::docker(), ())`. The layer keeps nothing itself: for a
    /// source that may be out of reach, make a client and use [`of_client`](Self::of_client).
    pub fn new<S: SecretSource>(source: S, scope: impl Into<S::Scope<'static>>) -> Self {
        let nothing = CacheOptions::default().ttl(Duration::ZERO);
        Self::of_client(&Client::with_options(source, EngineOptions::default().cache(nothing)), scope)
    }

    /// The secrets of `scope` at a service, by its client: with its connections, its credentials, its retries and its options for
    /// the time when the service cannot be reached. Each load asks the service, and what comes is in the client's cache too.
    pub fn of_client<S: SecretSource, M>(client: &Client<S, M>, scope: impl Into<S::Scope<'static>>) -> Self {
        let part = ScopePart::new(client.in_mode(), scope.into());
        let name = client.engine.source.name();
        let label = part.as_ref().ok().and_then(|part| client.engine.source.describe(&part.owned));
        Self {
            label: label.map_or_else(|| name.to_owned(), |place| format!("{name}, {}", place.text())),
            part: part.map(|part| Box::new(part) as Box<dyn Part>),
            names: None,
            optional: false,
            missing: AtomicBool::new(false),
        }
    }

    /// Gives these names and no others; more by further calls. A name that it does not have is no error.
    pub fn names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut listed = match self.names {
            Some(Names::Listed(listed)) => listed,
            Some(Names::Every) | None => BTreeSet::new(),
        };
        listed.extend(names.into_iter().map(Into::into));
        self.names = Some(Names::Listed(listed));
        self
    }

    /// Gives every name that no layer above it has. The first layer does so unless it says otherwise.
    pub fn every_name(mut self) -> Self {
        self.names = Some(Names::Every);
        self
    }

    /// Lets the read succeed when this layer cannot be read, whatever the reason: a file that is missing, a service that refuses. A
    /// lower layer then gives the names that this one would have given. [`Secrets::layers`] tells that it was missing.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn is_optional(&self) -> bool {
        self.optional
    }

    pub(super) fn may_give(&self, name: &str) -> bool {
        match &self.names {
            Some(Names::Listed(listed)) => listed.contains(name),
            Some(Names::Every) | None => true,
        }
    }

    pub(super) fn part(&self) -> Option<&dyn Part> {
        self.part.as_deref().ok()
    }

    pub(super) async fn fetch(&self) -> Result<Fetched, XtraError> {
        match &self.part {
            Ok(part) => part.newest().await,
            Err(error) => Err(error.clone()),
        }
    }

    /// Whether it can be the layer at this place.
    pub(super) fn check(&self, at: usize) -> Result<(), XtraError> {
        if let Err(error) = &self.part {
            return Err(error.clone());
        }
        if at == 0 || self.names.is_some() {
            return Ok(());
        }
        let message = format!(
            "layer {} ({}) does not say which names it may give. Another place may have a secret of the same name that is something else, \
             so a name is taken from a layer below the first only where that was asked for",
            at + 1,
            self.label
        );
        Err(XtraError::new(ErrorKind::Config, message)
            .with_hint(Hint::advice("Name them with names([..]), or say every_name()")))
    }

    /// Writes what tells its secrets from those of other layers. It is never shown.
    pub(super) fn write_place(&self, places: &mut String) {
        if let Some(part) = self.part() {
            part.write_place(places);
        }
        let _ = writeln!(places, "{:?} {}", self.names, self.optional);
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer").field("optional", &self.optional).finish_non_exhaustive()
    }
}

/// A scope of a source of any type.
pub(super) trait Part: Send + Sync {
    fn newest(&self) -> BoxFuture<'_, Result<Fetched, XtraError>>;
    fn identity(&self) -> Identity;
    fn quota(&self) -> Option<Quota>;
    fn traffic(&self) -> Traffic;
    fn address(&self) -> usize;
    fn has_timers(&self) -> bool;
    fn call_timeout(&self) -> Duration;
    fn is_reference(&self, value: &str) -> bool;
    fn passphrase_variable(&self) -> Option<&'static str>;
    fn write_place(&self, places: &mut String);
    #[cfg(feature = "watch")]
    fn listen(&self, listener: Listener) -> Option<Listening>;
}

impl<S: SecretSource> Part for ScopePart<S> {
    fn newest(&self) -> BoxFuture<'_, Result<Fetched, XtraError>> {
        Box::pin(self.newest())
    }

    fn identity(&self) -> Identity {
        self.source().identity()
    }

    fn quota(&self) -> Option<Quota> {
        self.source().quota(&self.owned)
    }

    fn traffic(&self) -> Traffic {
        self.source().traffic()
    }

    fn address(&self) -> usize {
        self.address()
    }

    fn has_timers(&self) -> bool {
        self.source().has_timers()
    }

    fn call_timeout(&self) -> Duration {
        self.source().call_timeout()
    }

    fn is_reference(&self, value: &str) -> bool {
        self.source().is_reference(value)
    }

    fn passphrase_variable(&self) -> Option<&'static str> {
        self.source().passphrase_variable()
    }

    fn write_place(&self, places: &mut String) {
        let _ = writeln!(places, "{:?} {:?} {:?}", self.source().name(), self.source().base_url(), self.key);
    }

    #[cfg(feature = "watch")]
    fn listen(&self, listener: Listener) -> Option<Listening> {
        self.source().listen(&self.owned, listener)
    }
}
