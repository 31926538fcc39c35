//! The transport against sockets that answer by script.

mod answers;
mod events;
mod hops;
mod process;
mod properties;
mod refusals;
mod repeating;
mod server;
mod silence;
mod streams;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::Method;

use super::options::RetryOptions;
use super::protocol::Plain;
use super::retry_budget::RetryBudget;
use super::{BaseUrl, Protocol, Response, Transport, TransportOptions};
use crate::core::{Identity, XtraError};
use crate::http::{CredentialProvider, Token, TokenFuture};

/// Gives `token-0`, and after each refusal the next of `renewals` further tokens.
struct Numbered {
    current: AtomicU32,
    renewals: u32,
}

impl Numbered {
    fn with_renewals(renewals: u32) -> Arc<Self> {
        Arc::new(Self { current: AtomicU32::new(0), renewals })
    }
}

impl CredentialProvider for Numbered {
    fn identity(&self) -> Identity {
        Identity::of("numbered")
    }

    fn token(&self) -> TokenFuture<'_> {
        let number = self.current.load(Ordering::SeqCst);
        Box::pin(async move { Token::new(format!("token-{number}")) })
    }

    fn invalidate(&self, refused: &Token) -> bool {
        assert_eq!(refused.expose(), format!("token-{}", self.current.load(Ordering::SeqCst)));
        let renew = self.current.load(Ordering::SeqCst) < self.renewals;
        if renew {
            self.current.fetch_add(1, Ordering::SeqCst);
        }
        renew
    }
}

/// The defaults with waits too short to notice, and a budget of retries that no other test spends.
fn quick() -> TransportOptions {
    TransportOptions {
        retry_budget: Box::leak(Box::new(RetryBudget::new())),
        retry: RetryOptions { max_retries: 3, base: Duration::from_millis(1), max_backoff: Duration::from_millis(5) },
        ..TransportOptions::default()
    }
}

fn transport_to(root: &str, options: TransportOptions) -> Transport {
    transport_with(root, Numbered::with_renewals(0), options)
}

fn transport_with(root: &str, credentials: Arc<dyn CredentialProvider>, options: TransportOptions) -> Transport {
    transport_by(Plain, root, credentials, options)
}

fn transport_by(
    protocol: impl Protocol,
    root: &str,
    credentials: Arc<dyn CredentialProvider>,
    options: TransportOptions,
) -> Transport {
    let base = BaseUrl::parse(root, "/api", true).expect("a good root");
    Transport::new(&base, Arc::new(protocol), credentials, options).expect("good options")
}

/// Sends what the generated client would.
async fn send(transport: &Transport, method: Method) -> Result<Response, XtraError> {
    let url = format!("{}/canary-path?q=canary-query", transport.base_url());
    let mut request = transport.http().request(method.clone(), url);
    if method != Method::GET {
        request = request.body("canary-request-body");
    }
    transport.run(request.build().expect("a good request"), "things_do").await
}

/// Sends, expects no answer, and holds every text of the error against what may not be in it.
async fn fails(transport: &Transport, method: Method) -> XtraError {
    let error = send(transport, method).await.expect_err("no answer");
    holds_no_data(&error);
    error
}

fn holds_no_data(error: &XtraError) {
    let mut texts = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        texts.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    for forbidden in ["canary", "token-", "https://127", "http://127", "http://local", "https://local"] {
        assert!(!texts.contains(forbidden), "{forbidden} in: {texts}");
    }
}

#[test]
fn a_transport_and_its_calls_can_be_sent_between_threads() {
    fn holds<T: Send>(_: &T) {}
    fn shared<T: Send + Sync>() {}
    shared::<Transport>();
    shared::<Response>();
    let transport = transport_to("http://127.0.0.1:1/api", quick());
    let request = transport.http().get("http://127.0.0.1:1/api/x").build().expect("a good request");
    holds(&transport.run(request, "things_do"));
}

#[test]
fn debug_shows_no_root_and_no_token() {
    let shown = format!("{:?}", transport_to("https://canary.example/api", quick()));
    assert_eq!(shown, "Transport { https: true, .. }");
}
