//! A service that this crate does not know, on its transport: written by hand, with a root rule, header names and errors of its
//! own.

mod service;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use service::{Reply, Service};
use xtrasecurity::http::{
    Advice, Authorization, ErrorAnswer, ErrorBody, ErrorMembers, Method, Outgoing, Protocol, QuotaFormat, RefusalForms,
    ResetForm, Transport, TransportBuilder,
};
use xtrasecurity::{
    ErrorKind, XtraError,
    credentials::{CredentialProvider, StaticToken, Token, TokenFuture},
    source::Identity,
};

/// A made-up secrets manager.
struct Burrow;

impl Protocol for Burrow {
    fn base_url_suffix(&self) -> &'static str {
        "/burrow"
    }

    fn authorization(&self, token: &Token) -> Authorization {
        Authorization::header("x-burrow-key", token.expose())
    }

    fn quota(&self) -> Option<QuotaFormat> {
        Some(QuotaFormat {
            limit: "burrow-limit",
            remaining: "burrow-left",
            reset: "burrow-reset",
            reset_form: ResetForm::SecondsFromNow,
        })
    }

    fn quota_scope(&self, request: &Outgoing<'_>) -> String {
        request.path().split('/').nth(2).unwrap_or_default().to_owned()
    }

    fn error_members(&self) -> ErrorMembers {
        ErrorMembers::new().message("why").code("sort").retry_after("pause")
    }

    fn refusals(&self) -> RefusalForms {
        RefusalForms::new().sentences(&[&["no such hole {hole}"]]).codes(&["collapsed"])
    }

    fn is_own_refusal(&self, _: &str, _: u16, body: &ErrorBody<'_>) -> bool {
        body.is_object() && body.message().is_some()
    }

    fn explain(&self, answer: &ErrorAnswer<'_>) -> Option<Advice> {
        (answer.status == 410)
            .then(|| Advice::new("the hole has collapsed", xtrasecurity::error::Hint::advice("Dig another")))
    }
}

/// Its client: three operations.
struct Client(Transport);

impl Client {
    async fn read(&self, burrow: &str) -> Result<Vec<String>, XtraError> {
        self.0.call("holes_read", Method::Get).path(["b", burrow, "holes"]).query("order", "a&b").send().await?.json()
    }

    async fn dig(&self, hole: &str) -> Result<(), XtraError> {
        let body = serde_json::json!({ "hole": hole, "value": "canary-value" });
        self.0.call("holes_dig", Method::Post).path(["b", "mine", "holes"]).json(&body).send().await.map(drop)
    }

    async fn fill(&self, hole: &str) -> Result<(), XtraError> {
        self.0.call("holes_fill", Method::Delete).path(["b", "mine", "holes", hole]).send().await.map(drop)
    }
}

/// Gives `canary-key-0`, and after a refusal `canary-key-1`.
#[derive(Default)]
struct Renewing(AtomicU32);

impl CredentialProvider for Renewing {
    fn identity(&self) -> Identity {
        Identity::of("renewing")
    }

    fn token(&self) -> TokenFuture<'_> {
        Box::pin(async { Token::new(format!("canary-key-{}", self.0.load(Ordering::SeqCst))) })
    }

    fn invalidate(&self, _: &Token) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst) < 9
    }
}

fn builder() -> TransportBuilder {
    let quick = Duration::from_millis(1);
    Transport::builder(Burrow).credentials(Arc::new(Renewing::default())).backoff(quick, quick)
}

fn client(service: &Service) -> Client {
    Client(builder().build(&service.root()).expect("a transport"))
}

