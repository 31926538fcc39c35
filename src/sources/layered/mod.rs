//! Several sources, one over the other, as one source of secrets.

mod layer;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;

use crate::core::layers::{LayerMap, LayerState};
use crate::core::{ErrorKind, Identity, Quota, ScopeDescription, Secrets, SnapshotSource, XtraError, events};
use crate::engine::{KeyWriter, Loaded, SecretSource, Traffic, is_own_refusal};
#[cfg(feature = "watch")]
use crate::engine::{Listener, Listening, watch::relay};
use layer::Fetched;

pub use layer::Layer;

/// Several sources, one over the other: of a name that several have, the first in the order gives the value. It is a source itself.
///
/// ```
/// use xtrasecurity::{Client, XtraClient, XtraError, sources::{EnvVars, Layer, Layered}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), XtraError> {
/// # let service = XtraClient::in_memory([("DATABASE_URL", "postgres://db"), ("PORT", "8080")])?;
/// let layered = Layered::new([
///     Layer::new(EnvVars::new().prefix("APP_"), ()),              // what is set here wins
///     Layer::of_client(&service, "production").every_name(),      // the rest comes from the service
/// ])?;
/// let client = Client::new_with_source(layered);
/// let secrets = client.read(()).await?;
/// assert_eq!(secrets.require("PORT")?.expose(), "8080");
/// assert_eq!(secrets.layer_of("PORT").map(|layer| layer.number()), Some(2));
/// # Ok(())
/// # }
/// ```
///
/// # What falls through
///
/// - **A name falls through to a lower layer only where that was asked for.** Two projects may have secrets of one name that
///   have nothing to do with each other. So every layer but the first must say which names it may give: [`Layer::names`] or
///   [`Layer::every_name`].
/// - **A layer that failed is an error** of the whole read, and not a layer without secrets. An [optional](Layer::optional) layer
///   may fail: a warning is logged when it begins to, the snapshot [tells](crate::Secrets::layers), and the layers below give
///   the names that it would have given.
/// - **A secret that is there and cannot be read hides those below it.** It stays unreadable: a masked value is never replaced
///   by another place's.
///
/// # What is kept, and where
///
/// The client over this source keeps the merged snapshot. Each load of that asks every layer anew, all at the same time. A
/// layer never answers from a cache while its service can be asked, so times to live do not add up.
///
/// Outages are handled by the client of each [layer](Layer::of_client). While a service cannot be reached, what its client has
/// kept stands in, by its own rules: its `max_stale`, its copies on disk (feature `offline`). The other layers are
/// as they are now. The merged snapshot is as old as its oldest part, and no copy of it is written. An answer that has suddenly
/// lost its secrets is held back by the layer's client as well; [`invalidate`](crate::Client::invalidate) on that client
/// accepts it. After a write by a layer's client, call `invalidate` on the client over this source to see it at once.
///
/// A watch is told of changes by the layers whose services tell of them; it polls as ever unless all do.
///
/// Memory holds the values of a client's layer twice: here and in its client. References in values are followed as that client
/// is set.
pub struct Layered {
    layers: Vec<Layer>,
    /// The places of the layers, for the key.
    places: String,
}

impl Layered {
    /// These sources, the first on top.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when there is no layer, or a layer below the first does not say which names it may give; and
    /// what the source of a layer says of a scope that it cannot use.
    pub fn new(layers: impl IntoIterator<Item = Layer>) -> Result<Self, XtraError> {
        let layers: Vec<Layer> = layers.into_iter().collect();
        if layers.is_empty() {
            let error = XtraError::new(ErrorKind::Config, "there are no layers, so there is nothing to read");
            return Err(error.in_call("Layered::new"));
        }
        let mut places = String::new();
        for (at, layer) in layers.iter().enumerate() {
            layer.check(at).map_err(|error| error.in_call("Layered::new"))?;
            layer.write_place(&mut places);
        }
        Ok(Self { layers, places })
    }

    /// The layers of different clients: what a client counts, it counts once.
    fn clients(&self) -> impl Iterator<Item = &Layer> {
        let mut seen = HashSet::new();
        self.layers.iter().filter(move |layer| layer.part().is_some_and(|part| seen.insert(part.address())))
    }

    fn failure(&self, at: usize, error: &XtraError) -> XtraError {
        let label = self.layers.get(at).map_or("", Layer::label);
        let message = format!("layer {} ({label}) could not be read: {}", at + 1, error.facts());
        error.clone().within(message).with_hints(error.hints().iter().cloned())
    }
}

impl SecretSource for Layered {
    type Scope<'a> = ();
    type Owned = ();

