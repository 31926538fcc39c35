//! An exchanged token: a short-lived one, got for other credentials and renewed before it ends.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};

use crate::core::{Clock, ErrorKind, Identity, Tick, XtraError, events};
use crate::http::{CredentialProvider, Token, TokenFuture, jwt};

/// How long before its end a token is renewed, unless that is more than a tenth of its life.
const MARGIN: Duration = Duration::from_secs(60);

/// How long after a renewal that failed the next one begins, while the token before still lasts.
const RENEWAL_PAUSE: Duration = Duration::from_secs(5);

/// A token in the place of a refused one must be so old to be exchanged for being refused itself.
const REFUSED_AGAIN: Duration = Duration::from_secs(60);

/// What an exchange gave: a token, and how long it lasts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exchanged {
    /// The token.
    pub token: Token,
    /// How long it lasts from now on. Default: until its own end when it is a JSON Web Token that has one, else for ever. By a
    /// clock that is past that end already, the token lasts for as long as it was made for.
    pub lasts: Option<Duration>,
}

impl Exchanged {
    /// A token that lasts until its own end, if it has one.
    #[must_use]
    pub fn new(token: Token) -> Self {
        // a token that has just been made does not end before it is used: then this machine's clock is wrong
        let left = |end: SystemTime| end.duration_since(SystemTime::now()).ok().filter(|left| !left.is_zero());
        let lasts = [token.expires_at().and_then(left), jwt::lifetime(token.expose())].into_iter().flatten().min();
        Self { lasts, token }
    }

    /// This token, which lasts so long.
    #[must_use]
    pub fn lasts(mut self, time: Duration) -> Self {
        self.lasts = Some(time);
        self
    }

    /// The same, which lasts no longer than this.
    #[must_use]
    pub fn at_most(mut self, time: Duration) -> Self {
        self.lasts = Some(self.lasts.map_or(time, |lasts| lasts.min(time)));
        self
    }
}

/// Gives tokens that are exchanged for other credentials, such as a client's id and secret.
///
/// The exchange runs when the first token is asked for, again shortly before the end of the one that it gave, and once more when
/// the service refuses that. However many calls wait for a token, one exchange runs; its failure reaches all of them and is not
/// kept, unless it [is a refusal](Self::pause_after_refusal). While an old token still lasts, a renewal that fails is no error, and
/// the next is begun some seconds later. A token that was got in the place of a refused one, and is refused at once as well, is
/// not exchanged again at once.
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
    /// How long a refusal of the exchange counts.
    pause: Duration,
    state: Arc<Mutex<State>>,
}

type Exchange = Pin<Box<dyn Future<Output = Result<Exchanged, XtraError>> + Send>>;
type InFlight = Pin<Box<dyn Future<Output = Result<Token, XtraError>> + Send>>;

#[derive(Default)]
struct State {
    clock: Clock,
    held: Option<Held>,
    /// The token that was held last was refused, and the next one takes its place.
    replaces_refused: bool,
    /// The exchange that runs. It ends when nobody waits for it any more, so that one that hangs holds nobody up later.
    in_flight: Option<WeakShared<InFlight>>,
    /// What the last exchange was refused with.
    refusal: Option<XtraError>,
    /// When the next exchange may begin, after one that failed.
    not_before: Option<Tick>,
}

struct Held {
    token: Token,
    got: Tick,
    /// When to renew it, and when it has ended; `None` is never.
    times: Option<(Tick, Tick)>,
    replaces_refused: bool,
}

impl Held {
    fn new(exchanged: Exchanged, got: Tick, replaces_refused: bool) -> Self {
        let times = exchanged.lasts.map(|lasts| {
            let margin = MARGIN.min(lasts / 10);
            (got.after(lasts.saturating_sub(margin)), got.after(lasts))
        });
        Self { token: exchanged.token, got, times, replaces_refused }
    }

