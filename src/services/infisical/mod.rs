//! Infisical.
#![allow(dead_code, reason = "what people call is to be built on it")]

mod credentials;
mod protocol;
mod raw;
