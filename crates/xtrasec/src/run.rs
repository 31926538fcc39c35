//! `xtrasec run`: a program with the secrets in its environment.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::process::Command;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use xtrasecurity::{
    OfflineOptions, Secrets,
    inject::{InjectionReport, Selection},
};

use crate::failure::{Failure, Outcome, reason};
use crate::options::{Choice, Global, Values};
use crate::output;
use crate::service::{Readable, with_session};
use crate::session::Session;
use crate::text::printable;
use crate::text::quoted;

const NOTHING_DONE: &str = "Nothing was run";
/// What to say to who has put a blank where the equals sign belongs.
const KEEP_SYNTAX: &str = "--keep and --preserve-env take names after an equals sign (--keep=PORT,LOG_LEVEL); a word after a \
                           blank is taken for the program";
/// What `--preserve-env` without names stands for.
const EVERY: &str = "*";
/// What shells answer when a program is not found.
const NOT_FOUND: u8 = 127;
/// What shells answer when a program is there and cannot be started.
const NOT_EXECUTABLE: u8 = 126;

/// Runs a program with the secrets as environment variables
///
/// The program takes the place of this command (on Unix), so signals, the terminal and the exit status are its own. It is not
/// started unless every secret can be given to it. A secret replaces a variable of its name that exists already, also in a run
/// within a run; one line on standard error names those that had another value. The program does not inherit XTRA_TOKEN and
/// the other credentials of this command, unless --with-credentials is given. Secrets whose names change what programs load or
/// run, whom they trust or what this command does (PATH, LD_PRELOAD, HTTPS_PROXY, XTRA_API_URL …) are refused, unless
/// --allow-name allows them.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  \
    xtrasec run -e production -- ./server --port 8080\n  \
    xtrasec run --only DATABASE_URL --rename DATABASE_URL=PGURL -- psql\n  \
    xtrasec run --preserve-env=PORT,LOG_LEVEL -e stg -- npm start\n  \
    xtrasec run --with-credentials -e stg -- ./script-that-runs-xtrasec\n  \
    xtrasec run --offline -e production -- ./server\n\n\
    Exit status: that of the program; 127 when it is not found, 126 when it cannot be started; 1 and 2 as everywhere.")]
