//! The methods of authentication, and the order in which credentials count.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use xtrasecurity::credentials::{ChainPosition, StaticToken};
use xtrasecurity::infisical::{Auth, IdToken, InfisicalClient};
use xtrasecurity::{ErrorKind, SecretValue};

use crate::server::{PROJECT, Reply, Seen, Server, row};

/// Grants `granted` to every login, and shows one secret to who has it.
fn answer(seen: &Seen) -> Reply {
    if seen.path.ends_with("/login") {
        let granted =
            json!({ "accessToken": "granted", "expiresIn": 7200, "accessTokenMaxTTL": 7200, "tokenType": "Bearer" });
        return Reply::json(&granted);
    }
    match seen.token() {
        Some("granted" | "own") => Reply::json(&json!({ "secrets": [row("PORT", "8080", "/")], "imports": [] })),
        _ => Reply::refusal(401, "UnauthorizedError", "No identity access token found"),
    }
}

/// What a client with this method sends to log in: the route and the body.
async fn login(auth: Auth) -> (String, Value) {
    let server = Server::start(answer).await;
    let client = server.builder().auth(auth).build().unwrap();
    assert_eq!(client.get_secrets("dev").await.unwrap().len(), 1);
    let [login, read] = &server.seen()[..] else { panic!("two requests") };
    assert_eq!((login.headers.get("authorization"), read.token()), (None, Some("granted")));
    (login.path.clone(), login.body.clone())
}

#[tokio::test]
async fn each_method_logs_in_by_its_route_with_what_it_was_given() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    fs::write(&file, "pod.token.x\n").unwrap();
    let jwt = json!({ "identityId": "id-1", "jwt": "a.b.c" });
    for (auth, method, body) in [
        (
            Auth::kubernetes("id-1").token_file(&file),
            "kubernetes",
            json!({ "identityId": "id-1", "jwt": "pod.token.x" }),
        ),
        (Auth::oidc("id-1", IdToken::given("a.b.c")), "oidc", jwt.clone()),
        (Auth::jwt("id-1", IdToken::given("a.b.c")), "jwt", jwt),
        (
            Auth::ldap("id-1", "user", "a password").organization("acme"),
            "ldap",
            json!({ "identityId": "id-1", "username": "user", "password": "a password", "organizationSlug": "acme" }),
        ),
        (Auth::universal("c", "s"), "universal", json!({ "clientId": "c", "clientSecret": "s" })),
    ] {
        assert_eq!(login(auth).await, (format!("/api/v1/auth/{method}-auth/login"), body));
    }
}

#[tokio::test]
async fn what_the_program_gives_comes_before_its_providers_and_a_provider_needs_no_login() {
    let server = Server::start(answer).await;
    let own = || Arc::new(StaticToken::new("own").unwrap());
    let builder = || server.builder().credentials(ChainPosition::First, own());
    builder().build().unwrap().get_secrets("dev").await.unwrap();
    assert_eq!(server.last().token(), Some("own"));
    builder().auth(Auth::universal("c", "s")).build().unwrap().get_secrets("dev").await.unwrap();
    assert_eq!(server.last().token(), Some("granted"));
}

#[tokio::test]
async fn a_refused_login_of_a_pod_is_not_repeated_by_the_next_read() {
    let server = Server::start(|_| Reply::refusal(401, "UnauthorizedError", "Invalid credentials")).await;
    let auth = Auth::oidc("id-1", IdToken::given("a.b.c"));
    let client = server.builder().auth(auth).build().unwrap();
    for _ in 0..3 {
        let error = client.get_secrets("dev").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        assert!(!format!("{error} {error:?}").contains("a.b.c"));
    }
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn nothing_secret_is_printed_by_what_a_program_proves_itself_with() {
    let secret = || SecretValue::from("hunter2");
    let shown = [
        format!("{:?}", Auth::token(secret())),
        format!("{:?}", Auth::universal("c", secret())),
        format!("{:?}", Auth::ldap("id-1", "u", secret())),
        format!("{:?}", Auth::oidc("id-1", IdToken::given(secret()))),
        format!("{:#?}", IdToken::given(secret())),
        format!("{:?}", InfisicalClient::builder().auth(Auth::universal("c", secret()))),
    ];
    assert!(shown.iter().all(|text| !text.contains("hunter2")), "{shown:?}");
}

/// Set for the process that the test starts anew, whose variables are the test's to choose.
const STARTED_ANEW: &str = "INFISICAL_TEST_STARTED_ANEW";

#[tokio::test(flavor = "multi_thread")]
async fn the_variables_of_a_pod_are_all_that_a_program_needs() {
    if std::env::var_os(STARTED_ANEW).is_some() {
        let client = InfisicalClient::from_env().unwrap();
        assert_eq!(client.get_secrets("dev").await.unwrap().len(), 1);
        return;
    }
    let server = Server::start(answer).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    fs::write(&file, "pod.token.x").unwrap();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program
        .args(["--exact", "methods::the_variables_of_a_pod_are_all_that_a_program_needs"])
        .env_clear()
        .env(STARTED_ANEW, "1")
        .env("INFISICAL_DOMAIN", server.url())
        .env("INFISICAL_PROJECT_ID", PROJECT)
        .env("INFISICAL_MACHINE_IDENTITY_ID", "id-1")
        .env("INFISICAL_AUTH_METHOD", "kubernetes")
        .env("INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH", &file);
    let output = tokio::task::spawn_blocking(move || program.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let [login, read] = &server.seen()[..] else { panic!("two requests") };
    assert_eq!(login.body, json!({ "identityId": "id-1", "jwt": "pod.token.x" }));
    assert_eq!((login.path.as_str(), read.token()), ("/api/v1/auth/kubernetes-auth/login", Some("granted")));
}
