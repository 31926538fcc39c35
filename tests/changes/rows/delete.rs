//! `delete_secret`.

use xtrasecurity::ErrorKind;
use xtrasecurity::dev_server::{
    DevServer, Fault, GrantSeed, LinkSeed, RateLimits, Role, SecretSeed, Seed, UserSeed, route,
};
use xtrasecurity::xtra::write::LinkSource;

use crate::rows::{BRANCH, World, builder, says};

#[tokio::test]
async fn a_secret_of_one_branch_is_deleted_and_that_of_another_stays() {
    let world = World::new().await;
    // main's stands first, and is what the service's own route by key would delete
    let deleted = world.client.delete_secret("production", "FEATURE_NEW_UI").branch(BRANCH).await.unwrap();
    assert_eq!(deleted.rows, 1);
    assert_eq!(world.read("production", BRANCH, "FEATURE_NEW_UI").await, None);
    assert_eq!(world.on_main("production", "FEATURE_NEW_UI").await.as_deref(), Some("off"));
    assert_eq!(world.read("staging", BRANCH, "FEATURE_NEW_UI").await.as_deref(), Some("on"));

    let world = World::new().await;
    world.client.delete_secret("production", "FEATURE_NEW_UI").await.unwrap();
    assert_eq!(world.on_main("production", "FEATURE_NEW_UI").await, None);
    assert_eq!(world.read("production", BRANCH, "FEATURE_NEW_UI").await.as_deref(), Some("on"));
}

#[tokio::test]
async fn a_row_without_a_branch_does_not_come_up_when_the_one_over_it_is_deleted() {
    for who in ["owner", "developer", "deploy"] {
        let world = World::new().await;
        world.add(SecretSeed::new("staging", "ORPHAN", "hidden").without_branch());
        world.add(SecretSeed::new("staging", "ORPHAN", "hidden too").without_branch());
        world.add(SecretSeed::new("staging", "ORPHAN", "shown"));
        let deleted = world.of(who).delete_secret("staging", "ORPHAN").await.unwrap();
        assert_eq!(deleted.rows, 3, "{who}");
        assert_eq!(world.on_main("staging", "ORPHAN").await, None, "{who}");
    }
}

#[tokio::test]
async fn a_row_without_a_branch_is_found_behind_that_of_another_branch() {
    let world = World::new().await;
    // the one on the branch was there before
    world.add(SecretSeed::new("staging", "FEATURE_NEW_UI", "orphan").without_branch());
    world.add(SecretSeed::new("staging", "FEATURE_NEW_UI", "main"));
    let deleted = world.of("developer").delete_secret("staging", "FEATURE_NEW_UI").await.unwrap();
    assert_eq!(deleted.rows, 2);
    assert_eq!(world.on_main("staging", "FEATURE_NEW_UI").await, None);
    assert_eq!(world.read("staging", BRANCH, "FEATURE_NEW_UI").await.as_deref(), Some("on"));
}

#[tokio::test]
async fn what_a_service_account_cannot_find_is_an_error_and_no_success() {
    for (with_main, kind) in [(true, ErrorKind::Incomplete), (false, ErrorKind::Forbidden)] {
        let world = World::new().await;
        world.add(SecretSeed::new("staging", "FEATURE_NEW_UI", "orphan").without_branch());
        if with_main {
            world.add(SecretSeed::new("staging", "FEATURE_NEW_UI", "main"));
        }
        let error = world.of("deploy").delete_secret("staging", "FEATURE_NEW_UI").await.unwrap_err();
        assert_eq!((error.kind(), error.names()), (kind, &["FEATURE_NEW_UI".to_owned()][..]));
        says(&error, &["hangs on no branch", "user's token"]);
        assert_eq!(world.on_main("staging", "FEATURE_NEW_UI").await.as_deref(), Some("orphan"));
    }
}

#[tokio::test]
async fn all_rows_of_a_name_go_links_and_doubles_too() {
    let world = World::new().await;
    world.add(SecretSeed::new("staging", "TWICE", "one").on_branch(BRANCH));
    world.add(SecretSeed::new("staging", "TWICE", "two").on_branch(BRANCH));
    let deleted = world.client.delete_secret("staging", "TWICE").branch(BRANCH).await.unwrap();
    assert_eq!((deleted.rows, world.read("staging", BRANCH, "TWICE").await), (2, None));

    world.add_link("LINK");
    assert_eq!(world.client.delete_secret("staging", "LINK").await.unwrap().rows, 1);
    world.add_link("LINK");
    // the service makes a second row of a write to a link, which hides it
    world.server.set_secret("demo", "staging", "main", "LINK", "shadow").unwrap();
    assert_eq!(world.client.delete_secret("staging", "LINK").await.unwrap().rows, 2);
    assert_eq!(world.on_main("staging", "LINK").await, None);
    assert_eq!(world.on_main("production", "API_KEY").await.as_deref(), Some("demo-production-key"));
}

