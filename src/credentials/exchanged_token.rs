//! An exchanged token: a short-lived one, got for other credentials and renewed before it ends.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};

use crate::core::{ErrorKind, Identity, XtraError, events};
use crate::http::{CredentialProvider, Token, TokenFuture};

/// How long before its end a token is renewed, unless that is more than a tenth of its life.
const MARGIN: Duration = Duration::from_secs(60);

/// What an exchange gave: a token, and how long it lasts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exchanged {
    /// The token.
    pub token: Token,
    /// How long it lasts from now on. Default: until its own end when it is a JSON Web Token that has one, else for ever.
    pub lasts: Option<Duration>,
}

impl Exchanged {
    /// A token that lasts until its own end, if it has one.
    #[must_use]
    pub fn new(token: Token) -> Self {
        let left = |end: std::time::SystemTime| end.duration_since(std::time::SystemTime::now()).unwrap_or_default();
        Self { lasts: token.expires_at().map(left), token }
    }

    /// This token, which lasts so long.
    #[must_use]
    pub fn lasts(mut self, time: Duration) -> Self {
        self.lasts = Some(time);
        self
    }
}

/// Gives tokens that are exchanged for other credentials, such as a client's id and secret.
///
/// The exchange runs when the first token is asked for, again shortly before the end of the one that it gave, and once more when
/// the service refuses that. However many calls wait for a token, one exchange runs; its failure reaches all of them and is not
/// kept. While an old token still lasts, a renewal that fails is no error.
///
/// ```
/// use std::time::Duration;
/// use xtrasecurity::credentials::{Exchanged, ExchangedToken};
/// use xtrasecurity::{XtraError, credentials::{CredentialProvider, Token}, source::Identity};
///
/// async fn log_in(client_id: &str) -> Result<Exchanged, XtraError> {
///     // a request to the service …
///     Ok(Exchanged::new(Token::new("short-lived")?).lasts(Duration::from_secs(7200)))
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let provider = ExchangedToken::new(Identity::of("client id: 4711"), || log_in("4711"));
/// assert_eq!(provider.token().await?.expose(), "short-lived");
/// # Ok::<(), XtraError>(())
/// # }).unwrap();
/// ```
pub struct ExchangedToken {
    identity: Identity,
    exchange: Arc<dyn Fn() -> Exchange + Send + Sync>,
    state: Arc<Mutex<State>>,
}

type Exchange = Pin<Box<dyn Future<Output = Result<Exchanged, XtraError>> + Send>>;
type InFlight = Pin<Box<dyn Future<Output = Result<Token, XtraError>> + Send>>;

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The exchange that runs. It ends when nobody waits for it any more, so that one that hangs holds nobody up later.
    in_flight: Option<WeakShared<InFlight>>,
}

struct Held {
    token: Token,
    /// When to renew it, and when it has ended; `None` is never.
    times: Option<(Instant, Instant)>,
}

impl Held {
    fn new(exchanged: Exchanged) -> Self {
        let now = Instant::now();
        let times = exchanged.lasts.and_then(|lasts| {
            let margin = MARGIN.min(lasts / 10);
            Some((now.checked_add(lasts.saturating_sub(margin))?, now.checked_add(lasts)?))
        });
        Self { token: exchanged.token, times }
    }

    fn is_due(&self) -> bool {
        self.times.is_some_and(|(renewal, _)| Instant::now() >= renewal)
    }

    fn has_ended(&self) -> bool {
        self.times.is_some_and(|(_, end)| Instant::now() >= end)
    }
}

