//! What an uncached read costs beside the least that a program can do: bare reqwest, and serde_json into a `HashMap`.
//!
//! Both talk to one server at a time over a connection that stays open, in turns of a few requests, so that both meet the
//! same noise. The first server is a thread that sends recorded bytes and does nothing else; the second is the dev server.
//!
//! `cargo bench --bench read` measures; `cargo bench --bench read -- --test` runs each measurement once, shortly.
//!
//! `-- --count ours N` and `-- --count bare N` do nothing but read N times, from a server in a process of its own. Under
//! `valgrind --tool=callgrind`, the difference of two such runs is what so many reads cost in instructions, which does not depend
//! on what else the machine does.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a bench that cannot go on should stop, and its output is its result

use std::collections::HashMap;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::{DevServer, RateLimits};

const SECRETS: usize = 50;
/// Requests of one contender before it is the other's turn.
const TURN: usize = 20;

/// How much is measured.
struct Effort {
    runs: usize,
    requests: usize,
}

pub(crate) fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve"] => return serve(),
        ["--count", contender, requests] => return count(contender, requests.parse().unwrap()),
        _ => {}
    }
    let effort = match std::env::args().any(|argument| argument == "--test") {
        true => Effort { runs: 1, requests: TURN },
        false => Effort { runs: 9, requests: 3000 },
    };
    let service = Service::start();
    let recorded = record(&service);
    println!("{:<44} {:>8} {:>8} {:>8} {:>7}", "µs an uncached read of 50 secrets", "median", "least", "most", "ratio");
    compare("recorded answer", &recorded, &effort);
    compare("dev server", &service.place, &effort);
}

/// Serves recorded bytes until the input ends, and tells where.
fn serve() {
    let service = Service::start();
    let Place { root, project, token } = record(&service);
    println!("{root}\n{project}\n{token}");
    let _ = std::io::stdin().read(&mut [0]);
}

/// So many reads of one contender.
fn count(contender: &str, requests: usize) {
    let this = std::env::current_exe().unwrap();
    let mut server = Command::new(this).arg("--serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut line = || lines.next().unwrap();
    let place = Place { root: line(), project: line(), token: line() };
    let (ours, bare) = (ours(&place), Bare::new(&place));
    runtime().block_on(async {
        for _ in 0..requests {
            match contender {
                "ours" => assert_eq!(ours.get_secrets("production").no_cache().await.unwrap().len(), SECRETS),
                "bare" => assert_eq!(bare.read().await.len(), SECRETS),
                _ => panic!("there is no contender {contender}"),
            }
        }
    });
    drop(server.stdin.take());
    server.wait().unwrap();
}

fn ours(place: &Place) -> XtraClient {
    let builder = XtraClient::builder().token(place.token.as_str()).project_id(place.project.as_str());
    builder.api_url(place.root.as_str()).build().unwrap()
}

/// Where to read, and as whom.
#[derive(Clone)]
struct Place {
    root: String,
    project: String,
    token: String,
}

impl Place {
    fn url(&self) -> String {
        format!("{}/projects/{}/envs/production/secrets?branch=main", self.root, self.project)
    }
}

/// The dev server on a thread of its own, with fifty secrets in `production` on `main`.
struct Service {
    place: Place,
    _stop: oneshot::Sender<()>,
}

impl Service {
    fn start() -> Self {
        let (ready, started) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        thread::spawn(move || {
            runtime().block_on(async {
                let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
                let place = Place {
                    root: server.url(),
                    project: server.project_id().to_owned(),
                    token: server.token().to_owned(),
                };
                ready.send((place, server)).unwrap();
                let _ = stopped.await;
            });
        });
        let (place, server) = started.recv().unwrap();
        fill(&server);
        // the task that serves belongs to the runtime of the thread; the handle would stop it when dropped
        std::mem::forget(server);
        Self { place, _stop: stop }
    }
}

fn fill(server: &DevServer) {
    for name in ["API_KEY", "DATABASE_URL", "FEATURE_NEW_UI"] {
        server.remove_secret("demo", "production", "main", name).unwrap();
    }
    for number in 0..SECRETS {
        let (name, value) =
            (format!("SERVICE_SETTING_{number:02}"), format!("{number:02}-0123456789abcdef0123456789abc"));
        server.set_secret("demo", "production", "main", &name, &value).unwrap();
    }
}

/// A thread for each connection that answers whatever it is asked with what the dev server answered once.
fn record(service: &Service) -> Place {
    let answer: Arc<[u8]> = exchange(&service.place).into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || repeat(connection.unwrap(), &answer));
        }
    });
    Place { root: format!("http://{address}/api"), ..service.place.clone() }
}

