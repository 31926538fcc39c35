//! A secrets manager that the crate does not know.

use std::error::Error;

// readme: begin
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use xtrasecurity::credentials::StaticToken;
use xtrasecurity::http::{Method, Protocol, Transport};
use xtrasecurity::source::{Identity, KeyWriter, Loaded};
use xtrasecurity::{Client, SecretSource, XtraError};

struct VaultProtocol;

impl Protocol for VaultProtocol {}

struct Vault(Transport);

impl SecretSource for Vault {
    type Scope<'a> = &'a str; // what a caller names: a team
    type Owned = String;

    fn name(&self) -> &'static str {
        "vault"
    }

    fn identity(&self) -> Identity {
        self.0.identity()
    }

    fn base_url(&self) -> &str {
        self.0.base_url()
    }

    fn scope_name<'s>(&self, team: &'s &str) -> Cow<'s, str> {
        Cow::Borrowed(team) // for errors, and for `Preloaded::get`
    }

    fn write_key(&self, team: &&str, key: &mut KeyWriter) {
        key.field(team);
    }

    fn prepare(&self, team: &&str) -> Result<String, XtraError> {
        Ok((*team).to_owned())
    }

    async fn load(&self, team: &String) -> Result<Loaded, XtraError> {
        let answer = self.0.call("secrets_list", Method::Get).path(["teams", team, "secrets"]).send().await?;
        let pairs: HashMap<String, String> = answer.json()?;
        Ok(pairs.into_iter().collect())
    }
}
// readme: end

pub async fn read_another_service() -> Result<(), Box<dyn Error>> {
    // readme: begin
    let token = Arc::new(StaticToken::new("a-token")?);
    let transport = Transport::builder(VaultProtocol).credentials(token).build("https://vault.example")?;
    let client = Client::new_with_source(Vault(transport));
    let secrets = client.read("payments").await?;
    // readme: end
    println!("{} secrets", secrets.len());
    Ok(())
}
