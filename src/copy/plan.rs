//! The plan of a copy: what would be written, what is there already, and what stands in the way.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::apply::ApplyCopy;
use super::rules::Rules;
use super::target::{Acceptance, SecretTarget, Stored};
use crate::core::{ErrorKind, Hint, SecretValue, Secrets, UnreadableReason, XtraError, shown_name};
use crate::engine::{Client, Request};

/// How many names a message tells.
const SHOWN: usize = 10;

/// What a copy would do; from [`copy_to`](Request::copy_to) and [`copy_secrets`](Client::copy_secrets). Nothing has been written.
///
/// It holds the values, and shows none: `Debug` prints names. A plan can be applied more than once; what the target holds by then
/// is not written again.
pub struct CopyPlan<T: SecretTarget> {
    pub(super) client: Client<T>,
    pub(super) scope: T::Scope<'static>,
    /// Everything that the target is to hold, but for obstacles.
    pub(super) meant: BTreeMap<String, SecretValue>,
    /// The target as the plan was made for it.
    pub(super) seen: Arc<Secrets>,
    pub(super) created: Vec<String>,
    pub(super) replaced: Vec<String>,
    pub(super) present: Vec<String>,
    obstacles: Vec<Obstacle>,
    pub(super) accepts: Acceptance,
}

/// A secret that stands in the way of a copy. Displayed, it is its name and the reason. It holds no value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Obstacle {
    /// The name that the secret would have in the target.
    pub name: String,
    /// Its name in the source.
    pub source_name: String,
    /// What kind of obstacle it is.
    pub kind: ObstacleKind,
    /// The reason, as a phrase that follows the name.
    pub reason: Cow<'static, str>,
}

/// Why a secret cannot be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObstacleKind {
    /// The source has it, and gives no value for this reason.
    Unreadable(UnreadableReason),
    /// The target has it with another value, and [`overwrite`](Request::overwrite) was not called.
    Conflict,
    /// The target has it with a value that cannot be read.
    Hidden,
    /// The target cannot keep it as it is.
    Refused,
    /// Another secret of the source, with another value, gets this name too.
    Collision,
}

/// A secret of the source under its new name.
struct Chosen<'s> {
    source_name: &'s str,
    value: &'s SecretValue,
}

impl<T: SecretTarget> CopyPlan<T> {
    /// Looks at the target, and sorts the secrets by what is there.
    pub(super) async fn make(
        client: Client<T>,
        scope: T::Scope<'static>,
        rules: Rules,
        from: &Secrets,
    ) -> Result<Self, XtraError> {
        from.require_any().map_err(|error| error.with_note("There is nothing to copy"))?;
        rules.check(from)?;
        let stored = T::stored(&client, T::owned_scope(&scope))
            .await
            .map_err(|error| error.with_note("This was to look at the target of a copy. Nothing was written"))?;
        let accepts = rules.accepts;
        let Stored { secrets: seen, unchangeable } = stored;
        let mut plan = Self {
            meant: BTreeMap::new(),
            created: Vec::new(),
            replaced: Vec::new(),
            present: Vec::new(),
            obstacles: Vec::new(),
            client,
            scope,
            seen,
            accepts,
        };
        let chosen = plan.choose(&rules, from);
        for (name, Chosen { source_name, value }) in chosen {
            let found = plan.sort(&name, value, rules.overwrite, unchangeable);
            match found {
                Err((kind, reason)) => {
                    plan.obstacles.push(Obstacle { name, source_name: source_name.to_owned(), kind, reason });
                }
                Ok(list) => {
                    let names = match list {
                        List::Created => &mut plan.created,
                        List::Replaced => &mut plan.replaced,
                        List::Present => &mut plan.present,
                    };
                    names.push(name.clone());
                    plan.meant.insert(name, value.clone());
                }
            }
        }
        plan.obstacles.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(plan)
    }

