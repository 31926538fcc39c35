//! A service that gives one answer to everything, until it is told another.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::answers::Answer;

pub struct Peer {
    port: u16,
    answer: Arc<Mutex<Given>>,
    task: JoinHandle<()>,
}

/// What is answered to reads, and what to writes.
#[derive(Clone)]
struct Given {
    reads: Arc<Answer>,
    writes: Arc<Answer>,
}

impl Peer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let answer = Arc::new(Answer::new(200, "OK", &[], b"{}"));
        let answer = Arc::new(Mutex::new(Given { reads: Arc::clone(&answer), writes: answer }));
        let given = Arc::clone(&answer);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&given)));
            }
        });
        Self { port, answer, task }
    }

    pub fn root(&self) -> String {
        format!("http://127.0.0.1:{}/api", self.port)
    }

    pub fn answer(&self, answer: Answer) {
        let answer = Arc::new(answer);
        *self.answer.lock().expect("not poisoned") = Given { reads: Arc::clone(&answer), writes: answer };
    }

    /// Answers writes so, and reads with an empty object.
    pub fn answer_writes(&self, answer: Answer) {
        let reads = Arc::new(Answer::new(200, "OK", &[], b"{}"));
        *self.answer.lock().expect("not poisoned") = Given { reads, writes: Arc::new(answer) };
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, given: Arc<Mutex<Given>>) {
    let mut bytes = Vec::new();
    while let Some(length) = read_request(&mut stream, &mut bytes).await {
        let is_read = bytes.starts_with(b"GET ");
        bytes.drain(..length);
        let given = given.lock().expect("not poisoned").clone();
        let answer = if is_read { given.reads } else { given.writes };
        if stream.write_all(&answer.bytes).await.is_err() || !answer.stays {
            break;
        }
    }
    let _ = stream.shutdown().await;
}

/// Reads until there is a request, and gives its length.
async fn read_request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length = end + 4 + length.map_or(0, |length| length.parse().expect("a length"));
            if bytes.len() >= length {
                return Some(length);
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}
