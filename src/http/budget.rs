//! What answers have told of the service's budgets, by project. Pure: the time is passed in.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Request;
use reqwest::header::{DATE, HeaderMap};
use serde::Deserialize;
use tokio::time::Instant;

use crate::core::Budget;

/// The longest that a project is closed without a look whether its limit was raised meanwhile.
const LOOK: Duration = Duration::from_secs(60);

/// A window is no longer than this, whatever an answer says.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Windows whose ends, in the service's seconds, lie closer together are one.
const SAME_WINDOW: u64 = 60;

/// More projects than these are not remembered at once.
const MOST_PROJECTS: usize = 256;

/// The budgets of an API root, by project.
#[derive(Default)]
pub(super) struct Budgets {
    projects: HashMap<String, Project>,
    /// The operations that spend a budget, as far as is known: their answers say so. The others are never held back.
    metered: HashSet<&'static str>,
}

struct Project {
    window: Option<Window>,
    closure: Option<Closure>,
    touched: Instant,
}

struct Window {
    limit: u64,
    /// The least that was told: answers may arrive out of order.
    remaining: u64,
    /// As the service tells it, in Unix seconds. It names the window.
    reset: u64,
    ends: Instant,
    /// When it was told of last.
    told: Instant,
}

/// The service has asked to be left alone.
struct Closure {
    began: Instant,
    /// When somebody may look next whether it is over.
    look: Instant,
    until: Instant,
}

/// Whether a call may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Open,
    /// Not before `look`; the service has asked for a wait until `until`.
    Closed {
        look: Instant,
        until: Instant,
    },
}

/// What the headers of an answer tell of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    limit: u64,
    remaining: u64,
    reset: u64,
    ends_in: Duration,
}

impl Told {
    /// `None` when there is nothing, or nothing that makes sense. A reset of 0 is how the service says that its own count is
    /// out of order. The end is reckoned from the answer's own date, so that it does not matter which clock is wrong.
    pub(super) fn by(headers: &HeaderMap, clock: SystemTime) -> Option<Self> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let (limit, remaining) = (number("x-ratelimit-limit")?, number("x-ratelimit-remaining")?);
        let reset = number("x-ratelimit-reset").filter(|reset| *reset > 0)?;
        if limit == 0 || remaining > limit {
            return None;
        }
        let date = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?.trim()).ok());
        let now = date.unwrap_or(clock).duration_since(UNIX_EPOCH).ok()?.as_secs();
        let ends_in = Duration::from_secs(reset.saturating_sub(now)).min(DAY);
        Some(Self { limit, remaining, reset, ends_in })
    }

    /// Whether the answer carries any such header, sensible or not.
    pub(super) fn is_metered(headers: &HeaderMap) -> bool {
        headers.contains_key("x-ratelimit-limit") || headers.contains_key("x-ratelimit-remaining")
    }
}

impl Budgets {
    /// What [`admit`](Self::admit) would say now, without being let through.
    pub(super) fn outlook(&mut self, project: &str, operation: &str, now: Instant) -> Admission {
        match self.projects.get(project).and_then(|known| known.closure.as_ref()) {
            Some(closure) if self.metered.contains(operation) && now < closure.look => {
                Admission::Closed { look: closure.look, until: closure.until }
            }
            _ => Admission::Open,
        }
    }

    /// Whether a call of `operation` may be sent. When it is time to look whether a closed project is open again, the one
    /// that asks first is let through; the others wait for the next look, or for what it brings.
    pub(super) fn admit(&mut self, project: &str, operation: &str, now: Instant) -> Admission {
        if !self.metered.contains(operation) {
            return Admission::Open;
        }
        let Some(known) = self.projects.get_mut(project) else { return Admission::Open };
        let Some(closure) = &mut known.closure else { return Admission::Open };
        if now >= closure.until {
            known.closure = None;
        } else if now >= closure.look {
            closure.look = closure.until.min(now + LOOK);
        } else {
            return Admission::Closed { look: closure.look, until: closure.until };
        }
        Admission::Open
    }

