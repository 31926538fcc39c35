//! A lease that renews itself, and is revoked when it is not needed any more.

use std::borrow::Cow;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::create::Lease;
use super::{HasTtl, Place, life};
use crate::core::{Clock, ErrorKind, Hint, SecretValue, Tick, Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::{Infisical, InfisicalScope};

/// So long a revocation may take when nothing else is said.
const GRACE: Duration = Duration::from_secs(10);

/// Renewals are not closer together, whatever life a server tells.
const SHORTEST: Duration = Duration::from_secs(1);

/// The operation of a [`Request`] that makes a lease and holds it.
#[derive(Debug)]
#[non_exhaustive]
pub struct HoldLease {
    name: String,
    ttl: Option<Duration>,
    grace: Duration,
}

/// A lease that a task renews when two thirds of its life are over, until this is closed or dropped: then the task revokes it.
/// `Debug` prints no credential.
#[must_use = "the lease is revoked when this is dropped"]
pub struct HeldLease {
    lease: Lease,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<Reply>>,
}

type Reply = oneshot::Sender<Result<(), XtraError>>;

/// What has become of a lease.
struct State {
    expires_at: Timestamp,
    renewals: u64,
    problem: Option<XtraError>,
}

/// # Infisical: leases that are held
impl Client<Infisical> {
    /// Makes credentials by a dynamic secret of a folder, as [`create_lease`](Self::create_lease) does, and holds them: awaiting gives
    /// a [`HeldLease`], which is renewed before it ends, and revoked when it is closed or dropped.
    ///
    /// A task of the current tokio runtime does both. When that runtime ends first, the lease ends by itself; so it does when the
    /// call is given up before its answer is there. A renewal that fails for a time is tried again until the lease ends; one that the
    /// server refuses, for instance because the lease has lived as long as it may, is not
    /// ([`problem`](HeldLease::problem) tells).
    ///
    /// # Errors
    ///
    /// Those of [`create_lease`](Self::create_lease); [`Config`](crate::ErrorKind::Config) outside a tokio runtime, with nothing sent.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// let lease = client.hold_lease("prod", "postgres").path("/app").await?;
    /// let password = lease.get("DB_PASSWORD");
    /// // … for as long as it takes
    /// lease.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn hold_lease<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
    ) -> Request<'a, Infisical, HoldLease> {
        self.request(InfisicalScope::new(environment), HoldLease { name: name.into(), ttl: None, grace: GRACE })
    }
}

impl Request<'_, Infisical, HoldLease> {
    /// How long the revocation may take, when the lease is closed or dropped. Default 10 s.
    pub fn revoke_grace(mut self, time: Duration) -> Self {
        self.operation.grace = time;
        self
    }
}

impl HasTtl for HoldLease {
    fn ttl(&mut self) -> &mut Option<Duration> {
        &mut self.ttl
    }
}

impl Operation for HoldLease {
    const NAME: &'static str = "hold_lease";
    type Source = Infisical;
    type Output = HeldLease;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<HeldLease, XtraError> {
        let runtime = Handle::try_current().map_err(|_| {
            XtraError::new(
                ErrorKind::Config,
                "nothing was sent: a lease is held by a task, and there is no tokio runtime",
            )
        })?;
        let ttl = life(self.ttl)?;
        let place = call.lease_place().await?;
        let clock = call.source().transport().clock();
        // the life begins at the server, after this
        let begun = clock.now();
        let lease = call.source().lease(&place, self.name, ttl.clone()).await?;
        let state = State { expires_at: lease.expires_at, renewals: 0, problem: None };
        let state = Arc::new(Mutex::new(state));
        let (stop, stopped) = oneshot::channel();
        let keeper = Keeper {
            client: call.client(),
            place,
            id: lease.id.clone(),
            ttl,
            grace: self.grace,
            clock,
            state: Arc::clone(&state),
            renew_at: Some(begun.after(pause(lease.lifetime))),
            ends_at: begun.after(lease.lifetime),
        };
        runtime.spawn(keeper.run(stopped));
        Ok(HeldLease { lease, state, stop: Some(stop) })
    }
}

