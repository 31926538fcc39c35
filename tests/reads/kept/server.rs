//! A service of plain sockets, on threads of its own, that answers what it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use xtrasecurity::{XtraClient, XtraClientBuilder};

pub const PROJECT: &str = "665f1c2ab7c0de0012345678";
pub const TOKEN: &str = "xs_kept_0123456789";

/// What a request is answered with.
#[derive(Clone)]
pub enum Says {
    /// These bytes, to whatever is asked.
    Bytes(Vec<u8>),
    /// One answer to reads in the flat form, and another to those in the form with versions.
    Forms(Vec<u8>, Vec<u8>),
    /// These bytes to reads in the flat form, and nothing to those in the form with versions.
    FlatOnly(Vec<u8>),
    /// Nothing, until it is told something else.
    Hangs,
    /// The end of the connection.
    Closes,
}

pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    says: Mutex<Says>,
    changed: Condvar,
    targets: Mutex<Vec<String>>,
}

impl Server {
    pub fn start(says: Says) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { says: Mutex::new(says), changed: Condvar::new(), targets: Mutex::default() });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    pub fn says(&self, says: Says) {
        *self.state.says.lock().unwrap() = says;
        self.state.changed.notify_all();
    }

    /// How many requests have come.
    pub fn requests(&self) -> usize {
        self.state.targets.lock().unwrap().len()
    }

    pub fn url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    pub fn builder(&self) -> XtraClientBuilder {
        XtraClient::builder().token(TOKEN).project_id(PROJECT).api_url(self.url()).max_retries(0)
    }
}

fn serve(mut stream: TcpStream, state: &State) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(target) = lines.next() else { return };
    let _ = lines.by_ref().find(String::is_empty);
    state.targets.lock().unwrap().push(target.clone());
    let versions = target.contains("includeVersions=true");
    let hangs = |says: &mut Says| matches!(says, Says::Hangs) || (versions && matches!(says, Says::FlatOnly(_)));
    let says = state.changed.wait_while(state.says.lock().unwrap(), hangs).unwrap();
    let says = says.clone();
    let bytes = match says {
        Says::Bytes(bytes) | Says::FlatOnly(bytes) => bytes,
        Says::Forms(_, bytes) if versions => bytes,
        Says::Forms(flat, _) => flat,
        Says::Hangs | Says::Closes => return,
    };
    let _ = stream.write_all(&bytes);
}

/// An answer of the service itself to a read.
pub fn own(body: &str) -> Vec<u8> {
    let quota = "x-ratelimit-limit: 1000\r\nx-ratelimit-remaining: 900\r\nx-ratelimit-reset: 0\r\n";
    answer(200, &format!("content-type: application/json\r\n{quota}"), body)
}

/// An answer with these header lines, each with its line end.
pub fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Any\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

pub fn json(status: u16, body: &str) -> Vec<u8> {
    answer(status, "content-type: application/json\r\n", body)
}

pub fn html(status: u16, body: &str) -> Vec<u8> {
    answer(status, "content-type: text/html\r\n", body)
}
