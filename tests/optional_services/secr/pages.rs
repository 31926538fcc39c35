//! Lists that come page by page, and change meanwhile.

use futures_util::StreamExt;
use xtrasecurity::ErrorKind;
use xtrasecurity::secr::SecretPages;

use crate::server::Secr;

async fn many(server: &Secr) {
    for number in 0..20 {
        server.set(&format!("KEY_{number:02}"), "v");
    }
}

async fn all(mut pages: SecretPages) -> Result<Vec<String>, ErrorKind> {
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.extend(page.map_err(|error| error.kind())?.secrets.into_iter().map(|secret| secret.key));
    }
    assert!(pages.next().await.is_none());
    Ok(keys)
}

#[tokio::test]
async fn every_page_is_read_and_each_secret_comes_once() {
    let server = Secr::start().await;
    many(&server).await;
    let client = server.client();
    let whole = server.0.keys("acme", "web", "production");
    for limit in [1, 2, 5, 22, 23, 24, 1000] {
        let keys = all(client.pull_secrets("acme", "web", "production").limit(limit).pages()).await.unwrap();
        assert_eq!(keys, whole, "{limit}");
    }
    let keys = all(client.pull_secrets("acme", "web", "production").limit(5).offset(20).pages()).await.unwrap();
    assert_eq!(keys, whole[20..]);
    let keys = all(client.pull_secrets("acme", "web", "production").limit(2).search("db_").pages()).await.unwrap();
    assert_eq!(keys, ["DB_HOST", "DB_PASSWORD"]);
    let none = all(client.pull_secrets("acme", "web", "production").limit(0).pages()).await;
    assert_eq!(none, Err(ErrorKind::Invalid));
    let whole_at_once = all(client.pull_secrets("acme", "web", "production").pages()).await.unwrap();
    assert_eq!(whole_at_once, whole);
}

#[tokio::test]
async fn the_pages_are_a_stream() {
    let server = Secr::start().await;
    let pages = server.client().pull_secrets("acme", "web", "production").limit(2).pages();
    let sizes: Vec<usize> = StreamExt::map(pages, |page| page.unwrap().secrets.len()).collect().await;
    assert_eq!(sizes, [2, 1]);
}

#[tokio::test]
async fn pages_that_the_service_gives_unasked_are_read_to_the_end() {
    let server = Secr::start().await;
    many(&server).await;
    server.0.set_page_size(Some(7));
    let secrets = server.client().get_secrets("acme", "web", "production").await.unwrap();
    assert_eq!(secrets.len(), 23);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_page_that_shifts_while_it_is_read_is_noticed_and_the_whole_is_read_again() {
    let server = Secr::start().await;
    many(&server).await;
    server.0.set_page_size(Some(7));
    let client = server.client();
    let read = async { client.get_secrets("acme", "web", "production").await.unwrap() };
    let change = |page| {
        if page == 1 {
            server.0.remove_secret("acme", "web", "production", "DB_HOST").unwrap();
        }
    };
    let secrets = server.between(read, change).await;
    assert_eq!(secrets.len(), 22);
    assert!(!secrets.contains("DB_HOST") && secrets.contains("KEY_19"));
}

#[tokio::test]
async fn a_list_that_never_stands_still_is_an_error_and_no_part_of_it_is_returned() {
    let server = Secr::start().await;
    many(&server).await;
    server.0.set_page_size(Some(7));
    // one goes and one comes, so that the total says nothing
    let change = |page| {
        let first = server.0.keys("acme", "web", "production").swap_remove(0);
        server.0.remove_secret("acme", "web", "production", &first).unwrap();
        server.set(&format!("Z_{page:03}"), "v");
    };
    let client = server.client();
    let read = async { client.get_secrets("acme", "web", "production").await.unwrap_err() };
    assert_eq!(server.between(read, change).await.kind(), ErrorKind::Conflict);
    let end = server.between(all(client.pull_secrets("acme", "web", "production").limit(7).pages()), change).await;
    assert_eq!(end, Err(ErrorKind::Conflict));
}

#[tokio::test]
async fn a_service_that_does_not_know_the_offset_is_told_by_its_assumption() {
    let server = Secr::start().await;
    let page = r#"{"secrets":[{"key":"A","value":"1"},{"key":"B","value":"2"}],"pagination":{"limit":2,"offset":0,"total":4}}"#;
    server.answer(200, page);
    server.answer(200, page);
    let mut pages = server.client().pull_secrets("acme", "web", "production").limit(2).pages();
    assert!(pages.next().await.unwrap().is_ok());
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("`limit` and `offset` of the query choose the page"), "{error}");
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn pages_that_are_too_large_together_are_refused() {
    let server = Secr::start().await;
    for number in 0..20 {
        server.set(&format!("KEY_{number:02}"), &"v".repeat(100));
    }
    server.0.set_page_size(Some(7));
    let client = server.builder().max_response_bytes(1800).build().unwrap();
    let error = client.get_secrets("acme", "web", "production").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("max_response_bytes"), "{error}");
}
