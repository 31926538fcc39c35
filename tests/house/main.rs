//! The sources: the structure of the crate, what is public, and how the raw client is generated.

mod generation;
mod public_api;
mod rooms;
