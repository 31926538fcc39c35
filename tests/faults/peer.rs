//! A peer on a loopback socket that answers well until it is told to do one thing wrong, then well again.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::families::names::Names;
use crate::planted::KEY;

/// What is done to a connection in place of a good answer.
#[derive(Clone)]
pub struct Act {
    /// Whether the request is read first.
    reads: bool,
    sends: Sends,
    ends: Ends,
}

#[derive(Clone)]
enum Sends {
    Bytes(Vec<u8>),
    /// A byte, a pause, a byte …
    Slowly(Vec<u8>, Duration),
    /// The first once, then the second again and again until the client goes away.
    WithoutEnd(Vec<u8>, Vec<u8>),
}

#[derive(Clone, Copy, PartialEq)]
enum Ends {
    Closed,
    /// Without the farewell of TLS, where there is TLS.
    Dropped,
    Reset,
    Silent,
}

impl Act {
    fn new(sends: Sends, ends: Ends) -> Self {
        Self { reads: true, sends, ends }
    }

    /// These bytes, then the end of the connection.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Sends::Bytes(bytes.into()), Ends::Closed)
    }

    /// An answer with these header lines, each with its line end, and an announced length.
    pub fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head =
            format!("HTTP/1.1 {status} Any\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
        Self::bytes([head.as_bytes(), body].concat())
    }

    /// These bytes, then a reset.
    pub fn reset_after(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Sends::Bytes(bytes.into()), Ends::Reset)
    }

    /// These bytes, then the end of the connection, unannounced.
    pub fn dropped_after(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Sends::Bytes(bytes.into()), Ends::Dropped)
    }

    /// A reset before anything is read.
    pub fn reset_at_once() -> Self {
        Self { reads: false, ..Self::reset_after("") }
    }

    /// These bytes, then nothing more, while the connection stays open.
    pub fn silence_after(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Sends::Bytes(bytes.into()), Ends::Silent)
    }

    pub fn slowly(bytes: impl Into<Vec<u8>>, pause: Duration) -> Self {
        Self::new(Sends::Slowly(bytes.into(), pause), Ends::Closed)
    }

    pub fn without_end(first: impl Into<Vec<u8>>, again: impl Into<Vec<u8>>) -> Self {
        Self::new(Sends::WithoutEnd(first.into(), again.into()), Ends::Closed)
    }
}

/// What is wrong with a peer.
#[derive(Clone)]
pub enum Wrong {
    /// What it says.
    Act(Act),
    /// What it says the first time that it is asked.
    Once(Act),
    /// Its certificate.
    Tls(Arc<ServerConfig>),
    /// It does this where a TLS handshake should be.
    NoTls(Act),
    /// Lookups of its name.
    Names(Names),
    /// It closes idle connections, and is well otherwise.
    IdleClosed,
    /// It does not listen.
    Refused,
}

/// How a good peer serves.
#[derive(Clone, Default)]
pub struct Manner {
    /// Several requests on one connection.
    pub keeps_alive: bool,
    pub tls: Option<Arc<ServerConfig>>,
}

struct State {
    manner: Manner,
    value: Mutex<&'static str>,
    wrong: Mutex<Option<Wrong>>,
    requests: watch::Sender<u64>,
    connections: AtomicU64,
    /// Told to connections that wait for their next request.
    hang_up: Notify,
    open: watch::Sender<usize>,
}

/// Listens until dropped.
pub struct Peer {
    address: SocketAddr,
    state: Arc<State>,
    task: Option<JoinHandle<()>>,
}

