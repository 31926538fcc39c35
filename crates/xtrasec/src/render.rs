//! `xtrasec render`: a template with secrets in the place of references.

use std::path::PathBuf;

use clap::Args;

use crate::failure::Outcome;
use crate::file;
use crate::options::Global;
use crate::output_target::OutputTarget;
use crate::session::{Session, builder, is_local, tell_local};

/// As much as the library takes of a file.
const MOST: usize = 16 << 20;

/// Puts secrets into a template
///
/// Every {{ xtra://PROJECT/ENVIRONMENT/NAME }} becomes the value of that secret; without a project (xtra:///ENVIRONMENT/NAME)
/// it is this project, without an environment too (xtra:///NAME) that of --env, and ?branch=NAME says which branch. A file that is nothing but one reference becomes the value. \{{
/// stands for {{. References in values are followed as well.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  xtrasec render app.toml.tpl -e production --output app.toml\n  \
    echo '{{ xtra:///production/API_KEY }}' | xtrasec render - | ./server")]
pub(crate) struct Arguments {
    /// The template, - for standard input
    file: PathBuf,
    #[command(flatten)]
    destination: OutputTarget,
    /// Do not follow references in values: whoever may write a secret cannot make this read another
    #[arg(long)]
    shallow: bool,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    arguments.destination.check()?;
    let session = Session::open(global)?;
    let request = if arguments.file.as_os_str() == "-" {
        session.client.render(file::standard_input(MOST)?.expose().to_owned())
    } else {
        session.client.render_file(&arguments.file)
    };
    let text = if arguments.shallow { request.shallow().await? } else { request.await? };
    if is_local(&builder(global).explain()) {
        tell_local();
    }
    arguments.destination.write(text.expose().as_bytes())?;
    Ok(0)
}
