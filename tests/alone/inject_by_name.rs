//! Injection right after a fetch by host name: looking the name up must leave no thread behind.

use std::env;

use tokio::runtime::Builder;
use xtrasecurity::dev_server::{DevServer, RateLimits};
use xtrasecurity::{ErrorKind, XtraClient};

use crate::Check;

pub(crate) const CHECKS: &[Check] = &[
    (
        "after_a_fetch_by_name_the_process_has_one_thread_and_injection_works",
        after_a_fetch_by_name_the_process_has_one_thread_and_injection_works,
    ),
    (
        "on_a_multi_threaded_runtime_injection_refuses_and_nothing_is_set",
        on_a_multi_threaded_runtime_injection_refuses_and_nothing_is_set,
    ),
];

async fn client() -> (DevServer, XtraClient) {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let client = XtraClient::builder().dev_server(&server).api_url(server.localhost_url()).build().unwrap();
    (server, client)
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn after_a_fetch_by_name_the_process_has_one_thread_and_injection_works() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (server, client) = client().await;
        // Many times: a thread that ends late would be seen now and then only.
        for _ in 0..50 {
            client.clear_cache();
            client.get_secrets("production").no_cache().await.unwrap();
        }
        assert_eq!(threads(), 1);
        let report = client.inject_secrets("staging").no_cache().prefix("BY_NAME_").await.unwrap();
        assert_eq!(report.set(), ["BY_NAME_API_KEY", "BY_NAME_DATABASE_URL"]);
        assert_eq!(env::var("BY_NAME_API_KEY").unwrap(), "demo-staging-key");

        // Set already: kept, unless it is overridden.
        server.set_secret("demo", "staging", "main", "API_KEY", "rotated").unwrap();
        let report = client.inject_secrets("staging").no_cache().prefix("BY_NAME_").await.unwrap();
        assert_eq!(report.kept(), ["BY_NAME_API_KEY", "BY_NAME_DATABASE_URL"]);
        assert_eq!(env::var("BY_NAME_API_KEY").unwrap(), "demo-staging-key");
        let report =
            client.inject_secrets("staging").prefix("BY_NAME_").only(["API_KEY"]).override_existing().await.unwrap();
        assert_eq!(report.set(), ["BY_NAME_API_KEY"]);
        assert_eq!(env::var("BY_NAME_API_KEY").unwrap(), "rotated");

        // One bad name stops all of them.
        server.set_secret("demo", "staging", "main", "LD_PRELOAD", "/tmp/x.so").unwrap();
        let error = client.inject_secrets("staging").no_cache().rename("API_KEY", "NEVER_SET").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("LD_PRELOAD"), "{error}");
        assert!(env::var("NEVER_SET").is_err());
    });
}

fn on_a_multi_threaded_runtime_injection_refuses_and_nothing_is_set() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (_server, client) = client().await;
        let error = client.inject_secrets("production").prefix("MULTI_").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsoundInjection);
        assert!(error.to_string().contains("3 threads"), "{error}");
        assert!(env::vars().all(|(name, _)| !name.starts_with("MULTI_")));
    });
}
