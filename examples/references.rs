//! Texts and values that refer to secrets.
//!
//! ```text
//! cargo run --example references                # no account: a service in memory, on a loopback port
//! ```

use std::error::Error;

use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::DevServer;

/// A configuration file that may be committed: it names secrets and holds none.
const TEMPLATE: &str = r#"
[database]
url = "{{ xtra:///production/DATABASE_URL }}"

[ui]
new = "{{ xtra:///production/FEATURE_NEW_UI?branch=feature/new-ui }}"
greeting = "Hello {{ user.name }}"   # not ours: left alone
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    server.set_secret("demo", "production", "main", "GREETING", "key={{ xtra:///production/API_KEY }}")?;
    let client = XtraClient::builder().dev_server(&server).build()?;

    let rendered = client.render(TEMPLATE).await?;
    // A real program would write this to a file that only it may read, or parse it.
    println!("{} bytes of template became {} bytes of configuration.", TEMPLATE.len(), rendered.len());

    let key = client.resolve("xtra:///production/API_KEY").await?;
    let composed = client.resolve("xtra:///production/GREETING").await?;
    println!("A value that refers to another: {}", composed.expose() == format!("key={}", key.expose()));

    // Environment variables of the program, say: some are references, some are not.
    let settings = client.resolve_pairs([("PORT", "8080"), ("KEY", "xtra:///production/API_KEY")]).await?;
    println!("{settings:?}");

    // Everything that is wrong, at once.
    let error = client.render("{{ xtra:///production/APIKEY }}\n{{ xtra:///prod/API_KEY }}").await;
    println!("\n{}", error.err().ok_or("two references lead nowhere, and were resolved")?);
    let error = client.render("user={{ xtra://production/USER }}").await;
    println!("\n{}", error.err().ok_or("a malformed reference was resolved")?);
    Ok(())
}
