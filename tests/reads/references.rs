//! The promises of `resolve`, `render` and their kin, against the dev server.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, Form, ProjectSeed, RateLimits, Role, SecretSeed, UserSeed, route};
use xtrasecurity::{ErrorKind, Secrets, XtraClient, XtraClientBuilder, XtraError, snapshot::SnapshotSource};

const MAIN: &str = "aaaaaaaaaaaaaaaaaaaaaaa1";
const SHARED: &str = "bbbbbbbbbbbbbbbbbbbbbbb2";
const CLOSED: &str = "ccccccccccccccccccccccc3";
/// In every value, and so in no error.
const CANARY: &str = "hunter2";

async fn server() -> DevServer {
    let main = ProjectSeed::new("main")
        .id(MAIN)
        .owner("owner")
        .member("viewer", Role::Viewer)
        .branch("feature/x")
        .secret("production", "USER", "user-hunter2")
        .secret("production", "PASSWORD", "password-hunter2")
        .secret("production", "tls/key", "key-hunter2")
        .secret("production", "PLAIN", r"hunter2 \{{ {{ name }} \\")
        .secret("staging", "USER", "staging-hunter2")
        .with_secret(SecretSeed::new("production", "USER", "feature-hunter2").on_branch("feature/x"))
        .with_secret(SecretSeed::new("broken", "LOST", "hunter2").form(Form::Undecryptable))
        .secret("broken", "FINE", "fine-hunter2");
    let shared = ProjectSeed::new("shared").id(SHARED).owner("owner").branch("v2").secret("production", "HOST", "db");
    let closed = ProjectSeed::new("closed").id(CLOSED).owner("somebody").secret("production", "A", "hunter2");
    DevServer::builder()
        .user(UserSeed::new("owner"))
        .user(UserSeed::new("viewer"))
        .user(UserSeed::new("somebody"))
        .project(main)
        .project(shared)
        .project(closed)
        .rate_limits(RateLimits::off())
        .start()
        .await
        .unwrap()
}

fn builder(server: &DevServer) -> XtraClientBuilder {
    XtraClient::builder().token(server.token_for("owner").unwrap()).project_id(MAIN).api_url(server.url())
}

fn client(server: &DevServer) -> XtraClient {
    builder(server).build().unwrap()
}

fn set(server: &DevServer, key: &str, value: &str) {
    server.set_secret("main", "production", "main", key, value).unwrap();
}

/// No part of an error shows a value.
#[track_caller]
fn hides(error: &XtraError) {
    let shown = format!("{error} {error:?} {error:#?}");
    assert!(!shown.contains(CANARY), "{shown}");
}

async fn rendered(client: &XtraClient, text: &str) -> String {
    client.render(text).await.unwrap().expose().to_owned()
}

async fn refused(client: &XtraClient, text: &str) -> XtraError {
    let error = client.render(text).await.unwrap_err();
    hides(&error);
    error
}

#[tokio::test]
async fn every_part_of_a_reference_leads_to_its_secret() {
    let server = server().await;
    let client = client(&server);
    for (reference, value) in [
        ("xtra:///production/USER".to_owned(), "user-hunter2"),
        ("xtra:///PRODUCTION/USER".to_owned(), "user-hunter2"),
        ("xtra:///staging/USER".to_owned(), "staging-hunter2"),
        ("xtra:///production/USER?branch=feature%2Fx".to_owned(), "feature-hunter2"),
        ("xtra:///production/USER?branch=feature/x".to_owned(), "feature-hunter2"),
        ("xtra:///production/tls%2Fkey".to_owned(), "key-hunter2"),
        (format!("xtra://{MAIN}/production/USER?branch=main"), "user-hunter2"),
        (format!("xtra://{}/production/HOST", SHARED.to_uppercase()), "db"),
    ] {
        assert_eq!(client.resolve(&reference).await.unwrap().expose(), value, "{reference}");
        assert_eq!(rendered(&client, &format!("[{{{{ {reference} }}}}]")).await, format!("[{value}]"));
        assert_eq!(rendered(&client, &format!(" {reference}\n")).await, value);
    }
}

