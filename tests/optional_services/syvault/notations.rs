//! Fields by their notation.

use serde_json::json;
use xtrasecurity::ErrorKind;
use xtrasecurity::syvault::SyVaultFolder;

use crate::server::{FOLDER, SyVault, UID, encrypted};

const PASSWORD: &str = "sy://Production/Database/field/password";

#[tokio::test]
async fn a_notation_gives_the_value_of_its_field() {
    let server = SyVault::start().await;
    let client = server.client();
    assert_eq!(client.notation(PASSWORD).await.unwrap().expose(), "s3cret!");
    assert_eq!(server.requests(), ["GET /api/sm/v1/secrets", "GET /api/sm/v1/secrets/7Kj9mNpQ2xRs"]);
    assert_eq!(client.notation("sy://Production/Database/field/host").await.unwrap().expose(), "db.example.com");
    assert_eq!(server.requests().len(), 2, "titles and values are kept");
}

#[tokio::test]
async fn each_part_that_is_wrong_is_an_error_of_its_own() {
    let server = SyVault::start().await;
    let client = server.client();
    for (notation, kind) in [
        ("op://Production/Database/field/password", ErrorKind::Invalid),
        ("sy://Database/field/password", ErrorKind::Invalid),
        ("sy://Production/Database/file/password", ErrorKind::Invalid),
        ("sy://Production/Database/field/", ErrorKind::Invalid),
        ("sy://Staging/Database/field/password", ErrorKind::Config),
        ("sy://production/Database/field/password", ErrorKind::Config),
        ("sy://Production/Web/Database/field/password", ErrorKind::Config),
        ("sy://Production/database/field/password", ErrorKind::NotFound),
        ("sy://Production/Databas/field/password", ErrorKind::NotFound),
        ("sy://Production/Database/field/Password", ErrorKind::MissingSecret),
    ] {
        let error = client.notation(notation).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{notation}: {error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn two_secrets_of_one_title_are_both_named_and_none_is_chosen() {
    let server = SyVault::start().await;
    server.put("AnotherOne12", "Database", &[("password", "oth3r!")]);
    let error = server.client().notation(PASSWORD).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &[UID.to_owned(), "AnotherOne12".to_owned()][..]));
    for uid in [UID, "AnotherOne12"] {
        assert!(error.to_string().contains(uid), "{error}");
    }
}

#[tokio::test]
async fn folders_of_other_names_do_not_count_and_nested_ones_do() {
    let server = SyVault::start().await;
    let mut nested = json!({ "uid": "NestedOne012", "folder_id": "f-nested", "title": "Database", "fields": { "password": "n3st!" } });
    server.put_record("NestedOne012", nested.clone());
    nested["uid"] = json!("NowhereOne12");
    nested["folder_id"] = json!(null);
    server.put_record("NowhereOne12", nested);
    let builder = server.builder().folder(SyVaultFolder::new("f-nested").path(["Production", "a/b"]));
    let client = builder.build().unwrap();
    assert_eq!(client.notation(PASSWORD).await.unwrap().expose(), "s3cret!");
    assert_eq!(client.notation("sy://Production/a%2Fb/Database/field/password").await.unwrap().expose(), "n3st!");
}

#[tokio::test]
async fn titles_that_cannot_be_read_are_named_when_the_title_is_not_among_the_others() {
    let server = SyVault::start().await;
    let mut hidden = encrypted("HiddenOne012", r#"{"title":"Hidden","fields":{"a":"b"}}"#);
    hidden["folder_id"] = json!("f-hidden");
    server.put_record("HiddenOne012", hidden);
    let client = server.client();
    assert_eq!(client.notation(PASSWORD).await.unwrap().expose(), "s3cret!");
    let error = client.notation("sy://Production/Hidden/field/a").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Undecryptable, &["HiddenOne012".to_owned()][..]));
    let bare = server.bare().folder(SyVaultFolder::new(FOLDER).path(["Production"])).build().unwrap();
    assert_eq!(bare.notation(PASSWORD).await.unwrap_err().kind(), ErrorKind::Undecryptable);
}
