//! `xtrasec delete`: secrets that go for good.

use std::collections::{BTreeSet, HashSet};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::confirm::Confirm;
use crate::failure::{Failure, Outcome};
use crate::options::Global;
use crate::output;
use crate::session::Target;
use crate::text::{all_quoted, printable, quoted};

const NOTHING_DONE: &str = "Nothing was deleted";

/// Deletes secrets, with their histories
///
/// On one branch; secrets of the same names on other branches stay. First this looks whether all of them are there: if one is
/// not, nothing is deleted, unless --if-exists is given. Then it asks: in production, the environment's name has to be typed.
/// Where nobody can be asked, --yes is needed.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec delete OLD_KEY -e staging\n  \
    xtrasec delete OLD_KEY OLDER_KEY --if-exists --yes -e production")]
pub(crate) struct Arguments {
    /// The secrets' names
    #[arg(required = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    keys: Vec<String>,
    /// Accept names of secrets that do not exist
    #[arg(long)]
    if_exists: bool,
    /// Take the environment's name as it is spelled, even if the project has it in other upper and lower case
    #[arg(long)]
    exact: bool,
    #[command(flatten)]
    confirm: Confirm,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let target = Target::open(global)?;
    let keys = quoted(arguments.keys.iter().map(String::as_str));
    let question = format!("This deletes {keys} from {}, with all versions.", target.shown());
    arguments.confirm.check(&question)?;
    if !arguments.if_exists {
        demand_all(&target, arguments).await?;
    }
    arguments.confirm.ask(&question, target.to_be_typed())?;
    let mut done = String::new();
    let mut seen = BTreeSet::new();
    for key in arguments.keys.iter().filter(|key| seen.insert(*key)) {
        match delete(&target, key, arguments).await {
            Ok(what) => done.push_str(&format!("{what} {}\n", target.shown())),
            Err(failure) => {
                // That it cannot be told is the lesser trouble.
                let _ = output::write(done.as_bytes());
                return Err(if arguments.keys.len() > 1 { failure.about(&quoted([key.as_str()])) } else { failure });
            }
        }
    }
    output::done(&done)?;
    Ok(0)
}

/// Refuses unless every secret is there, before the first of them is deleted. Other spellings of the environment are read as
/// the same, and the deletion tells them apart.
async fn demand_all(target: &Target, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.exact || arguments.keys.len() == 1 {
        // the deletion of one looks by itself
        return Ok(());
    }
    let listed = target.client.list_secret_names(target.environment.as_str()).await;
    let listed = listed.map_err(|error| target.not_done(error).so(NOTHING_DONE))?;
    let there: HashSet<&str> = listed.iter().map(|key| key.name.as_str()).collect();
    let absent: BTreeSet<&str> = arguments.keys.iter().map(String::as_str).filter(|key| !there.contains(key)).collect();
    if absent.is_empty() {
        return Ok(());
    }
    let absent: Vec<&str> = absent.into_iter().collect();
    Err(Failure::refused(format!(
        "not in {}: {}. {NOTHING_DONE}. Correct the names, or add --if-exists",
        target.shown(),
        all_quoted(&absent)
    )))
}

async fn delete(target: &Target, key: &str, arguments: &Arguments) -> Result<String, Failure> {
    let mut request = target.client.delete_secret(target.environment.as_str(), key).confirm_production();
    if arguments.if_exists {
        request = request.if_exists();
    }
    if arguments.exact {
        request = request.exact();
    }
    let key = printable(key);
    match request.await.map_err(|error| target.not_done(error))?.rows {
        0 => Ok(format!("{key} was not in")),
        _ => Ok(format!("deleted {key} from")),
    }
}
