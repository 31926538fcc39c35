//! A check of JSON against the document, for the keywords that the document uses. `tests/recordings/validate` does the same with
//! an independent validator, and requests too.

use serde_json::Value;

use super::fields::{Document, name_of};

impl Document {
    /// The places at which a value is not what a schema says, with the rule. No value is named.
    pub(crate) fn complaints(&self, schema: &str, value: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.check(&mut found, "", self.component(schema), value);
        found
    }

    fn check(&self, found: &mut Vec<String>, at: &str, schema: &Value, value: &Value) {
        if let Some(name) = name_of(schema) {
            return self.check(found, at, self.component(name), value);
        }
        if let Some(forms) = schema["oneOf"].as_array() {
            let fits = |form: &&Value| {
                let mut inner = Vec::new();
                self.check(&mut inner, at, form, value);
                inner.is_empty()
            };
            let fitting = forms.iter().filter(fits).count();
            if fitting != 1 {
                found.push(format!("{at}: {fitting} of its forms fit"));
            }
            return;
        }
        if value.is_null() && schema["nullable"] == true {
            return;
        }
        if let Some(kind) = schema["type"].as_str()
            && !is_of(kind, value)
        {
            found.push(format!("{at}: is no {kind}"));
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.as_object().is_some_and(|members| !members.contains_key(name)) {
                found.push(format!("{at}: lacks {name}"));
            }
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            let inner = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
            self.check(found, &format!("{at}/{name}"), inner, member);
        }
        for (place, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check(found, &format!("{at}/{place}"), &schema["items"], item);
        }
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => false,
    }
}
