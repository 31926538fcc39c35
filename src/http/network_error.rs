//! Failures without an answer, by the hop at which they happened, in words that hold no data.
//!
//! Errors of the HTTP stack print URLs, and sometimes bytes of the exchange. Only their kinds, the operating system's error
//! numbers, and host and port of the peer pass through here.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::CertificateError;

use super::dns::LookupError;
use super::retry::FailureClass;
use super::route::{Proxy, Route};
use crate::core::{ErrorKind, Hint, Hop, XtraError};

/// An attempt that brought no answer: what to tell the caller, and what it means for another attempt.
pub(crate) struct Failure {
    pub(crate) error: XtraError,
    pub(crate) class: FailureClass,
}

impl Failure {
    pub(crate) fn lasting(error: XtraError) -> Self {
        Self { error, class: FailureClass::Lasting }
    }

    /// The request was on its way when the time ran out.
    pub(crate) fn timed_out(message: String, class: FailureClass) -> Self {
        Self { error: XtraError::new(ErrorKind::Timeout, message), class }
    }

    pub(crate) fn with_hint(self, hint: Hint) -> Self {
        Self { error: self.error.with_hint(hint), ..self }
    }

    /// The answer is larger than the cap.
    pub(crate) fn too_large(cap: usize) -> Self {
        let error = XtraError::new(ErrorKind::TooLarge, format!("the answer is larger than {cap} bytes"))
            .with_hint(Hint::Raise { limit: "max_response_bytes" });
        Self { error, class: FailureClass::Garbled }
    }

    /// Adds that a write may have happened, when it may.
    pub(crate) fn of_write(mut self) -> Self {
        if matches!(self.class, FailureClass::Lost | FailureClass::Garbled) {
            let note = "Whether the service carried the request out is not known: read before sending it again";
            self.error = self.error.with_note(note).with_unknown_outcome();
        }
        self
    }

    /// Names a failure of the HTTP stack before the head of an answer was there.
    pub(crate) fn of(error: &reqwest::Error, route: &Route, connect_timeout: Duration) -> Self {
        if error.is_builder() {
            return Self::lasting(XtraError::new(
                ErrorKind::Invalid,
                "the request could not be built from these arguments",
            ));
        }
        let causes = Causes::of(error);
        let failure = if error.is_connect() {
            connecting(error, &causes, route, connect_timeout)
        } else {
            exchanging(error, &causes, Hop::Http)
        };
        failure.caused_by(&causes)
    }

    /// Names a failure of the HTTP stack while the body of an answer came.
    pub(crate) fn of_body(error: &reqwest::Error) -> Self {
        let causes = Causes::of(error);
        exchanging(error, &causes, Hop::Body).caused_by(&causes)
    }

    /// The proxy answered 407. The same credentials are not offered to it again.
    pub(crate) fn proxy_credentials(proxy: &Proxy) -> Self {
        let message = format!(
            "the proxy {} demands credentials, or does not accept those that it was given (status 407)",
            proxy.at
        );
        let what = format!(
            "Put the right user and password into {}, as in http://user:password@host:port, or the host of the service \
             into NO_PROXY",
            proxy.variable
        );
        let error = XtraError::new(ErrorKind::Config, message).with_status(407).with_foreign_refusal();
        Self::lasting(error.at_hop(Hop::Proxy).with_hint(Hint::FixProxy { what: what.into() }))
    }

    fn caused_by(mut self, causes: &Causes<'_>) -> Self {
        if let Some(cause) = causes.os_error() {
            self.error = self.error.with_os_error(cause);
        }
        self
    }
}

/// The links of a chain of causes by which failures are told apart.
#[derive(Default)]
struct Causes<'a> {
    lookup: Option<&'a LookupError>,
    tls: Option<&'a rustls::Error>,
    http: Option<&'a hyper::Error>,
    io: Option<&'a io::Error>,
    /// Why a proxy gave no tunnel to the service.
    tunnel: Option<Tunnel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tunnel {
    /// The proxy itself could not be reached.
    Unreachable,
    /// It answered 407.
    Unauthorized,
    /// It answered with another status. The HTTP stack does not tell which.
    Refused,
    /// It closed the connection without an answer.
    Closed,
    /// Its answer cannot be used.
    Unusable,
}

