//! Each read of the SDKs' documentation, line by line, and records that do not open.

use std::sync::Arc;

use serde_json::json;
use xtrasecurity::ErrorKind;
use xtrasecurity::syvault::{SyVaultFolder, SyVaultScope};

use crate::server::{FOLDER, SyVault, UID, encrypted};

#[tokio::test]
async fn the_list_has_uids_and_titles() {
    let server = SyVault::start().await;
    server.put_record("PlainOne0001", json!({ "uid": "PlainOne0001", "title": "Plain", "fields": { "a": "b" } }));
    let mut other = encrypted("OtherFolder1", r#"{"title":"Hidden","fields":{}}"#);
    other["folder_id"] = json!("folder-of-others");
    server.put_record("OtherFolder1", other);
    let listed = server.client().list().await.unwrap();
    let shown: Vec<_> = listed.iter().map(|secret| (secret.uid.as_str(), secret.title.as_deref())).collect();
    assert_eq!(shown, [(UID, Some("Database")), ("OtherFolder1", None), ("PlainOne0001", Some("Plain"))]);
    assert_eq!(listed[0].folder_id.as_deref(), Some(FOLDER));
    assert!(!format!("{listed:?}").contains("Database"));
    assert_eq!(server.requests(), ["GET /api/sm/v1/secrets"]);
}

#[tokio::test]
async fn a_secret_is_decrypted_read_once_and_then_served_from_memory() {
    let server = SyVault::start().await;
    let client = server.client();
    let secret = client.get(UID).await.unwrap();
    assert_eq!(secret.require("host").unwrap().expose(), "db.example.com");
    assert_eq!(secret.require("password").unwrap().expose(), "s3cret!");
    assert!(Arc::ptr_eq(&secret, &client.get(UID).await.unwrap()));
    assert_eq!(server.requests(), ["GET /api/sm/v1/secrets/7Kj9mNpQ2xRs"]);
    assert_eq!(secret.require("port").unwrap_err().kind(), ErrorKind::MissingSecret);
}

#[tokio::test]
async fn a_secret_that_comes_in_plain_form_is_read_too() {
    let server = SyVault::start().await;
    server.put_record(
        "PlainOne0001",
        json!({ "uid": "PlainOne0001", "title": "Plain", "fields": { "a": "b", "c": null } }),
    );
    let client = server.bare().build().unwrap();
    let error = client.get("PlainOne0001").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Undecryptable, &["c".to_owned()][..]));
    let rest = client.get("PlainOne0001").allow_unreadable().await.unwrap();
    assert_eq!(rest.names().collect::<Vec<_>>(), ["a"]);
}

#[tokio::test]
async fn a_record_that_needs_a_folder_key_nobody_gave_is_undecryptable_with_the_reason() {
    let server = SyVault::start().await;
    for builder in [server.bare(), server.bare().folder(SyVaultFolder::new(FOLDER).path(["Production"]))] {
        let error = builder.build().unwrap().get(UID).await.unwrap_err();
        assert_eq!((error.kind(), error.names()), (ErrorKind::Undecryptable, &[UID.to_owned()][..]));
        for part in [UID, FOLDER, "not published", "Nothing of it is returned"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}

#[tokio::test]
async fn a_wrong_key_or_another_records_ciphertext_never_gives_plaintext() {
    let server = SyVault::start().await;
    server.put("OtherOne0001", "Other", &[("password", "oth3r!")]);
    let wrong = SyVaultFolder::new(FOLDER).key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let client = server.bare().folder(wrong).build().unwrap();
    let error = client.get(UID).allow_unreadable().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undecryptable);
    let mut swapped = encrypted("OtherOne0001", r#"{"title":"Other","fields":{"password":"oth3r!"}}"#);
    swapped["uid"] = json!(UID);
    server.put_record(UID, swapped);
    let error = server.client().get(UID).allow_unreadable().await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Undecryptable, &[UID.to_owned()][..]));
    assert!(!format!("{error:?}").contains("oth3r"), "{error}");
}

#[tokio::test]
async fn an_answer_of_another_shape_says_which_assumption_it_breaks() {
    let server = SyVault::start().await;
    let client = server.client();
    for body in [
        "{}".to_owned(),
        "[]".to_owned(),
        json!({ "uid": "AnotherOne12", "fields": { "password": "s3cret!" } }).to_string(),
        json!({ "uid": UID }).to_string(),
        json!({ "uid": UID, "encrypted_data": "AAAA" }).to_string(),
        json!({ "uid": UID, "fields": ["s3cret!"] }).to_string(),
        json!({ "uid": UID, "fields": { "password": { "v": "s3cret!" } } }).to_string(),
        json!({ "data": { "uid": UID, "fields": { "password": "s3cret!" } } }).to_string(),
        encrypted(UID, r#"{"title":"T","secret":"s3cret!"}"#).to_string(),
        encrypted(UID, "s3cret!").to_string(),
        "<html>s3cret!</html>".to_owned(),
    ] {
        server.answer(200, &body);
        let error = client.get(UID).no_cache().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert!(error.to_string().contains("Assumed, and not documented: "), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
    for body in [r#"[]"#, r#"{"secrets":[]}"#, r#"{"data":[{}]}"#, r#"{"data":[{"uid":"a"},{"uid":"a"}]}"#] {
        server.answer(200, body);
        let error = client.list().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert!(error.to_string().contains("list of secrets as `data`"), "{error}");
    }
}

#[tokio::test]
async fn a_uid_stays_one_segment_of_the_path() {
    let server = SyVault::start().await;
    let client = server.client();
    assert_eq!(client.get("a/b?c").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(server.requests(), ["GET /api/sm/v1/secrets/a%2Fb%3Fc"]);
    for uid in ["", ".", "..", " x", "x\n"] {
        assert_eq!(client.get(uid).await.unwrap_err().kind(), ErrorKind::Invalid, "{uid:?}");
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_secret_is_read_by_its_folder_and_title_and_anew_after_a_rotation() {
    let server = SyVault::start().await;
    let client = server.client();
    let read = || client.read(SyVaultScope::titled(FOLDER, "Database"));
    assert_eq!(read().await.unwrap().require("password").unwrap().expose(), "s3cret!");
    let asked = server.requests().len();
    read().await.unwrap();
    assert_eq!(server.requests().len(), asked, "it is cached");
    let rotated = client.rotate(UID).await.unwrap();
    let password = rotated.new_fields["password"].expose();
    assert_eq!(read().await.unwrap().require("password").unwrap().expose(), password);

    for (folder, title) in [(FOLDER, "database"), ("other", "Database")] {
        let error = client.read(SyVaultScope::titled(folder, title)).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, None));
    }
    for (folder, title) in [("", "Database"), ("..", "Database"), (FOLDER, "")] {
        let error = client.read(SyVaultScope::titled(folder, title)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn a_title_that_may_be_among_those_that_do_not_open_is_no_secret_that_is_not_there() {
    let server = SyVault::start().await;
    let mut record = encrypted("closed", r#"{"title":"Closed","fields":{}}"#);
    record["encrypted_key"] = "AAAA".into();
    server.put_record("closed", record);
    let error = server.client().read(SyVaultScope::titled(FOLDER, "Closed")).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Undecryptable, &["closed".to_owned()][..]));
}
