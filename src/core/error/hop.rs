//! The hops of a request on its way to a service.

use std::fmt;

/// The hop at which a request failed on its way to the service; see [`XtraError::hop`](crate::XtraError::hop).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hop {
    /// The name of the service's host could not be looked up.
    Lookup,
    /// The proxy could not be reached, or refused.
    Proxy,
    /// No TCP connection to the service came about.
    Connection,
    /// The TLS handshake with the service failed.
    Tls,
    /// The service did not answer, or not in HTTP.
    Http,
    /// The answer's body broke off.
    Body,
}

impl Hop {
    /// The stable name: `lookup`, `proxy`, `connection`, `tls`, `http`, `body`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Proxy => "proxy",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Body => "body",
        }
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
