//! A server that answers each connection by script.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

/// What is done to one connection.
pub(super) enum Act {
    /// Read the request, answer with these bytes, close.
    Answer(Vec<u8>),
    /// Read the request, close without a word.
    Hang,
    /// Read the request, then say nothing until the client goes away.
    Silence,
}

/// An answer with an announced length.
pub(super) fn answer(status: u16, headers: &str, body: &str) -> Act {
    let length = body.len();
    Act::Answer(
        format!("HTTP/1.1 {status} Any\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
            .into_bytes(),
    )
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    arrived: Notify,
}

/// Listens on a free port until dropped. Connections past the end of the script are closed unread.
pub(super) struct Server {
    address: SocketAddr,
    seen: Arc<Seen>,
    gone: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(script: Vec<Act>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let seen = Arc::new(Seen::default());
        let gone = Arc::new(Semaphore::new(0));
        let task = tokio::spawn(serve(listener, script, Arc::clone(&seen), Arc::clone(&gone)));
        Self { address, seen, gone, task }
    }

    pub(super) fn root(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Every request so far, head and body.
    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().expect("not poisoned").clone()
    }

    pub(super) async fn request_arrived(&self) {
        self.seen.arrived.notified().await;
    }

    /// Returns once a client met with [`Act::Silence`] has closed its side.
    pub(super) async fn client_gone(&self) {
        self.gone.acquire().await.expect("open").forget();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, script: Vec<Act>, seen: Arc<Seen>, gone: Arc<Semaphore>) {
    let mut script = script.into_iter();
    while let Ok((mut stream, _)) = listener.accept().await {
        let Some(act) = script.next() else { continue };
        let Some(request) = read_request(&mut stream).await else { continue };
        seen.requests.lock().expect("not poisoned").push(request);
        seen.arrived.notify_one();
        match act {
            Act::Hang => {}
            Act::Answer(bytes) => {
                // a client that has read enough closes early, which is no concern of the script
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
            Act::Silence => {
                let gone = Arc::clone(&gone);
                tokio::spawn(async move {
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                    gone.add_permits(1);
                });
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap_or(0));
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
