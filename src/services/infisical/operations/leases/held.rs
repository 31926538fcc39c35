//! A lease that renews itself, and is revoked when it is not needed any more.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::oneshot;

use super::create::Lease;
use super::holder::{Holder, KeeperThread};
use super::{HasTtl, Place, life};
#[cfg(feature = "blocking")]
use crate::blocking::{self, Blocking};
use crate::core::{Clock, ErrorKind, Hint, SecretValue, Tick, Timestamp, XtraError};
use crate::engine::{Async, Call, Client, Operation, Request};
use crate::services::infisical::{Infisical, InfisicalScope};

/// So long a revocation may take when nothing else is said.
const GRACE: Duration = Duration::from_secs(10);

/// Renewals are not closer together, whatever life a server tells.
const SHORTEST: Duration = Duration::from_secs(1);

/// The operation of a [`Request`] that makes a lease and holds it, in the mode `M` of its client.
#[non_exhaustive]
pub struct HoldLease<M = Async> {
    name: String,
    ttl: Option<Duration>,
    grace: Duration,
    mode: PhantomData<fn() -> M>,
}

/// A lease that is renewed when two thirds of its life are over, until this is closed or dropped: then it is revoked. `Debug` prints
/// no credential.
///
/// That of a blocking client (`M` is `blocking::Blocking`) has a thread that does so, named `secrets-lease`; dropping it waits for
/// the revocation, as long as the [grace](Request::revoke_grace) is.
#[must_use = "the lease is revoked when this is dropped"]
pub struct HeldLease<M = Async> {
    lease: Lease,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<Reply>>,
    /// Where no runtime goes on by itself.
    thread: Option<KeeperThread>,
    mode: PhantomData<fn() -> M>,
}

pub(super) type Reply = oneshot::Sender<Result<(), XtraError>>;

/// What has become of a lease.
struct State {
    expires_at: Timestamp,
    renewals: u64,
    problem: Option<XtraError>,
}

/// # Infisical: leases that are held
impl<M> Client<Infisical, M> {
    /// Makes credentials by a dynamic secret of a folder, as [`create_lease`](Self::create_lease) does, and holds them: awaiting gives
    /// a [`HeldLease`], which is renewed before it ends, and revoked when it is closed or dropped.
    ///
    /// A task of the current tokio runtime does both; for the blocking client, a thread named `secrets-lease`, which has ended when the
    /// lease is dropped (while it runs, [`inject_secrets`](Self::inject_secrets) refuses). When that runtime ends first, the lease ends by
    /// itself; so it does when the call is given up before its answer is there. A renewal that fails for a time is tried again until the lease ends; one that the
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
    ) -> Request<'a, Infisical, HoldLease<M>, M> {
        let hold = HoldLease { name: name.into(), ttl: None, grace: GRACE, mode: PhantomData };
        self.request(InfisicalScope::new(environment), hold)
    }
}

impl<M> Request<'_, Infisical, HoldLease<M>, M> {
    /// How long the revocation may take, when the lease is closed or dropped. Default 10 s.
    pub fn revoke_grace(mut self, time: Duration) -> Self {
        self.operation.grace = time;
        self
    }
}

impl<M> HasTtl for HoldLease<M> {
    fn ttl(&mut self) -> &mut Option<Duration> {
        &mut self.ttl
    }
}

impl<M> Operation for HoldLease<M> {
    const NAME: &'static str = "hold_lease";
    const NAMES_SCOPE: bool = true;
    type Source = Infisical;
    type Output = HeldLease<M>;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<HeldLease<M>, XtraError> {
        let holder = Holder::find(self.grace)?;
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
        let thread = holder.hold(keeper, stopped);
        Ok(HeldLease { lease, state, stop: Some(stop), thread, mode: PhantomData })
    }
}

impl<M> HeldLease<M> {
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

    /// Has the lease revoked; what came of it follows.
    fn stop(&mut self) -> oneshot::Receiver<Result<(), XtraError>> {
        let (reply, revoked) = oneshot::channel();
        if let Some(stop) = self.stop.take() {
            // when nobody holds it any more, the reply is dropped, which says so
            let _ = stop.send(reply);
        }
        revoked
    }
}

impl HeldLease {
    /// Revokes the lease, and waits until that is done. One that has ended meanwhile is revoked as well.
    ///
    /// # Errors
    ///
    /// Those of [`revoke_lease`](Client::revoke_lease); [`Timeout`](crate::ErrorKind::Timeout) when it takes longer than the
    /// [grace](Request::revoke_grace), and the lease then ends by itself.
    pub async fn close(mut self) -> Result<(), XtraError> {
        self.stop().await.unwrap_or_else(|_| gone())
    }
}

#[cfg(feature = "blocking")]
impl HeldLease<Blocking> {
    /// Revokes the lease, and waits until that is done. One that has ended meanwhile is revoked as well.
    ///
    /// # Errors
    ///
    /// Those of [`revoke_lease`](Client::revoke_lease); [`Timeout`](crate::ErrorKind::Timeout) when it takes longer than the
    /// [grace](Request::revoke_grace), and the lease then ends by itself; [`Config`](crate::ErrorKind::Config) inside an async
    /// runtime, where the lease is revoked all the same.
    pub fn close(mut self) -> Result<(), XtraError> {
        let revoked = self.stop();
        blocking::block_on(revoked)?.unwrap_or_else(|_| gone())
    }
}

fn gone() -> Result<(), XtraError> {
    let message = "what held the lease is gone, and its runtime with it: the lease ends by itself";
    Err(XtraError::new(ErrorKind::Config, message).in_call("close"))
}

impl<M> Drop for HeldLease<M> {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.wait();
        }
    }
}

impl<M> fmt::Debug for HoldLease<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HoldLease").field("ttl", &self.ttl).field("grace", &self.grace).finish_non_exhaustive()
    }
}

impl<M> fmt::Debug for HeldLease<M> {
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

/// What is behind a lease that is held.
pub(super) struct Keeper {
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
    pub(super) async fn run(mut self, mut stopped: oneshot::Receiver<Reply>) {
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
