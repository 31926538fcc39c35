//! The dev server as the clients find it, and what they must leave there.

use std::path::PathBuf;

use xtrasecurity::infisical::dev::{Generation, IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed};

use crate::programs::command;

/// A server with one project, and 50 secrets in a folder of it.
pub async fn start(generation: Generation) -> InfisicalDevServer {
    let mut project = ProjectSeed::new("peers")
        .member("ci", Role::Admin)
        .folder("dev", "/app")
        .import(("dev", "/"), ("dev", "/shared"))
        .secret(SecretSeed::new("dev", "PLAIN", "plain").comment("a comment"))
        .secret(SecretSeed::new("dev", "LINES", "first\nsecond"))
        .secret(SecretSeed::new("dev", "REFERENCE", "${PLAIN}/x"))
        .secret(SecretSeed::new("dev", "IMPORTED", "from shared").path("/shared"));
    for number in 0..50 {
        let (name, value) = (format!("MANY_{number:02}"), format!("value-{number:02}-of-a-usual-length-0123456789"));
        project = project.secret(SecretSeed::new("dev", &name, &value).path("/many"));
    }
    let server =
        InfisicalDevServer::builder().generation(generation).identity(IdentitySeed::new("ci")).project(project);
    server.start().await.expect("a dev server")
}

/// The variables that tell a program of the server: those of the peers, and this crate's own.
pub fn variables(server: &InfisicalDevServer) -> Vec<(&'static str, String)> {
    let host = server.url().trim_end_matches("/api").to_owned();
    let client = server.client_id("ci").expect("it is in the seed");
    let secret = server.client_secret("ci").expect("it is in the seed");
    let project = server.project_id().to_owned();
    vec![
        ("PEER_HOST", host.clone()),
        ("PEER_CLIENT_ID", client.clone()),
        ("PEER_CLIENT_SECRET", secret.clone()),
        ("PEER_PROJECT_ID", project.clone()),
        ("INFISICAL_DOMAIN", host),
        ("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", client),
        ("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", secret),
        ("INFISICAL_PROJECT_ID", project),
    ]
}

/// Runs a client's program against a server of its own. Gives the steps that it told, or what is wrong.
pub async fn check(generation: Generation, words: &[PathBuf]) -> Result<String, String> {
    let server = start(generation).await;
    let mut process = command(words, "check");
    // servers of each age answer some questions in their own way
    process.envs(variables(&server)).env("PEER_SERVER", format!("{generation:?}"));
    let output = tokio::task::spawn_blocking(move || process.output()).await.expect("no panic");
    let output = output.map_err(|error| error.to_string())?;
    let steps = String::from_utf8_lossy(&output.stdout).lines().collect::<Vec<_>>().join("; ");
    if !output.status.success() {
        return Err(format!("after: {steps}\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    let (kept, gone) = ("kept\nby ü".to_owned(), None);
    let found = ["KEPT", "GONE"].map(|name| server.value("peers", "dev", "/app", name));
    if found != [Some(kept), gone] {
        return Err(format!("after: {steps}\nthe server holds {found:?}"));
    }
    server.stop().await;
    Ok(steps)
}
