//! `xtrasec render`: a template with secrets in the place of references.

use std::io::{self, Read};
use std::path::PathBuf;

use clap::Args;

use crate::arguments::Global;
use crate::failure::{Failure, Outcome};
use crate::file::{self, Existing};
use crate::output;
use crate::session::Session;

/// Puts secrets into a template
///
/// Every {{ xtra://PROJECT/ENVIRONMENT/NAME }} becomes the value of that secret; without a project (xtra:///ENVIRONMENT/NAME)
/// it is this project, and ?branch=NAME says which branch. A file that is nothing but one reference becomes the value. \{{
/// stands for {{. References in values are followed as well.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec render app.toml.tpl --output app.toml\n  \
    echo '{{ xtra:///production/API_KEY }}' | xtrasec render - | ./server")]
pub(crate) struct Arguments {
    /// The template, - for standard input
    file: PathBuf,
    /// Write this file (0600) instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "output")]
    force: bool,
    /// Do not follow references in values: whoever may write a secret cannot make this read another
    #[arg(long)]
    shallow: bool,
    /// Write the result even when standard output is a terminal
    #[arg(long)]
    show: bool,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    if arguments.output.is_none() {
        output::values_may_be_written(arguments.show)?;
    }
    let session = Session::open(global)?;
    let request = if arguments.file.as_os_str() == "-" {
        session.client.render(standard_input()?)
    } else {
        session.client.render_file(&arguments.file)
    };
    let text = if arguments.shallow { request.shallow().await? } else { request.await? };
    match &arguments.output {
        None => output::write(text.expose().as_bytes())?,
        Some(path) => file::write(path, text.expose().as_bytes(), Existing::replaced_if(arguments.force))?,
    }
    Ok(0)
}

fn standard_input() -> Result<String, Failure> {
    /// As much as the library takes of a file.
    const MOST: u64 = 16 << 20;
    let mut text = String::new();
    let cannot = "standard input cannot be read";
    let read =
        io::stdin().lock().take(MOST + 1).read_to_string(&mut text).map_err(|error| Failure::io(cannot, &error))?;
    if read as u64 > MOST {
        return Err(Failure::refused("standard input is larger than 16 MiB"));
    }
    Ok(text)
}
