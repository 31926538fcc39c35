//! Leases.

use std::time::Duration;

use serde_json::json;
use xtrasecurity::ErrorKind;

use crate::server::{SyVault, UID};

#[tokio::test]
async fn a_lease_is_made_listed_and_revoked() {
    let server = SyVault::start().await;
    let client = server.client();
    let lease = client.create_lease(UID).ttl(Duration::from_secs(900)).await.unwrap();
    assert_eq!(server.body(), json!({ "record_uid": UID, "ttl_seconds": 900 }));
    let address = url::Url::parse(lease.connection_string.expose()).unwrap();
    let password = percent_encoding::percent_decode_str(address.password().unwrap()).decode_utf8().unwrap();
    assert_eq!((address.username(), &*password), (lease.username.expose(), lease.password.expose()));
    let left = lease.expires_at.since_unix_epoch().saturating_sub(std::time::UNIX_EPOCH.elapsed().unwrap());
    assert!((895..=900).contains(&left.as_secs()), "{left:?}");
    assert!(!format!("{lease:?}").contains(&*password), "{lease:?}");
    let listed = client.list_leases().await.unwrap();
    assert_eq!((listed[0].id.as_str(), listed[0].record_uid.as_deref()), (lease.id.as_str(), Some(UID)));
    client.revoke_lease(&lease.id).await.unwrap();
    assert!(client.list_leases().await.unwrap().is_empty());
    assert_eq!(client.revoke_lease(&lease.id).await.unwrap_err().kind(), ErrorKind::NotFound);
    client.create_lease(UID).ttl(Duration::from_secs(900)).await.unwrap();
    server.0.advance(Duration::from_secs(120));
    assert_eq!(client.list_leases().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_life_of_a_lease_is_a_second_to_a_day() {
    let server = SyVault::start().await;
    let client = server.client();
    for seconds in [0.0, 0.5, 86_401.0, 1e9] {
        let lease = client.create_lease(UID).ttl(Duration::from_secs_f64(seconds));
        assert_eq!(lease.await.unwrap_err().kind(), ErrorKind::Invalid, "{seconds}");
    }
    assert!(server.requests().is_empty());
    client.create_lease(UID).ttl(Duration::from_secs(86_400)).await.unwrap();
    client.create_lease(UID).await.unwrap();
    assert_eq!(server.body()["ttl_seconds"], 3600);
}

#[tokio::test]
async fn a_lease_is_never_asked_for_twice_and_another_answer_is_told_by_what_was_documented() {
    let server = SyVault::start().await;
    let client = server.client();
    server.answer(503, "{}");
    assert!(client.create_lease(UID).await.unwrap_err().may_have_been_applied());
    assert_eq!(server.requests().len(), 1);
    let whole = json!({ "lease_id": "l", "username": "u", "password": "s3cret!", "connection_string": "c", "expires_at": "2026-01-02T03:04:05Z" });
    for (member, value) in
        [("password", json!(null)), ("expires_at", json!("soon")), ("lease_id", json!(5)), ("username", json!([]))]
    {
        let mut body = whole.clone();
        body[member] = value;
        server.answer(201, body);
        let error = client.create_lease(UID).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Decode, true), "{member}");
        assert!(error.to_string().contains("Documented: ") && !error.to_string().contains("s3cret"), "{error}");
    }
}
