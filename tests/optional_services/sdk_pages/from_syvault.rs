//! The Python SDK of SyVault.

use xtrasecurity::syvault::dev::{ClientSeed, SecretSeed, SyVaultDevServer};
use xtrasecurity::syvault::{SyVaultClient, SyVaultFolder};
use xtrasecurity::{EngineOptions, SecretValue, blocking};

use crate::Outcome;

/// A private key, as one that a program finds in its environment.
const SECRET: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

/// The folders and the secret of the page.
async fn start() -> (SyVaultDevServer, SyVaultClient) {
    let fields = [
        ("host", "db.example.com"),
        ("port", "5432"),
        ("database", "app"),
        ("username", "app"),
        ("password", "s3cret!"),
    ];
    let secret = SecretSeed::new("production", "Database").uid("7Kj9mNpQ2xRs").rotates("password");
    let secret = fields.into_iter().fold(secret, |secret, (name, value)| secret.field(name, value));
    let builder = SyVaultDevServer::builder()
        .folder(SyVaultFolder::new("production").path(["Production"]))
        .folder(SyVaultFolder::new("folder-uuid-here"))
        .secret(secret);
    let server = builder.start().await.unwrap();
    let client = SyVaultClient::builder().dev_server(&server).no_proxy().build().unwrap();
    (server, client)
}

#[test]
fn authentication() -> Outcome {
    let client_secret = SECRET;
    // readme: begin
    use xtrasecurity::syvault::SyVaultClient;

    let client = SyVaultClient::builder()
        .server("https://vault.example.com")
        .client_id("c9a1b2d3-4e5f-6789-abcd-ef0123456789")
        .client_secret(client_secret) // left out, it is that of SY_CLIENT_SECRET
        .build()?;
    // readme: end
    assert_eq!(client.stats().requests, 0, "nothing is sent by it");
    Ok(())
}

#[tokio::test]
async fn registration() -> Outcome {
    let server = SyVaultDevServer::builder().client(ClientSeed::unregistered("new")).start().await?;
    let (url, token) = (server.url(), server.one_time_token("new").unwrap_or_default());
    let save = |key: &SecretValue| assert!(!key.is_empty());
    // readme: begin
    use xtrasecurity::syvault::{SyVaultClient, new_client_secret};

    let key = new_client_secret()?;
    save(&key); // before the token is spent: it is good once
    let builder = || SyVaultClient::builder().server(url.as_str()).client_secret(key.clone());
    let registration = builder().bootstrap(token).await?; // vft_…, which an administrator gives
    let client = builder().client_id(registration.client_id).build()?;
    // readme: end
    assert_eq!(client.list().await?.len(), 0);
    assert!(server.one_time_token("new").is_none());
    Ok(())
}

#[tokio::test]
async fn fetching() -> Outcome {
    let (_server, client) = start().await;
    // readme: begin
    for secret in client.list().await? {
        println!("{} {}", secret.uid, secret.title.unwrap_or_default());
    }
    // readme: end
    // readme: begin
    let secret = client.get("7Kj9mNpQ2xRs").await?;
    println!("{}", secret.require("host")?.expose()); // db.example.com
    println!("{}", secret.require("password")?.expose()); // `{:?}` prints [REDACTED]
    // readme: end
    assert_eq!(secret.require("host")?.expose(), "db.example.com");
    // readme: begin
    let password = client.notation("sy://Production/Database/field/password").await?;
    println!("{}", password.expose());
    // readme: end
    assert_eq!(password.expose(), "s3cret!");
    Ok(())
}

#[tokio::test]
async fn creating() -> Outcome {
    let (server, client) = start().await;
    // readme: begin
    let fields = [("key", "sk_live_abc123"), ("environment", "production")];
    let new_secret = client.create("folder-uuid-here", "Stripe API Key", fields).await?;
    println!("{}", new_secret.uid);
    // readme: end
    assert_eq!(server.field(&new_secret.uid, "key").as_deref(), Some("sk_live_abc123"));
    Ok(())
}

#[tokio::test]
async fn rotating() -> Outcome {
    let (server, client) = start().await;
    // readme: begin
    let result = client.rotate("7Kj9mNpQ2xRs").await?;
    println!("{}", result.status); // completed
    if let Some(password) = result.new_fields.get("password") {
        println!("{}", password.expose());
    }
    // readme: end
    assert_eq!(result.status, "completed");
    let stored = server.field("7Kj9mNpQ2xRs", "password");
    assert_eq!(stored.as_deref(), Some(result.new_fields["password"].expose()));
    Ok(())
}

