//! Watches of Infisical that the server tells of changes, against the dev server as it is today.

mod hostile;
mod log;
mod server;
mod told;