impl Tunnel {
    /// The error's type is private to the HTTP stack, so it is known by its text.
    fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        match error.to_string().strip_prefix("tunnel error: ")? {
            "failed to create underlying connection" => Some(Self::Unreachable),
            "proxy authorization required" => Some(Self::Unauthorized),
            "unsuccessful" => Some(Self::Refused),
            "unexpected end of file" | "io error establishing tunnel" => Some(Self::Closed),
            _ => Some(Self::Unusable),
        }
    }
}

impl<'a> Causes<'a> {
    fn of(error: &'a (dyn StdError + 'static)) -> Self {
        let mut causes = Self::default();
        let mut next = Some(error);
        while let Some(cause) = next {
            next = cause.source();
            if let Some(found) = cause.downcast_ref::<io::Error>() {
                causes.io = Some(found);
                // an io::Error that wraps another error passes over it in its own chain
                if let Some(wrapped) = found.get_ref() {
                    next = Some(wrapped);
                }
            }
            causes.lookup = causes.lookup.or_else(|| cause.downcast_ref());
            causes.tls = causes.tls.or_else(|| cause.downcast_ref());
            causes.http = causes.http.or_else(|| cause.downcast_ref());
            causes.tunnel = causes.tunnel.or_else(|| Tunnel::of(cause));
        }
        causes
    }

    fn os_error(&self) -> Option<&'a io::Error> {
        match self.lookup {
            Some(lookup) => lookup.os_error(),
            None => self.io.filter(|error| error.raw_os_error().is_some()),
        }
    }
}

fn network(hop: Hop, class: FailureClass, message: impl Into<String>) -> Failure {
    Failure { error: XtraError::new(ErrorKind::Network, message).at_hop(hop), class }
}

/// No connection: nothing has been sent.
fn connecting(error: &reqwest::Error, causes: &Causes<'_>, route: &Route, connect_timeout: Duration) -> Failure {
    match (&route.proxy, causes.tunnel) {
        (Some(proxy), Some(Tunnel::Unauthorized)) => Failure::proxy_credentials(proxy),
        (Some(proxy), Some(Tunnel::Refused)) => no_tunnel(proxy, "refused to open a tunnel to", route),
        (Some(proxy), Some(Tunnel::Closed)) => {
            no_tunnel(proxy, "closed the connection when it was asked for a tunnel to", route)
        }
        (Some(proxy), Some(Tunnel::Unusable)) => {
            no_tunnel(proxy, "gave no usable answer when it was asked for a tunnel to", route)
        }
        // behind a tunnel the handshake is with the service
        (Some(_), None) if causes.tls.is_some() => unconnected(error, causes, Hop::Connection, route, connect_timeout),
        (Some(proxy), _) => of_proxy(unconnected(error, causes, Hop::Proxy, route, connect_timeout), proxy),
        (None, _) => unconnected(error, causes, Hop::Connection, route, connect_timeout),
    }
}

/// The proxy answered, and is not the way to the service.
fn no_tunnel(proxy: &Proxy, what_it_did: &str, route: &Route) -> Failure {
    let message = format!("the proxy {} {what_it_did} {}", proxy.at, route.service);
    of_proxy(network(Hop::Proxy, FailureClass::NotSent, message), proxy)
}

fn of_proxy(mut failure: Failure, proxy: &Proxy) -> Failure {
    let what = format!(
        "Check {}, which names this proxy, and that the proxy allows the host; or put the host into NO_PROXY",
        proxy.variable
    );
    failure.error = failure.error.at_hop(Hop::Proxy).with_hint(Hint::FixProxy { what: what.into() });
    failure
}

