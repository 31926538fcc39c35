//! Each call of the Python SDK, in Rust.

use std::error::Error;

use xtrasecurity::XtraClient;

pub fn configure() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use std::time::Duration;
    use xtrasecurity::{XtraClient, XtraClientOptions};

    let client = XtraClient::new(XtraClientOptions {
        token: Some("xs_0123456789abcdef".into()), // leave it out, and XTRA_TOKEN is used
        project_id: Some("665f1c2ab7c0de0012345678".into()),
        cache_ttl: Duration::from_secs(60),
        ..Default::default()
    })?;
    // readme: end
    drop(client);
    Ok(())
}

pub async fn read(client: &XtraClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let secrets = client.get_secrets("production").await?;
    if let Some(url) = secrets.get("DATABASE_URL") {
        println!("{}", url.expose()); // `{url:?}` prints [REDACTED]
    }
    // readme: end
    // readme: begin
    let preview_secrets = client.get_secrets("staging").branch("feature/new-ui").no_cache().await?;
    // readme: end
    println!("{}", preview_secrets.len());
    // readme: begin
    client.clear_cache();
    // readme: end
    Ok(())
}

pub async fn inject() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::XtraClient;

    let client = XtraClient::from_env()?;
    client
        .inject_secrets("production")
        .project_id("665f1c2ab7c0de0012345678")
        .branch("feature/new-ui")
        .override_existing()
        .await?;
    println!("{:?}", std::env::var("DATABASE_URL"));
    // readme: end
    Ok(())
}

pub async fn manage() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::XtraClient;

    let client = XtraClient::from_env()?;
    let project_info = client.get_project().project_id("665f1c2ab7c0de0012345678").await?;
    let branch = client.create_branch("hotfix/api-v2").project_id("665f1c2ab7c0de0012345678").await?;
    // readme: end
    println!("{project_info:?} {branch:?}");
    Ok(())
}

pub async fn begin_a_branch_with_secrets(client: &XtraClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    client.create_branch("hotfix/api-v2").await?; // empty: reads of it give no secrets
    client.promote_secrets("production", "production").to_branch("hotfix/api-v2").await?;
    // readme: end
    let copied = client.get_secrets("production").branch("hotfix/api-v2").await?;
    println!("{} secrets on the new branch", copied.len());
    Ok(())
}

pub async fn handle_errors(client: XtraClient) {
    // readme: begin
    if let Err(error) = client.get_secrets("production").await {
        println!("XtraSecurity error: {}", error.message());
        println!("{error}"); // with what was called, and what to do
    }
    // readme: end
}
