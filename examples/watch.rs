//! A program that notices when its secrets change: all of them, or one of them.
//!
//! ```text
//! cargo run --example watch
//! ```

use std::error::Error;
use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, route};
use xtrasecurity::{CacheOptions, XtraClient};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    // A snapshot is fresh for a second here, so that this program ends soon. The default is 30 s.
    let client = XtraClient::builder()
        .dev_server(&server)
        .cache_options(CacheOptions::default().ttl(Duration::from_secs(1)))
        .max_retries(0)
        .build()?;

    let mut changes = client.watch("production");
    let current = changes.receiver(); // the newest snapshot, for whoever wants it
    let mut key = changes.secret("API_KEY"); // one secret

    // A connection pool would be made anew here, with the new key.
    let rotation = tokio::spawn(async move {
        let mut values = 0;
        while let Some(value) = key.next().await {
            values += 1;
            println!("  API_KEY is {value:?} now, value number {values}");
        }
    });

    let mut step = 0;
    while let Some(item) = changes.next().await {
        match item {
            Ok(change) => {
                println!("added {:?}, changed {:?}, removed {:?}", change.added, change.changed, change.removed)
            }
            Err(error) => println!("the watch goes on after: {error}"),
        }
        // What somebody does in the dashboard meanwhile:
        step += 1;
        match step {
            1 => server.set_secret("demo", "production", "main", "API_KEY", "rotated")?,
            2 => server.fault(Fault::status(503).on(route::SECRETS_READ)),
            3 => server.set_secret("demo", "production", "main", "SENTRY_DSN", "https://sentry.example")?,
            _ => break,
        }
    }

    let held = current.latest().map_or(0, |secrets| secrets.len());
    println!("{held} secrets at hand; {} requests in all, for three watchers", client.stats().requests);
    drop(client); // ends every watch
    rotation.await?;
    Ok(())
}
