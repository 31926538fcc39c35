//! Recorded exchanges with the real service, and a loopback service that gives a recorded answer byte for byte.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::VecDeque;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use xtrasecurity::{XtraClient, XtraClientBuilder};

/// The token of every replayed call; the recordings hold none.
pub(crate) const TOKEN: &str = "token-of-replay";

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings"))
}

/// The names of all recordings: the files, and not the index, so that none is overlooked.
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "seed-values")
        .collect();
    names.sort();
    names
}

/// The state in which the recordings were made.
pub(crate) fn seed_values() -> Value {
    serde_json::from_slice(&fs::read(folder().join("seed-values.json")).unwrap()).unwrap()
}

/// One recorded exchange.
#[derive(Clone)]
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) target: String,
    /// The query, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// The body sent, where it was JSON.
    pub(crate) sent: Option<Value>,
    pub(crate) status: u16,
    pub(crate) body: String,
    reason: String,
    headers: Vec<(String, String)>,
}

impl Recording {
    pub(crate) fn load(name: &str) -> Self {
        let file = fs::read(folder().join(format!("{name}.json"))).unwrap_or_else(|_| panic!("no recording {name}"));
        let whole: Value = serde_json::from_slice(&file).unwrap();
        let (request, response) = (&whole["request"], &whole["response"]);
        Self {
            name: name.to_owned(),
            method: string(&request["method"]),
            target: string(&request["target"]),
            query: pairs(&request["query"]),
            sent: request["body"].get("json").cloned(),
            status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
            body: string(&response["body_text"]),
            reason: string(&response["reason"]),
            headers: pairs(&response["headers"]),
        }
    }

    /// Whether the client's reads use the route: the secrets of an environment, and the project of a service account.
    pub(crate) fn is_of_a_read(&self) -> bool {
        let path = self.target.split('?').next().unwrap();
        let mut parts = path.split('/').skip(1);
        let secrets = parts.next() == Some("api")
            && parts.next() == Some("projects")
            && parts.nth(1) == Some("envs")
            && parts.nth(1) == Some("secrets")
            && parts.next().is_none();
        match self.method.as_str() {
            "GET" => secrets || path == "/api/service-account/resolve",
            "HEAD" => secrets,
            _ => false,
        }
    }

    /// The path segment at a place, decoded. The place of `api` is 0.
    pub(crate) fn segment(&self, place: usize) -> String {
        let path = self.target.split('?').next().unwrap();
        decoded(path.split('/').nth(place + 1).unwrap_or_else(|| panic!("{}: no segment {place}", self.name)))
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The answer's body, where it is JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The answer as it was on the wire. Only the borders of the chunks were not recorded.
    fn answer(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, self.reason);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut bytes = (head + "\r\n").into_bytes();
        if self.header("transfer-encoding") == Some("chunked") {
            // A prime, so that some border falls into a character of several bytes.
            for chunk in self.body.as_bytes().chunks(4093) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            let length = self.header("content-length").unwrap_or_else(|| panic!("{}: no framing", self.name));
            assert_eq!(length, self.body.len().to_string(), "{}: the body is not the one that was measured", self.name);
            bytes.extend_from_slice(self.body.as_bytes());
        }
        bytes
    }
}

/// Whether two targets name the same, whatever the order of their parameters.
pub(crate) fn is_same_target(one: &str, other: &str) -> bool {
    fn sorted(target: &str) -> (&str, Vec<&str>) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut pairs: Vec<&str> = query.split('&').collect();
        pairs.sort_unstable();
        (path, pairs)
    }
    sorted(one) == sorted(other)
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    value.as_array().unwrap().iter().map(|pair| (string(&pair[0]), string(&pair[1]))).collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// A request that the service got.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// A service on loopback that answers its first request with the first recording, and so on. It gives no further answer.
pub(crate) struct Replay {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
    task: JoinHandle<()>,
}

struct Log {
    answers: VecDeque<Vec<u8>>,
    sent: Vec<Sent>,
}

impl Replay {
    pub(crate) async fn of(recordings: &[&Recording]) -> Self {
        let answers = recordings.iter().map(|recording| recording.answer()).collect();
        let log = Arc::new(Mutex::new(Log { answers, sent: Vec::new() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(accept(listener, log.clone()));
        Self { address, log, task }
    }

    /// A client of this service that sends each request once.
    pub(crate) fn client(&self) -> XtraClientBuilder {
        XtraClient::builder().token(TOKEN).api_url(format!("http://{}/api", self.address)).max_retries(0).no_proxy()
    }

    /// All requests so far.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.log.lock().unwrap().sent.clone()
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, log: Arc<Mutex<Log>>) {
    // Dropped with this task, and its connections with it.
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        connections.spawn(serve(connection, log.clone()));
    }
}

async fn serve(mut connection: TcpStream, log: Arc<Mutex<Log>>) {
    while let Some(sent) = request(&mut connection).await {
        let answer = {
            let mut log = log.lock().unwrap();
            log.sent.push(sent);
            log.answers.pop_front()
        };
        let Some(answer) = answer else { return };
        if connection.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// The next request on a connection, or `None` when it was closed.
async fn request(connection: &mut TcpStream) -> Option<Sent> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut sent = Sent { method, target, headers, body: Vec::new() };
    let length = sent.header("content-length").map_or(0, |length| length.parse().unwrap());
    sent.body = vec![0; length];
    connection.read_exact(&mut sent.body).await.ok()?;
    Some(sent)
}
