//! A program that reads its secrets before it serves, and answers a readiness probe.
//!
//! ```text
//! cargo run --example preload
//! ```

use std::error::Error;
use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, route};
use xtrasecurity::{XtraClient, XtraError};

const REQUIRED: [&str; 2] = ["DATABASE_URL", "API_KEY"];

/// What a probe of an orchestrator asks for, every few seconds. It costs a request only when the cache has nothing fresh.
async fn readiness(client: &XtraClient) -> (u16, String) {
    match client.preload(["production", "staging"]).required(REQUIRED).deadline(Duration::from_secs(2)).await {
        Ok(ready) => (200, format!("ready, secrets are at most {:?} old", ready.age())),
        // The text names environments and secrets, and holds no value.
        Err(error) => (503, error.to_string()),
    }
}

/// Start-up: everything that the program needs is there, or it does not start.
async fn start(client: &XtraClient) -> Result<(), XtraError> {
    let ready = client.preload(["production", "staging"]).required(REQUIRED).deadline(Duration::from_secs(10)).await?;
    for (environment, secrets) in ready.iter() {
        println!("{environment}: {} secrets", secrets.len());
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    let client = XtraClient::builder().dev_server(&server).max_retries(0).build()?;

    start(&client).await?;
    for _ in 0..1000 {
        assert_eq!(readiness(&client).await.0, 200);
    }
    println!("1,000 probes later: {} requests in all", client.stats().requests);

    let error = client.preload(["production", "prodution"]).required(["API_KEY", "SENTRY_DSN"]).await.unwrap_err();
    println!("\nwith a name mistyped and a secret forgotten:\n  {error}");

    client.clear_cache();
    server.fault(Fault::status(503).on(route::SECRETS_READ).times(2));
    let (status, text) = readiness(&client).await;
    println!("\nwith the service away, the probe answers {status}:\n  {text}");
    let (status, text) = readiness(&client).await;
    println!("and when it is back {status}: {text}");
    Ok(())
}