#[tokio::test]
async fn a_text_keeps_everything_but_its_references() {
    let server = server().await;
    let text = "# {{ app }}\r\nuser: {{xtra:///production/USER}}\n\\{{ xtra:///production/USER }} \\\\{{ x\nxtra:///production/USER\n";
    let expected = "# {{ app }}\r\nuser: user-hunter2\n{{ xtra:///production/USER }} \\{{ x\nxtra:///production/USER\n";
    assert_eq!(rendered(&client(&server), text).await, expected);
}

#[tokio::test]
async fn a_text_without_references_asks_for_nothing() {
    let server = server().await;
    assert_eq!(rendered(&client(&server), "nothing {{ here }}").await, "nothing {{ here }}");
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn fifty_references_to_one_environment_are_one_request_however_they_are_written() {
    let server = server().await;
    let mut text = String::new();
    for number in 0..50 {
        set(&server, &format!("K{number}"), &format!("value-{number};"));
        let _ = match number % 3 {
            0 => write!(text, "{{{{ xtra:///production/K{number} }}}}"),
            1 => write!(text, "{{{{ xtra://{MAIN}/Production/K{number} }}}}"),
            _ => write!(text, "{{{{ xtra:///production/K{number}?branch=main }}}}"),
        };
    }
    let expected: String = (0..50).map(|number| format!("value-{number};")).collect();
    for client in [client(&server), builder(&server).cache(false).build().unwrap()] {
        server.reset_counts();
        assert_eq!(rendered(&client, &text).await, expected);
        assert_eq!(server.request_count(route::SECRETS_READ), 1);
        client.render(&text).no_cache().await.unwrap();
        assert_eq!(server.request_count(route::SECRETS_READ), 2);
    }
}

#[tokio::test]
async fn a_render_uses_the_cache_and_fills_it() {
    let server = server().await;
    let client = client(&server);
    client.get_secrets("production").await.unwrap();
    rendered(&client, "xtra:///production/USER").await;
    rendered(&client, "xtra:///staging/USER").await;
    client.get_secrets("staging").await.unwrap();
    assert_eq!(server.request_count(route::SECRETS_READ), 2);
}

#[tokio::test]
async fn environments_are_read_at_the_same_time() {
    let server = server().await;
    let client = client(&server);
    let hold = server.hold(route::SECRETS_READ);
    let text = format!(
        "{{{{ xtra:///production/USER }}}} {{{{ xtra:///staging/USER }}}} {{{{ xtra://{SHARED}/production/HOST }}}}"
    );
    let render = tokio::spawn(async move { client.render(text).await });
    // all three are there before any is answered
    hold.waiting_for(3).await;
    hold.release();
    assert_eq!(render.await.unwrap().unwrap().expose(), "user-hunter2 staging-hunter2 db");
}

#[tokio::test]
async fn values_that_hold_references_are_rendered_in_turn_and_others_stand_for_themselves() {
    let server = server().await;
    let client = client(&server);
    set(&server, "DSN", "postgres://{{ xtra:///production/USER }}:{{ xtra:///production/PASSWORD }}@db");
    set(&server, "ALIAS", " xtra:///production/DSN ");
    assert_eq!(
        client.resolve("xtra:///production/ALIAS").await.unwrap().expose(),
        "postgres://user-hunter2:password-hunter2@db"
    );
    let plain = client.resolve("xtra:///production/PLAIN").await.unwrap();
    assert_eq!(plain.expose(), r"hunter2 \{{ {{ name }} \\", "to the byte");
    assert_eq!(server.request_count(route::SECRETS_READ), 1, "all of it is in one environment");
}

#[tokio::test]
async fn shallow_takes_values_as_they_are() {
    let server = server().await;
    let client = client(&server);
    let value = r"xtra:///production/USER";
    set(&server, "ALIAS", value);
    set(&server, "SELF", "{{ xtra:///production/SELF }}");
    assert_eq!(client.resolve("xtra:///production/ALIAS").shallow().await.unwrap().expose(), value);
    assert_eq!(
        client.render("<{{ xtra:///production/SELF }}>").shallow().await.unwrap().expose(),
        "<{{ xtra:///production/SELF }}>"
    );
    let pairs = client.resolve_pairs([("A", "xtra:///production/ALIAS")]).shallow().await.unwrap();
    assert_eq!(pairs.require("A").unwrap().expose(), value);
}

#[tokio::test]
async fn a_reference_in_a_value_is_relative_to_the_project_and_branch_of_the_value() {
    let server = server().await;
    let client = client(&server);
    server.set_secret("shared", "production", "v2", "URL", "{{ xtra:///production/HOST }}/v2").unwrap();
    server.set_secret("shared", "production", "v2", "HOST", "db2").unwrap();
    server.set_secret("shared", "production", "main", "URL", "xtra:///production/HOST").unwrap();
    // the client's own project has secrets of these names too, and they are not meant
    set(&server, "HOST", "wrong");
    let at = |branch: &str| format!("xtra://{SHARED}/production/URL{branch}");
    assert_eq!(client.resolve(at("")).await.unwrap().expose(), "db");
    assert_eq!(client.resolve(at("?branch=v2")).await.unwrap().expose(), "db2/v2");
    let elsewhere = client.render("{{ xtra:///production/URL }}").project_id(SHARED).branch("v2").await.unwrap();
    assert_eq!(elsewhere.expose(), "db2/v2");
}

#[tokio::test]
async fn circles_are_found_and_shown_name_by_name() {
    let server = server().await;
    let client = client(&server);
    set(&server, "SELF", "hunter2 {{ xtra:///production/SELF }}");
    set(&server, "ONE", "hunter2 {{ xtra:///production/TWO }}");
    set(&server, "TWO", "xtra:///PRODUCTION/ONE");
    set(&server, "A", "{{ xtra:///production/B }}");
    set(&server, "B", "{{ xtra:///production/C }}");
    set(&server, "C", "{{ xtra:///production/A }}");
    for (start, names) in
        [("SELF", vec!["SELF", "SELF"]), ("ONE", vec!["ONE", "TWO", "ONE"]), ("A", vec!["A", "B", "C", "A"])]
    {
        let error = refused(&client, &format!("xtra:///production/{start}")).await;
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let chain = names.iter().map(|name| format!("/{name}")).collect::<Vec<_>>();
        let shown: Vec<_> = error.message().split(": ").nth(1).unwrap().split(" -> ").collect();
        assert_eq!(shown.len(), chain.len(), "{error}");
        assert!(shown.iter().zip(&chain).all(|(shown, name)| shown.ends_with(name.as_str())), "{error}");
        assert_eq!(error.names().len(), names.len() - 1);
    }
}

#[tokio::test]
async fn sixteen_references_may_lead_to_one_another_and_no_more() {
    let server = server().await;
    let client = client(&server);
    for level in 1..=17 {
        set(&server, &format!("L{level}"), &format!("xtra:///production/L{}", level + 1));
    }
    set(&server, "L18", "end");
    assert_eq!(rendered(&client, "xtra:///production/L3").await, "end");
    let error = refused(&client, "xtra:///production/L2").await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("16 times") && error.to_string().contains("/L2 -> "), "{error}");
    // the levels are read one after the other, and still only once
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
}

