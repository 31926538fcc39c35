//! The snippets of `docs/infisical.md` and of the README's chapter on Infisical, as they are shown there: a test of the house
//! compares them. What needs no platform runs here, on the dev server.
//!
//! What stands between `readme: begin` and `readme: end` is shown.

mod authenticate;
mod calls;

use std::error::Error;

use xtrasecurity::infisical::InfisicalClient;
use xtrasecurity::infisical::dev::{IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed, TagSeed, route};
use xtrasecurity::infisical::raw::types;

type Outcome = Result<(), Box<dyn Error>>;

/// A server with what the snippets speak of, and a client of it.
async fn start() -> Result<(InfisicalDevServer, InfisicalClient), Box<dyn Error>> {
    let project = ProjectSeed::new("shop")
        .member("ci", Role::Admin)
        .tag(TagSeed::new("database").id("5e1c9c1e-6c5d-4c39-9a2f-3f1f0f5b9a01"))
        .secret(SecretSeed::new("dev", "DATABASE_URL", "postgres://db.internal/shop").tag("database"))
        .secret(SecretSeed::new("dev", "PORT", "8080").path("/app"))
        .secret(SecretSeed::new("dev", "DB_URL", "postgres://old").path("/app"))
        .secret(SecretSeed::new("dev", "OLD_KEY", "k").path("/app"))
        .secret(SecretSeed::new("prod", "API_KEY", "sk-1").path("/app"));
    let server = InfisicalDevServer::builder().identity(IdentitySeed::new("ci")).project(project).start().await?;
    let client = InfisicalClient::builder().dev_server(&server).environment("dev").build()?;
    Ok((server, client))
}

#[tokio::test]
async fn the_snippets_of_calls_do_what_the_page_says() -> Outcome {
    let (server, client) = start().await?;
    calls::of_the_readme(&client).await?;
    calls::read(&client).await?;
    calls::read_one(&client).await?;
    calls::list(&client).await?;
    calls::write(&client).await?;
    assert_eq!(server.value("shop", "dev", "/app", "PORT").as_deref(), Some("8080"));
    assert_eq!(server.value("shop", "dev", "/app", "DATABASE_URL").as_deref(), Some("postgres://new"));
    assert_eq!(server.value("shop", "dev", "/app", "OLD_KEY"), None);
    calls::keys(&client).await?;
    calls::fail(&client).await?;
    calls::ask_any_endpoint(&client, server.project_id()).await?;
    Ok(())
}

#[tokio::test]
async fn the_snippet_of_leases_holds_one_and_revokes_it() -> Outcome {
    let (server, client) = start().await?;
    let provider = serde_json::json!({"type": "sql-database", "inputs": {"host": "db"}});
    let body = types::DynamicSecretCreate::builder()
        .project_slug("shop")
        .environment_slug("dev")
        .path("/app".to_owned())
        .name("postgres")
        .provider(serde_json::from_value::<types::DynamicSecretProvider>(provider)?)
        .default_ttl("60s");
    client.raw().dynamic_secrets_create().body(body).send().await?;
    calls::hold(&client).await?;
    assert_eq!([route::LEASES_CREATE, route::LEASES_REVOKE].map(|route| server.request_count(route)), [1, 1]);
    Ok(())
}

#[tokio::test]
async fn the_snippet_of_changes_is_told_of_one_that_no_poll_would_see_yet() -> Outcome {
    let (server, client) = start().await?;
    calls::watch(&client, async || {
        server.set_value("shop", "dev", "/", "DATABASE_URL", "postgres://new").expect("the secret is there");
    })
    .await
}

#[tokio::test]
async fn the_snippet_of_tests_needs_no_account() -> Outcome {
    calls::test_with_a_server().await
}

#[test]
fn the_snippets_of_authentication_send_nothing() -> Outcome {
    authenticate::by_a_client()?;
    authenticate::by_the_platform()?;
    authenticate::by_a_provider()
}