fn shows_nothing(error: &XtraError) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn a_call_is_sent_as_the_service_s_protocol_says_and_its_answer_decoded() {
    let service = Service::start(vec![Reply::json(200, r#"["a","b"]"#)]).await;
    let holes = client(&service).read("deep/er ü").await.expect("an answer");
    assert_eq!(holes, ["a", "b"]);
    let request = service.requests().remove(0);
    assert!(request.starts_with("GET /burrow/b/deep%2Fer%20%C3%BC/holes?order=a%26b HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nx-burrow-key: canary-key-0\r\n") && !request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn reads_are_repeated_and_writes_are_not_and_a_refused_token_is_renewed_once() {
    let refusal = || Reply::json(401, r#"{"why":"no such key"}"#);
    let service =
        Service::start(vec![Reply::json(503, ""), refusal(), Reply::json(200, "[]"), Reply::json(503, "")]).await;
    let client = client(&service);
    client.read("mine").await.expect("the third answers");
    let error = client.dig("one").await.expect_err("a write is sent once");
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Server, true));
    shows_nothing(&error);
    let requests = service.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests[2].contains("x-burrow-key: canary-key-1\r\n"));
    assert!(requests[3].ends_with(r#"{"hole":"one","value":"canary-value"}"#), "{}", requests[3]);
    assert_eq!((client.0.counters().requests, client.0.counters().retries), (4, 2));
}

#[tokio::test]
async fn a_write_without_an_answer_body_succeeds_and_a_path_cannot_be_left() {
    let service = Service::start(vec![Reply::json(204, "")]).await;
    let client = client(&service);
    client.fill("one").await.expect("nothing to say");
    for hole in ["", ".", ".."] {
        let error = client.fill(hole).await.expect_err("no segment");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("a segment of the path must not be"), "{error}");
    }
    assert_eq!(service.requests().len(), 1);
}

#[tokio::test]
async fn refusals_are_told_by_the_protocol_and_show_documented_forms_only() {
    let service = Service::start(vec![
        Reply::json(404, r#"{"why":"no such hole canary","sort":"canary"}"#),
        Reply::json(410, r#"{"why":"canary","sort":"collapsed"}"#),
        Reply::json(403, "<html>canary"),
        Reply::json(200, r#"{"canary":1}"#),
    ])
    .await;
    let client = client(&service);
    let error = client.dig("one").await.expect_err("refused");
    shows_nothing(&error);
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, None));
    assert!(error.to_string().contains(r#"the service says "no such hole one""#), "{error}");
    let error = client.read("mine").await.expect_err("refused");
    shows_nothing(&error);
    assert_eq!(error.code(), Some("collapsed"));
    assert!(
        error.to_string().contains("the hole has collapsed (status 410") && error.to_string().contains("Dig another")
    );
    let error = client.read("mine").await.expect_err("refused");
    assert!(error.is_foreign_refusal() && error.to_string().contains("ends in /burrow"), "{error}");
    shows_nothing(&error);
    let error = client.read("mine").await.expect_err("another shape");
    assert_eq!(error.kind(), ErrorKind::Decode);
    shows_nothing(&error);
}

#[tokio::test]
async fn quotas_and_waits_are_kept_to() {
    let headers = "burrow-limit: 50\r\nburrow-left: 7\r\nburrow-reset: 600\r\n";
    let service =
        Service::start(vec![Reply::with(200, headers, "[]"), Reply::json(429, r#"{"why":"slowly","pause":600}"#)])
            .await;
    let client = client(&service);
    client.read("mine").await.expect("an answer");
    let quota = client.0.quota("mine").expect("told");
    assert_eq!((quota.limit, quota.remaining, client.0.quota_left()), (50, 7, Some(7)));
    for _ in 0..3 {
        let error = client.read("mine").await.expect_err("too often");
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(600))));
    }
    assert_eq!((service.requests().len(), client.0.counters().withheld), (2, 2));
}

#[test]
fn what_cannot_be_used_is_an_error_by_name() {
    let refused = |builder: TransportBuilder, root: &str| builder.build(root).expect_err(root);
    let error = refused(builder(), "https://burrow.example/");
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("end in /burrow"), "{error}");
    let error = refused(builder(), "http://burrow.example/burrow");
    assert!(error.to_string().contains("https://"), "{error}");
    let error = refused(builder().call_timeout(Duration::ZERO), "http://127.0.0.1:1/burrow");
    assert!(error.to_string().contains("call_timeout"), "{error}");
    let error = refused(Transport::builder(Burrow), "http://127.0.0.1:1/burrow");
    assert_eq!(error.kind(), ErrorKind::Credentials);
}

#[test]
fn nothing_prints_a_token_a_root_or_a_body() {
    let token = Arc::new(StaticToken::new("canary-key").expect("a token"));
    let builder = Transport::builder(Burrow).credentials(token);
    let shown = format!("{builder:?}");
    let transport = builder.build("http://127.0.0.1:1/burrow").expect("a transport");
    let request = transport.call("holes_read", Method::Get).path(["canary"]).query("canary", "canary").json("canary");
    let shown = format!("{shown} {transport:?} {request:?}");
    assert!(!shown.contains("canary") && !shown.contains("127.0.0.1"), "{shown}");
}
