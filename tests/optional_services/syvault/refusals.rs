//! Refusals: their kinds, and what nobody gets to see.

use std::time::Duration;

use xtrasecurity::ErrorKind;
use xtrasecurity::syvault::SyVaultClient;

use crate::server::{SyVault, UID};

fn client(server: &SyVault) -> SyVaultClient {
    server.builder().max_retries(0).build().unwrap()
}

#[tokio::test]
async fn a_secret_that_does_not_exist_is_told_by_its_uid() {
    let server = SyVault::start().await;
    let client = client(&server);
    let error = client.get("nonexistent").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.names()),
        (ErrorKind::NotFound, Some(404), &["nonexistent".to_owned()][..])
    );
    assert!(
        error.to_string().starts_with("get(\"nonexistent\"): the secret \"nonexistent\" does not exist"),
        "{error}"
    );
    let error = client.rotate("nonexistent").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::NotFound, &["nonexistent".to_owned()][..]));
    // what was pasted in the place of a uid is not shown
    let error = client.get("vft_eyJhbGciOiJFUzI1NiJ9.canary").await.unwrap_err();
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[tokio::test]
async fn each_status_has_its_kind_whatever_the_body_is_and_none_of_it_is_shown() {
    let server = SyVault::start().await;
    let client = client(&server);
    for (status, kind) in [
        (400, ErrorKind::Invalid),
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Forbidden),
        (404, ErrorKind::NotFound),
        (409, ErrorKind::Conflict),
        (422, ErrorKind::Invalid),
        (429, ErrorKind::RateLimited),
        (500, ErrorKind::Server),
    ] {
        for body in
            ["", "{}", r#"{"error":"s3cret!"}"#, r#"{"error":{"code":"s3cret!"}}"#, "s3cret!", "<html>s3cret!</html>"]
        {
            server.answer(status, body);
            let error = client.get(UID).no_cache().await.unwrap_err();
            assert_eq!((error.kind(), error.status(), error.code()), (kind, Some(status), None), "{status} {body}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }
    server.answer_with(429, "{}", "retry-after", "90");
    assert_eq!(client.list().await.unwrap_err().retry_after(), Some(Duration::from_secs(90)));
}

#[tokio::test]
async fn credentials_that_cannot_be_used_are_refused_before_anything_is_sent() {
    let server = SyVault::start().await;
    for secret in ["", "hunter2", "AAAA"] {
        let error = server.builder().client_secret(secret).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials, "{secret}");
        assert!(error.to_string().contains("client_secret") && !error.to_string().contains("hunter2"), "{error}");
    }
    assert!(server.requests().is_empty());
}