    /// The secrets that are to be copied, by their new names. Those without a value, and those of which two get one name, become
    /// obstacles.
    fn choose<'s>(&mut self, rules: &Rules, from: &'s Secrets) -> BTreeMap<String, Chosen<'s>> {
        let (mut chosen, mut collided) = (BTreeMap::<String, Chosen<'s>>::new(), BTreeSet::new());
        for (source_name, value) in from.iter() {
            let Some(name) = rules.name_of(source_name) else { continue };
            match chosen.entry(name) {
                Entry::Vacant(entry) => drop(entry.insert(Chosen { source_name, value })),
                Entry::Occupied(entry) if entry.get().value == value => {}
                Entry::Occupied(entry) => drop(collided.insert(entry.key().clone())),
            }
        }
        for name in collided {
            let Some(one) = chosen.remove(&name) else { continue };
            let reason = "is the name that two secrets with two values get".into();
            let source_name = one.source_name.to_owned();
            self.obstacles.push(Obstacle { name, source_name, kind: ObstacleKind::Collision, reason });
        }
        for entry in from.unreadable() {
            let Some(name) = rules.name_of(&entry.name) else { continue };
            chosen.remove(&name);
            let (source_name, kind) = (entry.name.clone(), ObstacleKind::Unreadable(entry.reason));
            self.obstacles.push(Obstacle { name, source_name, kind, reason: why(entry.reason).into() });
        }
        chosen
    }

    /// Where a secret belongs.
    fn sort(
        &self,
        name: &str,
        value: &SecretValue,
        overwrite: bool,
        unchangeable: Option<&'static str>,
    ) -> Result<List, (ObstacleKind, Cow<'static, str>)> {
        if let Some(why) = self.client.source().refusal(&self.scope, name, value, self.accepts) {
            return Err((ObstacleKind::Refused, why));
        }
        if self.seen.unreadable_of(name).is_some() {
            return Err((ObstacleKind::Hidden, "is in the target, with a value that cannot be read".into()));
        }
        let list = match self.seen.get(name) {
            Some(there) if there == value => return Ok(List::Present),
            Some(_) if !overwrite => {
                return Err((ObstacleKind::Conflict, "is in the target with another value".into()));
            }
            Some(_) => List::Replaced,
            None => List::Created,
        };
        match unchangeable {
            Some(why) => Err((ObstacleKind::Refused, why.into())),
            None => Ok(list),
        }
    }

    /// The names of the secrets that the target does not have, in order.
    #[must_use]
    pub fn created(&self) -> &[String] {
        &self.created
    }

    /// The names of the secrets that the target has with another value, which [`overwrite`](Request::overwrite) replaces, in order.
    #[must_use]
    pub fn replaced(&self) -> &[String] {
        &self.replaced
    }

    /// The names of the secrets that the target has with the same value, in order. They are not written.
    #[must_use]
    pub fn present(&self) -> &[String] {
        &self.present
    }

    /// What stands in the way, in order of the names. While there is any of it, [`apply`](Self::apply) writes nothing, unless it is
    /// told to [skip](Request::skip) these secrets.
    #[must_use]
    pub fn obstacles(&self) -> &[Obstacle] {
        &self.obstacles
    }

    /// Whether nothing stands in the way.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.obstacles.is_empty()
    }

    /// Whether the target holds all of it already.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_clear() && self.created.is_empty() && self.replaced.is_empty()
    }

    /// Whether the target holds no secret at all. A mistyped name of one may look like that.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.seen.is_empty() && self.seen.unreadable().is_empty()
    }

    /// Carries the plan out; awaiting gives a [`CopyReport`](super::CopyReport).
    ///
    /// The target is read again first: when it does not hold what the plan saw, nothing is written. Then the secrets are written,
    /// some at a time and each once, and in the end all of them are read back. When a write fails, no other follows, and the
    /// [error](super::CopyError) tells what became of each secret. The same copy, planned again, goes on from there; so it does when
    /// the future is dropped half-way, or the process ends.
    ///
    /// Between the look and a write somebody else may write. XtraSecurity notices that, and Infisical notices a secret that was created or
    /// deleted; secr and SyVault have no conditional writes. A blocking program sends this request by `wait()`.
    ///
    /// # Errors
    ///
    /// With nothing written: [`Conflict`](ErrorKind::Conflict), [`Invalid`](ErrorKind::Invalid), [`Masked`](ErrorKind::Masked) or
    /// [`Undecryptable`](ErrorKind::Undecryptable) when there are obstacles, with the names of all; `Conflict` when the target has
    /// changed since. After a write: its error; `Conflict` when a read gives something else than was written; and the failure of
    /// that read.
    pub fn apply(&self) -> Request<'_, T, ApplyCopy<'_, T>> {
        self.client.request(T::owned_scope(&self.scope), ApplyCopy::new(self))
    }

    /// Fails when something stands in the way that is not to be skipped.
    pub(super) fn refuse_obstacles(&self, skip: &BTreeSet<String>) -> Result<(), XtraError> {
        let known: BTreeSet<&String> = self.obstacles.iter().map(|one| &one.name).collect();
        if let Some(name) = skip.iter().find(|name| !known.contains(name)) {
            let message =
                format!("{} is no obstacle of the plan, and cannot be skipped. Nothing was written", shown::<T>(name));
            return Err(XtraError::new(ErrorKind::Invalid, message).with_names([name]));
        }
        let left: Vec<&Obstacle> = self.obstacles.iter().filter(|one| !skip.contains(&one.name)).collect();
        let Some(kind) = left.iter().map(|one| one.kind.error_kind()).min_by_key(|kind| *kind as u8) else {
            return Ok(());
        };
        let mut told: Vec<_> =
            left.iter().take(SHOWN).map(|one| format!("{} {}", shown::<T>(&one.name), one.reason)).collect();
        if let Some(more) = left.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            told.push(format!("and {more} more"));
        }
        let message = format!("nothing was written, because secrets cannot be copied: {}", told.join("; "));
        let hint = Hint::advice("Plan the copy again: leave them out, give them other names, or replace what is there");
        let how = Hint::Add { options: &["exclude", "rename", "overwrite"] };
        Err(XtraError::new(kind, message).with_names(left.iter().map(|one| &one.name)).with_hint(hint).with_hint(how))
    }
}

