//! An HTTP client that sends exactly the bytes that it is told to.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON ({})", self.status))
    }
}

/// One request on a connection of its own.
pub(crate) struct Call {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Call {
    pub(crate) fn new(method: &str, target: impl Into<String>) -> Self {
        Call { method: method.to_owned(), target: target.into(), headers: Vec::new(), body: None }
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn text(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(body.to_string()).header("Content-Type", "application/json")
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nHost: localhost\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        text += "\r\n";
        text += self.body.as_deref().unwrap_or_default();
        text.into_bytes()
    }

    pub(crate) async fn send(&self, port: u16) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(&self.bytes()).await.unwrap();
        let mut received = Vec::new();
        loop {
            if let Some(answer) = parsed(&received, self.method == "HEAD") {
                return answer;
            }
            let mut chunk = [0; 16 * 1024];
            let count = stream.read(&mut chunk).await.unwrap();
            assert_ne!(count, 0, "{} {}: the answer is cut", self.method, self.target);
            received.extend_from_slice(&chunk[..count]);
        }
    }

    /// Sends it and gives the stream, for an answer that does not end.
    pub(crate) async fn open(&self, port: u16) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(&self.bytes()).await?;
        Ok(stream)
    }
}

/// An answer once it is whole; nothing before.
fn parsed(received: &[u8], is_head: bool) -> Option<Answer> {
    let head_end = received.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&received[..head_end]).unwrap();
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let rest = &received[head_end + 4..];
    let mut answer = Answer { status, headers, body: String::new() };
    if is_head || matches!(status, 204 | 304) {
        return Some(answer);
    }
    let length: usize = answer.header("content-length").expect("a length").parse().unwrap();
    answer.body = String::from_utf8(rest.get(..length)?.to_vec()).unwrap();
    Some(answer)
}
