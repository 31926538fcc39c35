//! What is counted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;
use xtrasecurity::XtraError;

/// What the process has now; memory and sockets only where `/proc` tells.
#[derive(Clone, Copy)]
pub struct Figures {
    pub memory: Option<u64>,
    pub tasks: u64,
    pub sockets: Option<u64>,
}

impl Figures {
    pub fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let sockets = std::fs::read_dir("/proc/self/fd").ok().map(|files| {
            let targets = files.flatten().flat_map(|file| std::fs::read_link(file.path()));
            targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count() as u64
        });
        Self {
            memory: memory.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok()),
            tasks: Handle::current().metrics().num_alive_tasks() as u64,
            sockets,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |figure: Option<u64>| figure.map_or_else(|| "-".to_owned(), |figure| figure.to_string());
        write!(f, "{:>12} {:>8} {:>8}", known(self.memory), self.tasks, known(self.sockets))
    }
}

/// What came of the reads.
#[derive(Default)]
pub struct Tally {
    pub reads: AtomicU64,
    /// Changes that were watched.
    pub changes: AtomicU64,
    pub abandoned: AtomicU64,
    pub wrong: AtomicU64,
    pub older: AtomicU64,
    pub late: AtomicU64,
    kinds: Mutex<BTreeMap<&'static str, u64>>,
}

impl Tally {
    pub fn error(&self, error: &XtraError) {
        *self.kinds.lock().unwrap_or_else(PoisonError::into_inner).entry(error.kind().as_str()).or_default() += 1;
    }

    pub fn errors(&self) -> u64 {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (reads, abandoned, changes) = (read(&self.reads), read(&self.abandoned), read(&self.changes));
        write!(f, "reads {reads}, given up in the middle {abandoned}, changes watched {changes}, errors")?;
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.iter().try_for_each(|(kind, count)| write!(f, " {kind} {count}"))
    }
}
