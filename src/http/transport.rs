//! The transport: what requests to one base URL run on.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tracing::Instrument;

use super::base_url::BaseUrl;
use super::call::Call;
use super::connections;
use super::connections::Pools;
use super::credential_provider::CredentialProvider;
use super::gate::Gate;
use super::options::TransportOptions;
use super::protocol::Protocol;
use super::response::Response;
use super::route::Route;
use super::token::Token;
use crate::core::process::var;
use crate::core::{Clock, ErrorKind, Hint, Identity, Quota, XtraError, events};

/// What requests to one base URL run on: the service's protocol, connections, credentials and options. Clones share all of
/// it. `Debug` prints neither root nor token.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

pub(super) struct Inner {
    pub(super) base: BaseUrl,
    pub(super) route: Route,
    pub(super) protocol: Arc<dyn Protocol>,
    /// Builds requests. They are sent by the client that `pools` has for the runtime at hand.
    http: reqwest::Client,
    pools: Pools,
    pub(super) credentials: Arc<dyn CredentialProvider>,
    pub(super) options: TransportOptions,
    pub(super) gate: Gate,
    pub(super) counts: Counts,
    /// How long the last large body was: the next is likely to be the same, read again.
    pub(super) large_body: AtomicUsize,
}

/// Counts of a transport's life.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) requests: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) delayed: AtomicU64,
    pub(super) withheld: AtomicU64,
    pub(super) retries_withheld: AtomicU64,
}

/// How much a transport has sent since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Requests sent, repeated ones included.
    pub requests: u64,
    /// Requests sent again after a failure or a refused token.
    pub retries: u64,
    /// Calls that waited before they were sent, by what is known of the service's limits.
    pub delayed: u64,
    /// Calls that were not sent for the same reason.
    pub withheld: u64,
    /// Retries that the retry budget of the process did not grant.
    pub retries_withheld: u64,
}

impl Transport {
    /// Starts a transport to a service with this protocol.
    pub fn builder(protocol: impl Protocol) -> TransportBuilder {
        TransportBuilder {
            protocol: Arc::new(protocol),
            credentials: None,
            danger_allow_http: false,
            options: TransportOptions::default(),
        }
    }

    /// A transport to a checked root. Nothing is sent; for https the system's certificate authorities are loaded if no other
    /// transport of the process has done it.
    ///
    /// Fails with [`ErrorKind::Config`] on a bad root certificate or user agent.
    pub(crate) fn new(
        base: &BaseUrl,
        protocol: Arc<dyn Protocol>,
        credentials: Arc<dyn CredentialProvider>,
        options: TransportOptions,
    ) -> Result<Self, XtraError> {
        options.check()?;
        let route = Route::find(base, options.use_proxies, &var)?;
        let http = connections::client(base, &route, protocol.idle_timeout(), &options)?;
        let transport = Self(Arc::new(Inner {
            base: base.clone(),
            route,
            pools: Pools::new(http.clone()),
            http,
            credentials,
            gate: Gate::new(base, &protocol, &options),
            protocol,
            options,
            counts: Counts::default(),
            large_body: AtomicUsize::new(0),
        }));
        transport.0.credentials.connected(&WeakTransport(Arc::downgrade(&transport.0)));
        Ok(transport)
    }

    /// The HTTP client, to build requests with. Requests are sent through [`run`](Self::run) only.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    /// Whose credentials the requests carry.
    #[must_use]
    #[inline]
    pub fn identity(&self) -> Identity {
        self.0.credentials.identity()
    }

    /// The token, when it stays the same for long; see [`CredentialProvider::lasting_token`].
    #[must_use]
    pub fn lasting_token(&self) -> Option<Token> {
        self.0.credentials.lasting_token()
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.0.base.as_str()
    }

    /// How long a call may take in all.
    #[must_use]
    pub fn call_timeout(&self) -> Duration {
        self.0.options.call_timeout
    }

    /// What the windows and pauses of the service are measured with.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.options.clock.clone()
    }

    /// Sends a request with a token, again where that is safe and worth it, and reads the answer to its end.
    ///
    /// An answer of any status is `Ok`, refusals and redirects too: `server_error` names them. Errors are those of
    /// credentials, of the network, of the deadline and of the answer's size. Dropping the future abandons the request.
    pub(crate) async fn run(&self, request: reqwest::Request, operation: &'static str) -> Result<Response, XtraError> {
        let inner = &*self.0;
        let http = inner.pool().map_err(|error| error.in_call(operation))?;
        let span = tracing::debug_span!(
            target: events::HTTP,
            "call",
            operation,
            attempts = tracing::field::Empty,
            status = tracing::field::Empty,
            failure = tracing::field::Empty,
        );
        let around = span.clone();
        async move {
            let outcome = Call::new(inner, http, &request, operation).run(request).await;
            match &outcome {
                Ok(response) => span.record("attempts", response.attempts()).record("status", response.status()),
                Err(error) => span.record("attempts", error.attempts()).record("failure", error.kind().as_str()),
            };
            outcome
        }
        .instrument(around)
        .await
    }

    /// Sends a request whose answer is a stream, and returns that when its head is there, within the time of a call.
    ///
    /// Errors are those of [`run`](Self::run), and every answer that is no success or that `is_stream` does not take. It is not
    /// sent again, but for a refused token.
    pub(super) async fn open(
        &self,
        request: reqwest::Request,
        operation: &'static str,
        is_stream: impl Fn(&reqwest::Response) -> bool,
    ) -> Result<reqwest::Response, XtraError> {
        let http = self.0.pool().map_err(|error| error.in_call(operation))?;
        Call::new(&self.0, http, &request, operation).open(request, is_stream).await
    }

    /// How much has been sent.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = &self.0.counts;
        Counters {
            requests: count(&counts.requests),
            retries: count(&counts.retries),
            delayed: count(&counts.delayed),
            withheld: count(&counts.withheld),
            retries_withheld: count(&counts.retries_withheld),
        }
    }

    /// What is left of the quota of this scope ([`Protocol::quota_scope`]), as answers have told.
    #[must_use]
    pub fn quota(&self, scope: &str) -> Option<Quota> {
        self.0.gate.quota(scope)
    }

    /// The least that is left of any quota.
    #[must_use]
    pub fn quota_left(&self) -> Option<u64> {
        self.0.gate.least_left()
    }
}

