//! The one error type of the crate, and what to do about each kind of it.

mod parts;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

pub use parts::{Conflict, Elevation};

/// What went wrong, as a stable name to branch on.
///
/// Each kind says what to do about it. New kinds may be added, so a `match` needs a `_` arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option is missing or unusable (API root, project id, certificate …). Correct the option that the message names.
    Config,
    /// No token was found, or the one found cannot be used. The message lists each place that was looked at.
    Credentials,
    /// The service does not know the token: wrong, expired or revoked (status 401). Get a new token; a retry does not help. The
    /// message says so when a proxy has refused, not the service; so for the other refusals.
    Unauthorized,
    /// The token is valid but may not do this (status 403). The service answers the same for a project that does not exist.
    Forbidden,
    /// A just-in-time elevation is needed first (status 403). Request access, then call again.
    ElevationRequired,
    /// The project's owner has blocked the project (status 403).
    Blocked,
    /// This address is not on the project's allow-list (status 403).
    IpNotAllowed,
    /// The project demands two-factor authentication of its users (status 403). Enable it, or use a service account.
    TwoFactorRequired,
    /// The thing named does not exist (status 404), or the API root is wrong.
    NotFound,
    /// A write met a newer version (status 409), or a second row of a name. Read again and decide; see [`XtraError::conflicts`].
    /// When [`XtraError::may_have_been_applied`] is true, the write was taken, and a read after it gives something else.
    Conflict,
    /// A write was carried out in part. [`XtraError::keys`] names the secrets that were not written: write these again.
    Incomplete,
    /// Too many requests (status 429). Wait for [`XtraError::retry_after`]; cache longer.
    RateLimited,
    /// The service sent placeholders (`***`, `[REDACTED]`) instead of values, because the caller may see names only. Use a token with a stronger role.
    Masked,
    /// Values arrived as ciphertext that cannot be opened here. Store them again, or read the rest with `allow_unreadable`.
    Undecryptable,
    /// The environment or branch holds no secrets: usually a mistyped name. `allow_empty` accepts it.
    EmptyScope,
    /// A required secret is not in the snapshot.
    MissingSecret,
    /// A name or value given by the caller cannot be used: the message names it. Or the service refused the request as invalid
    /// (status 400).
    Invalid,
    /// The call did not finish within its deadline. Retry, or raise the deadline.
    Timeout,
    /// The service could not be reached, or the connection broke. Retry; check the network, DNS, proxy and TLS.
    Network,
    /// The service failed (status 5xx). Only 502, 503 and 504 are worth a retry.
    Server,
    /// The answer is not what the API promises (HTML, broken JSON, other types, a part of an answer by its status). Check the API
    /// root; it ends in `/api`.
    Decode,
    /// The service answered with a redirect, which is never followed. Check the API root; it ends in `/api`.
    Redirected,
    /// The answer is larger than the cap, and was not read to its end. Raise `max_response_bytes` if it is legitimate.
    TooLarge,
    /// The process environment cannot be changed soundly: other threads may be reading it. Nothing was set.
    UnsoundInjection,
    /// The client [protects production](crate::XtraClientBuilder::protect_production), and a call that would change it did not
    /// say [`confirm_production`](crate::Request::confirm_production). Nothing was sent.
    Unconfirmed,
}

