//! What a secrets manager must be able to do for the engine.

use std::fmt;
use std::future::Future;

use super::cache::KeyWriter;
use crate::core::{Budget, Identity, SecretValue, SnapshotSource, SortedPairs, Unreadable, XtraError};

/// A place that secrets come from. [`Client`](crate::Client) adds the cache, single flight, injection and the rest.
///
/// XtraSecurity is one ([`Xtra`](crate::Xtra)); a program can bring its own and read it with
/// [`Client::read`](crate::Client::read).
///
/// ```
/// use xtrasecurity::{Client, Identity, KeyWriter, Loaded, SecretSource, XtraError};
///
/// /// Secrets by team, from wherever this program keeps them.
/// struct Teams;
///
/// impl SecretSource for Teams {
///     type Scope<'a> = &'a str;
///
///     fn name(&self) -> &'static str {
///         "teams"
///     }
///
///     fn identity(&self) -> Identity {
///         Identity::of("this program")
///     }
///
///     fn write_key(&self, scope: &Self::Scope<'_>, key: &mut KeyWriter) {
///         key.field(scope);
///     }
///
///     type Owned = String;
///
///     fn prepare(&self, scope: &Self::Scope<'_>) -> Result<String, XtraError> {
///         Ok((*scope).to_owned())
///     }
///
///     async fn load(&self, team: &String) -> Result<Loaded, XtraError> {
///         Ok(Loaded::from_iter([("TEAM", team.as_str())]))
///     }
/// }
///
/// # fn main() -> Result<(), XtraError> {
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let client = Client::new_with_source(Teams);
/// let secrets = client.read("payments").await?;
/// assert_eq!(secrets.require("TEAM")?.expose(), "payments");
/// # Ok(())
/// # })
/// # }
/// ```
pub trait SecretSource: Send + Sync + 'static {
    /// What tells one set of secrets from another, borrowed from the caller: a cached read must not have to copy it.
    type Scope<'a>: Send + Sync + Unpin;

    /// The same, checked and owned, to fetch it with.
    type Owned: Send + Sync + 'static;

    /// The service's name, for errors and events.
    fn name(&self) -> &'static str;

    /// The API root, when there can be more than one. Part of the cache key; never printed.
    fn root(&self) -> &str {
        ""
    }

    /// Who is asking. Snapshots of one identity are never served to another.
    fn identity(&self) -> Identity;

    /// Writes every part of `scope` that the answer depends on.
    fn write_key(&self, scope: &Self::Scope<'_>, key: &mut KeyWriter);

    /// Checks `scope` and makes it independent of the caller. Called before anything is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) or [`ErrorKind::Config`](crate::ErrorKind::Config), naming the
    /// part that cannot be used.
    fn prepare(&self, scope: &Self::Scope<'_>) -> Result<Self::Owned, XtraError>;

    /// Fetches the secrets. Must not block the thread; may be dropped at any await. The client adds neither a deadline nor
    /// retries: a source brings its own. A panic in it is an error of
    /// kind [`Server`](crate::ErrorKind::Server) for every caller that waits, and the next read asks again.
    ///
    /// # Errors
    ///
    /// Any kind. 401, 403 and 404 (by [`XtraError::status`]) count as the service's own refusals and also drop what the cache
    /// and the disk hold for the scope, unless the error says [otherwise](XtraError::with_foreign_refusal). What a [retry](XtraError::is_retryable) may mend leaves it.
    fn load(&self, scope: &Self::Owned) -> impl Future<Output = Result<Loaded, XtraError>> + Send;

    /// Whether every runtime that this source is used on has tokio's time driver. Then values leave memory by a task as soon as
    /// they may not be served any more; otherwise the next load takes them out. Default: `false`, because a task that waits
    /// panics on a runtime without.
    fn has_timers(&self) -> bool {
        false
    }

    /// What the service has said is left of the requests that may be sent for `scope`. The time to live of snapshots is
    /// stretched by it. Default: nothing is known.
    fn budget(&self, _scope: &Self::Owned) -> Option<Budget> {
        None
    }

    /// The credential, when it stays the same for long: what is saved for the time without the service (feature `offline`) is
    /// encrypted under a key made from it. Default: there is none.
    fn lasting_token(&self) -> Option<SecretValue> {
        None
    }

    /// The requests sent so far, for [`Client::stats`](crate::Client::stats).
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

/// How many requests a source has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Those among them that repeated a failed one.
    pub retries: u64,
    /// What is left of the budget of requests; of the one with the least, when there are several.
    pub budget_left: Option<u64>,
    /// Calls that waited, so as not to be refused for coming too fast.
    pub delayed: u64,
    /// Calls that failed without being sent, because they would have been refused.
    pub withheld: u64,
    /// Retries that were not made, because too many calls of the process were failing.
    pub retries_withheld: u64,
}

impl Traffic {
    /// These counts.
    #[must_use]
    pub fn new(requests: u64, retries: u64) -> Self {
        Self { requests, retries, ..Self::default() }
    }
}

/// What a source has fetched: the values that can be read, and the names of those that cannot.
#[derive(Clone)]
pub struct Loaded {
    pub(crate) values: SortedPairs,
    pub(crate) unreadable: Vec<Unreadable>,
    pub(crate) source: SnapshotSource,
    /// Why these may be no secrets at all.
    pub(crate) doubt: Option<XtraError>,
}

impl Loaded {
    /// The same, of which it is not sure that they are secrets. They are not stored, and served only to who accepts any answer.
    #[cfg(feature = "xtra")]
    pub(crate) fn doubted(mut self, error: XtraError) -> Self {
        self.doubt = Some(error);
        self
    }

    /// Adds the names whose values did not come through.
    #[must_use]
    pub fn with_unreadable(mut self, unreadable: impl IntoIterator<Item = Unreadable>) -> Self {
        self.unreadable.extend(unreadable);
        self
    }

    /// Says where the values came from, when that is not the service itself.
    #[must_use]
    pub fn from_source(mut self, source: SnapshotSource) -> Self {
        self.source = source;
        self
    }
}

impl<N: Into<String>, V: Into<SecretValue>> FromIterator<(N, V)> for Loaded {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let values = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { values, unreadable: Vec::new(), source: SnapshotSource::Service, doubt: None }
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("values", &self.values).field("unreadable", &self.unreadable).finish()
    }
}
