//! The validator: the rules of a JSON Schema, and a value held against them.
//!
//! A schema is compiled into rules once; the form of each keyword is checked then. What is found wrong with a value is told
//! without anything of the value, and no copy of it is made.

mod compile;
mod draft;
mod format;
mod hold;
mod numbers;
mod pattern;
mod rule;
mod unevaluated;

use serde_json::Value;

use super::deserialize::Step;
use super::messages::Listing;
pub(super) use pattern::{MOST_PATIENT, limit};
pub(super) use rule::{Bound, Rule, Type};

/// Where the rules of one schema stand among those of all.
type Id = usize;

/// A compiled schema.
pub(super) struct Validator {
    /// The rules of each schema; the first is the whole.
    schemas: Vec<Vec<Rule>>,
}

/// Something that a value is not.
pub(super) struct Violation {
    pub(super) path: Vec<Step>,
    pub(super) what: What,
}

pub(super) enum What {
    /// A property that must be there.
    Missing(String),
    /// The value is of another type.
    Type(String),
    /// The value is none of these, of an `enum` or a `const`.
    Choice { choices: Listing, is_constant: bool },
    /// An object has properties that the schema does not know.
    OtherParts(String),
    /// The value has none of several forms; what speaks against each of them.
    NoForm(Vec<Vec<Violation>>),
    /// A pattern came to no end, so that nothing is known.
    Undecided,
    /// Another rule is broken, in words that follow the name of the value.
    Problem(String),
}

impl Validator {
    /// The validator of a schema, or what is wrong with the schema.
    pub(super) fn of(schema: &Value) -> Result<Self, String> {
        compile::compile(schema).map(|schemas| Self { schemas })
    }

    /// What is wrong with a value. Patterns go back as often as `patience` allows; see [`limit`].
    pub(super) fn violations(&self, value: &Value, patience: usize) -> Vec<Violation> {
        hold::violations(self, 0, value, patience)
    }

    fn rules(&self, of: Id) -> &[Rule] {
        self.schemas.get(of).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
