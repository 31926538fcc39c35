use xtrasecurity::dev_server::{DevServer, Fault, route};
use xtrasecurity::xtra::manage::Caller;
use xtrasecurity::{ErrorKind, XtraClient};

use crate::manage::{NOBODY, client, client_of, refused, service};

const WEBHOOKS: &str = "GET /projects/{projectId}/webhooks";

/// The service in memory has no webhooks.
fn no_webhooks(server: &DevServer) {
    server.fault(Fault::body(200, "application/json", "[]").on(WEBHOOKS));
}

#[tokio::test]
async fn users_and_service_accounts_are_told_who_they_are() {
    let server = service().await;
    match client(&server).whoami().await.unwrap() {
        Caller::User { id, email, tier, .. } => {
            assert_eq!((id.len(), tier.as_deref()), (24, Some("enterprise")));
            assert!(email.is_some_and(|email| email.contains('@')));
        }
        other => panic!("{other:?}"),
    }
    let account = client_of(&server, "ci").whoami().await.unwrap();
    assert!(account.is_service_account() && account.id().len() == 24);
    match account {
        Caller::ServiceAccount { name, permissions, project_id, .. } => {
            assert_eq!((name.as_deref(), project_id.as_deref()), (Some("ci"), Some(server.project_id())));
            assert_eq!(permissions, ["read:secrets"]);
        }
        other => panic!("{other:?}"),
    }
    let stranger = XtraClient::builder().dev_server(&server).token("xs_of_nobody").build().unwrap();
    refused(stranger.whoami().await, ErrorKind::Unauthorized, &["token"]);
}

#[tokio::test]
async fn a_project_is_made_listed_looked_at_changed_and_deleted() {
    let server = service().await;
    let client = client(&server);
    let demo = client.get_project().await.unwrap();
    assert_eq!((demo.name.as_str(), demo.role.as_deref()), ("demo", Some("owner")));
    let workspace = demo.workspace_id.unwrap();

    let made = client.create_project("billing", workspace.as_str()).await.unwrap();
    assert_eq!((made.name.as_str(), made.description.as_deref()), ("billing", Some("")));
    let listed = client.list_projects().workspace_id(workspace).await.unwrap();
    assert_eq!(listed.iter().map(|project| project.name.as_str()).collect::<Vec<_>>(), ["demo", "billing"]);
    assert!(client.list_projects().workspace_id(NOBODY).await.unwrap().is_empty());

    let changed =
        client.update_project().project_id(made.id.as_str()).name("invoices").description("all").await.unwrap();
    assert_eq!((changed.name.as_str(), changed.description.as_deref()), ("invoices", Some("all")));
    no_webhooks(&server);
    client.delete_project(made.id.as_str()).await.unwrap();
    refused(client.get_project().project_id(made.id).await, ErrorKind::NotFound, &[]);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_it_is() {
    let server = service().await;
    let client = client(&server);
    refused(
        client.list_projects().workspace_id("main").await,
        ErrorKind::Invalid,
        &["workspace", "24 hexadecimal digits"],
    );
    refused(client.create_project("x", "main").await, ErrorKind::Invalid, &["workspace"]);
    refused(client.create_project(" ", NOBODY).await, ErrorKind::Invalid, &["name of the project"]);
    refused(client.update_project().await, ErrorKind::Invalid, &["nothing"]);
    refused(client.update_project().name("").await, ErrorKind::Invalid, &["empty"]);
    refused(client.delete_project("..").await, ErrorKind::Invalid, &["project id"]);
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn a_service_account_is_told_what_it_may_know_of_its_project() {
    let server = service().await;
    let account = client_of(&server, "ci");
    let project = account.get_project().await.unwrap();
    assert_eq!((project.id.as_str(), project.name.as_str()), (server.project_id(), "demo"));
    assert!(project.workspace_id.is_some() && project.role.is_none() && project.description.is_none());
    refused(account.get_project().project_id(NOBODY).await, ErrorKind::Forbidden, &["another project", NOBODY]);
    refused(account.list_projects().await, ErrorKind::Forbidden, &["locked to a single project"]);
}

#[tokio::test]
async fn a_failure_of_the_service_is_a_users_own() {
    let server = service().await;
    server.fault(Fault::status(500).on(route::PROJECTS_GET));
    let error = refused(client(&server).get_project().await, ErrorKind::Server, &[]);
    assert_eq!(error.status(), Some(500));
}

#[tokio::test]
async fn a_project_with_service_accounts_or_webhooks_is_not_begun_to_be_deleted() {
    let server = service().await;
    let client = client(&server);
    let demo = server.project_id();
    no_webhooks(&server);
    refused(client.delete_project(demo).await, ErrorKind::Conflict, &["2 service accounts,", "nothing was deleted"]);

    let hooks = r#"[{"id":"665f1c2ab7c0de0012345679","url":"https://hooks.example.test/canary-of-a-hook"}]"#;
    server.fault(Fault::body(200, "application/json", hooks).on(WEBHOOKS));
    let error = refused(client.delete_project(demo).await, ErrorKind::Conflict, &["2 service accounts and 1 webhook,"]);
    assert!(!error.to_string().contains("canary"));

    // What cannot be seen counts as there.
    server.fault(Fault::status(404).on(WEBHOOKS));
    refused(client.delete_project(demo).await, ErrorKind::NotFound, &["nothing was deleted", "webhooks is not known"]);
    assert_eq!(server.request_count(route::PROJECTS_DELETE), 0);
    assert!(server.secret("demo", "production", "main", "API_KEY").is_some());
}

#[tokio::test]
async fn a_deletion_that_fails_says_that_the_secrets_may_be_gone() {
    let server = service().await;
    let client = client(&server);
    let workspace = client.get_project().await.unwrap().workspace_id.unwrap();
    let made = client.create_project("billing", workspace).await.unwrap();
    no_webhooks(&server);
    server.fault(Fault::status(500).on(route::PROJECTS_DELETE));
    let error = refused(client.delete_project(made.id).await, ErrorKind::Server, &["may be gone", "webhooks"]);
    assert!(error.may_have_been_applied());
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let server = service().await;
    let workspace = client(&server).get_project().await.unwrap().workspace_id.unwrap();
    let viewer = client_of(&server, "viewer");
    refused(viewer.create_project("x", workspace).await, ErrorKind::Forbidden, &["workspace owners and admins"]);
    refused(viewer.update_project().name("x").await, ErrorKind::Forbidden, &["permission"]);
    refused(client_of(&server, "outsider").get_project().await, ErrorKind::NotFound, &["access denied"]);
}

#[tokio::test]
async fn a_client_without_a_service_fails_by_itself() {
    let client = XtraClient::in_memory([("KEY", "value")]).unwrap();
    refused(client.whoami().await, ErrorKind::Credentials, &["in memory"]);
    refused(client.list_branches().project_id(NOBODY).await, ErrorKind::Credentials, &["in memory"]);
    refused(client.wait_for_access(NOBODY).await, ErrorKind::Credentials, &["in memory"]);
}
