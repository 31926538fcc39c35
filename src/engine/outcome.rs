//! A load as its parts hand it on: what is asked for, and what came of it.

use std::sync::Arc;

use super::read_options::References;
use crate::core::{Identity, Secrets, XtraError};

/// What a reader is given.
pub(crate) type Answer = Result<Arc<Secrets>, XtraError>;

/// What a load needs to know of the read that started it.
pub(crate) struct LoadRequest<O> {
    pub(crate) key: Vec<u8>,
    pub(crate) identity: Identity,
    pub(crate) scope: Arc<O>,
    pub(crate) references: References,
    /// What the values refer to is asked for anew as well.
    pub(crate) anew: bool,
    /// Whoever asks follows the references in the values, and need not be warned of them.
    pub(crate) quiet: bool,
}

impl<O> Clone for LoadRequest<O> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), scope: Arc::clone(&self.scope), ..*self }
    }
}

/// What became of an answer of the source.
#[derive(Clone)]
pub(crate) enum LoadOutcome {
    /// It is served from now on.
    Current(Arc<Secrets>),
    /// It goes to those who asked, and no further: it is in the cache already, or must not be stored any more.
    PassedOn(Arc<Secrets>),
    /// A load that began later has stored its answer already.
    Superseded { answer: Arc<Secrets>, newer: Arc<Secrets> },
    /// The service lets the caller see names only.
    Masked(Arc<Secrets>),
    /// The shrink guard objects. `kept` is served in its place, if there is anything from before that may be.
    HeldBack { answer: Arc<Secrets>, kept: Option<Arc<Secrets>>, objection: XtraError },
    /// It looks like an error in the place of secrets.
    Doubtful { answer: Arc<Secrets>, kept: Option<Arc<Secrets>>, doubt: XtraError },
}

impl LoadOutcome {
    /// What a reader is given who shares the cache with others.
    pub(crate) fn served(self, allow_any_answer: bool) -> Answer {
        match self {
            Self::Current(secrets) | Self::PassedOn(secrets) | Self::Masked(secrets) => Ok(secrets),
            Self::Superseded { newer, .. } => Ok(newer),
            Self::HeldBack { kept: Some(kept), .. } | Self::Doubtful { kept: Some(kept), .. } => Ok(kept),
            Self::Doubtful { answer, kept: None, .. } if allow_any_answer => Ok(answer),
            Self::HeldBack { objection, .. } => Err(objection),
            Self::Doubtful { doubt, .. } => Err(doubt),
        }
    }

    /// What is given to who asked for a newer snapshot: not the one from before.
    pub(crate) fn refreshed(self, allow_any_answer: bool) -> Answer {
        match self {
            Self::HeldBack { kept: Some(_), objection: error, .. }
            | Self::Doubtful { kept: Some(_), doubt: error, .. } => Err(error),
            outcome => outcome.served(allow_any_answer),
        }
    }

    /// What a reader is given who asked for the answer itself.
    pub(crate) fn answered(self, allow_any_answer: bool) -> Answer {
        match self {
            Self::Doubtful { doubt, .. } if !allow_any_answer => Err(doubt),
            Self::Current(answer)
            | Self::PassedOn(answer)
            | Self::Masked(answer)
            | Self::Superseded { answer, .. }
            | Self::HeldBack { answer, .. }
            | Self::Doubtful { answer, .. } => Ok(answer),
        }
    }

    /// Why the answer is not served, and what is in its place.
    #[cfg(feature = "watch")]
    pub(crate) fn into_objection(self) -> Option<(XtraError, Option<Arc<Secrets>>)> {
        match self {
            Self::HeldBack { objection: error, kept, .. } | Self::Doubtful { doubt: error, kept, .. } => {
                Some((error, kept))
            }
            _ => None,
        }
    }
}
