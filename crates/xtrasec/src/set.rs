//! `xtrasec set`: a few secrets.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use xtrasecurity::SecretValue;
use xtrasecurity::xtra::write::WriteReport;

use crate::confirm::Confirm;
use crate::failure::{Failure, Outcome};
use crate::options::Global;
use crate::output;
use crate::session::Target;
use crate::text::printable;
use crate::text::quoted;
use crate::write_options::{WriteOptions, status_of};
use crate::{file, password_prompt};

/// As much as is read for one value. The service takes 10 MB.
const MOST: usize = 16 << 20;

/// Sets secrets, whether they exist or not
///
/// With a NAME alone, the value does not become an argument, which every user of the machine could read: on a terminal it is
/// asked for and not shown; otherwise it is the whole of standard input, without the line break at its end. --from-file takes
/// a file, byte for byte. NAME=VALUE is for what is no secret. In production it asks, or needs --yes.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  \
    xtrasec set API_KEY -e staging\n  \
    openssl rand -base64 32 | xtrasec set SIGNING_KEY -e production --yes\n  \
    xtrasec set TLS_KEY --from-file key.pem\n  \
    xtrasec set LOG_LEVEL=debug PORT=8080 -e dev\n  \
    xtrasec set API_KEY --if-version 7")]
pub(crate) struct Arguments {
    /// The secrets; values written here can be read by other users of the machine, and stay in the shell's history
    #[arg(required = true, value_name = "NAME[=VALUE]")]
    secrets: Vec<Pair>,
    /// Take the value from this file or pipe, - for standard input
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// Write only if the secret has this version
    #[arg(long, value_name = "VERSION", conflicts_with = "new")]
    if_version: Option<u64>,
    /// Write only if the secret does not exist
    #[arg(long, conflicts_with = "verify")]
    new: bool,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    writing: WriteOptions,
}

/// A name, and a value if one was given.
#[derive(Clone)]
struct Pair {
    key: String,
    value: Option<SecretValue>,
}

impl From<String> for Pair {
    /// The first `=` parts the two: many values hold some. This never fails, as the parser of arguments would quote the value.
    fn from(text: String) -> Self {
        match text.split_once('=') {
            Some((key, value)) => Self { key: key.to_owned(), value: Some(value.into()) },
            None => Self { key: text, value: None },
        }
    }
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Outcome {
    arguments.check()?;
    let target = Target::open(global)?;
    arguments.writing.check(global)?;
    let pairs = arguments.meant(&target)?;
    if arguments.new {
        return create(&target, arguments, pairs).await;
    }
    let expected = arguments.if_version.and_then(|version| Some((pairs.first()?.0.clone(), version)));
    let request = target.client.set_secrets(target.environment.as_str(), pairs).expect_versions(expected);
    let written = AtomicUsize::new(0);
    let request = request.on_progress(|progress| written.store(progress.written, Ordering::Relaxed));
    let done = arguments.writing.of(request).confirm_production().await;
    let report = done.map_err(|error| match written.load(Ordering::Relaxed) {
        0 => target.not_written(error),
        _ => target.not_done(error),
    })?;
    tell(&report, &target)
}

/// One secret that must not be there yet.
async fn create(target: &Target, arguments: &Arguments, pairs: Vec<(String, SecretValue)>) -> Outcome {
    let mut report = WriteReport::default();
    for (key, value) in pairs {
        let mut request = target.client.create_secret(target.environment.as_str(), key.as_str(), value);
        if arguments.writing.seal {
            request = request.seal();
        }
        if arguments.writing.allow_any_name {
            request = request.allow_any_name();
        }
        let request = arguments.writing.each.of(request).confirm_production();
        request.await.map_err(|error| target.not_written(error))?;
        report.created.push(key);
    }
    tell(&report, target)
}

fn tell(report: &WriteReport, target: &Target) -> Outcome {
    let place = target.shown();
    if report.was_empty {
        output::note(&format!("{place} held no secrets before this; is the name right?"));
    }
    let mut text = String::new();
    for (done, names) in [("created", &report.created), ("updated", &report.updated)] {
        text.extend(names.iter().map(|name| format!("{done} {} in {place}\n", printable(name))));
    }
    output::done(&text)?;
    Ok(status_of(&report.unconfirmed, target))
}

impl Arguments {
    /// Refuses what cannot be meant, before anything is asked for.
    fn check(&self) -> Result<(), Failure> {
        if self.secrets.iter().any(|pair| pair.key.is_empty()) {
            return Err(Failure::usage("a secret has no name. Write KEY or NAME=VALUE"));
        }
        let bare = self.secrets.iter().filter(|pair| pair.value.is_none()).count();
        if self.from_file.is_some() && bare != 1 {
            return Err(Failure::usage("--from-file is for exactly one KEY without a value"));
        }
        if bare > 1 && !file::is_typed() {
            return Err(Failure::usage(
                "standard input can hold one value only. Set one KEY at a time, or import a file",
            ));
        }
        if (self.new || self.if_version.is_some()) && self.secrets.len() != 1 {
            return Err(Failure::usage("--new and --if-version are for exactly one secret"));
        }
        Ok(())
    }

