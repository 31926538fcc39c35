//! How far it is, for a person who waits.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// A bar on standard error, which is none when that is no terminal.
pub(super) fn bar(total: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{bar:32} {pos} of {len} written, {eta} left") {
        Ok(style) => bar.with_style(style.progress_chars("## ")),
        // It is a constant, and a test holds that it is one.
        Err(_) => bar,
    }
}

/// Leaves the bar as it is, and goes on below it.
pub(super) fn end(bar: &ProgressBar) {
    bar.abandon();
    if !bar.is_hidden() {
        output::line_break();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_one() {
        assert!(ProgressStyle::with_template("{bar:32} {pos} of {len} written, {eta} left").is_ok());
    }
}
