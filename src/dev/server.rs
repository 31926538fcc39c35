//! The server: its listeners on loopback, its connections, and the handle that stops it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::body::Body;
use super::clock::Millis;
use super::connection::Shared;
use super::control::Controls;
use super::error::DevServerError;
use super::faults::{Fate, GARBAGE};
use super::middleware::{Peer, Target, record, route_name};
use super::routing::Router;
use super::service::Service;
use super::snapshot::{Seeded, StateFile, load};

/// The number of ports that are tried when the one that IPv4 gave is taken on IPv6.
const ATTEMPTS: usize = 16;

/// The settings of a server that every service has.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// How long a connection may be idle before the server closes it.
    pub(crate) keep_alive: Duration,
    /// How long each call of a handler to the database takes; when left out, a handler makes all its calls at once.
    pub(crate) database_latency: Option<Duration>,
    /// The file that the state is kept in.
    pub(crate) state_file: Option<PathBuf>,
}

/// A running server. Dropping it stops it as well, without waiting.
pub(crate) struct Server<S> {
    port: u16,
    shared: Arc<Shared<S>>,
    tokens: BTreeMap<String, String>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl<S: Service> Server<S> {
    /// Starts a server on a free loopback port, as a task of the current tokio runtime. When its state file is there, `saved`
    /// makes of it what the server starts with, else `seeded` does.
    pub(crate) async fn start(
        settings: Settings,
        saved: impl FnOnce(Seeded<S>) -> Seeded<S>,
        seeded: impl FnOnce() -> Result<Seeded<S>, DevServerError>,
    ) -> Result<Self, DevServerError> {
        let runtime = Handle::try_current().map_err(|_| DevServerError::NoRuntime)?;
        let Settings { keep_alive, database_latency, state_file } = settings;
        let known = state_file.as_deref().map_or(Ok(None), load)?;
        let Seeded { state, tokens } = match known {
            Some(known) => saved(known),
            None => seeded()?,
        };
        let file = state_file.map(|path| StateFile::new(path, tokens.clone()));
        if let Some(file) = &file {
            file.save(&state)?;
        }
        let listeners = Listeners::bind().await.map_err(DevServerError::Bind)?;
        let port = listeners.port().map_err(DevServerError::Bind)?;
        let shared = Arc::new(Shared::new(state, file, database_latency));
        let router = Arc::new(Router::new(shared.state().routes()));
        let app = App { router, shared: Arc::clone(&shared), keep_alive };
        let (stop, stopped) = watch::channel(false);
        let task = runtime.spawn(run(listeners, app, stopped));
        Ok(Server { port, shared, tokens, stop, task })
    }

    /// Starts a server whose state ends with it.
    #[allow(dead_code, reason = "services call it, and there may be none")]
    pub(crate) async fn start_in_memory(
        keep_alive: Duration,
        seeded: impl FnOnce() -> Result<Seeded<S>, DevServerError>,
    ) -> Result<Self, DevServerError> {
        let settings = Settings { keep_alive, database_latency: None, state_file: None };
        Self::start(settings, |saved| saved, seeded).await
    }

    pub(crate) fn shared(&self) -> &Shared<S> {
        &self.shared
    }

    pub(crate) fn controls(&self) -> &Controls {
        self.shared.controls()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The root of the API at a host that means this machine.
    pub(crate) fn root(&self, host: &str) -> String {
        format!("http://{host}:{}{}", self.port, S::ROOT)
    }

    /// The handle of this server, which has this name, for `Debug`.
    pub(crate) fn show(&self, name: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct(name).field("port", &self.port).finish_non_exhaustive()
    }

    /// The token of a caller by name.
    pub(crate) fn token(&self, name: &str) -> Option<&str> {
        self.tokens.get(name).map(String::as_str)
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, by: Duration) {
        // A file that cannot be written now is written with the next change.
        let _ = self.shared.change(|state| {
            state.clock_mut().advance(by);
            Ok(())
        });
    }

    /// Stops the server and waits until its port is closed and all its connections have ended.
    pub(crate) async fn stop(mut self) {
        self.shared.state().end();
        self.stop.send_replace(true);
        // A task that was cancelled with its runtime has ended too.
        let _ = (&mut self.task).await;
    }
}

impl<S> Drop for Server<S> {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.task.abort();
        self.shared.stop_handlers();
    }
}

/// The listeners of one port: on 127.0.0.1, and on ::1 where there is one, because `localhost` may mean either.
struct Listeners {
    v4: TcpListener,
    v6: Option<TcpListener>,
}

impl Listeners {
    async fn bind() -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let v4 = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
            let port = v4.local_addr()?.port();
            match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await {
                Ok(v6) => return Ok(Listeners { v4, v6: Some(v6) }),
                // Somebody else's: `localhost` might reach them.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(_) => return Ok(Listeners { v4, v6: None }),
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    fn port(&self) -> io::Result<u16> {
        self.v4.local_addr().map(|address| address.port())
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.v6 {
            None => self.v4.accept().await,
            Some(v6) => tokio::select! {
                accepted = self.v4.accept() => accepted,
                accepted = v6.accept() => accepted,
            },
        }
    }
}

/// The parts that every connection needs.
struct App<S> {
    router: Arc<Router<S>>,
    shared: Arc<Shared<S>>,
    keep_alive: Duration,
}

impl<S> Clone for App<S> {
    fn clone(&self) -> Self {
        App { router: Arc::clone(&self.router), shared: Arc::clone(&self.shared), keep_alive: self.keep_alive }
    }
}

/// Accepts connections until it is told to stop; then all of them end with it.
async fn run<S: Service>(listeners: Listeners, app: App<S>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listeners.accept() => {
                if let Ok((stream, peer)) = accepted {
                    connections.spawn(serve(stream, peer, app.clone()));
                } else {
                    // Out of file descriptors or the like: let the others go on first.
                    tokio::task::yield_now().await;
                }
            }
            Some(_) = connections.join_next() => {}
            () = told_to_stop(&mut stopped) => break,
        }
    }
    connections.shutdown().await;
    app.shared.stop_handlers();
}

