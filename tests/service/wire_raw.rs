//! What raw calls put on the wire, and what their errors show.

use std::error::Error as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use xtrasecurity::xtra::raw::{Error, SecretInput, types};
use xtrasecurity::{ErrorKind, XtraClient, XtraError, error::Reason};

/// No error, log or debug output may hold a part of this.
const CANARY: &str = "canary-plaintext";

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// A service that gives one answer, and the request that it got.
struct Once {
    address: SocketAddr,
    request: JoinHandle<String>,
}

impl Once {
    fn answering(head: &str, body: &str) -> Self {
        // without a head the connection just ends
        let end = format!("content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        let answer = if head.is_empty() { String::new() } else { format!("{head}{end}") };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let request = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let request = read_request(&mut connection);
            connection.write_all(answer.as_bytes()).unwrap();
            request
        });
        Self { address, request }
    }

    fn client(&self) -> XtraClient {
        client(self.address)
    }

    fn request(self) -> String {
        self.request.join().unwrap()
    }
}

fn read_request(connection: &mut impl Read) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") && connection.read(&mut byte).unwrap() == 1 {
        text.push(char::from(byte[0]));
    }
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    connection.read_exact(&mut body).unwrap();
    text + &String::from_utf8(body).unwrap()
}

fn client(address: SocketAddr) -> XtraClient {
    XtraClient::builder()
        .token("token-of-test")
        .project_id("665f1c2ab4d3e8f901234567")
        .api_url(format!("http://{address}/api"))
        .max_retries(0)
        .no_proxy()
        .build()
        .unwrap()
}

/// A service that hears whether anything is sent to it.
struct Silent(TcpListener);

impl Silent {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn client(&self) -> XtraClient {
        client(self.0.local_addr().unwrap())
    }

