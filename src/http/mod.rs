//! Requests to a service: connections, TLS, DNS, tokens, retries, deadlines and limits.
//!
//! The generated client runs on [`Transport`], so callers of the raw client have all of it too.

mod asked;
mod base_url;
mod body;
mod budget;
mod budget_gate;
mod burst;
mod call;
mod connector;
mod dns;
mod failure;
mod forms;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod json;
mod options;
mod pools;
mod response;
mod retry;
mod retry_after;
mod retry_budget;
pub(crate) mod runtime;
pub(crate) mod server_error;
mod server_words;
mod tls;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::Request;
use tracing::Instrument;

pub(crate) use base_url::BaseUrl;
pub(crate) use forms::RefusalForms;
pub(crate) use options::TransportOptions;
pub use response::Response;
pub(crate) use server_words::Parts;

use budget_gate::Gate;
use pools::Pools;

use crate::core::{Budget, Identity, XtraError};
use crate::credentials::{CredentialProvider, Token};

/// What requests to one API root run on: connections, credentials and options. Clones share all of it.
///
/// It is the inner type of the generated client, and is made by the client that this crate builds.
#[derive(Clone)]
pub(crate) struct Transport(Arc<Inner>);

struct Inner {
    base: BaseUrl,
    /// Builds requests. They are sent by the client that `pools` has for the runtime at hand.
    http: reqwest::Client,
    pools: Pools,
    credentials: Arc<dyn CredentialProvider>,
    options: TransportOptions,
    gate: Gate,
    requests: AtomicU64,
    retries: AtomicU64,
    delayed: AtomicU64,
    withheld: AtomicU64,
    retries_withheld: AtomicU64,
}

/// How much has been sent since the transport was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Requests sent, repeated ones included.
    pub(crate) requests: u64,
    /// Requests sent again after a failure or a refused token.
    pub(crate) retries: u64,
    /// Calls that waited before they were sent, by what is known of the service's limits.
    pub(crate) delayed: u64,
    /// Calls that were not sent for the same reason.
    pub(crate) withheld: u64,
    /// Retries that the budget of the process did not grant.
    pub(crate) retries_withheld: u64,
}

impl Transport {
    /// A transport to an API root. Nothing is sent; for https the system's certificate authorities are loaded if no other
    /// transport of the process has done it.
    ///
    /// Fails with [`ErrorKind::Config`](crate::ErrorKind::Config) on a bad root certificate or user agent.
    pub(crate) fn new(
        base: &BaseUrl,
        credentials: Arc<dyn CredentialProvider>,
        options: TransportOptions,
    ) -> Result<Self, XtraError> {
        let http = connector::client(base, &options)?;
        Ok(Self(Arc::new(Inner {
            base: base.clone(),
            pools: Pools::new(http.clone()),
            http,
            credentials,
            gate: Gate::new(base, &options),
            options,
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            delayed: AtomicU64::new(0),
            withheld: AtomicU64::new(0),
            retries_withheld: AtomicU64::new(0),
        })))
    }

    /// The HTTP client, to build requests with. Requests are sent through [`run`](Self::run) only.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    /// Whose credentials the requests carry.
    pub(crate) fn identity(&self) -> Identity {
        self.0.credentials.identity()
    }

    /// The token, when it stays the same for long.
    pub(crate) fn lasting_token(&self) -> Option<Token> {
        self.0.credentials.lasting_token()
    }

    /// The API root, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        self.0.base.as_str()
    }

    /// How long a call may take in all.
    pub(crate) fn call_timeout(&self) -> std::time::Duration {
        self.0.options.call_timeout
    }

    /// Sends a request with a token, again where that is safe and worth it, and reads the answer to its end.
    ///
    /// An answer of any status is `Ok`, refusals and redirects too: [`server_error`] names them. Errors are those of
    /// credentials, of the network, of the deadline and of the answer's size. Dropping the future abandons the request.
    pub(crate) async fn run(&self, request: Request, operation: &'static str) -> Result<Response, XtraError> {
        let make = || connector::client(&self.0.base, &self.0.options);
        let http = self.0.pools.current(make).map_err(|error| error.in_operation(operation))?;
        let span = tracing::debug_span!(
            target: "xtrasecurity::transport",
            "call",
            operation,
            attempts = tracing::field::Empty,
            status = tracing::field::Empty,
            failure = tracing::field::Empty,
        );
        let around = span.clone();
        async move {
            let outcome = call::Call::new(&self.0, http, &request, operation).run(request).await;
            match &outcome {
                Ok(response) => span.record("attempts", response.attempts()).record("status", response.status()),
                Err(error) => span.record("attempts", error.attempts()).record("failure", error.kind().as_str()),
            };
            outcome
        }
        .instrument(around)
        .await
    }

    /// How much has been sent.
    pub(crate) fn counters(&self) -> Counters {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            requests: count(&self.0.requests),
            retries: count(&self.0.retries),
            delayed: count(&self.0.delayed),
            withheld: count(&self.0.withheld),
            retries_withheld: count(&self.0.retries_withheld),
        }
    }

    /// What is left of the budget that calls for a project spend, as answers have told.
    pub(crate) fn budget(&self, project: &str) -> Option<Budget> {
        self.0.gate.budget(project)
    }

    /// The least that is left for any project.
    pub(crate) fn budget_left(&self) -> Option<u64> {
        self.0.gate.least_left()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("https", &self.0.base.is_https()).finish_non_exhaustive()
    }
}
