//! The search for the secrets that texts refer to, level by level: all that is new in a level is read at once.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::graph::{Graph, MOST_LEVELS, Part, Seen, Text};
use super::problems::{Label, Problems};
use super::reference::{Base, Refer, Reference};
use super::template::{Malformed, Piece, Position, Template};
use crate::core::{ErrorKind, Hint, SecretValue, Secrets, XtraError};
use crate::engine::follow::Parts;
use crate::engine::read_options::Options as ReadOptions;
use crate::engine::{Engine, KeyWriter};

/// The most environments that are read at the same time. Services count calls by the minute.
const AT_ONCE: usize = 8;

/// The most environments that are read in all. A value may be somebody else's, and must not use up the calls of a day.
const MOST_SCOPES: usize = 100;

/// The most secrets that are not there for which a similar name is looked for.
const MOST_GUESSES: usize = 10;

/// The options of a search.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) base: Base,
    pub(crate) reads: Reads,
    pub(crate) shallow: bool,
}

/// How the environments are read.
#[derive(Clone, Copy, Default)]
pub(crate) enum Reads {
    /// As any read does.
    #[default]
    Cached,
    /// Whatever the cache holds.
    Fetched,
    /// For a snapshot that is put together of them.
    Parts(Parts),
}

/// A text of the caller's.
pub(crate) struct Input {
    label: Label,
    source: SecretValue,
    take: fn(&str) -> Result<Template, Vec<Malformed>>,
}

impl Input {
    pub(crate) fn text<S: Refer>(label: Label, source: SecretValue) -> Self {
        Self { label, source, take: Template::of_text::<S> }
    }

    pub(crate) fn value<S: Refer>(label: Label, source: SecretValue) -> Self {
        Self { label, source, take: Template::of_value::<S> }
    }
}

/// One set of secrets, read once.
struct Scope {
    /// A reference into it, which says where it is, unless it was read before.
    by: Option<Reference>,
    answer: Option<Result<Arc<Secrets>, XtraError>>,
}

pub(crate) struct Search<'c, S: Refer> {
    engine: &'c Arc<Engine<S>>,
    options: Options,
    graph: Graph,
    scopes: Vec<Scope>,
    known: HashMap<Vec<u8>, usize>,
    /// How many of the secrets that are not there are still looked for by a similar name.
    guesses: Cell<usize>,
}

impl<'c, S: Refer> Search<'c, S> {
    pub(crate) fn new(engine: &'c Arc<Engine<S>>, options: Options) -> Self {
        Self {
            engine,
            options,
            graph: Graph::default(),
            scopes: Vec::new(),
            known: HashMap::new(),
            guesses: Cell::new(MOST_GUESSES),
        }
    }

    /// The same, where one environment is read already: the one with this key.
    pub(crate) fn knowing(mut self, key: &[u8], secrets: Arc<Secrets>) -> Self {
        self.known.insert(key.to_vec(), self.scopes.len());
        self.scopes.push(Scope { by: None, answer: Some(Ok(secrets)) });
        self
    }

    /// Puts the secrets into the texts.
    pub(crate) async fn run(&mut self, inputs: Vec<Input>) -> Result<Vec<SecretValue>, XtraError> {
        let (texts, labels) = self.texts(inputs)?;
        let mut problems = Problems::new(labels);
        let mut seen = 0;
        for level in 0.. {
            let fresh = seen..self.graph.len();
            if fresh.is_empty() {
                break;
            }
            if level == MOST_LEVELS {
                return Err(problems.too_deep(&self.graph, &self.graph.way_to(fresh.start)));
            }
            seen = fresh.end;
            self.read(fresh.start).await;
            for id in fresh {
                if let Err(error) = self.fill(id)? {
                    problems.add(id, error);
                }
            }
        }
        problems.none(&self.graph)?;
        self.graph.put_together(&texts).map_err(|broken| problems.broken(&self.graph, broken))
    }

    /// The snapshots that were read.
    pub(crate) fn snapshots(&self) -> impl Iterator<Item = &Secrets> {
        self.scopes.iter().filter_map(|scope| scope.answer.as_ref()?.as_ref().ok()).map(|secrets| &**secrets)
    }

