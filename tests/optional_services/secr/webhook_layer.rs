//! Webhooks that a layer of tower verifies, in a program of axum.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Extension, Router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xtrasecurity::clock::Timestamp;
use xtrasecurity::secr::{Webhook, WebhookEvent, WebhookLayer, WebhookVerifier};

use crate::server::Secr;
use crate::webhooks::{SECRET, notice, notice_at, signed};

/// What the handler has got: each notice, with the body.
type Got = Arc<Mutex<Vec<(Webhook, Bytes)>>>;

async fn receive(State(got): State<Got>, Extension(notice): Extension<Webhook>, body: Bytes) -> &'static str {
    got.lock().unwrap().push((notice, body));
    "done"
}

async fn serve(layer: WebhookLayer) -> (SocketAddr, Got) {
    let got = Got::default();
    let app = Router::new().route("/hooks/secr", post(receive)).with_state(Arc::clone(&got)).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, got)
}

fn layer() -> WebhookLayer {
    WebhookLayer::new(WebhookVerifier::new(SECRET).unwrap())
}

/// The status of what is answered to these bytes, and its body.
async fn send(address: SocketAddr, headers: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST /hooks/secr HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // a refusal may come before all of it is sent
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned())
}

async fn post_signed(address: SocketAddr, body: &str, signature: &str) -> (u16, String) {
    let headers = format!("X-Secr-Signature: {signature}\r\nContent-Length: {}\r\n", body.len());
    send(address, &headers, body.as_bytes()).await
}

#[tokio::test]
async fn a_verified_notice_reaches_the_handler_with_the_very_bytes_that_came() {
    let (address, got) = serve(layer()).await;
    let (body, signature) = notice("secret.updated", "production");
    // spaces are part of what is signed
    let body = format!(" {body}\n");
    assert_eq!(post_signed(address, &body, &signature).await.0, 401, "signed without them");
    assert_eq!(post_signed(address, &body, &signed(&body)).await, (200, "done".to_owned()));
    let got = got.lock().unwrap();
    let [(notice, bytes)] = got.as_slice() else { panic!("{} notices", got.len()) };
    assert_eq!((&notice.event, notice.environment.slug.as_str()), (&WebhookEvent::Updated, "production"));
    assert_eq!(bytes, body.as_bytes());
}

#[tokio::test]
async fn what_does_not_verify_is_refused_without_the_handler_and_without_a_word() {
    let (address, got) = serve(layer()).await;
    let (body, signature) = notice("secret.updated", "production");
    let length = format!("Content-Length: {}\r\n", body.len());
    let old = notice_at("secret.updated", "production", Timestamp::from(SystemTime::now() - Duration::from_secs(301)));
    let ahead =
        notice_at("secret.updated", "production", Timestamp::from(SystemTime::now() + Duration::from_secs(330)));
    let refusals = [
        send(address, &length, body.as_bytes()).await,
        post_signed(address, &body.replace("PORT", "HOST"), &signature).await,
        post_signed(address, &body, &signature.replace("sha256=", "sha1=")).await,
        post_signed(address, &body, "sha256=00").await,
        post_signed(address, &old.0, &old.1).await,
        post_signed(address, &ahead.0, &ahead.1).await,
    ];
    for refusal in refusals {
        assert_eq!(refusal, (401, String::new()));
    }
    assert_eq!(post_signed(address, "{}", &signed("{}")).await, (400, String::new()), "signed, and no notice");
    assert!(got.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_that_is_larger_than_any_notice_is_not_read() {
    let (address, got) = serve(layer()).await;
    let announced = "X-Secr-Signature: sha256=00\r\nContent-Length: 9000000000\r\n";
    assert_eq!(send(address, announced, b"{").await.0, 413, "before it comes");
    // in chunks that never end: an answer can only come before the end
    let chunked = "X-Secr-Signature: sha256=00\r\nTransfer-Encoding: chunked\r\n";
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000)).repeat(5);
    let endless = send(address, chunked, chunk.as_bytes());
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), endless).await.unwrap().0, 413);
    assert!(got.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_notice_makes_the_next_read_of_a_client_ask_the_service() {
    let server = Secr::start().await;
    let client = server.client();
    let (address, _) = serve(layer().invalidate(&client)).await;
    let port = async || client.get_secrets("acme", "web", "production").await.unwrap().require("PORT").unwrap().clone();
    assert_eq!(port().await.expose(), "8080");
    server.set("PORT", "8081");
    assert_eq!(port().await.expose(), "8080", "from the cache");
    let (body, signature) = notice("secret.updated", "production");
    assert_eq!(post_signed(address, &body, &format!("sha256={}", "00".repeat(32))).await.0, 401);
    assert_eq!(port().await.expose(), "8080", "nobody is believed who does not sign");
    assert_eq!(post_signed(address, &body, &signature).await.0, 200);
    assert_eq!(port().await.expose(), "8081");
}

#[test]
fn the_layer_shows_no_secret() {
    let layer = layer();
    let shown = format!("{layer:?} {:?}", tower_layer::Layer::layer(&layer, ()));
    assert!(!shown.contains(SECRET) && shown.contains("tolerance"), "{shown}");
}
