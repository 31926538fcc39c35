//! Requests to a service: connections, TLS, DNS, tokens, retries, deadlines and limits.
//!
//! It knows no service: what one service's wire is like is told by a [`Protocol`]. A [`Transport`] to a base URL then gives
//! every call the token, retries with a deadline, the limits of the service kept to before it has to refuse, errors that may
//! be logged, and one renewal of a refused token. Clients that this crate generates run on it, and so can a client written by
//! hand:
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use xtrasecurity::http::{Method, Protocol, Transport};
//! use xtrasecurity::{XtraError, credentials::StaticToken};
//!
//! struct Vaultd;
//!
//! impl Protocol for Vaultd {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), XtraError> {
//! let token = Arc::new(StaticToken::new("a-token")?);
//! let transport = Transport::builder(Vaultd).credentials(token).build("https://vault.example")?;
//! let answer = transport.call("keys_list", Method::Get).path(["teams", "blue", "keys"]).query("page", "1").send().await?;
//! let keys: Vec<String> = answer.json()?;
//! # Ok(())
//! # }
//! ```

mod base_url;
mod body;
mod call;
mod connections;
mod credential_provider;
mod dns;
mod error_body;
// services use it, and there may be none
#[allow(dead_code)]
mod event_stream;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod gate;
mod json;
pub(crate) mod jwt;
mod network_error;
mod options;
mod protocol;
mod quota;
mod rate_limiter;
mod refusal_forms;
mod request;
mod response;
mod retry;
mod retry_after;
mod retry_budget;
mod route;
// what of it is used depends on the services that are compiled in
#[allow(dead_code, unused_imports, clippy::enum_variant_names)]
pub(crate) mod runtime;
mod sent_names;
pub(crate) mod server_error;
mod tls;
pub(crate) mod token;
mod transport;

#[cfg(test)]
mod tests;

pub use credential_provider::{CredentialProvider, TokenFuture};
pub use error_body::ErrorBody;
pub use protocol::{Advice, Authorization, ErrorAnswer, ErrorMembers, Outgoing, Protocol, QuotaFormat, ResetForm};
pub use refusal_forms::RefusalForms;
pub use request::{Method, Request};
pub use response::Response;
pub use runtime::Answer;
pub use token::Token;
pub(crate) use token::is_quoted;
pub use transport::{Counters, Transport, TransportBuilder, WeakTransport};

#[allow(unused_imports, reason = "for services that tell of changes")]
pub(crate) use event_stream::{EventStream, ServerEvent};
#[allow(unused_imports, reason = "for services that have a builder of their own")]
pub(crate) use {base_url::BaseUrl, options::TransportOptions};
