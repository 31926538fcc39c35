//! References in the values of a snapshot: how an answer is put together with what its values refer to, while it is loaded.
//!
//! A snapshot whose references are followed is an entry of its own in the cache, beside the one of the values as they are
//! stored. So everything that reads gets the one that it asks for, and nothing is put together on a hit.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::outcome::{Answer, LoadRequest};
use super::read_options::{Options, References};
use super::source::{Loaded, SecretSource};
use super::state::Engine;
use super::store::Found;
use crate::core::{ErrorKind, Hint, SortedPairs, Tick, XtraError, events};

/// What puts the values of an answer together with what they refer to.
pub(crate) type Follow<S> = for<'e> fn(Unfollowed<'e, S>) -> BoxFuture<'e, Result<Followed, XtraError>>;

/// An answer with references in its values.
pub(crate) struct Unfollowed<'e, S: SecretSource> {
    pub(crate) engine: &'e Arc<Engine<S>>,
    pub(crate) scope: &'e S::Owned,
    /// What the source has written of the scope.
    pub(crate) key: &'e [u8],
    pub(crate) loaded: &'e Loaded,
    pub(crate) parts: Parts,
}

/// The snapshots that the parts are taken from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    asked: Tick,
    /// Only those count that are asked for from now on.
    anew: bool,
}

/// The values in the place of which an answer's are, and by how much the oldest part is older than the answer.
pub(crate) struct Followed {
    pub(crate) values: SortedPairs,
    pub(crate) older: Duration,
}

impl<S: SecretSource> Engine<S> {
    /// What reads do with references that say nothing else.
    #[inline]
    pub(crate) fn references(&self) -> References {
        References::when(self.follows.load(Ordering::Relaxed))
    }

    /// The options of a read that says nothing else.
    #[inline]
    pub(crate) fn read_options(&self) -> Options {
        Options { references: self.references(), ..Options::default() }
    }

    /// Says what reads do that say nothing else, and how.
    pub(crate) fn follow_by_default(&self, on: bool, follow: Follow<S>) {
        self.follow_with(follow);
        self.follows.store(on, Ordering::Relaxed);
    }

    /// Says how references are followed where that is asked for.
    pub(crate) fn follow_with(&self, follow: Follow<S>) {
        self.follow.get_or_init(|| follow);
    }

    /// Asks the source, and puts what the values refer to in its place where the request wants that. All of it is one call to
    /// whoever waits, and has its time.
    pub(super) async fn load_followed(
        self: &Arc<Self>,
        request: &LoadRequest<S::Owned>,
        asked: Tick,
    ) -> Result<(Loaded, Duration), XtraError> {
        let begun = tokio::time::Instant::now();
        let loaded = self.load_or_revalidate(request).await?;
        let follow = match (request.references, self.follow.get()) {
            (References::Followed, Some(follow)) if loaded.doubt.is_none() => follow,
            _ => {
                self.warn_of_references(request, &loaded);
                let older = loaded.older;
                return Ok((loaded, older));
            }
        };
        let unfollowed = Unfollowed {
            engine: self,
            scope: &request.scope,
            key: source_part(&request.key),
            loaded: &loaded,
            parts: Parts { asked, anew: request.anew },
        };
        let followed = follow(unfollowed);
        let left = self.source.call_timeout().saturating_sub(begun.elapsed());
        // without timers the source answers at once
        let followed = match self.source.has_timers() {
            true => tokio::time::timeout(left, followed).await.unwrap_or_else(|_| Err(too_late()))?,
            false => followed.await?,
        };
        let older = followed.older.max(loaded.older);
        Ok((Loaded { values: followed.values, validator: None, ..loaded }, older))
    }

