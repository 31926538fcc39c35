//! The rules of a copy: which secrets are taken, what they are called in the target, and what may be overwritten.

use std::collections::{BTreeMap, BTreeSet};

use super::target::Acceptance;
use crate::core::{ErrorKind, Hint, Secrets, XtraError};
use crate::engine::{Request, SecretSource};

/// Which secrets are copied, and how; set by the options of a request that [`Copies`].
#[derive(Debug, Clone, Default)]
pub struct Rules {
    only: Option<BTreeSet<String>>,
    exclude: BTreeSet<String>,
    prefix: String,
    renamed: BTreeMap<String, String>,
    pub(super) overwrite: bool,
    pub(super) accepts: Acceptance,
}

/// An operation that plans a copy.
pub trait Copies {
    /// What it was told of how to copy.
    fn rules(&mut self) -> &mut Rules;
}

impl<S: SecretSource, Op: Copies, M> Request<'_, S, Op, M> {
    /// Copies these secrets and no others, by their names in the source. A name that is not there is an error
    /// ([`MissingSecret`](crate::ErrorKind::MissingSecret)). Further calls add to the choice.
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let only = self.operation.rules().only.get_or_insert_default();
        only.extend(names.into_iter().map(Into::into));
        self
    }

    /// Leaves these secrets out, by their names in the source, also when [`only`](Self::only) names them. A name that is not there is
    /// an error too: a secret whose name was mistyped would be copied.
    #[doc(alias = "except")]
    pub fn exclude<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.operation.rules().exclude.extend(names.into_iter().map(Into::into));
        self
    }

    /// Puts `prefix` in front of every name, except those that [`rename`](Self::rename) gives. The last call counts.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.operation.rules().prefix = prefix.into();
        self
    }

    /// Calls the secret `name` of the source exactly `new_name` in the target. A name that is not there is an error.
    pub fn rename(mut self, name: impl Into<String>, new_name: impl Into<String>) -> Self {
        self.operation.rules().renamed.insert(name.into(), new_name.into());
        self
    }

    /// Replaces secrets of the target that have another value. Without this they are [conflicts](super::CopyPlan::obstacles). One
    /// whose value cannot be read stays a conflict.
    pub fn overwrite(mut self) -> Self {
        self.operation.rules().overwrite = true;
        self
    }

    /// Copies secrets whose names not every tool can use, where the target can keep them.
    pub fn allow_any_name(mut self) -> Self {
        self.operation.rules().accepts.any_name = true;
        self
    }

    /// Copies values that the target takes for references to other secrets, and gives as what they refer to. Without this they are
    /// obstacles: a read of the target would give something else than one of the source.
    pub fn allow_references(mut self) -> Self {
        self.operation.rules().accepts.references = true;
        self
    }
}

impl Rules {
    /// The name that a secret gets in the target; `None` when it is left out.
    pub(super) fn name_of(&self, name: &str) -> Option<String> {
        let is_taken = self.only.as_ref().is_none_or(|only| only.contains(name)) && !self.exclude.contains(name);
        is_taken.then(|| match self.renamed.get(name) {
            Some(new) => new.clone(),
            None => format!("{}{name}", self.prefix),
        })
    }

    /// Fails when a secret was named and is not there.
    pub(super) fn check(&self, secrets: &Secrets) -> Result<(), XtraError> {
        let is_there = |name: &str| secrets.contains(name) || secrets.unreadable_of(name).is_some();
        let asked = self.only.iter().flatten().chain(self.renamed.keys()).chain(&self.exclude);
        let missing: BTreeSet<&String> = asked.filter(|name| !is_there(name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let shown: Vec<_> = missing.iter().map(|name| secrets.shown(name)).collect();
        let message = format!("{} has no secret of these names: {}", secrets.place_text(), shown.join(", "));
        let error = XtraError::new(ErrorKind::MissingSecret, message).with_names(missing.iter().copied());
        let error = secrets.perhaps_meant(error, missing.iter().map(|name| name.as_str()), |_| true);
        Err(error.with_hint(Hint::advice("Check the names, which must match letter by letter, and the source")))
    }
}
