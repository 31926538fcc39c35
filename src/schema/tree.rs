//! Plaintext as a tree of JSON, wiped when it is dropped.

use serde_json::{Map, Value};
use zeroize::Zeroize;

/// Values on their way into a type. Its texts are overwritten with zeros when it is dropped; numbers are overwritten as far
/// as the JSON library lets them.
pub(crate) struct Tree(pub(crate) Value);

impl Tree {
    /// Takes the value out; whoever takes it wipes it.
    pub(super) fn into_inner(mut self) -> Value {
        std::mem::take(&mut self.0)
    }

    pub(super) fn object(map: Map<String, Value>) -> Self {
        Self(Value::Object(map))
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Overwrites every text of a value.
pub(super) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => {
            for (mut name, mut value) in std::mem::take(map) {
                name.zeroize();
                wipe(&mut value);
            }
        }
        Value::Number(_) => *value = Value::from(0),
        Value::Bool(_) | Value::Null => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_of_a_value_is_left_after_wiping() {
        let mut value = json!(["text", 5, ["inner"], { "name": "text" }]);
        wipe(&mut value);
        assert_eq!(value, json!(["", 0, [""], {}]));
    }
}
