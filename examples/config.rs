//! Secrets as one layer of a config-rs configuration, fetched when it is built.
//!
//! ```text
//! cargo run --example config                    # no account: a service in memory, on a loopback port
//! ```

use std::error::Error;

use config::Config;
use serde::Deserialize;
use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{SecretsProvider, XtraClient};

#[derive(Deserialize)]
struct Settings {
    host: String,
    port: u16,
    database: Database,
}

#[derive(Deserialize)]
struct Database {
    url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    server.set_secret("demo", "production", "main", "APP_DATABASE__URL", "postgres://app:hunter2@db/app")?;
    server.set_secret("demo", "production", "main", "APP_PORT", "9000")?;
    let client = XtraClient::builder().dev_server(&server).build()?;

    let settings: Settings = Config::builder()
        .set_default("host", "localhost")?
        .set_default("port", 8080)?
        .add_async_source(SecretsProvider::of_client(&client, "production").prefix("APP_"))
        .build()
        .await?
        .try_deserialize()?;
    println!("{}:{}, a database URL of {} bytes", settings.host, settings.port, settings.database.url.len());

    // A mistyped environment is not mistaken for one without secrets.
    let mistyped = SecretsProvider::of_client(&client, "prodution");
    let error = Config::builder().add_async_source(mistyped).build().await;
    println!("\n{}", error.err().ok_or("an environment that does not exist was read")?);
    Ok(())
}