#[tokio::test]
async fn a_link_to_nothing_is_deleted_although_no_read_shows_it() {
    let world = World::new().await;
    world.add(SecretSeed::link("staging", "DANGLING", LinkSeed::new("demo", "development", "API_KEY")));
    world.server.remove_secret("demo", "development", "main", "API_KEY").unwrap();
    assert_eq!(world.on_main("staging", "DANGLING").await, None);
    assert_eq!(world.client.delete_secret("staging", "DANGLING").await.unwrap().rows, 1);
    assert_eq!(world.client.delete_secret("staging", "DANGLING").if_exists().await.unwrap().rows, 0);
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_an_error_that_says_where_it_is() {
    let world = World::new().await;
    let error = world.client.delete_secret("staging", "FEATURE_NEW_UI").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::NotFound, &["FEATURE_NEW_UI".to_owned()][..]));
    says(&error, &["FEATURE_NEW_UI", "staging", "\"main\"", BRANCH]);
    let error = world.client.delete_secret("Staging", "API_KEY").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    says(&error, &["another spelling", "\"staging\""]);
    let error = world.client.delete_secret("staging", "API_KEY").branch("gone").if_exists().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    says(&error, &["no branch \"gone\"", "\"main\"", BRANCH]);
    assert_eq!(world.server.request_count(route::SECRETS_BY_ID_DELETE), 0);
}

#[tokio::test]
async fn absence_is_accepted_when_that_is_said_but_not_another_spelling() {
    let world = World::new().await;
    assert_eq!(world.client.delete_secret("staging", "NOTHING").if_exists().await.unwrap().rows, 0);
    let error = world.client.delete_secret("Staging", "API_KEY").if_exists().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(world.client.delete_secret("Staging", "API_KEY").if_exists().exact().await.unwrap().rows, 0);
    assert_eq!(world.on_main("staging", "API_KEY").await.as_deref(), Some("demo-staging-key"));
}

#[tokio::test]
async fn of_two_spellings_of_an_environment_only_the_one_named_is_touched_and_only_when_that_is_said() {
    let world = World::new().await;
    world.add(SecretSeed::new("Staging", "API_KEY", "capital"));
    let error = world.client.delete_secret("staging", "API_KEY").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    says(&error, &["\"Staging\"", "exact()"]);
    assert_eq!(world.server.request_count(route::SECRETS_BY_ID_DELETE), 0);
    assert_eq!(world.client.delete_secret("staging", "API_KEY").exact().await.unwrap().rows, 1);
    assert_eq!(world.on_main("staging", "API_KEY").await.as_deref(), Some("capital"));
}

#[tokio::test]
async fn another_spelling_that_hangs_on_no_branch_is_told_when_it_comes_up() {
    let world = World::new().await;
    world.add(SecretSeed::new("Staging", "API_KEY", "capital").without_branch());
    let error = world.client.delete_secret("staging", "API_KEY").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    says(&error, &["still read", "\"Staging\""]);
    let error = world.client.delete_secret("staging", "API_KEY").if_exists().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    says(&error, &["not deleted", "\"Staging\""]);
    assert_eq!(world.client.delete_secret("Staging", "API_KEY").await.unwrap().rows, 1);
    assert_eq!(world.on_main("staging", "API_KEY").await, None);
}

#[tokio::test]
async fn who_may_not_delete_is_told_and_nothing_is_gone() {
    let world = World::new().await;
    for (who, environment) in [("viewer", "staging"), ("developer", "production"), ("ci", "staging")] {
        let error = world.of(who).delete_secret(environment, "API_KEY").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{who}");
        assert!(!error.may_have_been_applied(), "{who}");
        assert!(world.on_main(environment, "API_KEY").await.is_some(), "{who}");
    }
    for (who, key) in [("developer", "API_KEY"), ("writer", "DATABASE_URL")] {
        assert_eq!(world.of(who).delete_secret("staging", key).await.unwrap().rows, 1, "{who}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_told_with_what_to_look_at_and_a_second_call_settles_it() {
    let world = World::new().await;
    world.server.fault(Fault::cut_body().on(route::SECRETS_BY_ID_DELETE));
    let error = world.client.delete_secret("staging", "API_KEY").await.unwrap_err();
    assert!(error.may_have_been_applied());
    says(&error, &["Read the environment and look for it", "API_KEY", "staging"]);
    assert_eq!(world.client.delete_secret("staging", "API_KEY").if_exists().await.unwrap().rows, 0);
}

#[tokio::test]
async fn an_error_half_way_says_how_much_is_done() {
    let world = World::new().await;
    world.add(SecretSeed::new("staging", "API_KEY", "again"));
    world.fault_second(route::SECRETS_BY_ID_DELETE, Fault::status(403));
    let error = world.client.delete_secret("staging", "API_KEY").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.may_have_been_applied());
    says(&error, &["1 of its rows are deleted", "if_exists()"]);

    let world = World::new().await;
    world.server.fault(Fault::status(503).on(route::SECRETS_READ));
    let error = world.client.delete_secret("staging", "API_KEY").await.unwrap_err();
    assert!(error.may_have_been_applied() && !error.is_retryable());
    assert_eq!(world.on_main("staging", "API_KEY").await, None);
}

#[tokio::test]
async fn a_row_that_somebody_else_has_deleted_meanwhile_is_no_error() {
    let world = World::new().await;
    world.add(SecretSeed::new("staging", "ONCE", "1").on_branch(BRANCH));
    let hold = world.server.hold(route::SECRETS_BY_ID_DELETE);
    let deleting = tokio::spawn({
        let client = world.client.clone();
        async move { client.delete_secret("staging", "ONCE").branch(BRANCH).if_exists().await }
    });
    hold.waiting_for(1).await;
    world.server.remove_secret("demo", "staging", BRANCH, "ONCE").unwrap();
    hold.release();
    assert_eq!(deleting.await.unwrap().unwrap().rows, 0);
}

#[tokio::test]
async fn a_snapshot_from_before_is_not_served_after() {
    let world = World::new().await;
    assert!(world.client.get_secrets("staging").await.unwrap().contains("API_KEY"));
    world.client.delete_secret("staging", "API_KEY").await.unwrap();
    assert!(!world.client.get_secrets("staging").await.unwrap().contains("API_KEY"));
}

#[tokio::test]
async fn protected_production_is_not_touched_without_a_word() {
    let world = World::new().await;
    let client = builder(&world.server).protect_production().build().unwrap();
    for environment in ["production", "Prod"] {
        let error = client.delete_secret(environment, "API_KEY").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unconfirmed);
    }
    assert_eq!(world.server.total_requests(), 0);
    assert_eq!(client.delete_secret("production", "API_KEY").confirm_production().await.unwrap().rows, 1);
}

