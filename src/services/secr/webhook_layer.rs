//! The middleware that verifies webhooks, for servers made of tower's services.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::webhook::{MOST_BYTES, SIGNATURE, Webhook, WebhookVerifier};
use super::{Secr, SecrClient};
use crate::core::ErrorKind;
use crate::engine::Client;

/// A layer that lets verified webhooks of secr through to a service of tower, with the [`Webhook`] among the request's extensions.
///
/// What does not verify is answered without the service, and without a body:
///
/// | status | |
/// |---|---|
/// | 401 | there is no `X-Secr-Signature`, it is not that of the body, or the notice is too old or from the future ([`WebhookVerifier::tolerance`]) |
/// | 413 | the body is larger than 256 KiB; no more than that is read |
/// | 400 | the body cannot be read, or is signed and no notice as the service documents them |
///
/// The signature is compared in constant time, over the very bytes that came; the service gets the same bytes, in a body of the type
/// that they came in, which must be made from `Bytes`, as axum's is. How long a body may take to come is the server's to bound.
///
/// ```
/// use axum::{Extension, Router, routing::post};
/// use xtrasecurity::secr::{SecrClient, Webhook, WebhookLayer, WebhookVerifier};
///
/// async fn changed(Extension(notice): Extension<Webhook>) {
///     println!("{:?} in {}", notice.event, notice.environment.slug);
/// }
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let client = SecrClient::builder().token("secr_tok_0123456789").build()?;
/// let layer = WebhookLayer::new(WebhookVerifier::new("whsec_0123456789")?).invalidate(&client);
/// let app: Router = Router::new().route("/hooks/secr", post(changed)).layer(layer);
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WebhookLayer(Arc<Verifying>);

/// What every service of a layer shares.
#[derive(Clone)]
struct Verifying {
    verifier: Arc<WebhookVerifier>,
    clients: Vec<SecrClient>,
}

impl WebhookLayer {
    /// Lets through what `verifier` verifies.
    #[must_use]
    pub fn new(verifier: WebhookVerifier) -> Self {
        Self(Arc::new(Verifying { verifier: Arc::new(verifier), clients: Vec::new() }))
    }

    /// Drops what the cache of a client holds of what a notice is about, before the service is called; see
    /// [`invalidate_by_webhook`](Client::invalidate_by_webhook). May be called more than once.
    #[must_use]
    pub fn invalidate<M>(mut self, client: &Client<Secr, M>) -> Self {
        Arc::make_mut(&mut self.0).clients.push(client.in_mode());
        self
    }
}

impl fmt::Debug for WebhookLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookLayer").field("verifier", &self.0.verifier).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for WebhookLayer {
    type Service = WebhookService<S>;

    fn layer(&self, inner: S) -> WebhookService<S> {
        WebhookService { inner, verifying: Arc::clone(&self.0) }
    }
}

/// A service behind a [`WebhookLayer`].
#[derive(Clone)]
pub struct WebhookService<S> {
    inner: S,
    verifying: Arc<Verifying>,
}

impl<S> fmt::Debug for WebhookService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookService").field("verifier", &self.verifying.verifier).finish_non_exhaustive()
    }
}

impl<S, B, R> Service<http::Request<B>> for WebhookService<S>
where
    S: Service<http::Request<B>, Response = http::Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + From<Bytes> + Send + 'static,
    B::Data: Send,
    R: Default + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        // the one that is ready is called, and not its clone
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let verifying = Arc::clone(&self.verifying);
        Box::pin(async move {
            match verifying.verified(request).await {
                Ok(request) => inner.call(request).await,
                Err(status) => {
                    let mut refusal = http::Response::new(R::default());
                    *refusal.status_mut() = status;
                    Ok(refusal)
                }
            }
        })
    }
}

impl Verifying {
    /// The request with its body read and the notice among its extensions, or the status that it is refused with.
    async fn verified<B: Body + From<Bytes>>(
        &self,
        request: http::Request<B>,
    ) -> Result<http::Request<B>, http::StatusCode> {
        let (mut head, body) = request.into_parts();
        let signature = head.headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
        let signature = signature.ok_or(http::StatusCode::UNAUTHORIZED)?;
        if body.size_hint().lower() > MOST_BYTES as u64 {
            return Err(http::StatusCode::PAYLOAD_TOO_LARGE);
        }
        let body = read(body).await?;
        let notice = self.verifier.verify(&body, signature).map_err(|error| status(error.kind()))?;
        self.tell(&notice);
        head.extensions.insert(notice);
        Ok(http::Request::from_parts(head, body.into()))
    }

    fn tell(&self, notice: &Webhook) {
        for client in &self.clients {
            client.invalidate_by_webhook(notice);
        }
    }
}

/// The body, of which no more is read than a notice can have.
async fn read<B: Body>(body: B) -> Result<Bytes, http::StatusCode> {
    let mut body = std::pin::pin!(body);
    let mut whole = Vec::new();
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(frame) = frame else { return Err(http::StatusCode::BAD_REQUEST) };
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.remaining() > MOST_BYTES {
            return Err(http::StatusCode::PAYLOAD_TOO_LARGE);
        }
        whole.put(data);
    }
    Ok(whole.into())
}

fn status(kind: ErrorKind) -> http::StatusCode {
    match kind {
        ErrorKind::Unauthorized => http::StatusCode::UNAUTHORIZED,
        ErrorKind::TooLarge => http::StatusCode::PAYLOAD_TOO_LARGE,
        _ => http::StatusCode::BAD_REQUEST,
    }
}
