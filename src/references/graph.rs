//! The graph of values that refer to values: every secret once, and the texts that are put together of them.

use std::collections::HashMap;
use std::ops::Range;

use zeroize::Zeroizing;

use super::reference::Reference;
use super::template::Position;
use crate::core::SecretValue;

/// The longest chain of references that lead to one another.
pub(crate) const MOST_LEVELS: usize = 16;

/// The most that is put together in one call, in bytes.
pub(crate) const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The secrets that are referred to, each once, in the order in which they were met.
#[derive(Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    known: HashMap<(usize, String), usize>,
}

/// A secret that is referred to.
pub(crate) struct Node {
    pub(crate) reference: Reference,
    /// The number of its scope.
    pub(crate) scope: usize,
    /// The place where it was met first.
    pub(crate) seen: Seen,
    /// `None` as long as it is not read.
    pub(crate) text: Option<Text>,
}

/// The place of a reference.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen {
    /// In a text of the caller's, by number.
    Text(usize, Position),
    /// In the value of another secret.
    Value(usize),
}

/// A text whose references are nodes.
pub(crate) struct Text {
    pub(crate) source: SecretValue,
    pub(crate) parts: Vec<Part>,
}

pub(crate) enum Part {
    Plain(Range<usize>),
    Value(usize),
}

/// The reason for which texts cannot be put together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The secrets that lead in a circle; the first is the last again.
    Circle(Vec<usize>),
    /// The secrets that lead too far.
    Deep(Vec<usize>),
    Large,
}

impl Graph {
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: usize) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The node of this secret, new or known.
    pub(crate) fn meet(&mut self, reference: Reference, scope: usize, seen: Seen) -> usize {
        let place = (scope, reference.name().to_owned());
        if let Some(id) = self.known.get(&place) {
            return *id;
        }
        let id = self.nodes.len();
        self.known.insert(place, id);
        self.nodes.push(Node { reference, scope, seen, text: None });
        id
    }

    pub(crate) fn fill(&mut self, id: usize, text: Text) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.text = Some(text);
        }
    }

    /// The way on which a node was met, from a text of the caller's on.
    pub(crate) fn way_to(&self, id: usize) -> Vec<usize> {
        let mut way = vec![id];
        let mut at = self.node(id);
        // nobody is met by way of a later one, so this ends
        while let Some(Node { seen: Seen::Value(from), .. }) = at {
            way.push(*from);
            at = self.node(*from);
        }
        way.reverse();
        way
    }

    /// Puts the texts together, when every node is filled.
    pub(crate) fn put_together(&self, texts: &[Text]) -> Result<Vec<SecretValue>, Broken> {
        let mut assembly =
            Assembly { graph: self, done: vec![None; self.nodes.len()], way: Vec::new(), left: MOST_BYTES };
        texts.iter().map(|text| assembly.text(text).map(|made| made.value)).collect()
    }
}

#[derive(Clone)]
struct Made {
    value: SecretValue,
    /// The longest chain of references from here.
    levels: usize,
}

struct Assembly<'g> {
    graph: &'g Graph,
    done: Vec<Option<Made>>,
    /// The nodes that are being put together, the outermost first. Never longer than `MOST_LEVELS`.
    way: Vec<usize>,
    left: usize,
}

impl Assembly<'_> {
    fn node(&mut self, id: usize) -> Result<Made, Broken> {
        if let Some(from) = self.way.iter().position(|known| *known == id) {
            let mut circle = self.way.get(from..).unwrap_or_default().to_vec();
            circle.push(id);
            return Err(Broken::Circle(circle));
        }
        self.way.push(id);
        let made = match self.done.get(id).cloned().flatten() {
            Some(made) => made,
            None if self.way.len() > MOST_LEVELS => return Err(Broken::Deep(self.way.clone())),
            None => {
                let text = self.graph.node(id).and_then(|node| node.text.as_ref());
                let made = text.map(|text| self.text(text)).transpose()?;
                let made = made.unwrap_or_else(|| Made { value: SecretValue::from(""), levels: 0 });
                Made { levels: made.levels + 1, ..made }
            }
        };
        // what was made for another text counts as much as what is made now
        if self.way.len() - 1 + made.levels > MOST_LEVELS {
            return Err(Broken::Deep(self.way.clone()));
        }
        self.way.pop();
        if let Some(place) = self.done.get_mut(id) {
            *place = Some(made.clone());
        }
        Ok(made)
    }

    fn text(&mut self, text: &Text) -> Result<Made, Broken> {
        let mut values = Vec::new();
        let mut levels = 0;
        for part in &text.parts {
            if let Part::Value(id) = part {
                let made = self.node(*id)?;
                levels = levels.max(made.levels);
                values.push(made.value);
            }
        }
        let value = match (text.parts.as_slice(), values.as_slice()) {
            ([Part::Value(_)], [value]) => value.clone(),
            ([Part::Plain(range)], []) if *range == (0..text.source.len()) => text.source.clone(),
            _ => self.join(text, &values)?,
        };
        Ok(Made { value, levels })
    }

    /// One buffer of the right size: growing would leave copies behind that are not wiped.
    fn join(&mut self, text: &Text, values: &[SecretValue]) -> Result<SecretValue, Broken> {
        let plain = text.parts.iter().map(|part| match part {
            Part::Plain(range) => range.len(),
            Part::Value(_) => 0,
        });
        let length = plain.chain(values.iter().map(SecretValue::len)).try_fold(0_usize, usize::checked_add);
        let length = length.filter(|length| *length <= self.left).ok_or(Broken::Large)?;
        self.left -= length;
        let mut joined = Zeroizing::new(String::with_capacity(length));
        let mut values = values.iter();
        for part in &text.parts {
            joined.push_str(match part {
                Part::Plain(range) => text.source.expose().get(range.clone()).unwrap_or_default(),
                Part::Value(_) => values.next().map(SecretValue::expose).unwrap_or_default(),
            });
        }
        Ok(SecretValue::new(std::mem::take(&mut *joined)))
    }
}
