//! What a user gets who does it wrong, or whom the network does wrong: an error that says what was wrong and what to do,
//! in bounded time, and a client that works afterwards.

use std::time::{Duration, Instant};

use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::{ErrorKind, XtraClient, XtraClientBuilder, XtraError, references::Reference};

const PROJECT: &str = "665f1c2ab7c0de0012345678";

fn local() -> XtraClientBuilder {
    XtraClient::builder().token("xs_test").project_id(PROJECT)
}

fn built_with_url(url: &str) -> Result<XtraClient, XtraError> {
    local().api_url(url).build()
}

fn assert_says(error: &XtraError, kind: ErrorKind, words: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} is not in: {error}");
    }
}

#[test]
fn malformed_tokens_are_refused_before_anything_is_sent_without_being_shown() {
    for token in ["two words-hunter2", "tab\thunter2", "line\nhunter2", "hünter2"] {
        let error = XtraClient::builder().token(token).build().unwrap_err();
        assert_says(&error, ErrorKind::Credentials, &[]);
        assert!(!format!("{error} {error:?}").contains("nter2"), "{error}");
    }
}

#[test]
fn an_api_root_that_cannot_be_meant_is_refused_with_the_reason_and_without_the_url() {
    for (url, words) in [
        ("https://vault.example.test", &["/api"][..]),
        ("https://vault.example.test/api?key=hunter2", &["query"]),
        ("https://vault.example.test/api#hunter2", &["fragment"]),
        ("https://user:hunter2@vault.example.test/api", &["user name or password"]),
        ("http://vault.example.test/api", &["https", "danger_allow_http"]),
        ("ftp://vault.example.test/api", &["https"]),
        ("vault.example.test/api", &["https"]),
        ("not a url", &[]),
    ] {
        let error = built_with_url(url).unwrap_err();
        assert_says(&error, ErrorKind::Config, words);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("vault.example"), "{shown}");
    }
    assert!(built_with_url("http://127.0.0.1:1/api").is_ok());
    assert!(built_with_url("http://localhost:1/api/").is_ok());
    assert!(built_with_url("http://[::1]:1/api").is_ok());
    assert!(local().api_url("http://vault.example.test/api").danger_allow_http().build().is_ok());
}

#[test]
fn an_option_that_is_given_but_empty_is_refused_rather_than_looked_up_elsewhere() {
    let error = XtraClient::builder().token("").build().unwrap_err();
    assert_says(&error, ErrorKind::Credentials, &["the given token is empty"]);
    assert_says(&built_with_url("").unwrap_err(), ErrorKind::Config, &["base URL"]);
    assert_says(&local().project_id("").build().unwrap_err(), ErrorKind::Invalid, &["project id"]);
    assert_says(&local().branch("").build().unwrap_err(), ErrorKind::Invalid, &["branch"]);
}

#[test]
fn limits_of_zero_are_refused_by_name() {
    for (name, builder) in [
        ("connect_timeout", local().connect_timeout(Duration::ZERO)),
        ("call_timeout", local().call_timeout(Duration::ZERO)),
        ("max_response_bytes", local().max_response_bytes(0)),
    ] {
        assert_says(&builder.build().unwrap_err(), ErrorKind::Config, &[name, "zero"]);
    }
}

#[tokio::test]
async fn project_ids_that_are_none_are_refused_before_anything_is_sent() {
    let error = XtraClient::builder().token("xs_test").project_id("payments").build().unwrap_err();
    assert_says(&error, ErrorKind::Invalid, &["payments", "24 hexadecimal digits"]);
    let client = XtraClient::builder().token("xs_test").build().unwrap();
    for id in ["payments", "../../../admin", "", "665f1c2ab7c0de00123456789", "prj_123456789"] {
        let error = client.get_secrets("production").project_id(id).await.unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &["24 hexadecimal digits"]);
    }
}

