//! The contract of secrets services as clients see it, held against each service's dev server and, where variables name one,
//! against a service that runs elsewhere:
//!
//! ```text
//! XTRA_TEST_API_URL=https://… XTRA_TEST_TOKEN=… cargo test --test service live -- --nocapture
//! ```
//!
//! `every_service` is written once, over the trait `Service`. A service has a folder with its implementation of the trait, the
//! promises that are its own, and one `contract!` that lists them. Each part makes environments and the like of its own, with
//! names that nobody has, and takes them away again. What a live token may not do is skipped there, and said.

#[macro_use]
mod contract;
mod every_service;
mod xtra;