impl ErrorKind {
    /// The stable name of the kind in snake case, for logs and metrics. It never carries data.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Credentials => "credentials",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::ElevationRequired => "elevation_required",
            Self::Blocked => "blocked",
            Self::IpNotAllowed => "ip_not_allowed",
            Self::TwoFactorRequired => "two_factor_required",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Incomplete => "incomplete",
            Self::RateLimited => "rate_limited",
            Self::Masked => "masked",
            Self::Undecryptable => "undecryptable",
            Self::EmptyScope => "empty_scope",
            Self::MissingSecret => "missing_secret",
            Self::Invalid => "invalid",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Server => "server",
            Self::Decode => "decode",
            Self::Redirected => "redirected",
            Self::TooLarge => "too_large",
            Self::UnsoundInjection => "unsound_injection",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What every fallible call of this crate returns.
///
/// It is one pointer wide, cheap to clone (one failed request is reported to every caller that waited for it), and
/// `Send + Sync + 'static`. Its texts hold no secret value, token, answer body or URL. `Display` says what was wrong and
/// what to do, and does not repeat [`source`](StdError::source).
///
/// ```
/// use xtrasecurity::{ErrorKind, Secrets};
///
/// let secrets = Secrets::from_iter([("PORT", "8080")]);
/// let error = secrets.require("DATABASE_URL").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::MissingSecret);
/// assert!(error.to_string().contains("DATABASE_URL"));
/// ```
#[derive(Clone)]
pub struct XtraError(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    status: Option<u16>,
    code: Option<String>,
    server_message: Option<String>,
    retry_after: Option<Duration>,
    keys: Vec<String>,
    conflicts: Vec<Conflict>,
    elevation: Option<Elevation>,
    attempts: u32,
    outcome_unknown: bool,
    foreign: bool,
    own: bool,
    stalled: bool,
    os_error: Option<Arc<io::Error>>,
}

impl XtraError {
    /// An error of `kind` with a message of one's own, for a [`SecretSource`](crate::SecretSource) or
    /// [`CredentialProvider`](crate::CredentialProvider) written outside this crate.
    ///
    /// The message is shown by `Display` and in logs: put no value, token or URL in it.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            status: None,
            code: None,
            server_message: None,
            retry_after: None,
            keys: Vec::new(),
            conflicts: Vec::new(),
            elevation: None,
            attempts: 0,
            outcome_unknown: false,
            foreign: false,
            own: false,
            stalled: false,
            os_error: None,
        }))
    }

    /// The kind, to branch on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status of the answer, when there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The service's machine-readable code (`IP_NOT_ALLOWED`, `2FA_REQUIRED`, `request_jit`), when it sent one that it documents.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// What was wrong and what to do: the text that `Display` shows.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the service, or a proxy in its place, said when it refused (status 4xx): its sentence on one line, without control
    /// characters, cut to 200 characters. `None` when it sent none, or a web page.
    ///
    /// This is the one text of an error that comes from the answer. A service may repeat in it whatever the request carried, a
    /// value or the token too: do not log it. `Display`, `Debug` and [`message`](Self::message) never contain it; they show at most
    /// the form of a sentence that is documented, filled in from what the caller asked for.
    #[must_use]
    pub fn server_message(&self) -> Option<&str> {
        self.0.server_message.as_deref()
    }

    /// How long the service asks to wait before the next call, when it said so: at least one second, at most a day. A wait that
    /// cannot be read counts as one second.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may succeed later without any change: network trouble, timeouts, 429, 502, 503, 504. `false` for
    /// a write that may have been carried out: look first whether it was.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            _ if self.0.outcome_unknown => false,
            ErrorKind::Timeout | ErrorKind::Network | ErrorKind::RateLimited => true,
            ErrorKind::Server => matches!(self.0.status, Some(502..=504)),
            _ => false,
        }
    }

    /// Whether this is a write that was sent, and of which is not known whether it was carried out: the answer was lost, or it is
    /// anything but a definite refusal, which says by its status that nothing was done (400, 401, 403, 404, 409, 429 … but not 408,
    /// 499 or any 5xx besides 501). The message says what to look at before it is sent again.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        self.0.outcome_unknown
    }

    /// Whether the call went past its deadline because nobody drove it, which tells nothing of the service.
    pub(crate) fn is_stalled(&self) -> bool {
        self.0.stalled
    }

    /// Whether this is a refusal (status 401, 403, 404, 405, 407, 410 or 451) that is not the service's own answer, but that of
    /// something in between: a proxy, a firewall, a wrong deployment. It says nothing of what the caller may have. A client that holds secrets
    /// from before serves them for [a while](crate::CacheOptions::foreign_refusal_grace) in its place.
    #[must_use]
    pub fn is_foreign_refusal(&self) -> bool {
        self.0.foreign
    }

    /// Whether this is certainly the service's own answer, by what it says.
    pub(crate) fn is_own_answer(&self) -> bool {
        self.0.own
    }

    /// The names of the secrets that the error is about (masked, undecryptable, missing). Names only.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.0.keys
    }

    /// The keys that a conditional write found changed, for [`ErrorKind::Conflict`]: those that the request named. Versions that are
    /// no short numbers are left out.
    #[must_use]
    pub fn conflicts(&self) -> &[Conflict] {
        &self.0.conflicts
    }

    /// What access to ask for, for [`ErrorKind::ElevationRequired`].
    #[must_use]
    pub fn elevation(&self) -> Option<&Elevation> {
        self.0.elevation.as_ref()
    }

    /// How many requests were sent for the call that failed; 0 when it failed before the first, or over what a complete
    /// answer held.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Adds the HTTP status of the answer.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        self.edit(|inner| inner.status = Some(status))
    }

    /// Adds the service's machine-readable code.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        self.edit(|inner| inner.code = Some(code.into()))
    }

    /// Adds the wait that the service asked for; raised to one second.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        self.edit(|inner| inner.retry_after = Some(wait.max(Duration::from_secs(1))))
    }

    /// Adds the names of the secrets that the error is about.
    #[must_use]
    pub fn with_keys(self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.edit(|inner| inner.keys = keys.into_iter().map(Into::into).collect())
    }

    /// Says that this refusal is [not the service's own](Self::is_foreign_refusal), for a [`SecretSource`](crate::SecretSource)
    /// that can tell.
    #[must_use]
    pub fn with_foreign_refusal(self) -> Self {
        self.edit(|inner| inner.foreign = true)
    }

    /// Adds the keys that a conditional write found changed.
    #[must_use]
    pub fn with_conflicts(self, conflicts: Vec<Conflict>) -> Self {
        self.edit(|inner| inner.conflicts = conflicts)
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl XtraError {
    /// The same error in other words.
    #[cfg(feature = "http")]
    pub(crate) fn saying(self, message: String) -> Self {
        self.edit(|inner| inner.message = message)
    }

    /// The same error, whose text goes on like this.
    pub(crate) fn adding(self, text: &str) -> Self {
        self.edit(|inner| inner.message.push_str(text))
    }
}

/// What only code that talks to a service has to tell.
#[cfg(feature = "http")]
impl XtraError {
    /// The words of the service; the caller has already cleaned and bounded them.
    pub(crate) fn with_server_message(self, message: String) -> Self {
        self.edit(|inner| inner.server_message = Some(message))
    }

    /// A write that was sent and not answered.
    pub(crate) fn with_own_answer(self) -> Self {
        self.edit(|inner| inner.own = true)
    }

    pub(crate) fn with_unknown_outcome(self) -> Self {
        self.edit(|inner| inner.outcome_unknown = true)
    }

    pub(crate) fn with_elevation(self, project: &str, environment: &str) -> Self {
        let elevation = Elevation { project: project.to_owned(), environment: environment.to_owned() };
        self.edit(|inner| inner.elevation = Some(elevation))
    }

    /// A call that nobody drove until it was past its deadline.
    pub(crate) fn stalled(self) -> Self {
        self.edit(|inner| inner.stalled = true)
    }

    /// Says which operation failed, as errors of the service do.
    pub(crate) fn in_operation(self, name: &str) -> Self {
        self.edit(|inner| inner.message = format!("{name}: {}", inner.message))
    }

    pub(crate) fn with_attempts(self, attempts: u32) -> Self {
        self.edit(|inner| inner.attempts = attempts)
    }

    /// Keeps an operating system error as the source. Only the error number is kept: a text could quote data.
    pub(crate) fn with_os_error(self, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(number) => self.edit(|inner| inner.os_error = Some(Arc::new(io::Error::from_raw_os_error(number)))),
            None => self,
        }
    }
}

impl fmt::Display for XtraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for XtraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("XtraError");
        out.field("kind", &self.0.kind).field("message", &self.0.message);
        if let Some(status) = self.0.status {
            out.field("status", &status);
        }
        if let Some(code) = &self.0.code {
            out.field("code", code);
        }
        if let Some(wait) = self.0.retry_after {
            out.field("retry_after", &wait);
        }
        if !self.0.keys.is_empty() {
            out.field("keys", &self.0.keys);
        }
        if !self.0.conflicts.is_empty() {
            out.field("conflicts", &self.0.conflicts);
        }
        if self.0.outcome_unknown {
            out.field("may_have_been_applied", &true);
        }
        if self.0.foreign {
            out.field("foreign_refusal", &true);
        }
        if self.0.attempts > 0 {
            out.field("attempts", &self.0.attempts);
        }
        if let Some(error) = &self.0.os_error {
            out.field("source", error);
        }
        out.finish_non_exhaustive()
    }
}

impl StdError for XtraError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.os_error.as_deref().map(|error| error as _)
    }
}
