//! Reads, writes, keys, errors and the rest.

use std::error::Error;

use xtrasecurity::infisical::InfisicalClient;

pub async fn of_the_readme(client: &InfisicalClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let secrets = client.get_secrets("dev").path("/app").await?; // with imports and expanded references, cached for 60 s
    let key = client.get_secret("prod", "API_KEY").path("/app").await?;
    let written = client.set_secret("dev", "PORT", "8080").path("/app").await?;
    assert!(written.is_applied()); // false while it awaits an approval
    // readme: end
    drop((secrets, key));
    Ok(())
}

pub async fn read(client: &InfisicalClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let secrets = client.get_secrets("dev").await?;
    let port = client.get_secrets("dev").path("/app").await?.require("PORT")?.expose().parse::<u16>()?;
    let tree = client.get_secrets("dev").recursive().no_cache().await?;
    let as_stored = client.get_secrets("dev").include_imports(false).expand_references(false).await?;
    let tagged = client.get_secrets("dev").tag("database").await?;
    let names = client.get_secrets("dev").view_secret_value(false).allow_unreadable().await?;
    // readme: end
    assert_eq!((secrets.len(), port, tree.len(), as_stored.len(), tagged.len()), (1, 8080, 4, 1, 1));
    assert_eq!(names.unreadable().len(), 1);
    Ok(())
}

pub async fn read_one(client: &InfisicalClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let key = client.get_secret("prod", "API_KEY").path("/app").await?;
    let first = client.get_secret("prod", "API_KEY").path("/app").version(1).await?;
    // readme: end
    assert_eq!(key, first);
    Ok(())
}

pub async fn list(client: &InfisicalClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    for secret in client.list_secrets("dev").recursive().await? {
        println!("{} {} {:?} {:?}", secret.folder, secret.name, secret.version, secret.tags);
    }
    // readme: end
    Ok(())
}

pub async fn write(client: &InfisicalClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::infisical::write::Written;

    match client.create_secret("dev", "SMTP_URL", "smtp://mail").path("/app").comment("of the shop").await? {
        Written::Applied(secret) => println!("{} is in version {:?}", secret.name, secret.version),
        Written::AwaitsApproval(approval) => println!("nothing has changed: approve {:?} first", approval.slug),
        _ => {}
    }
    let changed =
        client.update_secret("dev", "DB_URL").path("/app").value("postgres://new").new_name("DATABASE_URL").await?;
    let deleted = client.delete_secret("dev", "OLD_KEY").path("/app").await?;
    let several = client.set_secrets("dev", [("HOST", "db.internal"), ("PORT", "8080")]).path("/app").await?;
    assert!(changed.is_applied() && deleted.is_applied() && several.is_applied());
    // readme: end
    Ok(())
}

pub async fn keys(client: &InfisicalClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let key = client.create_kms_key("backups").description("of the database").await?;
    let ciphertext = client.kms_encrypt(&key.id, b"a data key").await?; // bytes; base64 is on the wire only
    let plaintext = client.kms_decrypt(&key.id, &ciphertext).await?;
    assert_eq!(plaintext.expose(), b"a data key");
    let found = client.list_kms_keys().search("back").descending().limit(10).await?;
    // readme: end
    assert_eq!(found.len(), 1);
    Ok(())
}

pub async fn hold(client: &InfisicalClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let lease = client.hold_lease("dev", "postgres").path("/app").await?; // renewed as long as it is held
    let password = lease.get("DB_PASSWORD").ok_or("the lease has no DB_PASSWORD")?;
    println!("{password:?} until {:?}", lease.expires_at()); // [REDACTED]
    lease.close().await?; // a lease that is dropped is revoked too
    // readme: end
    Ok(())
}

pub async fn watch(client: &InfisicalClient, change: impl AsyncFnOnce()) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let mut changes = client.watch("dev");
    let first = changes.next().await.ok_or("the client is closed")??; // what is there now
    println!("{} secrets", first.snapshot.len());
    // readme: end
    change().await;
    let next = changes.next().await.ok_or("the client is closed")??;
    assert_eq!(next.changed, ["DATABASE_URL"]);
    Ok(())
}

pub async fn fail(client: &InfisicalClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::ErrorKind;

    match client.get_secret("prod", "NOT_THERE").await {
        Ok(value) => println!("{} characters", value.expose().len()),
        Err(error) if error.kind() == ErrorKind::NotFound => println!("{error}"), // what is missing, where, what to do
        Err(error) if error.is_retryable() => println!("try later: {error}"),
        Err(error) => return Err(error.into()),
    }
    // readme: end
    Ok(())
}

pub async fn ask_any_endpoint(client: &InfisicalClient, project_id: &str) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let folders = client.raw().folders_list().project_id(project_id).environment("dev").send().await?;
    // readme: end
    assert_eq!(folders.folders.len(), 1);
    Ok(())
}

pub async fn test_with_a_server() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::infisical::InfisicalClient;
    use xtrasecurity::infisical::dev::{IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed};

    let project = ProjectSeed::new("shop").member("ci", Role::Admin).secret(SecretSeed::new("dev", "PORT", "8080"));
    let server = InfisicalDevServer::builder().identity(IdentitySeed::new("ci")).project(project).start().await?;
    let client = InfisicalClient::builder().dev_server(&server).build()?;
    assert_eq!(client.get_secrets("dev").await?.require("PORT")?.expose(), "8080");
    // readme: end
    Ok(())
}

#[allow(dead_code)]
fn without_async() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::blocking::InfisicalClient;

    let client = InfisicalClient::from_env()?;
    let secrets = client.get_secrets("dev").send()?;
    let written = client.set_secret("dev", "PORT", "8080").send()?;
    // readme: end
    drop((secrets, written));
    Ok(())
}
