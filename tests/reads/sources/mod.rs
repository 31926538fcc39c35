//! The small sources and layers of sources: what each gives and refuses, and that everything a client has comes with them.

mod directory;
mod everything;
#[cfg(unix)]
mod kubernetes;
mod layers;
mod outage;

#[path = "../../../examples/readme/own_source.rs"]
#[allow(dead_code, reason = "the one over HTTP is compiled only")]
mod page;
mod told;

#[tokio::test]
async fn the_source_on_the_page_about_sources_of_ones_own_is_read_as_shown() {
    page::teams::read().await.unwrap();
}
