//! Two rows of one name in one place, as the service's own dashboard makes them: a write goes to the first, and reads return
//! the last.

use xtrasecurity::dev_server::{DevServer, Fault, SecretSeed, route};
use xtrasecurity::xtra::raw::SecretInput;
use xtrasecurity::xtra::write::{LinkSource, Written};
use xtrasecurity::{ErrorKind, XtraClient, XtraError};

use crate::writes::{client, server, stored};

const BRANCH: &str = "feature/new-ui";

/// Creates a secret as the dashboard does, whether there is one or not. Without a branch it is a secret of `main`.
async fn create_as_the_dashboard(server: &DevServer, branch: Option<&str>, key: &str, value: &str) {
    let client = client(server);
    let branches = client.list_branches().await.unwrap();
    let id = branch.map(|name| branches.iter().find(|branch| branch.name == name).unwrap().id.clone());
    let request = client.raw().secret_records_create().body_map(|body| {
        let body = body.project_id(server.project_id()).environment_type("staging").key(key).value(value);
        body.branch_id(id)
    });
    request.send().await.unwrap();
}

/// A secret `A` of two rows in `staging` on `main`: writes go to the first, of version 2 and value `written`, and reads give
/// the second, `read`, of version 1.
async fn doubled() -> (DevServer, XtraClient) {
    let server = server().await;
    let client = client(&server);
    client.set_secrets("staging", [("A", "first"), ("B", "b")]).await.unwrap();
    client.set_secret("staging", "A", "written").await.unwrap();
    create_as_the_dashboard(&server, Some("main"), "A", "read").await;
    (server, client)
}

async fn read(client: &XtraClient, branch: &str, key: &str) -> Option<String> {
    let secrets = client.get_secrets("staging").branch(branch).no_cache().await.unwrap();
    secrets.get(key).map(|value| value.expose().to_owned())
}

/// The write is refused with the name of what has two rows, and with what to do, before anything is written.
fn is_refused(error: &XtraError) {
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Conflict, false), "{error}");
    assert_eq!(error.names(), ["A"]);
    let named: Vec<_> = error.conflicts().iter().map(|conflict| conflict.name.as_str()).collect();
    assert_eq!(named, ["A"], "{error:?}");
    assert!(error.to_string().contains("several rows") && error.to_string().contains("repair_secret(.., "), "{error}");
}

#[tokio::test]
async fn a_write_that_no_read_gives_is_not_confirmed_and_no_plain_success() {
    for branch in [None, Some("main"), Some(BRANCH)] {
        let server = server().await;
        let client = client(&server);
        let at = branch.unwrap_or("main");
        client.set_secret("staging", "A", "first").branch(at).await.unwrap();
        create_as_the_dashboard(&server, branch, "A", "read").await;
        let written = client.set_secret("staging", "A", "new").branch(at).await.unwrap();
        assert_eq!(written, Written::Unconfirmed, "{branch:?}");
        assert_eq!(read(&client, at, "A").await.as_deref(), Some("read"));

        let report = client.set_secrets("staging", [("A", "newer"), ("B", "1"), ("C", "1")]).branch(at).await.unwrap();
        assert_eq!((report.unconfirmed.as_slice(), report.updated.len()), (&["A".to_owned()][..], 0), "{branch:?}");
        assert_eq!((report.created.clone(), report.written().count()), (vec!["B".to_owned(), "C".to_owned()], 2));
    }
}

#[tokio::test]
async fn what_reads_give_already_is_unchanged_and_what_they_do_not_give_is_not_confirmed() {
    let (_server, client) = doubled().await;
    let set = |value: &str| client.set_secret("staging", "A", value).skip_unchanged();
    assert_eq!(set("read").await.unwrap(), Written::Unchanged);
    assert_eq!(set("written").await.unwrap(), Written::Unconfirmed, "the hidden row has it already");
}

#[tokio::test]
async fn a_condition_that_reads_fulfil_and_the_service_refuses_proves_the_second_row() {
    let (server, client) = doubled().await;
    is_refused(&client.set_secret("staging", "A", "new").expect_version(1).await.unwrap_err());
    let expected = client.set_secrets("staging", [("A", "new"), ("B", "new")]).expect_versions([("A", 1), ("B", 1)]);
    let error = expected.await.unwrap_err();
    assert_eq!(error.names(), ["A", "B"], "none of the request is written");
    assert_eq!(error.conflicts().len(), 1);
    let seen = client.get_secrets("staging").await.unwrap();
    is_refused(&client.set_secret("staging", "A", "new").if_unchanged(&seen).await.unwrap_err());
    client.set_secret("qa", "A", "from qa").await.unwrap();
    is_refused(&client.promote_secrets("qa", "staging").overwrite(true).await.unwrap_err());
    assert_eq!(stored(&server, "B").as_deref(), Some("b"));
    assert_eq!(read(&client, "main", "A").await.as_deref(), Some("read"));
}

