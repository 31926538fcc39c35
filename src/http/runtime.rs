//! The runtime of generated clients: building requests, reading answers, and errors that may be logged.
//!
//! The names are those that the generator's output asks for; the build points it here. Requests go through
//! [`Transport::run`], so callers of a raw client have its tokens, retries, deadlines and limits.

// an error has the answer beside it, as the generator's output asks for
#![allow(clippy::result_large_err)]

mod body;
mod error;
mod path;
mod query;
pub(crate) mod record;
mod value;
pub(crate) mod wire;

use std::future::Future;

use reqwest::Request;

pub(crate) use body::{RequestBuilderExt, to_wiped_json};
pub use error::{Error, InvalidPayload, PayloadProblem};
pub(crate) use path::{PathParameter, encode_path, encode_segment};
pub(crate) use query::QueryParam;
pub use value::{Answer, ResponseValue};

use super::Transport;
use crate::core::XtraError;

/// The operation at hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OperationInfo {
    /// Its name in the document, which is also the method's.
    pub(crate) operation_id: &'static str,
}

/// How a generated client sends a request; `Inner` is what it does that with.
pub(crate) trait ClientHooks<Inner> {
    /// What its requests go through.
    fn transport(&self) -> &Transport;

    /// Sends it and reads the answer, of whatever status, to its end.
    fn exec(&self, request: Request, info: &OperationInfo) -> impl Future<Output = Result<Answer, XtraError>> + Send {
        send(self.transport(), request, info.operation_id)
    }
}

/// Sends a request of a generated client through a transport.
pub(crate) async fn send(
    transport: &Transport,
    request: Request,
    operation: &'static str,
) -> Result<Answer, XtraError> {
    transport.run(request, operation).await.map(|response| Answer::new(response, operation))
}
