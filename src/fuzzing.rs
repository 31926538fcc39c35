//! The exchanges that fuzz targets make up, and what a program sees of them. A service's own module takes them through its
//! rooms. Compiled for fuzz targets and for tests alone.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::core::{Quota, SecretValue, Unreadable, XtraError};
use crate::http::Response;

/// A call and what came back.
pub struct Exchange<'a> {
    /// Which operation was called: any number will do.
    pub operation: u8,
    /// The HTTP status.
    pub status: u16,
    /// The headers. Those that HTTP does not allow are left out.
    pub headers: Vec<(&'a [u8], &'a [u8])>,
    /// The body as it arrived.
    pub body: &'a [u8],
    /// The token that the call carried.
    pub token: &'a str,
    /// The body that the call carried.
    pub sent: &'a [u8],
}

impl Exchange<'_> {
    /// The answer as it came from the network.
    pub(crate) fn response(&self) -> Response {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
                headers.append(name, value);
            }
        }
        Response::new(self.status, headers, Zeroizing::new(self.body.to_vec()))
    }
}

/// What a program gets to see of an exchange.
#[derive(Default)]
pub struct Seen {
    /// What `Display` prints of the errors, and the texts that they hold.
    pub errors: Vec<String>,
    /// What the service said, for who asks for it: all else is without a trace of the answer.
    pub said: Option<String>,
    /// What `Debug` prints of the errors and of the answer.
    pub debugged: Vec<String>,
    /// What `Debug` and serde print of a successful read of secrets.
    pub printed: Vec<String>,
    /// The names, versions and origins of the secrets read, which are no secrets.
    pub names: Vec<String>,
    /// The secrets read.
    pub values: Vec<SecretValue>,
    /// Those whose values did not come through.
    pub unreadable: Vec<Unreadable>,
    /// The wait that the answer asks for.
    pub wait: Option<Duration>,
    /// What its headers tell of the quota.
    pub quota: Option<Quota>,
}

impl Seen {
    /// Keeps what a program can print of the error of a call.
    pub(crate) fn failed(&mut self, error: &XtraError) {
        self.debugged.push(format!("{error:?}"));
        self.errors.push(error.to_string());
        self.errors.extend(error.code().map(str::to_owned));
        self.said = error.server_message().map(str::to_owned);
    }
}
