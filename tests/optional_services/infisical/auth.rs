//! Logins and tokens.

use std::time::Duration;

use futures_util::future::join_all;
use xtrasecurity::clock::ManualClock;
use xtrasecurity::infisical::InfisicalClient;
use xtrasecurity::{ErrorKind, XtraError};

use crate::server::{Model, Reply, Server};

fn client(server: &Server, clock: &ManualClock) -> InfisicalClient {
    server.builder().universal_auth("client-id", "client-secret").clock(clock.clock()).build().unwrap()
}

/// So many reads at the same time, each of which asks the server.
async fn fetched_at_once(client: &InfisicalClient, reads: usize) -> Vec<Result<usize, XtraError>> {
    let reads = (0..reads).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.get_secrets("dev").no_cache().await.map(|secrets| secrets.len()) })
    });
    join_all(reads).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_first_reads_at_once_are_one_login_and_one_read() {
    let model = Model::new(true);
    let server = model.start().await;
    let client = client(&server, &ManualClock::new());
    let reads = (0..1000).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.get_secrets("dev").await.map(|secrets| secrets.len()) })
    });
    for read in join_all(reads).await {
        assert_eq!(read.unwrap().unwrap(), 3);
    }
    assert_eq!((server.logins(), server.count("/api/v4/secrets"), server.seen().len()), (1, 1, 2));
    assert_eq!(client.stats().requests, 2, "the login is counted too");
}