    fn is_due(&self, now: Tick) -> bool {
        self.times.is_some_and(|(renewal, _)| now >= renewal)
    }

    fn has_ended(&self, now: Tick) -> bool {
        self.times.is_some_and(|(_, end)| now >= end)
    }
}

impl State {
    /// What is answered without an exchange.
    fn at_hand(&self, now: Tick) -> Option<Result<Token, XtraError>> {
        let may_exchange = self.not_before.is_none_or(|begin| now >= begin);
        match &self.held {
            Some(held) if !held.is_due(now) || (!may_exchange && !held.has_ended(now)) => Some(Ok(held.token.clone())),
            _ if may_exchange => None,
            _ => self.refusal.clone().map(Err),
        }
    }

    /// Takes in what an exchange gave, which was begun at `begun`.
    fn take(
        &mut self,
        outcome: Result<Exchanged, XtraError>,
        begun: Tick,
        pause: Duration,
    ) -> Result<Token, XtraError> {
        self.in_flight = None;
        let error = match outcome {
            Ok(exchanged) => {
                (self.refusal, self.not_before) = (None, None);
                let replaces_refused = std::mem::take(&mut self.replaces_refused);
                return Ok(self.held.insert(Held::new(exchanged, begun, replaces_refused)).token.clone());
            }
            Err(error) => error,
        };
        let now = self.clock.now();
        self.refusal = Some(error.clone()).filter(is_refusal);
        if self.refusal.is_some() && !pause.is_zero() {
            self.not_before = Some(now.after(pause));
        }
        match self.held.as_ref().filter(|held| !held.has_ended(now)) {
            Some(held) => {
                self.not_before.get_or_insert(now.after(RENEWAL_PAUSE));
                tracing::warn!(target: events::CREDENTIALS, "a token could not be renewed, and is used until its end: {error}");
                Ok(held.token.clone())
            }
            None => Err(error),
        }
    }
}

/// Whether who gives the tokens has refused: another exchange for the same would be refused as well.
fn is_refusal(error: &XtraError) -> bool {
    let kinds = [ErrorKind::Unauthorized, ErrorKind::Forbidden, ErrorKind::NotFound, ErrorKind::Invalid];
    kinds.contains(&error.kind()) && !error.is_foreign_refusal()
}

