//! Snippets that change something.

use std::error::Error;

use xtrasecurity::XtraClient;

pub async fn write(client: &XtraClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::xtra::write::Written;

    if client.set_secret("staging", "API_KEY", "sk-2").await? == Written::Unconfirmed {
        // the service has taken it, and a read gives something else, or could not be made
    }
    client.set_secrets("staging", [("HOST", "db"), ("PORT", "5432")]).skip_unchanged().verify().await?;
    client.create_secret("staging", "SIGNING_KEY", "s-1").await?; // fails when it exists

    let seen = client.get_secrets("staging").await?;
    client.set_secret("staging", "PORT", "5433").if_unchanged(&seen).await?; // Conflict when somebody was faster

    for entry in client.secret_history("staging", "PORT").await?.entries {
        println!("version {} of {:?}", entry.version, entry.updated_at);
    }
    client.rollback_secret("staging", "PORT", 1).await?;
    client.promote_secrets("staging", "production").only(["SIGNING_KEY"]).overwrite(true).await?;
    client.delete_secret("staging", "HOST").await?;
    // readme: end
    Ok(())
}

pub async fn copy(client: &XtraClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    let plan = client.get_secrets("staging").copy_to(client, "review").exclude(["API_KEY"]).prefix("APP_").await?;
    for obstacle in plan.obstacles() {
        println!("{obstacle}"); // a name, and why it cannot be copied
    }
    let report = plan.apply().await?; // refuses while there are obstacles
    println!("{} created, {} there before", report.created.len(), report.present.len());
    // readme: end
    Ok(())
}

pub async fn manage(client: &XtraClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    use std::time::Duration;

    println!("{:?}", client.whoami().await?); // a user, or a service account and its project

    client.create_branch("feature/login").await?;
    let differences = client.compare_branches("main", "feature/login").await?; // names, no values
    println!("{} secrets differ", differences.changed.len());
    client.delete_branch("feature/login").await?; // with its secrets: they do not fall back into main

    let account = client.create_service_account("ci").permissions(["read:secrets"]).await?;
    let new = client.create_service_account_key(&account.id).expires_in(Duration::from_secs(30 * 86_400)).await?;
    std::fs::write("ci.key", new.key.expose())?; // the service shows it this once

    let request = client.request_access("incident 42", Duration::from_secs(3600)).await?;
    client.wait_for_access(&request.id).await?;
    // readme: end
    Ok(())
}
