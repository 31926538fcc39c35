//! XtraSecurity, which answers what it is told to, of any length.

use std::sync::Arc;
use std::time::Duration;

use xtrasecurity::{XtraClient, XtraClientBuilder};

use crate::answering;

/// The project of every row.
pub const PROJECT: &str = "665f1c2ab7c0de0012345678";

/// A client of a service that answers each request, its first line and its body, by `answer`: with a status and a body.
pub fn client_of(answer: impl Fn(&str, &[u8]) -> (u16, Arc<String>) + Send + Sync + 'static) -> XtraClient {
    builder_of(answer).build().expect("a client")
}

pub fn builder_of(answer: impl Fn(&str, &[u8]) -> (u16, Arc<String>) + Send + Sync + 'static) -> XtraClientBuilder {
    let minutes = Duration::from_secs(300);
    XtraClient::builder()
        .token("xs_linear")
        .project_id(PROJECT)
        .api_url(format!("{}/api", answering::start(answer)))
        .call_timeout(minutes)
        .max_retries(0)
        .requests_per_minute(1_000_000)
}
