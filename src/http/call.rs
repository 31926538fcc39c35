//! One call: its attempts, and the waits between them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use tokio::time::{Instant, sleep, timeout_at};

use super::body::{CappedBody, RefusalBody};
use super::credential_provider;
use super::gate::{Caller, Passed};
use super::network_error::Failure;
use super::protocol::{Authorization, Outgoing};
use super::response::Response;
use super::retry::{FailureClass, Idempotency, Retries};
use super::sent_names::Sent;
use super::server_error;
use super::token::Token;
use super::transport::Inner;
use crate::core::{ErrorKind, Hint, XtraError, events};

/// A call that ends so long after its deadline was not driven in between: its runtime stood still, or the machine slept.
const LATE: Duration = Duration::from_millis(100);

/// The state of one call. Dropping its future drops the request in flight with it.
pub(super) struct Call<'a> {
    transport: &'a Inner,
    http: reqwest::Client,
    operation: &'static str,
    /// Whose quota it spends, by the protocol.
    quota_scope: String,
    method: Method,
    deadline: Instant,
    retries: Retries,
    attempts: u32,
    /// Whether the requests carry a token.
    has_token: bool,
    token: Option<Token>,
    reauthenticated: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(transport: &'a Inner, http: reqwest::Client, request: &Request, operation: &'static str) -> Self {
        let options = &transport.options;
        let idempotency = Idempotency::of(request.method(), operation, &*transport.protocol);
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let outgoing = Outgoing::new(operation, request.url(), transport.base.as_str(), body);
        Self {
            transport,
            http,
            operation,
            quota_scope: transport.protocol.quota_scope(&outgoing),
            method: request.method().clone(),
            deadline: after(Instant::now(), options.call_timeout),
            retries: Retries::new(idempotency, options.retry),
            attempts: 0,
            has_token: !transport.protocol.without_token().contains(&operation),
            token: None,
            reauthenticated: false,
        }
    }

    /// Sends until there is an answer worth returning, or no reason to send again. An answer of any status is `Ok`.
    pub(super) async fn run(mut self, mut request: Request) -> Result<Response, XtraError> {
        for name in self.transport.protocol.removed_headers() {
            request.headers_mut().remove(*name);
        }
        let mut uncounted = Some(self.transport.options.retry_budget);
        let mut before = None;
        loop {
            // shares the body: for another attempt, and to tell what a refusal is about
            let copy = request.try_clone();
            let may_repeat = self.retries.may_follow() || !self.reauthenticated;
            if let Err(withheld) = self.pass_gate().await {
                // a retry that may not be sent is not made, and what came before it stands
                return self.end(before.unwrap_or(Err(withheld)));
            }
            // a call that is withheld loads nobody, and is no reason for more retries
            if let Some(budget) = uncounted.take() {
                budget.count_call(Instant::now());
            }
            let started = Instant::now();
            let outcome = self.attempt(request, copy.as_ref(), started).await;
            self.trace(started, &outcome);
            let retry_after = self.update_quota(&outcome, started);
            let Some(again) = copy.filter(|_| may_repeat) else { return self.end(outcome) };
            before = if self.reauthenticate(&outcome) {
                None
            } else {
                let Some(wait) = self.next_wait(&outcome, retry_after) else { return self.end(outcome) };
                sleep(wait).await;
                Some(outcome)
            };
            request = again;
        }
    }

    fn caller(&self) -> Caller<'_> {
        Caller { scope: &self.quota_scope, operation: self.operation }
    }

    /// Waits until the next request may be sent, as far as the deadline allows.
    async fn pass_gate(&self) -> Result<(), Failure> {
        let passed = self.transport.gate.pass(self.caller(), self.deadline).await;
        match &passed {
            Ok(Passed::AtOnce) => {}
            Ok(Passed::Delayed) => count(&self.transport.counts.delayed),
            Err(error) => {
                if self.attempts == 0 {
                    count(&self.transport.counts.withheld);
                }
                tracing::debug!(target: events::QUOTA, operation = self.operation, "{error}");
            }
        }
        passed.map(|_| ()).map_err(Failure::lasting)
    }

    /// Takes in what an answer tells of the service's limits, and returns the wait that it asks for.
    fn update_quota(&self, outcome: &Result<Response, Failure>, sent: Instant) -> Option<Duration> {
        let response = outcome.as_ref().ok()?;
        let gate = &self.transport.gate;
        gate.update(self.caller(), response, sent);
        match response.status() {
            429 => response.retry_after().or_else(|| gate.closed_for()),
            _ => response.retry_after(),
        }
    }

    async fn attempt(
        &mut self,
        request: Request,
        copy: Option<&Request>,
        started: Instant,
    ) -> Result<Response, Failure> {
        let limit = self.limit(started);
        let before = self.attempts;
        let outcome = match timeout_at(limit, self.exchange(request, copy)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.out_of_time(limit, self.attempts > before)),
        };
        match outcome {
            Err(failure) if self.retries.idempotency() != Idempotency::Read => Err(failure.of_write()),
            outcome => outcome,
        }
    }

    /// When the attempt must have ended: a read that can be repeated leaves time for it.
    fn limit(&self, started: Instant) -> Instant {
        if self.retries.idempotency() == Idempotency::Read && self.retries.may_follow() {
            self.deadline.min(after(started, self.transport.options.attempt_timeout))
        } else {
            self.deadline
        }
    }

    /// Resolves the token, sends, and reads the answer to its end.
    async fn exchange(&mut self, request: Request, copy: Option<&Request>) -> Result<Response, Failure> {
        let answer = self.begin(request).await?;
        self.finish(answer, copy).await
    }

    /// Resolves the token, sends, and waits for the head of the answer.
    async fn begin(&mut self, mut request: Request) -> Result<reqwest::Response, Failure> {
        let transport = self.transport;
        if self.has_token {
            let token = credential_provider::token(transport.credentials.as_ref()).await;
            // a provider may have sent something to get it, which is no part of this call
            let token = token.map_err(|error| Failure::lasting(error.before_sending()))?;
            let token = self.token.insert(token);
            let (name, value) = header(transport.protocol.authorization(token))?;
            request.headers_mut().insert(name, value);
        }

        self.attempts += 1;
        count(&transport.counts.requests);
        if self.attempts > 1 {
            count(&transport.counts.retries);
        }
        let connect_timeout = transport.options.connect_timeout;
        let failed = |error| Failure::of(&error, &transport.route, connect_timeout);
        let answer = self.http.execute(request).await.map_err(failed)?;
        match (answer.status().as_u16(), &transport.route.proxy) {
            (407, Some(proxy)) => Err(Failure::proxy_credentials(proxy)),
            _ => Ok(answer),
        }
    }

    async fn finish(&self, answer: reqwest::Response, copy: Option<&Request>) -> Result<Response, Failure> {
        let response = read(answer, self.transport).await?;
        let body = copy.and_then(|request| request.body()?.as_bytes()).unwrap_or_default();
        let sent = Sent { url: copy.map(Request::url), body };
        Ok(response.judged(self.operation, &self.transport.protocol, sent))
    }

    /// Sends once, and a second time when the token is refused and there is another, until the head of an answer that
    /// `is_stream` is there. The deadline is that of the head; the body is left to the caller, and may take for ever.
    pub(super) async fn open(
        mut self,
        mut request: Request,
        is_stream: impl Fn(&reqwest::Response) -> bool,
    ) -> Result<reqwest::Response, XtraError> {
        loop {
            let copy = request.try_clone();
            if let Err(withheld) = self.pass_gate().await {
                return Err(withheld.error.in_call(self.operation));
            }
            let (started, before, deadline) = (Instant::now(), self.attempts, self.deadline);
            let opened = async {
                let answer = self.begin(request).await?;
                if answer.status() == 200 && is_stream(&answer) {
                    return Ok(Ok(answer));
                }
                self.finish(answer, copy.as_ref()).await.map(Err)
            };
            let opened = match timeout_at(deadline, opened).await {
                Ok(opened) => opened,
                Err(_) => Err(self.out_of_time(deadline, self.attempts > before)),
            };
            let refused = match opened {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(refused)) => Ok(refused),
                Err(failure) => Err(failure),
            };
            self.trace(started, &refused);
            self.update_quota(&refused, started);
            match copy.filter(|_| self.reauthenticate(&refused)) {
                Some(again) => request = again,
                None => return Err(self.refused(refused)),
            }
        }
    }

    /// Why there is no stream.
    fn refused(&self, outcome: Result<Response, Failure>) -> XtraError {
        match self.end(outcome) {
            Ok(response) if response.status() == 200 => {
                let message =
                    "the answer is no stream of events: something between here and the service may hold it back";
                XtraError::new(ErrorKind::Decode, message).in_call(self.operation).with_status(200)
            }
            Ok(response) => server_error::from_response(&response, self.operation),
            Err(error) => error,
        }
    }

    fn out_of_time(&self, limit: Instant, sent: bool) -> Failure {
        let options = &self.transport.options;
        let (within, class) = match (limit < self.deadline, sent) {
            (true, true) => (options.attempt_timeout, FailureClass::Lost),
            (true, false) => (options.attempt_timeout, FailureClass::NotSent),
            // the deadline allows no other attempt; for a write the answer still is lost
            (false, true) => (options.call_timeout, FailureClass::Lost),
            (false, false) => (options.call_timeout, FailureClass::Lasting),
        };
        let message = match (sent, limit < self.deadline) {
            (true, true) => {
                format!("no complete answer within {within:?}, the limit of one attempt, and no time for another")
            }
            (true, false) => format!("no complete answer within {within:?}"),
            (false, _) => format!("the credential provider gave no token within {within:?}"),
        };
        let failure = Failure::timed_out(message, class);
        let failure = failure.with_hint(if sent { Hint::Retry } else { Hint::advice("Check the provider") });
        failure.with_hint(Hint::Raise { limit: "call_timeout" })
    }

    /// Whether the service refused the token and the provider may have another one. Asked once a call. A proxy's 401 says nothing
    /// of the token, which stays.
    fn reauthenticate(&mut self, outcome: &Result<Response, Failure>) -> bool {
        let refused = matches!(outcome, Ok(response) if response.refuses_token());
        if !refused || self.reauthenticated {
            return false;
        }
        self.reauthenticated = true;
        let credentials = self.transport.credentials.as_ref();
        self.token.as_ref().is_some_and(|token| credential_provider::invalidate(credentials, token))
    }

    fn next_wait(&mut self, outcome: &Result<Response, Failure>, retry_after: Option<Duration>) -> Option<Duration> {
        let class = match outcome {
            Ok(response) if response.status() < 400 => return None,
            Ok(response) => FailureClass::Status(response.status()),
            Err(failure) => failure.class,
        };
        let now = Instant::now();
        let transport = self.transport;
        let granted = || {
            let granted = transport.options.retry_budget.grants_retry(now);
            if !granted {
                count(&transport.counts.retries_withheld);
            }
            granted
        };
        self.retries.next_wait(class, retry_after, self.deadline.saturating_duration_since(now), granted)
    }

    fn end(&self, outcome: Result<Response, Failure>) -> Result<Response, XtraError> {
        match outcome {
            Ok(response) => {
                let response = response.with_attempts(self.attempts);
                Ok(if self.retries.idempotency() == Idempotency::Read { response } else { response.of_a_write() })
            }
            Err(failure) => {
                let error = failure.error.in_call(self.operation).with_attempts(self.attempts);
                let stalled = Instant::now() > self.deadline + LATE;
                Err(if stalled { error.stalled() } else { error })
            }
        }
    }

    fn trace(&self, started: Instant, outcome: &Result<Response, Failure>) {
        let (status, failure) = match outcome {
            Ok(response) => (Some(response.status()), None),
            Err(failure) => (None, Some(failure.error.kind().as_str())),
        };
        tracing::debug!(
            target: events::HTTP,
            operation = self.operation,
            attempt = self.attempts,
            method = self.method.as_str(),
            status,
            failure,
            elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "request",
        );
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// That much later; a timeout too long for the clock is a year.
fn after(start: Instant, timeout: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    start + timeout.min(YEAR)
}

fn header(authorization: Authorization) -> Result<(HeaderName, HeaderValue), Failure> {
    let unusable = || {
        let message = "the token makes no valid header: it holds characters that none may hold";
        Failure::lasting(XtraError::new(ErrorKind::Credentials, message))
    };
    let name = HeaderName::try_from(authorization.name).map_err(|_| unusable())?;
    let mut value = HeaderValue::try_from(authorization.value.as_str()).map_err(|_| unusable())?;
    value.set_sensitive(true);
    Ok((name, value))
}

async fn read(mut answer: reqwest::Response, transport: &Inner) -> Result<Response, Failure> {
    let cap = transport.options.max_response_bytes;
    let broken = |error: reqwest::Error| Failure::of_body(&error);
    let body = if answer.status().is_success() {
        let over_cap = |_| Failure::too_large(cap);
        let last = transport.large_body.load(Ordering::Relaxed);
        let mut body = CappedBody::new(answer.content_length(), cap).map_err(over_cap)?.expecting(last);
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            body.push(&chunk).map_err(over_cap)?;
        }
        let body = body.finish();
        if CappedBody::is_large(body.len()) {
            transport.large_body.store(body.len(), Ordering::Relaxed);
        }
        body
    } else {
        let mut body = RefusalBody::new(answer.content_length(), cap);
        while !body.is_enough() {
            let Some(chunk) = answer.chunk().await.map_err(broken)? else { break };
            body.push(&chunk);
        }
        body.finish()
    };
    let mut headers = std::mem::take(answer.headers_mut());
    if CappedBody::is_large(body.len()) {
        detach(&mut headers);
    }
    Ok(Response::new(answer.status().as_u16(), headers, body))
}

/// Copies the values out of the connection's buffer, which they would keep: it has several hundred KiB when the body was large.
fn detach(headers: &mut HeaderMap) {
    for value in headers.values_mut() {
        if let Ok(mut copy) = HeaderValue::from_bytes(value.as_bytes()) {
            copy.set_sensitive(value.is_sensitive());
            *value = copy;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_with_the_token_prints_nothing_of_it() {
        let token = Token::new("canary").expect("a good token");
        let (name, value) = header(Authorization::bearer(&token)).ok().expect("a good header");
        assert_eq!((name.as_str(), value.as_bytes()), ("authorization", b"Bearer canary".as_slice()));
        assert_eq!(format!("{value:?}"), "Sensitive");
    }

    #[test]
    fn a_timeout_too_long_for_the_clock_is_no_panic() {
        let now = Instant::now();
        assert!(after(now, Duration::MAX) > now);
    }
}
