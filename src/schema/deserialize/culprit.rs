//! The part of an object that its type refuses, when the type does not say which.
//!
//! serde reads the parts of flattened structs and tagged enums into a buffer first, and what is refused there has no place. So
//! it is looked for: the part without which the type says something else. A part that is merely needed shows itself by the
//! second trial: when it comes twice, its struct complains of that before anything else is wrong.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Node, Step, Trouble, What};

/// How many parts are tried. Each is a reading of the whole.
const MOST: usize = 500;

/// How much a type may be made to read in search of what it refuses: in bytes of settings, each time that they are read.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What a value costs to read, beside its text.
const VALUE: usize = 16;

/// What is left of the reading that a search may take.
pub(in crate::schema) struct Effort {
    left: usize,
    reading: usize,
}

impl Effort {
    pub(in crate::schema) fn of(tree: &Value) -> Self {
        Self { left: MOST_BYTES, reading: size(tree) }
    }

    /// Takes so many readings of the whole, when so many are left.
    pub(in crate::schema) fn allows(&mut self, readings: usize) -> bool {
        let left = self.left.checked_sub(readings.saturating_mul(self.reading));
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}

fn size(tree: &Value) -> usize {
    VALUE
        + match tree {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(size).sum(),
            Value::Object(map) => map.iter().map(|(name, value)| name.len() + size(value)).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

/// One part of one object, read otherwise than it stands.
#[derive(Clone, Copy)]
pub(super) struct Altered<'de> {
    object: &'de Map<String, Value>,
    key: &'de str,
    how: How,
}

#[derive(Clone, Copy)]
pub(super) enum How {
    Without,
    Twice,
}

impl<'de> Altered<'de> {
    /// What becomes of a part of an object.
    pub(super) fn of(self, object: &Map<String, Value>, key: &str) -> Option<How> {
        (std::ptr::eq(self.object, object) && self.key == key).then_some(self.how)
    }
}

/// The trouble with its place as exactly as it can be told.
pub(in crate::schema) fn locate<'t, T: DeserializeOwned>(
    tree: &'t Value,
    trouble: Trouble,
    effort: &mut Effort,
) -> Trouble {
    let object = at(tree, &trouble.path).and_then(Value::as_object).filter(|object| object.len() <= MOST);
    let (Some(object), false) = (object, matches!(trouble.what, What::Missing(_) | What::UnknownField)) else {
        return trouble;
    };
    // each part may have to be read around twice
    if !effort.allows(2 * object.len()) {
        return trouble;
    }
    let outcome = |key: &'t str, how| {
        let altered = Some(Altered { object, key, how });
        T::deserialize(Node { value: tree, altered }).err()
    };
    let is_culprit = |key: &&'t String| {
        outcome(key, How::Without).as_ref() != Some(&trouble)
            && !matches!(outcome(key, How::Twice), Some(Trouble { what: What::Twice(_), .. }))
    };
    let mut culprits = object.keys().filter(is_culprit);
    let step = match (culprits.next(), culprits.next()) {
        (Some(only), None) => Some(Step::Key(only.clone())),
        _ => None,
    };
    Trouble { path: trouble.path.into_iter().chain(step).collect(), what: trouble.what }
}

fn at<'t>(tree: &'t Value, path: &[Step]) -> Option<&'t Value> {
    path.iter().try_fold(tree, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    })
}