    /// The texts taken apart. Everything that is malformed in them is one error, before anything is sent.
    fn texts(&mut self, inputs: Vec<Input>) -> Result<(Vec<Text>, Vec<Label>), XtraError> {
        let base = self.options.base.clone();
        let (mut texts, mut labels, mut malformed) = (Vec::new(), Vec::new(), Vec::new());
        for (number, Input { label, source, take }) in inputs.into_iter().enumerate() {
            match take(source.expose()) {
                Ok(template) => texts.push(self.text(source, template, &base, |at| Seen::Text(number, at))?),
                Err(found) => malformed.push((number, found)),
            }
            labels.push(label);
        }
        if malformed.is_empty() { Ok((texts, labels)) } else { Err(Problems::new(labels).malformed(&malformed)) }
    }

    fn text(
        &mut self,
        source: SecretValue,
        template: Template,
        base: &Base,
        seen: impl Fn(Position) -> Seen,
    ) -> Result<Text, XtraError> {
        let mut parts = Vec::with_capacity(template.pieces.len());
        for piece in template.pieces {
            parts.push(match piece {
                Piece::Text(range) => Part::Plain(range),
                Piece::Reference(reference, at) => {
                    let reference = reference.within(base);
                    let scope = self.scope(&reference)?;
                    Part::Value(self.graph.meet(reference, scope, seen(at)))
                }
            });
        }
        Ok(Text { source, parts })
    }

    /// The number of the scope. Two ways to write the same one are the same, as they are for the cache.
    fn scope(&mut self, reference: &Reference) -> Result<usize, XtraError> {
        let scope = S::scope(reference);
        // only what was given beside the text can be wrong still
        self.engine.source.prepare(&scope)?;
        let mut key = KeyWriter::new();
        self.engine.source.write_key(&scope, &mut key);
        let next = self.scopes.len();
        if next >= MOST_SCOPES && !self.known.contains_key(key.as_slice()) {
            return Err(XtraError::new(
                ErrorKind::Invalid,
                format!("there are references to more than {MOST_SCOPES} environments"),
            )
            .with_hint(Hint::advice("Render less at once")));
        }
        let number = *self.known.entry(key.as_slice().to_vec()).or_insert(next);
        if number == next {
            self.scopes.push(Scope { by: Some(reference.clone()), answer: None });
        }
        Ok(number)
    }

    /// Reads the scopes of the nodes from `first` on that are not read yet.
    async fn read(&mut self, first: usize) {
        let (engine, how) = (self.engine, self.options.reads);
        let wanted = (first..self.graph.len()).filter_map(|id| self.graph.node(id)).map(|node| node.scope);
        let mut wanted: Vec<usize> =
            wanted.filter(|scope| self.scopes.get(*scope).is_some_and(|scope| scope.answer.is_none())).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let reads: Vec<_> = wanted
            .into_iter()
            .filter_map(|number| Some((number, self.scopes.get(number)?.by.clone()?)))
            .map(|(number, by)| async move {
                let scope = S::scope(&by);
                // names that cannot be read matter only when they are referred to
                let allow_unreadable = true;
                let answer = match how {
                    Reads::Cached => {
                        engine
                            .snapshot(&scope, ReadOptions { allow_unreadable, quiet: true, ..Default::default() })
                            .await
                    }
                    Reads::Fetched => {
                        let no_cache = true;
                        let options = ReadOptions { allow_unreadable, no_cache, quiet: true, ..Default::default() };
                        engine.snapshot(&scope, options).await
                    }
                    Reads::Parts(parts) => engine.part(&scope, parts).await,
                };
                (number, answer)
            })
            .collect();
        let answers: Vec<_> = stream::iter(reads).buffer_unordered(AT_ONCE).collect().await;
        for (number, answer) in answers {
            if let Some(scope) = self.scopes.get_mut(number) {
                scope.answer = Some(answer);
            }
        }
    }