pub(crate) struct Arguments {
    /// Keep an encrypted copy of the secrets in the directory xtrasecurity of the user's caches ($XDG_CACHE_HOME or ~/.cache on
    /// Linux), and take it when the service cannot be reached or takes no more requests; a copy is used for 24 h
    #[arg(long)]
    offline: bool,
    /// Keep variables that exist already instead of replacing them: all, or those named (after an equals sign; a
    /// name after a blank is taken for the program)
    #[arg(long, visible_alias = "keep", value_name = "VARIABLE,…", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = EVERY, value_parser = NonEmptyStringValueParser::new())]
    preserve_env: Vec<String>,
    /// No effect: variables that exist already are replaced anyway
    #[arg(long = "override", hide = true)]
    replace: bool,
    /// Let the program inherit XTRA_TOKEN and the other credentials of this command, as a run within a run needs them
    #[arg(long)]
    with_credentials: bool,
    /// Do not tell which variables had another value
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    values: Values,
    /// Put this in front of every variable's name
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// Give the variable of a secret another name; no prefix is put in front of it
    #[arg(long, value_name = "SECRET=VARIABLE", value_parser = renaming)]
    rename: Vec<(String, String)>,
    /// Allow a variable that is refused otherwise, such as PATH; commas between names, or once for each
    #[arg(long, value_name = "VARIABLE", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    allow_name: Vec<String>,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A program that is ready to be started.
pub(crate) struct Prepared {
    command: Command,
    /// All variables that exist are kept: what was written behind that may have been meant for the names.
    keeps_all: bool,
}

pub(crate) async fn prepare(global: &Global, arguments: &Arguments) -> Result<Prepared, Failure> {
    let Some((program, rest)) = arguments.command.split_first().filter(|(program, _)| !program.is_empty()) else {
        return Err(Failure::usage("no program was given. Write it after --"));
    };
    let kept = Kept::of(arguments)?;
    if matches!(kept, Kept::Everything) && rest.first().is_some_and(|word| word == "--") {
        // a name was meant by the word before, which nobody starts by accident
        return Err(Failure::usage(format!("{KEEP_SYNTAX}. {NOTHING_DONE}")));
    }
    let secrets = secrets(global, arguments).await?;
    let keeps_all = matches!(kept, Kept::Everything);
    let mut command = Command::new(program);
    command.args(rest);
    let report = give(&secrets, arguments, kept, &mut command).map_err(|failure| failure.so(NOTHING_DONE))?;
    if !arguments.quiet {
        tell_differing(&report);
    }
    Ok(Prepared { command, keeps_all })
}

async fn secrets(global: &Global, arguments: &Arguments) -> Result<Secrets, Failure> {
    with_session!(global, offline: arguments.offline, |session| chosen(session, arguments).await)
}

async fn chosen<S: Readable>(session: &Session<S>, arguments: &Arguments) -> Result<Secrets, Failure> {
    let secrets = session.chosen(&arguments.choice, arguments.values).await;
    if session.client.stats().offline_failures > 0 {
        tell_not_saved();
    }
    secrets.map_err(|failure| failure.so(NOTHING_DONE))
}

/// Whoever counts on a copy should not learn during an outage that there is none.
fn tell_not_saved() {
    if let Ok(OfflineOptions { directory, .. }) = OfflineOptions::in_user_cache() {
        let directory = printable(&directory.display().to_string());
        output::note(&format!(
            "the copy for times without the service could not be saved or deleted: {directory} must be a directory of yours \
             that others have no rights to (chmod 700), on a disk that is fast and has room"
        ));
    }
}

/// What of the variables that exist already is kept.
enum Kept {
    Nothing,
    Everything,
    These(Vec<String>),
}

impl Kept {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let given = &arguments.preserve_env;
        if given.is_empty() {
            return Ok(Self::Nothing);
        }
        if !given.iter().any(|text| text == EVERY) {
            let names = given.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty());
            return Ok(Self::These(names.map(str::to_owned).collect()));
        }
        if arguments.replace {
            return Err(Failure::usage("--override and --preserve-env contradict each other. Leave one out"));
        }
        Ok(Self::Everything)
    }
}

/// One line about the variables that had another value than the secret's. Whoever reads a value that is not the service's, or
/// counts on one of their own, should not search for long.
fn tell_differing(report: &InjectionReport) {
    let kept: HashSet<&String> = report.kept().iter().collect();
    let (kept, replaced): (Vec<&str>, Vec<&str>) = {
        let (kept, replaced): (Vec<_>, Vec<_>) = report.differing().iter().partition(|name| kept.contains(name));
        (kept.into_iter().map(String::as_str).collect(), replaced.into_iter().map(String::as_str).collect())
    };
    let mut parts = Vec::new();
    if !replaced.is_empty() {
        parts.push(format!("replaced {}", quoted(replaced)));
    }
    if !kept.is_empty() {
        parts.push(format!("kept {}", quoted(kept)));
    }
    if !parts.is_empty() {
        output::note(&format!("inherited variables that differ from the secrets: {}", parts.join("; ")));
    }
}

fn give(
    secrets: &Secrets,
    arguments: &Arguments,
    kept: Kept,
    command: &mut Command,
) -> Result<InjectionReport, Failure> {
    let mut selection = Selection::new();
    if let Some(prefix) = &arguments.prefix {
        selection = selection.prefix(prefix);
    }
    for (secret, variable) in &arguments.rename {
        selection = selection.rename(secret, variable);
    }
    for name in &arguments.allow_name {
        selection = selection.allow_name(name);
    }
    let injection = secrets.injection().select(selection);
    let injection = match kept {
        Kept::Nothing => injection.override_existing(),
        Kept::Everything => injection.keep_existing(),
        Kept::These(names) => injection.keep(names),
    };
    let injection = if arguments.with_credentials { injection.with_credentials() } else { injection };
    Ok(injection.apply_to(command)?)
}