/// The list of a plan that a secret is in.
enum List {
    Created,
    Replaced,
    Present,
}

impl ObstacleKind {
    fn error_kind(self) -> ErrorKind {
        match self {
            Self::Conflict | Self::Hidden | Self::Collision => ErrorKind::Conflict,
            Self::Refused => ErrorKind::Invalid,
            Self::Unreadable(UnreadableReason::Masked) => ErrorKind::Masked,
            Self::Unreadable(_) => ErrorKind::Undecryptable,
        }
    }
}

fn why(reason: UnreadableReason) -> &'static str {
    match reason {
        UnreadableReason::Masked => "is masked in the source: the caller may see its name only",
        UnreadableReason::ServerCiphertext => "cannot be decrypted by the service of the source",
        UnreadableReason::ClientEnvelope => "was encrypted by a client, and does not open in the source",
        UnreadableReason::NoValue => "has no value in the source",
        UnreadableReason::Ambiguous => "has several values in the source, and nothing tells which of them counts",
        UnreadableReason::Unexpanded => "refers to a secret that the source does not put in its place",
        UnreadableReason::NotText => "holds bytes that are no UTF-8 text",
    }
}

/// A name for a message.
pub(super) fn shown<T: SecretTarget>(name: &str) -> String {
    shown_name(name, T::looks_like_a_token)
}

/// Names for a message: all of a few, the first of many.
pub(super) fn listed<'n, T: SecretTarget>(names: impl ExactSizeIterator<Item = &'n String>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let mut told: Vec<_> = names.take(SHOWN).map(|name| shown::<T>(name)).collect();
    if more > 0 {
        told.push(format!("{more} more"));
    }
    told.join(", ")
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", shown_name(&self.name, |_| false), self.reason)
    }
}

impl<T: SecretTarget> fmt::Debug for CopyPlan<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyPlan")
            .field("created", &self.created)
            .field("replaced", &self.replaced)
            .field("present", &self.present)
            .field("obstacles", &self.obstacles)
            .finish_non_exhaustive()
    }
}
