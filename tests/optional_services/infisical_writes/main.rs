//! What changes something at Infisical, and the generated client, against the dev server as it was in 2024 and as it is today.

mod keys;
mod leases;
mod raw;
mod secrets;
mod server;
