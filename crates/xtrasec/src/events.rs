//! The library's events as lines on standard error, for who asks with `-v` or `RUST_LOG`.

use std::io::{self, Write};

use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry;

use crate::output;

/// The targets that are shown. Other libraries may tell what they send and receive.
const LIBRARY: &str = "xtrasecurity";
const VARIABLE: &str = "RUST_LOG";

/// Shows events from now on, when somebody has asked: `-v` for warnings and notable events, `-vv` for each request, `-vvv` for
/// all. `RUST_LOG` chooses by target and level where there is no `-v`.
pub(crate) fn start(verbosity: u8) {
    let Some(targets) = targets(verbosity) else { return };
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(|| Line);
    let own = filter_fn(|event| event.target().split("::").next() == Some(LIBRARY));
    let subscriber = registry().with(lines.with_filter(own).with_filter(targets));
    // Nobody else sets one in this process.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

fn targets(verbosity: u8) -> Option<Targets> {
    let level = match verbosity {
        0 => return from_variable(),
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    Some(Targets::new().with_target(LIBRARY, level))
}

fn from_variable() -> Option<Targets> {
    let value = std::env::var_os(VARIABLE).filter(|value| !value.is_empty())?;
    let targets = value.to_str().and_then(|text| text.parse().ok());
    if targets.is_none() {
        output::note(&format!(
            "{VARIABLE} is not understood, and does nothing here. An example: {VARIABLE}=xtrasecurity=debug"
        ));
    }
    targets
}

/// One event, which arrives as a whole. What it names may come from elsewhere.
struct Line;

impl Write for Line {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        output::note(&String::from_utf8_lossy(text));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