#[tokio::test]
async fn project_ids_of_another_host_are_whatever_a_path_can_hold() {
    let server = DevServer::start().await.unwrap();
    let client = local().token(server.token()).api_url(server.url()).build().unwrap();
    for id in ["", ".", "..", " prj_1", "prj\n1", "\"prj_1\"", "'prj_1'"] {
        let error = client.get_secrets("production").project_id(id).await.unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &["the project id"]);
        assert_says(&local().project_id(id).build().unwrap_err(), ErrorKind::Invalid, &["the project id"]);
    }
    assert_eq!(server.total_requests(), 0);
    let sent_path = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
    for (id, sent) in [
        ("prj_123456789", "prj_123456789"),
        ("my \"project\"", "my%20%22project%22"),
        ("a/../b?c#d", "a%2F..%2Fb%3Fc%23d"),
        ("50%", "50%25"),
    ] {
        server.fault(Fault::body(200, "application/json", r#"{"API_KEY":"k-1"}"#).on(route::SECRETS_READ));
        let secrets = client.get_secrets("production").project_id(id).await.unwrap();
        assert_eq!(secrets.require("API_KEY").unwrap().expose(), "k-1", "{id}");
        let seen = server.requests(route::SECRETS_READ).pop().unwrap();
        assert_eq!(sent_path(seen.target()), format!("/api/projects/{sent}/envs/production/secrets"));
        assert!(local().project_id(id).api_url(server.url()).build().is_ok(), "{id}");
    }
    // the vendor's server fails at them wherever it runs, and does not say why
    let error = client.get_secrets("production").project_id("payments").await.unwrap_err();
    assert_says(&error, ErrorKind::Server, &["\"payments\"", "24 hexadecimal digits", "not the name"]);
    server.stop().await;
}

#[tokio::test]
async fn project_ids_that_differ_in_case_are_two_projects_unless_they_are_the_vendors() {
    let server = DevServer::start().await.unwrap();
    let client = local().token(server.token()).api_url(server.url()).build().unwrap();
    let mut answers = Vec::new();
    for (id, value) in [("prj_a", "one"), ("prj_A", "other")] {
        let body = format!(r#"{{"API_KEY":"{value}"}}"#);
        server.fault(Fault::body(200, "application/json", body).on(route::SECRETS_READ));
        let secrets = client.get_secrets("production").project_id(id).await.unwrap();
        answers.push(secrets.require("API_KEY").unwrap().expose().to_owned());
    }
    assert_eq!(answers, ["one", "other"]);
    let own = server.project_id();
    client.get_secrets("production").project_id(own).await.unwrap();
    client.get_secrets("production").project_id(own.to_uppercase()).await.unwrap();
    assert_eq!(server.request_count(route::SECRETS_READ), 3, "one snapshot for both");
    server.stop().await;
}

#[tokio::test]
async fn a_reference_names_any_project_that_the_host_can_have() {
    let server = DevServer::start().await.unwrap();
    let client = local().token(server.token()).api_url(server.url()).build().unwrap();
    server.fault(Fault::body(200, "application/json", r#"{"API_KEY":"k-1"}"#).on(route::SECRETS_READ));
    let value = client.resolve("xtra://prj_A%2F1/production/API_KEY").await.unwrap();
    assert_eq!(value.expose(), "k-1");
    let seen = server.requests(route::SECRETS_READ).pop().unwrap();
    assert!(seen.target().starts_with("/api/projects/prj_A%2F1/envs/production/secrets"), "{}", seen.target());
    let reference: Reference = "xtra://prj_A%2F%40%3A1/production/API_KEY".parse().unwrap();
    assert_eq!(reference.project(), Some("prj_A/@:1"));
    assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference);
    let vendors = XtraClient::builder().token("xs_test").build().unwrap();
    let error = vendors.resolve("xtra://prj_1/production/API_KEY").await.unwrap_err();
    assert!(error.to_string().contains("24 hexadecimal digits"), "{error}");
    server.stop().await;
}

#[tokio::test]
async fn empty_and_dotted_environments_and_branches_are_refused_before_anything_is_sent() {
    let server = DevServer::start().await.unwrap();
    let client = local().api_url(server.url()).build().unwrap();
    for name in ["", ".", "..", " production", "pro\nduction"] {
        let error = client.get_secrets(name).await.unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &["environment"]);
        let error = client.get_secrets("production").branch(name).await.unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &["branch"]);
        let error = client.inject_secrets(name).await.unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &["environment"]);
    }
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn odd_but_legal_names_reach_the_service_as_they_are() {
    let server = DevServer::start().await.unwrap();
    let client = XtraClient::builder().dev_server(&server).build().unwrap();
    for (name, sent) in [("a/b", "a%2Fb"), ("50%", "50%25"), ("ü", "%C3%BC"), ("a\\..\\b", "a%5C..%5Cb")] {
        server.reset_counts();
        client.get_secrets(name).await.unwrap();
        let seen = server.requests(route::SECRETS_READ);
        assert!(seen[0].target().contains(&format!("/envs/{sent}/secrets")), "{}", seen[0].target());
    }
}

/// A client of a server that does one thing wrong, forever, and does not retry.
async fn faulty(fault: Fault) -> (DevServer, XtraClient) {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    server.fault(fault.on(route::SECRETS_READ).forever());
    let client =
        XtraClient::builder().dev_server(&server).call_timeout(Duration::from_secs(2)).max_retries(0).build().unwrap();
    (server, client)
}

#[tokio::test]
async fn each_way_that_an_answer_can_be_wrong_has_its_kind_and_the_next_call_works() {
    let html = "<!doctype html><title>Sign in</title><p>hunter2";
    let large = vec![b' '; 20 * 1024 * 1024];
    for (what, fault, kind, status, words) in [
        ("redirect", Fault::redirect(307, "/login"), ErrorKind::Redirected, Some(307), &["/api"][..]),
        ("html", Fault::body(200, "text/html", html), ErrorKind::Decode, Some(200), &["/api"]),
        ("html error", Fault::body(502, "text/html", html), ErrorKind::Server, Some(502), &[]),
        ("html 404", Fault::body(404, "text/html", html), ErrorKind::NotFound, Some(404), &["/api"]),
        ("no body", Fault::body(200, "application/json", ""), ErrorKind::Decode, Some(200), &[]),
        ("other json", Fault::body(200, "application/json", "[1]"), ErrorKind::Decode, Some(200), &[]),
        ("number", Fault::body(200, "application/json", r#"{"A":1}"#), ErrorKind::Decode, Some(200), &[]),
        ("empty 500", Fault::body(500, "", ""), ErrorKind::Server, Some(500), &[]),
        ("20 MiB", Fault::body(200, "application/json", large), ErrorKind::TooLarge, None, &["max_response_bytes"]),
        ("cut", Fault::cut_body(), ErrorKind::Network, None, &[]),
        ("refused", Fault::refuse(), ErrorKind::Network, None, &[]),
        ("garbage", Fault::garbage(), ErrorKind::Network, None, &[]),
        ("hang", Fault::hang(), ErrorKind::Timeout, None, &["2s"]),
    ] {
        let (server, client) = faulty(fault).await;
        let started = Instant::now();
        let error = client.get_secrets("production").await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, status), "{what}: {error:?}");
        for word in words {
            assert!(error.to_string().contains(word), "{what}: {word:?} is not in: {error}");
        }
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{what}: {error:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{what} took {:?}", started.elapsed());
        server.clear_faults();
        assert!(client.get_secrets("production").await.is_ok(), "{what}: the next call works");
    }
}

#[tokio::test]
async fn nobody_listening_is_a_network_error_that_says_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let client = local().api_url(format!("http://127.0.0.1:{port}/api")).max_retries(0).build().unwrap();
    let error = client.get_secrets("production").await.unwrap_err();
    assert_says(&error, ErrorKind::Network, &["refused"]);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn both_rate_limits_are_told_with_the_wait_when_there_is_one() {
    let server = DevServer::builder().rate_limits(RateLimits::off().burst(1)).start().await.unwrap();
    let client =
        |server: &DevServer| XtraClient::builder().dev_server(server).cache(false).max_retries(0).build().unwrap();
    let first = client(&server);
    first.get_secrets("production").await.unwrap();
    let error = first.get_secrets("production").await.unwrap_err();
    assert_says(&error, ErrorKind::RateLimited, &[]);
    assert!(error.retry_after().is_some_and(|wait| wait >= Duration::from_secs(1) && wait <= Duration::from_secs(60)));

    let server = DevServer::builder().rate_limits(RateLimits::off().per_ip(1)).start().await.unwrap();
    let second = client(&server);
    second.get_secrets("production").await.unwrap();
    let error = second.get_secrets("production").await.unwrap_err();
    assert_says(&error, ErrorKind::RateLimited, &[]);
    assert_eq!((error.status(), error.retry_after()), (Some(429), None));
}
