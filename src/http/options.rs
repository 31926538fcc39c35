//! The options of a transport.

use std::fmt;
use std::time::Duration;

use super::dns::Lookup;
use super::retry_budget::RetryBudget;
use crate::core::{Clock, ErrorKind, XtraError};

/// How often, and how soon, a failed attempt is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryOptions {
    /// How many attempts may follow the first.
    pub(crate) max_retries: u32,
    /// The shortest wait between two attempts.
    pub(crate) base: Duration,
    /// The longest wait that the client chooses by itself. A wait that the service asks for may be longer.
    pub(crate) max_backoff: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self { max_retries: 3, base: Duration::from_millis(100), max_backoff: Duration::from_secs(5) }
    }
}

/// The options of a [`Transport`](super::Transport).
#[derive(Clone)]
pub(crate) struct TransportOptions {
    /// The longest wait for a connection, name lookup and TLS handshake included.
    pub(crate) connect_timeout: Duration,
    /// The deadline of a call as a whole: token, attempts, waits between them, and the answer read to its end.
    pub(crate) call_timeout: Duration,
    /// The longest a single attempt of a repeatable read may take while others may follow it. It keeps a connection that
    /// went dead without a word from using the whole deadline up.
    pub(crate) attempt_timeout: Duration,
    /// The largest answer that is read.
    pub(crate) max_response_bytes: usize,
    /// How failed attempts are repeated.
    pub(crate) retry: RetryOptions,
    /// How many retries all calls that share it may make together.
    pub(crate) retry_budget: &'static RetryBudget,
    /// Requests a minute to the root; 0 is without a limit. `None` is the service's own limit by client address, or without
    /// a limit when the root is on this machine.
    pub(crate) requests_per_minute: Option<u32>,
    /// What the service's windows and pauses are measured with, besides real time.
    pub(crate) clock: Clock,
    /// What looks host names up in place of the system's resolver.
    pub(crate) lookup: Option<Lookup>,
    /// Whether `HTTPS_PROXY` and its kin are honoured. A loopback service is always reached directly.
    pub(crate) use_proxies: bool,
    /// Certificate authorities to trust besides the usual ones, each a PEM text with one or more certificates.
    pub(crate) root_certificates: Vec<Vec<u8>>,
    /// What the client calls itself.
    pub(crate) user_agent: String,
}

impl TransportOptions {
    /// Limits of zero would fail every call, each in a way of its own.
    pub(crate) fn check(&self) -> Result<(), XtraError> {
        let zero = if self.connect_timeout.is_zero() {
            "connect_timeout"
        } else if self.call_timeout.is_zero() {
            "call_timeout"
        } else if self.max_response_bytes == 0 {
            "max_response_bytes"
        } else {
            return Ok(());
        };
        let message = format!("{zero} is zero, so that no call could succeed. Raise it, or leave it out");
        Err(XtraError::new(ErrorKind::Config, message))
    }
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(30),
            attempt_timeout: Duration::from_secs(15),
            max_response_bytes: 16 * 1024 * 1024,
            retry: RetryOptions::default(),
            retry_budget: RetryBudget::of_process(),
            requests_per_minute: None,
            clock: Clock::system(),
            lookup: None,
            use_proxies: true,
            root_certificates: Vec::new(),
            user_agent: concat!("xtrasecurity-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl fmt::Debug for TransportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("call_timeout", &self.call_timeout)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("max_response_bytes", &self.max_response_bytes)
            .field("retry", &self.retry)
            .field("requests_per_minute", &self.requests_per_minute)
            .field("use_proxies", &self.use_proxies)
            .field("root_certificates", &self.root_certificates.len())
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}
