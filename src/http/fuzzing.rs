//! Quota and refusal of an answer that is given in parts, for [`crate::fuzzing`] and for tests.

use std::time::{Duration, SystemTime};

#[cfg(test)]
use reqwest::header::{HeaderName, HeaderValue};
use tokio::time::Instant;
#[cfg(test)]
use zeroize::Zeroizing;

use super::asked::Asked;
use super::budget::{Budgets, Told};
#[cfg(test)]
use super::server_error::from_response;
use super::{RefusalForms, Response};
use crate::core::Budget;
#[cfg(test)]
use crate::core::XtraError;

/// What is known of a project's budget after this answer alone, at a time by this machine's clock.
pub(crate) fn budget(response: &Response, clock: Duration) -> Option<Budget> {
    let (mut budgets, now) = (Budgets::default(), Instant::now());
    let told = Told::by(response.headers(), SystemTime::UNIX_EPOCH + clock);
    budgets.answered("project", "secrets_read", told, [now, now]);
    budgets.of("project", now)
}

/// The answer to a request with this body, taken apart as one that came through a transport with these options.
pub(crate) fn received(response: Response, operation: &str, refusals: &RefusalForms, sent: &[u8]) -> Response {
    response.with_words(operation, refusals, Asked { url: None, body: sent })
}

/// The error of a call that read, and was refused so.
#[cfg(test)]
pub(crate) fn refused(
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
    operation: &str,
    refusals: &RefusalForms,
    sent: &str,
) -> XtraError {
    let header =
        |(name, value): &(&str, &str)| Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?));
    let headers = headers.iter().filter_map(header).collect();
    let response = Response::new(status, headers, Zeroizing::new(body.as_bytes().to_vec()));
    from_response(&received(response, operation, refusals, sent.as_bytes()), operation)
}
