//! Quota and refusal of an answer that is given in parts, for [`crate::fuzzing`] and for tests.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[cfg(test)]
use reqwest::header::{HeaderName, HeaderValue};
use tokio::time::Instant;
#[cfg(test)]
use zeroize::Zeroizing;

use super::quota::{QuotaHeaders, QuotaNames, Quotas};
use super::sent_names::Sent;
#[cfg(test)]
use super::server_error::from_response;
use super::{Protocol, Response};
use crate::core::Quota;
#[cfg(test)]
use crate::core::XtraError;

/// What is known of a quota after this answer alone, at a time by this machine's clock.
pub(crate) fn quota(response: &Response, protocol: &dyn Protocol, clock: Duration) -> Option<Quota> {
    let (mut quotas, now) = (Quotas::default(), Instant::now());
    let headers =
        QuotaHeaders::read(response.headers(), &QuotaNames::new(protocol.quota()?)?, SystemTime::UNIX_EPOCH + clock);
    quotas.answered("scope", "operation", headers, [now, now]);
    quotas.of("scope", now)
}

/// The answer to a request with this body, judged as one that came through a transport.
pub(crate) fn received(response: Response, operation: &str, protocol: &Arc<dyn Protocol>, sent: &[u8]) -> Response {
    response.judged(operation, protocol, Sent { url: None, body: sent })
}

/// The error of a call that read, and was refused so.
#[cfg(test)]
pub(crate) fn refused(
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
    operation: &'static str,
    protocol: impl Protocol,
    sent: &str,
) -> XtraError {
    let header =
        |(name, value): &(&str, &str)| Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?));
    let headers = headers.iter().filter_map(header).collect();
    let response = Response::new(status, headers, Zeroizing::new(body.as_bytes().to_vec()));
    let protocol: Arc<dyn Protocol> = Arc::new(protocol);
    from_response(&received(response, operation, &protocol, sent.as_bytes()), operation)
}
