//! The threads and the environment of a process, in a process of each test's own. Each test runs itself again as a child.

use std::process::Command;

use reqwest::Method;

use super::server::{Server, answer};
use super::{fails, quick, send, transport_to};

pub(super) const CHILD: &str = "XTRA_TRANSPORT_TEST_CHILD";

/// In the child: true. In the parent: runs the test again in a child with these variables, which must pass, and is false.
pub(super) fn in_child(module: &str, test: &str, variables: &[(&str, &str)]) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    passes(again(module, test).env(CHILD, "1").envs(variables.iter().copied()));
    false
}

/// This very test, in a process of its own.
pub(super) fn again(module: &str, test: &str) -> Command {
    let module = module.split_once("::").expect("a crate name first").1;
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args([&format!("{module}::{test}"), "--exact", "--test-threads=1"]);
    command
}

pub(super) fn passes(command: &mut Command) {
    let output = command.output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

pub(super) fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[cfg(target_os = "linux")]
#[test]
fn a_fetch_by_host_name_leaves_no_thread_behind() {
    if in_child(module_path!(), "a_fetch_by_host_name_leaves_no_thread_behind", &[]) {
        current_thread().block_on(fetch_and_count_threads());
    }
}

#[cfg(target_os = "linux")]
async fn fetch_and_count_threads() {
    use std::time::{Duration, Instant};
    let threads = || std::fs::read_dir("/proc/self/task").expect("Linux").count();
    let before = threads();
    let server = Server::start(vec![answer(200, "", "{}")]).await;
    let root = server.root().replace("127.0.0.1", "localhost");
    send(&transport_to(&root, quick()), Method::GET).await.expect("an answer");
    // the kernel lists a joined thread for a moment longer
    let settled = Instant::now() + Duration::from_secs(5);
    while threads() != before {
        assert!(Instant::now() < settled, "{} threads, {before} before", threads());
        std::thread::yield_now();
    }
}

#[test]
fn a_loopback_service_is_never_reached_through_a_proxy() {
    let proxies = [("http_proxy", "http://127.0.0.1:1"), ("ALL_PROXY", "http://127.0.0.1:1")];
    if in_child(module_path!(), "a_loopback_service_is_never_reached_through_a_proxy", &proxies) {
        current_thread().block_on(async {
            let server = Server::start(vec![answer(200, "", "{}")]).await;
            send(&transport_to(&server.root(), quick()), Method::GET).await.expect("an answer without the proxy");
        });
    }
}

#[tokio::test]
async fn another_service_is_reached_through_the_proxy_unless_proxies_are_off() {
    if std::env::var_os(CHILD).is_some() {
        return through_the_proxy().await;
    }
    let proxy = Server::start(vec![answer(200, "", "{}")]).await;
    let mut command = again(module_path!(), "another_service_is_reached_through_the_proxy_unless_proxies_are_off");
    command
        .env(CHILD, "1")
        .env("http_proxy", proxy.root().trim_end_matches("/api"))
        .env_remove("no_proxy")
        .env_remove("NO_PROXY");
    // off this thread, which serves the proxy meanwhile
    tokio::task::spawn_blocking(move || passes(&mut command)).await.expect("it passes");
    assert!(proxy.requests()[0].starts_with("GET http://name.invalid/api/canary-path"));
}

async fn through_the_proxy() {
    let mut options = quick();
    options.retry.max_retries = 0;
    send(&transport_to("http://name.invalid/api", options.clone()), Method::GET).await.expect("the proxy answers");
    options.use_proxies = false;
    let error = fails(&transport_to("http://name.invalid/api", options), Method::GET).await;
    assert!(error.to_string().contains("could not be resolved"), "{error}");
}
