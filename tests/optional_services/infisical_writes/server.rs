//! A server with one project, and clients of it.

use xtrasecurity::infisical::dev::{
    Generation, IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed, TagSeed,
};
use xtrasecurity::infisical::{InfisicalClient, InfisicalClientBuilder};

pub const BOTH: [Generation; 2] = [Generation::October2024, Generation::Current];

/// A tag of the project.
pub const TAG: &str = "5e1c9c1e-6c5d-4c39-9a2f-3f1f0f5b9a01";

/// A server of that age: `HOST` and `PASSWORD` in `dev`, the folder `/app` in both environments, and `/guarded` with a policy.
pub async fn start(generation: Generation) -> InfisicalDevServer {
    let project = ProjectSeed::new("web")
        .member("ci", Role::Admin)
        .member("ann", Role::Admin)
        .tag(TagSeed::new("net").id(TAG))
        .secret(SecretSeed::new("dev", "HOST", "db.internal").comment("the primary"))
        .secret(SecretSeed::new("dev", "PASSWORD", "plum-4711"))
        .secret(SecretSeed::new("dev", "PORT", "8080").path("/app"))
        .folder("staging", "/app")
        .folder("dev", "/guarded")
        .approval_policy("dev", "/guarded");
    let builder = InfisicalDevServer::builder().generation(generation).user("ann").identity(IdentitySeed::new("ci"));
    builder.project(project).start().await.unwrap()
}

pub fn builder(server: &InfisicalDevServer) -> InfisicalClientBuilder {
    InfisicalClient::builder().token(server.token()).project_id(server.project_id()).base_url(server.url()).no_proxy()
}

pub fn client(server: &InfisicalDevServer) -> InfisicalClient {
    builder(server).build().unwrap()
}

/// A client of the user `ann`.
pub fn user(server: &InfisicalDevServer) -> InfisicalClient {
    let token = server.token_for("ann").unwrap();
    InfisicalClient::builder()
        .token(token)
        .project_id(server.project_id())
        .base_url(server.url())
        .no_proxy()
        .build()
        .unwrap()
}
