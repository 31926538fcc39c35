//! The execution of a plan: some secrets at a time, each written once, and all of them read back.

use std::collections::BTreeSet;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use super::plan::{CopyPlan, listed};
use super::target::{SecretTarget, Stored, Write};
use crate::core::{ErrorKind, Hint, SecretValue, Secrets, XtraError};
use crate::engine::Request;

/// How many secrets are written by one call, unless a sixteenth of all are more: a call may read what is there first.
const MOST_SECRETS: usize = 100;

/// How many calls a copy takes at the most, as far as their number is concerned.
const MOST_CALLS: usize = 16;

/// How many bytes of names and values are written by one call, unless a single secret is longer.
const MOST_BYTES: usize = 512 << 10;

type Pair = (String, SecretValue);

/// The operation of a [`Request`] that carries a plan out.
pub struct ApplyCopy<'p, T: SecretTarget> {
    plan: &'p CopyPlan<T>,
    skip: BTreeSet<String>,
    is_confirmed: bool,
    on_progress: Option<Box<dyn FnMut(CopyProgress) + Send + 'p>>,
}

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyProgress {
    /// How many secrets the target's service has taken.
    pub written: usize,
    /// How many are to be written.
    pub total: usize,
}

/// What became of each secret of a copy: names in the target, each in one list, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyReport {
    /// The secrets that were not there, and are there now: a read has given them.
    pub created: Vec<String>,
    /// The secrets that have another value now than before: a read has given it.
    pub replaced: Vec<String>,
    /// The secrets that were there with the same value, and were not written.
    pub present: Vec<String>,
    /// The obstacles that were skipped.
    pub skipped: Vec<String>,
    /// The secrets that were not written.
    pub not_written: Vec<String>,
    /// The secrets that may have been written: the answer was lost, or a read does not give what was written.
    pub in_doubt: Vec<String>,
}

/// A copy that did not come to its end: the error that stopped it, and what became of each secret until then.
///
/// It becomes an [`XtraError`] by `?`, which names the secrets that are not known to be written.
#[derive(Clone, thiserror::Error)]
#[error("{error}")]
pub struct CopyError {
    error: XtraError,
    report: CopyReport,
}

impl CopyError {
    /// What stopped the copy. Its [`names`](XtraError::names) are the secrets that are not known to be written.
    #[must_use]
    pub fn error(&self) -> &XtraError {
        &self.error
    }

    /// What became of each secret.
    #[must_use]
    pub fn report(&self) -> &CopyReport {
        &self.report
    }
}

/// An error with nothing written.
impl From<XtraError> for CopyError {
    fn from(error: XtraError) -> Self {
        Self { error, report: CopyReport::default() }
    }
}

impl From<CopyError> for XtraError {
    fn from(stopped: CopyError) -> Self {
        stopped.error
    }
}

impl<'p, T: SecretTarget> ApplyCopy<'p, T> {
    pub(super) fn new(plan: &'p CopyPlan<T>) -> Self {
        Self { plan, skip: BTreeSet::new(), is_confirmed: false, on_progress: None }
    }

    /// Says that a change of a protected scope is meant.
    #[allow(dead_code, reason = "services call it, and there may be none")]
    pub(crate) fn confirm(&mut self) {
        self.is_confirmed = true;
    }
}

impl<'p, T: SecretTarget, M> Request<'p, T, ApplyCopy<'p, T>, M> {
    /// Leaves these secrets as they are, by their names in the target: obstacles of the plan, which otherwise keep all of it from
    /// being carried out. A name that is none is an error of kind [`Invalid`](ErrorKind::Invalid).
    pub fn skip<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.operation.skip.extend(names.into_iter().map(Into::into));
        self
    }

    /// Calls this before the first write, and after each.
    pub fn on_progress(mut self, tell: impl FnMut(CopyProgress) + Send + 'p) -> Self {
        self.operation.on_progress = Some(Box::new(tell));
        self
    }
}

