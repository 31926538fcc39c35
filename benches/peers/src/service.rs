//! The service that ours reads from: the dev server with fifty secrets.

use xtrasecurity::dev_server::{DevServer, RateLimits};
use xtrasecurity::{XtraClient, XtraClientBuilder};

pub const SECRETS: usize = 50;

pub async fn start() -> DevServer {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.expect("a loopback port is free");
    for (name, value) in secrets() {
        server.set_secret("demo", "production", "main", &name, &value).expect("the demo project is there");
    }
    server
}

pub fn client(server: &DevServer) -> XtraClientBuilder {
    XtraClient::builder().token(server.token()).project_id(server.project_id()).api_url(server.url())
}

/// Names and values of a usual length.
pub fn secrets() -> impl Iterator<Item = (String, String)> {
    (0..SECRETS)
        .map(|number| (format!("SERVICE_SETTING_{number:02}"), format!("{number:02}-0123456789abcdef0123456789abc")))
}