    /// An answer other than a 429 came to a request that was sent at `sent`.
    pub(super) fn answered(
        &mut self,
        project: &str,
        operation: &'static str,
        told: Option<Told>,
        [sent, now]: [Instant; 2],
    ) {
        if let Some(told) = told {
            self.metered.insert(operation);
            self.project(project, now).tell(told, [sent, now]);
        }
        if self.metered.contains(operation)
            && let Some(known) = self.projects.get_mut(project)
        {
            // an answer to what was sent before the refusal says nothing about it
            known.closure.take_if(|closure| sent >= closure.began);
        }
    }

    /// An answer told of a budget, sensibly or not: the operation spends one.
    pub(super) fn meters(&mut self, operation: &'static str) {
        self.metered.insert(operation);
    }

    /// The service refused a request for the project's budget and asked for a wait. Whether that is news.
    pub(super) fn refused(&mut self, project: &str, operation: &'static str, wait: Duration, now: Instant) -> bool {
        self.metered.insert(operation);
        let until = now + wait.min(DAY);
        let closure = Closure { began: now, look: until.min(now + LOOK), until };
        let before = self.project(project, now).closure.replace(closure);
        before.is_none_or(|before| now >= before.until)
    }

    /// What is left for the project.
    pub(super) fn of(&self, project: &str, now: Instant) -> Option<Budget> {
        let window = self.projects.get(project)?.window.as_ref().filter(|window| now < window.ends)?;
        Some(Budget::new(window.limit, window.remaining, window.ends.saturating_duration_since(now)))
    }

    /// The least that is left for any project.
    pub(super) fn least(&self, now: Instant) -> Option<u64> {
        let windows = self.projects.values().filter_map(|known| known.window.as_ref());
        windows.filter(|window| now < window.ends).map(|window| window.remaining).min()
    }

    fn project(&mut self, project: &str, now: Instant) -> &mut Project {
        if !self.projects.contains_key(project)
            && self.projects.len() >= MOST_PROJECTS
            && let Some(oldest) =
                self.projects.iter().min_by_key(|(_, known)| known.touched).map(|(name, _)| name.clone())
        {
            self.projects.remove(&oldest);
        }
        let known = Project { window: None, closure: None, touched: now };
        let known = self.projects.entry(project.to_owned()).or_insert(known);
        known.touched = now;
        known
    }
}

impl Project {
    /// The answers to requests that were under way together may come in any order; the one to a request that was sent after
    /// all that is known was told knows better, so that no odd answer counts for longer than until the next.
    fn tell(&mut self, told: Told, [sent, now]: [Instant; 2]) {
        let Told { limit, remaining, reset, ends_in } = told;
        let ends = now + ends_in;
        let same = |window: &Window| limit == window.limit && reset.abs_diff(window.reset) <= SAME_WINDOW;
        match self.window.as_mut().filter(|window| now < window.ends) {
            Some(window) if same(window) => {
                window.remaining = window.remaining.min(remaining);
                (window.ends, window.told) = (ends, now);
            }
            Some(window) if reset <= window.reset.saturating_add(SAME_WINDOW) && sent <= window.told => {}
            _ => self.window = Some(Window { limit, remaining, reset, ends, told: now }),
        }
    }
}

/// What the body of a write names its project by.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, rename = "projectId")]
    project_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

/// The project that the service will take a request to be for: the one in the path, or else named by the query, or else by
/// the body. Empty when there is none. In lower case, as ids do not tell cases apart.
pub(super) fn project_of(request: &Request, root: &str) -> String {
    /// No id is longer; what is, names no project.
    const LONGEST: usize = 64;
    let url = request.url();
    let below = url.as_str().strip_prefix(root).unwrap_or_default();
    let in_path = below.strip_prefix("/projects/").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let in_query = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let in_body = || {
        let body = serde_json::from_slice::<Named<'_>>(request.body()?.as_bytes()?).ok()?;
        body.project_id.or(body.id).map(Cow::into_owned)
    };
    let found =
        in_path.map(str::to_owned).or_else(|| in_query("projectId")).or_else(|| in_query("id")).or_else(in_body);
    found.filter(|id| id.len() <= LONGEST).unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
