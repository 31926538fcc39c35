//! What writes give.

/// What became of each secret of a bulk write: names only, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteReport {
    /// The secrets that did not exist before.
    pub created: Vec<String>,
    /// The secrets that existed, and have the new value now. Each of them has a new version, whether the value differs or not.
    pub updated: Vec<String>,
    /// The secrets that had the value already, and were not written, because the request says
    /// [`skip_unchanged`](crate::Request::skip_unchanged).
    pub unchanged: Vec<String>,
}

impl WriteReport {
    /// The secrets that were written, or, for a [dry run](crate::Request::dry_run), would have been.
    pub fn written(&self) -> impl Iterator<Item = &str> {
        self.created.iter().chain(&self.updated).map(String::as_str)
    }
}

/// What became of one secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Written {
    /// It did not exist before.
    Created,
    /// It existed, and has the new value now.
    Updated,
    /// It had the value already, and was not written, because the request says
    /// [`skip_unchanged`](crate::Request::skip_unchanged).
    Unchanged,
}

impl From<WriteReport> for Written {
    fn from(report: WriteReport) -> Self {
        match (report.created.is_empty(), report.updated.is_empty()) {
            (false, _) => Self::Created,
            (true, false) => Self::Updated,
            (true, true) => Self::Unchanged,
        }
    }
}

/// How far a bulk write has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many secrets are written.
    pub written: usize,
    /// How many there are to write. Those that are skipped are not among them.
    pub total: usize,
}
