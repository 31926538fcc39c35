//! `link`.

use xtrasecurity::ErrorKind;
use xtrasecurity::dev_server::{Fault, LinkSeed, SecretSeed, route};
use xtrasecurity::xtra::write::LinkSource;

use crate::rows::{BRANCH, World, builder, says};

fn source(world: &World, environment: &str, key: &str) -> LinkSource {
    LinkSource::new(world.server.project_id(), environment, key)
}

#[tokio::test]
async fn a_link_shows_the_value_of_its_source_as_that_changes() {
    let world = World::new().await;
    let from = source(&world, "production", "API_KEY");
    world.client.get_secrets("staging").await.unwrap();
    let linked = world.client.link_secret("staging", "PRODUCTION_KEY", from).await.unwrap();
    assert_eq!(linked.id.len(), 24);
    let read = world.client.get_secrets("staging").await.unwrap();
    assert_eq!(read.require("PRODUCTION_KEY").unwrap().expose(), "demo-production-key");
    world.server.set_secret("demo", "production", "main", "API_KEY", "changed").unwrap();
    assert_eq!(world.on_main("staging", "PRODUCTION_KEY").await.as_deref(), Some("changed"));
}

#[tokio::test]
async fn links_that_go_with_the_secret_that_is_deleted_are_not_missed_in_other_environments() {
    let world = World::new().await;
    world.client.set_secret("qa", "SOURCE", "s-1").await.unwrap();
    world.client.link_secret("links", "ONLY", source(&world, "qa", "SOURCE")).await.unwrap();
    assert_eq!(world.client.get_secrets("links").await.unwrap().len(), 1);
    world.client.delete_secret("qa", "SOURCE").await.unwrap();
    assert!(world.client.get_secrets("links").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_link_is_made_on_main_only_and_that_is_told_before_anything_is_sent() {
    let world = World::new().await;
    let from = source(&world, "production", "API_KEY");
    let error = world.client.link_secret("staging", "LINK", from.clone()).branch(BRANCH).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    says(&error, &["branch main only", BRANCH]);
    let elsewhere = builder(&world.server).branch(BRANCH).build().unwrap();
    assert_eq!(elsewhere.link_secret("staging", "LINK", from.clone()).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(world.server.total_requests(), 0);
    elsewhere.link_secret("staging", "LINK", from).branch("main").await.unwrap();
}

#[tokio::test]
async fn names_and_ids_that_cannot_be_are_refused_before_anything_is_sent() {
    let world = World::new().await;
    let refused = [
        ("LINK", LinkSource::new("..", "production", "API_KEY")),
        ("LINK", source(&world, "", "API_KEY")),
        ("LINK", source(&world, "production", "")),
        ("", source(&world, "production", "API_KEY")),
        ("API_KEY", source(&world, "staging", "API_KEY")),
    ];
    for (key, from) in refused {
        let error = world.client.link_secret("staging", key, from).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test]
async fn what_exists_is_not_linked_over_not_even_a_link_to_nothing() {
    let world = World::new().await;
    world.add(SecretSeed::link("staging", "DANGLING", LinkSeed::new("demo", "development", "API_KEY")));
    world.server.remove_secret("demo", "development", "main", "API_KEY").unwrap();
    for key in ["API_KEY", "DANGLING"] {
        let from = source(&world, "production", "API_KEY");
        let error = world.client.link_secret("staging", key, from).await.unwrap_err();
        assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &[key.to_owned()][..]));
    }
    assert_eq!(world.server.request_count(route::SECRETS_LINK), 0);
}

#[tokio::test]
async fn a_source_that_is_not_there_or_a_link_itself_is_refused_by_the_service() {
    let world = World::new().await;
    let error = world.client.link_secret("staging", "LINK", source(&world, "production", "NOTHING")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let unknown = LinkSource::new("aaaaaaaaaaaaaaaaaaaaaaaa", "production", "API_KEY");
    assert_eq!(world.client.link_secret("staging", "LINK", unknown).await.unwrap_err().kind(), ErrorKind::NotFound);
    world.add_link("FIRST");
    let error = world.client.link_secret("staging", "LINK", source(&world, "staging", "FIRST")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(world.on_main("staging", "LINK").await, None);
}

#[tokio::test]
async fn another_spelling_of_the_environment_is_refused_unless_it_is_meant() {
    let world = World::new().await;
    let from = source(&world, "production", "API_KEY");
    let error = world.client.link_secret("Staging", "LINK", from.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    world.client.link_secret("Staging", "LINK", from).exact().await.unwrap();
    assert_eq!(world.on_main("staging", "LINK").await.as_deref(), Some("demo-production-key"));
}

#[tokio::test]
async fn a_lost_answer_warns_of_a_second_link() {
    let world = World::new().await;
    world.server.fault(Fault::cut_body().on(route::SECRETS_LINK));
    let from = source(&world, "production", "API_KEY");
    let error = world.client.link_secret("staging", "LINK", from.clone()).await.unwrap_err();
    assert!(error.may_have_been_applied());
    says(&error, &["LINK", "second"]);
    // it was made, and so it is not made again
    assert_eq!(world.client.link_secret("staging", "LINK", from).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(world.client.delete_secret("staging", "LINK").await.unwrap().rows, 1);
}

#[tokio::test]
async fn a_service_account_links_and_protected_production_asks_for_a_word() {
    let world = World::new().await;
    let from = source(&world, "staging", "API_KEY");
    world.of("writer").link_secret("development", "LINK", from.clone()).await.unwrap();
    let client = builder(&world.server).protect_production().build().unwrap();
    world.server.reset_counts();
    let error = client.link_secret("production", "LINK", from.clone()).await.unwrap_err();
    assert_eq!((error.kind(), world.server.total_requests()), (ErrorKind::Unconfirmed, 0));
    client.link_secret("production", "LINK", from).confirm_production().await.unwrap();
}
