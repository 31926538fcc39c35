//! A server with one project, clients of it whose clock stands still, and what is waited for.

use xtrasecurity::clock::ManualClock;
use xtrasecurity::infisical::dev::{
    IdentitySeed, InfisicalDevServer, InfisicalDevServerBuilder, ProjectSeed, Role, SecretSeed, route,
};
use xtrasecurity::infisical::{InfisicalClient, InfisicalClientBuilder};
use xtrasecurity::watch::Change;
use xtrasecurity::watch::Watch;

pub fn seeded() -> InfisicalDevServerBuilder {
    let project = ProjectSeed::new("web")
        .member("ci", Role::Admin)
        .member("viewer", Role::Viewer)
        .member("nobody", Role::NoAccess)
        .secret(SecretSeed::new("dev", "HOST", "db.internal"))
        .secret(SecretSeed::new("dev", "PORT", "8080").path("/app"))
        .secret(SecretSeed::new("dev", "DEEP", "1").path("/app/db"));
    let identities = ["ci", "viewer", "nobody"].map(IdentitySeed::new);
    identities
        .into_iter()
        .fold(InfisicalDevServer::builder(), |builder, identity| builder.identity(identity))
        .project(project)
}

pub fn builder(server: &InfisicalDevServer) -> InfisicalClientBuilder {
    InfisicalClient::builder().token(server.token()).project_id(server.project_id()).base_url(server.url()).no_proxy()
}

/// A client whose clock does not move, so that nothing is polled twice.
pub fn still(server: &InfisicalDevServer) -> InfisicalClient {
    builder(server).clock(ManualClock::new().clock()).build().unwrap()
}

/// Lets everything go on until it is so.
pub async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

pub fn reads(server: &InfisicalDevServer) -> u64 {
    server.request_count(route::SECRETS_LIST)
}

pub fn connections(server: &InfisicalDevServer) -> u64 {
    server.request_count(route::EVENTS_SUBSCRIBE)
}

/// The next item of a watch.
pub async fn next(watch: &mut Watch) -> Change {
    watch.next().await.unwrap().unwrap()
}

/// The first item of a watch, when its connection stands and what follows from that has been read.
pub async fn begun(server: &InfisicalDevServer, watch: &mut Watch) -> Change {
    let first = next(watch).await;
    until(|| server.subscriptions() == 1 && reads(server) >= 2).await;
    first
}