    fn name(&self) -> &'static str {
        "layers"
    }

    fn base_url(&self) -> &str {
        &self.places
    }

    fn describe(&self, (): &()) -> Option<ScopeDescription> {
        let labels: Vec<&str> = self.layers.iter().map(Layer::label).collect();
        let text = format!("the layered source ({})", labels.join("; "));
        Some(ScopeDescription::new(text).empty_means("None of them has a secret that it may give"))
    }

    fn is_reference(&self, value: &str) -> bool {
        self.layers.iter().filter_map(Layer::part).any(|part| part.is_reference(value))
    }

    fn passphrase_variable(&self) -> Option<&'static str> {
        self.layers.iter().filter_map(Layer::part).find_map(|part| part.passphrase_variable())
    }

    fn call_timeout(&self) -> Duration {
        let timeouts = self.layers.iter().filter_map(Layer::part).map(|part| part.call_timeout());
        timeouts.max().unwrap_or_default()
    }

    fn identity(&self) -> Identity {
        Identity::of_all(self.layers.iter().filter_map(Layer::part).map(|part| part.identity()))
    }

    fn write_key(&self, (): &(), _: &mut KeyWriter) {}

    fn prepare(&self, (): &()) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
        let answers = join_all(self.layers.iter().map(Layer::fetch)).await;
        if let Some((at, error)) = worst(&self.layers, &answers) {
            return Err(self.failure(at, error));
        }
        let mut merged = Merged::default();
        for (at, (layer, answer)) in self.layers.iter().zip(answers).enumerate() {
            layer.tell(at, &answer);
            match answer {
                Ok(fetched) => merged.add(at, layer, &fetched),
                Err(error) => merged.map.push(LayerState::new(at + 1, layer.label(), Some(error))),
            }
        }
        Ok(merged.finish())
    }

    #[cfg(feature = "watch")]
    fn listen(&self, (): &(), listener: Listener) -> Option<Listening> {
        relay(listener, self.layers.iter().filter_map(Layer::part).map(|part| |listener| part.listen(listener)))
    }

    fn has_timers(&self) -> bool {
        self.layers.iter().filter_map(Layer::part).any(|part| part.has_timers())
    }

    /// That of the layer whose quota is used up first, if everyone goes on as they do.
    fn quota(&self, (): &()) -> Option<Quota> {
        // requests for each second of what is left of the window
        let rate = |quota: &Quota| quota.usable() as f64 / quota.resets_in.as_secs_f64().max(1.0);
        let quotas = self.layers.iter().filter_map(|layer| layer.part()?.quota());
        quotas.filter(|quota| quota.limit > 0).min_by(|one, other| rate(one).total_cmp(&rate(other)))
    }

    fn traffic(&self) -> Traffic {
        let all = self.clients().filter_map(Layer::part).map(|part| part.traffic());
        all.fold(Traffic::default(), |sum, of| Traffic {
            requests: sum.requests + of.requests,
            retries: sum.retries + of.retries,
            quota_left: [sum.quota_left, of.quota_left].into_iter().flatten().min(),
            delayed: sum.delayed + of.delayed,
            withheld: sum.withheld + of.withheld,
            retries_withheld: sum.retries_withheld + of.retries_withheld,
        })
    }
}

/// The failure of a layer that must not fail: a refusal by a service before all others, because it ends what the caller may have,
/// and what no waiting mends before what it may.
fn worst<'e>(layers: &[Layer], answers: &'e [Result<Fetched, XtraError>]) -> Option<(usize, &'e XtraError)> {
    let failed = layers.iter().zip(answers).enumerate();
    let failed =
        failed.filter_map(|(at, (layer, answer))| Some((at, answer.as_ref().err().filter(|_| !layer.is_optional())?)));
    failed.min_by_key(|(_, error)| (!is_own_refusal(error), error.is_retryable()))
}

/// A snapshot in the making.
#[derive(Default)]
struct Merged {
    secrets: Vec<Arc<Secrets>>,
    values: Vec<(usize, String)>,
    unreadable: Vec<crate::core::Unreadable>,
    taken: HashSet<String>,
    map: LayerMap,
    older: Duration,
}

impl Merged {
    /// Adds what no layer before has given.
    fn add(&mut self, at: usize, layer: &Layer, (secrets, older): &Fetched) {
        let may_give = |name: &&str| layer.may_give(name);
        let place = self.secrets.len();
        for entry in secrets.unreadable().iter().filter(|entry| layer.may_give(&entry.name)) {
            if self.taken.insert(entry.name.clone()) {
                self.map.gives(&entry.name);
                self.unreadable.push(entry.clone());
            }
        }
        for name in secrets.names().filter(may_give) {
            if self.taken.insert(name.to_owned()) {
                self.map.gives(name);
                self.values.push((place, name.to_owned()));
            }
        }
        self.secrets.push(Arc::clone(secrets));
        self.older = self.older.max(*older);
        self.map.push(LayerState::new(at + 1, layer.label(), None));
    }

    fn finish(self) -> Loaded {
        let value = |(place, name): &(usize, String)| {
            let value = self.secrets.get(*place)?.get(name)?.shared();
            Some((name.clone(), value))
        };
        let values = self.values.iter().filter_map(value).collect();
        Loaded {
            source: SnapshotSource::Layers,
            older: self.older,
            layers: Some(Arc::new(self.map)),
            ..Loaded::new(values, self.unreadable)
        }
    }
}

impl Layer {
    /// Logs that an optional layer begins to be missing, or is back.
    fn tell(&self, at: usize, answer: &Result<Fetched, XtraError>) {
        let was_missing = self.missing.swap(answer.is_err(), Ordering::Relaxed);
        let layer = at + 1;
        match answer {
            Err(error) if !was_missing => {
                let kind = error.kind().as_str();
                tracing::warn!(target: events::SERVICE, layer, kind, "an optional layer could not be read: its names come from the layers below, or are missing");
            }
            Ok(_) if was_missing => {
                tracing::info!(target: events::SERVICE, layer, "an optional layer can be read again")
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Layered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layered").field("layers", &self.layers).finish_non_exhaustive()
    }
}
