//! An HTTP client that sends exactly the bytes that it is told to.

pub(crate) mod known;
pub(crate) mod ordered;
pub(crate) mod recorded;

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xtrasecurity::dev_server::DevServer;

/// An answer, with the framing of its body taken off.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Whether the body ended as its framing says.
    pub(crate) is_whole: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON ({})", self.status))
    }
}

/// One request on a connection of its own.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: &'a str, target: impl Into<String>) -> Self {
        Call { method, target: target.into(), headers: Vec::new(), body: None }
    }

    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn json(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", "application/json")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
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

    /// Sends it and reads to the end of the answer; an error when there is none.
    pub(crate) async fn send(&self, port: u16) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        self.send_on(&mut stream).await
    }

    pub(crate) async fn send_on(&self, stream: &mut TcpStream) -> io::Result<Answer> {
        stream.write_all(&self.bytes()).await?;
        read_answer(stream, self.method == "HEAD").await
    }
}

/// Reads one answer, leaving the connection open.
pub(crate) async fn read_answer(stream: &mut TcpStream, is_head: bool) -> io::Result<Answer> {
    let mut received = Vec::new();
    loop {
        if let Some(answer) = parsed(&received, false, is_head)? {
            return Ok(answer);
        }
        let mut chunk = [0; 16 * 1024];
        match stream.read(&mut chunk).await? {
            0 => {
                return parsed(&received, true, is_head)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into());
            }
            count => received.extend_from_slice(&chunk[..count]),
        }
    }
}

fn parsed(received: &[u8], at_end: bool, is_head: bool) -> io::Result<Option<Answer>> {
    let Some(head_end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let not_http = || io::Error::from(io::ErrorKind::InvalidData);
    let head = std::str::from_utf8(&received[..head_end]).map_err(|_| not_http())?;
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).ok_or_else(not_http)?;
    let status: u16 = status.parse().map_err(|_| not_http())?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let value = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let rest = &received[head_end + 4..];
    let (body, is_whole) = if is_head || matches!(status, 204 | 304) {
        (Vec::new(), true)
    } else if value("transfer-encoding") == Some("chunked") {
        unchunked(rest)
    } else {
        let length: usize = value("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        (rest[..rest.len().min(length)].to_vec(), rest.len() >= length)
    };
    if !is_whole && !at_end {
        return Ok(None);
    }
    let body = String::from_utf8(body).map_err(|_| not_http())?;
    Ok(Some(Answer { status, headers, body, is_whole }))
}

fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(line_end) = rest.windows(2).position(|window| window == b"\r\n") else {
            return (body, false);
        };
        let size = std::str::from_utf8(&rest[..line_end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let Some(size) = size else {
            return (body, false);
        };
        rest = &rest[line_end + 2..];
        if size == 0 {
            return (body, rest.starts_with(b"\r\n"));
        }
        if rest.len() < size + 2 {
            body.extend_from_slice(&rest[..rest.len().min(size)]);
            return (body, false);
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

/// Reads the production secrets of the server's project with a token.
pub(crate) async fn read_as(server: &DevServer, token: &str, query: &str) -> Answer {
    let target = format!("/api/projects/{}/envs/production/secrets{query}", server.project_id());
    Call::get(target).token(token).send(server.port()).await.unwrap()
}

/// The same as the project's owner.
pub(crate) async fn read(server: &DevServer, query: &str) -> Answer {
    read_as(server, server.token(), query).await
}

/// A request of a user, `METHOD /path`: the path is below `/api`, with `{P}` for the server's project.
pub(crate) fn request(server: &DevServer, who: &str, request: &str, body: &Value) -> Call<'static> {
    let (method, target) = request.split_once(' ').unwrap();
    let method = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| *known == method).unwrap();
    let target = format!("/api{}", target.replace("{P}", server.project_id()));
    let call = Call::new(method, target).token(server.token_for(who).unwrap_or(who));
    if body.is_null() { call } else { call.json(body.to_string()) }
}

/// One call as a user, or with a token.
pub(crate) async fn call(server: &DevServer, who: &str, what: &str, body: Value) -> Answer {
    request(server, who, what, &body).send(server.port()).await.unwrap()
}

/// A call that succeeds.
pub(crate) async fn ok(server: &DevServer, who: &str, what: &str, body: Value) -> Value {
    let answer = call(server, who, what, body).await;
    assert!(answer.status < 300, "{what}: {} {}", answer.status, answer.body);
    answer.json()
}

/// The text of a JSON string.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