impl Inner {
    /// The HTTP client of the runtime that this is called on.
    fn pool(&self) -> Result<reqwest::Client, XtraError> {
        let make = || connections::client(&self.base, &self.route, self.protocol.idle_timeout(), &self.options);
        self.pools.current(make)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("https", &self.0.base.is_https()).finish_non_exhaustive()
    }
}

/// A transport that is gone when nobody else has it: what a [`CredentialProvider`] keeps of the transport that asks it.
#[derive(Clone)]
pub struct WeakTransport(Weak<Inner>);

impl WeakTransport {
    /// The transport, when somebody still has it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Transport> {
        self.0.upgrade().map(Transport)
    }
}

impl fmt::Debug for WeakTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakTransport(..)")
    }
}

/// Puts a [`Transport`] together. Nothing is checked before [`build`](Self::build), and nothing is sent by it. `Debug` prints no
/// credentials.
#[must_use = "nothing happens before build()"]
pub struct TransportBuilder {
    protocol: Arc<dyn Protocol>,
    credentials: Option<Arc<dyn CredentialProvider>>,
    danger_allow_http: bool,
    options: TransportOptions,
}

impl TransportBuilder {
    /// Whom the token is asked of, at every attempt. Required.
    pub fn credentials(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.credentials = Some(provider);
        self
    }

    /// How long establishing a connection may take. Default 5 s; zero is refused.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.options.connect_timeout = limit;
        self
    }

    /// How long a call may take in all, retries and waits included. Default 30 s; zero is refused.
    pub fn call_timeout(mut self, limit: Duration) -> Self {
        self.options.call_timeout = limit;
        self
    }

    /// How long one attempt of a read may take while others may follow it. Default 15 s.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.options.attempt_timeout = limit;
        self
    }

    /// How often a failed read is repeated. Default 3; zero turns retries off.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.options.retry.max_retries = retries;
        self
    }

    /// The shortest wait between two attempts, and the longest that is not asked for by the service. Default 100 ms and 5 s.
    pub fn backoff(mut self, shortest: Duration, longest: Duration) -> Self {
        self.options.retry.base = shortest;
        self.options.retry.max_backoff = longest;
        self
    }

    /// How many requests a minute are sent to the root at most, by all transports of the process that have the same number.
    /// Default: [`Protocol::requests_per_minute`], and none for a root on this machine. Zero turns the limit off.
    pub fn requests_per_minute(mut self, limit: u32) -> Self {
        self.options.requests_per_minute = Some(limit);
        self
    }

    /// The largest answer that is read, in bytes. Default 16 MiB; zero is refused.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.options.max_response_bytes = bytes;
        self
    }

    /// Trusts the certificates in this PEM text too, beside the system's (or, where there are none, the bundled ones).
    pub fn add_root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.options.root_certificates.push(pem.into());
        self
    }

    /// Connects directly, whatever `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` say.
    pub fn no_proxy(mut self) -> Self {
        self.options.use_proxies = false;
        self
    }

    /// What the windows and pauses of the service are measured with, besides real time.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.options.clock = clock;
        self
    }

    /// What the client calls itself. Default: the name and version of this crate.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.options.user_agent = name.into();
        self
    }

    /// Allows an `http` root on an address that is not loopback. **The token and every secret then cross the network in the
    /// clear.** For isolated test networks only.
    pub fn danger_allow_http(mut self) -> Self {
        self.danger_allow_http = true;
        self
    }

    /// The transport to a base URL.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the root or an option cannot be used, by name, or when the environment names a proxy
    /// (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`) or certificate authorities (`SSL_CERT_FILE`, `SSL_CERT_DIR`) for it that cannot; [`ErrorKind::Credentials`] when there is no
    /// [credential provider](Self::credentials).
    pub fn build(self, base_url: &str) -> Result<Transport, XtraError> {
        let base = BaseUrl::parse(base_url, self.protocol.base_url_suffix(), self.danger_allow_http)?;
        let Some(credentials) = self.credentials else {
            return Err(XtraError::new(ErrorKind::Credentials, "the transport has no credential provider")
                .with_hint(Hint::Add { options: &["credentials"] }));
        };
        Transport::new(&base, self.protocol, credentials, self.options)
    }
}

impl fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
