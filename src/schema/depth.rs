//! Depth limits of schema validation, and the stack that it runs on.

use std::collections::HashMap;

use serde_json::Value;

use super::schema_view::follow;

/// So many schemas, one within the other, are checked on the stack of the caller, which may be small.
const ON_THE_SPOT: usize = 64;

/// So many are checked at all: a validator that goes on needs more memory than this is worth.
const MOST: usize = 16 * 1024;

/// What one schema takes of a stack. A development build takes half of it.
const BYTES: usize = 8 * 1024;

/// What a stack has besides.
const REST: usize = 256 * 1024;

/// Why something cannot be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The values are nested too deep for the schema.
    TooDeep,
    /// The system gives no thread.
    NoThread,
}

/// Runs `check`, which goes down `levels` of values with `nesting` schemas at each, with a stack that is large enough.
pub(super) fn with_room<T: Send>(levels: usize, nesting: usize, check: impl FnOnce() -> T + Send) -> Result<T, NoRoom> {
    let schemas = levels.saturating_mul(nesting);
    if schemas <= ON_THE_SPOT {
        return Ok(check());
    }
    if schemas > MOST {
        return Err(NoRoom::TooDeep);
    }
    // joined before this returns, so no thread stays behind
    std::thread::scope(|scope| {
        let thread =
            std::thread::Builder::new().name("xtrasecurity-schema".to_owned()).stack_size(schemas * BYTES + REST);
        let running = thread.spawn_scoped(scope, check).map_err(|_| NoRoom::NoThread)?;
        running.join().map_err(|_| NoRoom::NoThread)
    })
}

/// How many levels a value has.
pub(super) fn levels(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(levels).max().unwrap_or_default(),
        Value::Object(map) => map.values().map(levels).max().unwrap_or_default(),
        _ => 0,
    }
}

/// How many schemas, one within the other, a schema may hold one place of a value against, and one for the step to the next.
pub(super) fn nesting(root: &Value) -> usize {
    let mut nesting = Nesting { root, known: HashMap::new() };
    let mut open = vec![root];
    let mut most = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(keywords) => {
                most = most.max(nesting.of(value));
                open.extend(keywords.values());
            }
            _ => {}
        }
    }
    most + 1
}

struct Nesting<'s> {
    root: &'s Value,
    /// By where they stand in the document. A schema that leads to itself is known while it is looked at.
    known: HashMap<*const Value, usize>,
}

impl<'s> Nesting<'s> {
    fn of(&mut self, schema: &'s Value) -> usize {
        let Value::Object(keywords) = schema else { return 1 };
        if let Some(known) = self.known.get(&std::ptr::from_ref(schema)) {
            return *known;
        }
        self.known.insert(schema, 1);
        let mut most = 0;
        for (keyword, inner) in keywords {
            let deepest = match (keyword.as_str(), inner) {
                ("$ref", Value::String(reference)) => follow(self.root, reference).map(|target| self.of(target)),
                ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => schemas.iter().map(|one| self.of(one)).max(),
                ("dependentSchemas" | "dependencies", Value::Object(named)) => {
                    named.values().map(|one| self.of(one)).max()
                }
                ("not" | "if" | "then" | "else", schema) => Some(self.of(schema)),
                _ => None,
            };
            most = most.max(deepest.unwrap_or_default());
        }
        self.known.insert(schema, most + 1);
        most + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn levels_and_nesting_are_counted_and_loops_end() {
        assert_eq!(levels(&json!(null)), 1);
        assert_eq!(levels(&json!({ "a": [1, { "b": [] }] })), 4);
        assert_eq!(nesting(&json!({ "type": "object", "properties": { "a": { "type": "string" } } })), 2);
        let root = json!({
            "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/b" }] }, "b": { "properties": { "x": { "$ref": "#/$defs/a" } } } },
            "$ref": "#/$defs/a",
        });
        // the root, a, its form, b, and the step to x
        assert_eq!(nesting(&root), 5);
        assert!(nesting(&json!({ "$defs": { "a": { "allOf": [{ "$ref": "#/$defs/a" }] } }, "$ref": "#/$defs/a" })) < 6);
    }

    #[test]
    fn what_is_deep_has_a_stack_of_its_own_and_what_is_too_deep_is_not_begun() {
        let here = std::thread::current().id();
        let thread = || std::thread::current().id();
        assert_eq!(with_room(8, 8, thread), Ok(here));
        assert!(with_room(128, 128, thread).is_ok_and(|there| there != here));
        assert_eq!(with_room(129, 128, thread), Err(NoRoom::TooDeep));
        assert_eq!(with_room(usize::MAX, 2, thread), Err(NoRoom::TooDeep));
    }
}