    /// Asks the source for the secrets; where there is a snapshot that it can tell, for others than these.
    async fn load_or_revalidate(&self, request: &LoadRequest<S::Owned>) -> Result<Loaded, XtraError> {
        let kept = || match self.store.as_ref()?.find(&request.key, self.clock.now()) {
            Found::Fresh(kept) | Found::Stale(kept) | Found::Old(kept) => Some(kept),
            Found::Nothing => None,
        };
        // what is put together of several is told by none of them
        let kept = if request.references == References::Kept { kept() } else { None };
        let Some((kept, validator)) =
            kept.and_then(|kept| kept.validator().map(|validator| (Arc::clone(&kept), validator)))
        else {
            return self.source.load(&request.scope).await;
        };
        let loaded = self.source.revalidate(&request.scope, &validator).await?;
        Ok(loaded.unwrap_or_else(|| {
            self.counts.unchanged.fetch_add(1, Ordering::Relaxed);
            let (values, unreadable) = kept.contents();
            let source = kept.source();
            Loaded { source, validator: Some(validator), ..Loaded::new(values, unreadable) }
        }))
    }

    /// A snapshot to take a part from: one that is young, or a new one. One that is nearly out of date would have all that is put
    /// together of it asked for again in a moment.
    pub(crate) async fn part(self: &Arc<Self>, scope: &S::Scope<'_>, parts: Parts) -> Answer {
        let options = Options::default();
        if parts.anew {
            return self.refresh(scope, options)?.await;
        }
        let request = LoadRequest { quiet: true, ..self.load_request(scope, options.references)? };
        let (key, scope) = (request.key.clone(), Arc::clone(&request.scope));
        if let Some(store) = &self.store
            && let Found::Fresh(secrets) = store.find(&key, self.clock.now())
            && secrets.age() <= self.options.ttl / 2
        {
            return Ok(secrets);
        }
        let engine = Arc::clone(self);
        let load = self.refresher.loads.join(&key, move || engine.load(request, "reference"));
        match load.await {
            Ok(outcome) => outcome.served(false),
            Err(error) => match self.stale_if_error(&key, &error) {
                Some(secrets) => Ok(secrets),
                None => Arc::clone(self).from_disk(&key, &scope, error).await,
            },
        }
    }

    /// Warns of values that look like references and are given as they are: once for each scope and name.
    fn warn_of_references(&self, request: &LoadRequest<S::Owned>, loaded: &Loaded) {
        if request.quiet {
            return;
        }
        for (name, _) in loaded.values.iter().filter(|(_, value)| self.source.is_reference(value.expose())) {
            if !self.warned.is_first(&request.key, name) {
                continue;
            }
            let (source, secret) = (self.source.name(), self.shown_name(name));
            tracing::warn!(
                target: events::ENGINE,
                source,
                secret,
                "a secret's value looks like a reference to another, and is given as it is; resolve_references(true) puts the \
                 other's value there"
            );
        }
    }
}

impl Parts {
    /// How much older than the answer a part is that is so old now.
    pub(crate) fn older_by(self, age: Duration, now: Tick) -> Duration {
        age.saturating_sub(now.since(self.asked))
    }
}

/// What the source has written of a key whose references are followed: not what begins every key, nor the mark at its end.
fn source_part(key: &[u8]) -> &[u8] {
    const START: usize = 2 * std::mem::size_of::<crate::core::Identity>();
    key.get(START..key.len().saturating_sub(1)).unwrap_or_default()
}

fn too_late() -> XtraError {
    let message = "the secrets that values refer to were not there in the time that the call has";
    XtraError::new(ErrorKind::Timeout, message).with_hint(Hint::Raise { limit: "call_timeout" })
}

/// The names that were warned of, by scope.
#[derive(Default)]
pub(crate) struct Warned(Mutex<HashSet<(Vec<u8>, String)>>);

impl Warned {
    /// Memory for so many. Of more nobody is warned.
    const MOST: usize = 256;

    fn is_first(&self, key: &[u8], name: &str) -> bool {
        let mut warned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        warned.len() < Self::MOST && warned.insert((key.to_vec(), name.to_owned()))
    }
}
