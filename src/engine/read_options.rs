//! The options of reads.

use std::sync::Arc;

use crate::core::{Secrets, XtraError};

/// How a snapshot is read.
#[derive(Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) no_cache: bool,
    pub(crate) allow_unreadable: bool,
    pub(crate) allow_any_answer: bool,
    pub(crate) references: References,
    /// Whoever reads follows the references in the values, and need not be warned of them.
    pub(crate) quiet: bool,
}

/// What becomes of references in the values of a snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum References {
    /// The values are as they are stored.
    #[default]
    Kept,
    /// What they refer to takes their place.
    Followed,
}

impl Options {
    #[inline]
    pub(crate) fn check(&self, secrets: Arc<Secrets>) -> Result<Arc<Secrets>, XtraError> {
        if !self.allow_unreadable {
            secrets.all_readable()?;
        }
        Ok(secrets)
    }
}

impl References {
    pub(crate) fn when(followed: bool) -> Self {
        if followed { Self::Followed } else { Self::Kept }
    }
}
