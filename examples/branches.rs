//! A branch for one feature: made, written to, compared, and deleted with what is on it.
//!
//! ```text
//! cargo run --example branches                  # no account: a service in memory, on a loopback port
//! ```

use std::error::Error;

use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{ErrorKind, XtraClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    let client = XtraClient::builder().dev_server(&server).build()?;

    let branch = client.create_branch("feature/checkout").description("the new checkout").await?;
    println!("Made {:?}. It begins empty.", branch.name);
    client.set_secret("staging", "CHECKOUT_URL", "https://checkout.staging.test").branch(branch.name.as_str()).await?;
    client.set_secret("staging", "API_KEY", "a key of its own").branch(branch.name.as_str()).await?;

    // Names only. Nothing here can print a value.
    let difference = client.compare_branches("main", branch.name.as_str()).await?;
    for (word, places) in [("only there", &difference.added), ("otherwise there", &difference.changed)] {
        for place in places {
            println!("  {} of {}: {word}", place.name, place.environment);
        }
    }
    println!("  and {} secrets are on main only", difference.removed.len());

    for branch in client.list_branches().await? {
        println!("{:20} {} secrets", branch.name, branch.secret_count.unwrap_or_default());
    }

    // A mistyped name is told, with those that there are.
    let error = client.delete_branch("Feature/Checkout").await.err().ok_or("a branch that is not there was deleted")?;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    println!("\n{error}\n");

    client.delete_branch(branch.name).await?;
    println!(
        "Deleted, and nothing of it came up on main: {}",
        client.get_secrets("staging").await?.get("CHECKOUT_URL").is_none()
    );
    Ok(())
}
