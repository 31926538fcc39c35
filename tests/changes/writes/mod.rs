//! What writes promise, against the service in memory.

mod bulk;
mod compare;
mod conditions;
mod doubles;
mod guards;
mod inherited;
mod large;
mod outcomes;
mod single;

use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Hold, RateLimits};
use xtrasecurity::{XtraClient, XtraClientBuilder};

async fn server() -> DevServer {
    DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap()
}

fn builder(server: &DevServer) -> XtraClientBuilder {
    XtraClient::builder().dev_server(server)
}

fn client(server: &DevServer) -> XtraClient {
    builder(server).build().unwrap()
}

/// What the server has in `staging` on `main`, past every client.
fn stored(server: &DevServer, key: &str) -> Option<String> {
    server.secret("demo", "staging", "main", key)
}

fn version(server: &DevServer, key: &str) -> Option<String> {
    server.secret_version("demo", "staging", "main", key)
}

/// Waits until so many requests are held back.
async fn arrived(hold: &Hold, requests: usize) {
    let arrival = hold.waiting_for(requests);
    tokio::time::timeout(Duration::from_secs(10), arrival).await.expect("the requests arrive within ten seconds");
}
