//! The tokens that the client signs.

use std::time::{Duration, SystemTime};

use xtrasecurity::clock::ManualClock;
use xtrasecurity::syvault::SyVaultClient;
use xtrasecurity::{EngineOptions, ErrorKind};

use crate::server::{CLIENT, SECRET, SyVault, UID, claims};

#[tokio::test]
async fn a_request_carries_a_token_that_the_service_can_verify() {
    let server = SyVault::start().await;
    server.client().get(UID).await.unwrap();
    let claims = claims(&server.tokens()[0]).expect("signed by the client's key");
    assert_eq!((claims["sub"].as_str(), claims["aud"].as_str()), (Some(CLIENT), Some(server.url().as_str())));
    assert!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap() <= 3600);
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_server_is_not_signed() {
    let server = SyVault::start().await;
    let client = server.builder().server(format!("{}/", server.url())).build().unwrap();
    assert!(client.get(UID).await.is_ok());
}

#[tokio::test]
async fn a_token_is_used_for_several_requests_and_signed_anew_before_its_end() {
    let server = SyVault::start().await;
    let clock = ManualClock::new();
    let client = server.client_with(EngineOptions::default().clock(clock.clock()));
    for _ in 0..3 {
        client.list().await.unwrap();
    }
    clock.advance(Duration::from_secs(250));
    // the service's clock has not moved: the token is dated in its future there
    assert_eq!(client.list().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    let tokens = server.tokens();
    assert!(tokens[0] == tokens[1] && tokens[1] == tokens[2] && tokens[2] != tokens[3]);
    let [first, last] = [&tokens[0], &tokens[3]].map(|token| claims(token).unwrap()["exp"].as_u64().unwrap());
    assert!((250..=252).contains(&(last - first)), "{first} {last}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_by_how_much() {
    let server = SyVault::start().await;
    let client = server.client();
    for (ahead, side) in [(7200, "7200 s behind"), (-86_400, "86400 s ahead of")] {
        let now = SystemTime::now();
        let apart = Duration::from_secs(i64::unsigned_abs(ahead));
        let date = if ahead > 0 { now + apart } else { now - apart };
        server.answer_with(401, r#"{"error":"s3cret!"}"#, "date", &httpdate::fmt_http_date(date));
        let error = client.list().await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)));
        let shown = error.to_string();
        // a second may pass in between
        let near = [side.to_owned(), side.replace("7200", "7199").replace("86400", "86401")];
        assert!(near.iter().any(|side| shown.contains(side)) && shown.contains("Set the clock"), "{error}");
        assert!(!shown.contains("s3cret"), "{error}");
    }
    server.answer(401, "{}");
    let error = client.list().await.unwrap_err();
    assert!(!error.to_string().contains("clock"), "{error}");
}

#[tokio::test]
async fn a_client_of_another_key_or_id_is_refused_and_shows_neither() {
    let server = SyVault::start().await;
    let other_key = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    let clients = [
        server.builder().client_secret(other_key),
        server.builder().client_id("canary-id"),
        // signed as it is written, and not as the server is called
        server.builder().server(server.url().replace("127.0.0.1", "LOCALHOST")),
    ];
    for builder in clients {
        let client: SyVaultClient = builder.build().unwrap();
        let error = client.get(UID).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        let shown = format!("{error} {error:?} {client:?}");
        assert!(!shown.contains("canary") && !shown.contains(SECRET) && !shown.contains(other_key), "{shown}");
    }
}