/// A handle that is gone means the same.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// The end of a connection on purpose.
#[derive(Debug, thiserror::Error)]
#[error("a fault broke the connection")]
struct Broken;

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Broken>> + Send>>;

async fn serve<S: Service>(stream: TcpStream, peer: SocketAddr, app: App<S>) {
    // Latency only; a socket that refuses works as well.
    let _ = stream.set_nodelay(true);
    let peer = Peer(peer.ip().to_string());
    let keep_alive = app.keep_alive;
    let fate: Arc<OnceLock<Fate>> = Arc::default();
    let of_service = Arc::clone(&fate);
    let service = service_fn(move |request: Request<Incoming>| -> Answering {
        Box::pin(answer(request, peer.clone(), app.clone(), Arc::clone(&of_service)))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // This covers the wait for the next request as well.
        .header_read_timeout(keep_alive)
        .serve_connection(TokioIo::new(stream), service);
    // Not polled as a future, which would shut the socket down: garbage may have to be written into it.
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let mut stream = connection.into_parts().io.into_inner();
    if let Some(Fate::Garbage) = fate.get() {
        let _ = stream.write_all(GARBAGE).await;
    }
    let _ = stream.shutdown().await;
}

async fn answer<S: Service>(
    mut request: Request<Incoming>,
    peer: Peer,
    app: App<S>,
    fate: Arc<OnceLock<Fate>>,
) -> Result<Response<Body>, Broken> {
    let ends_here = request.headers().get(header::CONNECTION).is_some_and(|value| value == "close");
    let mut response = match S::refuse_path(request.uri()) {
        Some(reply) => {
            record(&app.shared, &route_name(request.method(), None), &mut request);
            S::dress(reply, request.headers()).into_response()
        }
        None => {
            let target = Target(request.uri().to_string());
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(target);
            if let Some(routed) = S::routed(request.uri()) {
                *request.uri_mut() = routed;
            }
            app.router.answer(&app.shared, request).await
        }
    };
    if let Some(broken) = response.extensions_mut().remove::<Fate>() {
        let _ = fate.set(broken);
        return Err(Broken);
    }
    if !ends_here {
        keep_alive(&mut response, app.keep_alive);
    }
    let now = app.shared.state().clock().now();
    date(&mut response, now);
    Ok(response)
}

/// By the server's own clock, which its windows end by too.
fn date(response: &mut Response<Body>, now: Millis) {
    let now = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(now.0));
    // the furthest that the header can say
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    if let Ok(value) = HeaderValue::try_from(httpdate::fmt_http_date(now.map_or(end, |now| now.min(end)))) {
        response.headers_mut().entry(header::DATE).or_insert(value);
    }
}

fn keep_alive(response: &mut Response<Body>, idle: Duration) {
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
    if let Ok(value) = HeaderValue::try_from(format!("timeout={}", idle.as_secs())) {
        headers.insert("keep-alive", value);
    }
}

/// The methods of a service's dev server for its test, over its field `server`; and the path where its API begins.
macro_rules! control_methods {
    ($server:ident, $root:literal) => {
        /// Its addresses, and its end.
        impl $server {
            #[doc = concat!("The base URL, `http://127.0.0.1:PORT", $root, "`.")]
            #[must_use]
            pub fn url(&self) -> String {
                self.server.root("127.0.0.1")
            }

            #[doc = concat!("The base URL by name, `http://localhost:PORT", $root, "`. The server listens on 127.0.0.1 and,")]
            /// where the machine has it, on ::1.
            #[must_use]
            pub fn localhost_url(&self) -> String {
                self.server.root("localhost")
            }

            /// The port, on loopback.
            #[must_use]
            pub fn port(&self) -> u16 {
                self.server.port()
            }

            /// Stops the server and waits until its port is closed and all its connections have ended.
            pub async fn stop(self) {
                self.server.stop().await;
            }
        }

        /// Faults, holds, counts and the clock.
        impl $server {
            /// Lets something go wrong; see [`Fault`].
            pub fn fault(&self, fault: Fault) {
                self.server.controls().script().add(fault);
            }

            /// Takes back all faults that have not happened.
            pub fn clear_faults(&self) {
                self.server.controls().script().clear();
            }

            /// How many faults wait, repeated ones counted once: 0 when the script is over. A fault on a route whose name is
            /// misspelt waits for ever.
            #[must_use]
            pub fn pending_faults(&self) -> usize {
                self.server.controls().script().len()
            }

            /// Holds the answers of a route back: a method and a path as in the constants of `route`, or a path alone.
            pub fn hold(&self, route: impl Into<String>) -> Hold {
                self.server.controls().holds().hold(route.into())
            }

            /// Holds the requests to a route back between their look at the database and their first write to it, so that a
            /// test can put another request in between: with two requests held there, each has seen what was before the
            /// other. The documentation of the module names the routes that have such a place.
            ///
            /// A request that is refused, or that has nothing to write, passes. A client that gives up does not take its
            /// request back: it is written after the release.
            pub fn hold_writes(&self, route: impl Into<String>) -> Hold {
                self.server.controls().write_holds().hold(route.into())
            }

            /// How many requests a route has had since the start or the last [`reset_counts`](Self::reset_counts). A path
            /// alone counts every method; `GET *` counts those to no route.
            #[must_use]
            pub fn request_count(&self, route: &str) -> u64 {
                self.server.controls().journal().count(route)
            }

            /// How many requests each route has had.
            #[must_use]
            pub fn request_counts(&self) -> std::collections::BTreeMap<String, u64> {
                self.server.controls().journal().counts()
            }

            /// How many requests there were.
            #[must_use]
            pub fn total_requests(&self) -> u64 {
                self.server.controls().journal().counts().values().sum()
            }

            /// The last requests to a route, the oldest first; the server keeps 512 in all.
            #[must_use]
            pub fn requests(&self, route: &str) -> Vec<SeenRequest> {
                self.server.controls().journal().requests(route)
            }

            /// The last requests to any route, the oldest first; the server keeps 512.
            #[must_use]
            pub fn all_requests(&self) -> Vec<SeenRequest> {
                self.server.controls().journal().all()
            }

            /// Forgets the counts and the requests.
            pub fn reset_counts(&self) {
                self.server.controls().journal().reset();
            }

            /// Moves the server's clock: windows of rate limits end, tokens expire. Nothing sleeps.
            pub fn advance(&self, by: std::time::Duration) {
                self.server.advance(by);
            }
        }
    };
}

pub(crate) use control_methods;
