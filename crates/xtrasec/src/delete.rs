//! `xtrasec delete`: secrets that go for good.

use std::collections::BTreeSet;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::confirm::Confirm;
use crate::failure::{Failure, Outcome};
use crate::options::Global;
use crate::output;
use crate::session::Target;
use crate::text::printable;
use crate::text::quoted;

/// Deletes secrets, with their histories
///
/// On one branch; secrets of the same names on other branches stay. Asks before it does so: in production, the
/// environment's name has to be typed. Where nobody can be asked, --yes is needed.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec delete OLD_KEY -e staging\n  \
    xtrasec delete OLD_KEY OLDER_KEY --if-exists --yes -e production")]
pub(crate) struct Arguments {
    /// The secrets' names
    #[arg(required = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    keys: Vec<String>,
    /// A secret that does not exist is right
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
    arguments.confirm.ask(&question, target.to_be_typed())?;
    let mut done = String::new();
    let mut seen = BTreeSet::new();
    for key in arguments.keys.iter().filter(|key| seen.insert(*key)) {
        match delete(&target, key, arguments).await {
            Ok(what) => done.push_str(&format!("{what} {}\n", target.shown())),
            Err(failure) => {
                // That it cannot be told is the lesser trouble.
                let _ = output::write(done.as_bytes());
                return Err(failure);
            }
        }
    }
    output::done(&done)?;
    Ok(0)
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
