//! `rotate`.

use xtrasecurity::ErrorKind;
use xtrasecurity::dev_server::{Fault, SecretSeed, route};

use crate::rows::{BRANCH, World, builder, says};

#[tokio::test]
async fn a_secret_gets_a_random_value_and_the_old_one_stays_in_its_history() {
    let world = World::new().await;
    world.client.get_secrets("staging").await.unwrap();
    let rotated = world.client.rotate_secret("staging", "API_KEY").await.unwrap();
    assert_eq!(rotated.value.len(), 32);
    assert!(rotated.value.expose().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(world.server.secret_version("demo", "staging", "main", "API_KEY"), Some(rotated.version));
    assert_eq!(world.client.get_secrets("staging").await.unwrap().require("API_KEY").unwrap(), &rotated.value);
    let history = world.client.secret_history("staging", "API_KEY").await.unwrap();
    assert_eq!(history.entries[0].value.as_ref().unwrap().expose(), "demo-staging-key");
}

#[tokio::test]
async fn a_value_that_is_given_is_the_new_one_even_the_empty_one() {
    let world = World::new().await;
    for value in ["mine", "", "ü€ \" \\"] {
        let rotated = world.client.rotate_secret("staging", "API_KEY").value(value).await.unwrap();
        assert_eq!(rotated.value, value);
        assert_eq!(world.on_main("staging", "API_KEY").await.as_deref(), Some(value));
    }
}

#[tokio::test]
async fn a_secret_of_another_branch_is_not_rotated_in_its_place() {
    let world = World::new().await;
    let rotated = world.client.rotate_secret("production", "FEATURE_NEW_UI").branch(BRANCH).await.unwrap();
    assert_eq!(rotated.value.len(), 32);
    assert_eq!(rotated.version, "2");
    assert_eq!(world.read("production", BRANCH, "FEATURE_NEW_UI").await.as_deref(), Some(rotated.value.expose()));
    assert_eq!(world.on_main("production", "FEATURE_NEW_UI").await.as_deref(), Some("off"));
    assert_eq!(world.server.request_count(route::SECRET_ROTATE), 0);
    let history = world.client.secret_history("production", "FEATURE_NEW_UI").branch(BRANCH).await.unwrap();
    assert_eq!(history.entries[1].value.as_ref().unwrap().expose(), "on");
}

#[tokio::test]
async fn a_client_that_seals_lets_the_service_neither_choose_nor_see_the_value() {
    let world = World::new().await;
    let sealing = builder(&world.server).vault_passphrase("correct horse").seal_writes().build().unwrap();
    for (branch, given) in [("main", None), ("main", Some("mine")), (BRANCH, None), (BRANCH, Some("mine"))] {
        let request = sealing.rotate_secret("production", "FEATURE_NEW_UI").branch(branch);
        let request = if let Some(value) = given { request.value(value) } else { request };
        let rotated = request.await.unwrap();
        let stored = world.server.secret("demo", "production", branch, "FEATURE_NEW_UI").unwrap();
        assert!(stored.contains("ciphertext") && !stored.contains(rotated.value.expose()), "{branch}");
        let read = sealing.get_secrets("production").branch(branch).await.unwrap();
        assert_eq!(read.require("FEATURE_NEW_UI").unwrap(), &rotated.value, "{branch}");
        assert_eq!(given.unwrap_or(rotated.value.expose()), rotated.value.expose(), "{branch}");
    }
    assert_eq!(world.server.request_count(route::SECRET_ROTATE), 2);
}

#[tokio::test]
async fn a_service_account_that_may_only_write_rotates_by_writing() {
    let world = World::new().await;
    let rotated = world.of("writer").rotate_secret("staging", "API_KEY").await.unwrap();
    assert_eq!(world.on_main("staging", "API_KEY").await.as_deref(), Some(rotated.value.expose()));
    assert_eq!(world.server.request_count(route::SECRET_ROTATE), 0);
}

#[tokio::test]
async fn links_and_doubles_are_refused_and_nothing_is_changed() {
    let world = World::new().await;
    world.add_link("LINK");
    let error = world.client.rotate_secret("staging", "LINK").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Invalid, &["LINK".to_owned()][..]));
    world.server.set_secret("demo", "staging", "main", "LINK", "shadow").unwrap();
    let error = world.client.rotate_secret("staging", "LINK").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    says(&error, &["several rows", "repair_secret(.., "]);
    for twice in [
        SecretSeed::new("staging", "API_KEY", "second"),
        SecretSeed::new("staging", "DATABASE_URL", "orphan").without_branch(),
    ] {
        let key = twice.name.clone();
        world.add(twice);
        let error = world.client.rotate_secret("staging", &key).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{key}");
    }
    for route in [route::SECRET_ROTATE, route::SECRETS_UPSERT] {
        assert_eq!(world.server.request_count(route), 0);
    }
}

#[tokio::test]
async fn a_new_value_that_no_read_shows_is_an_error() {
    let world = World::new().await;
    // the branch's row stands first, so what hangs on no branch is seen by nobody; and it takes the write
    world.add(SecretSeed::new("staging", "FEATURE_NEW_UI", "orphan").without_branch());
    world.add(SecretSeed::new("staging", "FEATURE_NEW_UI", "main"));
    let error = world.client.rotate_secret("staging", "FEATURE_NEW_UI").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["FEATURE_NEW_UI".to_owned()][..]));
    assert_eq!(world.read("staging", BRANCH, "FEATURE_NEW_UI").await.as_deref(), Some("on"));
    // what hides it looks the same until then
    let world = World::new().await;
    world.add(SecretSeed::new("staging", "API_KEY", "demo-staging-key").without_branch());
    let error = world.client.rotate_secret("staging", "API_KEY").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["API_KEY".to_owned()][..]));
}

