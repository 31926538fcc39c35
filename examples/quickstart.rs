//! Secrets read, cached and injected.
//!
//! ```text
//! cargo run --example quickstart                 # no account: a service in memory, on a loopback port
//! XTRA_TOKEN=… XTRA_PROJECT_ID=… cargo run --example quickstart -- staging
//! ```
//!
//! The runtime has one thread, so that the environment of this process can be set soundly.

use std::error::Error;

use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{ErrorKind, XtraClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let environment = std::env::args().nth(1).unwrap_or_else(|| "production".to_owned());

    // The dev server must live as long as it is used, so it is returned beside the client.
    let (client, _server) = match XtraClient::from_env() {
        Ok(client) => (client, None),
        Err(error) if error.kind() == ErrorKind::Credentials => {
            println!("{error}\n\nGoing on with the dev server: a service in memory, no account needed.\n");
            let server = DevServer::start().await?;
            let client = XtraClient::builder().dev_server(&server).api_url(server.localhost_url()).build()?;
            (client, Some(server))
        }
        Err(error) => return Err(error.into()),
    };

    let secrets = client.get_secrets(environment.as_str()).await?;
    println!("{} secrets in {environment}:", secrets.len());
    for (name, value) in secrets.iter() {
        println!("  {name} = {value:?}");
    }

    for _ in 0..1000 {
        client.get_secrets(environment.as_str()).await?;
    }
    let stats = client.stats();
    println!("\n1,001 reads: {} from the cache, {} over the network.", stats.hits, stats.requests);

    let report = client.inject_secrets(environment.as_str()).await?;
    println!("\nInjected into this process: {}", report.set().join(", "));
    if !report.kept().is_empty() {
        println!("Kept, because they were set already: {}", report.kept().join(", "));
    }
    Ok(())
}
