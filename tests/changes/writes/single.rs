//! One secret: set, created, read.

use xtrasecurity::dev_server::{DevServer, Fault, LinkSeed, ProjectSeed, RateLimits, SecretSeed, Seed, route};
use xtrasecurity::xtra::write::{SecretOrigin, Written};
use xtrasecurity::{ErrorKind, XtraClient, snapshot::UnreadableReason};

use crate::writes::{arrived, builder, client, server, stored, version};

#[tokio::test]
async fn a_secret_is_created_then_updated_and_read_back_as_it_was_written() {
    let server = server().await;
    let client = client(&server);
    for value in ["plain", "", " spaced\n", "ü€𝄞\u{2028}", "{\"json\":true}", "-----BEGIN KEY-----\r\nabc\r\n"] {
        let expected = if value == "plain" { Written::Created } else { Written::Updated };
        assert_eq!(client.set_secret("staging", "NEW", value).verify().await.unwrap(), expected);
        assert_eq!(client.get_secret("staging", "NEW").await.unwrap().expose(), value);
    }
    assert_eq!(version(&server, "NEW").as_deref(), Some("6"));
}

#[tokio::test]
async fn a_write_goes_to_the_branch_that_is_named_and_to_no_other() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("production", "FEATURE_NEW_UI", "changed").branch("feature/new-ui").await.unwrap();
    let at = |branch| server.secret("demo", "production", branch, "FEATURE_NEW_UI");
    assert_eq!((at("main").as_deref(), at("feature/new-ui").as_deref()), (Some("off"), Some("changed")));
    let default = builder(&server).branch("feature/new-ui").build().unwrap();
    default.set_secret("production", "FEATURE_NEW_UI", "again").await.unwrap();
    assert_eq!((at("main").as_deref(), at("feature/new-ui").as_deref()), (Some("off"), Some("again")));
}

#[tokio::test]
async fn a_branch_that_does_not_exist_is_an_error_that_names_it_and_nothing_is_written() {
    let server = server().await;
    let error = client(&server).set_secret("staging", "NEW", "v").branch("nope").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("nope"), "{error}");
    assert_eq!(error.names(), ["NEW"]);
}

#[tokio::test]
async fn the_next_read_after_a_write_sees_it_on_every_environment_and_branch_of_the_project() {
    let server = server().await;
    let client = client(&server);
    client.get_secrets("staging").await.unwrap();
    client.get_secrets("production").await.unwrap();
    client.get_secrets("production").branch("feature/new-ui").await.unwrap();
    assert_eq!(client.stats().cached, 3);
    client.set_secret("staging", "NEW", "v").await.unwrap();
    assert_eq!(client.stats().cached, 0);
    assert_eq!(client.get_secrets("staging").await.unwrap().require("NEW").unwrap().expose(), "v");
}

#[tokio::test]
async fn a_write_leaves_the_snapshots_of_other_projects_where_they_are() {
    let server = DevServer::builder().rate_limits(RateLimits::off());
    let other = ProjectSeed::new("other").id("665f1c2ab7c0de00123456aa").owner("owner").secret("production", "A", "1");
    let server = server.seed(Seed::demo().project(other)).start().await.unwrap();
    let client = client(&server);
    let read = || client.get_secrets("production").project_id("665f1c2ab7c0de00123456aa");
    read().await.unwrap();
    client.set_secret("staging", "NEW", "v").await.unwrap();
    let sent = server.request_count(route::SECRETS_READ);
    read().await.unwrap();
    assert_eq!((client.stats().cached, server.request_count(route::SECRETS_READ)), (1, sent));
}

#[tokio::test]
async fn a_service_account_that_names_no_project_reads_what_it_wrote() {
    let server = server().await;
    let token = server.token_for("deploy").unwrap();
    let client = XtraClient::builder().api_url(server.url()).token(token).build().unwrap();
    client.get_secrets("staging").await.unwrap();
    client.set_secret("staging", "NEW", "v").await.unwrap();
    assert_eq!(client.get_secrets("staging").await.unwrap().require("NEW").unwrap().expose(), "v");
}

