//! Requests to what a platform runs for its own workloads: metadata servers, and issuers of identity tokens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::credentials::StaticToken;
use crate::http::{Authorization, Method, Protocol, Response, Token, Transport};

/// The answers are a few KiB.
const LARGEST: usize = 256 * 1024;

/// A server of a platform, as messages name it, and the header that it asks for.
pub(super) struct Server {
    name: &'static str,
    header: (&'static str, SecretValue),
    reach: Reach,
}

/// How a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// On the machine's own network, without encryption and past any proxy.
    Machine,
    /// As any other.
    Internet,
}

impl Server {
    /// A server on the machine's own network, which has no encrypted form.
    pub(super) fn of_machine(name: &'static str, header: &'static str, value: impl Into<SecretValue>) -> Self {
        Self { name, header: (header, value.into()), reach: Reach::Machine }
    }

    /// A server that a bearer token is shown to.
    pub(super) fn with_bearer(name: &'static str, token: &SecretValue) -> Self {
        let value = SecretValue::new(format!("Bearer {}", token.expose()));
        Self { name, header: ("authorization", value), reach: Reach::Internet }
    }

    /// A server that is asked with a form, which holds what it wants to see.
    pub(super) fn with_form(name: &'static str) -> Self {
        Self { name, header: ("accept", "application/json".into()), reach: Reach::Internet }
    }

    /// Sends one request. What is no success is an error that names the server.
    pub(super) async fn ask(&self, method: Method, url: &str) -> Result<Response, XtraError> {
        self.send(method, url, None).await
    }

    /// Posts a form, whose values may be secrets.
    pub(super) async fn post(&self, url: &str, form: &[(&str, &str)]) -> Result<Response, XtraError> {
        self.send(Method::Post, url, Some(encoded(form))).await
    }

    async fn send(&self, method: Method, url: &str, form: Option<Zeroizing<Vec<u8>>>) -> Result<Response, XtraError> {
        let unusable = || {
            let message = format!("the address of {} is no URL that can be asked", self.name);
            XtraError::new(ErrorKind::Credentials, message)
        };
        let url = Url::parse(url).map_err(|_| unusable())?;
        let transport = self.transport(&url)?;
        let mut request = transport.http().request(method.into(), url);
        if let Some(form) = form {
            let form = Bytes::from_owner(form);
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        }
        let request = request.build().map_err(|_| unusable())?;
        let response = transport.run(request, self.name).await.map_err(|error| {
            let message = format!("{} gave no answer: {}", self.name, error.facts());
            error.within(message)
        })?;
        if response.is_success() {
            return Ok(response);
        }
        let message = format!("{} refused with status {}", self.name, response.status());
        Err(XtraError::new(ErrorKind::Credentials, message)
            .with_status(response.status())
            .with_hint(Hint::advice("Check that this workload has an identity of the platform")))
    }

    /// Sends one request and takes the answer for a text.
    pub(super) async fn text(&self, method: Method, url: &str) -> Result<SecretValue, XtraError> {
        let response = self.ask(method, url).await?;
        match std::str::from_utf8(response.body()) {
            Ok(text) => Ok(SecretValue::from(text.trim())),
            Err(_) => Err(self.unexpected()),
        }
    }

    /// Sends one request and takes these members, which are texts, from the answer.
    pub(super) async fn members<const N: usize>(
        &self,
        url: &str,
        names: [&str; N],
    ) -> Result<[Option<SecretValue>; N], XtraError> {
        let response = self.ask(Method::Get, url).await?;
        self.members_of(&response, names)
    }

    /// Takes these members, which are texts, from an answer.
    pub(super) fn members_of<const N: usize>(
        &self,
        response: &Response,
        names: [&str; N],
    ) -> Result<[Option<SecretValue>; N], XtraError> {
        let texts = crate::credentials::file::texts(response.body(), &names).map_err(|_| self.unexpected())?;
        let texts: Vec<_> = texts.into_iter().map(|text| text.map(SecretValue::new)).collect();
        texts.try_into().map_err(|_| self.unexpected())
    }

    /// The error for an answer without what was asked for.
    pub(super) fn unexpected(&self) -> XtraError {
        XtraError::new(ErrorKind::Credentials, format!("{} answered without what was asked for", self.name))
    }

    fn transport(&self, url: &Url) -> Result<Transport, XtraError> {
        let (header, value) = &self.header;
        let mut builder = Transport::builder(WithHeader { name: header, value: value.clone() })
            // the header stands in its place
            .credentials(Arc::new(StaticToken::new("unused")?))
            .connect_timeout(Duration::from_secs(2))
            .attempt_timeout(Duration::from_secs(3))
            .call_timeout(Duration::from_secs(10))
            .max_retries(2)
            .requests_per_minute(0)
            .max_response_bytes(LARGEST);
        if self.reach == Reach::Machine {
            builder = builder.danger_allow_http().no_proxy();
        }
        builder.build(&url.origin().ascii_serialization()).map_err(|error| {
            let message = format!("{} cannot be asked: {}", self.name, error.facts());
            error.within(message)
        })
    }
}