impl<'p, T: SecretTarget> Request<'p, T, ApplyCopy<'p, T>> {
    /// Sends the request; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// Those of [`CopyPlan::apply`].
    pub async fn send(self) -> Result<CopyReport, CopyError> {
        let (plan, engine) = (self.operation.plan, self.engine);
        run(self.operation).await.map_err(|mut stopped| {
            if stopped.error.call().is_none() {
                stopped.error = engine.of_call("apply", &plan.scope, stopped.error);
            }
            stopped
        })
    }
}

impl<'p, T: SecretTarget> IntoFuture for Request<'p, T, ApplyCopy<'p, T>> {
    type Output = Result<CopyReport, CopyError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'p>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

async fn run<T: SecretTarget>(apply: ApplyCopy<'_, T>) -> Result<CopyReport, CopyError> {
    let ApplyCopy { plan, skip, is_confirmed, mut on_progress } = apply;
    plan.refuse_obstacles(&skip)?;
    let mut report = CopyReport { skipped: skip.into_iter().collect(), ..CopyReport::default() };
    if plan.created.is_empty() && plan.replaced.is_empty() {
        report.present.clone_from(&plan.present);
        return Ok(report);
    }
    let now = look(plan).await.map_err(|error| error.with_note("Nothing was written"))?;
    let pending = plan.pending(&now, &mut report)?;
    let total = pending.len();
    let mut tell = |written| on_progress.iter_mut().for_each(|tell| tell(CopyProgress { written, total }));
    let mut left = batches(pending, T::AS_A_WHOLE).into_iter();
    let (mut sent, mut tried, mut stopped) = (Vec::new(), Vec::new(), None);
    tell(0);
    for batch in left.by_ref() {
        let write = Write { accepts: plan.accepts, is_confirmed, ..Write::new(&batch, &now.secrets) };
        match T::write(&plan.client, T::owned_scope(&plan.scope), write).await {
            Ok(()) => {
                sent.extend(batch);
                tell(sent.len());
            }
            Err(error) => {
                (tried, stopped) = (batch, Some(error));
                break;
            }
        }
    }
    report.not_written.extend(left.flatten().map(|(name, _)| name));
    match total {
        0 => Ok(report),
        _ => Outcome { plan, sent, tried, stopped, total, report }.confirm().await,
    }
}

/// What the target holds now.
async fn look<T: SecretTarget>(plan: &CopyPlan<T>) -> Result<Stored, XtraError> {
    T::stored(&plan.client, T::owned_scope(&plan.scope)).await
}

impl<T: SecretTarget> CopyPlan<T> {
    /// What is still to be written, when the target is as the plan saw it. What it holds by now is noted as present.
    fn pending(&self, now: &Stored, report: &mut CopyReport) -> Result<Vec<Pair>, XtraError> {
        let (mut pending, mut changed) = (Vec::new(), Vec::new());
        for (name, value) in &self.meant {
            let (before, there) = (self.seen.get(name), now.secrets.get(name));
            let is_hidden = now.secrets.unreadable_of(name).is_some();
            match there {
                Some(there) if there == value => report.present.push(name.clone()),
                _ if is_hidden || before != there || before == Some(value) => changed.push(name),
                _ => pending.push((name.clone(), value.clone())),
            }
        }
        let message = match now.unchangeable {
            _ if !changed.is_empty() => "the target has changed since the copy was planned",
            Some(_) if !pending.is_empty() => {
                changed.extend(pending.iter().map(|(name, _)| name));
                "the target was made since the copy was planned, and cannot be added to"
            }
            _ => return Ok(pending),
        };
        let names = listed::<T>(changed.iter().copied());
        Err(XtraError::new(ErrorKind::Conflict, format!("nothing was written, because {message}: {names}"))
            .with_names(changed)
            .with_hint(Hint::advice("Plan the copy again")))
    }
}

fn batches(pending: Vec<Pair>, as_a_whole: bool) -> Vec<Vec<Pair>> {
    let mut batches: Vec<Vec<Pair>> = Vec::new();
    let mut bytes = 0_usize;
    let most = MOST_SECRETS.max(pending.len().div_ceil(MOST_CALLS));
    for pair in pending {
        let length = pair.0.len() + pair.1.len();
        match batches.last_mut() {
            Some(batch) if as_a_whole || (batch.len() < most && bytes + length <= MOST_BYTES) => {
                batch.push(pair);
                bytes += length;
            }
            _ => {
                batches.push(vec![pair]);
                bytes = length;
            }
        }
    }
    batches
}