/// Becomes the program. This comes back only when that fails.
#[cfg(unix)]
pub(crate) fn start(mut prepared: Prepared) -> Outcome {
    use std::os::unix::process::CommandExt;

    let error = prepared.command.exec();
    Err(prepared.not_started(&error))
}

/// Starts the program, waits for it, and passes its status on.
#[cfg(not(unix))]
pub(crate) fn start(mut prepared: Prepared) -> Outcome {
    let status = prepared.command.status().map_err(|error| prepared.not_started(&error))?;
    // Codes beyond a byte are cut to it by `ExitCode` as well.
    let code = status.code().unwrap_or(i32::from(crate::failure::REFUSED));
    std::process::exit(code)
}

impl Prepared {
    fn not_started(&self, error: &io::Error) -> Failure {
        let program = printable(&self.command.get_program().to_string_lossy());
        let cannot =
            || Failure::with_status(NOT_EXECUTABLE, format!("{program}: cannot be started: {}", reason(error)));
        match error.kind() {
            io::ErrorKind::NotFound => {
                let failure = Failure::with_status(NOT_FOUND, format!("{program}: not found"));
                if self.keeps_all { failure.so(KEEP_SYNTAX) } else { failure }
            }
            io::ErrorKind::ArgumentListTooLong => cannot().so(&self.sizes()),
            _ => cannot(),
        }
    }

    /// How large the parts are that are too large together, and which of the secrets are the largest. Never a value.
    fn sizes(&self) -> String {
        const SHOWN: usize = 5;
        let mut secrets: Vec<(&OsStr, usize)> =
            self.command.get_envs().filter_map(|(name, value)| Some((name, value?.len()))).collect();
        secrets.sort_by_key(|(name, size)| (std::cmp::Reverse(*size), *name));
        let given: usize = secrets.iter().map(|(name, size)| name.len() + size + 2).sum();
        let of_secrets: HashSet<&OsStr> = self.command.get_envs().map(|(name, _)| name).collect();
        let inherited: usize = std::env::vars_os()
            .filter(|(name, _)| !of_secrets.contains(name.as_os_str()))
            .map(|(name, value)| name.len() + value.len() + 2)
            .sum();
        let arguments: usize = self.command.get_args().map(|argument| argument.len() + 1).sum();
        let largest: Vec<String> = secrets
            .iter()
            .take(SHOWN)
            .map(|(name, size)| format!("{} ({})", quoted([&*name.to_string_lossy()]), size_of(*size)))
            .collect();
        format!(
            "The system limits arguments and environment together, and these are {} of secrets, {} of inherited variables and {} of \
             arguments. The largest secrets are {}. Choose with --only what the program needs, or give it large ones as files \
             (xtrasec export --only NAME --output FILE)",
            size_of(given),
            size_of(inherited),
            size_of(arguments),
            largest.join(", ")
        )
    }
}

/// A number of bytes as people say it.
fn size_of(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        _ => format!("{} KiB", bytes.div_ceil(1024)),
    }
}

/// The last `=` parts the two: a new name has none, a secret's may.
pub(crate) fn renaming(text: &str) -> Result<(String, String), &'static str> {
    match text.rsplit_once('=') {
        Some((secret, variable)) if !variable.is_empty() => Ok((secret.to_owned(), variable.to_owned())),
        _ => Err("write the name, then =, then the new name"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_equals_sign_parts_a_renaming() {
        assert_eq!(renaming("A=B").unwrap(), ("A".into(), "B".into()));
        assert_eq!(renaming("A=B=C").unwrap(), ("A=B".into(), "C".into()));
        assert!(renaming("A").is_err() && renaming("A=").is_err());
    }
}