#[tokio::test]
async fn every_reference_that_leads_nowhere_is_in_one_error_with_its_place_and_what_the_service_said() {
    let server = server().await;
    let client = client(&server);
    set(&server, "URL", "hunter2 {{ xtra:///production/NESTED }}");
    let text = format!(
        "a: {{{{ xtra:///production/NOT_THERE }}}}\nb: {{{{ xtra:///nowhere/A }}}}\n  {{{{ xtra://{CLOSED}/production/A }}}}\n\
         {{{{ xtra://{CLOSED}/production/B }}}}{{{{ xtra:///production/URL }}}}{{{{ xtra:///production/USER }}}}"
    );
    let error = refused(&client, &text).await;
    assert_eq!(error.kind(), ErrorKind::MissingSecret);
    let keys: BTreeSet<_> = error.names().iter().map(String::as_str).collect();
    let (closed_a, closed_b) = (format!("xtra://{CLOSED}/production/A"), format!("xtra://{CLOSED}/production/B"));
    let expected: BTreeSet<&str> = [
        "xtra:///production/NOT_THERE",
        "xtra:///nowhere/A",
        closed_a.as_str(),
        closed_b.as_str(),
        "xtra:///production/NESTED",
    ]
    .into();
    assert_eq!(keys, expected);
    let message = error.message();
    for part in [
        "5 references",
        "xtra:///production/NOT_THERE (line 1, column 4)",
        "xtra:///nowhere/A (line 2, column 4)",
        &format!("{closed_a} (line 3, column 3), {closed_b} (line 4, column 1): "),
        "xtra:///production/NESTED (in xtra:///production/URL)",
        "no such secret",
        "no secret at all",
        "status 403",
    ] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    assert!(!message.contains("production/USER"), "{message}");
    assert_eq!(server.request_count(route::SECRETS_READ), 3, "a refused project is asked once");
}