impl ExchangedToken {
    /// A provider for this account, which `exchange` gets the tokens of.
    pub fn new<F>(identity: Identity, exchange: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Exchanged, XtraError>> + Send + 'static,
    {
        let exchange = Arc::new(move || -> Exchange { Box::pin(exchange()) });
        Self { identity, exchange, pause: Duration::ZERO, state: Arc::default() }
    }

    /// How long a refused exchange is not tried again: calls meanwhile fail with its error, and nothing is sent. A refusal is an
    /// error of the kinds [`Unauthorized`](ErrorKind::Unauthorized), [`Forbidden`](ErrorKind::Forbidden),
    /// [`NotFound`](ErrorKind::NotFound) and [`Invalid`](ErrorKind::Invalid). Default: zero, each call that needs a token tries.
    #[must_use]
    pub fn pause_after_refusal(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Measures the life of tokens with this clock. Default: the system's.
    pub fn measure_by(&self, clock: Clock) {
        lock(&self.state).clock = clock;
    }

    /// What is at hand, or else the exchange to wait for.
    fn held_or_started(&self) -> Result<Result<Token, XtraError>, Shared<InFlight>> {
        let number = Arc::as_ptr(&self.state) as usize;
        if POLLED.get() == number {
            let message = "the exchange for a token asks for the token that it is to get. That is a bug in it";
            return Ok(Err(XtraError::new(ErrorKind::Credentials, message)));
        }
        let mut state = lock(&self.state);
        if let Some(at_hand) = state.at_hand(state.clock.now()) {
            return Ok(at_hand);
        }
        if let Some(running) = state.in_flight.as_ref().and_then(WeakShared::upgrade) {
            return Err(running);
        }
        let (exchange, shared, pause) = (Arc::clone(&self.exchange), Arc::clone(&self.state), self.pause);
        let running: InFlight = Box::pin(async move {
            // the token ages from here, however long its answer takes
            let begun = lock(&shared).clock.now();
            let exchanged =
                AssertUnwindSafe(async move { exchange().await }).catch_unwind().await.unwrap_or_else(|payload| {
                    // it may hold anything, and dropping it may panic again
                    std::mem::forget(payload);
                    Err(XtraError::new(
                        ErrorKind::Credentials,
                        "the exchange for a token panicked. That is a bug in it",
                    ))
                });
            lock(&shared).take(exchanged, begun, pause)
        });
        let running: InFlight = Box::pin(Marked { number, exchange: running });
        let running = running.shared();
        state.in_flight = running.downgrade();
        Err(running)
    }
}

thread_local!(
    /// The number of the provider whose exchange is being polled by this thread: one that waits for itself would do so for ever.
    static POLLED: Cell<usize> = const { Cell::new(0) };
);

/// An exchange that is known while it is polled.
struct Marked {
    number: usize,
    exchange: InFlight,
}

impl Future for Marked {
    type Output = Result<Token, XtraError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outer = POLLED.replace(self.number);
        let polled = self.exchange.as_mut().poll(cx);
        POLLED.set(outer);
        polled
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
                Ok(at_hand) => at_hand,
                Err(running) => running.await,
            }
        })
    }

    fn invalidate(&self, refused: &Token) -> bool {
        let mut state = lock(&self.state);
        let now = state.clock.now();
        // another request may have reported the same token first
        let Some(held) = state.held.as_ref().filter(|held| held.token == *refused) else { return true };
        if held.replaces_refused && now.since(held.got) < REFUSED_AGAIN {
            // a third would be refused as well, and each may use something up
            return false;
        }
        (state.held, state.replaces_refused) = (None, true);
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
    use crate::core::ManualClock;

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
        let now = Clock::system().now();
        let held = |lasts| Held::new(Exchanged { token: Token::new("t").unwrap(), lasts }, now, false);
        let margin = |lasts| held(Some(lasts)).times.map(|(renewal, end)| end.since(renewal));
        assert_eq!(margin(Duration::from_secs(7200)), Some(MARGIN));
        assert_eq!(margin(Duration::from_secs(100)), Some(Duration::from_secs(10)));
        assert!(!held(None).is_due(now) && !held(LONG).is_due(now));
        assert!(held(OVER).is_due(now) && held(OVER).has_ended(now));
        assert!(!held(Some(Duration::MAX)).is_due(now), "longer than any clock goes");
    }

    #[test]
    fn a_token_lasts_until_its_own_end_or_what_was_said_whichever_is_first() {
        let seconds = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let now = seconds(SystemTime::now());
        let lasts = |claims: String| Exchanged::new(Token::new(jwt::signed(&claims)).unwrap());
        let made = lasts(format!(r#"{{"iat":{now},"exp":{}}}"#, now + 1000));
        assert!(made.lasts.is_some_and(|left| left <= Duration::from_secs(1000) && left > Duration::from_secs(900)));
        assert_eq!(made.clone().at_most(Duration::from_secs(100)).lasts, Some(Duration::from_secs(100)));
        assert_eq!(made.at_most(Duration::from_secs(5000)).lasts.map(|left| left.as_secs() / 100), Some(9));
        // this machine's clock is a day ahead, or a day behind
        let day = 24 * 60 * 60;
        assert_eq!(
            lasts(format!(r#"{{"iat":{},"exp":{}}}"#, now - day, now - day + 100)).lasts,
            Some(Duration::from_secs(100))
        );
        assert_eq!(
            lasts(format!(r#"{{"iat":{},"exp":{}}}"#, now + day, now + day + 100)).lasts,
            Some(Duration::from_secs(100))
        );
        assert_eq!(lasts(format!(r#"{{"exp":{}}}"#, now - 1)).lasts, None);
        assert_eq!(lasts("{}".to_owned()).at_most(Duration::from_secs(7)).lasts, Some(Duration::from_secs(7)));
    }

    #[tokio::test]
    async fn a_renewal_that_fails_leaves_a_token_that_still_lasts_in_use() {
        let (provider, script) = provider([Err(ErrorKind::Network), Ok(("new", LONG))]);
        let manual = ManualClock::new();
        provider.measure_by(manual.clock());
        let now = manual.clock().now();
        let times = Some((now, now.after(Duration::from_secs(3600))));
        let token = Token::new("old").unwrap();
        lock(&provider.state).held = Some(Held { token, got: now, times, replaces_refused: false });
        assert_eq!(provider.token().await.unwrap().expose(), "old");
        assert_eq!(provider.token().await.unwrap().expose(), "old");
        assert_eq!(script.runs(), 1, "the next renewal is begun later");
        manual.advance(RENEWAL_PAUSE);
        assert_eq!(provider.token().await.unwrap().expose(), "new");
        assert_eq!(script.runs(), 2);
    }

    #[tokio::test]
    async fn a_refused_exchange_is_not_tried_again_for_a_while_where_that_is_said() {
        let outcomes = [Err(ErrorKind::Unauthorized), Err(ErrorKind::Network), Ok(("two", LONG))];
        let (provider, script) = provider(outcomes);
        let (provider, manual) = (provider.pause_after_refusal(Duration::from_secs(60)), ManualClock::new());
        provider.measure_by(manual.clock());
        for _ in 0..3 {
            assert_eq!(provider.token().await.unwrap_err().kind(), ErrorKind::Unauthorized);
        }
        assert_eq!(script.runs(), 1);
        manual.advance(Duration::from_secs(60));
        assert_eq!(provider.token().await.unwrap_err().kind(), ErrorKind::Network);
        assert_eq!(provider.token().await.unwrap().expose(), "two");
        assert_eq!(script.runs(), 3);
    }

    #[tokio::test]
    async fn a_token_that_is_refused_like_the_one_before_it_is_not_exchanged_at_once() {
        let (provider, script) = provider([Ok(("one", LONG)), Ok(("two", LONG)), Ok(("three", LONG))]);
        let manual = ManualClock::new();
        provider.measure_by(manual.clock());
        assert!(provider.invalidate(&provider.token().await.unwrap()));
        let second = provider.token().await.unwrap();
        for _ in 0..3 {
            assert!(!provider.invalidate(&second));
            assert_eq!(provider.token().await.unwrap().expose(), "two");
        }
        manual.advance(REFUSED_AGAIN);
        assert!(provider.invalidate(&second));
        assert_eq!(provider.token().await.unwrap().expose(), "three");
        assert_eq!(script.runs(), 3);
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
    async fn an_exchange_that_asks_for_its_own_token_is_an_error_and_waits_for_nothing() {
        let own: Arc<std::sync::OnceLock<Arc<ExchangedToken>>> = Arc::default();
        let slot = Arc::clone(&own);
        let provider = Arc::new(ExchangedToken::new(Identity::of("a"), move || {
            let provider = slot.get().map(Arc::clone);
            async move { Ok(Exchanged::new(provider.unwrap().token().await?)) }
        }));
        let _ = own.set(Arc::clone(&provider));
        let error = provider.token().now_or_never().unwrap().unwrap_err();
        assert!(error.to_string().contains("asks for the token"), "{error}");
    }

    #[tokio::test]
    async fn a_provider_prints_no_token() {
        let (provider, _) = provider([Ok(("hunter2", LONG))]);
        let token = provider.token().await.unwrap();
        assert!(!format!("{provider:?} {token:?} {:?}", Exchanged::new(token.clone())).contains("hunter2"));
    }
}
