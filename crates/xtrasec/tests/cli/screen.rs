//! A terminal with a person before it, who reads and types.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// Nothing that is waited for takes nearly as long.
const LONGEST: Duration = Duration::from_secs(120);

/// A command whose input and output are a terminal.
pub(crate) struct Screen {
    child: Child,
    keyboard: File,
    terminal: File,
    seen: Arc<(Mutex<String>, Condvar)>,
    reader: JoinHandle<()>,
}

impl Screen {
    /// Starts the command with its three streams on a terminal.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::start_wide(command, 100)
    }

    /// The same on one with so many columns.
    pub(crate) fn start_wide(command: &mut Command, columns: u16) -> Self {
        let side = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&side).unwrap();
        unlockpt(&side).unwrap();
        tcsetwinsize(&side, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&side, Vec::new()).unwrap().into_string().unwrap();
        let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let stream = || terminal.try_clone().unwrap();
        let child = command.stdin(stream()).stdout(stream()).stderr(stream()).env("TERM", "xterm").spawn().unwrap();
        command
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let keyboard = File::from(side);
        let seen = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let reader = std::thread::spawn({
            let (mut screen, seen) = (keyboard.try_clone().unwrap(), Arc::clone(&seen));
            move || {
                let mut buffer = [0; 4096];
                // the end of a terminal is an error
                while let Ok(count @ 1..) = screen.read(&mut buffer) {
                    seen.0.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
                    seen.1.notify_all();
                }
            }
        });
        Self { child, keyboard, terminal, seen, reader }
    }

    /// Waits until something is on the screen.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        let seen = self.seen.0.lock().unwrap();
        let (seen, result) = self.seen.1.wait_timeout_while(seen, LONGEST, |seen| !seen.contains(text)).unwrap();
        assert!(!result.timed_out(), "{text:?} has not come: {seen:?}");
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until what is typed is not shown.
    #[track_caller]
    pub(crate) fn wait_for_silence(&self) {
        let start = Instant::now();
        while self.echoes() {
            assert!(start.elapsed() < LONGEST, "what is typed is still shown: {:?}", self.seen.0.lock().unwrap());
            std::thread::yield_now();
        }
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        echoes(&self.terminal)
    }

    /// The end: the status, what was seen, and whether the terminal is as it was.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let (ended, end) = std::sync::mpsc::channel();
        std::thread::spawn(move || ended.send(self.child.wait().unwrap()));
        // one that waits for more keys ends with the terminal
        let status = end.recv_timeout(LONGEST).unwrap_or_else(|_| panic!("the command does not end"));
        assert!(echoes(&self.terminal), "the terminal is left without its echo");
        drop(self.terminal);
        self.reader.join().unwrap();
        let seen = self.seen.0.lock().unwrap().clone();
        (status.code(), seen)
    }
}

fn echoes(terminal: &File) -> bool {
    tcgetattr(terminal).unwrap().local_modes.contains(LocalModes::ECHO)
}