#[tokio::test]
async fn when_all_fail_alike_the_error_is_of_that_kind() {
    let server = server().await;
    let text = "{{ xtra:///production/USER }} {{ xtra:///staging/USER }}";
    let stranger = builder(&server).token("xs_unknown_0123456789abcdef0123456789abcdef0123").build().unwrap();
    let error = refused(&stranger, text).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)));
    assert_eq!(error.names().len(), 2);

    let impatient = builder(&server).max_retries(0).build().unwrap();
    for seconds in ["3", "7"] {
        server.fault(Fault::status(429).header("Retry-After", seconds).on(route::SECRETS_READ));
    }
    let error = refused(&impatient, text).await;
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::RateLimited, true));
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(7)), "the longest wait serves all");

    server.fault(Fault::status(503).on(route::SECRETS_READ));
    server.fault(Fault::refuse().on(route::SECRETS_READ));
    assert!(refused(&impatient, text).await.is_retryable());

    server.fault(Fault::status(503).on(route::SECRETS_READ));
    let error = refused(&impatient, "{{ xtra:///production/USER }} {{ xtra:///staging/NOT_THERE }}").await;
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::MissingSecret, false), "a retry would not bring both");
}

#[tokio::test]
async fn what_cannot_be_read_fails_only_where_it_is_referred_to() {
    let server = server().await;
    assert_eq!(rendered(&client(&server), "xtra:///broken/FINE").await, "fine-hunter2");
    let error = refused(&client(&server), "{{ xtra:///broken/LOST }}").await;
    assert_eq!(error.kind(), ErrorKind::Undecryptable);
    assert!(error.to_string().contains("xtra:///broken/LOST"), "{error}");
    let viewer = builder(&server).token(server.token_for("viewer").unwrap()).build().unwrap();
    let error = refused(&viewer, "{{ xtra:///production/USER }}").await;
    assert_eq!(error.kind(), ErrorKind::Masked);
}

