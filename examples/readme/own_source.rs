//! Secrets managers that the crate does not know: the snippets of `docs/own-source.md`.

/// One in memory. A test runs it.
pub mod teams {
    // readme: begin
    use std::borrow::Cow;
    use std::collections::HashMap;

    use xtrasecurity::source::{Identity, KeyWriter, Loaded};
    use xtrasecurity::{Client, ErrorKind, SecretSource, XtraError};

    struct Teams(HashMap<String, HashMap<String, String>>);

    impl SecretSource for Teams {
        type Scope<'a> = &'a str; // what a caller names: a team
        type Owned = String; // the same, checked, to load it with

        fn name(&self) -> &'static str {
            "teams"
        }

        fn identity(&self) -> Identity {
            Identity::of("this program") // whoever asks: no account is served what another has read
        }

        fn scope_name<'s>(&self, team: &'s &str) -> Cow<'s, str> {
            Cow::Borrowed(team) // errors say `read("payments")`
        }

        fn write_key(&self, team: &&str, key: &mut KeyWriter) {
            key.field(team); // all that the answer depends on
        }

        fn prepare(&self, team: &&str) -> Result<String, XtraError> {
            Ok((*team).to_owned())
        }

        async fn load(&self, team: &String) -> Result<Loaded, XtraError> {
            let missing = || XtraError::new(ErrorKind::NotFound, "there is no such team").with_status(404);
            let secrets = self.0.get(team).ok_or_else(missing)?;
            Ok(secrets.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
        }
    }
    // readme: end

    pub async fn read() -> Result<(), XtraError> {
        // readme: begin
        let payments = HashMap::from([("API_KEY".to_owned(), "k-1".to_owned())]);
        let client = Client::new_with_source(Teams(HashMap::from([("payments".to_owned(), payments)])));
        let secrets = client.read("payments").await?;
        assert_eq!(secrets.require("API_KEY")?.expose(), "k-1");
        // readme: end
        Ok(())
    }
}

/// One over HTTP.
pub mod vault {
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
        type Scope<'a> = &'a str;
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
            Cow::Borrowed(team)
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

    pub async fn read() -> Result<usize, XtraError> {
        // readme: begin
        let token = Arc::new(StaticToken::new("a-token")?);
        let transport = Transport::builder(VaultProtocol).credentials(token).build("https://vault.example")?;
        let client = Client::new_with_source(Vault(transport));
        let secrets = client.read("payments").await?;
        // readme: end
        Ok(secrets.len())
    }
}
