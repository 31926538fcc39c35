//! The problems of references, all in one error: names and positions only.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::graph::{Broken, Graph, MOST_BYTES, MOST_LEVELS, Seen};
use super::template::{Malformed, Position};
use crate::core::{ErrorKind, XtraError};

/// More than anybody would read at once. The names of the error are all.
const SHOWN: usize = 20;

/// Letters of a reference that a message shows. The names of the error have all of it.
const SHOWN_LETTERS: usize = 200;

/// The label of a text of the caller's.
pub(crate) enum Label {
    Text,
    File(String),
    /// A secret's value, of which nothing may be shown.
    Secret(String),
}

impl Label {
    fn place(&self, at: Position) -> String {
        let Position { line, column } = at;
        match self {
            Self::Text => format!("line {line}, column {column}"),
            Self::File(path) => format!("{path}, line {line}, column {column}"),
            Self::Secret(name) => format!("in {name:?}"),
        }
    }
}

pub(crate) struct Problems {
    labels: Vec<Label>,
    /// Nodes without a value, and why.
    unresolved: Vec<(usize, XtraError)>,
}

impl Problems {
    pub(crate) fn new(labels: Vec<Label>) -> Self {
        Self { labels, unresolved: Vec::new() }
    }

    pub(crate) fn add(&mut self, node: usize, error: XtraError) {
        self.unresolved.push((node, error));
    }

    /// Everything in the caller's texts that was meant as a reference and is none.
    pub(crate) fn malformed(&self, found: &[(usize, Vec<Malformed>)]) -> XtraError {
        let lines: Vec<String> = found
            .iter()
            .flat_map(|(number, found)| found.iter().map(|malformed| (self.labels.get(*number), malformed)))
            .map(|(label, malformed)| match label {
                Some(label @ Label::Secret(_)) => {
                    format!("({}): {}", label.place(malformed.at), malformed.without_text())
                }
                label => malformed.with_text(&label.unwrap_or(&Label::Text).place(malformed.at)),
            })
            .collect();
        let names = found.iter().filter_map(|(number, _)| match self.labels.get(*number) {
            Some(Label::Secret(name)) => Some(name),
            _ => None,
        });
        XtraError::new(ErrorKind::Invalid, listed("malformed reference", "malformed references", &lines))
            .with_names(names)
    }

    /// Fails, naming every reference that has no value, when there is one.
    pub(crate) fn none(&self, graph: &Graph) -> Result<(), XtraError> {
        if self.unresolved.is_empty() {
            return Ok(());
        }
        // references that fail for the same reason are listed together: one refused project may be behind fifty
        let mut causes: Vec<(String, Vec<String>)> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (node, error) in &self.unresolved {
            let name = format!("{} ({})", shown(graph, *node), self.seen(graph, *node));
            let next = causes.len();
            let cause = error.facts();
            match causes.get_mut(*known.entry(cause.clone()).or_insert(next)) {
                Some((_, names)) => names.push(name),
                None => causes.push((cause, vec![name])),
            }
        }
        let lines: Vec<String> = causes.iter().map(|(cause, names)| format!("{}: {cause}", cut(names, ", "))).collect();
        let count = self.unresolved.len();
        let what = if count == 1 { "a reference" } else { &format!("{count} references") };
        let message = format!("{what} cannot be resolved:{}", block(&lines));
        let hints = self.unresolved.iter().flat_map(|(_, error)| error.hints().iter().cloned());
        Err(self.kind(message).with_hints(hints).with_names(self.unresolved.iter().map(|(node, _)| name(graph, *node))))
    }

    /// The kind that all have in common, with what a caller needs to go by it; or that a secret is missing.
    fn kind(&self, message: String) -> XtraError {
        let missing = [ErrorKind::MissingSecret, ErrorKind::EmptyScope, ErrorKind::Forbidden, ErrorKind::NotFound];
        let errors = || self.unresolved.iter().map(|(_, error)| error);
        let first = errors().next().filter(|first| {
            // what a proxy or a firewall refuses is not missing
            (first.is_foreign_refusal() || !missing.contains(&first.kind()))
                && (errors().all(|error| error.kind() == first.kind()) || errors().all(XtraError::is_retryable))
        });
        let Some(first) = first else {
            let error = XtraError::new(ErrorKind::MissingSecret, message);
            // a refusal of the service's own ends what is kept, whatever else there is
            let refused =
                errors().find(|error| matches!(error.status(), Some(401 | 403 | 404)) && !error.is_foreign_refusal());
            return match refused.and_then(XtraError::status) {
                Some(status) => error.with_status(status),
                None => error,
            };
        };
        let error = first.clone().within(message);
        match errors().filter_map(XtraError::retry_after).max() {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }

    pub(crate) fn broken(&self, graph: &Graph, broken: Broken) -> XtraError {
        match broken {
            Broken::Circle(way) => {
                let message = format!("references lead in a circle: {}", chain(graph, &way));
                // the last is the first again
                let names = way.iter().skip(1).map(|node| name(graph, *node));
                XtraError::new(ErrorKind::Invalid, message).with_names(names)
            }
            Broken::Deep(way) => self.too_deep(graph, &way),
            Broken::Large => XtraError::new(
                ErrorKind::Invalid,
                format!("what is put together would be larger than {} MiB", MOST_BYTES / 1024 / 1024),
            ),
        }
    }

    pub(crate) fn too_deep(&self, graph: &Graph, way: &[usize]) -> XtraError {
        let message = format!("references lead on more than {MOST_LEVELS} times, by way of {}", chain(graph, way));
        XtraError::new(ErrorKind::Invalid, message).with_names(way.iter().map(|node| name(graph, *node)))
    }

    fn seen(&self, graph: &Graph, node: usize) -> String {
        match graph.node(node).map(|node| node.seen) {
            Some(Seen::Text(number, at)) => self.labels.get(number).unwrap_or(&Label::Text).place(at),
            Some(Seen::Value(from)) => format!("in {}", shown(graph, from)),
            None => String::new(),
        }
    }
}

fn name(graph: &Graph, node: usize) -> String {
    graph.node(node).map(|node| node.reference.to_string()).unwrap_or_default()
}

/// The name for a message: it may come from a value, and be as long as whoever wrote that liked.
fn shown(graph: &Graph, node: usize) -> String {
    let mut name = name(graph, node);
    if let Some((end, _)) = name.char_indices().nth(SHOWN_LETTERS) {
        name.truncate(end);
        name.push('…');
    }
    name
}

fn chain(graph: &Graph, way: &[usize]) -> String {
    way.iter().map(|node| shown(graph, *node)).collect::<Vec<_>>().join(" -> ")
}

fn listed(one: &str, many: &str, lines: &[String]) -> String {
    match lines.len() {
        1 => format!("{one}:{}", block(lines)),
        count => format!("{count} {many}:{}", block(lines)),
    }
}

/// One line goes on after the colon, several stand below one another.
fn block(lines: &[String]) -> String {
    match lines {
        [line] => format!(" {line}"),
        _ => format!("\n  {}", cut(lines, "\n  ")),
    }
}

fn cut(items: &[String], between: &str) -> String {
    let mut text = items.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(between);
    if items.len() > SHOWN {
        let _ = write!(text, "{between}and {} more", items.len() - SHOWN);
    }
    text
}
