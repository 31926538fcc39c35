//! The promises of the dev server to the tests that use it: faults, holds, counts, its start and its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{Answer, Call};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};

fn read(server: &DevServer) -> Call<'static> {
    let target = format!("/api/projects/{}/envs/production/secrets", server.project_id());
    Call::get(target).token(server.token())
}

async fn answer(server: &DevServer) -> Answer {
    read(server).send(server.port()).await.unwrap()
}

/// Lets the server's tasks run until something is so.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_demo_server_answers_with_its_secrets() {
    let server = DevServer::start().await.unwrap();
    let answer = answer(&server).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["API_KEY"], "demo-production-key");
    assert_eq!(server.url(), format!("http://127.0.0.1:{}/api", server.port()));
    for name in ["owner", "admin", "developer", "viewer", "outsider", "ci", "deploy"] {
        assert!(server.token_for(name).is_some(), "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn faults_happen_in_the_order_of_the_script() {
    let server = DevServer::start().await.unwrap();
    server.fault(Fault::status(503).header("retry-after", "1"));
    server.fault(Fault::refuse());
    server.fault(Fault::cut_body());
    server.fault(Fault::garbage());
    server.fault(Fault::body(200, "text/html", "<html>"));
    server.fault(Fault::redirect(307, "https://elsewhere.test/"));
    server.fault(Fault::headers([("x-ratelimit-remaining", "7")]));
    let call = read(&server);
    let busy = call.send(server.port()).await.unwrap();
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("1")));
    assert!(call.send(server.port()).await.is_err(), "no answer at all");
    let cut = call.send(server.port()).await.unwrap();
    assert_eq!((cut.status, cut.is_whole), (200, false));
    assert!(!cut.body.is_empty(), "a part of the body is there");
    assert!(call.send(server.port()).await.is_err(), "garbage is no answer");
    let page = call.send(server.port()).await.unwrap();
    assert_eq!((page.status, page.header("content-type"), page.body.as_str()), (200, Some("text/html"), "<html>"));
    let moved = call.send(server.port()).await.unwrap();
    assert_eq!((moved.status, moved.header("location")), (307, Some("https://elsewhere.test/")));
    let decorated = call.send(server.port()).await.unwrap();
    assert_eq!((decorated.status, decorated.header("x-ratelimit-remaining")), (200, Some("7")));
    assert_eq!(decorated.json()["API_KEY"], "demo-production-key");
    let real = call.send(server.port()).await.unwrap();
    assert_ne!(real.header("x-ratelimit-remaining"), Some("7"), "the script is over");
    assert_eq!(server.request_count(route::SECRETS_READ), 8, "a request that is hit counts");
    server.stop().await;
}

