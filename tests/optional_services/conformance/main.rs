//! The contract of secrets services as clients see it, held against each service's dev server and, where variables name one,
//! against a service that runs elsewhere:
//!
//! ```text
//! XTRA_TEST_API_URL=https://… XTRA_TEST_TOKEN=… cargo test -p optional-services-tests --test conformance live -- --nocapture
//! ```
//!
//! `service_promises` (what a service does) and `engine_promises` (what a client does over any source) are written once, over the
//! trait `Service`. A service has a module with its implementation of the trait, the promises that are its own, and one `contract!`
//! that lists them. Each part makes scopes of its own, with names that nobody has, and takes them away again.
//!
//! What a service cannot do by its nature is listed by it (`LEFT_OUT`), with the reason: the parts that need it say so and are
//! printed as LEFT OUT, and a part that is left out without being listed fails, as does one that is listed and held. What a live
//! token may not do is printed as SKIPPED.
//!
//! A source without writes, such as files, implements the trait too: `own` is one.

#[macro_use]
mod contract;
mod engine_promises;
mod infisical;
mod own;
mod secr;
mod service_promises;
mod syvault;
mod xtra;