#[tokio::test]
async fn a_value_cannot_make_the_client_ask_for_hundreds_of_environments() {
    let server = server().await;
    let many: String = (0..200).map(|number| format!("{{{{ xtra:///e{number}/A }}}}")).collect();
    set(&server, "MANY", &many);
    let client = client(&server);
    let error = refused(&client, "xtra:///production/MANY").await;
    assert!(error.to_string().contains("more than 100 environments"), "{error}");
    assert!(error.to_string().contains("xtra:///production/MANY"), "{error}");
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
    server.reset_counts();
    assert_eq!(refused(&client, &many).await.kind(), ErrorKind::Invalid);
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn malformed_references_are_reported_together_before_anything_is_sent() {
    let server = server().await;
    let client = client(&server);
    let error =
        refused(&client, "{{ xtra:///production/USER }}\n{{ xtra://production/USER }}\n  {{ xtra:///a/b?v=1 }}").await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    for part in
        ["\"xtra://production/USER\" (line 2, column 1): ", "\"xtra:///a/b?v=1\" (line 3, column 3): ", "?branch="]
    {
        assert!(error.to_string().contains(part), "{part:?} is not in {error}");
    }
    for text in [
        "{{ xtra:///production/USER",
        "{{ XTRA:///production/USER }}",
        "xtra://nonsense",
        "{{ xtra:///production/USER | upper }}",
    ] {
        assert_eq!(refused(&client, text).await.kind(), ErrorKind::Invalid);
    }
    for text in ["", "USER", "{{ xtra:///production/USER }}", "xtra:///production/USER and more"] {
        let error = client.resolve(text).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("render(..)"), "{error}");
    }
    for request in [client.render("xtra:///e/K").project_id(".."), client.render("xtra:///e/K").branch("..")] {
        assert_eq!(request.await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn a_malformed_reference_in_a_value_is_an_error_that_names_the_secret_and_quotes_nothing() {
    let server = server().await;
    let client = client(&server);
    set(&server, "BAD", "one\n {{ xtra://hunter2/hunter2 }}");
    let error = refused(&client, "{{ xtra:///production/BAD }}").await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.to_string().contains("xtra:///production/BAD") && error.to_string().contains("line 2, column 2"),
        "{error}"
    );
    let error = client.resolve_pairs([("FINE", "x"), ("BAD", "xtra://hunter2/hunter2")]).await.unwrap_err();
    hides(&error);
    assert!(error.to_string().contains("in \"BAD\""), "{error}");
    assert_eq!(error.names(), ["BAD"]);
}

/// The time that the thread has been at work: what else the machine does is left out where the system can tell.
fn time_of_this_thread() -> Duration {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
    }
    #[cfg(not(target_os = "linux"))]
    {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
    }
}

#[tokio::test]
async fn an_error_stays_short_and_quick_however_much_is_wrong() {
    // each value is wrong in another way: what is the same is listed together, and to find that must not take a comparison
    // with all of the others
    const MANY: usize = 30_000;
    let places = (0..MANY).map(|number| format!("{}{}", "\n".repeat(number / 200), " ".repeat(number % 200)));
    let values =
        places.enumerate().map(|(number, place)| (format!("K{number}"), format!("{place}{{{{xtra://hunter2}}}}")));
    let client = XtraClient::in_memory(values).unwrap();
    let text: String = (0..MANY).map(|number| format!("{{{{xtra:///e/K{number}}}}}")).collect();
    let before = time_of_this_thread();
    let error = refused(&client, &text).await;
    let took = time_of_this_thread() - before;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(error.names().len(), MANY);
    assert!(error.message().len() < 20_000, "{}", error.message().len());

    let name = "k".repeat(2_000);
    let many: String = (0..100).map(|number| format!("{{{{xtra:///e/{number}{name}}}}}")).collect();
    let error = refused(&XtraClient::in_memory([("LONG", many)]).unwrap(), "xtra:///e/LONG").await;
    assert_eq!(error.names().len(), 100);
    assert!(error.message().len() < 20_000 && error.to_string().contains("and 80 more"), "{}", error.message().len());
}

#[tokio::test]
async fn a_render_that_is_dropped_takes_nothing_from_another_one() {
    let server = server().await;
    let client = client(&server);
    let hold = server.hold(route::SECRETS_READ);
    let text = "{{ xtra:///production/USER }}{{ xtra:///staging/USER }}";
    let mut dropped = Box::pin(client.render(text).send());
    let mut stays = Box::pin(client.render(text).send());
    tokio::select! {
        biased;
        _ = &mut dropped => panic!("it was answered"),
        _ = &mut stays => panic!("it was answered"),
        () = hold.waiting_for(2) => {}
    }
    drop(dropped);
    hold.release();
    assert_eq!(stays.await.unwrap().expose(), "user-hunter2staging-hunter2");
    assert_eq!(server.request_count(route::SECRETS_READ), 2);
}

#[tokio::test]
async fn files_are_rendered_and_their_problems_named_with_the_path() {
    let server = server().await;
    let client = client(&server);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.tpl");
    std::fs::write(&path, "user={{ xtra:///production/USER }}\n").unwrap();
    assert_eq!(client.render_file(&path).await.unwrap().expose(), "user=user-hunter2\n");
    std::fs::write(&path, "\n{{ xtra:///production/NOT_THERE }} hunter2\n").unwrap();
    let error = client.render_file(&path).await.unwrap_err();
    hides(&error);
    assert!(error.to_string().contains("app.tpl, line 2, column 1"), "{error}");
    let error = client.render_file(folder.path().join("nowhere.tpl")).await.unwrap_err();
    assert!(error.to_string().contains("nowhere.tpl"), "{error}");
}

#[tokio::test]
async fn the_values_of_a_snapshot_and_of_pairs_are_resolved_by_name() {
    let server = server().await;
    let client = client(&server);
    set(&server, "DSN", "postgres://{{ xtra:///production/USER }}@db");
    let stored = client.get_secrets("production").await.unwrap();
    let resolved = client.resolve_secrets(&stored).await.unwrap();
    assert_eq!(resolved.require("DSN").unwrap().expose(), "postgres://user-hunter2@db");
    assert_eq!(resolved.require("PLAIN").unwrap(), stored.require("PLAIN").unwrap(), "to the byte");
    assert_eq!(resolved.names().collect::<Vec<_>>(), stored.names().collect::<Vec<_>>());
    assert_eq!(resolved.source(), SnapshotSource::Memory);
    assert_eq!(server.request_count(route::SECRETS_READ), 1);

    let pairs = [("A", "xtra:///production/USER"), ("B", r"\{{ plain"), ("A", "{{ xtra:///staging/USER }}!")];
    let resolved = client.resolve_pairs(pairs).await.unwrap();
    assert_eq!(resolved.require("A").unwrap().expose(), "staging-hunter2!", "the last of a name counts");
    assert_eq!(resolved.require("B").unwrap().expose(), r"\{{ plain");

    let error = client.resolve_secrets(&Secrets::from_iter([("X", "xtra:///production/NO")])).await.unwrap_err();
    assert!(error.to_string().contains("xtra:///production/NO (in \"X\")"), "{error}");

    let partly = client.get_secrets("broken").allow_unreadable().await.unwrap();
    let resolved = client.resolve_secrets(&partly).await.unwrap();
    assert_eq!(resolved.unreadable(), partly.unreadable());
    assert_eq!(resolved.require("LOST").unwrap_err().kind(), ErrorKind::Undecryptable);
}

#[tokio::test]
async fn both_requests_take_the_same_options() {
    let server = server().await;
    let client = client(&server);
    server.set_secret("shared", "production", "v2", "HOST", "db2").unwrap();
    let text = "{{ xtra:///production/HOST }}";
    let one = client.render(text).project_id(SHARED.to_uppercase()).branch("v2").await.unwrap();
    assert_eq!(one.expose(), "db2");
    let many = client.resolve_pairs([("A", text)]).project_id(SHARED.to_uppercase()).branch("v2").await.unwrap();
    assert_eq!(many.require("A").unwrap().expose(), "db2");
    assert_eq!(server.request_count(route::SECRETS_READ), 1);
    server.set_secret("shared", "production", "v2", "HOST", "db3").unwrap();
    let many = client.resolve_pairs([("A", text)]).project_id(SHARED).branch("v2").no_cache().await.unwrap();
    assert_eq!(many.require("A").unwrap().expose(), "db3");
    let one = client.render(text).project_id(SHARED).branch("v2").await.unwrap();
    assert_eq!(one.expose(), "db3", "the answer was stored");
    assert_eq!(server.request_count(route::SECRETS_READ), 2);
}

#[tokio::test]
async fn an_environment_that_is_met_again_on_the_way_is_not_read_again() {
    let server = server().await;
    set(&server, "FIRST", "{{ xtra:///staging/USER }} {{ xtra:///production/SECOND }}");
    set(&server, "SECOND", "{{ xtra:///PRODUCTION/USER }}");
    for client in [client(&server), builder(&server).cache(false).build().unwrap()] {
        server.reset_counts();
        let text = client.render("{{ xtra:///production/FIRST }}").no_cache().await.unwrap();
        assert_eq!(text.expose(), "staging-hunter2 user-hunter2");
        assert_eq!(server.request_count(route::SECRETS_READ), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_renders_at_once_share_the_requests() {
    let server = server().await;
    let client = client(&server);
    let hold = server.hold(route::SECRETS_READ);
    let renders: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.render("{{ xtra:///production/USER }}{{ xtra:///staging/USER }}").await })
        })
        .collect();
    hold.waiting_for(2).await;
    hold.release();
    for render in renders {
        assert_eq!(render.await.unwrap().unwrap().expose(), "user-hunter2staging-hunter2");
    }
    assert_eq!(server.request_count(route::SECRETS_READ), 2);
}

#[tokio::test]
async fn requests_and_results_print_no_text() {
    let server = server().await;
    let client = client(&server);
    let shown = format!(
        "{:?} {:?} {:?}",
        client.render("hunter2"),
        client.resolve_pairs([("A", "hunter2")]),
        client.render("{{ xtra:///production/USER }}").await.unwrap(),
    );
    assert!(!shown.contains(CANARY), "{shown}");
}