    fn heard_nothing(&self) {
        self.0.set_nonblocking(true).unwrap();
        assert_eq!(self.0.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

fn first_line(request: &str) -> &str {
    request.lines().next().unwrap()
}

fn hides_the_canary<E>(error: Error<E>) -> XtraError {
    let mut shown = format!("{error} {error:?} {error:#?} {:?}", error.source());
    let error = error.into_error();
    shown += &format!("{error} {error:?} {:?}", error.source());
    assert!(!shown.contains("canary"), "{shown}");
    assert!(!shown.contains("127.0.0.1"), "{shown}");
    error
}

#[tokio::test]
async fn a_variant_of_a_path_is_not_sent() {
    let service = Once::answering(OK, r#"{"id":"1","name":"n"}"#);
    service.client().raw().projects_get().id("a b&c").send().await.unwrap();
    assert_eq!(first_line(&service.request()), "GET /api/project?id=a+b%26c HTTP/1.1");
}

#[tokio::test]
async fn path_parameters_stay_in_their_segment() {
    for (branch, sent) in [
        ("feature/new-ui", "feature%2Fnew-ui"),
        (r"..\..\admin", "..%5C..%5Cadmin"),
        ("50% ü?#", "50%25%20%C3%BC%3F%23"),
    ] {
        let service = Once::answering(OK, "{}");
        service.client().raw().branches_clear().branch_id(branch).send().await.unwrap();
        assert_eq!(first_line(&service.request()), format!("POST /api/branch/{sent}/clear HTTP/1.1"));
    }
}

#[tokio::test]
async fn a_path_parameter_that_would_leave_its_segment_is_refused_before_anything_is_sent() {
    let service = Silent::new();
    for branch in ["", ".", ".."] {
        let error = service.client().raw().branches_delete().branch_id(branch).send().await.unwrap_err();
        assert!(
            matches!(&error, Error::InvalidRequest(text) if text.starts_with("`branch_id` must not be")),
            "{error:?}"
        );
        assert_eq!(error.into_error().kind(), ErrorKind::Invalid);
    }
    service.heard_nothing();
}

#[tokio::test]
async fn a_missing_parameter_is_refused_by_name_before_anything_is_sent() {
    let service = Silent::new();
    let error = service.client().raw().projects_get().send().await.unwrap_err();
    assert_eq!(error.to_string(), "nothing was sent: projects_get needs the parameter `id`: call .id(..)");
    assert_eq!(error.status(), None);
    service.heard_nothing();
}

#[tokio::test]
async fn only_the_headers_of_the_client_are_sent() {
    let service = Once::answering(OK, "[]");
    service.client().raw().projects_list().send().await.unwrap();
    let request = service.request().to_lowercase();
    let mut names: Vec<&str> =
        request.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "authorization", "host", "user-agent"]);
}

#[tokio::test]
async fn a_delete_can_carry_a_body() {
    let service = Once::answering(OK, "{}");
    let body = types::ProjectIpRemove::builder().ip("192.0.2.1");
    service.client().raw().project_ips_remove().id("p").body(body).send().await.unwrap();
    let request = service.request();
    assert_eq!(first_line(&request), "DELETE /api/project/p/ip HTTP/1.1");
    assert!(request.contains("content-type: application/json\r\n"), "{request}");
    assert!(request.ends_with(r#"{"ip":"192.0.2.1"}"#), "{request}");
}

#[tokio::test]
async fn a_secret_is_sent_but_its_request_does_not_show_it() {
    let service = Once::answering(OK, "{}");
    let client = service.client();
    let request = client.raw().jit_get().token(SecretInput::from(CANARY));
    assert!(!format!("{request:?}").contains("canary"));
    request.send().await.unwrap();
    assert_eq!(first_line(&service.request()), format!("GET /api/jit/{CANARY} HTTP/1.1"));
}

#[tokio::test]
async fn an_answer_shows_its_status_but_no_secret_and_no_header() {
    let service = Once::answering(
        &format!("{OK}set-cookie: {CANARY}\r\nx-values-masked: true\r\n"),
        &format!("{{\"KEY\":\"{CANARY}\"}}"),
    );
    let answer = service.client().raw().secrets_read().project_id("p").env("e").send().await.unwrap();
    assert_eq!(answer.header("X-Values-Masked"), Some("true"));
    assert_eq!(answer.get("KEY").and_then(|entry| entry.expose()), Some(CANARY));
    let shown = format!("{answer:?} {answer:#?}");
    assert!(shown.contains("200") && shown.contains("[REDACTED]") && !shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn a_body_of_another_shape_is_located_and_not_quoted() {
    for (body, found) in [
        (format!("{{\"KEY\":[\"{CANARY}\"]}}"), "another shape"),
        (format!("<html>{CANARY}"), "not JSON"),
        (format!("{{\"KEY\":\"{CANARY}"), "ends too early"),
        (String::new(), "ends too early"),
    ] {
        let service = Once::answering(&format!("{OK}set-cookie: {CANARY}\r\n"), &body);
        let error = service.client().raw().secrets_read().project_id("p").env("e").send().await.unwrap_err();
        assert_eq!(error.status(), Some(200));
        assert!(error.to_string().contains(found) && error.to_string().contains("line 1"), "{error}");
        assert_eq!(hides_the_canary(error).kind(), ErrorKind::Decode);
    }
}

#[tokio::test]
async fn a_refusal_without_json_keeps_its_status_and_its_wait() {
    let head = "HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/html\r\nretry-after: 7\r\n";
    let service = Once::answering(head, &format!("<html>{CANARY}</html>"));
    let error = service.client().raw().projects_list().send().await.unwrap_err();
    assert!(matches!(error, Error::InvalidResponsePayload(_)));
    assert_eq!((error.status(), error.is_retryable()), (Some(429), true));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    let error = hides_the_canary(error);
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(7))));
}

#[tokio::test]
async fn a_refusal_in_json_is_read_whatever_its_content_type_says() {
    let head = "HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\n";
    let body = format!(r#"{{"error":"Access denied","code":"IP_NOT_ALLOWED","stack":"{CANARY}"}}"#);
    let service = Once::answering(head, &body);
    let error = service.client().raw().projects_list().send().await.unwrap_err();
    let Error::ErrorResponse(refusal) = &error else { panic!("{error:?}") };
    assert_eq!(refusal.code.as_deref(), Some("IP_NOT_ALLOWED"));
    assert_eq!(hides_the_canary(error).reason(), Some(&Reason::AddressNotAllowed));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_target_not_shown() {
    let service =
        Once::answering(&format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1/{CANARY}\r\n"), "");
    let error = service.client().raw().projects_list().send().await.unwrap_err();
    assert!(matches!(error, Error::UnexpectedResponse(_)));
    assert_eq!(hides_the_canary(error).kind(), ErrorKind::Redirected);
}

#[tokio::test]
async fn an_error_that_is_no_answer_shows_no_address() {
    let service = Once::answering("", "");
    let error = service.client().raw().projects_get().id(CANARY).send().await.unwrap_err();
    assert!(matches!(error, Error::Failed(_)));
    assert!(error.is_retryable());
    assert_eq!(hides_the_canary(error).kind(), ErrorKind::Network);
}

#[tokio::test]
async fn the_question_mark_turns_a_raw_error_into_the_error_of_the_crate() {
    async fn name(client: &XtraClient) -> Result<String, XtraError> {
        Ok(client.raw().projects_get().id("p").send().await?.into_inner().name)
    }
    let service = Once::answering("HTTP/1.1 404 Not Found\r\n", r#"{"error":"Project not found"}"#);
    let error = name(&service.client()).await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::NotFound, Some(404), 1));
    assert!(error.to_string().starts_with("projects_get: "), "{error}");
}

#[tokio::test]
async fn a_raw_client_shows_no_url_and_no_token() {
    let client = Silent::new().client();
    let shown = format!("{:?} {:?}", client.raw(), client.raw().projects_list());
    assert!(!shown.contains("127.0.0.1") && !shown.contains("token-of-test"), "{shown}");
}

#[test]
fn raw_calls_can_be_sent_to_other_threads() {
    fn is_send<T: Send>(_: T) {}
    let client = Silent::new().client();
    is_send(client.raw().projects_get().id("p").send());
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<xtrasecurity::xtra::raw::Client>();
    is_shared::<Error<types::ApiError>>();
}
