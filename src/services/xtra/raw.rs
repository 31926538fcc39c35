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

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
