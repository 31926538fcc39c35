//! A bound on branching: values for which a validator, and the type behind it, would take too long are refused.
//!
//! A value may have one of several forms, and within each the same forms again. Where the forms differ late, each level is
//! looked at as often as there are forms, for each look at the level above. So the looks are counted before any is taken.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::schema_view::follow;

/// So many looks are taken whatever the value, and so many more for each of its parts.
const LOOKS: u64 = 200_000;
const LOOKS_A_PART: u64 = 100;

/// So many pairs of a part and a schema are counted. Beyond that a value counts as too much.
const PAIRS: usize = 500_000;

type Keywords = Map<String, Value>;

/// Whether a schema has places of several forms at all, within itself.
pub(super) fn may_branch(root: &Value) -> bool {
    let (mut has_forms, mut has_references) = (false, false);
    let mut open = vec![root];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(keywords) => {
                let several =
                    |keyword| keywords.get(keyword).and_then(Value::as_array).is_some_and(|all| all.len() > 1);
                has_forms |= looks_again(keywords)
                    || several("anyOf")
                    || several("oneOf")
                    || several("allOf")
                    || keywords.contains_key("if");
                has_references |= keywords.contains_key("$ref");
                open.extend(keywords.values());
            }
            _ => {}
        }
    }
    has_forms && has_references
}

/// Whether the forms of a value are looked at a second time, for what they have looked at.
fn looks_again(keywords: &Keywords) -> bool {
    keywords.contains_key("unevaluatedProperties") || keywords.contains_key("unevaluatedItems")
}

/// Whether to hold a value against the schema takes more looks than there is time for.
pub(super) fn is_too_much(root: &Value, value: &Value) -> bool {
    let mut looks = Looks { root, known: HashMap::new() };
    let needed = looks.of(value, root);
    looks.known.len() > PAIRS || needed > LOOKS.saturating_add(parts(value).saturating_mul(LOOKS_A_PART))
}

/// How many parts a value has, itself included.
fn parts(value: &Value) -> u64 {
    1 + match value {
        Value::Array(items) => items.iter().map(parts).sum(),
        Value::Object(map) => map.values().map(parts).sum(),
        _ => 0,
    }
}

struct Looks<'s> {
    root: &'s Value,
    /// By where the value and the schema stand.
    known: HashMap<(*const Value, *const Keywords), u64>,
}

impl<'s> Looks<'s> {
    /// How often the value and what is in it is looked at when it is held against the schema.
    fn of(&mut self, value: &Value, schema: &'s Value) -> u64 {
        let Value::Object(keywords) = schema else { return 1 };
        let pair = (std::ptr::from_ref(value), std::ptr::from_ref(keywords));
        if let Some(known) = self.known.get(&pair) {
            return *known;
        }
        if self.known.len() > PAIRS {
            return u64::MAX;
        }
        // one that leads to itself is not looked at again
        self.known.insert(pair, 1);
        let here = self.here(value, keywords);
        let here = if looks_again(keywords) { here.saturating_mul(2) } else { here };
        let looks = 1_u64.saturating_add(here).saturating_add(self.within(value, keywords));
        self.known.insert(pair, looks);
        looks
    }

    /// The looks at the same value by other schemas.
    fn here(&mut self, value: &Value, keywords: &'s Keywords) -> u64 {
        let mut looks = 0_u64;
        for (keyword, inner) in keywords {
            looks = looks.saturating_add(match (keyword.as_str(), inner) {
                ("$ref", Value::String(reference)) => {
                    follow(self.root, reference).map_or(0, |target| self.of(value, target))
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => self.all(value, schemas),
                ("dependentSchemas" | "dependencies", Value::Object(named)) => self.all(value, named.values()),
                ("not" | "if" | "then" | "else", schema) => self.of(value, schema),
                _ => 0,
            });
        }
        looks
    }

    fn all(&mut self, value: &Value, schemas: impl IntoIterator<Item = &'s Value>) -> u64 {
        schemas.into_iter().fold(0, |looks, schema| looks.saturating_add(self.of(value, schema)))
    }

    /// The looks at what is in the value.
    fn within(&mut self, value: &Value, keywords: &'s Keywords) -> u64 {
        let mut looks = 0_u64;
        match value {
            Value::Object(map) => {
                let named = keywords.get("properties");
                for (name, inner) in map {
                    let property = named.and_then(|named| named.get(name));
                    looks = looks.saturating_add(self.all(inner, property));
                    let patterns = keywords.get("patternProperties").and_then(Value::as_object);
                    looks = looks.saturating_add(self.all(inner, patterns.into_iter().flat_map(Map::values)));
                    let others = ["additionalProperties", "unevaluatedProperties"];
                    let others = others.into_iter().filter_map(|keyword| keywords.get(keyword));
                    looks = looks.saturating_add(self.all(inner, others.filter(|_| property.is_none())));
                }
            }
            Value::Array(items) => {
                const OF_ALL: [&str; 4] = ["items", "additionalItems", "unevaluatedItems", "contains"];
                let first = ["prefixItems", "items"].map(|keyword| keywords.get(keyword).and_then(Value::as_array));
                for (index, inner) in items.iter().enumerate() {
                    let own = first.iter().flatten().find_map(|schemas| schemas.get(index));
                    let of_all = OF_ALL.into_iter().filter_map(|keyword| keywords.get(keyword));
                    looks = looks.saturating_add(self.all(inner, own)).saturating_add(self.all(inner, of_all));
                }
            }
            _ => {}
        }
        looks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Forms that each have the same again under `a`, and differ in what comes after it.
    fn late() -> Value {
        let form = |name: &str| json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/level" } }, "required": [name] });
        json!({ "$defs": { "level": { "anyOf": [form("x"), form("y"), { "type": "null" }] } }, "$ref": "#/$defs/level" })
    }

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }))
    }

    #[test]
    fn forms_within_forms_are_counted_and_few_levels_of_them_are_taken() {
        assert!(may_branch(&late()));
        assert!(!is_too_much(&late(), &nested(10)));
        for levels in [30, 64, 120] {
            assert!(is_too_much(&late(), &nested(levels)), "{levels}");
        }
    }

    #[test]
    fn forms_that_differ_at_once_and_long_lists_are_not_too_much() {
        let form = |name: &str| json!({ "type": "object", "properties": { name: { "$ref": "#/$defs/level" } } });
        let tagged =
            json!({ "$defs": { "level": { "oneOf": [form("a"), form("b"), form("c")] } }, "$ref": "#/$defs/level" });
        assert!(!is_too_much(&tagged, &nested(120)));
        let list = json!({ "type": "array", "items": { "$ref": "#/$defs/level" }, "$defs": late()["$defs"] });
        assert!(!is_too_much(&list, &Value::Array(vec![nested(3); 10_000])));
        assert!(!may_branch(
            &json!({ "properties": { "a": { "anyOf": [{ "type": "string" }, { "type": "null" }] } } })
        ));
    }
}