fn encoded(form: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    // room enough for all of it escaped: growing would leave copies behind that are not wiped
    let room = form.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut body = form_urlencoded::Serializer::new(String::with_capacity(room));
    Zeroizing::new(body.extend_pairs(form).finish().into_bytes())
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A service that asks for one header, whatever the token.
struct WithHeader {
    name: &'static str,
    value: SecretValue,
}

impl Protocol for WithHeader {
    fn authorization(&self, _token: &Token) -> Authorization {
        Authorization::header(self.name, self.value.expose())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::SocketAddr;
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A server on a loopback port that answers each path with a status and a body, and notes what it was asked.
    pub(in super::super) struct Platform {
        address: SocketAddr,
        seen: Arc<Mutex<Vec<String>>>,
        task: tokio::task::JoinHandle<()>,
    }

    impl Platform {
        /// Answers `METHOD /path?query` as the entries say, and by its beginning where that ends in `*`; what they do not name is
        /// 404. Of several for one request each is used once, and the last for ever.
        pub(in super::super) async fn start(answers: &[(&str, u16, &str)]) -> Self {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            let seen = Arc::new(Mutex::new(Vec::new()));
            let mut answers: Vec<_> =
                answers.iter().map(|(line, status, body)| ((*line).to_owned(), *status, (*body).to_owned())).collect();
            let shared = Arc::clone(&seen);
            let task = tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    let request = read(&mut stream).await;
                    let line = request.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
                    shared.lock().unwrap().push(request);
                    let (status, body) = next(&mut answers, &line);
                    let head =
                        format!("HTTP/1.1 {status} Any\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                    let _ = stream.shutdown().await;
                }
            });
            Self { address, seen, task }
        }

        pub(in super::super) fn url(&self) -> String {
            format!("http://{}", self.address)
        }

        /// Host and port.
        pub(in super::super) fn host(&self) -> String {
            self.address.to_string()
        }

        /// Every request so far, in order, in lower case.
        pub(in super::super) fn seen(&self) -> Vec<String> {
            self.seen.lock().unwrap().iter().map(|request| request.to_lowercase()).collect()
        }
    }

    fn next(answers: &mut Vec<(String, u16, String)>, line: &str) -> (u16, String) {
        let fits = |known: &str| known.strip_suffix('*').map_or(known == line, |start| line.starts_with(start));
        let mut fitting = (0..answers.len()).filter(|at| fits(&answers[*at].0));
        let Some(at) = fitting.next() else { return (404, "none".to_owned()) };
        let is_last = fitting.next().is_none();
        let (_, status, body) = if is_last { answers[at].clone() } else { answers.remove(at) };
        (status, body)
    }

    /// The head and the body of a request.
    async fn read(stream: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                    return text;
                }
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return text;
            }
        }
    }

    impl Drop for Platform {
        fn drop(&mut self) {
            self.task.abort();
        }
    }

    fn server() -> Server {
        Server::of_machine("the metadata server", "metadata", "true")
    }

    #[tokio::test]
    async fn a_request_carries_its_header_and_the_answer_is_read() {
        let platform = Platform::start(&[("GET /a//b?c=1", 200, "text\n")]).await;
        let url = format!("{}/a//b?c=1", platform.url());
        assert_eq!(server().text(Method::Get, &url).await.unwrap().expose(), "text");
        let seen = platform.seen();
        assert!(seen[0].contains("metadata: true\r\n"), "{seen:?}");
        assert!(!seen[0].contains("authorization") && !seen[0].contains("unused"), "{seen:?}");
    }

    #[tokio::test]
    async fn a_refusal_names_the_server_and_its_status_and_shows_neither_url_nor_body() {
        let platform = Platform::start(&[("GET /a", 403, "hunter2")]).await;
        for path in ["a", "b?hunter2"] {
            let error = server().ask(Method::Get, &format!("{}/{path}", platform.url())).await.unwrap_err();
            let text = format!("{error} {error:?}");
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(text.contains("the metadata server refused with status 40") && !text.contains("hunter2"), "{text}");
        }
    }

    #[tokio::test]
    async fn members_are_taken_from_json_and_anything_else_is_an_error_that_quotes_nothing() {
        let answers = [
            ("GET /good", 200, r#"{"a":"1","b":null,"d":[1]}"#),
            ("GET /bad", 200, "hunter2"),
            ("GET /wrong", 200, r#"{"a":["hunter2"]}"#),
        ];
        let platform = Platform::start(&answers).await;
        let url = |path: &str| format!("{}/{path}", platform.url());
        let [a, b] = server().members(&url("good"), ["a", "b"]).await.unwrap();
        assert_eq!((a.unwrap().expose(), b.is_none()), ("1", true));
        for path in ["bad", "wrong"] {
            let error = server().members(&url(path), ["a"]).await.unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_bearer_goes_over_https_or_to_this_machine_alone() {
        let server = Server::with_bearer("the issuer", &"hunter2".into());
        for url in ["http://issuer.example/a", "http://169.254.169.254/a", "ftp://issuer.example", "text"] {
            let error = server.ask(Method::Get, url).await.unwrap_err();
            assert!(!error.is_retryable() && !format!("{error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_server_prints_no_header() {
        assert!(!format!("{:?}", Server::with_bearer("the issuer", &"hunter2".into())).contains("hunter2"));
    }
}