#[tokio::test]
async fn a_login_carries_the_credentials_and_no_token_and_a_read_the_token() {
    let server = Model::new(true).start().await;
    client(&server, &ManualClock::new()).get_secrets("dev").await.unwrap();
    let [login, read] = &server.seen()[..] else { panic!("two requests") };
    assert_eq!(login.headers.get("authorization"), None);
    assert_eq!(login.body, serde_json::json!({ "clientId": "client-id", "clientSecret": "client-secret" }));
    assert_eq!(read.token(), Some("token-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_under_load_costs_one_login_and_no_read() {
    let model = Model::new(true);
    model.lock().expires_in = 100;
    let server = model.start().await;
    let clock = ManualClock::new();
    let client = client(&server, &clock);
    client.get_secrets("dev").await.unwrap();
    clock.advance(Duration::from_secs(90));
    // what has ended by then is not accepted any more
    model.lock().tokens.clear();
    assert!(fetched_at_once(&client, 100).await.into_iter().all(|read| read.unwrap() == 3));
    assert_eq!(server.logins(), 2, "renewed before its end, by the time that was granted");
    let refused = server.seen().iter().filter(|seen| seen.token() == Some("token-1")).count();
    assert_eq!(refused, 1, "none was sent with the token that had ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_under_load_costs_one_login_and_no_read() {
    for refusal in [
        Reply::refusal(401, "UnauthorizedError", "No identity access token found"),
        Reply::refusal(403, "TokenError", "Your token has expired. Please re-authenticate."),
        Reply::refusal(403, "UnauthorizedError", "You are not allowed to access this resource"),
        Reply::refusal(500, "Internal Server Error", "jwt expired"),
    ] {
        let model = Model::new(true);
        let server = {
            let model = model.clone();
            let inner = Model::new(true);
            Server::start(move |seen| {
                let is_refused =
                    !seen.is_login() && !seen.token().is_some_and(|token| model.lock().tokens.contains(token));
                if is_refused { refusal.clone() } else { answer(&inner, &model, seen) }
            })
            .await
        };
        let client = client(&server, &ManualClock::new());
        client.get_secrets("dev").await.unwrap();
        model.lock().tokens.clear();
        assert!(fetched_at_once(&client, 50).await.into_iter().all(|read| read.unwrap() == 3));
        assert_eq!(server.logins(), 2);
    }
}

/// The model's answer, whose tokens are another's to revoke.
fn answer(inner: &Model, tokens: &Model, seen: &crate::server::Seen) -> Reply {
    let reply = inner.answer_now(seen);
    tokens.lock().tokens.extend(inner.lock().tokens.iter().filter(|_| seen.is_login()).cloned());
    reply
}

#[tokio::test]
async fn a_revoked_identity_is_told_to_every_read_within_the_time_to_live_and_its_login_is_not_repeated() {
    let model = Model::new(true);
    let server = model.start().await;
    let clock = ManualClock::new();
    let client = client(&server, &clock);
    client.get_secrets("dev").await.unwrap();
    {
        let mut model = model.lock();
        model.tokens.clear();
        model.secret = "another".to_owned();
    }
    clock.advance(Duration::from_secs(60));
    // an aged snapshot may be served once, while its refresh runs
    let _ = client.get_secrets("dev").await;
    let _ = client.refresh("dev").await;
    for _ in 0..10 {
        let error = client.get_secrets("dev").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    }
    assert_eq!(server.logins(), 2, "one that succeeded, and one that was refused");
}

#[tokio::test]
async fn a_refused_login_is_not_tried_again_for_a_minute() {
    let model = Model::new(true);
    model.lock().secret = "another".to_owned();
    let server = model.start().await;
    let clock = ManualClock::new();
    let client = client(&server, &clock);
    for _ in 0..5 {
        let error = client.get_secrets("dev").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert!(error.to_string().contains("refuses the credentials") && !error.to_string().contains("client-secret"));
    }
    assert_eq!((server.logins(), server.seen().len()), (1, 1));
    clock.advance(Duration::from_secs(60));
    model.lock().secret = "client-secret".to_owned();
    assert_eq!(client.get_secrets("dev").await.unwrap().len(), 3);
    assert_eq!(server.logins(), 2);
}

#[tokio::test]
async fn a_login_that_the_server_fails_is_an_outage_and_no_write() {
    let model = Model::new(true);
    model.lock().expires_in = 50;
    let server = model.start().await;
    let clock = ManualClock::new();
    let client = client(&server, &clock);
    client.get_secrets("dev").await.unwrap();
    clock.advance(Duration::from_secs(125));
    model.lock().faults.push(Reply::new(503, ""));
    let error = client.refresh("dev").await.unwrap_err();
    assert!(error.is_retryable() && !error.may_have_been_applied(), "{error}");
    assert!(error.notes().eq(["This was the login, which comes before the call"]), "{error}");
    assert_eq!(client.get_secrets("dev").await.unwrap().len(), 3, "what is kept stands in");
    assert_eq!(server.logins(), 2, "a login is not repeated by itself");
}

#[tokio::test]
async fn a_login_that_the_server_fails_says_nothing_of_the_folder_that_was_to_be_read() {
    let model = Model::new(true);
    let server = model.start().await;
    let client = client(&server, &ManualClock::new());
    model.lock().faults.push(Reply::new(500, ""));
    let error = client.get_secrets("dev").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert!(error.to_string().contains("This was the login") && !error.to_string().contains("folder"), "{error}");
}

#[tokio::test]
async fn what_is_no_matter_of_the_token_leads_to_no_login() {
    let issue = serde_json::json!([{ "code": "invalid_enum_value", "path": ["recursive"], "received": "1" }]);
    for (refusal, kind) in [
        (Reply::refusal(401, "PermissionDenied", "You are not allowed to read on secrets"), ErrorKind::Forbidden),
        (Reply::refusal(403, "PermissionDenied", "You are not allowed to read on secrets"), ErrorKind::Forbidden),
        (Reply::refusal(401, "ValidationFailure", issue.clone()), ErrorKind::Invalid),
        (Reply::refusal(403, "ValidationFailure", issue.clone()), ErrorKind::Invalid),
        (Reply::refusal(422, "ValidationFailure", issue), ErrorKind::Invalid),
        (Reply::new(401, "<html>who are you?</html>"), ErrorKind::Unauthorized),
    ] {
        let model = Model::new(true);
        let server = model.start().await;
        let client = client(&server, &ManualClock::new());
        client.get_secrets("dev").await.unwrap();
        model.lock().faults.push(refusal);
        let error = client.get_secrets("dev").no_cache().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!((server.logins(), server.seen().len()), (1, 3), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_every_token_is_not_asked_for_one_at_each_read() {
    let model = Model::new(true);
    let server = {
        let model = model.clone();
        Server::start(move |seen| match seen.is_login() {
            true => model.answer_now(seen),
            false => Reply::refusal(401, "UnauthorizedError", "No identity access token found"),
        })
        .await
    };
    let client = client(&server, &ManualClock::new());
    for _ in 0..10 {
        assert_eq!(client.get_secrets("dev").await.unwrap_err().kind(), ErrorKind::Unauthorized);
    }
    assert_eq!(server.logins(), 2);
}

#[tokio::test]
async fn a_token_of_the_program_is_sent_as_it_is_and_its_refusal_is_the_error() {
    let model = Model::new(true);
    let server = model.start().await;
    let client = server.client();
    assert_eq!(client.get_secrets("dev").await.unwrap().len(), 3);
    model.lock().tokens.clear();
    let error = client.get_secrets("dev").no_cache().await.unwrap_err();
    assert_eq!((error.kind(), server.logins()), (ErrorKind::Unauthorized, 0));
}

#[tokio::test]
async fn an_address_that_is_not_trusted_is_told_as_such() {
    let model = Model::new(true);
    let server = model.start().await;
    let client = client(&server, &ManualClock::new());
    let message = "You are not allowed to access this resource from the current IP address";
    model.lock().faults.push(Reply::refusal(403, "ForbiddenError", message));
    let error = client.get_secrets("dev").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!(error.reason(), Some(&xtrasecurity::error::Reason::AddressNotAllowed));
}
