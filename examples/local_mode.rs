//! Work without the service: the secrets of a dotenv file in its place.
//!
//! ```text
//! cargo run --example local_mode
//! ```
//!
//! A program needs none of this: it is started with `XTRA_LOCAL_MODE=true` in a directory that has a `.env.local`.

use std::error::Error;
use std::fs;

use xtrasecurity::XtraClient;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join(".env.local");
    fs::write(&path, "# no $ is expanded, so a password stays what it is\nDATABASE_PASSWORD=pa$word\nPORT=8080\n")?;

    let client = XtraClient::builder().local_file(&path).build()?; // no token
    for environment in ["development", "production"] {
        let secrets = client.get_secrets(environment).await?;
        println!("{environment}: {:?} from {:?}", secrets.names().collect::<Vec<_>>(), secrets.source());
    }

    fs::write(&path, "DATABASE_PASSWORD\n")?;
    match client.get_secrets("development").no_cache().await {
        Err(error) => println!("\nand a line that is no setting: {error}"),
        Ok(_) => return Err("the line was taken for something".into()),
    }
    Ok(())
}
