//! Secrets without async code, and into the environment before a runtime with many threads starts.
//!
//! ```text
//! XTRA_TOKEN=… XTRA_PROJECT_ID=… cargo run --example blocking
//! cargo run --example blocking        # no account: runs itself again, against a service in memory
//! ```

use std::error::Error;
use std::process::Command;

use xtrasecurity::blocking::XtraClient;
use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{ErrorKind, XtraError};

fn main() -> Result<(), Box<dyn Error>> {
    let client = match XtraClient::from_env() {
        Ok(client) => client,
        Err(error) if error.kind() == ErrorKind::Credentials => return again_with_a_service_in_memory(&error),
        Err(error) => return Err(error.into()),
    };

    let secrets = client.get_secrets("production").send()?;
    println!("{} secrets in production", secrets.len());
    let key = secrets.require("API_KEY")?;
    println!("API_KEY = {key:?}, of {} bytes", key.len());

    // The process still has one thread, so its environment may be changed: every library in it can read it from there.
    let report = client.inject_secrets("production").send()?;
    println!("set: {}; kept: {}", report.set().join(", "), report.kept().join(", "));
    serve()
}

/// From here on there are many threads, and the async client is the one to use.
#[tokio::main]
async fn serve() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("DATABASE_URL")?;
    println!("the server starts with a DATABASE_URL of {} bytes", url.len());
    let client = xtrasecurity::XtraClient::from_env()?;
    println!("and reads on: {} secrets in staging", client.get_secrets("staging").await?.len());
    Ok(())
}

/// Stands in for an account: a dev server has threads, so this program runs again in a process of its own.
fn again_with_a_service_in_memory(why: &XtraError) -> Result<(), Box<dyn Error>> {
    println!("{why}\n\nGoing on with the dev server: a service in memory, no account needed.\n");
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(DevServer::start())?;
    let status = Command::new(std::env::current_exe()?)
        .env("XTRA_API_URL", server.localhost_url())
        .env("XTRA_TOKEN", server.token())
        .env("XTRA_PROJECT_ID", server.project_id())
        .status()?;
    std::process::exit(status.code().unwrap_or(1))
}
