//! Each write of the SDKs' documentation, line by line.

use serde_json::json;
use xtrasecurity::ErrorKind;

use crate::server::Secr;

#[tokio::test]
async fn setting_a_secret_sends_its_name_in_the_body_and_gives_its_version() {
    let server = Secr::start().await;
    let client = server.client();
    let result = client.set_secret("acme", "web", "staging", "DB_URL", "postgres://…").await.unwrap();
    assert_eq!((result.key.as_str(), result.version), ("DB_URL", 1));
    assert_eq!(server.body(), json!({ "key": "DB_URL", "value": "postgres://…" }));
    assert_eq!(client.set_secret("acme", "web", "staging", "DB_URL", "other").await.unwrap().version, 2);
    assert_eq!(server.requests(), ["PUT /v1/secrets/acme/web/staging"; 2]);
}

#[tokio::test]
async fn setting_several_at_once_counts_them() {
    let server = Secr::start().await;
    let client = server.client();
    let result = client.bulk_set_secrets("acme", "web", "production", [("A", "1"), ("PORT", "2")]).await.unwrap();
    assert_eq!((result.created, result.updated, result.total), (1, 1, 2));
    assert_eq!(server.body(), json!({ "secrets": [{ "key": "A", "value": "1" }, { "key": "PORT", "value": "2" }] }));
    let error = client.bulk_set_secrets("acme", "web", "production", [("A", "1"), ("A", "2")]).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Invalid, &["A".to_owned()][..]));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn deleting_a_secret_keeps_its_name_one_segment() {
    let server = Secr::start().await;
    server.set("OLD/KEY?", "v");
    let client = server.client();
    let result = client.delete_secret("acme", "web", "production", "OLD/KEY?").await.unwrap();
    assert!(result.deleted && result.key == "OLD/KEY?");
    assert_eq!(server.requests(), ["DELETE /v1/secrets/acme/web/production/OLD%2FKEY%3F"]);
    let error = client.delete_secret("acme", "web", "production", "OLD/KEY?").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("not_found")));
    assert_eq!(client.delete_secret("acme", "web", "production", "..").await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn promoting_copies_all_or_some_and_keeps_what_is_there_unless_told() {
    let server = Secr::start().await;
    let client = server.client();
    client.set_secret("acme", "web", "staging", "PORT", "1").await.unwrap();
    let result = client.promote_secrets("acme", "web", "production", "staging").await.unwrap();
    assert_eq!((result.promoted, result.created, result.updated, result.skipped), (2, 2, 0, 1));
    assert_eq!(server.body(), json!({ "fromEnv": "production", "toEnv": "staging", "overwrite": false }));
    let result =
        client.promote_secrets("acme", "web", "production", "staging").only(["PORT"]).overwrite().await.unwrap();
    assert_eq!((result.promoted, result.updated), (1, 1));
    assert_eq!(
        server.body(),
        json!({ "fromEnv": "production", "toEnv": "staging", "keys": ["PORT"], "overwrite": true })
    );
    let requests = server.requests().len();
    let same = client.promote_secrets("acme", "web", "staging", "staging").await.unwrap_err();
    let none = client.promote_secrets("acme", "web", "production", "staging").only([""; 0]).await.unwrap_err();
    assert_eq!((same.kind(), none.kind()), (ErrorKind::Invalid, ErrorKind::Invalid));
    assert_eq!(server.requests().len(), requests, "nothing was sent");
}

#[tokio::test]
async fn templates_are_added_listed_validated_and_removed() {
    let server = Secr::start().await;
    let client = server.client();
    client.add_template("acme", "web", "DB_HOST").description("where").await.unwrap();
    assert_eq!(server.body(), json!({ "key": "DB_HOST", "description": "where", "required": true }));
    client.add_template("acme", "web", "API_KEY").await.unwrap();
    client.add_template("acme", "web", "HINT").optional().await.unwrap();
    for wraps in [false, true] {
        server.0.set_wrapped_templates(wraps);
        let templates = client.list_templates("acme", "web").await.unwrap();
        let shown: Vec<_> = templates.iter().map(|template| (template.key.as_str(), template.required)).collect();
        assert_eq!(shown, [("API_KEY", true), ("DB_HOST", true), ("HINT", false)]);
        assert!(templates[0].created_at.is_some() && templates[1].description.as_deref() == Some("where"));
    }
    let result = client.validate_template("acme", "web", "production").await.unwrap();
    assert!(!result.valid);
    assert_eq!(
        (result.missing, result.extra),
        (vec!["API_KEY".to_owned()], vec!["DB_PASSWORD".to_owned(), "PORT".to_owned()])
    );
    client.remove_template("acme", "web", "API_KEY").await.unwrap();
    assert!(client.validate_template("acme", "web", "production").await.unwrap().valid);
    assert_eq!(client.remove_template("acme", "web", "API_KEY").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_write_is_seen_by_the_next_read_whatever_its_answer_is() {
    let server = Secr::start().await;
    let client = server.client();
    let port = async || client.get_secrets("acme", "web", "production").await.unwrap().require("PORT").unwrap().clone();
    assert_eq!(port().await.expose(), "8080");
    client.set_secret("acme", "web", "production", "PORT", "8081").await.unwrap();
    assert_eq!(port().await.expose(), "8081");
    server.set("PORT", "8082");
    server.answer(200, "{}");
    let error = client.set_secret("acme", "web", "production", "PORT", "8082").await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Decode, true));
    assert!(error.to_string().contains("Assumed, and not documented: "), "{error}");
    assert_eq!(port().await.expose(), "8082");
    client.promote_secrets("acme", "web", "staging", "production").await.unwrap();
    let before = server.requests().len();
    port().await;
    assert_eq!(server.requests().len(), before + 1);
}

#[tokio::test]
async fn an_answer_about_another_secret_or_with_a_negative_number_is_no_success() {
    let server = Secr::start().await;
    let client = server.client();
    for body in [r#"{"key":"OTHER","version":1}"#, r#"{"key":"A","version":-1}"#] {
        server.answer(200, body);
        let error = client.set_secret("acme", "web", "staging", "A", "1").await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Decode, true), "{body}");
    }
}

#[tokio::test]
async fn a_write_is_not_sent_again_when_it_may_have_arrived() {
    let server = Secr::start().await;
    let client = server.client();
    for status in [500, 502, 503, 504] {
        server.answer(status, "{}");
        let error = client.set_secret("acme", "web", "staging", "A", "1").await.unwrap_err();
        assert!(error.may_have_been_applied(), "{status}");
    }
    assert_eq!(server.requests().len(), 4);
}
