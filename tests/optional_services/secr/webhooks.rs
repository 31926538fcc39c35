//! Webhooks, from the bytes to the cache.

use std::time::SystemTime;

use serde_json::json;
use xtrasecurity::clock::Timestamp;
use xtrasecurity::secr::{SecrClient, WebhookVerifier};

use crate::server::Secr;

pub const SECRET: &str = "whsec_0123456789";

/// A notice of now, with its signature.
pub fn notice(event: &str, environment: &str) -> (String, String) {
    notice_at(event, environment, Timestamp::from(SystemTime::now()))
}

pub fn notice_at(event: &str, environment: &str, time: Timestamp) -> (String, String) {
    let body = json!({
        "event": event, "timestamp": time.to_string(), "org": { "id": "o-1" }, "project": { "id": "p-1", "slug": "web" },
        "environment": { "id": "e-1", "slug": environment }, "key": "PORT", "actor": { "id": "u-1", "email": "ann@example.com" },
        "metadata": {},
    });
    let body = body.to_string();
    let signature = signed(&body);
    (body, signature)
}

/// The signature of a body, by another implementation than the one that verifies.
pub fn signed(body: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = ring::hmac::sign(&key, body.as_bytes());
    let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// How many requests a read of each environment needs after a notice.
async fn after(server: &Secr, client: &SecrClient, event: &str, environment: &str) -> [usize; 2] {
    for environment in ["production", "staging"] {
        client.get_secrets("acme", "web", environment).await.unwrap();
    }
    let (body, signature) = notice(event, environment);
    let notice = WebhookVerifier::new(SECRET).unwrap().verify(body.as_bytes(), &signature).unwrap();
    client.invalidate_by_webhook(&notice);
    let mut counts = [0; 2];
    for (count, environment) in counts.iter_mut().zip(["production", "staging"]) {
        let before = server.requests().len();
        client.get_secrets("acme", "web", environment).await.unwrap();
        *count = server.requests().len() - before;
    }
    counts
}

#[tokio::test]
async fn a_notice_makes_the_next_read_of_its_environment_ask_the_service() {
    let server = Secr::start().await;
    let client = server.client();
    for event in ["secret.created", "secret.updated", "secret.deleted", "secret.bulk_set"] {
        assert_eq!(after(&server, &client, event, "production").await, [1, 0], "{event}");
    }
    // which of the two environments is told is not documented
    assert_eq!(after(&server, &client, "secret.promoted", "production").await, [1, 1]);
    assert_eq!(after(&server, &client, "secret.renamed", "staging").await, [1, 1]);
    assert_eq!(after(&server, &client, "secret.updated", "preview").await, [0, 0]);
}
