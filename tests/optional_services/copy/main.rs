//! Copies between any two of the four services, each in memory: nothing gets lost, nothing is overwritten, nothing is written twice.

mod changes;
mod failures;
mod hostile;
mod obstacles;
#[allow(dead_code, reason = "the tests of the service use the rest")]
#[path = "../secr/server.rs"]
mod secr;
mod services;
#[allow(dead_code, reason = "the tests of the service use the rest")]
#[path = "../syvault/server.rs"]
mod syvault;
mod there_and_back;
