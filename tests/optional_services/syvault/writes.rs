//! Creating and rotating secrets.

use xtrasecurity::ErrorKind;

use crate::server::{FOLDER, SyVault, UID, decrypted};

const FIELDS: [(&str, &str); 2] = [("key", "sk_live_abc123"), ("environment", "production")];

#[tokio::test]
async fn a_secret_is_created_encrypted_and_can_be_read_at_once() {
    let server = SyVault::start().await;
    let client = server.client();
    assert_eq!(client.notation("sy://Production/Stripe/field/key").await.unwrap_err().kind(), ErrorKind::NotFound);
    let created = client.create(FOLDER, "Stripe", FIELDS).await.unwrap();
    let sent = server.body();
    assert!(!sent.to_string().contains("Stripe") && !sent.to_string().contains("sk_live"), "{sent}");
    assert_eq!(
        decrypted(&sent),
        serde_json::json!({ "title": "Stripe", "fields": { "key": "sk_live_abc123", "environment": "production" } })
    );
    assert_eq!(client.get(&created.uid).await.unwrap().require("key").unwrap().expose(), "sk_live_abc123");
    assert_eq!(client.notation("sy://Production/Stripe/field/key").await.unwrap().expose(), "sk_live_abc123");
}

#[tokio::test]
async fn nothing_is_sent_that_could_not_be_encrypted() {
    let server = SyVault::start().await;
    let error = server.bare().build().unwrap().create(FOLDER, "Stripe", FIELDS).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undecryptable);
    let client = server.client();
    assert_eq!(client.create("other-folder", "Stripe", FIELDS).await.unwrap_err().kind(), ErrorKind::Undecryptable);
    for fields in [[("a", "1"), ("a", "2")], [("", "1"), ("b", "2")]] {
        assert_eq!(client.create(FOLDER, "T", fields).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_uid_of_the_services_own_choice_is_no_success() {
    let server = SyVault::start().await;
    for body in [r#"{"uid":"TheirOwnOne1"}"#, "{}", ""] {
        server.answer(201, body);
        let error = server.client().create(FOLDER, "Stripe", FIELDS).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Decode, true), "{body}");
        assert!(error.to_string().contains("Assumed, and not documented: "), "{error}");
    }
}

#[tokio::test]
async fn a_rotation_gives_the_new_fields_and_the_next_read_has_them() {
    let server = SyVault::start().await;
    let client = server.client();
    client.get(UID).await.unwrap();
    let result = client.rotate(UID).await.unwrap();
    assert_eq!(result.status, "completed");
    let password = result.new_fields["password"].expose();
    assert!(password != "s3cret!" && !format!("{result:?}").contains(password));
    let fields = client.get(UID).await.unwrap();
    assert_eq!(fields.require("password").unwrap().expose(), password);
    assert_eq!(fields.require("host").unwrap().expose(), "db.example.com", "which does not rotate");
    assert_eq!(server.requests()[1], "POST /api/sm/v1/secrets/7Kj9mNpQ2xRs/rotate");
}

#[tokio::test]
async fn a_rotation_is_never_sent_twice() {
    let server = SyVault::start().await;
    let client = server.client();
    for status in [429, 500, 502, 503, 504] {
        server.answer(status, "{}");
        let before = server.requests().len();
        let error = client.rotate(UID).await.unwrap_err();
        assert_eq!(server.requests().len(), before + 1, "{status}");
        assert_eq!(error.may_have_been_applied(), status != 429, "{status}");
    }
    server.answer(200, r#"{"status":"pending"}"#);
    let result = client.rotate(UID).await.unwrap();
    assert_eq!((result.status.as_str(), result.new_fields.len()), ("pending", 0));
}

#[tokio::test]
async fn a_client_that_may_only_read_is_told_so() {
    let server = SyVault::start().await;
    let client = server.client();
    server.answer(403, r#"{"error":"forbidden"}"#);
    let error = client.create(FOLDER, "T", FIELDS).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("write access to the folder"), "{error}");
    for (status, kind) in [(409, ErrorKind::Conflict), (422, ErrorKind::Invalid)] {
        server.answer(status, "{}");
        let error = client.rotate(UID).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains("rotation policy"), "{error}");
    }
}
