//! SyVault's client: what its users are promised, with a service in its place that does what the vendor's pages say, or is assumed to.

mod dev_server;
mod document;
mod engine;
mod leases;
mod notations;
mod reads;
mod refusals;
mod registration;
mod server;
mod tokens;
mod writes;
