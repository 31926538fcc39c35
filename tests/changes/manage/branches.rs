use xtrasecurity::ErrorKind;
use xtrasecurity::dev_server::{DevServer, Fault, SecretSeed, route};
use xtrasecurity::xtra::manage::SecretPlace;

use crate::manage::{builder, client, client_of, refused, service, writes};

const BRANCH: &str = "feature/new-ui";
/// Everything that changes branches.
const WRITES: [&str; 4] =
    [route::BRANCHES_CREATE, route::BRANCHES_UPDATE, route::BRANCHES_DELETE, route::BRANCHES_DETACH];

async fn names(server: &DevServer) -> Vec<String> {
    client(server).list_branches().await.unwrap().into_iter().map(|branch| branch.name).collect()
}

#[tokio::test]
async fn a_branch_is_made_listed_renamed_and_deleted() {
    let server = service().await;
    let client = client(&server);
    let made = client.create_branch("release/2.0").description("the next release").await.unwrap();
    assert_eq!((made.name.as_str(), made.description.as_deref()), ("release/2.0", Some("the next release")));
    assert_eq!((made.project_id.as_deref(), made.version.as_deref()), (Some(server.project_id()), Some("1")));
    assert!(made.created_at.is_some() && made.created_by.is_some());

    let listed = client.list_branches().await.unwrap();
    let found = listed.iter().find(|branch| branch.id == made.id).unwrap();
    assert_eq!((found.secret_count, found.creator_name.is_some()), (Some(0), true));

    let renamed = client.rename_branch("release/2.0", "release/2.1").description("delayed").await.unwrap();
    assert_eq!((renamed.id.as_str(), renamed.name.as_str()), (made.id.as_str(), "release/2.1"));
    assert_eq!(renamed.description.as_deref(), Some("delayed"));
    client.delete_branch("release/2.1").await.unwrap();
    assert_eq!(names(&server).await, ["main", BRANCH]);
}

#[tokio::test]
async fn no_secret_that_comes_with_the_list_is_kept() {
    let server = service().await;
    server.set_secret("demo", "production", BRANCH, "PLANTED_KEY", "planted-value").unwrap();
    let listed = client(&server).list_branches().await.unwrap();
    let shown = format!("{listed:?}");
    assert!(!shown.contains("planted-value") && !shown.contains("PLANTED_KEY"), "{shown}");
    assert_eq!(listed.iter().map(|branch| branch.secret_count).collect::<Vec<_>>(), [Some(7), Some(3)]);
}

#[tokio::test]
async fn an_unknown_branch_is_named_beside_those_that_there_are_and_nothing_is_changed() {
    let server = service().await;
    let client = client(&server);
    for number in 0..5 {
        server.add_branch("demo", &format!("b{number}")).unwrap();
    }
    let words = ["\"Feature/New-UI\"", "has \"feature/new-ui\", \"main\", ", "2 more", "case-sensitive"];
    refused(client.rename_branch("Feature/New-UI", "x").await, ErrorKind::NotFound, &words);
    refused(client.delete_branch("Feature/New-UI").await, ErrorKind::NotFound, &words);
    refused(client.compare_branches("main", "Feature/New-UI").await, ErrorKind::NotFound, &words);
    refused(client.compare_branches("nope", "main").await, ErrorKind::NotFound, &["\"nope\"", "\"main\""]);
    assert_eq!(writes(&server, &WRITES), [0; 4]);
    assert_eq!(server.request_count(route::BRANCHES_COMPARE), 0);
}

#[tokio::test]
async fn main_is_neither_renamed_nor_deleted() {
    let server = service().await;
    let client = client(&server);
    for name in ["main", "Main"] {
        refused(client.rename_branch(name, "trunk").await, ErrorKind::Invalid, &["main"]);
        refused(client.delete_branch(name).await, ErrorKind::Invalid, &["main"]);
    }
    assert_eq!(writes(&server, &WRITES), [0; 4]);
}

#[tokio::test]
async fn a_name_that_is_taken_or_cannot_be_sent_is_refused_before_anything_is_changed() {
    let server = service().await;
    let client = client(&server);
    refused(client.rename_branch(BRANCH, "main").await, ErrorKind::Conflict, &["\"main\"", "already"]);
    for name in ["", "..", " x"] {
        refused(client.rename_branch(BRANCH, name).await, ErrorKind::Invalid, &["branch"]);
        refused(client.create_branch(name).await, ErrorKind::Invalid, &["branch"]);
    }
    assert_eq!(writes(&server, &WRITES), [0; 4]);
    refused(client.create_branch(BRANCH).await, ErrorKind::Invalid, &["already exists"]);
}