/// One request by hand, and every byte of its answer.
fn exchange(place: &Place) -> Vec<u8> {
    let url = place.url();
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut connection = TcpStream::connect(host.parse::<SocketAddr>().unwrap()).unwrap();
    write!(connection, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n\r\n", place.token)
        .unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !answer.ends_with(b"\r\n0\r\n\r\n") {
        let read = connection.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "the dev server answers in chunks");
        answer.extend_from_slice(&buffer[..read]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    answer
}

fn repeat(mut connection: TcpStream, answer: &[u8]) {
    connection.set_nodelay(true).unwrap();
    let mut buffer = [0; 4096];
    let mut filled = 0;
    while let Ok(read) = connection.read(&mut buffer[filled..]) {
        filled += read;
        if read == 0 {
            return;
        }
        if buffer[..filled].ends_with(b"\r\n\r\n") {
            filled = 0;
            connection.write_all(answer).unwrap();
        }
    }
}

/// Both contenders against one server, on one runtime.
fn compare(server: &str, place: &Place, effort: &Effort) {
    let runtime = runtime();
    let (ours, bare) = (ours(place), Bare::new(place));
    let (mut our_runs, mut bare_runs) = (Vec::new(), Vec::new());
    for run in 0..=effort.runs {
        let (mut our_time, mut bare_time) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..effort.requests / TURN {
            bare_time += time(&runtime, async || assert_eq!(black_box(bare.read().await).len(), SECRETS));
            our_time += time(&runtime, async || {
                let secrets = ours.get_secrets("production").no_cache().await.unwrap();
                assert_eq!(black_box(secrets).len(), SECRETS);
            });
        }
        // the first run warms up
        if run > 0 || effort.runs == 1 {
            our_runs.push(our_time.as_secs_f64() * 1e6 / effort.requests as f64);
            bare_runs.push(bare_time.as_secs_f64() * 1e6 / effort.requests as f64);
        }
    }
    let bare_median = report(&format!("bare reqwest + serde_json, {server}"), &mut bare_runs, None);
    report(&format!("get_secrets(..).no_cache(), {server}"), &mut our_runs, Some(bare_median));
}

fn time(runtime: &Runtime, mut request: impl AsyncFnMut()) -> Duration {
    runtime.block_on(async {
        let start = Instant::now();
        for _ in 0..TURN {
            request().await;
        }
        start.elapsed()
    })
}

fn report(what: &str, runs: &mut [f64], beside: Option<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    let (median, least, most) = (runs[runs.len() / 2], runs[0], runs[runs.len() - 1]);
    let ratio = beside.map(|other| format!("{:.3}", median / other)).unwrap_or_default();
    println!("{what:<44} {median:>8.1} {least:>8.1} {most:>8.1} {ratio:>7}");
    median
}

/// The least that reads the same: the same connection options, a Bearer header, the whole body, a map of strings.
struct Bare {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Bare {
    fn new(place: &Place) -> Self {
        // reqwest asks for it when a client is made, although nothing here speaks TLS
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(4))
            .build()
            .unwrap();
        Self { http, url: place.url(), token: place.token.clone() }
    }

    async fn read(&self) -> HashMap<String, String> {
        let answer = self.http.get(&self.url).bearer_auth(&self.token).send().await.unwrap();
        let body = answer.error_for_status().unwrap().bytes().await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
