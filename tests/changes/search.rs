//! What is promised about finding secrets in a snapshot, and about showing it a page at a time.

use std::time::Duration;

use proptest::collection::btree_set;
use proptest::prelude::*;
use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{ErrorKind, Secrets, XtraClient, clock::ManualClock, paging::Paging, snapshot::SnapshotSource};

fn named(names: impl IntoIterator<Item = impl Into<String>>) -> Secrets {
    Secrets::from_iter(names.into_iter().map(|name| (name, "value")))
}

fn found(secrets: &Secrets) -> Vec<&str> {
    secrets.names().collect()
}

#[test]
fn what_matches_is_found_in_order_whatever_its_case() {
    let secrets = named(["DATABASE_URL", "api_url", "API_KEY", "URL", "Url_2"]);
    for (pattern, expected) in [
        ("url", &["DATABASE_URL", "URL", "Url_2", "api_url"][..]),
        ("Api", &["API_KEY", "api_url"]),
        ("*url", &["DATABASE_URL", "URL", "api_url"]),
        ("url*", &["URL", "Url_2"]),
        ("???", &["URL"]),
        ("api?*", &["API_KEY", "api_url"]),
        ("[a-z]*", &[]),
        ("nothing", &[]),
        ("", &["API_KEY", "DATABASE_URL", "URL", "Url_2", "api_url"]),
        ("*", &["API_KEY", "DATABASE_URL", "URL", "Url_2", "api_url"]),
    ] {
        assert_eq!(found(&secrets.search(pattern)), expected, "{pattern:?}");
    }
}

#[tokio::test]
async fn what_was_found_shares_its_values_and_is_as_old_as_what_it_was_found_in() {
    let (server, clock) = (DevServer::start().await.unwrap(), ManualClock::new());
    let client = XtraClient::builder().dev_server(&server).clock(clock.clock()).build().unwrap();
    let secrets = client.get_secrets("production").await.unwrap();
    clock.advance(Duration::from_secs(20));
    let some = secrets.search("api_key");
    assert_eq!(found(&some), ["API_KEY"]);
    assert!(std::ptr::eq(some.require("API_KEY").unwrap().expose(), secrets.require("API_KEY").unwrap().expose()));
    assert_eq!((some.age(), some.source(), some.is_stale()), (secrets.age(), SnapshotSource::Service, false));
    clock.advance(Duration::from_secs(20));
    assert_eq!((some.age(), some.is_stale()), (Duration::from_secs(40), true));
    assert_eq!(server.total_requests(), 1);
}

#[tokio::test]
async fn secrets_that_cannot_be_read_are_found_among_the_unreadable() {
    let server = DevServer::start().await.unwrap();
    server.set_secret(server.project_id(), "production", "main", "API_MASKED", "***").unwrap();
    server.set_secret(server.project_id(), "production", "main", "OTHER_MASKED", "***").unwrap();
    let client = XtraClient::builder().dev_server(&server).build().unwrap();
    let some = client.get_secrets("production").allow_unreadable().await.unwrap().search("api");
    assert_eq!(some.unreadable().iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["API_MASKED"]);
    assert_eq!(some.require("API_MASKED").unwrap_err().kind(), ErrorKind::Masked);
    assert_eq!(some.require("OTHER_MASKED").unwrap_err().kind(), ErrorKind::MissingSecret);
}

#[test]
fn a_page_tells_what_it_is_a_part_of() {
    let secrets = named(["C", "A", "B", "E", "D"]);
    let page = secrets.page(Paging::limit(2).offset(3));
    assert_eq!(page.names().collect::<Vec<_>>(), ["D", "E"]);
    assert_eq!(
        page.iter().map(|(name, value)| (name, value.expose())).collect::<Vec<_>>(),
        [("D", "value"), ("E", "value")]
    );
    assert_eq!((page.total(), page.limit(), page.offset(), page.len(), page.is_empty()), (5, 2, 3, 2, false));
    assert_eq!(page.next_page(), None);
    assert_eq!(secrets.page(Paging::limit(3)).next_page(), Some(Paging::limit(3).offset(3)));
}

#[test]
fn a_page_past_the_end_or_of_nothing_is_empty_and_the_last() {
    let secrets = named(["A", "B", "C"]);
    for paging in [
        Paging::limit(2).offset(3),
        Paging::limit(2).offset(usize::MAX),
        Paging::limit(usize::MAX).offset(usize::MAX),
        Paging::limit(0),
        Paging::limit(0).offset(1),
    ] {
        let page = secrets.page(paging);
        assert_eq!((page.len(), page.total(), page.next_page()), (0, 3, None), "{paging:?}");
    }
    assert_eq!(secrets.pages(0).count(), 0);
    assert_eq!(named(Vec::<String>::new()).pages(5).count(), 0);
    assert_eq!(secrets.page(Paging::limit(usize::MAX).offset(1)).len(), 2);
}

#[test]
fn neither_a_page_nor_the_way_through_pages_shows_a_value() {
    let secrets = Secrets::from_iter([("A", "hunter2")]);
    let pages = secrets.pages(1);
    let shown = format!("{pages:?} {:?}", secrets.page(Paging::limit(1)));
    assert!(shown.contains("REDACTED") && !shown.contains("hunter2"), "{shown}");
}

/// The same in the plainest way: every part of a name, or every way to cut it at a `*`.
fn plainly(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', rest @ ..] => (0..=name.len()).any(|at| plainly(rest, &name[at..])),
        [one, rest @ ..] => {
            name.first().is_some_and(|first| *one == '?' || one.eq_ignore_ascii_case(first))
                && plainly(rest, &name[1..])
        }
    }
}

proptest! {
    #[test]
    fn pages_have_each_name_exactly_once_and_in_order(names in btree_set("[A-D]{0,3}", 0..60), limit in 1_usize..70) {
        let secrets = named(names.iter().cloned());
        let pages: Vec<_> = secrets.pages(limit).collect();
        prop_assert!(pages.iter().all(|page| page.total() == names.len() && (1..=limit).contains(&page.len())));
        prop_assert!(pages.iter().rev().skip(1).all(|page| page.len() == limit));
        let shown: Vec<_> = pages.iter().flat_map(|page| page.names()).collect();
        prop_assert_eq!(shown, names.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn going_from_page_to_next_page_is_the_same_way(count in 0_usize..40, limit in 1_usize..50) {
        let secrets = named((0..count).map(|n| format!("{n:03}")));
        let mut walked = Vec::new();
        let mut next = Some(Paging::limit(limit));
        while let Some(paging) = next {
            let page = secrets.page(paging);
            walked.extend(page.names());
            next = page.next_page();
        }
        prop_assert_eq!(walked, found(&secrets));
    }

    #[test]
    fn a_search_finds_what_a_plain_one_finds(names in btree_set("[aAbB]{0,6}", 0..20), pattern in "[aB*?]{0,6}") {
        let whole = if pattern.contains(['*', '?']) { pattern.clone() } else { format!("*{pattern}*") };
        let whole: Vec<char> = whole.chars().collect();
        let matching = |name: &&String| plainly(&whole, &name.chars().collect::<Vec<_>>());
        let expected: Vec<_> = names.iter().filter(matching).map(String::as_str).collect();
        let secrets = named(names.iter().cloned());
        let some = secrets.search(&pattern);
        prop_assert_eq!(found(&some), expected);
    }
}
