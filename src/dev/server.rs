//! The listeners and connections.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use std::{fmt, io};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::clock::Moment;
use super::faults::{Fate, GARBAGE};
use super::front;
use super::front::Peer;
use super::journal::SeenRequest;
use super::shared::Shared;

/// How often another port is tried when the one that IPv4 gave is taken on IPv6.
const ATTEMPTS: usize = 16;

/// The listeners of one port: on 127.0.0.1, and on ::1 where there is one, because `localhost` may mean either.
pub(super) struct Listeners {
    v4: TcpListener,
    v6: Option<TcpListener>,
}

impl Listeners {
    pub(super) async fn bind() -> io::Result<Self> {
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

    pub(super) fn port(&self) -> io::Result<u16> {
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

/// What every connection needs.
#[derive(Clone)]
pub(super) struct App {
    pub(super) router: Router,
    pub(super) shared: Arc<Shared>,
    pub(super) keep_alive: Duration,
}

/// Accepts connections until it is told to stop; then all of them end with it.
pub(super) async fn run(listeners: Listeners, app: App, mut stopped: watch::Receiver<bool>) {
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
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a fault broke the connection")
    }
}

impl std::error::Error for Broken {}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Broken>> + Send>>;

async fn serve(stream: TcpStream, peer: SocketAddr, app: App) {
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

async fn answer(
    mut request: Request<Incoming>,
    peer: Peer,
    app: App,
    fate: Arc<OnceLock<Fate>>,
) -> Result<Response<Body>, Broken> {
    let ends_here = request.headers().get(header::CONNECTION).is_some_and(|value| value == "close");
    let mut response = match front::malformed(request.uri()) {
        Some(reply) => {
            let route = front::route_name(request.method(), None);
            let seen = SeenRequest::new(&route, request.uri().to_string(), request.headers().clone());
            app.shared.record(seen);
            reply.into_response()
        }
        None => {
            request.extensions_mut().insert(peer);
            let routed: Result<_, Infallible> = TowerToHyperService::new(app.router).call(request).await;
            routed.unwrap_or_else(|never| match never {})
        }
    };
    if let Some(broken) = response.extensions_mut().remove::<Fate>() {
        let _ = fate.set(broken);
        return Err(Broken);
    }
    if !ends_here {
        keep_alive(&mut response, app.keep_alive);
    }
    let now = app.shared.world().now();
    date(&mut response, now);
    if response.status() == StatusCode::METHOD_NOT_ALLOWED || response.status() == StatusCode::BAD_REQUEST {
        // The router adds it; the service does not.
        response.headers_mut().remove(header::ALLOW);
    }
    Ok(response)
}

/// By the server's own clock, which its windows end by too.
fn date(response: &mut Response<Body>, now: Moment) {
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