#[tokio::test]
async fn deleting_a_branch_deletes_its_secrets_and_main_keeps_its_own() {
    let server = service().await;
    client(&server).delete_branch(BRANCH).await.unwrap();
    assert_eq!(names(&server).await, ["main"]);
    assert_eq!(server.secret("demo", "production", "main", "FEATURE_NEW_UI").as_deref(), Some("off"));
    assert_eq!(server.secret("demo", "staging", "main", "FEATURE_NEW_UI"), None);
    assert_eq!(writes(&server, &[route::BRANCHES_DELETE, route::BRANCHES_DETACH]), [1, 0]);
}

#[tokio::test]
async fn who_may_not_delete_it_at_once_empties_it_first_and_nothing_comes_up_on_main() {
    let server = service().await;
    client_of(&server, "developer").delete_branch(BRANCH).await.unwrap();
    assert_eq!(names(&server).await, ["main"]);
    let main = client(&server).get_secrets("production").await.unwrap();
    assert_eq!(main.require("FEATURE_NEW_UI").unwrap().expose(), "off");
    let staging = client(&server).get_secrets("staging").await.unwrap();
    assert!(staging.get("FEATURE_NEW_UI").is_none(), "the branch's secret has come up on main");
    // refused, cleared, detached
    assert_eq!(writes(&server, &[route::BRANCHES_DELETE, route::BRANCHES_CREATE, route::BRANCHES_DETACH]), [1, 1, 1]);
}

#[tokio::test]
async fn a_service_account_deletes_a_branch_like_this_too() {
    let server = service().await;
    client_of(&server, "deploy").delete_branch(BRANCH).await.unwrap();
    // listed, refused, listed, cleared, listed, detached
    assert_eq!(server.total_requests(), 6);
    assert_eq!(writes(&server, &[route::BRANCHES_DELETE, route::BRANCHES_CREATE, route::BRANCHES_DETACH]), [1, 1, 1]);
    assert_eq!(names(&server).await, ["main"]);
    assert_eq!(server.secret("demo", "production", "main", "FEATURE_NEW_UI").as_deref(), Some("off"));
    assert_eq!(server.secret("demo", "staging", "main", "FEATURE_NEW_UI"), None, "it has come up on main");
}

#[tokio::test]
async fn a_service_account_detaches_no_branch_that_is_written_to_meanwhile() {
    let server = service().await;
    let cleared = r#"{"message":"Branch cleared successfully"}"#;
    server.fault(Fault::body(200, "application/json", cleared).on("POST /branch"));
    refused(client_of(&server, "deploy").delete_branch(BRANCH).await, ErrorKind::Conflict, &["not deleted"]);
    assert_eq!(server.request_count(route::BRANCHES_DETACH), 0);
    assert_eq!(server.secret("demo", "staging", "main", "FEATURE_NEW_UI"), None);
}

#[tokio::test]
async fn a_branch_that_is_gone_after_the_service_failed_is_deleted() {
    let server = service().await;
    let hold = server.hold(route::BRANCHES_DELETE);
    let owner = client(&server);
    let deleting = tokio::spawn(async move { owner.delete_branch(BRANCH).await });
    hold.waiting_for(1).await;
    client(&server).rename_branch(BRANCH, "other").await.unwrap();
    server.fault(Fault::body(200, "application/json", "[]").on(route::BRANCHES_LIST));
    server.fault(Fault::status(500).on(route::BRANCHES_DELETE));
    hold.release();
    deleting.await.unwrap().unwrap();
    assert_eq!(writes(&server, &[route::BRANCHES_CREATE, route::BRANCHES_DETACH]), [0, 0]);
}

#[tokio::test]
async fn a_failure_after_which_the_branches_cannot_be_listed_says_that_it_may_be_deleted() {
    let server = service().await;
    let owner = client(&server);
    server.fault(Fault::status(500).on(route::BRANCHES_DELETE));
    let hold = server.hold(route::BRANCHES_DELETE);
    let deleting = tokio::spawn(async move { owner.delete_branch(BRANCH).await });
    hold.waiting_for(1).await;
    server.fault(Fault::status(503).on(route::BRANCHES_LIST).times(9));
    hold.release();
    let error = refused(deleting.await.unwrap(), ErrorKind::Server, &["list_branches()"]);
    assert!(error.may_have_been_applied());
    assert_eq!(writes(&server, &[route::BRANCHES_CREATE, route::BRANCHES_DETACH]), [0, 0]);
}

