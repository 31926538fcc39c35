//! What one watcher has made of the snapshots so far.

use std::sync::Arc;

use crate::core::{Change, Secrets, Unreadable, XtraError};

/// The snapshot that a watcher was shown last, and what it takes to be shown the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    pub(super) allow_unreadable: bool,
    pub(super) snapshot: Option<Arc<Secrets>>,
    /// What could not be read in the snapshot that was refused last.
    refused: Vec<Unreadable>,
}

impl Shown {
    /// Nothing so far, with the same demands.
    pub(super) fn anew(&self) -> Self {
        Self { allow_unreadable: self.allow_unreadable, ..Self::default() }
    }

    /// What there is to say of `newest`: a change, or an error when some of it did not come through; nothing, when it is as
    /// the one before.
    pub(super) fn compare(&mut self, newest: Arc<Secrets>) -> Option<Result<Change, XtraError>> {
        if let Some(error) = self.objection(&newest) {
            let is_new = self.refused != newest.unreadable();
            self.refused = newest.unreadable().to_vec();
            return is_new.then_some(Err(error));
        }
        self.refused = Vec::new();
        let before = self.snapshot.replace(Arc::clone(&newest));
        let change = Change::between(before.as_deref(), newest);
        (before.is_none() || !change.is_empty()).then_some(Ok(change))
    }

    /// Why this watcher cannot be shown `snapshot`.
    pub(super) fn objection(&self, snapshot: &Secrets) -> Option<XtraError> {
        if self.allow_unreadable { None } else { snapshot.all_readable().err() }
    }
}