#[tokio::test]
async fn a_read_that_was_under_way_during_a_write_is_not_cached() {
    let server = server().await;
    let client = client(&server);
    let hold = server.hold(route::SECRETS_UPSERT);
    let writer = tokio::spawn({
        let client = client.clone();
        async move { client.set_secret("staging", "NEW", "v").await }
    });
    arrived(&hold, 1).await;
    client.get_secrets("staging").await.unwrap(); // without NEW, and fresh for 30 s
    hold.release();
    writer.await.unwrap().unwrap();
    assert!(client.get_secrets("staging").await.unwrap().contains("NEW"));
}

#[tokio::test]
async fn who_reads_after_a_write_does_not_share_a_request_that_left_before() {
    let server = server().await;
    let client = client(&server);
    let read = || {
        let client = client.clone();
        tokio::spawn(async move { client.get_secrets("production").await })
    };
    let upserts = server.hold(route::SECRETS_UPSERT);
    let writer = tokio::spawn({
        let client = client.clone();
        async move { client.set_secret("staging", "NEW", "v").skip_read_back().await }
    });
    arrived(&upserts, 1).await;
    let reads = server.hold(route::SECRETS_READ);
    let before = read();
    arrived(&reads, 1).await;
    upserts.release();
    writer.await.unwrap().unwrap();
    let after = read();
    arrived(&reads, 2).await;
    reads.release();
    for reader in [before, after] {
        assert!(reader.await.unwrap().unwrap().contains("API_KEY"));
    }
}

#[tokio::test]
async fn a_write_that_is_given_up_clears_the_cache_all_the_same() {
    let server = server().await;
    let client = client(&server);
    client.get_secrets("production").await.unwrap();
    let hold = server.hold(route::SECRETS_UPSERT);
    let writer = tokio::spawn({
        let client = client.clone();
        async move { client.set_secret("staging", "NEW", "v").await }
    });
    arrived(&hold, 1).await;
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    assert_eq!(client.stats().cached, 0);
}

#[tokio::test]
async fn what_exists_is_not_created_again_and_keeps_its_value() {
    let server = server().await;
    let client = client(&server);
    client.create_secret("staging", "NEW", "first").await.unwrap();
    let error = client.create_secret("staging", "NEW", "second").await.unwrap_err();
    assert_eq!((error.kind(), error.conflicts().len()), (ErrorKind::Conflict, 1));
    assert_eq!((error.conflicts()[0].expected.as_deref(), error.conflicts()[0].actual.as_deref()), (None, Some("1")));
    for word in ["nothing was written", "\"NEW\"", "\"staging\"", "\"main\"", "exists already", "set_secret(..)"] {
        assert!(error.to_string().contains(word), "{word:?} is not in: {error}");
    }
    assert_eq!(stored(&server, "NEW").as_deref(), Some("first"));
}

#[tokio::test]
async fn two_that_create_the_same_secret_at_once_do_not_both_succeed() {
    let server = server().await;
    let client = client(&server);
    let hold = server.hold(route::SECRETS_UPSERT);
    let create = |value: &'static str| {
        let client = client.clone();
        tokio::spawn(async move { client.create_secret("staging", "NEW", value).await })
    };
    let (one, other) = (create("same"), create("same"));
    arrived(&hold, 2).await;
    hold.release();
    let outcomes = [one.await.unwrap(), other.await.unwrap()];
    let failed: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(!failed.is_empty());
    assert!(failed.iter().all(|error| error.kind() == ErrorKind::Conflict), "{failed:?}");
}

