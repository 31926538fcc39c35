//! Settings as a struct: read, checked and explained in one go.
//!
//! ```text
//! cargo run --example typed                # the settings of a service in memory
//! cargo run --example typed -- --broken    # the same with mistakes: one error tells them all
//! cargo run --example typed -- --example-file  # a .env file to fill in
//! ```

use std::error::Error;
use std::time::Duration;

use serde::Deserialize;
use xtrasecurity::dev_server::DevServer;
use xtrasecurity::schemars::{self, JsonSchema};
use xtrasecurity::{SecretValue, XtraClient};

/// The doc comments are what errors and the example file say about a setting.
#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Settings {
    /// where the database is
    database_url: SecretValue,
    /// the key of the payment service
    api_key: SecretValue,
    /// show the new user interface
    feature_new_ui: bool,
    /// the port to listen on
    #[serde(default = "port")]
    port: u16,
    /// how much is logged
    #[serde(default)]
    log_level: LogLevel,
    /// connections to the database
    #[serde(default)]
    pool: Pool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum LogLevel {
    Debug,
    #[default]
    Info,
    Warn,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Pool {
    /// how many are kept open
    #[schemars(range(min = 1, max = 100))]
    size: Option<u32>,
    /// when an idle one is closed
    idle: Option<Duration>,
}

fn port() -> u16 {
    8080
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mode = std::env::args().nth(1);
    if mode.as_deref() == Some("--example-file") {
        print!("{}", xtrasecurity::schema::example::<Settings>().dotenv());
        return Ok(());
    }
    let server = DevServer::start().await?;
    let set = |name: &str, value: &str| server.set_secret("demo", "production", "main", name, value);
    set("POOL__SIZE", "20")?;
    set("POOL__IDLE", "5m")?;
    if mode.as_deref() == Some("--broken") {
        set("POOL__SIZE", "2000")?;
        set("POOL__IDLE", "300")?;
        set("PORT", "eighty")?;
        set("LOG_LEVEL", "loud")?;
        server.remove_secret("demo", "production", "main", "API_KEY")?;
    }

    let client = XtraClient::builder().dev_server(&server).build()?;
    match client.get_secrets_as::<Settings>("production").await {
        Ok(settings) => println!("{settings:#?}"),
        // it holds no value, so it may be logged as it is
        Err(error) => println!("{error}\n\nAs a list: {}", client.get_secrets("production").await?.check::<Settings>()),
    }
    Ok(())
}
