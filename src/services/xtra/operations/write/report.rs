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
    /// The secrets that the service has taken, and of which the read after the write gives something else, or which could not
    /// be read back; they are in no other list. Somebody may have written in between, or the service has a second row of the
    /// name, which reads give in its place: [`repair_secret`](crate::XtraClient::repair_secret) tells. A caller to whom values
    /// are masked is told by the version; a caller who is shown other secrets only finds all others here.
    pub unconfirmed: Vec<String>,
}

/// The names, in order, which are in none of the lists any more.
pub(super) fn taken_out(lists: [&mut Vec<String>; 2], mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    for list in lists {
        list.retain(|name| names.binary_search(name).is_err());
    }
    names
}

impl WriteReport {
    /// The same, where these are not confirmed.
    pub(super) fn without_confirmation_of(mut self, names: Vec<String>) -> Self {
        self.unconfirmed = taken_out([&mut self.created, &mut self.updated], names);
        self
    }

    /// The secrets that were written, and that a read has given with their new values; without those that are
    /// [not confirmed](Self::unconfirmed). For a [dry run](crate::Request::dry_run), those that would be written.
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
    /// The service has taken it, and it is not confirmed: the read after the write gives something else, or could not be made.
    /// Somebody may have written in between, or the service has a second row of the name, which reads give in its place:
    /// [`repair_secret`](crate::XtraClient::repair_secret) tells. Never take this for done.
    Unconfirmed,
}

impl From<WriteReport> for Written {
    fn from(report: WriteReport) -> Self {
        if !report.unconfirmed.is_empty() {
            return Self::Unconfirmed;
        }
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