impl ExchangedToken {
    /// A provider for this account, which `exchange` gets the tokens of.
    pub fn new<F>(identity: Identity, exchange: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Exchanged, XtraError>> + Send + 'static,
    {
        Self { identity, exchange: Arc::new(move || Box::pin(exchange())), state: Arc::default() }
    }

    /// A token that is good for now, or else the exchange to wait for.
    fn held_or_started(&self) -> Result<Token, Shared<InFlight>> {
        let mut state = lock(&self.state);
        if let Some(held) = state.held.as_ref().filter(|held| !held.is_due()) {
            return Ok(held.token.clone());
        }
        if let Some(running) = state.in_flight.as_ref().and_then(WeakShared::upgrade) {
            return Err(running);
        }
        let (exchange, shared) = (Arc::clone(&self.exchange), Arc::clone(&self.state));
        let running: InFlight = Box::pin(async move {
            let exchanged =
                AssertUnwindSafe(async move { exchange().await }).catch_unwind().await.unwrap_or_else(|payload| {
                    // it may hold anything, and dropping it may panic again
                    std::mem::forget(payload);
                    Err(XtraError::new(
                        ErrorKind::Credentials,
                        "the exchange for a token panicked. That is a bug in it",
                    ))
                });
            let mut state = lock(&shared);
            state.in_flight = None;
            match exchanged {
                Ok(exchanged) => {
                    let held = state.held.insert(Held::new(exchanged));
                    Ok(held.token.clone())
                }
                Err(error) => match state.held.as_ref().filter(|held| !held.has_ended()) {
                    Some(held) => {
                        tracing::warn!(target: events::CREDENTIALS, "a token could not be renewed, and is used until its end: {error}");
                        Ok(held.token.clone())
                    }
                    None => Err(error),
                },
            }
        });
        let running = running.shared();
        state.in_flight = running.downgrade();
        Err(running)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // each change is one assignment, so a panic elsewhere cannot have left half of one
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CredentialProvider for ExchangedToken {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn token(&self) -> TokenFuture<'_> {
        Box::pin(async {
            match self.held_or_started() {
                Ok(token) => Ok(token),
                Err(running) => running.await,
            }
        })
    }

    fn invalidate(&self, refused: &Token) -> bool {
        let mut state = lock(&self.state);
        // another request may have reported the same token first
        state.held.take_if(|held| held.token == *refused);
        true
    }
}

impl fmt::Debug for ExchangedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangedToken").field("identity", &self.identity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    /// Exchanges with these outcomes, one after the other. Each waits for a permit.
    struct Script {
        outcomes: Mutex<VecDeque<Outcome>>,
        gate: Semaphore,
        runs: AtomicUsize,
    }

    type Outcome = Result<(&'static str, Option<Duration>), ErrorKind>;

    const LONG: Option<Duration> = Some(Duration::from_secs(3600));
    const OVER: Option<Duration> = Some(Duration::ZERO);

    fn provider(outcomes: impl IntoIterator<Item = Outcome>) -> (ExchangedToken, Arc<Script>) {
        let outcomes = Mutex::new(outcomes.into_iter().collect());
        let script = Arc::new(Script { outcomes, gate: Semaphore::new(100), runs: AtomicUsize::new(0) });
        let shared = Arc::clone(&script);
        let provider = ExchangedToken::new(Identity::of("a"), move || {
            let script = Arc::clone(&shared);
            async move {
                script.runs.fetch_add(1, Ordering::Relaxed);
                let _permit = script.gate.acquire().await.unwrap();
                let outcome = script.outcomes.lock().unwrap().pop_front().unwrap();
                let (token, lasts) = outcome.map_err(|kind| XtraError::new(kind, "no"))?;
                Ok(Exchanged { token: Token::new(token)?, lasts })
            }
        });
        (provider, script)
    }

    impl Script {
        fn runs(&self) -> usize {
            self.runs.load(Ordering::Relaxed)
        }

        /// What so many calls get that have all begun to wait before the exchange ends.
        async fn together(&self, provider: &ExchangedToken, calls: usize) -> Vec<Result<Token, XtraError>> {
            self.gate.forget_permits(100);
            let mut all = Box::pin(join_all((0..calls).map(|_| provider.token())));
            assert!((&mut all).now_or_never().is_none());
            self.gate.add_permits(100);
            all.await
        }
    }

    #[tokio::test]
    async fn however_many_ask_one_exchange_runs_and_its_token_is_kept() {
        let (provider, script) = provider([Ok(("one", LONG))]);
        let tokens = script.together(&provider, 20).await;
        assert!(tokens.iter().all(|token| token.as_ref().unwrap().expose() == "one"));
        provider.token().await.unwrap();
        assert_eq!(script.runs(), 1);
    }

    #[tokio::test]
    async fn a_failure_reaches_all_who_wait_and_is_not_kept() {
        let (provider, script) = provider([Err(ErrorKind::Unauthorized), Ok(("two", LONG))]);
        let tokens = script.together(&provider, 5).await;
        assert!(tokens.iter().all(|token| token.as_ref().unwrap_err().kind() == ErrorKind::Unauthorized));
        assert_eq!(script.runs(), 1);
        assert_eq!(provider.token().await.unwrap().expose(), "two");
    }

    #[tokio::test]
    async fn a_token_past_its_time_is_exchanged_anew_and_its_failure_is_an_error() {
        let (provider, script) = provider([Ok(("one", OVER)), Ok(("two", OVER)), Err(ErrorKind::Network)]);
        assert_eq!(provider.token().await.unwrap().expose(), "one");
        assert_eq!(provider.token().await.unwrap().expose(), "two");
        assert_eq!(provider.token().await.unwrap_err().kind(), ErrorKind::Network);
        assert_eq!(script.runs(), 3);
    }

    #[test]
    fn a_token_is_due_before_its_end_by_a_margin() {
        let held = |lasts| Held::new(Exchanged { token: Token::new("t").unwrap(), lasts });
        let margin = |lasts| held(Some(lasts)).times.map(|(renewal, end)| end - renewal);
        assert_eq!(margin(Duration::from_secs(7200)), Some(MARGIN));
        assert_eq!(margin(Duration::from_secs(100)), Some(Duration::from_secs(10)));
        assert!(!held(None).is_due() && !held(LONG).is_due());
        assert!(held(OVER).is_due() && held(OVER).has_ended());
        assert!(held(Some(Duration::MAX)).times.is_none(), "longer than any clock goes");
    }

    #[tokio::test]
    async fn a_renewal_that_fails_leaves_a_token_that_still_lasts_in_use() {
        let (provider, script) = provider([Err(ErrorKind::Network)]);
        let now = Instant::now();
        let times = Some((now, now + Duration::from_secs(3600)));
        lock(&provider.state).held = Some(Held { token: Token::new("old").unwrap(), times });
        assert_eq!(provider.token().await.unwrap().expose(), "old");
        assert_eq!(script.runs(), 1);
    }

    #[tokio::test]
    async fn a_refused_token_is_exchanged_once_however_often_it_is_reported() {
        let (provider, script) = provider([Ok(("one", LONG)), Ok(("two", LONG))]);
        let refused = provider.token().await.unwrap();
        assert!(provider.invalidate(&refused));
        assert_eq!(provider.token().await.unwrap().expose(), "two");
        assert!(provider.invalidate(&refused), "there is another one by now");
        assert_eq!(provider.token().await.unwrap().expose(), "two");
        assert_eq!(script.runs(), 2);
    }

    #[tokio::test]
    async fn an_exchange_that_nobody_waits_for_any_more_holds_nobody_up() {
        let calls = Arc::new(Mutex::new(0));
        let provider = ExchangedToken::new(Identity::of("a"), move || {
            let call = {
                let mut calls = calls.lock().unwrap();
                *calls += 1;
                *calls
            };
            async move {
                if call == 1 {
                    std::future::pending::<()>().await;
                }
                Ok(Exchanged::new(Token::new("second")?))
            }
        });
        assert!(provider.token().now_or_never().is_none());
        assert_eq!(provider.token().await.unwrap().expose(), "second");
    }

    #[tokio::test]
    async fn a_panic_of_the_exchange_is_an_error_and_the_next_one_runs() {
        let first = Mutex::new(true);
        let provider = ExchangedToken::new(Identity::of("a"), move || {
            let is_first = std::mem::take(&mut *first.lock().unwrap());
            async move {
                assert!(!is_first, "in the exchange");
                Ok(Exchanged::new(Token::new("t")?))
            }
        });
        assert_eq!(provider.token().await.unwrap_err().kind(), ErrorKind::Credentials);
        assert_eq!(provider.token().await.unwrap().expose(), "t");
    }

    #[tokio::test]
    async fn a_provider_prints_no_token() {
        let (provider, _) = provider([Ok(("hunter2", LONG))]);
        let token = provider.token().await.unwrap();
        assert!(!format!("{provider:?} {token:?} {:?}", Exchanged::new(token.clone())).contains("hunter2"));
    }
}
