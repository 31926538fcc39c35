//! How a client is made, and how it proves who it is.

use std::error::Error;

#[allow(dead_code)]
mod first {
    // readme: begin
    use xtrasecurity::infisical::InfisicalClient;

    #[tokio::main]
    async fn main() -> Result<(), Box<dyn std::error::Error>> {
        let client = InfisicalClient::from_env()?;
        let secrets = client.get_secrets("dev").await?;
        println!("{}", secrets.require("DATABASE_URL")?.expose()); // `{:?}` of a value prints [REDACTED]
        Ok(())
    }
    // readme: end
}

pub fn by_a_client() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use std::time::Duration;
    use xtrasecurity::infisical::InfisicalClient;

    let client = InfisicalClient::builder()
        .base_url("https://eu.infisical.com") // with or without /api
        .universal_auth("7ae5c3b0-5d7d-4a5f-8d0c-1c5e2b0d9a11", "a-client-secret")
        .project_id("7e2f1f4a-3f1c-4b0e-9c53-1b2d5a6c7e80")
        .environment("dev") // of calls that name none
        .cache_ttl(Duration::from_secs(120))
        .build()?; // nothing is sent before the first call
    // readme: end
    drop(client);
    Ok(())
}

pub fn by_the_platform() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::infisical::{Auth, IdToken, InfisicalClient};

    let identity = "7ae5c3b0-5d7d-4a5f-8d0c-1c5e2b0d9a11"; // the id of the machine identity
    let pod = Auth::kubernetes(identity);
    let github = Auth::oidc(identity, IdToken::github());
    let gitlab = Auth::oidc(identity, IdToken::variable("INFISICAL_ID_TOKEN"));
    let aws = Auth::aws_iam(identity);
    let azure = Auth::azure(identity);
    let google = Auth::gcp_id_token(identity);
    let google_key = Auth::gcp_iam(identity, "/etc/keys/robot.json");
    let signed = Auth::jwt(identity, IdToken::file("/run/secrets/token.jwt"));
    let directory = Auth::ldap(identity, "deploy", "a-password");
    let client = InfisicalClient::builder().auth(pod).build()?;
    // readme: end
    drop((client, github, gitlab, aws, azure, google, google_key, signed, directory));
    Ok(())
}

pub fn by_a_provider() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use std::sync::Arc;
    use xtrasecurity::credentials::{ChainPosition, CredentialProvider, Token, TokenFuture};
    use xtrasecurity::infisical::InfisicalClient;
    use xtrasecurity::source::Identity;

    #[derive(Debug)]
    struct Vault;

    impl CredentialProvider for Vault {
        fn identity(&self) -> Identity {
            Identity::of("the account that the token is of")
        }

        fn token(&self) -> TokenFuture<'_> {
            Box::pin(async { Token::new("a-token-from-elsewhere") })
        }
    }

    let client = InfisicalClient::builder().credentials(ChainPosition::First, Arc::new(Vault)).build()?;
    // readme: end
    drop(client);
    Ok(())
}
