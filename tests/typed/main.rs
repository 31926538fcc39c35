//! Secrets as a struct of one's own and as a source of configuration, and the readers of a value's text.

mod config;
mod figment;
mod providers;
mod schemas;
mod settings;
mod structs;
mod values;
