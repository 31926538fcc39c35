//! What the server was asked.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use axum::http::HeaderMap;

use super::faults::names;

/// How many requests are kept whole. The counts have no bound.
const KEPT: usize = 512;

/// A request that the server saw. `Debug` shows its route alone, because headers carry the token.
#[derive(Clone)]
#[non_exhaustive]
pub struct SeenRequest {
    route: String,
    target: String,
    headers: HeaderMap,
}

impl SeenRequest {
    pub(super) fn new(route: &str, target: String, headers: HeaderMap) -> Self {
        SeenRequest { route: route.to_owned(), target, headers }
    }

    /// The method and the pattern of the path, as in [`route`](crate::services::xtra::dev::route); `GET *` for a path that no route has.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The path and the query as they were sent.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// A header, when it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl fmt::Debug for SeenRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SeenRequest").field("route", &self.route).finish_non_exhaustive()
    }
}

#[derive(Default)]
pub(super) struct Journal {
    counts: BTreeMap<String, u64>,
    recent: VecDeque<SeenRequest>,
}

impl Journal {
    pub(super) fn record(&mut self, request: SeenRequest) {
        if let Some(count) = self.counts.get_mut(&request.route) {
            *count += 1;
        } else {
            self.counts.insert(request.route.clone(), 1);
        }
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(request);
    }

    pub(super) fn count(&self, pattern: &str) -> u64 {
        self.counts.iter().filter(|(route, _)| names(pattern, route)).map(|(_, count)| count).sum()
    }

    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.clone()
    }

    pub(super) fn requests(&self, pattern: &str) -> Vec<SeenRequest> {
        self.recent.iter().filter(|request| names(pattern, &request.route)).cloned().collect()
    }

    pub(super) fn reset(&mut self) {
        *self = Journal::default();
    }
}
