//! A web service with secrets in its state. Every request reads through the cache, so a rotated secret is picked up within
//! the time to live, and a thousand requests cost the service one.
//!
//! ```text
//! cargo run --example axum               # serves until it is interrupted
//! cargo run --example axum -- --once     # asks itself once and ends
//! ```

use std::error::Error;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::DevServer;

/// What the handlers share. A client is one pointer, so it is cloned freely.
#[derive(Clone)]
struct App {
    secrets: XtraClient,
}

async fn health(State(app): State<App>) -> Result<String, StatusCode> {
    let secrets = app.secrets.get_secrets("production").await.map_err(|error| {
        // The error's text holds no value, so it may be logged as it is.
        eprintln!("{error}");
        StatusCode::SERVICE_UNAVAILABLE
    })?;
    let configured = secrets.contains("DATABASE_URL");
    Ok(format!("database configured: {configured}; secrets are {:?} old\n", secrets.age()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    let secrets = XtraClient::builder().dev_server(&server).build()?;
    // Read once before serving: a wrong token is better found here than by the first visitor.
    secrets.get_secrets("production").await?.require("DATABASE_URL")?;

    let app = Router::new().route("/health", get(health)).with_state(App { secrets });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("http://{address}/health");
    if std::env::args().any(|argument| argument == "--once") {
        tokio::spawn(async move { axum::serve(listener, app).await });
        print!("{}", ask(&address.to_string()).await?);
        return Ok(());
    }
    axum::serve(listener, app).await?;
    Ok(())
}

async fn ask(address: &str) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(format!("GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned())
}
