//! The Python SDK of secr.

use xtrasecurity::secr::SecrClient;
use xtrasecurity::secr::dev::{Fault, ProjectSeed, SecrDevServer, route};

use crate::Outcome;

/// The projects of the page.
async fn start() -> (SecrDevServer, SecrClient) {
    let project = |org, slug| {
        let project = ProjectSeed::new(org, slug).environment("dev").secret("dev", "OLD_KEY", "old");
        project.secret("production", "DB_URL", "postgres://db").secret("staging", "DB_URL", "postgres://staging")
    };
    let builder = SecrDevServer::builder().project(project("my-org", "my-project")).project(project("org", "proj"));
    let server = builder.start().await.unwrap();
    let client = SecrClient::builder().dev_server(&server).no_proxy().max_retries(0).build().unwrap();
    (server, client)
}

#[tokio::test]
async fn quick_start() -> Outcome {
    // readme: begin
    use xtrasecurity::secr::SecrClient;

    let client = SecrClient::builder().token("secr_cli_...").build()?;
    // readme: end
    assert_eq!(client.stats().requests, 0, "nothing is sent by it");
    let (server, client) = start().await;
    // readme: begin
    let result = client.pull_secrets("my-org", "my-project", "production").await?;
    for secret in &result.secrets {
        println!("{}={}", secret.key, secret.value.expose());
    }

    client.set_secret("my-org", "my-project", "dev", "API_KEY", "sk-…").await?;
    // readme: end
    assert_eq!(result.secrets[0].value.expose(), "postgres://db");
    assert_eq!(server.secret("my-org", "my-project", "dev", "API_KEY").as_deref(), Some("sk-…"));
    // readme: begin
    let result = client.pull_secrets("my-org", "my-project", "dev").await?;
    client.close(); // or let it go out of scope
    // readme: end
    assert_eq!(result.secrets.len(), 2);
    Ok(())
}

#[test]
fn configuration() -> Outcome {
    // readme: begin
    use std::time::Duration;
    use xtrasecurity::secr::SecrClient;

    let client = SecrClient::builder()
        .token("secr_cli_...")
        .api_url("https://api.secr.dev") // the default
        .call_timeout(Duration::from_secs(30)) // the default
        .build()?;
    // readme: end
    assert_eq!(client.stats().requests, 0);
    Ok(())
}

#[tokio::test]
async fn pull_secrets() -> Outcome {
    let (_server, client) = start().await;
    // readme: begin
    let result = client.pull_secrets("org", "proj", "production").await?;
    for secret in &result.secrets {
        println!("{} {:?} {:?} {:?}", secret.key, secret.value, secret.version, secret.updated_at);
    }
    if let Some(page) = result.pagination {
        println!("{} from {} of {}", page.limit, page.offset, page.total);
    }
    // readme: end
    assert!(result.pagination.is_none() && result.secrets[0].version == Some(1));
    // readme: begin
    let result = client.pull_secrets("org", "proj", "production").limit(50).offset(0).search("DB_").await?;
    // readme: end
    assert_eq!(result.pagination.map(|page| (page.limit, page.offset, page.total)), Some((50, 0, 1)));
    // readme: begin
    let secrets = client.get_secrets("org", "proj", "production").await?; // cached for 30 s
    println!("{}", secrets.require("DB_URL")?.expose());
    // readme: end
    assert_eq!(secrets.len(), 1);
    Ok(())
}

#[tokio::test]
async fn list_keys() -> Outcome {
    let (_server, client) = start().await;
    // readme: begin
    let result = client.list_keys("org", "proj", "dev").await?;
    for key in &result.keys {
        println!("{} {:?} {:?}", key.key, key.version, key.updated_at);
    }
    // readme: end
    assert_eq!(result.keys[0].key, "OLD_KEY");
    Ok(())
}

#[tokio::test]
async fn set_secret() -> Outcome {
    let (_server, client) = start().await;
    // readme: begin
    let result = client.set_secret("org", "proj", "dev", "DB_URL", "postgres://…").await?;
    println!("{} is in version {}", result.key, result.version);
    // readme: end
    assert_eq!((result.key.as_str(), result.version), ("DB_URL", 1));
    assert_eq!(client.set_secret("org", "proj", "dev", "DB_URL", "other").await?.version, 2, "incremented");
    Ok(())
}

