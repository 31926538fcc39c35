//! Writes that the service carries out in part, or elsewhere: they happen to who sends the wrong thing, and the client cannot
//! be brought to send it.

use xtrasecurity::dev_server::{DevServer, RateLimits, route};
use xtrasecurity::xtra::raw::{SecretInput, types};
use xtrasecurity::{ErrorKind, SecretValue, XtraClient};

use crate::support::{Answer, Call};

const BRANCH: &str = "feature/new-ui";

async fn server() -> DevServer {
    DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap()
}

fn client(server: &DevServer) -> XtraClient {
    XtraClient::builder().dev_server(server).build().unwrap()
}

/// Sends a body past every client.
async fn post(server: &DevServer, body: &str) -> Answer {
    let target = format!("/api/projects/{}/envs/staging/secrets", server.project_id());
    Call::new("POST", target).token(server.token()).json(body).send(server.port()).await.unwrap()
}

fn stored(server: &DevServer, branch: &str, key: &str) -> Option<String> {
    server.secret("demo", "staging", branch, key)
}

#[tokio::test]
async fn the_service_keeps_what_stood_before_a_value_that_is_no_text_and_the_client_has_no_way_to_say_one() {
    let server = server().await;
    // the request of `upsert-value-partial`
    let answer = post(&server, r#"{"secrets":{"PARTIAL_OK":"x","PARTIAL_BAD":5,"PARTIAL_NEVER":"y"}}"#).await;
    assert_eq!(answer.status, 500);
    let kept = ["PARTIAL_OK", "PARTIAL_BAD", "PARTIAL_NEVER"].map(|key| stored(&server, "main", key));
    assert_eq!(kept, [Some("x".to_owned()), None, None]);

    // Values are text in both clients: what is told apart here is a text that looks like something else.
    assert!(serde_json::from_str::<types::SecretsUpsert>(r#"{"secrets":{"PARTIAL_BAD":5}}"#).is_err());
    let values = [("NUMBER", "5"), ("NULL", "null"), ("OBJECT", r#"{"a":1}"#), ("BOOL", "true"), ("LIST", "[]")];
    let report = client(&server).set_secrets("staging", values).verify().await.unwrap();
    assert_eq!(report.created.len(), values.len());
    for (key, value) in values {
        assert_eq!(stored(&server, "main", key).as_deref(), Some(value));
    }
}

#[tokio::test]
async fn one_secret_that_cannot_be_written_keeps_the_client_from_sending_any() {
    let server = server().await;
    let client = client(&server);
    let before_and_after = |key: &'static str, value: &'static str| [("PARTIAL_OK", "x"), (key, value), ("Z", "y")];
    for (key, value) in [("branch", "x"), ("", "x"), ("__proto__", "x"), ("MASK", "***"), ("PARTIAL_OK", "twice")] {
        let request = client.set_secrets("staging", before_and_after(key, value)).allow_any_name();
        let error = request.await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Invalid, false), "{key:?}");
        assert_eq!(error.names(), [key]);
    }
    assert_eq!((server.total_requests(), stored(&server, "main", "PARTIAL_OK")), (0, None));
}

#[tokio::test]
async fn the_service_takes_the_conditions_of_a_bare_body_for_a_secret_and_the_client_wraps_its_own() {
    let server = server().await;
    server.set_secret("demo", "staging", "main", "BARE_KEY", "bare").unwrap();
    // the request of `upsert-bare-with-expected`: the condition holds, the secret is written, and then the condition is, too
    let answer = post(&server, r#"{"BARE_KEY":"bare2","expectedVersions":{"BARE_KEY":"1"}}"#).await;
    assert_eq!((answer.status, stored(&server, "main", "BARE_KEY").as_deref()), (500, Some("bare2")));

    let client = client(&server);
    client.set_secret("staging", "BARE_KEY", "bare3").expect_version(2).await.unwrap();
    let error = client.set_secret("staging", "BARE_KEY", "bare4").expect_version(2).await.unwrap_err();
    assert_eq!((error.kind(), stored(&server, "main", "BARE_KEY").as_deref()), (ErrorKind::Conflict, Some("bare3")));
    for sent in server.requests(route::SECRETS_UPSERT).iter().skip(1) {
        assert!(!sent.target().contains('?'), "nothing is said in the query");
    }
    // the words of the protocol are names like others
    client.set_secrets("staging", [("expectedVersions", "v"), ("secrets", "s")]).verify().await.unwrap();
    assert_eq!(stored(&server, "main", "expectedVersions").as_deref(), Some("v"));
    assert_eq!(stored(&server, "main", "secrets").as_deref(), Some("s"));
}

#[tokio::test]
async fn a_secret_called_branch_sends_the_others_to_another_branch_with_the_raw_client_only() {
    let server = server().await;
    let client = client(&server);
    let secrets = [("ELSEWHERE", "x"), ("branch", BRANCH)];
    let raw = secrets.map(|(key, value)| (key.to_owned(), SecretInput::from(&SecretValue::from(value))));
    let request = client.raw().secrets_upsert().project_id(server.project_id()).env("staging");
    let answer = request.body_map(|body| body.branch("main".to_owned()).secrets(raw)).send().await.unwrap();
    assert_eq!(answer.count, Some(1), "as if everything were in order");
    assert_eq!(
        (stored(&server, "main", "ELSEWHERE"), stored(&server, BRANCH, "ELSEWHERE").as_deref()),
        (None, Some("x"))
    );

    let sent = server.total_requests();
    for request in
        [client.set_secrets("staging", secrets), client.set_secrets("staging", secrets).allow_any_name().exact()]
    {
        assert_eq!(request.await.unwrap_err().names(), ["branch"]);
    }
    let single = client.set_secret("staging", "branch", BRANCH).allow_any_name().await;
    let created = client.create_secret("staging", "branch", BRANCH).allow_any_name().await;
    for error in [single.unwrap_err(), created.unwrap_err()] {
        assert_eq!((error.kind(), error.names()), (ErrorKind::Invalid, &["branch".to_owned()][..]));
    }
    assert_eq!(server.total_requests(), sent);
}
