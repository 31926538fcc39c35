//! A way to a server that keeps what the server has answered.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Everything that has come back on this way, in the order of its arrival.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    pub(crate) fn so_far(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Whether a text has come since then.
    pub(crate) fn since(&self, start: usize, text: &str) -> bool {
        let heard = self.0.lock().unwrap();
        heard[start..].windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// Opens a way to a port of this machine. It is closed with the runtime.
pub(crate) async fn way_to(port: u16) -> (u16, Heard) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let log = heard.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, port, log.clone()));
        }
    });
    (own, heard)
}

async fn pass(client: TcpStream, port: u16, log: Heard) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async { tokio::io::copy(&mut from_client, &mut to_server).await.map(drop) };
    let back = async {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let length = from_server.read(&mut buffer).await?;
            if length == 0 {
                return to_client.shutdown().await;
            }
            // kept before the client can act on it
            log.0.lock().unwrap().extend_from_slice(&buffer[..length]);
            to_client.write_all(&buffer[..length]).await?;
        }
    };
    let _ = tokio::select! { ended = there => ended, ended = back => ended };
}
