//! Secrets read, cached and injected.
//!
//! ```text
//! cargo run --example quickstart                 # no account: a service in memory, on a loopback port
//! XTRA_TOKEN=… XTRA_PROJECT_ID=… cargo run --example quickstart -- --real staging
//! ```
//!
//! Without `--real` nothing is asked of the real service, whatever token is stored or in the environment.
//!
//! The runtime has one thread, so that the environment of this process can be set soundly.

use std::error::Error;

use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::DevServer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (mut real, mut environment) = (false, "production".to_owned());
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--real" => real = true,
            name => environment = name.to_owned(),
        }
    }

    // The dev server must live as long as it is used, so it is returned beside the client.
    let (client, _server) = if real {
        (XtraClient::from_env()?, None)
    } else {
        println!("This is the dev server: a service in memory, no account needed. --real asks the real one.\n");
        let server = DevServer::start().await?;
        let client = XtraClient::builder().dev_server(&server).api_url(server.localhost_url()).build()?;
        (client, Some(server))
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
