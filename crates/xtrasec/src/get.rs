//! `xtrasec get`: one secret.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::failure::{Failure, Outcome};
use crate::options::{Global, Values};
use crate::output;
use crate::session::{Session, demand, tell_references};
use crate::text::printable;

/// Writes one secret
///
/// With --show the value is written exactly as it is; a line break is added on a terminal only. Without it this tells on a
/// terminal that the secret is there, and anywhere else it is an error, so that no program takes that for the value.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec get DATABASE_URL\n  xtrasec get --show TLS_KEY -e prod > key.pem")]
pub(crate) struct Arguments {
    /// The secret's name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// Write the value
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    values: Values,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    if !arguments.show && !output::is_terminal() {
        return Err(Failure::usage("standard output is not a terminal: add --show to print the value"));
    }
    let session = Session::open(global)?;
    let secrets = session.values(arguments.values).await?;
    demand(&secrets, [arguments.name.as_str()], session.environment()?)?;
    let value = secrets.require(&arguments.name)?;
    tell_references(&[(arguments.name.as_str(), value.clone())].into_iter().collect(), arguments.values);
    if arguments.show {
        output::write(value.expose().as_bytes())?;
        if output::is_terminal() {
            output::write(b"\n")?;
        }
        return Ok(0);
    }
    output::write(format!("{} {value:?}\n", printable(&arguments.name)).as_bytes())?;
    Ok(0)
}
