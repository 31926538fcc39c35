//! Failures without an answer, put into words that hold no data.
//!
//! Errors of the HTTP stack print URLs, and sometimes bytes of the exchange. Only their kinds and the operating system's
//! error numbers pass through here.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::CertificateError;

use super::dns::LookupError;
use super::retry::FailureClass;
use crate::core::{ErrorKind, XtraError};

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

    /// The answer is larger than the cap.
    pub(crate) fn too_large(cap: usize) -> Self {
        let message =
            format!("the answer is larger than {cap} bytes; raise max_response_bytes if that is what you expect");
        Self { error: XtraError::new(ErrorKind::TooLarge, message), class: FailureClass::Garbled }
    }

    /// Adds that a write may have happened, when it may.
    pub(crate) fn of_write(mut self) -> Self {
        if matches!(self.class, FailureClass::Lost | FailureClass::Garbled) {
            let note = "Whether the service carried the request out is not known: read before sending it again";
            self.error = self.error.with_note(note).with_unknown_outcome();
        }
        self
    }

    /// Names a failure of the HTTP stack, before or while the answer came.
    pub(crate) fn of(error: &reqwest::Error, connect_timeout: Duration) -> Self {
        let causes = Causes::of(error);
        if error.is_builder() {
            return Self::lasting(XtraError::new(
                ErrorKind::Invalid,
                "the request could not be built from these arguments",
            ));
        }
        let failure =
            if error.is_connect() { connecting(error, &causes, connect_timeout) } else { exchanging(error, &causes) };
        match causes.os_error() {
            Some(cause) => Self { error: failure.error.with_os_error(cause), ..failure },
            None => failure,
        }
    }
}

/// What in the chain of causes tells failures apart.
#[derive(Default)]
struct Causes<'a> {
    lookup: Option<&'a LookupError>,
    tls: Option<&'a rustls::Error>,
    http: Option<&'a hyper::Error>,
    io: Option<&'a io::Error>,
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

fn network(message: &str, class: FailureClass) -> Failure {
    Failure { error: XtraError::new(ErrorKind::Network, message), class }
}

/// No connection: nothing has been sent.
fn connecting(error: &reqwest::Error, causes: &Causes<'_>, connect_timeout: Duration) -> Failure {
    if let Some(lookup) = causes.lookup {
        return network(
            match lookup {
                LookupError::NoThread(_) => {
                    "no thread could be started for the name lookup; check the limits of the process"
                }
                LookupError::Unresolved(_) => "the host name could not be resolved; check the API root and the DNS",
            },
            FailureClass::NotSent,
        );
    }
    if let Some(tls) = causes.tls {
        return securing(tls);
    }
    if error.is_timeout() {
        return Failure::timed_out(
            format!(
                "no connection to the service within {connect_timeout:?}; check the network, or raise connect_timeout"
            ),
            FailureClass::NotSent,
        );
    }
    let message = match causes.io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            "the connection was refused; check that the service listens at the API root"
        }
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown) => {
            "the network of the service cannot be reached; check the connection of this machine"
        }
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof) => {
            "the connection was closed while it was being set up; check that the API root has the right scheme and port"
        }
        Some(io::ErrorKind::PermissionDenied) => {
            "this process may not open network connections; check the sandbox or firewall"
        }
        _ => {
            "no connection to the service could be made; check the API root, the network, and the proxy if there is one"
        }
    };
    network(message, FailureClass::NotSent)
}

/// The TLS handshake failed. A certificate does not get better within seconds, so these are not repeated.
fn securing(error: &rustls::Error) -> Failure {
    let message = match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the TLS certificate of the service has expired; check the clock of this machine too"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the TLS certificate of the service is not valid yet; check the clock of this machine"
            }
            CertificateError::UnknownIssuer => {
                "the TLS certificate is not trusted: its issuer is unknown here; add the authority with add_root_certificate"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the TLS certificate is for another name than the host of the API root"
            }
            CertificateError::Revoked => "the TLS certificate of the service has been revoked",
            _ => "the TLS certificate of the service is not acceptable",
        },
        rustls::Error::InvalidMessage(_) => {
            "the service does not speak TLS there; check the scheme and port of the API root"
        }
        rustls::Error::AlertReceived(_) | rustls::Error::PeerIncompatible(_) => {
            "the service and this client have no TLS version, cipher or certificate in common"
        }
        _ => "the TLS handshake failed",
    };
    network(message, FailureClass::Lasting)
}

/// There was a connection, and the request or a part of it was sent.
fn exchanging(error: &reqwest::Error, causes: &Causes<'_>) -> Failure {
    if error.is_timeout() {
        return Failure::timed_out("the connection to the service went silent".to_owned(), FailureClass::Lost);
    }
    if causes.http.is_some_and(hyper::Error::is_parse) {
        return network("the answer is not HTTP; check the scheme and port of the API root", FailureClass::Garbled);
    }
    if causes.tls.is_some() {
        return network("the encrypted connection broke before the answer was complete", FailureClass::Lost);
    }
    network("the connection was closed before the answer was complete", FailureClass::Lost)
}
