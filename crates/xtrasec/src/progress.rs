//! The progress bar of a write, on the terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::{output, spinner};

/// The length of the bar, in characters.
const LENGTH: usize = 32;

/// A bar on standard error, which is none when that is no terminal.
pub(crate) struct ProgressBar {
    total: usize,
    begun: Instant,
    can_be_shown: bool,
    is_shown: AtomicBool,
}

impl ProgressBar {
    pub(crate) fn new(total: usize) -> Self {
        let can_be_shown = io::stderr().is_terminal();
        if can_be_shown {
            spinner::stop();
        }
        Self { total, begun: Instant::now(), can_be_shown, is_shown: AtomicBool::new(false) }
    }

    pub(crate) fn show(&self, written: usize) {
        if self.can_be_shown {
            let line = line(written, self.total, self.begun.elapsed());
            // what stays of a longer line before it is taken away
            let _ = write!(io::stderr().lock(), "\r{line}\x1b[K");
            self.is_shown.store(true, Ordering::Relaxed);
        }
    }

    /// Leaves the bar as it is, and goes on below it.
    pub(crate) fn end(self) {
        if self.is_shown.into_inner() {
            output::line_break();
        }
    }
}

fn line(written: usize, total: usize, elapsed: Duration) -> String {
    let share = written as f64 / total.max(1) as f64;
    let bar = "#".repeat((share * LENGTH as f64) as usize);
    let left = elapsed.as_secs_f64() / share - elapsed.as_secs_f64();
    let left = if left.is_finite() { format!(", {left:.0} s left") } else { String::new() };
    format!("{bar:LENGTH$} {written} of {total} written{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_tells_how_far_it_is_and_how_long_it_takes() {
        let bar = |length: usize| format!("{:32}", "#".repeat(length));
        assert_eq!(line(0, 8, Duration::from_secs(3)), format!("{} 0 of 8 written", bar(0)));
        assert_eq!(line(2, 8, Duration::from_secs(3)), format!("{} 2 of 8 written, 9 s left", bar(8)));
        assert_eq!(line(8, 8, Duration::from_secs(3)), format!("{} 8 of 8 written, 0 s left", bar(32)));
    }
}
