//! A secret where it is used.

use std::error::Error;

use xtrasecurity::{SecretValue, XtraClient};

/// Stands for a database driver.
pub struct Database;

impl Database {
    async fn connect(&self, password: SecretValue) -> std::io::Result<usize> {
        Ok(password.len())
    }
}

pub async fn check_and_connect(client: &XtraClient, database: Database) -> Result<(), Box<dyn Error>> {
    // readme: begin
    use std::time::Duration;
    use xtrasecurity::UseError;

    // start-up, and each readiness probe: everything is there, or one error says what is not
    client.preload(["production"]).required(["DATABASE_PASSWORD"]).deadline(Duration::from_secs(5)).await?;

    let connection = client
        .with_secret("DATABASE_PASSWORD", |password| async {
            database.connect(password).await.map_err(UseError::Refused)
        })
        .environment("production")
        .await?;
    // readme: end
    println!("connected with {connection} bytes");
    Ok(())
}
