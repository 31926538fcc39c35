//! Infisical.
#![allow(dead_code, reason = "what people call is to be built on it")]

#[cfg(feature = "dev-server")]
pub mod dev;
mod protocol;
mod raw;
