//! `xtrasec get`: one secret.

use clap::Args;

use crate::arguments::Global;
use crate::failure::Outcome;
use crate::output::{self, printable};
use crate::session::Session;

/// Writes one secret
///
/// Without --show this only tells that the secret is there. With it the value is written exactly as it is; a line break is
/// added on a terminal only.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec get DATABASE_URL\n  xtrasec get --show TLS_KEY -e prod > key.pem")]
pub(crate) struct Arguments {
    /// The secret's name
    name: String,
    /// Write the value
    #[arg(long)]
    show: bool,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let session = Session::open(global)?;
    let secrets = session.readable().await?;
    let value = secrets.require(&arguments.name)?;
    if arguments.show {
        output::write(value.expose().as_bytes())?;
        if output::is_terminal() {
            output::write(b"\n")?;
        }
        return Ok(0);
    }
    output::write(format!("{} {value:?}\n", printable(&arguments.name)).as_bytes())?;
    if !output::is_terminal() {
        output::note("the value was not written: add --show");
    }
    Ok(0)
}