#[tokio::test]
async fn names_that_no_address_has_are_deleted_like_others() {
    let world = World::new().await;
    for key in ["link", "50%", "a/b c", "..", "branch"] {
        world.add(SecretSeed::new("staging", key, "odd"));
        assert_eq!(world.client.delete_secret("staging", key).await.unwrap().rows, 1, "{key}");
        assert_eq!(world.on_main("staging", key).await, None, "{key}");
        world.add(SecretSeed::new("staging", key, "odd").without_branch());
        assert_eq!(world.client.delete_secret("staging", key).await.unwrap().rows, 1, "{key}");
        assert_eq!(world.on_main("staging", key).await, None, "{key}");
    }
}

/// A granted request for some secrets hides all others from whoever asked.
#[tokio::test]
async fn what_a_narrowed_read_does_not_show_is_deleted_to_the_last_row_and_rotated_and_not_linked_over() {
    let mut seed = Seed::demo();
    let grant = GrantSeed::approved("boss").names(["SHOWN"]);
    let project = seed.projects[0].clone().member("boss", Role::Admin).grant(grant);
    seed.projects[0] = project.secret("staging", "OTHER", "o").secret("staging", "SHOWN", "s");
    let seed = seed.user(UserSeed::new("boss"));
    let server = DevServer::builder().seed(seed).rate_limits(RateLimits::off()).start().await.unwrap();
    server.add_secret("demo", SecretSeed::new("staging", "API_KEY", "orphan").without_branch()).unwrap();
    let boss = builder(&server).token(server.token_for("boss").unwrap()).build().unwrap();
    assert_eq!(boss.get_secrets("staging").await.unwrap().get("API_KEY"), None, "hidden");

    let rotated = boss.rotate_secret("staging", "OTHER").await.unwrap();
    assert_eq!(server.secret("demo", "staging", "main", "OTHER").as_deref(), Some(rotated.value.expose()));
    let source = LinkSource::new(server.project_id(), "production", "API_KEY");
    assert_eq!(boss.link_secret("staging", "OTHER", source).await.unwrap_err().kind(), ErrorKind::Conflict);

    assert_eq!(boss.delete_secret("staging", "API_KEY").await.unwrap().rows, 2);
    assert_eq!(server.secret("demo", "staging", "main", "API_KEY"), None);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_leaves_open_whether_rows_were_changed() {
    let world = World::new().await;
    let page = |route: &str| Fault::body(200, "text/html", "<html>welcome</html>").on(route);
    world.server.set_secret("demo", "staging", "main", "API_KEY", "second").unwrap();
    let source = LinkSource::new(world.server.project_id(), "production", "API_KEY");
    for route in [
        route::SECRETS_BY_ID_DELETE,
        route::SECRETS_BY_ID_ROLLBACK,
        route::SECRET_ROTATE,
        route::SECRETS_LINK,
        route::ENVIRONMENTS_CLONE,
    ] {
        world.server.fault(page(route));
    }
    for error in [
        world.client.delete_secret("staging", "API_KEY").await.unwrap_err(),
        world.client.rollback_secret("staging", "API_KEY", 1).await.unwrap_err(),
        world.client.rotate_secret("staging", "API_KEY").await.unwrap_err(),
        world.client.link_secret("staging", "LINK", source).await.unwrap_err(),
        world.client.clone_environment("staging", "qa").await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Decode, true), "{error}");
    }
    assert_eq!(world.server.pending_faults(), 0);
}
