//! `xtrasec dev`: a server on this machine that stands for the service.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use xtrasecurity::dev_server::{DevServer, RateLimits, Seed};

use crate::failure::{Failure, Outcome};
use crate::file;
use crate::options::Global;
use crate::output;
use crate::text;

/// As much as is read of a pipe.
const LARGEST_SEED: usize = 64 << 20;

/// Starts a server on this machine that stands for the service
///
/// It answers as the service does, on a free port of the loopback interface, with secrets from a seed file or a few of its
/// own, and runs until it is interrupted (Ctrl-C). It writes the variables that commands and programs find it by. Nothing
/// leaves the machine. What is changed is lost at the end, unless --state keeps it.
#[derive(Args)]
#[command(after_long_help = "The seed file is JSON. Everything but names and values can be left out:\n  \
    {\"projects\": [{\"name\": \"web\", \"secrets\": [\n    \
    {\"environment\": \"staging\", \"name\": \"PORT\", \"value\": \"5432\"}]}]}\n\n\
    Examples:\n  xtrasec dev\n  xtrasec dev seed.json --state .dev-server.json\n  \
    xtrasec dev --json > dev.json & # then read apiUrl, project and token")]
pub(crate) struct Arguments {
    /// The secrets, users and projects to start with: a file or a pipe, - for standard input
    seed: Option<PathBuf>,
    /// Keep the state in this file, which only you can read; if it is there, it goes on from it and the seed is not read
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Hold clients to the service's rate limits
    #[arg(long)]
    rate_limits: bool,
    /// Print an object: apiUrl, project, token
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    global.note_unused_environment("the server holds all that the seed names");
    let server = arguments.start().await?;
    let stop = stopped().map_err(|error| Failure::io("interrupts cannot be noticed", &error))?;
    output::write(shown(&server, arguments.json).as_bytes())?;
    output::note("the server runs until it is interrupted. Paste these lines into another terminal to use it");
    stop.await;
    server.stop().await;
    Ok(0)
}

impl Arguments {
    async fn start(&self) -> Result<DevServer, Failure> {
        let mut builder = DevServer::builder();
        if let Some(seed) = &self.seed {
            builder = match file::is_stream(seed) {
                true => builder.seed(read_seed(seed)?),
                false => builder.seed_file(seed),
            };
        }
        if let Some(state) = &self.state {
            builder = builder.persist(state);
        }
        if !self.rate_limits {
            builder = builder.rate_limits(RateLimits::off());
        }
        builder.start().await.map_err(|error| {
            let reason = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            Failure::refused(format!("{error}{reason}. The server was not started"))
        })
    }
}

/// The seed that comes from a pipe.
fn read_seed(path: &Path) -> Result<Seed, Failure> {
    let text = file::read(path, LARGEST_SEED)?;
    Seed::from_json(text.expose())
        .map_err(|error| Failure::refused(format!("{}: {error}. The server was not started", file::name(path))))
}

/// How to find the server: lines for a shell, or an object.
fn shown(server: &DevServer, as_json: bool) -> String {
    let (url, project, token) = (server.url(), server.project_id(), server.token());
    if as_json {
        return text::json(&json!({ "apiUrl": url, "project": project, "token": token }));
    }
    [("XTRA_API_URL", url.as_str()), ("XTRA_PROJECT_ID", project), ("XTRA_TOKEN", token)]
        .map(|(name, value)| format!("export {name}='{}'\n", value.replace('\'', r"'\''")))
        .concat()
}

/// Ends when the command is interrupted or told to end. From here on neither ends the process by itself.
#[cfg(unix)]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let [mut interrupt, mut terminate] = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    Ok(async move {
        let (interrupt, terminate) = (std::pin::pin!(interrupt.recv()), std::pin::pin!(terminate.recv()));
        futures_util::future::select(interrupt, terminate).await;
    })
}

#[cfg(not(unix))]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
