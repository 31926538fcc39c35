//! Start during an outage: an encrypted copy on disk stands in for the service.
//!
//! ```text
//! cargo run --example offline
//! ```

use std::error::Error;

use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{OfflineOptions, XtraClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?; // a program takes OfflineOptions::in_user_cache(), or a directory of its own
    let options = OfflineOptions::new(directory.path().join("secrets"));
    let server = DevServer::start().await?;
    let start = || XtraClient::builder().dev_server(&server).max_retries(0).offline(options.clone()).build();

    let secrets = start()?.get_secrets("production").await?;
    println!("the service is there: {} secrets from {:?}, and a copy is saved", secrets.len(), secrets.source());

    let (restarted, unknown) = (start()?, start()?);
    server.stop().await;
    let secrets = restarted.get_secrets("production").await?;
    println!(
        "the service is away: {} secrets from {:?}, {} ms old, stale: {}",
        secrets.len(),
        secrets.source(),
        secrets.age().as_millis(),
        secrets.is_stale()
    );
    match unknown.get_secrets("staging").await {
        Err(error) => println!("what was never read is an error: {error}"),
        Ok(_) => return Err("a copy came from nowhere".into()),
    }
    println!("\ncounts: {:?}", restarted.stats());
    Ok(())
}
