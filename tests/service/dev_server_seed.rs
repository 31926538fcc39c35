//! The seed of a dev server, and the secrets that it never prints.

use crate::support::{read, read_as};
use xtrasecurity::dev_server::{
    DevServer, DevServerBuilder, DevServerError, Fault, Hold, ProjectSeed, RateLimits, SecretSeed, Seed, SeenRequest,
    ServiceAccountSeed, Tier, TokenSeed, UserSeed,
};

const CANARY: &str = "canary-5e1f";

fn web(project: ProjectSeed) -> DevServerBuilder {
    DevServer::builder().user(UserSeed::new("owner").tier(Tier::Pro)).user(UserSeed::new("vic")).project(project)
}

fn project() -> ProjectSeed {
    ProjectSeed::new("web").secret("production", "API_KEY", CANARY).secret("production", "URL", "postgres://db")
}

#[tokio::test]
async fn a_seed_file_makes_the_same_world_as_code() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = r#"{
        "users": [{ "name": "ann", "tier": "pro" }, { "name": "vic" }],
        "projects": [{
            "name": "web", "id": "0123456789abcdef01234567", "owner": "ann",
            "members": { "vic": "viewer" },
            "branches": ["feature/x", { "name": "main", "id": "aaaaaaaaaaaaaaaaaaaaaaaa" }],
            "secrets": [
                { "environment": "production", "name": "B", "value": "1" },
                { "environment": "production", "name": "A", "value": "2" },
                { "environment": "production", "name": "7", "value": "3" },
                { "environment": "production", "name": "A", "value": "4", "branch": "feature/x" }
            ],
            "serviceAccounts": [{ "name": "ci", "permissions": ["read:secrets"], "token": "xtra_ci" }]
        }],
        "tokens": [{ "holder": "ann", "token": "an.extra.token" }]
    }"#;
    std::fs::write(file.path(), text).unwrap();
    let server = DevServer::builder().seed_file(file.path()).start().await.unwrap();
    assert_eq!(server.project_id(), "0123456789abcdef01234567");
    assert_eq!(read_as(&server, "an.extra.token", "").await.body, r#"{"7":"3","B":"1","A":"2"}"#);
    assert_eq!(read_as(&server, "xtra_ci", "?branch=feature/x").await.body, r#"{"A":"4"}"#);
    assert!(read_as(&server, server.token_for("vic").unwrap(), "").await.body.contains("***"));
    server.stop().await;
}

#[tokio::test]
async fn a_seed_that_is_wrong_says_where_and_never_what() {
    let unknown_member = format!("{{\n  \"projects\": [{{ \"nmae\": \"{CANARY}\" }}] }}");
    let error = Seed::from_json(&unknown_member).unwrap_err();
    assert!(matches!(error, DevServerError::SeedSyntax { line: 2, .. }), "{error}");
    let wrong_type = format!("{{ \"projects\": [{{ \"name\": \"web\", \"secrets\": \"{CANARY}\" }}] }}");
    for error in [error, Seed::from_json(&wrong_type).unwrap_err()] {
        assert!(!format!("{error} {error:?}").contains(CANARY));
    }
    let missing = DevServer::builder().seed_file("/nowhere/seed.json").start().await.unwrap_err();
    assert!(missing.to_string().contains("/nowhere/seed.json"));
    let nobody = web(project().owner("nobody")).start().await.unwrap_err();
    assert!(matches!(nobody, DevServerError::Unknown { what: "user", .. }), "{nobody}");
    let lost = web(project().with_secret(SecretSeed::new("e", "K", "v").on_branch("gone"))).start().await.unwrap_err();
    assert!(matches!(lost, DevServerError::Unknown { what: "branch", .. }), "{lost}");
    let twice = web(project()).project(project()).start().await.unwrap_err();
    assert!(matches!(twice, DevServerError::Duplicate { what: "project", .. }), "{twice}");
}

#[tokio::test]
async fn nothing_that_is_printed_shows_a_value_or_a_token() {
    let seed = Seed::new()
        .user(UserSeed::new("owner").token(format!("token-{CANARY}")))
        .project(
            project().service_account(ServiceAccountSeed::new("ci", ["read:secrets"]).token(format!("sa-{CANARY}"))),
        )
        .token(TokenSeed::new("owner", format!("more-{CANARY}")));
    let builder = DevServer::builder().seed(seed.clone());
    let mut printed = format!("{seed:?} {builder:?}");
    let server = builder.start().await.unwrap();
    let hold = server.hold("/health");
    let fault = Fault::body(200, "text/plain", CANARY).header("x-canary", CANARY);
    read(&server, "").await;
    let seen = server.requests("/projects/{projectId}/envs/{env}/secrets");
    printed += &format!("{server:?} {hold:?} {fault:?} {seen:?}");
    assert!(!printed.contains(CANARY), "{printed}");
    drop(hold);
    server.stop().await;
}

#[test]
fn everything_public_can_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<DevServer>();
    crosses::<DevServerBuilder>();
    crosses::<DevServerError>();
    crosses::<Seed>();
    crosses::<RateLimits>();
    crosses::<Fault>();
    crosses::<Hold>();
    crosses::<SeenRequest>();
}
