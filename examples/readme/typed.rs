//! Secrets as a struct, and in figment.

use std::error::Error;
use std::sync::Arc;

use xtrasecurity::{Secrets, XtraClient};

pub async fn read(client: &XtraClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    use std::time::Duration;

    use serde::Deserialize;
    use xtrasecurity::SecretValue;
    use xtrasecurity::schemars::{self, JsonSchema};

    #[derive(Debug, Deserialize, JsonSchema)]
    struct Settings {
        /// where the database is
        database_url: SecretValue, // DATABASE_URL; prints as [REDACTED]
        port: u16, // PORT
        #[serde(default)]
        verbose: bool, // true, false, 1, 0, yes, no, on, off
        timeout: Option<Duration>, // 30s, 1m 30s
        smtp: Smtp, // SMTP__HOST, or SMTP with a JSON object
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    struct Smtp {
        host: String,
    }

    let settings: Settings = client.get_secrets_as("production").await?;
    println!("{settings:?}");
    // readme: end
    let Settings { database_url, port, verbose, timeout, smtp: Smtp { host } } = settings;
    println!("{database_url:?} {port} {verbose} {timeout:?} {host}");
    Ok(())
}

pub fn merge(secrets: Arc<Secrets>) -> Result<(), Box<dyn Error>> {
    // readme: begin
    use figment::Figment;
    use serde::Deserialize;
    use xtrasecurity::SecretsProvider;
    use xtrasecurity::schemars::{self, JsonSchema};

    #[derive(Debug, Deserialize, JsonSchema)]
    struct Settings {
        port: u16,
    }

    let secrets = SecretsProvider::new(&secrets).typed::<Settings>(); // DATABASE__URL is database.url
    let settings: Settings = Figment::new().merge(secrets).extract()?;
    println!("port {}", settings.port);
    // readme: end
    Ok(())
}
