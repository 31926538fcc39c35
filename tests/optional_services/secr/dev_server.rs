//! The dev server: what the vendor's pages say of callers and versions.

use xtrasecurity::ErrorKind;
use xtrasecurity::secr::SecrClient;
use xtrasecurity::secr::dev::{CallerSeed, Fault, ProjectSeed, Role, SecrDevServer, route};

async fn server() -> SecrDevServer {
    let project = ProjectSeed::new("acme", "web").environment("preview").secret("production", "API_KEY", "k-1").secret(
        "production",
        "DB_URL",
        "postgres://…",
    );
    let builder = SecrDevServer::builder().project(project).project(ProjectSeed::new("acme", "shop"));
    let builder = builder.caller(CallerSeed::new("ann")).caller(CallerSeed::new("vic").role(Role::Viewer));
    let agent = CallerSeed::agent("bot", "acme", "web", "production").keys(["API_KEY"]);
    builder.caller(agent).start().await.unwrap()
}

fn client(server: &SecrDevServer, name: &str) -> SecrClient {
    let builder = SecrClient::builder().dev_server(server).no_proxy().max_retries(0);
    builder.token(server.token_for(name).unwrap()).build().unwrap()
}

#[tokio::test]
async fn an_agent_sees_its_environment_and_its_keys_and_nothing_else() {
    let server = server().await;
    let bot = client(&server, "bot");
    let secrets = bot.get_secrets("acme", "web", "production").await.unwrap();
    assert_eq!(secrets.names().collect::<Vec<_>>(), ["API_KEY"]);
    for (project, environment) in [("web", "staging"), ("shop", "production")] {
        let error = bot.get_secrets("acme", project, environment).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Forbidden, Some("forbidden")), "{project} {environment}");
    }
    let wrote = bot.set_secret("acme", "web", "production", "API_KEY", "k-2").await.unwrap_err();
    let promoted = bot.promote_secrets("acme", "web", "production", "staging").await.unwrap_err();
    let listed = bot.list_templates("acme", "web").await.unwrap_err();
    assert!([wrote, promoted, listed].iter().all(|error| error.kind() == ErrorKind::Forbidden));
}

#[tokio::test]
async fn a_viewer_reads_and_changes_nothing() {
    let server = server().await;
    let viewer = client(&server, "vic");
    assert_eq!(viewer.get_secrets("acme", "web", "production").await.unwrap().len(), 2);
    let outcomes = [
        viewer.set_secret("acme", "web", "production", "A", "1").await.map(drop),
        viewer.bulk_set_secrets("acme", "web", "production", [("A", "1")]).await.map(drop),
        viewer.delete_secret("acme", "web", "production", "API_KEY").await.map(drop),
        viewer.promote_secrets("acme", "web", "production", "staging").await.map(drop),
        viewer.add_template("acme", "web", "A").await.map(drop),
        viewer.remove_template("acme", "web", "A").await.map(drop),
    ];
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Forbidden);
    }
    assert_eq!(server.keys("acme", "web", "production"), ["API_KEY", "DB_URL"]);
    assert!(server.keys("acme", "web", "staging").is_empty());
}

#[tokio::test]
async fn a_deleted_secret_goes_on_with_its_versions_when_it_is_set_again() {
    let server = server().await;
    let ann = client(&server, "ann");
    ann.delete_secret("acme", "web", "production", "API_KEY").await.unwrap();
    assert_eq!(server.secret("acme", "web", "production", "API_KEY"), None);
    assert_eq!(ann.set_secret("acme", "web", "production", "API_KEY", "k-2").await.unwrap().version, 2);
    let counted = ann.bulk_set_secrets("acme", "web", "preview", [("A", "1"), ("B", "2")]).await.unwrap();
    assert_eq!((counted.created, counted.updated), (2, 0));
}

#[tokio::test]
async fn what_is_unknown_is_not_found_and_a_test_can_break_one_route() {
    let server = server().await;
    let ann = client(&server, "ann");
    for (org, project, environment) in
        [("other", "web", "production"), ("acme", "app", "production"), ("acme", "web", "qa")]
    {
        let error = ann.get_secrets(org, project, environment).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("not_found")));
    }
    assert!(server.set_secret("acme", "web", "qa", "A", "1").is_err());
    server.add_environment("acme", "web", "qa").unwrap();
    server.set_secret("acme", "web", "qa", "A", "1").unwrap();
    server.fault(Fault::status(500).on(route::SECRETS_LIST_KEYS));
    assert!(ann.get_secrets("acme", "web", "qa").await.is_ok());
    assert_eq!(ann.list_keys("acme", "web", "qa").await.unwrap_err().kind(), ErrorKind::Server);
    assert_eq!((server.request_count(route::SECRETS_LIST_KEYS), server.pending_faults()), (1, 0));
}
