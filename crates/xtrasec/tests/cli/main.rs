//! The command `xtrasec`, as its users meet it: a process with arguments, an environment, two streams and a status.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "these are tests; clippy looks for that only inside of the functions that are marked"
)]

mod account;
mod branches;
mod change;
mod copies;
mod copy;
mod dev;
mod diff;
mod doctor;
mod errors;
mod export;
mod help;
mod import;
#[cfg(feature = "infisical")]
mod infisical;
#[cfg(target_os = "linux")]
mod large;
mod leaks;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod linking;
mod local;
mod login;
mod misspelt;
mod offline;
mod pipes;
mod read;
mod render;
mod repair;
mod resolve;
mod run;
mod schema;
#[cfg(target_os = "linux")]
mod screen;
#[cfg(all(feature = "secr", feature = "syvault"))]
mod services;
mod set;
mod setup;
#[cfg(target_os = "linux")]
mod terminal;
mod world;