#[tokio::test]
async fn the_list_of_keys_tells_versions_and_links_and_what_cannot_be_read() {
    let server = server().await;
    server.set_secret("demo", "staging", "main", "TWICE", "1").unwrap();
    server.set_secret("demo", "staging", "main", "TWICE", "2").unwrap();
    server.set_secret("demo", "staging", "main", "HIDDEN", "***").unwrap();
    let link = LinkSeed::new("demo", "staging", "TWICE");
    server.add_secret("demo", SecretSeed::link("staging", "LINK", link)).unwrap();
    let keys = client(&server).list_secret_names("staging").await.unwrap();
    let find = |name: &str| keys.iter().find(|key| key.name == name).unwrap();
    assert_eq!((find("TWICE").version.as_str(), find("TWICE").origin), ("2", SecretOrigin::Own));
    assert_eq!((find("LINK").version.as_str(), find("LINK").origin), ("1", SecretOrigin::Linked));
    assert_eq!(find("HIDDEN").unreadable, Some(UnreadableReason::Masked));
    assert!(keys.is_sorted_by(|one, other| one.name < other.name));
}

#[tokio::test]
async fn one_secret_is_read_from_the_cached_snapshot_whatever_others_cannot_be_read() {
    let server = server().await;
    server.set_secret("demo", "staging", "main", "HIDDEN", "***").unwrap();
    server.set_secret("demo", "staging", "main", "SHOWN", "v").unwrap();
    let client = client(&server);
    assert_eq!(client.get_secret("staging", "SHOWN").await.unwrap().expose(), "v");
    assert_eq!(client.get_secret("staging", "SHOWN").await.unwrap().expose(), "v");
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
    assert_eq!(client.get_secret("staging", "NOPE").await.unwrap_err().kind(), ErrorKind::MissingSecret);
    assert_eq!(client.get_secret("staging", "HIDDEN").await.unwrap_err().names(), ["HIDDEN"]);
    client.get_secret("staging", "SHOWN").no_cache().await.unwrap();
    assert_eq!(server.request_count(route::SECRETS_READ), 2);
}

#[tokio::test]
async fn a_lost_answer_says_that_the_write_may_have_been_applied_and_what_to_look_at() {
    let server = server().await;
    let client = client(&server);
    for (fault, applied) in [
        (Fault::cut_body(), true),
        (Fault::garbage(), false),
        (Fault::status(500), false),
        (Fault::status(502), false),
        (Fault::status(503), false),
        (Fault::status(504), false),
    ] {
        server.fault(fault.on(route::SECRETS_UPSERT));
        let before = server.request_count(route::SECRETS_UPSERT);
        let error = client.set_secret("staging", "LOST", "canary-value").await.unwrap_err();
        assert!(error.may_have_been_applied() && !error.is_retryable(), "{error:?}");
        assert!(
            error.to_string().contains("may have been applied") || error.to_string().contains("not known"),
            "{error}"
        );
        assert!(error.to_string().contains("\"LOST\"") && !error.to_string().contains("canary"), "{error}");
        assert_eq!(error.names(), ["LOST"]);
        assert_eq!(server.request_count(route::SECRETS_UPSERT) - before, 1, "never sent again");
        assert!(stored(&server, "LOST").is_some() || !applied);
    }
    assert_eq!(stored(&server, "LOST").as_deref(), Some("canary-value"));
}

#[tokio::test]
async fn a_write_that_was_refused_before_it_arrived_is_sent_again_once_the_service_asks_for_it() {
    let server = server().await;
    let client = client(&server);
    server.fault(Fault::status(429).header("retry-after", "1").on(route::SECRETS_UPSERT));
    tokio::time::timeout(std::time::Duration::from_secs(10), client.set_secret("staging", "NEW", "v").into_future())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(server.request_count(route::SECRETS_UPSERT), 2);
    assert_eq!(version(&server, "NEW").as_deref(), Some("1"));
}

#[tokio::test]
async fn a_client_without_a_service_writes_nothing_and_says_so() {
    let client = XtraClient::in_memory([("A", "1")]).unwrap();
    let write = client.set_secret("staging", "A", "2").project_id("665f1c2ab7c0de0012345678");
    let error = write.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
}
