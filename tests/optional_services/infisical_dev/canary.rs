//! The canary of the dev server: a planted value is in no `Debug` of any of its public types.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use xtrasecurity::infisical::dev::{
    Action, ClientSecretSeed, EnvironmentSeed, Fault, Generation, Grant, HalfExpansion, IdentitySeed,
    InfisicalDevServer, LoginMethod, ProjectSeed, RateLimits, Role, SecretSeed, ServiceTokenSeed, TagSeed, route,
};

use crate::wire::Call;

const PLANTED: &str = "planted-7f3a-value";

/// The types that are written down, by their names in the module.
fn written() -> BTreeSet<&'static str> {
    let heads = include_str!("../../public_api.txt").lines().filter_map(|line| line.strip_prefix("infisical::dev::"));
    heads.filter_map(|line| line.strip_suffix(" (struct)").or_else(|| line.strip_suffix(" (enum)"))).collect()
}

#[tokio::test]
async fn no_public_type_of_the_dev_server_shows_a_value_or_a_secret() {
    let secret = SecretSeed::new("dev", "KEY", PLANTED).comment(PLANTED);
    let client_secret = ClientSecretSeed::new(PLANTED).uses(3).ttl(Duration::from_secs(9));
    let identity = IdentitySeed::new("ci").client_secret(client_secret.clone()).login(LoginMethod::Oidc, PLANTED);
    let token = ServiceTokenSeed::new("st", "web").token("id", PLANTED);
    let project = ProjectSeed::new("web").secret(secret.clone()).member("ci", Role::Admin);
    let builder = || {
        let builder = InfisicalDevServer::builder().identity(identity.clone()).project(project.clone());
        builder.service_token(token.clone())
    };
    let server = builder().start().await.unwrap();
    let target = format!("/api/v4/secrets/KEY?projectId={}&environment=dev", server.project_id());
    let answer = Call::new("GET", target).token(server.token()).header("X-More", PLANTED).send(server.port()).await;
    assert!(answer.body.contains(PLANTED));
    let seen = server.requests(route::SECRETS_GET).pop().unwrap();
    let error = builder().project(project.clone()).start().await.unwrap_err();
    let builder = builder();
    let (hold, fault) = (server.hold(route::STATUS_GET), Fault::body(500, PLANTED, PLANTED));
    let types: [(&str, &dyn Debug); 21] = [
        ("Action", &Action::Read),
        ("ClientSecretSeed", &client_secret),
        ("DevServerError", &error),
        ("EnvironmentSeed", &EnvironmentSeed::new("dev", "Development")),
        ("Fault", &fault),
        ("Generation", &Generation::Current),
        ("Grant", &Grant::new([Action::Read])),
        ("HalfExpansion", &HalfExpansion::Random),
        ("Hold", &hold),
        ("IdentitySeed", &identity),
        ("InfisicalDevServer", &server),
        ("InfisicalDevServerBuilder", &builder),
        ("LoginMethod", &LoginMethod::Aws),
        ("ProjectSeed", &project),
        ("RateLimits", &RateLimits::cloud()),
        ("Role", &Role::Viewer),
        ("SecretSeed", &secret),
        ("SeenRequest", &seen),
        ("ServiceTokenSeed", &token),
        ("TagSeed", &TagSeed::new("t")),
        ("DevServerError ", &error.to_string()),
    ];
    for (name, value) in types {
        for text in [format!("{value:?}"), format!("{value:#?}")] {
            assert!(!text.contains(PLANTED), "{name} shows what was planted");
            assert!(!text.contains(server.token()), "{name} shows a token");
        }
    }
    let known: BTreeMap<&str, ()> = types.iter().map(|(name, _)| (name.trim(), ())).collect();
    let missing: Vec<_> = written().into_iter().filter(|name| !known.contains_key(name)).collect();
    assert!(missing.is_empty(), "new public types: {missing:?}. Add them to the canary");
}