/// No connection to the proxy, or else to the service, as `hop` says.
fn unconnected(
    error: &reqwest::Error,
    causes: &Causes<'_>,
    hop: Hop,
    route: &Route,
    connect_timeout: Duration,
) -> Failure {
    let (peer, at) = match route.proxy.as_ref().filter(|_| hop == Hop::Proxy) {
        Some(proxy) => ("proxy", &proxy.at),
        None => ("service", &route.service),
    };
    if let Some(lookup) = causes.lookup {
        let (message, advice) = match lookup {
            LookupError::NoThread(_) => {
                ("no thread could be started for the name lookup".to_owned(), "Check the limits of the process")
            }
            LookupError::Unresolved(_) => {
                (format!("the host name of the {peer}, {at}, could not be resolved"), "Check its spelling, and the DNS")
            }
        };
        return network(Hop::Lookup, FailureClass::NotSent, message).with_hint(Hint::advice(advice));
    }
    if let Some(tls) = causes.tls {
        return securing(tls, peer, at);
    }
    if error.is_timeout() {
        let message = format!("no connection to the {peer} within {connect_timeout:?}: {at} does not answer");
        let failure = Failure::timed_out(message, FailureClass::NotSent)
            .with_hint(Hint::advice("Check the network"))
            .with_hint(Hint::Raise { limit: "connect_timeout" });
        return Failure { error: failure.error.at_hop(hop), ..failure };
    }
    let (message, advice) = match causes.io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            (format!("the connection was refused by the {peer} at {at}"), "Check that it listens there")
        }
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown) => {
            (format!("the network of the {peer} at {at} cannot be reached"), "Check the connection of this machine")
        }
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof) => (
            format!("the connection to the {peer} at {at} was closed while it was being set up"),
            "Check that scheme and port are right",
        ),
        Some(io::ErrorKind::PermissionDenied) => {
            ("this process may not open network connections".to_owned(), "Check the sandbox or firewall")
        }
        _ => (format!("no connection to the {peer} at {at} could be made"), "Check its address and the network"),
    };
    network(hop, FailureClass::NotSent, message).with_hint(Hint::advice(advice))
}

/// The TLS handshake failed. A certificate does not get better within seconds, so these are not repeated.
fn securing(error: &rustls::Error, peer: &str, at: &str) -> Failure {
    let failure = |message: String| network(Hop::Tls, FailureClass::Lasting, message);
    let certificate = format!("the TLS certificate of the {peer} at {at}");
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            failure(format!("{certificate} is not trusted: its issuer is unknown here"))
                .with_hint(Hint::AddRootCertificate)
        }
        rustls::Error::InvalidCertificate(reason) => {
            let (flaw, advice) = unacceptable(reason);
            let failure = failure(format!("{certificate} {flaw}"));
            advice.map(Hint::advice).into_iter().fold(failure, Failure::with_hint)
        }
        rustls::Error::InvalidMessage(_) => {
            failure(format!("the {peer} does not speak TLS at {at}")).with_hint(Hint::advice("Check scheme and port"))
        }
        rustls::Error::AlertReceived(_) | rustls::Error::PeerIncompatible(_) => {
            failure(format!("the {peer} at {at} and this client have no TLS version, cipher or certificate in common"))
        }
        _ => failure(format!("the TLS handshake with the {peer} at {at} failed")),
    }
}

/// What is wrong with a certificate, and what to do about it.
fn unacceptable(reason: &CertificateError) -> (&'static str, Option<&'static str>) {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("has expired", Some("Check the clock of this machine too"))
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("is not valid yet", Some("Check the clock of this machine"))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("is for another name than that host", None)
        }
        CertificateError::Revoked => ("has been revoked", None),
        // the verifier's own error has no variant of its own here
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => (
            "is that of a certificate authority (CA:TRUE), which cannot be the server's own as well",
            Some(
                "Give the server a certificate that this authority has signed, or one that is self-signed with CA:FALSE",
            ),
        ),
        CertificateError::Other(other) if other.to_string().contains("EndEntityUsedAsCa") => {
            ("is signed by one that is no certificate authority (CA:FALSE)", Some("Have it signed by an authority"))
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            ("is not meant for servers (extended key usage)", Some("Issue one for serverAuth"))
        }
        CertificateError::BadSignature => (
            "is not signed by the authority that it names; one of the same name but another key may have been added",
            None,
        ),
        _ => ("is not acceptable", None),
    }
}

/// There was a connection, and the request or a part of it was sent.
fn exchanging(error: &reqwest::Error, causes: &Causes<'_>, hop: Hop) -> Failure {
    if error.is_timeout() {
        let failure = Failure::timed_out("the connection to the service went silent".to_owned(), FailureClass::Lost);
        return Failure { error: failure.error.at_hop(hop), ..failure };
    }
    if causes.http.is_some_and(hyper::Error::is_parse) {
        return network(hop, FailureClass::Garbled, "the answer is not HTTP")
            .with_hint(Hint::advice("Check the scheme and port of the base URL"));
    }
    if causes.tls.is_some() {
        let message = "the encrypted connection broke before the answer was complete";
        return network(hop, FailureClass::Lost, message);
    }
    network(hop, FailureClass::Lost, "the connection was closed before the answer was complete")
}
