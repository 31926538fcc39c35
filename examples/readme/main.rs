//! The snippets of the README and of `docs/`, as they are shown there: a test compares them.
//!
//! ```text
//! cargo run --example readme
//! ```
//!
//! What stands between `readme: begin` and `readme: end` is shown. What needs no account runs here, on the dev server.

mod at_the_point_of_use;
mod from_python;
mod own_source;
mod programs;
mod reading;
mod small_sources;
mod typed;
mod writing;

use std::error::Error;

use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::DevServer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    let settings = [("PORT", "8080"), ("TIMEOUT", "1m 30s"), ("SMTP__HOST", "mail"), ("DATABASE_PASSWORD", "hunter2")];
    for (name, value) in settings {
        server.set_secret("demo", "production", "main", name, value)?;
    }
    let client = XtraClient::builder().dev_server(&server).build()?;
    let secrets = client.get_secrets("production").await?;

    reading::configure()?;
    reading::read(&client).await?;
    reading::keep_a_handle(&client).await?;
    reading::handle_errors(&client).await;
    reading::refer(&client).await?;
    reading::ask_any_endpoint(&client, server.project_id()).await?;
    reading::give_to_a_child(&secrets)?;
    reading::survive_a_bad_answer().await?;
    typed::read(&client).await?;
    typed::merge(secrets.clone())?;
    writing::write(&client).await?;
    writing::copy(&client).await?;
    from_python::configure()?;
    from_python::read(&client).await?;
    from_python::begin_a_branch_with_secrets(&client).await?;
    own_source::teams::read().await?;
    at_the_point_of_use::check_and_connect(&client, at_the_point_of_use::Database).await?;

    // what needs an account, a watch that never ends, or a service of another kind is compiled only
    let _ = (writing::manage, reading::watch, reading::keep_copies, own_source::vault::read);
    let _ = small_sources::read;
    let _ = (programs::without_async, from_python::inject, from_python::manage, from_python::handle_errors);
    Ok(())
}
