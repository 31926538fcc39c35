//! A service on a loopback port: the one that the secrets come from, and the daemon that docker sends an environment to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Answers every request with this JSON, by one connection each. Gives the port and the bodies of what was posted.
pub fn serve(answer: String) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, posted) = channel();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            // who goes away in the middle has sent nothing of use
            if let Some(body) = exchange(connection, &answer)
                && sender.send(body).is_err()
            {
                break;
            }
        }
    });
    (port, posted)
}

fn exchange(mut connection: TcpStream, answer: &str) -> Option<String> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    let (mut first, mut length, mut chunked) = (String::new(), 0, false);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        chunked |= header == "transfer-encoding: chunked";
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    if chunked {
        body = chunks(&mut reader)?;
    }
    let is_post = first.starts_with("POST");
    let status = if is_post { "201 Created" } else { "200 OK" };
    // the last header is docker's
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\napi-version: 1.41\r\n\r\n",
        answer.len()
    );
    let body_of_answer = if first.starts_with("HEAD") { "" } else { answer };
    connection.write_all(head.as_bytes()).ok()?;
    connection.write_all(body_of_answer.as_bytes()).ok()?;
    is_post.then(|| String::from_utf8(body).ok()).flatten()
}

fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).ok()?;
        if size == 0 {
            return Some(all);
        }
        all.extend_from_slice(chunk.get(..size)?);
    }
}
