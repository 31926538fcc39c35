//! The part that one scope is of a larger snapshot, which has a cache of its own: asked for anew whenever that one is, and kept
//! by the rules of its own client for the time when its service cannot be reached.

use std::sync::Arc;
use std::time::Duration;

use super::backoff::Last;
use super::client::Client;
use super::outcome::{Answer, LoadRequest};
use super::source::SecretSource;
use super::state::Engine;
use crate::core::{Secrets, XtraError};

/// A scope of a client.
pub(crate) struct ScopePart<S: SecretSource> {
    client: Client<S>,
    scope: S::Scope<'static>,
    /// The scope, checked.
    pub(crate) owned: Arc<S::Owned>,
    /// What the source has written of the scope.
    pub(crate) key: Vec<u8>,
}

impl<S: SecretSource> ScopePart<S> {
    /// The part of `client` that `scope` is.
    ///
    /// # Errors
    ///
    /// Those of [`SecretSource::prepare`].
    pub(crate) fn new(client: Client<S>, scope: S::Scope<'static>) -> Result<Self, XtraError> {
        let LoadRequest { key, scope: owned, .. } = client.engine.load_request(&scope, client.engine.references())?;
        Ok(Self {
            client,
            scope,
            owned,
            key: key.get(2 * size_of::<crate::core::Identity>()..).unwrap_or_default().into(),
        })
    }

    pub(crate) fn source(&self) -> &S {
        &self.client.engine.source
    }

    /// What tells this client from others.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.client.engine).addr()
    }

    /// The newest snapshot, and how old it was when this was called: nothing, unless it stands in for a service that cannot be
    /// reached or whose answer is held back.
    pub(crate) async fn newest(&self) -> Result<(Arc<Secrets>, Duration), XtraError> {
        let engine: &Arc<Engine<S>> = &self.client.engine;
        let asked = engine.clock.now();
        let secrets = engine.newest(engine.load_request(&self.scope, engine.references())?).await?;
        let older = secrets.age().saturating_sub(engine.clock.now().since(asked));
        Ok((secrets, older))
    }
}

impl<S: SecretSource> Engine<S> {
    /// What a load that begins now brings. Only where the service cannot be reached, what is kept does in its place; a service
    /// that was just found so is left alone for a while.
    async fn newest(self: &Arc<Self>, request: LoadRequest<S::Owned>) -> Answer {
        let (key, scope) = (request.key.clone(), Arc::clone(&request.scope));
        if self.refresher.last(&key, self.clock.now()) == Some(Last::Unreachable)
            && let Some(kept) = self.usable(&key)
        {
            return Ok(self.serve_aged(&key, kept));
        }
        if let Some(earlier) = self.refresher.loads.in_flight(&key) {
            drop(earlier.await);
        }
        let (engine, request) = (Arc::clone(self), LoadRequest { anew: true, ..request });
        match self.refresher.loads.join(&key, move || engine.load(request, "layer")).await {
            Ok(outcome) => outcome.served(false),
            Err(error) => {
                let is_away = self.refresher.is_unreachable(&key, &error, self.clock.now());
                match self.stale_if_error(&key, &error).filter(|_| is_away) {
                    Some(kept) => Ok(kept),
                    None => Arc::clone(self).from_disk(&key, &scope, error).await,
                }
            }
        }
    }
}
