//! Infisical.
#![allow(dead_code, reason = "what people call is to be built on it")]

mod protocol;
mod raw;
#[cfg(test)]
mod recordings;
mod refusals;
