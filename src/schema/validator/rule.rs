//! The rules that a schema's keywords are compiled into.

use std::collections::HashMap;

use serde_json::{Number, Value};

use super::numbers::{compare, compare_numbers, is_multiple, is_whole};
use super::pattern::Pattern;
use super::{Id, format};

pub(in crate::schema) enum Rule {
    /// The schema `false`.
    Never,
    Types(Vec<Type>),
    Enum(Enum),
    Constant(Value),
    Bound(Bound, Number),
    MultipleOf(Number),
    MinLength(u64),
    MaxLength(u64),
    Pattern(Pattern),
    Format(format::Format),
    MinItems(u64),
    MaxItems(u64),
    UniqueItems,
    Items(Items),
    Contains(Contains),
    MinProperties(u64),
    MaxProperties(u64),
    Required(Vec<String>),
    /// What must be there when a property is.
    DependentRequired(Vec<(String, Vec<String>)>),
    DependentSchemas(Vec<(String, Id)>),
    Properties(Properties),
    PropertyNames(Id),
    Reference(Id),
    All(Vec<Id>),
    Any(Vec<Id>),
    One(Vec<Id>),
    /// What it must not be, and whether that is the number 0.
    Not(Id, bool),
    If(Condition),
    UnevaluatedItems(Id),
    UnevaluatedProperties(Id),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema) enum Type {
    Null,
    Boolean,
    Integer,
    /// An integer of draft 4, which is written without a point.
    PlainInteger,
    Number,
    String,
    Array,
    Object,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema) enum Bound {
    Minimum,
    Maximum,
    ExclusiveMinimum,
    ExclusiveMaximum,
}

/// The values of an `enum`, as they are written.
pub(in crate::schema) struct Enum {
    listed: Vec<Value>,
    /// Their places, in the order of the values: there may be very many.
    sorted: Vec<usize>,
}

/// The first items of a list, and the others.
#[derive(Debug, Default)]
pub(in crate::schema) struct Items {
    pub(super) first: Vec<Id>,
    pub(super) others: Option<Id>,
    /// There may be none but the first.
    pub(super) is_closed: bool,
}

#[derive(Debug)]
pub(in crate::schema) struct Contains {
    pub(super) schema: Id,
    pub(super) least: u64,
    pub(super) most: Option<u64>,
    /// Whether the items that it finds count as evaluated.
    pub(super) evaluates: bool,
}

#[derive(Debug, Default)]
pub(in crate::schema) struct Properties {
    pub(super) named: HashMap<String, Id>,
    pub(super) patterns: Vec<(Pattern, Id)>,
    pub(super) others: Option<Id>,
    /// There may be none but these.
    pub(super) is_closed: bool,
}

#[derive(Debug)]
pub(in crate::schema) struct Condition {
    pub(super) when: Id,
    pub(super) then: Option<Id>,
    pub(super) otherwise: Option<Id>,
}

impl Rule {
    /// Whether a value keeps a rule that is about the value alone, and not about what other schemas say of it.
    pub(super) fn is_kept_by(&self, value: &Value) -> bool {
        let fits = |count: usize, fits: fn(&u64, &u64) -> bool, limit: &u64| fits(&(count as u64), limit);
        match (self, value) {
            (Self::Never, _) => false,
            (Self::Types(types), value) => types.iter().any(|one| one.fits(value)),
            (Self::Enum(choices), value) => choices.has(value),
            (Self::Constant(constant), value) => compare(constant, value).is_eq(),
            (Self::Bound(bound, limit), Value::Number(number)) => bound.holds(number, limit),
            (Self::MultipleOf(of), Value::Number(number)) => is_multiple(number, of),
            (Self::MinLength(limit), Value::String(text)) => fits(text.chars().count(), u64::ge, limit),
            (Self::MaxLength(limit), Value::String(text)) => fits(text.chars().count(), u64::le, limit),
            (Self::Format(format), Value::String(text)) => format.fits(text),
            (Self::MinItems(limit), Value::Array(items)) => fits(items.len(), u64::ge, limit),
            (Self::MaxItems(limit), Value::Array(items)) => fits(items.len(), u64::le, limit),
            (Self::UniqueItems, Value::Array(items)) => are_unique(items),
            (Self::MinProperties(limit), Value::Object(map)) => fits(map.len(), u64::ge, limit),
            (Self::MaxProperties(limit), Value::Object(map)) => fits(map.len(), u64::le, limit),
            _ => true,
        }
    }
}

impl Type {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }

    fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null)
            | (Self::Boolean, Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::String, Value::String(_))
            | (Self::Array, Value::Array(_))
            | (Self::Object, Value::Object(_)) => true,
            (Self::Integer, Value::Number(number)) => is_whole(number),
            (Self::PlainInteger, Value::Number(number)) => number.is_i64() || number.is_u64(),
            _ => false,
        }
    }
}

impl Bound {
    fn holds(self, number: &Number, limit: &Number) -> bool {
        let order = compare_numbers(number, limit);
        match self {
            Self::Minimum => order.is_ge(),
            Self::Maximum => order.is_le(),
            Self::ExclusiveMinimum => order.is_gt(),
            Self::ExclusiveMaximum => order.is_lt(),
        }
    }
}

impl Enum {
    pub(super) fn of(listed: &[Value]) -> Self {
        let mut places: Vec<(usize, &Value)> = listed.iter().enumerate().collect();
        places.sort_by(|(_, one), (_, other)| compare(one, other));
        Self { sorted: places.into_iter().map(|(at, _)| at).collect(), listed: listed.to_vec() }
    }

    pub(in crate::schema) fn listed(&self) -> &[Value] {
        &self.listed
    }

    fn has(&self, value: &Value) -> bool {
        let order = |at: &usize| self.listed.get(*at).map_or(std::cmp::Ordering::Less, |listed| compare(listed, value));
        self.sorted.binary_search_by(order).is_ok()
    }
}

fn are_unique(items: &[Value]) -> bool {
    let mut sorted: Vec<&Value> = items.iter().collect();
    sorted.sort_by(|one, other| compare(one, other));
    sorted.windows(2).all(|pair| match pair {
        [one, other] => compare(one, other).is_ne(),
        _ => true,
    })
}
