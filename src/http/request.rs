//! One request of a client that is written by hand: method, path, query and JSON body.

use std::fmt;

use serde::Serialize;

use super::event_stream::{self, EventStream};
use super::runtime::{Answer, RequestBuilderExt, encode_segment};
use super::server_error;
use super::transport::Transport;
use crate::core::{ErrorKind, XtraError};

/// The method of a request. Those that read are sent again after every failure that may pass, the others only when the
/// service cannot have seen them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the headers alone.
    Head,
    /// Changes something.
    Post,
    /// Changes something.
    Put,
    /// Changes something.
    Patch,
    /// Changes something.
    Delete,
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// A request to fill in and [`send`](Self::send). It is sent with the token, retries, limits and deadline of its transport.
/// `Debug` prints its operation and method alone.
#[must_use = "a request does nothing before it is sent"]
pub struct Request<'t> {
    transport: &'t Transport,
    operation: &'static str,
    method: Method,
    /// What was given, or the first thing that cannot be sent.
    parts: Result<Parts, XtraError>,
}

#[derive(Default)]
struct Parts {
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<Body>,
}

/// A JSON body, in memory that is wiped.
struct Body(zeroize::Zeroizing<Vec<u8>>);

impl Transport {
    /// Starts a request. `operation` is the call's name in errors, events and the [`Protocol`](super::Protocol).
    pub fn call(&self, operation: &'static str, method: Method) -> Request<'_> {
        Request { transport: self, operation, method, parts: Ok(Parts::default()) }
    }
}

impl<'t> Request<'t> {
    /// Goes below the root, or below what was given before, by these segments. Each is percent-encoded and stays one
    /// segment, whatever it holds; the empty text, `.` and `..` are refused when the request is sent.
    pub fn path(self, segments: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.with(|parts| {
            for segment in segments {
                let encoded = encode_segment(segment.as_ref()).map_err(|why| {
                    let message = format!("nothing was sent: a segment of the path {why}");
                    XtraError::new(ErrorKind::Invalid, message)
                })?;
                parts.path.push('/');
                parts.path.push_str(&encoded);
            }
            Ok(())
        })
    }

    /// Adds a parameter to the query.
    pub fn query(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(|parts| {
            parts.query.push((name.into(), value.into()));
            Ok(())
        })
    }

    /// Adds a header, by its name in lower case. Headers are no place for secrets: the token has its own.
    pub fn header(self, name: &'static str, value: impl Into<String>) -> Self {
        self.with(|parts| {
            parts.headers.push((name, value.into()));
            Ok(())
        })
    }

    /// Sends this as a JSON body, which is written once, into memory that is wiped.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        self.with(|parts| {
            parts.body = Some(Body(super::runtime::to_wiped_json(value)?));
            Ok(())
        })
    }

    /// Sends it and reads the answer to its end. Dropping the future abandons the request.
    ///
    /// # Errors
    ///
    /// An answer that is no success is an error of the kind that its status stands for, told by the service's
    /// [`Protocol`](super::Protocol). [`ErrorKind::Invalid`] when the request cannot be sent as it is,
    /// [`ErrorKind::Credentials`] without a token, [`ErrorKind::Network`] and [`ErrorKind::Timeout`] without an answer,
    /// [`ErrorKind::RateLimited`] also for a call that is held back.
    pub async fn send(self) -> Result<Answer, XtraError> {
        let Self { transport, operation, method, parts } = self;
        let named = |error: XtraError| error.in_call(operation);
        let request = parts.and_then(|parts| parts.build(transport, method)).map_err(named)?;
        let response = transport.run(request, operation).await?;
        if response.is_success() || (response.is_of_a_write() && response.status() == 204) {
            return Ok(Answer::new(response, operation));
        }
        Err(server_error::from_response(&response, operation))
    }

    /// Sends it, and returns the stream of events that answers it once its head is there, within the time of a call.
    #[allow(dead_code, reason = "services use it, and there may be none")]
    pub(crate) async fn events(self) -> Result<EventStream, XtraError> {
        let Self { transport, operation, method, parts } = self.header("accept", event_stream::CONTENT_TYPE);
        let request =
            parts.and_then(|parts| parts.build(transport, method)).map_err(|error| error.in_call(operation))?;
        Ok(EventStream::new(transport.open(request, operation, event_stream::is_one).await?, operation))
    }

    fn with(mut self, change: impl FnOnce(&mut Parts) -> Result<(), XtraError>) -> Self {
        if let Ok(parts) = &mut self.parts
            && let Err(error) = change(parts)
        {
            self.parts = Err(error);
        }
        self
    }
}

impl Parts {
    fn build(self, transport: &Transport, method: Method) -> Result<reqwest::Request, XtraError> {
        let url = format!("{}{}", transport.base_url(), self.path);
        let mut builder = transport.http().request(method.into(), url);
        if !self.query.is_empty() {
            builder = builder.query(&self.query);
        }
        for (name, value) in self.headers {
            builder = builder.header(name, value);
        }
        if let Some(Body(bytes)) = self.body {
            builder = builder.wiped_json(bytes);
        }
        builder.build().map_err(|_| {
            XtraError::new(ErrorKind::Invalid, "nothing was sent: the request cannot be built from these arguments")
        })
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
