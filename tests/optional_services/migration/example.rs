//! From Infisical to XtraSecurity: a plan, its obstacles, and the migration when there are none.
//!
//! ```text
//! INFISICAL_… XTRA_… cargo run -p optional-services-tests --example migrate_from_infisical -- dev development [--apply] [--name-alone]
//! cargo run -p optional-services-tests --example migrate_from_infisical        # no accounts: two services in memory
//! ```
//!
//! Without `--apply` nothing is written. Comments, tags and earlier versions stay behind; Infisical itself is only read.

mod plan;

use std::error::Error;

use plan::{From, Naming, To, plan};
use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::DevServer;
use xtrasecurity::infisical::InfisicalClient;
use xtrasecurity::infisical::dev::InfisicalDevServer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let named: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    let has = |flag: &str| words.iter().any(|word| word == flag);
    let naming = if has("--name-alone") { Naming::NameAlone } else { Naming::WithFolder };
    let [source, target] = named[..] else { return in_memory(naming).await };
    let (infisical, xtra) = (InfisicalClient::from_env()?, XtraClient::from_env()?);
    let from = From { client: &infisical, environment: source, folders_of_imports: &[], naming };
    migrate(from, To { client: &xtra, environment: target }, has("--apply")).await
}

async fn migrate(from: From<'_>, to: To<'_>, applies: bool) -> Result<(), Box<dyn Error>> {
    let plan = plan(from, to).await?;
    for name in plan.created() {
        println!("  new       {name}");
    }
    for name in plan.present() {
        println!("  the same  {name}");
    }
    for obstacle in plan.obstacles() {
        println!("  OBSTACLE  {obstacle}, from {}", obstacle.source_name);
    }
    match (plan.is_clear(), applies) {
        (false, _) => println!("nothing was written"),
        (true, false) => println!("a dry run: nothing was written"),
        (true, true) => println!("{} written, and read again", plan.apply().await?.created.len()),
    }
    Ok(())
}

/// Stands in for accounts.
async fn in_memory(naming: Naming) -> Result<(), Box<dyn Error>> {
    let (source, target) = (InfisicalDevServer::start().await?, DevServer::start().await?);
    let infisical = InfisicalClient::builder().base_url(source.url()).token(source.token());
    let infisical = infisical.project_id(source.project_id()).build()?;
    let xtra = XtraClient::builder().dev_server(&target).build()?;
    let from = From { client: &infisical, environment: "dev", folders_of_imports: &[], naming };
    for (environment, applies) in [("development", false), ("migrated", false), ("migrated", true), ("migrated", true)]
    {
        println!("dev -> {environment}");
        migrate(from, To { client: &xtra, environment }, applies).await?;
    }
    source.stop().await;
    target.stop().await;
    Ok(())
}