#[tokio::test]
async fn bulk_set_secrets() -> Outcome {
    let (_server, client) = start().await;
    // readme: begin
    let result = client.bulk_set_secrets("org", "proj", "dev", [("A", "1"), ("B", "2")]).await?;
    println!("{} new, {} updated, {} in all", result.created, result.updated, result.total);
    // readme: end
    assert_eq!((result.created, result.updated, result.total), (2, 0, 2));
    Ok(())
}

#[tokio::test]
async fn delete_secret() -> Outcome {
    let (server, client) = start().await;
    // readme: begin
    let result = client.delete_secret("org", "proj", "dev", "OLD_KEY").await?;
    println!("{}", result.deleted);
    // readme: end
    assert!(result.deleted && server.keys("org", "proj", "dev").is_empty());
    Ok(())
}

#[tokio::test]
async fn promote_secrets() -> Outcome {
    let (server, client) = start().await;
    server.set_secret("org", "proj", "staging", "NEW", "1")?;
    let kept = client.promote_secrets("org", "proj", "staging", "production").only(["DB_URL"]).await?;
    assert_eq!((kept.promoted, kept.skipped), (0, 1), "existed, no overwrite");
    // readme: begin
    let result = client.promote_secrets("org", "proj", "staging", "production").overwrite().await?;
    println!("{} promoted: {} new, {} overwritten", result.promoted, result.created, result.updated);
    println!("{} skipped", result.skipped);
    // readme: end
    assert_eq!((result.promoted, result.created, result.updated, result.skipped), (2, 1, 1, 0));
    Ok(())
}

#[tokio::test]
async fn templates() -> Outcome {
    let (_server, client) = start().await;
    client.add_template("org", "proj", "DB_URL").await?;
    client.add_template("org", "proj", "API_KEY").await?;
    // readme: begin
    for template in client.list_templates("org", "proj").await? {
        println!("{} (required={})", template.key, template.required);
    }
    // readme: end
    // readme: begin
    let result = client.validate_template("org", "proj", "production").await?;
    println!("{}: missing {:?}, extra {:?}", result.valid, result.missing, result.extra);
    // readme: end
    assert_eq!((result.valid, &result.missing[..], result.extra.len()), (false, &["API_KEY".to_owned()][..], 0));
    Ok(())
}

#[tokio::test]
async fn errors() -> Outcome {
    let (server, client) = start().await;
    server.fault(Fault::refuse().on(route::SECRETS_PULL));
    for (project, status, code) in [("proj", None, None), ("gone", Some(404), Some("not_found"))] {
        let result = client.pull_secrets("org", project, "dev").await;
        let error = result.as_ref().unwrap_err();
        assert_eq!((error.status(), error.code()), (status, code), "{error}");
        // readme: begin
        if let Err(error) = result {
            println!("{}", error.message());
            println!("{:?}", error.status()); // None when no answer came
            println!("{:?}", error.code()); // Some("unauthorized"), Some("not_found"), …
            println!("{error}"); // with what was called, and what to do
        }
        // readme: end
    }
    Ok(())
}

#[test]
fn webhooks() -> Outcome {
    let client = SecrClient::builder().token("secr_tok_0123456789").build()?;
    // readme: begin
    use axum::{Extension, Router, routing::post};
    use xtrasecurity::secr::{Webhook, WebhookLayer, WebhookVerifier};

    async fn changed(Extension(notice): Extension<Webhook>) {
        println!("{:?} in {}", notice.event, notice.environment.slug); // names, never a value
    }

    let verifier = WebhookVerifier::new("whsec_…")?; // the service shows it when the webhook is made
    let layer = WebhookLayer::new(verifier).invalidate(&client); // the next read asks the service
    let app: Router = Router::new().route("/hooks/secr", post(changed)).layer(layer);
    // readme: end
    assert!(app.has_routes());
    Ok(())
}
