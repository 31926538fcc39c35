//! The kinds of errors, and what to do about each.

use std::fmt;

#[cfg(doc)]
use super::XtraError;

/// What went wrong, as a stable name to branch on.
///
/// Each kind says what to do about it. New kinds may be added, so a `match` needs a `_` arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option is missing or unusable (base URL, project id, certificate …). Correct the option that the message names.
    Config,
    /// No token was found, or the one found cannot be used. The message lists each place that was looked at.
    Credentials,
    /// The service does not know the token: wrong, expired or revoked (status 401). Get a new token; a retry does not help. The
    /// message says so when a proxy has refused, not the service; so for the other refusals.
    Unauthorized,
    /// The token is valid but may not do this (status 403). [`XtraError::reason`] tells why, when the service does. Many services
    /// answer the same for a thing that does not exist.
    Forbidden,
    /// The thing named does not exist (status 404), or the base URL is wrong.
    NotFound,
    /// A write met a newer version (status 409), or a second row of a name. Read again and decide; see [`XtraError::conflicts`].
    /// When [`XtraError::may_have_been_applied`] is true, the write was taken, and a read after it gives something else.
    Conflict,
    /// A write was carried out in part. [`XtraError::names`] names the secrets that were not written: write these again.
    Incomplete,
    /// Too many requests (status 429). Wait for [`XtraError::retry_after`]; cache longer.
    RateLimited,
    /// The service sent placeholders instead of values, because the caller may see names only. Use a token with a stronger role.
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
    /// The answer is not what the API promises (HTML, broken JSON, other types, a part of an answer by its status). Check the base
    /// URL.
    Decode,
    /// The service answered with a redirect, which is never followed. Check the base URL.
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
