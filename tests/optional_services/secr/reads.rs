//! Each read of the SDKs' documentation, line by line.

use std::sync::Arc;

use xtrasecurity::ErrorKind;
use xtrasecurity::clock::Timestamp;

use crate::server::Secr;

#[tokio::test]
async fn pulling_gives_every_secret_with_its_version_and_time() {
    let server = Secr::start().await;
    let result = server.client().pull_secrets("acme", "web", "production").await.unwrap();
    let keys: Vec<&str> = result.secrets.iter().map(|secret| secret.key.as_str()).collect();
    assert_eq!(keys, ["DB_HOST", "DB_PASSWORD", "PORT"]);
    let secret = &result.secrets[1];
    assert_eq!((secret.value.expose(), secret.version), ("plum-4711", Some(1)));
    assert!(secret.updated_at.is_some() && result.pagination.is_none());
    assert_eq!(server.requests(), ["GET /v1/secrets/acme/web/production"]);
    server.answer(200, r#"{"secrets":[{"key":"A","value":"1","updatedAt":"2026-01-02T03:04:05Z"}]}"#);
    let result = server.client().pull_secrets("acme", "web", "production").await.unwrap();
    assert_eq!(result.secrets[0].updated_at, Timestamp::parse("2026-01-02T03:04:05Z"));
}

#[tokio::test]
async fn limit_offset_and_search_are_sent_by_these_names_and_the_page_is_told() {
    let server = Secr::start().await;
    let client = server.client();
    let result = client.pull_secrets("acme", "web", "production").limit(1).offset(1).search("db_").await.unwrap();
    assert_eq!(result.secrets.len(), 1);
    assert_eq!(result.secrets[0].key, "DB_PASSWORD");
    let page = result.pagination.unwrap();
    assert_eq!((page.limit, page.offset, page.total), (1, 1, 2));
    assert_eq!(server.requests(), ["GET /v1/secrets/acme/web/production?limit=1&offset=1&search=db_"]);
    let result = client.list_keys("acme", "web", "production").limit(2).await.unwrap();
    assert_eq!((result.keys.len(), result.pagination.unwrap().total), (2, 3));
    assert_eq!(server.requests()[1], "GET /v1/secrets/acme/web/production/keys?limit=2");
}

#[tokio::test]
async fn listing_names_is_sent_no_value() {
    let server = Secr::start().await;
    let result = server.client().list_keys("acme", "web", "production").await.unwrap();
    assert_eq!(result.keys[2].key, "PORT");
    assert_eq!((result.keys[2].version, result.keys[2].updated_at.is_some()), (Some(1), true));
}

#[tokio::test]
async fn an_environment_is_read_once_and_then_served_from_memory() {
    let server = Secr::start().await;
    let client = server.client();
    let first = client.get_secrets("acme", "web", "production").await.unwrap();
    let second = client.get_secrets("acme", "web", "production").await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(first.require("DB_PASSWORD").unwrap().expose(), "plum-4711");
    assert_eq!(server.requests().len(), 1);
    let staging = client.get_secrets("acme", "web", "staging").await.unwrap();
    assert!(staging.is_empty());
}

#[tokio::test]
async fn names_stay_one_segment_of_the_path_each() {
    let server = Secr::start().await;
    let error = server.client().get_secrets("a/b", "w?b", "p#d ü").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(server.requests(), ["GET /v1/secrets/a%2Fb/w%3Fb/p%23d%20%C3%BC"]);
    for (org, project, environment) in
        [("", "web", "dev"), ("acme", "..", "dev"), ("acme", "web", "."), ("acme", "web", "")]
    {
        let client = server.client();
        assert_eq!(client.get_secrets(org, project, environment).await.unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(client.pull_secrets(org, project, environment).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_value_that_did_not_come_through_is_named_and_nothing_is_returned_in_part() {
    let server = Secr::start().await;
    let client = server.client();
    let body = r#"{"secrets":[{"key":"A","value":"plum-4711"},{"key":"B","value":null},{"key":"C"},{"key":"D","value":"[Decryption failed]"}]}"#;
    server.answer(200, body.replace(r#"{"key":"C"},"#, ""));
    let error = client.pull_secrets("acme", "web", "production").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Undecryptable, &["B".to_owned(), "D".to_owned()][..]));
    server.answer(200, r#"{"secrets":[{"key":"A","value":"***"}]}"#);
    let error = client.pull_secrets("acme", "web", "production").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Masked, &["A".to_owned()][..]));
    server.answer(200, body.replace(r#"{"key":"C"},"#, ""));
    let error = client.get_secrets("acme", "web", "production").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Undecryptable, &["B".to_owned(), "D".to_owned()][..]));
    server.answer(200, body.replace(r#"{"key":"C"},"#, ""));
    let rest = client.get_secrets("acme", "web", "production").no_cache().allow_unreadable().await.unwrap();
    assert_eq!(rest.names().collect::<Vec<_>>(), ["A"]);
    assert!(rest.require("B").is_err());
}

#[tokio::test]
async fn an_answer_of_another_shape_says_which_assumption_it_breaks() {
    let server = Secr::start().await;
    let client = server.client();
    for body in [
        "{}",
        "[]",
        "null",
        r#"{"secrets":{"A":"plum-4711"}}"#,
        r#"{"secrets":[{"name":"A","value":"plum-4711"}]}"#,
        r#"{"secrets":[{"key":"A","value":{"plum":4711}}]}"#,
        r#"{"secrets":[],"pagination":{"page":1}}"#,
        r#"{"secrets":[{"key":"A","value":"plum-4711"}]"#,
        "<html>plum-4711</html>",
    ] {
        server.answer(200, body);
        let error = client.pull_secrets("acme", "web", "production").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert!(
            error.to_string().contains("Assumed, and not documented: the answer is an object whose `secrets`"),
            "{error}"
        );
        assert!(!format!("{error} {error:?}").contains("plum"), "{error}");
        server.answer(200, body);
        let error = client.get_secrets("acme", "web", "production").no_cache().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
    }
    server.answer(200, r#"{"secrets":[{"key":"A","value":"1"},{"key":"A","value":"2"}]}"#);
    assert_eq!(client.get_secrets("acme", "web", "production").no_cache().await.unwrap_err().kind(), ErrorKind::Decode);
    server.answer(200, r#"{"keys":["A"]}"#);
    let error = client.list_keys("acme", "web", "production").await.unwrap_err();
    assert!(error.to_string().contains("`keys` is a list of objects"), "{error}");
}

#[tokio::test]
async fn whoami_tells_whose_token_it_is_wherever_the_answer_has_it() {
    let server = Secr::start().await;
    let account = server.client().whoami().await.unwrap();
    assert_eq!((account.id.is_some(), account.email.as_deref()), (true, Some("ann@example.com")));
    server.answer(200, r#"{"id":"u-2","email":null,"role":"viewer"}"#);
    let account = server.client().whoami().await.unwrap();
    assert_eq!((account.id.as_deref(), account.email), (Some("u-2"), None));
    assert_eq!(server.requests()[0], "GET /v1/auth/me");
}

#[tokio::test]
async fn a_refusal_names_the_place_whichever_call_it_answers() {
    let server = Secr::start().await;
    let client = server.client();
    let place = ("acme", "web", "nowhere");
    for (call, error) in [
        ("get_secrets", client.get_secrets(place.0, place.1, place.2).await.unwrap_err()),
        ("pull_secrets", client.pull_secrets(place.0, place.1, place.2).await.unwrap_err()),
        ("list_keys", client.list_keys(place.0, place.1, place.2).await.unwrap_err()),
        ("delete_secret", client.delete_secret(place.0, place.1, place.2, "A").await.unwrap_err()),
    ] {
        assert_eq!(error.call(), Some(&*format!(r#"{call}("acme", "web", "nowhere")"#)), "{error}");
    }
}
