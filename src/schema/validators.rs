//! The validator of a schema, and the bounds on the time and the stack that it takes.

use serde_json::Value;

use super::depth::NoRoom;
use super::schema_view::SchemaView;
use super::validator::{MOST_PATIENT, Validator, limit};
use super::{branching, depth};

/// Forms within forms that go no deeper are looked at without counting.
const FEW_LEVELS: usize = 6;

/// How many times going back, times how many bytes of values, are short enough.
const EFFORT: usize = 64 * 1024 * 1024;

pub(super) struct Validators {
    json: Value,
    /// How many schemas may hold one place of a value, one within the other.
    nesting: usize,
    may_branch: bool,
    validator: Validator,
}

impl Validators {
    /// The validator of a schema, or what is wrong with the schema, in words of our own.
    pub(super) fn of(json: &Value) -> Result<Self, String> {
        if !SchemaView::of(json, [json]).allows("object") {
            return Err("describes no object: settings are a struct, or a map by name".to_owned());
        }
        let validator = Validator::of(json)?;
        let (nesting, may_branch) = (depth::nesting(json), branching::may_branch(json));
        Ok(Self { json: json.clone(), nesting, may_branch, validator })
    }

    /// Whether these values would take more time than there is. With few levels, none do.
    pub(super) fn is_too_much(&self, tree: &Value) -> bool {
        self.may_branch && depth::levels(tree) > FEW_LEVELS && branching::is_too_much(&self.json, tree)
    }

    /// Runs a check of these values with a stack that is large enough for them.
    pub(super) fn with_room<T: Send>(&self, tree: &Value, check: impl FnOnce() -> T + Send) -> Result<T, NoRoom> {
        depth::with_room(depth::levels(tree), self.nesting, check)
    }

    pub(super) fn validator(&self) -> &Validator {
        &self.validator
    }

    /// The most patience that values of this length allow, for when a pattern does not come to an end without.
    pub(super) fn more_patience(&self, tree: &Value) -> Option<usize> {
        let bytes = text_bytes(tree).max(1);
        (1..=MOST_PATIENT).take_while(|patience| limit(*patience).saturating_mul(bytes) <= EFFORT).last()
    }
}

/// How long all texts of a tree are together, names included.
fn text_bytes(tree: &Value) -> usize {
    match tree {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(text_bytes).sum(),
        Value::Object(map) => map.iter().map(|(name, value)| name.len() + text_bytes(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