/// What the writes have come to, before it is read back.
struct Outcome<'p, T: SecretTarget> {
    plan: &'p CopyPlan<T>,
    /// What the service has taken.
    sent: Vec<Pair>,
    /// What the write was about that failed.
    tried: Vec<Pair>,
    stopped: Option<XtraError>,
    total: usize,
    report: CopyReport,
}

impl<T: SecretTarget> Outcome<'_, T> {
    /// Reads back, and tells what became of each secret.
    async fn confirm(mut self) -> Result<CopyReport, CopyError> {
        let after = look(self.plan).await;
        let seen = after.as_ref().ok().map(|stored| Arc::clone(&stored.secrets));
        self.sort(seen.as_deref());
        let CopyReport { not_written, in_doubt, .. } = &mut self.report;
        not_written.sort_unstable();
        in_doubt.sort_unstable();
        if not_written.is_empty() && in_doubt.is_empty() {
            return Ok(self.report);
        }
        let error = match (self.stopped, after) {
            (Some(error), _) => error,
            (None, Err(error)) => error.with_note("The secrets were written, and this was to read them back"),
            (None, Ok(_)) => {
                let names = listed::<T>(in_doubt.iter());
                let message = format!("secrets were written, and are not what is read now: {names}");
                XtraError::new(ErrorKind::Conflict, message)
                    .with_note("Somebody has written meanwhile, or the service keeps something else than it is sent")
            }
        };
        let left: Vec<String> = not_written.iter().chain(&*in_doubt).cloned().collect();
        let written = self.total - left.len();
        let note = format!(
            "{written} of {} secrets were copied. The same copy, planned again, goes on from there",
            self.total
        );
        let error = error.with_names(left).with_note(note);
        let error = if in_doubt.is_empty() { error } else { error.with_unknown_outcome() };
        Err(CopyError { error, report: self.report })
    }

    fn sort(&mut self, seen: Option<&Secrets>) {
        let is_there = |(name, value): &Pair| seen.is_some_and(|seen| seen.get(name) == Some(value));
        // of a write that was carried out in part, nothing but a read tells which part
        let may_be = self.stopped.as_ref().is_some_and(|error| {
            error.may_have_been_applied() || (seen.is_none() && error.kind() == ErrorKind::Incomplete)
        });
        let replaced: BTreeSet<&String> = self.plan.replaced.iter().collect();
        let pairs = self.sent.iter().map(|pair| (pair, true)).chain(self.tried.iter().map(|pair| (pair, may_be)));
        for (pair, is_doubtful) in pairs {
            let report = &mut self.report;
            let list = match is_there(pair) {
                true if replaced.contains(&pair.0) => &mut report.replaced,
                true => &mut report.created,
                false if is_doubtful => &mut report.in_doubt,
                false => &mut report.not_written,
            };
            list.push(pair.0.clone());
        }
    }
}

/// As it is displayed, so that a `main` that returns it reads well.
impl fmt::Debug for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: SecretTarget> fmt::Debug for ApplyCopy<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplyCopy").field("plan", &self.plan).field("skip", &self.skip).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_holds_what_one_request_can() {
        let pairs = |count: usize, length: usize| -> Vec<Pair> {
            (0..count).map(|number| (format!("N{number:04}"), "x".repeat(length).into())).collect()
        };
        let sizes = |pending, whole| batches(pending, whole).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(pairs(250, 1), false), [100, 100, 50]);
        assert_eq!(sizes(pairs(1_600, 1), false), [100; 16]);
        assert_eq!(sizes(pairs(3_201, 1), false).len(), 16);
        assert_eq!(sizes(pairs(4, 200 << 10), false), [2, 2]);
        assert_eq!(sizes(pairs(2, 1 << 20), false), [1, 1]);
        assert_eq!(sizes(pairs(250, 1 << 12), true), [250]);
        assert_eq!(sizes(Vec::new(), false), [0; 0]);
    }
}
