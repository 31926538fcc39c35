//! A sign of life on the terminal while the service is waited for.

use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::pin::pin;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::time::timeout;

/// So long nothing is said before it appears.
const SILENCE: Duration = Duration::from_secs(1);
const TURN: Duration = Duration::from_millis(120);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
/// To the beginning of the line, and nothing behind.
const CLEAR: &[u8] = b"\r\x1b[K";

static STATE: Mutex<State> = Mutex::new(State { quiet_since: None, frame: 0, is_shown: false });

struct State {
    /// `None` while there is none to show.
    quiet_since: Option<Instant>,
    frame: usize,
    is_shown: bool,
}

/// Waits for `work`, and turns where a person sees it. Everything happens on this thread, so that nothing turns while the
/// person is asked something.
pub(crate) async fn beside<T>(work: impl Future<Output = T>) -> T {
    if !can_be_shown() {
        return work.await;
    }
    change(|state| state.quiet_since = Some(Instant::now()));
    let mut work = pin!(work);
    let result = loop {
        match timeout(TURN, work.as_mut()).await {
            Ok(result) => break result,
            Err(_) => change(State::turn),
        }
    };
    stop();
    result
}

/// Takes it off the screen before something else is written. The silence begins anew.
pub(crate) fn clear() {
    change(|state| {
        state.wipe();
        state.quiet_since = state.quiet_since.map(|_| Instant::now());
    });
}

/// Shows no more from here on: something else has the screen.
pub(crate) fn stop() {
    change(|state| {
        state.wipe();
        state.quiet_since = None;
    });
}

impl State {
    fn turn(&mut self) {
        if self.quiet_since.is_none_or(|since| since.elapsed() < SILENCE) {
            return;
        }
        let frame = FRAMES.get(self.frame % FRAMES.len()).unwrap_or(&'-');
        let _ = write!(io::stderr().lock(), "\r{frame} waiting for the service");
        (self.frame, self.is_shown) = (self.frame + 1, true);
    }

    fn wipe(&mut self) {
        if self.is_shown {
            let _ = io::stderr().lock().write_all(CLEAR);
            self.is_shown = false;
        }
    }
}

fn change(how: impl FnOnce(&mut State)) {
    // a panic while it was held has left nothing half done
    how(&mut STATE.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
}

fn can_be_shown() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}