#[tokio::test]
async fn a_secret_that_hangs_on_no_branch_is_rotated_where_it_is_read() {
    for key in ["ORPHAN", "FEATURE_NEW_UI"] {
        let world = World::new().await;
        world.add(SecretSeed::new("staging", key, "orphan").without_branch());
        let rotated = world.client.rotate_secret("staging", key).await.unwrap();
        assert_eq!(world.on_main("staging", key).await.as_deref(), Some(rotated.value.expose()), "{key}");
        assert_eq!(world.read("staging", BRANCH, "FEATURE_NEW_UI").await.as_deref(), Some("on"));
    }
}

#[tokio::test]
async fn what_cannot_be_rotated_is_told_before_anything_is_sent_to_do_it() {
    let world = World::new().await;
    let error = world.client.rotate_secret("staging", "API_KEY").value("***").await.unwrap_err();
    assert_eq!((error.kind(), world.server.total_requests()), (ErrorKind::Invalid, 0));
    let error = world.client.rotate_secret("staging", "NOTHING").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    world.add(SecretSeed::new("Staging", "API_KEY", "capital"));
    let error = world.client.rotate_secret("staging", "API_KEY").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let rotated = world.client.rotate_secret("staging", "API_KEY").exact().await.unwrap();
    assert_eq!(world.server.secret("demo", "staging", "main", "API_KEY").as_deref(), Some(rotated.value.expose()));
    let client = builder(&world.server).protect_production().build().unwrap();
    world.server.reset_counts();
    let error = client.rotate_secret("production", "API_KEY").await.unwrap_err();
    assert_eq!((error.kind(), world.server.total_requests()), (ErrorKind::Unconfirmed, 0));
    client.rotate_secret("production", "API_KEY").confirm_production().await.unwrap();
}

#[tokio::test]
async fn the_service_lets_a_viewer_rotate_who_cannot_read_the_value_back() {
    let world = World::new().await;
    let rotated = world.of("viewer").rotate_secret("staging", "API_KEY").await.unwrap();
    assert_eq!(world.on_main("staging", "API_KEY").await.as_deref(), Some(rotated.value.expose()));
    let error = world.of("viewer").rotate_secret("production", "FEATURE_NEW_UI").branch(BRANCH).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn a_lost_answer_is_told_with_what_to_look_at() {
    let world = World::new().await;
    world.server.fault(Fault::cut_body().on(route::SECRET_ROTATE));
    let error = world.client.rotate_secret("staging", "API_KEY").await.unwrap_err();
    assert!(error.may_have_been_applied());
    says(&error, &["API_KEY", "was on version 1", "a later version"]);
    assert_ne!(world.on_main("staging", "API_KEY").await.as_deref(), Some("demo-staging-key"));
    world.server.fault(Fault::body(200, "application/json", r#"{"success":true}"#).on(route::SECRET_ROTATE));
    let error = world.client.rotate_secret("staging", "API_KEY").await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Decode, true));
    // the first read is the look before
    world.fault_second(route::SECRETS_READ, Fault::status(503));
    let error = world.client.rotate_secret("staging", "API_KEY").await.unwrap_err();
    assert!(error.may_have_been_applied() && !error.is_retryable());
    says(&error, &["is stored", "only the check"]);
}

#[tokio::test]
async fn a_rotation_prints_no_value() {
    let world = World::new().await;
    let request = world.client.rotate_secret("staging", "API_KEY").value("canary-value");
    assert!(!format!("{request:?}").contains("canary"));
    assert!(!format!("{:?}", request.await.unwrap()).contains("canary"));
}

#[tokio::test]
async fn a_secret_that_was_sealed_is_never_rotated_to_one_that_the_service_sees() {
    let world = World::new().await;
    let with_passphrase = builder(&world.server).vault_passphrase("correct horse").build().unwrap();
    for branch in ["main", BRANCH] {
        let set = with_passphrase.set_secret("production", "FEATURE_NEW_UI", "v").branch(branch).seal();
        set.await.unwrap();
        let before = world.server.secret("demo", "production", branch, "FEATURE_NEW_UI");
        for given in [None, Some("mine")] {
            let request = world.client.rotate_secret("production", "FEATURE_NEW_UI").branch(branch);
            let request = if let Some(value) = given { request.value(value) } else { request };
            let error = request.await.unwrap_err();
            assert_eq!((error.kind(), error.names()), (ErrorKind::Config, &["FEATURE_NEW_UI".to_owned()][..]));
            says(&error, &["is sealed", "nothing was changed"]);
        }
        assert_eq!(world.server.secret("demo", "production", branch, "FEATURE_NEW_UI"), before);
        let rotated = with_passphrase.rotate_secret("production", "FEATURE_NEW_UI").branch(branch).await.unwrap();
        let stored = world.server.secret("demo", "production", branch, "FEATURE_NEW_UI").unwrap();
        assert!(stored.contains("ciphertext") && !stored.contains(rotated.value.expose()), "{branch}");
        let read = with_passphrase.get_secrets("production").branch(branch).await.unwrap();
        assert_eq!(read.require("FEATURE_NEW_UI").unwrap(), &rotated.value);
    }
}

#[tokio::test]
async fn what_the_service_puts_in_the_place_of_a_value_is_not_given_as_the_new_one() {
    let world = World::new().await;
    for mask in ["********", "***", "", "[REDACTED]"] {
        let body = format!(r#"{{"success":true,"shadowValue":"{mask}"}}"#);
        world.server.fault(Fault::body(200, "application/json", body).on(route::SECRET_ROTATE));
        let error = world.client.rotate_secret("staging", "API_KEY").await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Decode, true), "{mask}");
    }
}