impl Peer {
    pub async fn start(manner: Manner, value: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            manner,
            value: Mutex::new(value),
            wrong: Mutex::new(None),
            requests: watch::Sender::new(0),
            connections: AtomicU64::new(0),
            hang_up: Notify::new(),
            open: watch::Sender::new(0),
        });
        let task = Some(tokio::spawn(listen(listener, Arc::clone(&state))));
        Self { address, state, task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests read to the end of their heads.
    pub fn requests(&self) -> u64 {
        *self.state.requests.borrow()
    }

    /// Returns once there have been so many.
    pub async fn requested(&self, times: u64) {
        let _ = self.state.requests.subscribe().wait_for(|requests| *requests >= times).await;
    }

    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// What good answers hold from now on.
    pub fn turn(&self, value: &'static str) {
        *self.state.value.lock().unwrap() = value;
    }

    pub async fn go_wrong(&mut self, wrong: Wrong) {
        if matches!(wrong, Wrong::Refused) {
            self.stop().await;
        }
        if let Wrong::Names(names) = &wrong {
            names.set_wrong(true);
        }
        let idle_closed = matches!(wrong, Wrong::IdleClosed);
        *self.state.wrong.lock().unwrap() = Some(wrong);
        if idle_closed {
            self.state.hang_up.notify_waiters();
            let _ = self.state.open.subscribe().wait_for(|open| *open == 0).await;
        }
    }

    /// Well again, whatever was wrong.
    pub async fn mend(&mut self) {
        let wrong = self.state.wrong.lock().unwrap().take();
        if let Some(Wrong::Names(names)) = wrong {
            names.set_wrong(false);
        }
        if self.task.is_none() {
            let listener = TcpListener::bind(self.address).await.expect("the port was free a moment ago");
            self.task = Some(tokio::spawn(listen(listener, Arc::clone(&self.state))));
        }
    }

    async fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            // gone, and its sockets with it
            let _ = task.await;
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl State {
    fn wrong(&self) -> Option<Wrong> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn act(&self) -> Option<Act> {
        match self.wrong() {
            Some(Wrong::Act(act) | Wrong::Once(act)) => Some(act),
            _ => None,
        }
    }

    /// The same for a request, of which there may be one only.
    fn act_on_request(&self) -> Option<Act> {
        let act = self.act();
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*wrong, Some(Wrong::Once(_))) {
            *wrong = None;
        }
        act
    }

    fn good(&self) -> Vec<u8> {
        let connection = if self.manner.keeps_alive { "keep-alive" } else { "close" };
        let body = format!(r#"{{"{KEY}":"{}"}}"#, self.value.lock().unwrap());
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: {connection}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

async fn listen(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        state.connections.fetch_add(1, Ordering::SeqCst);
        connections.spawn(connection(stream, Arc::clone(&state)));
        while connections.try_join_next().is_some() {}
    }
}

/// Counts a connection for as long as it lives.
struct Open<'a>(&'a watch::Sender<usize>);

impl<'a> Open<'a> {
    fn new(open: &'a watch::Sender<usize>) -> Self {
        open.send_modify(|open| *open += 1);
        Self(open)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    let _open = Open::new(&state.open);
    let act = state.act();
    if act.as_ref().is_some_and(|act| !act.reads) {
        let _ = stream.set_zero_linger();
        return;
    }
    // whether the connection ends by a reset is up to the socket, which is out of reach once it is wrapped
    if act.is_some_and(|act| act.ends == Ends::Reset) {
        let _ = stream.set_zero_linger();
    }
    let tls = match state.wrong() {
        Some(Wrong::Tls(config)) => Some(config),
        Some(Wrong::NoTls(act)) => {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = perform(&act, &mut stream).await;
            return;
        }
        _ => state.manner.tls.clone(),
    };
    // a client that goes away early is no concern of the peer's
    let _ = match tls {
        Some(config) => match TlsAcceptor::from(config).accept(stream).await {
            Ok(stream) => serve(stream, &state).await,
            Err(error) => Err(error),
        },
        None => serve(stream, &state).await,
    };
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, state: &State) -> io::Result<()> {
    loop {
        let came = tokio::select! {
            came = read_head(&mut stream) => came?,
            () = state.hang_up.notified() => return Ok(()),
        };
        if !came {
            return Ok(());
        }
        state.requests.send_modify(|requests| *requests += 1);
        match state.act_on_request() {
            Some(act) => return perform(&act, &mut stream).await,
            None => stream.write_all(&state.good()).await?,
        }
        if !state.manner.keeps_alive {
            return stream.shutdown().await;
        }
    }
}

async fn perform(act: &Act, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    match &act.sends {
        Sends::Bytes(bytes) => stream.write_all(bytes).await?,
        Sends::Slowly(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[*byte]).await?;
                stream.flush().await?;
                sleep(*pause).await;
            }
        }
        Sends::WithoutEnd(first, again) => {
            stream.write_all(first).await?;
            loop {
                stream.write_all(again).await?;
            }
        }
    }
    stream.flush().await?;
    match act.ends {
        Ends::Closed => stream.shutdown().await,
        Ends::Dropped | Ends::Reset => Ok(()),
        Ends::Silent => stream.read_to_end(&mut Vec::new()).await.map(|_| ()),
    }
}

/// Reads a request without a body; false at the end of the connection.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