    /// Gives a node its value, and meets what that refers to. The inner error is that there is none; the outer ends it all.
    fn fill(&mut self, id: usize) -> Result<Result<(), XtraError>, XtraError> {
        let Some(node) = self.graph.node(id) else { return Ok(Ok(())) };
        let (reference, value) = (node.reference.clone(), self.value(node.scope, node.reference.name()));
        let value = match value {
            Ok(value) => value,
            Err(error) => return Ok(Err(error)),
        };
        let template = match self.options.shallow {
            true => Template::verbatim(value.expose()),
            false => match Template::of_value::<S>(value.expose()) {
                Ok(template) => template,
                Err(found) => {
                    let error = in_value(&found);
                    return Ok(Err(match self.options.reads {
                        Reads::Parts(_) => error,
                        _ => error.with_hint(Hint::Verbatim),
                    }));
                }
            },
        };
        let text = self.text(value, template, &reference.as_base(), |_| Seen::Value(id)).map_err(|error| {
            let message = format!("{reference}: {error}");
            error.within(message)
        })?;
        self.graph.fill(id, text);
        Ok(Ok(()))
    }

    fn value(&self, scope: usize, key: &str) -> Result<SecretValue, XtraError> {
        let secrets = match self.scopes.get(scope).and_then(|scope| scope.answer.as_ref()) {
            Some(Ok(secrets)) => secrets,
            Some(Err(error)) => return Err(error.clone()),
            None => return Err(XtraError::new(ErrorKind::MissingSecret, "the environment was not read")),
        };
        if secrets.is_bare() {
            let problem = format!("there is no secret at all in {}", self.place_of(secrets));
            return Err(secrets.may_be_mistyped(XtraError::new(ErrorKind::EmptyScope, problem)));
        }
        if !secrets.contains(key) && secrets.unreadable_of(key).is_none() {
            return Err(self.absent(secrets, key));
        }
        secrets.require(key).cloned().map_err(|error| match error.kind() {
            ErrorKind::Masked => {
                XtraError::new(ErrorKind::Masked, "its value is masked, because the caller's role may see names only")
                    .with_hint(Hint::advice("Use credentials whose role may read values"))
            }
            ErrorKind::Undecryptable => {
                XtraError::new(ErrorKind::Undecryptable, "its value arrived as ciphertext that cannot be opened here")
                    .with_hint(Hint::advice(
                        "Give the client the passphrase that it was encrypted under, or store it again",
                    ))
            }
            _ => error,
        })
    }

    /// The error of a secret that is not there.
    fn absent(&self, secrets: &Secrets, key: &str) -> XtraError {
        let (all, place) = (secrets.len() + secrets.unreadable().len(), self.place_of(secrets));
        let problem = format!("there is no such secret among the {all} of {place}. Names are case-sensitive");
        let absent = XtraError::new(ErrorKind::MissingSecret, problem);
        match self.guess(secrets, key) {
            // a note, so that it stands beside its reference
            Some(name) => absent.with_note(format!("Perhaps {} is meant", secrets.shown(name))),
            None => absent,
        }
    }

    /// The name that may have been meant, of the first few that are not there: each is a search through all names.
    fn guess<'s>(&self, secrets: &'s Secrets, key: &str) -> Option<&'s str> {
        let left = self.guesses.get().checked_sub(1)?;
        self.guesses.set(left);
        secrets.nearest_to(key)
    }

    fn place_of(&self, secrets: &Secrets) -> String {
        match secrets.place() {
            Some(place) => place.text().to_owned(),
            None => format!("this environment and {}", S::PARAMETER),
        }
    }
}

/// The value is a secret: where and what, but nothing of its text.
fn in_value(found: &[Malformed]) -> XtraError {
    let places = found.iter().take(3).map(|malformed| {
        format!("line {}, column {}: {}", malformed.at.line, malformed.at.column, malformed.without_text())
    });
    let places = places.collect::<Vec<_>>().join("; ");
    XtraError::new(ErrorKind::Invalid, format!("its value holds what was meant as a reference and is none ({places})"))
        .with_hint(Hint::advice("Correct the value"))
}