impl HeldLease {
    /// The lease's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.lease.id
    }

    /// A credential by its name, such as `DB_PASSWORD`. Renewals leave it as it is.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretValue> {
        self.lease.get(name)
    }

    /// The credentials by name, in order.
    #[must_use]
    pub fn data(&self) -> &[(String, SecretValue)] {
        &self.lease.data
    }

    /// When the lease ends, by the server's clock and the newest renewal.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        lock(&self.state).expires_at
    }

    /// How often it was renewed.
    #[must_use]
    pub fn renewals(&self) -> u64 {
        lock(&self.state).renewals
    }

    /// Why the newest renewal failed; `None` when it did not.
    #[must_use]
    pub fn problem(&self) -> Option<XtraError> {
        lock(&self.state).problem.clone()
    }

    /// Revokes the lease, and waits until that is done. One that has ended meanwhile is revoked as well.
    ///
    /// # Errors
    ///
    /// Those of [`revoke_lease`](Client::revoke_lease); [`Timeout`](crate::ErrorKind::Timeout) when it takes longer than the
    /// [grace](Request::revoke_grace), and the lease then ends by itself.
    pub async fn close(mut self) -> Result<(), XtraError> {
        let (reply, revoked) = oneshot::channel();
        let is_asked = self.stop.take().is_some_and(|stop| stop.send(reply).is_ok());
        let gone = || {
            let message = "the task that held the lease is gone, and its runtime with it: the lease ends by itself";
            Err(XtraError::new(ErrorKind::Config, message).in_call("close"))
        };
        if !is_asked {
            return gone();
        }
        revoked.await.unwrap_or_else(|_| gone())
    }
}

impl fmt::Debug for HeldLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldLease").field("lease", &self.lease).finish_non_exhaustive()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time from the start of a life to its renewal.
fn pause(lifetime: Duration) -> Duration {
    lifetime.saturating_mul(2).checked_div(3).unwrap_or_default().max(SHORTEST)
}

/// The task behind a lease that is held.
struct Keeper {
    client: Client<Infisical>,
    place: Place,
    id: String,
    ttl: Option<String>,
    grace: Duration,
    clock: Clock,
    state: Arc<Mutex<State>>,
    /// `None` when it is not renewed any more.
    renew_at: Option<Tick>,
    ends_at: Tick,
}

impl Keeper {
    async fn run(mut self, mut stopped: oneshot::Receiver<Reply>) {
        let reply = loop {
            let stop = {
                let renewal = pin!(self.renew_when_due());
                match select(renewal, &mut stopped).await {
                    Either::Left(_) => None,
                    Either::Right((reply, _)) => Some(reply.ok()),
                }
            };
            if let Some(reply) = stop {
                break reply;
            }
        };
        let revoked = self.revoke().await;
        if let Some(reply) = reply {
            // nobody may wait for it any more
            let _ = reply.send(revoked);
        }
    }

    async fn renew_when_due(&mut self) {
        match self.renew_at {
            Some(at) => self.clock.sleep_until(at).await,
            None => std::future::pending().await,
        }
        let begun = self.clock.now();
        let renewed = self.client.source().renewed(&self.place, &self.id, self.ttl.clone()).await;
        let mut state = lock(&self.state);
        match renewed {
            Ok(renewed) => {
                state.expires_at = renewed.expires_at;
                state.renewals += 1;
                state.problem = None;
                self.renew_at = Some(begun.after(pause(renewed.lifetime)));
                self.ends_at = begun.after(renewed.lifetime);
            }
            Err(error) => {
                let left = self.ends_at.since(self.clock.now());
                let may_pass = error.is_retryable() || error.may_have_been_applied();
                // a third of what is left, again and again
                let next = self.clock.now().after((left / 3).max(SHORTEST));
                self.renew_at = Some(next).filter(|_| may_pass && !left.is_zero());
                state.problem = Some(error.in_call("renew_lease"));
            }
        }
    }

    async fn revoke(&self) -> Result<(), XtraError> {
        let revoked = self.client.source().revoke(&self.place, &self.id);
        match tokio::time::timeout(self.grace, revoked).await {
            Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Ok(()),
            Ok(outcome) => outcome.map_err(|error| error.in_call("close")),
            Err(_) => {
                Err(XtraError::new(ErrorKind::Timeout, "the lease was not revoked in its time: it ends by itself")
                    .in_call("close")
                    .with_hint(Hint::Raise { limit: "revoke_grace" }))
            }
        }
    }
}
