//! Secrets as one layer of a figment configuration: defaults below, secrets above.
//!
//! ```text
//! cargo run --example figment                   # no account: a service in memory, on a loopback port
//! ```

use std::error::Error;

use figment::Figment;
use figment::providers::Serialized;
use serde::{Deserialize, Serialize};
use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{SecretValue, SecretsProvider, XtraClient};

/// What the program runs with when nothing else is said.
#[derive(Serialize)]
struct Defaults {
    port: u16,
    host: &'static str,
}

#[derive(Deserialize)]
struct Config {
    port: u16,
    host: String,
    database: Database,
}

#[derive(Deserialize)]
struct Database {
    /// Not printed by accident.
    url: SecretValue,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    server.set_secret("demo", "production", "main", "DATABASE__URL", "postgres://app:hunter2@db/app")?;
    server.set_secret("demo", "production", "main", "PORT", "9000")?;
    let client = XtraClient::builder().dev_server(&server).build()?;

    let secrets = client.get_secrets("production").await?;
    let config: Config = Figment::from(Serialized::defaults(Defaults { port: 8080, host: "localhost" }))
        .merge(SecretsProvider::new(&secrets).guess_types())
        .extract()?;
    println!(
        "{}:{}, database {:?} ({} bytes)",
        config.host,
        config.port,
        config.database.url,
        config.database.url.len()
    );
    Ok(())
}