#[tokio::test]
async fn a_conflict_that_nothing_explains_is_one_with_the_name() {
    let (server, client) = doubled().await;
    for status in [403, 500] {
        // neither the rows of the branches nor the first row can be had
        server.fault(Fault::status(status).times(3).on(route::BRANCHES_LIST));
        server.fault(Fault::status(403).times(3).on("GET /projects/{projectId}/envs/{env}/secrets/{key}"));
        let error = client.set_secret("staging", "A", "new").expect_version(1).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Conflict, false), "{error}");
        assert_eq!((error.names(), error.conflicts()[0].name.as_str()), (&["A".to_owned()][..], "A"));
        assert!(error.to_string().contains("repair_secret(.., "), "{error}");
        server.clear_faults();
    }
    assert_eq!(read(&client, "main", "A").await.as_deref(), Some("read"));
}

#[tokio::test]
async fn the_second_row_is_proven_on_every_branch_and_by_rows_without_one() {
    for branch in [None, Some(BRANCH)] {
        let server = server().await;
        let client = client(&server);
        let at = branch.unwrap_or("main");
        for value in ["first", "written"] {
            client.set_secret("staging", "A", value).branch(at).await.unwrap();
        }
        create_as_the_dashboard(&server, branch, "A", "read").await;
        is_refused(&client.set_secret("staging", "A", "new").branch(at).expect_version(1).await.unwrap_err());
    }
}

#[tokio::test]
async fn rows_of_the_same_version_are_told_by_the_read_after_the_write() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("staging", "A", "first").await.unwrap();
    create_as_the_dashboard(&server, Some("main"), "A", "read").await;
    let written = client.set_secret("staging", "A", "new").expect_version(1).await.unwrap();
    assert_eq!(written, Written::Unconfirmed);

    let server = self::server().await;
    let client = self::client(&server);
    client.set_secret("staging", "A", "first").await.unwrap();
    create_as_the_dashboard(&server, Some("main"), "A", "read").await;
    client.set_secrets("qa", [("A", "from qa"), ("B", "b")]).await.unwrap();
    let done = client.promote_secrets("qa", "staging").overwrite(true).await.unwrap();
    assert_eq!((done.unconfirmed, done.updated, done.created), (vec!["A".to_owned()], vec![], vec!["B".to_owned()]));
}

#[tokio::test]
async fn what_is_created_rotated_linked_or_cloned_over_two_rows_is_no_plain_success() {
    let (server, client) = doubled().await;
    assert_eq!(client.create_secret("staging", "A", "new").await.unwrap_err().kind(), ErrorKind::Conflict);
    let error = client.rotate_secret("staging", "A").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["A".to_owned()][..]));
    assert!(error.to_string().contains("repair_secret(.., "), "{error}");
    let source = LinkSource::new(server.project_id(), "production", "API_KEY");
    assert_eq!(client.link_secret("staging", "A", source).await.unwrap_err().kind(), ErrorKind::Conflict);
    client.set_secret("qa", "A", "from qa").await.unwrap();
    let cloned = client.clone_environment("qa", "staging").overwrite(true).await.unwrap();
    assert_eq!(cloned.left_out, ["A"]);
    // of two rows the service clones the first, and that is not what was read
    let cloned = client.clone_environment("staging", "live").await.unwrap();
    assert!(cloned.left_out.contains(&"A".to_owned()), "{cloned:?}");
    assert_eq!(read(&client, "main", "A").await.as_deref(), Some("read"));
}

#[tokio::test]
async fn a_rollback_goes_to_the_row_that_is_read() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("staging", "A", "first").await.unwrap();
    server.add_secret("demo", SecretSeed::new("staging", "A", "old")).unwrap();
    let rows = client.repair_secret("staging", "A").dry_run().await.unwrap().rows;
    let update =
        client.raw().secret_records_update().id(&rows[1].id).body_map(|body| body.value(SecretInput::from("newer")));
    update.send().await.unwrap();
    assert_eq!(read(&client, "main", "A").await.as_deref(), Some("newer"));
    client.rollback_secret("staging", "A", 1).await.unwrap();
    assert_eq!(read(&client, "main", "A").await.as_deref(), Some("old"));
}

