//! Snippets that read.

use std::error::Error;

use xtrasecurity::{Secrets, XtraClient};

pub fn configure() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use std::time::Duration;
    use xtrasecurity::{XtraClient, XtraClientOptions};

    let client = XtraClient::new(XtraClientOptions {
        token: Some("xs_0123456789abcdef".into()),
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
    let preview = client.get_secrets("staging").branch("feature/new-ui").no_cache().await?;

    for (name, value) in secrets.iter() {
        println!("{name} = {value:?}"); // DATABASE_URL = [REDACTED]
    }
    println!("{} secrets on the branch, {:?} old", preview.len(), preview.age());
    client.clear_cache();
    // readme: end
    Ok(())
}

pub async fn keep_a_handle(client: &XtraClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let mut production = client.scope("production"); // make it once
    let secrets = production.get().await?; // at each use: fresh, stale or fetched by the same rules
    println!("{} secrets", secrets.len());
    // readme: end
    Ok(())
}

pub async fn handle_errors(client: &XtraClient) {
    // readme: begin
    use xtrasecurity::ErrorKind;

    match client.get_secrets("production").await {
        Ok(secrets) => println!("{} secrets", secrets.len()),
        Err(error) if error.kind() == ErrorKind::RateLimited => println!("wait {:?}", error.retry_after()),
        Err(error) if error.is_retryable() => println!("try later: {error}"),
        Err(error) => println!("{error}"),
    }
    // readme: end
}

pub async fn refer(client: &XtraClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let key = client.resolve("xtra:///production/API_KEY").await?;
    let file = client.render("url = \"{{ xtra:///production/DATABASE_URL }}\"").await?;
    // readme: end
    println!("a key of {} bytes, a file of {}", key.len(), file.len());
    Ok(())
}

pub async fn ask_any_endpoint(client: &XtraClient, project_id: &str) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let project = client.raw().projects_get().id(project_id).send().await?;
    println!("{:?}, {:?} requests left today", project.name, project.header("x-ratelimit-remaining"));
    // readme: end
    Ok(())
}

pub fn give_to_a_child(secrets: &Secrets) -> Result<(), Box<dyn Error>> {
    // readme: begin
    use std::process::Command;

    let mut command = Command::new("env");
    secrets.injection().only(["DATABASE_URL"]).apply_to(&mut command)?;
    // readme: end
    drop(command);
    Ok(())
}

pub async fn survive_a_bad_answer() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::XtraClient;
    use xtrasecurity::dev_server::{DevServer, Fault, route};

    let server = DevServer::start().await?;
    let client = XtraClient::builder().dev_server(&server).build()?;

    server.fault(Fault::status(503).on(route::SECRETS_READ));
    client.get_secrets("production").await?; // the second attempt succeeds
    assert_eq!(server.request_count(route::SECRETS_READ), 2);
    // readme: end
    Ok(())
}

pub async fn watch(client: XtraClient) {
    // readme: begin
    let mut changes = client.watch("production");
    while let Some(item) = changes.next().await {
        match item {
            Ok(change) => {
                println!("added {:?}, changed {:?}, removed {:?}", change.added, change.changed, change.removed)
            }
            Err(error) => eprintln!("{error}"), // the stream goes on
        }
    }
    // readme: end
}

pub fn keep_copies() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::{OfflineOptions, XtraClient};

    let client = XtraClient::builder().offline(OfflineOptions::new("/var/cache/shop/secrets")).build()?;
    // readme: end
    drop(client);
    Ok(())
}
