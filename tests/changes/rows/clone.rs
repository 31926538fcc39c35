//! `clone_env`.

use xtrasecurity::ErrorKind;
use xtrasecurity::dev_server::{Fault, SecretSeed, route};
use xtrasecurity::xtra::write::Cloned;

use crate::rows::{BRANCH, World, builder, says};

fn figures(cloned: &Cloned) -> (u64, u64, u64, Vec<&str>) {
    let left_out = cloned.left_out.iter().map(String::as_str).collect();
    (cloned.copied, cloned.updated, cloned.skipped, left_out)
}

#[tokio::test]
async fn secrets_are_copied_and_those_that_exist_stay_unless_they_are_to_be_overwritten() {
    let world = World::new().await;
    world.server.set_secret("demo", "qa", "main", "API_KEY", "own").unwrap();
    world.client.get_secrets("qa").await.unwrap();
    let cloned = world.client.clone_environment("staging", "qa").await.unwrap();
    assert_eq!(figures(&cloned), (1, 0, 1, vec![]));
    assert_eq!(world.client.get_secrets("qa").await.unwrap().require("API_KEY").unwrap().expose(), "own");
    let cloned = world.client.clone_environment("staging", "qa").overwrite(true).await.unwrap();
    assert_eq!(figures(&cloned), (0, 2, 0, vec![]));
    let read = world.client.get_secrets("qa").await.unwrap();
    assert_eq!(read.require("API_KEY").unwrap().expose(), "demo-staging-key");
}

#[tokio::test]
async fn a_branch_is_cloned_within_itself() {
    let world = World::new().await;
    let cloned = world.client.clone_environment("staging", "qa").branch(BRANCH).await.unwrap();
    assert_eq!(figures(&cloned), (1, 0, 0, vec![]));
    assert_eq!(world.read("qa", BRANCH, "FEATURE_NEW_UI").await.as_deref(), Some("on"));
    assert_eq!(world.on_main("qa", "FEATURE_NEW_UI").await, None);
}

#[tokio::test]
async fn what_the_service_leaves_out_is_told() {
    let world = World::new().await;
    world.add(SecretSeed::new("staging", "ORPHAN", "orphan").without_branch());
    let cloned = world.client.clone_environment("staging", "qa").await.unwrap();
    assert_eq!(figures(&cloned), (2, 0, 0, vec!["ORPHAN"]));
    world.server.set_secret("demo", "qa", "main", "ORPHAN", "other").unwrap();
    let cloned = world.client.clone_environment("staging", "qa").overwrite(true).await.unwrap();
    assert_eq!(figures(&cloned), (0, 2, 0, vec!["ORPHAN"]));
}

#[tokio::test]
async fn links_are_refused_because_they_would_lose_their_values() {
    let world = World::new().await;
    world.add_link("LINK");
    let error = world.client.clone_environment("staging", "qa").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["LINK".to_owned()][..]));
    says(&error, &["LINK", "promote"]);
    assert_eq!(world.server.request_count(route::ENVIRONMENTS_CLONE), 0);
}

#[tokio::test]
async fn the_same_environment_and_names_in_capitals_are_refused_before_anything_is_sent() {
    let world = World::new().await;
    for (from, to) in [("staging", "staging"), ("staging", "Staging"), ("Staging", "qa"), ("staging", "QA")] {
        let error = world.client.clone_environment(from, to).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{from} {to}");
    }
    assert_eq!(
        world.client.clone_environment("Staging", "staging").exact().await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
    assert_eq!(world.server.total_requests(), 0);
    assert_eq!(figures(&world.client.clone_environment("staging", "QA").exact().await.unwrap()), (2, 0, 0, vec![]));
    assert_eq!(world.server.secret("demo", "qa", "main", "API_KEY").as_deref(), Some("demo-staging-key"));
}

#[tokio::test]
async fn a_target_that_is_spelled_otherwise_is_refused() {
    let world = World::new().await;
    world.server.set_secret("demo", "QA", "main", "API_KEY", "own").unwrap();
    let error = world.client.clone_environment("staging", "qa").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(world.server.request_count(route::ENVIRONMENTS_CLONE), 0);
}

#[tokio::test]
async fn nobody_but_the_creator_clones_and_the_others_are_told_of_the_other_way() {
    let world = World::new().await;
    for who in ["admin", "developer"] {
        let error = world.of(who).clone_environment("staging", "qa").await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Forbidden, Some(404)), "{who}");
        says(&error, &["created the project", "promote_secrets(..)"]);
    }
    let error = world.of("deploy").clone_environment("staging", "qa").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    says(&error, &["service accounts", "promote_secrets(..)"]);
    assert_eq!(world.on_main("qa", "API_KEY").await, None);
}

#[tokio::test]
async fn an_environment_or_branch_without_secrets_is_taken_for_a_mistake() {
    let world = World::new().await;
    for (from, branch) in [("stagign", "main"), ("staging", "gone")] {
        let error = world.client.clone_environment(from, "qa").branch(branch).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EmptyScope);
        says(&error, &[from, branch]);
    }
}

#[tokio::test]
async fn a_lost_answer_is_told_with_what_to_look_at() {
    let world = World::new().await;
    world.server.fault(Fault::cut_body().on(route::ENVIRONMENTS_CLONE));
    let error = world.client.clone_environment("staging", "qa").await.unwrap_err();
    assert!(error.may_have_been_applied());
    says(&error, &["\"qa\"", "Compare"]);
}

#[tokio::test]
async fn only_the_target_is_protected() {
    let world = World::new().await;
    let client = builder(&world.server).protect_production().build().unwrap();
    let error = client.clone_environment("staging", "production").await.unwrap_err();
    assert_eq!((error.kind(), world.server.total_requests()), (ErrorKind::Unconfirmed, 0));
    client.clone_environment("production", "qa").await.unwrap();
    client.clone_environment("staging", "production").confirm_production().await.unwrap();
}