#[tokio::test]
async fn a_branch_that_still_holds_secrets_is_never_detached() {
    let server = service().await;
    // It was emptied, and somebody wrote to it again: to this client that looks the same.
    server
        .fault(Fault::body(200, "application/json", r#"{"message":"Branch cleared successfully"}"#).on("POST /branch"));
    let words = ["somebody writes to it", "not deleted"];
    refused(client_of(&server, "developer").delete_branch(BRANCH).await, ErrorKind::Conflict, &words);
    assert_eq!(server.request_count(route::BRANCHES_DETACH), 0);
    assert_eq!(server.secret("demo", "staging", BRANCH, "FEATURE_NEW_UI").as_deref(), Some("on"));
    assert_eq!(server.secret("demo", "staging", "main", "FEATURE_NEW_UI"), None);
}

#[tokio::test]
async fn a_branch_whose_secrets_cannot_be_counted_is_not_detached() {
    let server = service().await;
    let developer = client_of(&server, "developer");
    let id = developer.list_branches().await.unwrap()[1].id.clone();
    let list = format!(r#"[{{"id":"{id}","name":"{BRANCH}"}}]"#);
    server.fault(Fault::body(200, "application/json", list).on(route::BRANCHES_LIST).times(2));
    refused(developer.delete_branch(BRANCH).await, ErrorKind::Conflict, &["not deleted"]);
    assert_eq!(server.request_count(route::BRANCHES_DETACH), 0);
}

#[tokio::test]
async fn a_viewer_deletes_nothing() {
    let server = service().await;
    refused(client_of(&server, "viewer").delete_branch(BRANCH).await, ErrorKind::Forbidden, &["Viewers"]);
    assert_eq!(names(&server).await, ["main", BRANCH]);
    assert_eq!(server.secret("demo", "staging", BRANCH, "FEATURE_NEW_UI").as_deref(), Some("on"));
}

#[tokio::test]
async fn an_error_half_way_says_what_was_done_and_where_to_look() {
    let server = service().await;
    let developer = client_of(&server, "developer");
    server.fault(Fault::status(500).on("POST /branch"));
    let error = refused(developer.delete_branch(BRANCH).await, ErrorKind::Server, &["still there", "may be deleted"]);
    assert!(error.may_have_been_applied() && !error.is_retryable());
    assert_eq!(server.request_count(route::BRANCHES_DETACH), 0);

    server.fault(Fault::status(502).on(route::BRANCHES_DETACH));
    let error = refused(developer.delete_branch(BRANCH).await, ErrorKind::Server, &["secrets are deleted"]);
    assert!(error.may_have_been_applied());

    server.fault(Fault::cut_body().on(route::BRANCHES_DELETE));
    let error = client(&server).delete_branch(BRANCH).await.unwrap_err();
    assert!(error.may_have_been_applied() && error.to_string().contains("list_branches()"), "{error}");
}

#[tokio::test]
async fn what_a_branch_held_leaves_the_cache_with_it() {
    let server = service().await;
    let client = client(&server);
    let read = async || client.get_secrets("staging").branch(BRANCH).await.unwrap().len();
    assert_eq!(read().await, 1);
    client.rename_branch(BRANCH, "feature/ui").await.unwrap();
    assert_eq!(read().await, 0);
    assert_eq!(client.get_secrets("staging").branch("feature/ui").await.unwrap().len(), 1);
    client.delete_branch("feature/ui").await.unwrap();
    assert_eq!(client.get_secrets("staging").branch("feature/ui").await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_client_that_protects_production_deletes_and_renames_only_when_that_is_confirmed() {
    let server = service().await;
    let client = builder(&server).protect_production().build().unwrap();
    refused(client.delete_branch(BRANCH).await, ErrorKind::Unconfirmed, &["confirm_production()"]);
    refused(client.rename_branch(BRANCH, "x").await, ErrorKind::Unconfirmed, &["confirm_production()"]);
    refused(client.delete_project(server.project_id()).await, ErrorKind::Unconfirmed, &["confirm_production()"]);
    assert_eq!(server.total_requests(), 0);
    client.create_branch("free").await.unwrap();
    client.delete_branch(BRANCH).confirm_production().await.unwrap();
}

#[tokio::test]
async fn two_branches_are_compared_by_names_alone() {
    let server = service().await;
    server
        .add_secret("demo", SecretSeed::new("production", "API_KEY", "demo-production-key").on_branch(BRANCH))
        .unwrap();
    let difference = client(&server).compare_branches("main", BRANCH).await.unwrap();
    let names = |places: &[SecretPlace]| -> Vec<String> {
        places.iter().map(|place| format!("{}/{}", place.environment, place.name)).collect()
    };
    assert_eq!(names(&difference.added), ["staging/FEATURE_NEW_UI"]);
    assert_eq!(names(&difference.changed), ["production/FEATURE_NEW_UI"]);
    assert_eq!(
        names(&difference.removed),
        [
            "development/API_KEY",
            "development/DATABASE_URL",
            "production/DATABASE_URL",
            "staging/API_KEY",
            "staging/DATABASE_URL"
        ]
    );
    let shown = format!("{difference:?}");
    assert!(!shown.contains("demo-") && !shown.contains("postgres"), "{shown}");
    assert!(client(&server).compare_branches("main", "main").await.unwrap().is_empty());
}
