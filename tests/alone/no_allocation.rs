//! A cached read takes nothing from the heap.

use std::hint::black_box;

use xtrasecurity::dev_server::{DevServer, RateLimits};
use xtrasecurity::sources::{EnvVars, Layer, Layered};
use xtrasecurity::{Client, XtraClient};

use crate::memory::measured::allocations;

use crate::{Check, on_a_runtime};

pub(crate) const CHECKS: &[Check] = &[
    ("a_thousand_cached_reads_allocate_nothing_whichever_scope_they_name", || {
        on_a_runtime(a_thousand_cached_reads_allocate_nothing_whichever_scope_they_name())
    }),
    ("a_thousand_reads_of_a_handle_allocate_nothing_and_nor_do_those_of_a_clone", || {
        on_a_runtime(a_thousand_reads_of_a_handle_allocate_nothing_and_nor_do_those_of_a_clone())
    }),
    ("a_thousand_cached_reads_of_layers_allocate_nothing", || {
        on_a_runtime(a_thousand_cached_reads_of_layers_allocate_nothing())
    }),
];

async fn a_thousand_cached_reads_allocate_nothing_whichever_scope_they_name() {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let client = XtraClient::builder()
        .token(server.token())
        .project_id(server.project_id())
        .api_url(server.url())
        .build()
        .unwrap();
    let branch = "feature/a-branch-with-a-name-of-some-length";
    server.add_branch("demo", branch).unwrap();
    // the second round meets the scopes in the cache; what a thread sets up once is set up by it
    for _ in 0..2 {
        client.get_secrets("production").await.unwrap();
        client.get_secrets("Production").branch(branch).await.unwrap();
    }
    let before = allocations();
    for _ in 0..1000 {
        black_box(client.get_secrets(black_box("production")).await.unwrap());
        black_box(client.get_secrets(black_box("Production")).branch(black_box(branch)).await.unwrap());
    }
    assert_eq!(allocations() - before, 0);
    assert_eq!(client.stats().misses, 2, "every counted read was a hit");
    let before = allocations();
    client.get_secrets("staging").await.unwrap();
    assert!(allocations() > before, "the counter counts");
}

async fn a_thousand_reads_of_a_handle_allocate_nothing_and_nor_do_those_of_a_clone() {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let client = XtraClient::builder().dev_server(&server).build().unwrap();
    let mut handle = client.scope("production");
    let mut clone = handle.clone();
    // a handle that is read more than once gets a count of its own
    for _ in 0..3 {
        handle.get().await.unwrap();
        clone.get().await.unwrap();
    }
    let before = allocations();
    for _ in 0..1000 {
        black_box(handle.get().await.unwrap());
        black_box(clone.get().await.unwrap());
    }
    assert_eq!(allocations() - before, 0);
    assert_eq!(client.stats().misses, 1, "every counted read was a hit");
}

async fn a_thousand_cached_reads_of_layers_allocate_nothing() {
    let service = XtraClient::in_memory([("PORT", "8080")]).unwrap();
    let layers = [Layer::new(EnvVars::new(), ()), Layer::of_client(&service, "production").every_name()];
    let client = Client::new_with_source(Layered::new(layers).unwrap());
    for _ in 0..2 {
        client.read(()).await.unwrap();
    }
    let before = allocations();
    for _ in 0..1000 {
        black_box(client.read(()).await.unwrap());
    }
    assert_eq!(allocations() - before, 0);
    assert_eq!(client.stats().misses, 1, "every counted read was a hit");
}
