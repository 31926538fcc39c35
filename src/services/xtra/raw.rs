//! The generated client: one method for each documented operation.
//!
//! ```no_run
//! # async fn show(client: xtrasecurity::XtraClient) -> Result<(), xtrasecurity::XtraError> {
//! let project = client.raw().projects_get().id("665f1c2ab4d3e8f901234567").send().await?;
//! println!("{:?}", project.name);
//! # Ok(())
//! # }
//! ```
//!
//! A method returns a request to fill in; `send` sends it with the client's token, retries and limits. Answers and errors may
//! be logged: secrets in them print as `[REDACTED]`. Writing an answer out with serde redacts them too, but a *request* type
//! writes its secrets, because that is how they are sent.

#![allow(
    missing_docs,
    unreachable_pub,
    unreachable_patterns,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    rustdoc::all
)]

use std::fmt;

pub use crate::services::xtra::wire::{FreeForm, SecretEntry, SecretInput, StoredValue, WireSecret};
pub use crate::transport::Response;
pub use crate::transport::runtime::{Answer, InvalidPayload, PayloadProblem};

use super::refusals::REFUSALS;
use crate::error::XtraError;
use crate::transport::{Transport, runtime};

include!(concat!(env!("OUT_DIR"), "/xtra.rs"));

impl ClientHooks<Transport> for Client {
    fn exec(
        &self,
        request: reqwest::Request,
        info: &OperationInfo,
    ) -> impl Future<Output = Result<Answer, XtraError>> + Send {
        runtime::send(&self.inner, request, info.operation_id)
    }
}

/// What a service says when it refuses may hold anything that the request carried. The members can be read; printed are only the
/// names of those that are there, and what is documented.
impl fmt::Debug for types::ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |list: &[&'static str], word: &Option<String>| {
            let known = list.iter().copied().find(|known| word.as_deref() == Some(known));
            known.unwrap_or(if word.is_some() { NOT_SHOWN } else { "none" })
        };
        f.debug_struct("ApiError")
            .field("error", &self.error.as_ref().map(|_| NOT_SHOWN))
            .field("message", &self.message.as_ref().map(|_| NOT_SHOWN))
            .field("code", &listed(REFUSALS.codes, &self.code))
            .field("action", &listed(REFUSALS.actions, &self.action))
            .field("conflicts", &self.conflicts.as_ref().map(Vec::len))
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

/// As of [`ApiError`](types::ApiError), of which it is a part.
impl fmt::Debug for types::Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conflict").field("key", &self.key.as_ref().map(|_| NOT_SHOWN)).finish_non_exhaustive()
    }
}

const NOT_SHOWN: &str = "[not shown]";

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
