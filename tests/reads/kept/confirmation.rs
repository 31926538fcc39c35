//! First answers that look like an error in the place of secrets.

use std::time::Duration;

use xtrasecurity::{ErrorKind, XtraClient, clock::ManualClock};

use crate::kept::server::{Says, Server, json, own};

const BODIES: [&str; 7] = [
    r#"{"error":"***"}"#,
    r#"{"error":"Unauthorized"}"#,
    r#"{"message":"Forbidden"}"#,
    r#"{"Message":"Internal","requestId":"1"}"#,
    r#"{"error":{"code":"1","message":"x"},"status":null}"#,
    r#"{"success":"false","errors":"many","message":""}"#,
    r#"{"statusCode":"503","error":"Service Unavailable","message":"no healthy upstream"}"#,
];

fn client(server: &Server) -> XtraClient {
    server.builder().build().unwrap()
}

#[tokio::test]
async fn a_first_answer_that_looks_like_an_error_is_one_on_every_path_of_reading() {
    for body in BODIES {
        let server = Server::start(Says::Bytes(json(200, body)));
        let kinds = [
            client(&server).get_secrets("production").await.err().map(|error| error.kind()),
            client(&server).get_secrets("production").no_cache().await.err().map(|error| error.kind()),
            client(&server).refresh("production").await.err().map(|error| error.kind()),
            client(&server).preload(["production"]).await.err().map(|error| error.kind()),
            client(&server).inject_secrets("production").await.err().map(|error| error.kind()),
            client(&server).watch("production").next().await.and_then(Result::err).map(|error| error.kind()),
            server.builder().cache(false).build().unwrap().get_secrets("production").await.err().map(|e| e.kind()),
        ];
        assert_eq!(kinds, [Some(ErrorKind::Decode); 7], "{body}");
        let client = client(&server);
        let error = client.get_secrets("production").await.unwrap_err();
        assert!(error.to_string().contains("allow_any_answer()") && !error.is_retryable(), "{error}");
        assert_eq!(client.stats().cached, 0, "{body}");
    }
}

#[tokio::test]
async fn names_of_errors_are_secrets_when_the_service_s_header_or_its_form_with_versions_says_so() {
    let body = r#"{"message":"hello","status":"up"}"#;
    let server = Server::start(Says::Bytes(own(body)));
    assert_eq!(client(&server).get_secrets("production").await.unwrap().len(), 2);
    assert_eq!(server.requests(), 1, "no second request");
    let versions = r#"{"message":{"value":"hello","version":"1"},"status":{"value":"up","version":"3"}}"#;
    let server = Server::start(Says::Forms(json(200, body), json(200, versions)));
    let client = client(&server);
    assert_eq!(client.get_secrets("production").await.unwrap().require("message").unwrap().expose(), "hello");
    assert_eq!((server.requests(), client.stats().cached), (2, 1));
}

#[tokio::test]
async fn nothing_else_confirms_it() {
    let body = r#"{"message":"hello","status":"up"}"#;
    for versions in [
        json(200, body),
        json(200, "{}"),
        json(200, r#"{"message":{"value":"hello","version":"1"}}"#),
        json(200, r#"{"message":{"value":"hello"},"status":{"value":"up"}}"#),
        json(503, r#"{"error":"Service Unavailable"}"#),
        json(400, ""),
    ] {
        let server = Server::start(Says::Forms(json(200, body), versions));
        assert_eq!(client(&server).get_secrets("production").await.unwrap_err().kind(), ErrorKind::Decode);
    }
}

#[tokio::test]
async fn a_form_with_versions_that_hangs_does_not_confirm_it_and_ends_with_the_call() {
    let server = Server::start(Says::FlatOnly(json(200, r#"{"message":"hello"}"#)));
    let client = server.builder().call_timeout(Duration::from_millis(300)).build().unwrap();
    let error = client.get_secrets("production").await.unwrap_err();
    assert_eq!((error.kind(), server.requests()), (ErrorKind::Decode, 2));
}

#[tokio::test]
async fn who_accepts_any_answer_has_it_and_it_is_not_stored() {
    let server = Server::start(Says::Bytes(json(200, r#"{"message":"hello"}"#)));
    let client = client(&server);
    for _ in 0..2 {
        let secrets = client.get_secrets("production").allow_any_answer().await.unwrap();
        assert_eq!(secrets.require("message").unwrap().expose(), "hello");
        client.get_secrets("production").no_cache().allow_any_answer().await.unwrap();
    }
    assert_eq!(client.stats().cached, 0);
    assert!(client.get_secrets("production").await.is_err());
}

#[tokio::test]
async fn with_a_snapshot_it_is_held_back_even_if_that_has_such_names_itself() {
    for first in [r#"{"API_KEY":"first"}"#, r#"{"error":"first","message":"first"}"#] {
        let (server, clock) = (Server::start(Says::Bytes(own(first))), ManualClock::new());
        let client = server.builder().clock(clock.clock()).build().unwrap();
        let before = client.get_secrets("production").await.unwrap();
        server.says(Says::Bytes(json(200, r#"{"error":"Service Unavailable"}"#)));
        clock.advance(std::time::Duration::from_secs(120));
        for request in [client.get_secrets("production"), client.get_secrets("production").allow_any_answer()] {
            let secrets = request.await.unwrap();
            assert_eq!(secrets.iter().collect::<Vec<_>>(), before.iter().collect::<Vec<_>>());
        }
        assert_eq!(client.refresh("production").await.unwrap_err().kind(), ErrorKind::Decode);
        assert!(client.get_secrets("production").no_cache().await.is_err());
        server.says(Says::Bytes(own(r#"{"error":"second","API_KEY":"second"}"#)));
        assert!(client.refresh("production").await.is_ok());
    }
}
