//! A service that closes connections at a moment of the program's choice.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

/// A service that answers once on each connection, and closes it when it is told to.
pub struct HangsUp {
    pub url: String,
    /// Closes the connection that was answered on last, and sends the first line of its request.
    close: mpsc::Sender<mpsc::Sender<String>>,
}

impl HangsUp {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}/api", listener.local_addr().unwrap().port());
        let (close, closes) = mpsc::channel::<mpsc::Sender<String>>();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let first = lines.next().unwrap_or_default();
                lines.find(String::is_empty);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
                (&stream).write_all(answer).unwrap();
                let Ok(closed) = closes.recv() else { break };
                drop(stream);
                closed.send(first).unwrap();
            }
        });
        Self { url, close }
    }

    pub fn close(&self) -> String {
        let (closed, first) = mpsc::channel();
        self.close.send(closed).unwrap();
        first.recv().unwrap()
    }
}
