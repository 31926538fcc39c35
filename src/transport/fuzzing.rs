//! What an answer tells of the budget of requests, for [`crate::fuzzing`].

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::Response;
use super::budget::{Budgets, Told};
use crate::cache::Budget;

/// What is known of a project's budget after this answer alone, at a time by this machine's clock.
pub(crate) fn budget(response: &Response, clock: Duration) -> Option<Budget> {
    let (mut budgets, now) = (Budgets::default(), Instant::now());
    let told = Told::by(response.headers(), SystemTime::UNIX_EPOCH + clock);
    budgets.answered("project", "secrets_read", told, [now, now]);
    budgets.of("project", now)
}
