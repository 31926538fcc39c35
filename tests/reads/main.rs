//! What whoever reads secrets is promised: by the client, the blocking client, its cache, its credentials and its watch; and what a
//! service that the crate does not know gets with it.

mod absent;
mod aws_failures;
mod bad_input;
mod blocking;
mod credentials;
mod deadline;
mod fairness;
mod followed;
mod kept;
mod local_mode;
mod network;
mod offline;
mod other_service;
mod own_source;
mod preload;
mod rate_budget;
mod reading;
mod references;
mod simulated_day;
mod sources;
mod staleness;
mod watch;
mod watch_blocking;
mod with_secret;