#[test]
fn without_async() -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (_server, client) = runtime.block_on(start());
    let client: blocking::SyVaultClient = client.into();
    // readme: begin
    let secret = client.get("7Kj9mNpQ2xRs").send()?; // of a `blocking::SyVaultClient`
    println!("{}", secret.require("password")?.expose());
    // readme: end
    assert_eq!(secret.require("password")?.expose(), "s3cret!");
    Ok(())
}

#[tokio::test]
async fn errors() -> Outcome {
    let (server, known) = start().await;
    let stranger = SyVaultClient::builder().dev_server(&server).no_proxy().client_secret(SECRET).build()?;
    for (client, kind) in
        [(known, xtrasecurity::ErrorKind::NotFound), (stranger, xtrasecurity::ErrorKind::Unauthorized)]
    {
        assert_eq!(client.get("nonexistent").await.unwrap_err().kind(), kind);
        // readme: begin
        use xtrasecurity::ErrorKind;

        match client.get("nonexistent").await {
            Ok(secret) => println!("{} fields", secret.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => println!("{:?} does not exist", error.names()),
            Err(error) if error.kind() == ErrorKind::Unauthorized => println!("authentication failed: {error}"),
            Err(error) => return Err(error.into()),
        }
        // readme: end
    }
    Ok(())
}

#[tokio::test]
async fn settings_of_a_web_program() -> Outcome {
    let (_server, client) = start().await;
    let uid = "7Kj9mNpQ2xRs";
    // readme: begin
    use schemars::JsonSchema;
    use serde::Deserialize;
    use xtrasecurity::SecretValue;

    #[derive(Deserialize, JsonSchema)]
    struct Database {
        host: String,
        port: u16,
        database: String,
        username: String,
        password: SecretValue,
    }

    let database: Database = client.get(uid).typed().await?; // of `SyVaultClient::from_env()?`
    // readme: end
    let Database { host, port, database, username, password } = database;
    assert_eq!((host.as_str(), port, password.expose()), ("db.example.com", 5432, "s3cret!"));
    assert_eq!((database.as_str(), username.as_str()), ("app", "app"));
    Ok(())
}

#[tokio::test]
async fn secrets_at_the_start_of_a_service() -> Outcome {
    let (_server, client) = start().await;
    // readme: begin
    use std::sync::Arc;

    use axum::{Router, extract::State, routing::get};
    use xtrasecurity::Secrets;

    async fn health(State(database): State<Arc<Secrets>>) -> &'static str {
        if database.contains("password") { "ok" } else { "no password" }
    }

    let database = client.get("7Kj9mNpQ2xRs").await?; // before the first request
    let app: Router = Router::new().route("/health", get(health)).with_state(database);
    // readme: end
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let mut answer = String::new();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET /health HTTP/1.0\r\n\r\n").await?;
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await?;
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
    serving.abort();
    Ok(())
}

#[tokio::test]
async fn caching() -> Outcome {
    let (server, _) = start().await;
    let clock = xtrasecurity::clock::ManualClock::new();
    let options = EngineOptions::default().clock(clock.clock());
    let builder = || SyVaultClient::builder().dev_server(&server).no_proxy().engine_options(options.clone());
    let client = {
        // readme: begin
        use std::time::Duration;

        let client = builder().cache_ttl(Duration::from_secs(300)).cache_max(500).build()?;
        // readme: end
        client
    };
    client.get("7Kj9mNpQ2xRs").await?;
    clock.advance(std::time::Duration::from_secs(200));
    client.get("7Kj9mNpQ2xRs").await?;
    assert_eq!(server.total_requests(), 1);
    let client = {
        // readme: begin
        use std::time::Duration;

        let client = builder().cache_ttl(Duration::ZERO).build()?;
        // readme: end
        client
    };
    server.reset_counts();
    for _ in 0..2 {
        let _ = client.get("7Kj9mNpQ2xRs").await;
    }
    assert_eq!(server.total_requests(), 2);
    Ok(())
}

#[tokio::test]
async fn the_end_of_a_client() -> Outcome {
    let (_server, client) = start().await;
    // readme: begin
    let secret = client.get("7Kj9mNpQ2xRs").await?;
    client.close(); // or let it go out of scope
    println!("{}", secret.require("password")?.expose()); // a snapshot outlives its client
    // readme: end
    assert_eq!(secret.len(), 5);
    Ok(())
}