/// Two writers whose requests have all looked before one of them has written, and all written before one of them reads.
async fn at_once<T: Send + 'static>(
    server: &DevServer,
    writers: [impl Future<Output = T> + Send + 'static; 2],
) -> [T; 2] {
    let writes = server.hold_writes(route::SECRETS_UPSERT);
    let [one, other] = writers.map(tokio::spawn);
    crate::writes::arrived(&writes, 2).await;
    let reads = server.hold(route::SECRETS_READ);
    writes.release();
    crate::writes::arrived(&reads, 2).await;
    reads.release();
    [one.await.unwrap(), other.await.unwrap()]
}

#[tokio::test]
async fn of_two_first_writes_at_once_the_one_that_is_not_read_is_not_confirmed() {
    let server = server().await;
    let client = client(&server);
    let set = |key: &'static str, value: &'static str| {
        let client = client.clone();
        async move { client.set_secret("staging", key, value).await.unwrap() }
    };
    let mut told = at_once(&server, [set("A", "one"), set("A", "other")]).await;
    assert_eq!(server.secret_rows("demo", "staging", "main", "A"), 2);
    told.sort_by_key(|written| *written == Written::Unconfirmed);
    assert_eq!(told, [Written::Created, Written::Unconfirmed]);
    assert_eq!(set("A", "later").await, Written::Unconfirmed, "the first row takes it");
    client.repair_secret("staging", "A").await.unwrap();
    assert_eq!(set("A", "later").await, Written::Updated);

    let create = |value: &'static str| {
        let client = client.clone();
        async move { client.create_secret("staging", "NEW", value).await }
    };
    let told = at_once(&server, [create("one"), create("other")]).await;
    let failed: Vec<_> = told.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    let [error] = failed.as_slice() else { panic!("{told:?}") };
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Conflict, true));
    assert!(error.to_string().contains("repair_secret(.., "), "{error}");
}

#[tokio::test]
async fn verification_makes_an_error_of_what_is_not_confirmed() {
    let (_server, client) = doubled().await;
    for without_reading in [false, true] {
        let request = client.set_secret("staging", "A", "new");
        let request = if without_reading { request.skip_read_back() } else { request };
        let error = request.verify().await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Conflict, true));
        assert_eq!(error.names(), ["A"]);
        assert!(error.to_string().contains("repair_secret(.., "), "{error}");
    }
}

#[tokio::test]
async fn a_write_that_is_not_to_be_confirmed_sends_one_request_less_and_promises_nothing() {
    let (server, client) = doubled().await;
    server.reset_counts();
    assert_eq!(client.set_secret("staging", "A", "new").skip_read_back().await.unwrap(), Written::Updated);
    assert_eq!((server.total_requests(), server.request_count(route::SECRETS_READ)), (2, 1));
}

#[tokio::test]
async fn what_cannot_be_read_back_is_not_confirmed() {
    let server = server().await;
    let client = crate::writes::builder(&server).max_retries(0).build().unwrap();
    client.set_secret("qa", "A", "1").await.unwrap();
    for fault in [Fault::status(403), Fault::status(503), Fault::cut_body(), Fault::body(200, "text/html", "<html>")] {
        let second_read_fails = || {
            server.fault(Fault::headers([]).on(route::SECRETS_READ));
            server.fault(fault.clone().on(route::SECRETS_READ));
        };
        second_read_fails();
        assert_eq!(client.set_secret("staging", "A", "1").await.unwrap(), Written::Unconfirmed);
        second_read_fails();
        let report = client.set_secrets("staging", [("A", "1"), ("B", "1")]).await.unwrap();
        assert_eq!((report.unconfirmed.len(), report.written().count()), (2, 0));
        server.fault(Fault::headers([]).on(route::SECRETS_READ));
        second_read_fails();
        let done = client.promote_secrets("qa", "live").overwrite(true).await.unwrap();
        assert_eq!((done.unconfirmed.len(), done.promoted().count()), (1, 0));
        server.remove_secret("demo", "live", "main", "A").unwrap();
        assert_eq!(server.pending_faults(), 0);
    }
    assert_eq!(stored(&server, "B").as_deref(), Some("1"));
}

#[tokio::test]
async fn somebody_who_writes_in_between_leaves_the_write_unconfirmed() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("staging", "A", "1").await.unwrap();
    let hold = server.hold(route::SECRETS_UPSERT);
    let writer = tokio::spawn({
        let client = client.clone();
        async move { client.set_secret("staging", "A", "mine").await }
    });
    crate::writes::arrived(&hold, 1).await;
    let reads = server.hold(route::SECRETS_READ);
    hold.release();
    crate::writes::arrived(&reads, 1).await;
    server.set_secret("demo", "staging", "main", "A", "theirs").unwrap();
    reads.release();
    assert_eq!(writer.await.unwrap().unwrap(), Written::Unconfirmed);
}
