//! The sources: the structure of the crate, what is public, how the raw client is generated, and what documents show.

mod documents;
mod generation;
mod public_api;
mod rooms;
