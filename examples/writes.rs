//! Changing secrets: on conditions, with their history, from one environment into another.
//!
//! `cargo run --example writes`. It works on the service in memory, so nothing of anybody's is changed.

use std::error::Error;

use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{ErrorKind, XtraClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    let client = XtraClient::builder().dev_server(&server).protect_production().build()?;

    let report = client.set_secrets("staging", [("DB_HOST", "db-1"), ("DB_PORT", "5432")]).verify().await?;
    println!("created {:?}, updated {:?}", report.created, report.updated);

    // Somebody else is faster.
    let seen = client.get_secrets("staging").await?;
    client.set_secret("staging", "DB_HOST", "db-2").await?;
    match client.set_secret("staging", "DB_HOST", "db-3").if_unchanged(&seen).await {
        Err(error) if error.kind() == ErrorKind::Conflict => println!("not written: {error}"),
        outcome => println!("written: {outcome:?}"),
    }

    let history = client.secret_history("staging", "DB_HOST").await?;
    for entry in &history.entries {
        println!("version {}: {:?}", entry.version, entry.value); // [REDACTED]
    }
    let back = client.rollback_secret("staging", "DB_HOST", 1).await?;
    println!("back to what version 1 was, as version {}", back.version);

    // Production wants a word more.
    let promotion = client.promote_secrets("staging", "production").only(["DB_HOST", "DB_PORT"]);
    println!("{}", client.promote_secrets("staging", "production").await.expect_err("production is protected"));
    println!("promoted {:?}", promotion.confirm_production().await?.created);

    client.delete_secret("staging", "DB_PORT").await?;
    let difference = client.diff_secrets("staging", "production").await?;
    println!("only in production: {:?}", difference.added);
    server.stop().await;
    Ok(())
}