#[tokio::test]
async fn garbage_is_bytes_and_a_refusal_is_none() {
    let server = DevServer::start().await.unwrap();
    for (fault, is_silent) in [(Fault::garbage(), false), (Fault::refuse(), true)] {
        server.fault(fault);
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
        stream.write_all(&read(&server).bytes()).await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        assert_eq!(received.is_empty(), is_silent);
        assert!(!received.starts_with(b"HTTP"));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_fault_on_a_route_hits_no_other() {
    let server = DevServer::start().await.unwrap();
    server.fault(Fault::status(500).on(route::SECRETS_UPSERT).forever());
    assert_eq!(answer(&server).await.status, 200);
    let target = read(&server).target;
    let write = Call::new("POST", target).token(server.token()).json(r#"{"secrets":{"A":"1"}}"#);
    for _ in 0..3 {
        assert_eq!(write.send(server.port()).await.unwrap().status, 500);
    }
    assert_eq!(server.secret("demo", "production", "main", "A"), None, "the write never got to the state");
    server.clear_faults();
    assert_eq!(write.send(server.port()).await.unwrap().status, 200);
    assert_eq!(server.secret("demo", "production", "main", "A").as_deref(), Some("1"));
    server.stop().await;
}

#[tokio::test]
async fn a_fault_repeats_as_often_as_it_says() {
    let server = DevServer::start().await.unwrap();
    server.fault(Fault::status(502).times(2));
    server.fault(Fault::status(504).times(0));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(answer(&server).await.status);
    }
    assert_eq!(statuses, [502, 502, 200]);
    assert_eq!(server.pending_faults(), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_delayed_answer_is_the_real_one_later() {
    let server = DevServer::start().await.unwrap();
    let delay = Duration::from_millis(40);
    server.fault(Fault::delay(delay));
    let started = Instant::now();
    assert_eq!(answer(&server).await.status, 200);
    assert!(started.elapsed() >= delay);
    server.stop().await;
}

#[tokio::test]
async fn stopping_ends_an_answer_that_hangs_and_closes_the_port() {
    let server = DevServer::start().await.unwrap();
    server.fault(Fault::hang());
    let (call, port) = (read(&server), server.port());
    let hanging = tokio::spawn(async move { call.send(port).await.map(|answer| answer.status) });
    until(|| server.total_requests() == 1).await;
    assert!(!hanging.is_finished());
    server.stop().await;
    assert!(hanging.await.unwrap().is_err(), "ended without an answer");
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "nobody listens");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_server_ends_its_connections() {
    let server = DevServer::start().await.unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    assert_eq!(read(&server).send_on(&mut stream).await.unwrap().status, 200);
    drop(server);
    // Ends only when the server has closed its side; a reset is an end as well.
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn a_hold_keeps_answers_back_until_it_is_released() {
    let server = Arc::new(DevServer::start().await.unwrap());
    let hold = server.hold(route::SECRETS_READ);
    let send = || {
        let (call, port) = (read(&server), server.port());
        tokio::spawn(async move { call.send(port).await.unwrap().status })
    };
    let (first, second, gone) = (send(), send(), send());
    hold.waiting_for(3).await;
    assert_eq!((hold.waiting(), server.request_count(route::SECRETS_READ)), (3, 3));
    assert!(!first.is_finished() && !second.is_finished());
    let health = Call::get("/api/health").send(server.port()).await.unwrap();
    assert_eq!(health.status, 200, "other routes are not held");
    gone.abort();
    until(|| hold.waiting() == 2).await;
    server.set_secret("demo", "production", "main", "API_KEY", "changed meanwhile").unwrap();
    hold.release();
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (200, 200));
    assert_eq!(answer(&server).await.json()["API_KEY"], "changed meanwhile");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_kept() {
    let server = DevServer::start().await.unwrap();
    for branch in ["main", "feature/new-ui"] {
        let mut call = read(&server);
        call.target += &format!("?branch={branch}");
        call.header("User-Agent", "probe/1").send(server.port()).await.unwrap();
    }
    Call::get("/api/project").send(server.port()).await.unwrap();
    Call::new("POST", "/api/nowhere").send(server.port()).await.unwrap();
    assert_eq!(server.request_count(route::SECRETS_READ), 2);
    assert_eq!(server.request_count("/projects/{projectId}/envs/{env}/secrets"), 2);
    assert_eq!(server.request_count(route::SECRETS_UPSERT), 0);
    assert_eq!((server.request_count("POST *"), server.total_requests()), (1, 4));
    let seen = server.requests(route::SECRETS_READ);
    assert_eq!(seen.len(), 2);
    assert!(seen[1].target().ends_with("?branch=feature/new-ui"));
    assert_eq!(seen[0].header("user-agent"), Some("probe/1"));
    server.reset_counts();
    assert_eq!((server.total_requests(), server.requests(route::SECRETS_READ).len()), (0, 0));
    server.stop().await;
}

#[tokio::test]
async fn a_connection_is_kept_and_closed_when_it_is_idle() {
    let server = DevServer::builder().keep_alive(Duration::from_millis(60)).start().await.unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    for _ in 0..2 {
        assert_eq!(read(&server).send_on(&mut stream).await.unwrap().status, 200);
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "closed without a word");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_wants_to_close_is_closed() {
    let server = DevServer::start().await.unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let call = read(&server).header("Connection", "close");
    assert_eq!(call.send_on(&mut stream).await.unwrap().header("keep-alive"), None);
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn the_default_keep_alive_is_that_of_the_service() {
    let server = DevServer::start().await.unwrap();
    assert_eq!(answer(&server).await.header("keep-alive"), Some("timeout=5"));
    server.stop().await;
}

#[tokio::test]
async fn both_loopback_addresses_answer_where_there_are_two() {
    let server = DevServer::start().await.unwrap();
    assert_eq!(server.localhost_url(), format!("http://localhost:{}/api", server.port()));
    assert_eq!(answer(&server).await.status, 200);
    if let Ok(mut stream) = TcpStream::connect(("::1", server.port())).await {
        assert_eq!(read(&server).send_on(&mut stream).await.unwrap().status, 200);
    }
    server.stop().await;
}

#[tokio::test]
async fn many_requests_at_once_get_their_answers_without_limits() {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let (call, port) = (read(&server), server.port());
        tasks.spawn(async move { call.send(port).await.unwrap() });
    }
    for answer in tasks.join_all().await {
        assert_eq!((answer.status, answer.header("x-ratelimit-limit")), (200, None));
    }
    assert_eq!(server.request_count(route::SECRETS_READ), 300);
    server.stop().await;
}

/// The number of threads is asked in a process of its own, where no other test runs.
#[cfg(target_os = "linux")]
#[test]
fn a_server_on_a_current_thread_runtime_starts_no_thread() {
    const PROBE: &str = "XTRA_DEV_SERVER_THREAD_PROBE";
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    if std::env::var_os(PROBE).is_none() {
        let name = "dev_server::a_server_on_a_current_thread_runtime_starts_no_thread";
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let output = child.args([name, "--exact", "--test-threads=1"]).env(PROBE, "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let before = threads();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = DevServer::start().await.unwrap();
        assert_eq!(answer(&server).await.status, 200);
        assert_eq!(threads(), before, "while it runs");
        server.stop().await;
    });
    drop(runtime);
    assert_eq!(threads(), before, "after it has run");
}