    /// The values, and, in production, that they are meant for it. The values come first: what somebody types by habit, as
    /// after every KEY, must be taken for one. From the first question to the last answer nothing that is typed is shown.
    fn meant(&self, target: &Target) -> Result<Vec<(String, SecretValue)>, Failure> {
        if !target.is_production() {
            return self.values();
        }
        let keys = quoted(self.secrets.iter().map(|pair| pair.key.as_str()));
        let question = format!("This sets {keys} in {}.", target.shown());
        self.confirm.check(&question)?;
        let silence = password_prompt::silence()?;
        let pairs = self.values()?;
        self.confirm.ask(&question, None)?;
        drop(silence);
        Ok(pairs)
    }

    fn values(&self) -> Result<Vec<(String, SecretValue)>, Failure> {
        let found = |pair: &Pair| match &pair.value {
            Some(value) => Ok(value.clone()),
            None => self.value_of(&pair.key),
        };
        self.secrets.iter().map(|pair| Ok((pair.key.clone(), found(pair)?))).collect()
    }

    /// The value that is no argument.
    fn value_of(&self, key: &str) -> Result<SecretValue, Failure> {
        if let Some(path) = &self.from_file {
            let value = file::read(path, MOST)?;
            let text = value.expose();
            if !file::is_stream(path) && text.ends_with('\n') && text.lines().count() == 1 {
                output::note(
                    "the value ends with a line break, because the file does. Without it: xtrasec set NAME < FILE",
                );
            }
            return Ok(value);
        }
        let value = match file::is_typed() {
            true => password_prompt::ask(&format!("{key} (not shown):"))?,
            false => without_line_break(file::standard_input(MOST)?),
        };
        if value.is_empty() {
            // More often than an empty secret this is a program before the pipe that has failed.
            let key = printable(key);
            return Err(Failure::refused(format!(
                "no value was given. Nothing was written; an empty one is set with {key}="
            )));
        }
        Ok(value)
    }
}

fn without_line_break(value: SecretValue) -> SecretValue {
    let text = value.expose();
    match text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')) {
        Some(text) => text.into(),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_parts_name_and_value() {
        let parts = |text: &str| {
            let pair = Pair::from(text.to_owned());
            (pair.key, pair.value.map(|value| value.expose().to_owned()))
        };
        assert_eq!(parts("A"), ("A".into(), None));
        assert_eq!(parts("A="), ("A".into(), Some(String::new())));
        assert_eq!(parts("A=b=c\n"), ("A".into(), Some("b=c\n".into())));
    }

    #[test]
    fn one_line_break_at_the_end_is_not_of_the_value() {
        for (given, value) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("\na ", "\na "), ("\n", "")]
        {
            assert_eq!(without_line_break(given.into()).expose(), value);
        }
    }
}
