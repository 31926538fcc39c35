//! secr's client: what its users are promised, with a service in its place that does what the vendor's pages say.

mod dev_server;
mod document;
mod engine;
mod pages;
mod reads;
mod refusals;
mod server;
mod webhook_layer;
mod webhooks;
mod writes;
