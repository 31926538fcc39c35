//! A service that answers what it is told to, of any length.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use xtrasecurity::{XtraClient, XtraClientBuilder};

/// The project of every row.
pub const PROJECT: &str = "665f1c2ab7c0de0012345678";

type Answer = dyn Fn(&str, &[u8]) -> (u16, Arc<String>) + Send + Sync;

/// A client of a service that answers each request, its first line and its body, by `answer`: with a status and a body.
pub fn client_of(answer: impl Fn(&str, &[u8]) -> (u16, Arc<String>) + Send + Sync + 'static) -> XtraClient {
    builder_of(answer).build().expect("a client")
}

pub fn builder_of(answer: impl Fn(&str, &[u8]) -> (u16, Arc<String>) + Send + Sync + 'static) -> XtraClientBuilder {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/api", listener.local_addr().expect("an address"));
    let answer: Arc<Answer> = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || serve(stream, &answer));
        }
    });
    let minutes = Duration::from_secs(300);
    XtraClient::builder()
        .token("xs_linear")
        .project_id(PROJECT)
        .api_url(url)
        .call_timeout(minutes)
        .max_retries(0)
        .requests_per_minute(1_000_000)
}

/// Answers on one connection until it is closed.
fn serve(stream: TcpStream, answer: &Arc<Answer>) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if header.trim().is_empty() {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut sent = Vec::new();
        reader.by_ref().take(length).read_to_end(&mut sent).ok()?;
        let (status, body) = answer(first.trim(), &sent);
        let head =
            format!("HTTP/1.1 {status} S\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(body.as_bytes())).ok()?;
    }
}
