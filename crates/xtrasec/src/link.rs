//! `xtrasec link`: a secret whose value is that of another one.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;
use xtrasecurity::xtra::write::LinkSource;

use crate::confirm::Confirm;
use crate::failure::{Failure, Outcome};
use crate::options::{Global, Scope};
use crate::output;
use crate::session::{Target, builder, not_read};
use crate::text::{self, printable};
use crate::write_options::OneWrite;

/// Makes a secret whose value is always that of another one
///
/// The other may be in another environment, or in another project. Links are on the branch main; `xtrasec delete` takes them
/// away. In production it asks, or needs --yes.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec link TOKEN staging SHARED_TOKEN -e development\n  \
    xtrasec link DATABASE_URL production --from-project 665f1c2ab7c0de0012345678 -e production")]
pub(crate) struct Arguments {
    /// The name of the new secret
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// The environment of the other secret
    from: Scope,
    /// The name of the other secret [default: the same]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    from_name: Option<String>,
    /// The id of the other secret's project [default: the same]
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    from_project: Option<String>,
    /// Print an object: name, environment, and from: project, environment, name
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    writing: OneWrite,
    #[command(flatten)]
    confirm: Confirm,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    if arguments.from.branch.is_some() {
        return Err(Failure::usage("a link cannot choose the branch of the other secret: leave @BRANCH out"));
    }
    let target = Target::open(global)?;
    if target.is_production() {
        arguments.confirm.check(&format!("This makes {} in {} a link.", printable(&arguments.name), target.shown()))?;
    }
    let source = arguments.source(global, &target).await?;
    let (key, place) = (printable(&arguments.name), target.shown());
    let from = printable(&format!("{} of {}", source.name, source.environment));
    if target.is_production() {
        arguments.confirm.ask(&format!("This makes {key} in {place} a link to {from}."), None)?;
    }
    let request = target.client.link_secret(target.environment.as_str(), arguments.name.as_str(), source.clone());
    arguments.writing.of(request).confirm_production().await.map_err(|error| target.not_written(error))?;
    let text = if arguments.json {
        text::json(&json!({
            "name": arguments.name,
            "environment": target.environment,
            "from": { "project": source.project_id, "environment": source.environment, "name": source.name },
        }))
    } else {
        format!("{key} in {place} is a link to {from}\n")
    };
    output::done(&text)?;
    Ok(0)
}

impl Arguments {
    async fn source(&self, global: &Global, target: &Target) -> Result<LinkSource, Failure> {
        let configuration = builder(global).explain();
        let own = configuration.get("project").and_then(|setting| setting.shown());
        let project = match (&self.from_project, own) {
            (Some(id), _) => id.clone(),
            (None, Some(id)) => id.to_owned(),
            // a service account's token knows it
            (None, None) => target.client.get_project().await.map_err(not_read)?.id,
        };
        let key = self.from_name.as_deref().unwrap_or(&self.name);
        Ok(LinkSource::new(project, self.from.environment.as_str(), key))
    }
}
