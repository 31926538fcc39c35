//! What changes something at Infisical, and the generated client, against the dev server as it was in 2024 and as it is today.

mod raw;
mod secrets;
mod server;
