//! Every endpoint of the API, by the generated client: projects and branches here, with errors handled.
//!
//! ```text
//! cargo run --example raw
//! ```

use std::error::Error;

use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{ErrorKind, XtraClient, XtraError};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    let client = XtraClient::builder().token(server.token()).api_url(server.url()).build()?;
    let raw = client.raw();

    for project in raw.projects_list().send().await?.iter() {
        println!("project {:?} {:?}", project.name, project.id);
    }

    let project = raw.projects_get().id(server.project_id()).send().await?;
    println!("status {:?}, requests left today {:?}", project.status, project.header("x-ratelimit-remaining"));

    let created = raw
        .branches_create()
        .body_map(|body| body.name("hotfix/api-v2").project_id(server.project_id()))
        .send()
        .await?;
    println!("created branch {:?} with status {}", created.name, created.status());

    let branches = raw.branches_list().project_id(server.project_id()).send().await?;
    println!("branches: {:?}", branches.iter().map(|branch| branch.name.as_str()).collect::<Vec<_>>());

    // The raw error keeps the status and the service's words. As an XtraError it also says what to do.
    match raw.projects_get().id("aaaaaaaaaaaaaaaaaaaaaaaa").send().await {
        Ok(_) => return Err("a project that does not exist was found".into()),
        Err(error) => {
            println!("raw error with status {:?}: {error}", error.status());
            let error = XtraError::from(error);
            assert_eq!(error.kind(), ErrorKind::NotFound);
            println!("as XtraError: {error}");
        }
    }
    Ok(())
}
