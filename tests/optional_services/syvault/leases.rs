//! Leases.

use std::time::Duration;

use serde_json::json;
use xtrasecurity::ErrorKind;
use xtrasecurity::clock::Timestamp;

use crate::server::{SyVault, UID};

#[tokio::test]
async fn a_lease_is_made_listed_and_revoked() {
    let server = SyVault::start().await;
    let client = server.client();
    let lease = client.create_lease(UID).ttl(Duration::from_secs(900)).await.unwrap();
    assert_eq!(server.body(), json!({ "record_uid": UID, "ttl_seconds": 900 }));
    assert_eq!((lease.username.expose(), lease.password.expose()), ("v-app-1", "p%1"));
    assert_eq!(lease.connection_string.expose(), "postgres://v-app-1:p%251@db/app");
    assert_eq!(Some(lease.expires_at), Timestamp::parse("2026-01-02T03:04:05Z"));
    assert!(!format!("{lease:?}").contains("p%"), "{lease:?}");
    let listed = client.list_leases().await.unwrap();
    assert_eq!((listed[0].id.as_str(), listed[0].record_uid.as_deref()), (lease.id.as_str(), Some(UID)));
    client.revoke_lease(&lease.id).await.unwrap();
    assert!(client.list_leases().await.unwrap().is_empty());
    assert_eq!(client.revoke_lease(&lease.id).await.unwrap_err().kind(), ErrorKind::NotFound);
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
