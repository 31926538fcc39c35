//! What secrets cost a program that starts: a whole process, from its start to its end, against the dev server.
//!
//! The first program injects 50 secrets by the blocking client and ends. The second is `xtrasec run -- true`. A process that
//! does nothing at all is timed beside them, because most of such a time is the operating system's.
//!
//! `cargo bench --bench startup` measures; `cargo bench --bench startup -- --test` runs each measurement a few times.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a bench that cannot go on should stop, and its output is its result

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use xtrasecurity::blocking::XtraClient;
use xtrasecurity::dev_server::{DevServer, ProjectSeed, RateLimits};

const SECRETS: usize = 50;
/// The argument that makes this program the one that is measured.
const PROGRAM: &str = "inject-and-exit";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(PROGRAM) => inject_and_exit(),
        Some("nothing") => {}
        _ => measure(if arguments.iter().any(|argument| argument == "--test") { 3 } else { 200 }),
    }
}

/// The program that is measured. What it prints is the most memory that it ever had.
fn inject_and_exit() {
    let client = XtraClient::from_env().unwrap();
    let report = client.inject_secrets("production").send().unwrap();
    assert_eq!(report.set().len(), SECRETS);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    println!("{}", peak.trim().trim_end_matches(" kB"));
}

fn measure(runs: usize) {
    let service = Service::start();
    let own = std::env::current_exe().unwrap();
    let own = own.to_str().unwrap();
    let xtrasec = env!("CARGO_BIN_EXE_xtrasec");
    println!(
        "{:<50} {:>8} {:>8} {:>8}",
        format!("milliseconds from start to end, {runs} runs"),
        "median",
        "least",
        "most"
    );
    let mut peaks = Vec::new();
    row("a process that does nothing", runs, || time(service.command(own, &["nothing"])).0);
    row("blocking client: 50 secrets injected", runs, || {
        let (took, output) = time(service.command(own, &[PROGRAM]));
        peaks.extend(output.trim().parse::<f64>());
        took
    });
    row("xtrasec run -- true", runs, || {
        time(service.command(xtrasec, &["run", "--env", "production", "--", "true"])).0
    });
    println!();
    row("until the first request: blocking client", runs, || first_request(service.command(own, &[PROGRAM])));
    row("until the first request: xtrasec list", runs, || {
        first_request(service.command(xtrasec, &["list", "--env", "production"]))
    });
    peaks.sort_by(f64::total_cmp);
    if let (Some(most), Some(median)) = (peaks.last(), peaks.get(peaks.len() / 2)) {
        println!(
            "\npeak memory of the first program: median {:.1} MiB, most {:.1} MiB",
            median / 1024.0,
            most / 1024.0
        );
    }
}

fn row(what: &str, runs: usize, mut once: impl FnMut() -> Duration) {
    let mut took: Vec<f64> = (0..runs).map(|_| once().as_secs_f64() * 1e3).collect();
    took.sort_by(f64::total_cmp);
    println!("{what:<50} {:>8.2} {:>8.2} {:>8.2}", took[runs / 2], took[0], took[runs - 1]);
}

/// How long the process ran, and what it wrote.
fn time(mut command: Command) -> (Duration, String) {
    let started = Instant::now();
    let output = command.output().unwrap();
    let took = started.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (took, String::from_utf8(output.stdout).unwrap())
}

/// How long it took until the whole of the first request was here.
fn first_request(mut command: Command) -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    command.env("XTRA_API_URL", format!("http://{}/api", listener.local_addr().unwrap()));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the program hung up");
        seen.extend_from_slice(&buffer[..read]);
    }
    let took = started.elapsed();
    stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    drop(stream);
    child.wait().unwrap();
    took
}

/// The dev server on a thread of its own, with fifty secrets in `production` on `main`.
struct Service {
    token: String,
    project: String,
    root: String,
}

impl Service {
    fn start() -> Self {
        let (sender, receiver) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut project = ProjectSeed::new("startup");
                for number in 0..SECRETS {
                    project = project.secret("production", format!("STARTUP_{number}"), format!("value {number}"));
                }
                let server =
                    DevServer::builder().rate_limits(RateLimits::off()).project(project).start().await.unwrap();
                let place = Self {
                    token: server.token().to_owned(),
                    project: server.project_id().to_owned(),
                    root: server.url(),
                };
                sender.send(place).unwrap();
                std::future::pending::<()>().await;
            });
        });
        receiver.recv().unwrap()
    }

    /// A process with nothing in its environment but what it takes to reach the service.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/nonexistent");
        command.env("XTRA_TOKEN", &self.token).env("XTRA_PROJECT_ID", &self.project).env("XTRA_API_URL", &self.root);
        command
    }
}
