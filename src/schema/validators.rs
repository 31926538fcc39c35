//! Compiled validators of a schema, with an end to the time that its patterns may take.

use std::sync::OnceLock;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::depth::NoRoom;
use super::schema_view::SchemaView;
use super::{branching, depth, normalize};

/// A pattern that looks around or refers back is tried by going back again and again, and each time may read all that is left
/// of the value. So often it may go back, whatever the value.
const FEW: usize = 256;

/// So often it may go back when the values are short enough for that: once, twice, four times … this.
const MORE: usize = 2 * FEW;

/// How many such steps there are. A million times is what pattern engines allow by themselves.
const STEPS: usize = 12;

/// Forms within forms that go no deeper are looked at without counting.
const FEW_LEVELS: usize = 6;

/// How many times going back, times how many bytes of values, are short enough.
const EFFORT: usize = 64 * 1024 * 1024;

/// The validators of one schema. All give the same answers where they come to an end; a patient one comes to more of them.
pub(super) struct Validators {
    json: Value,
    /// How many schemas may hold one place of a value, one within the other.
    nesting: usize,
    may_branch: bool,
    first: Validator,
    patient: [OnceLock<Option<Validator>>; STEPS],
}

impl Validators {
    /// The validators of a schema, or what is wrong with the schema, in words of our own.
    pub(super) fn of(json: &Value) -> Result<Self, String> {
        if !SchemaView::of(json, [json]).allows("object") {
            return Err("describes no object: settings are a struct, or a map by name".to_owned());
        }
        let first = validator(json, FEW)?;
        let (nesting, may_branch) = (depth::nesting(json), branching::may_branch(json));
        Ok(Self { json: json.clone(), nesting, may_branch, first, patient: Default::default() })
    }

    /// Whether these values would take more time than there is. With few levels, none do.
    pub(super) fn is_too_much(&self, tree: &Value) -> bool {
        self.may_branch && depth::levels(tree) > FEW_LEVELS && branching::is_too_much(&self.json, tree)
    }

    /// Runs a check of these values with a stack that is large enough for them.
    pub(super) fn with_room<T: Send>(&self, tree: &Value, check: impl FnOnce() -> T + Send) -> Result<T, NoRoom> {
        depth::with_room(depth::levels(tree), self.nesting, check)
    }

    /// The one to begin with. No pattern takes it longer than the length of the values times a constant.
    pub(super) fn first(&self) -> &Validator {
        &self.first
    }

    /// The most patient one that values of this length allow, for when the first does not come to an end with a pattern.
    pub(super) fn more_patient(&self, tree: &Value) -> Option<&Validator> {
        let bytes = text_bytes(tree).max(1);
        let steps = self.patient.iter().enumerate().map(|(step, slot)| (slot, MORE << step));
        let (slot, limit) = steps.take_while(|(_, limit)| limit.saturating_mul(bytes) <= EFFORT).last()?;
        slot.get_or_init(|| validator(&self.json, limit).ok()).as_ref()
    }
}

fn validator(json: &Value, backtracks: usize) -> Result<Validator, String> {
    jsonschema::options()
        .offline()
        .should_validate_formats(true)
        .with_format(normalize::DURATION, |text: &str| normalize::duration(text).is_some())
        // the format of `IpAddr`, which is none of the standard's
        .with_format("ip", |text: &str| text.parse::<std::net::IpAddr>().is_ok())
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(backtracks))
        .build(json)
        .map_err(|error| match error.schema_path().as_str() {
            "" if json.get("$schema").is_some() => {
                "cannot be used: its $schema is not known, or a $ref in it leads nowhere".to_owned()
            }
            "" => "cannot be used: a $ref in it leads nowhere".to_owned(),
            _ => format!("is no JSON Schema: {} is not what the keyword takes", error.instance_path().as_str()),
        })
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
