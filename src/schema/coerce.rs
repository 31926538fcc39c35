//! Texts of secrets as values of the types that their schema gives. The schema decides, never the look of the text.

use std::time::Duration;

use serde_json::{Number, Value};
use zeroize::Zeroize as _;

use super::normalize::duration;
use super::schema_view::SchemaView;
use super::tree::Tree;
use super::{json, messages};

/// Reads `text` as what `view` describes. The problem is put in words that quote nothing of the text.
pub(super) fn read<'s>(root: &'s Value, view: &SchemaView<'s>, text: &str) -> Result<Tree, String> {
    // no duration begins as JSON does
    let is_json = view.is_duration() && begins_as_json(view, text);
    let value = if is_json { None } else { scalar(view, text) };
    value.map_or_else(|| composite(root, view, text), |value| Ok(Tree(value)))
}

/// Whether the text begins as an object or a list, where one may be.
fn begins_as_json(view: &SchemaView<'_>, text: &str) -> bool {
    let start = text.trim_start();
    view.allows("object") && start.starts_with('{') || view.allows("array") && start.starts_with('[')
}

/// A text, number, boolean or null.
fn scalar(view: &SchemaView<'_>, text: &str) -> Option<Value> {
    if view.is_open() {
        return Some(Value::from(text));
    }
    let plain = text.trim();
    if view.allows("null") && plain.is_empty() && !takes_empty_text(view) {
        return Some(Value::Null);
    }
    let may_be_text = view.has_choice(text).unwrap_or_else(|| view.allows("string"));
    if may_be_text {
        // a duration has a unit, and no number has one
        let is_other = view.is_duration() && duration(text).is_none();
        let other = is_other.then(|| number_or_boolean(view, plain)).flatten();
        return Some(other.unwrap_or_else(|| Value::from(text)));
    }
    let null = || (view.allows("null") && plain == "null").then_some(Value::Null);
    number_or_boolean(view, plain).or_else(null)
}

fn number_or_boolean(view: &SchemaView<'_>, plain: &str) -> Option<Value> {
    let integer = view.allows("integer").then(|| integer(plain)).flatten();
    let number = || view.allows("number").then(|| number(plain)).flatten();
    let boolean = || view.allows("boolean").then(|| boolean(plain)).flatten();
    integer.or_else(number).or_else(boolean)
}

/// Whether the empty text is a value of its own here, and so does not stand for null.
fn takes_empty_text(view: &SchemaView<'_>) -> bool {
    match view.has_choice("") {
        Some(is_choice) => is_choice,
        None => view.allows("string") && view.format().is_none(),
    }
}

/// An object or a list.
fn composite<'s>(root: &'s Value, view: &SchemaView<'s>, text: &str) -> Result<Tree, String> {
    let (object, array) = (view.allows("object"), view.allows("array"));
    if begins_as_json(view, text) {
        let tree = json::parse(text)?;
        let fits = if tree.0.is_object() { object } else { array };
        return if fits { Ok(tree) } else { Err(messages::expectation(view)) };
    }
    if array && (!object || is_list_of_scalars(root, view)) {
        return list(root, view, text);
    }
    if view.allows("integer") && is_long_integer(text.trim()) {
        return Err("is an integer that does not fit into 64 bits".to_owned());
    }
    Err(messages::expectation(view))
}

/// `a, b, c`, for lists of scalars.
fn list<'s>(root: &'s Value, view: &SchemaView<'s>, text: &str) -> Result<Tree, String> {
    if !is_list_of_scalars(root, view) {
        return Err(messages::expectation(view));
    }
    let mut items = Tree(Value::Array(Vec::new()));
    if text.trim().is_empty() {
        return Ok(items);
    }
    let views = ItemShapes::of(root, view);
    for (index, part) in text.split(',').enumerate() {
        let item = views.at(index);
        let value = scalar(item, part.trim())
            .ok_or_else(|| format!("has an item at place {} that {}", index + 1, messages::expectation(item)))?;
        if let Value::Array(items) = &mut items.0 {
            items.push(value);
        }
    }
    Ok(items)
}

/// The views of a list's items: those of the first ones, and the one of all others. A list may be very long.
struct ItemShapes<'s> {
    first: Vec<SchemaView<'s>>,
    other: SchemaView<'s>,
}

impl<'s> ItemShapes<'s> {
    fn of(root: &'s Value, list: &SchemaView<'s>) -> Self {
        let count = list.first_items();
        let at = |index| SchemaView::of(root, list.item(index));
        Self { first: (0..count).map(at).collect(), other: at(count) }
    }

    fn at(&self, index: usize) -> &SchemaView<'s> {
        self.first.get(index).unwrap_or(&self.other)
    }
}

fn is_list_of_scalars<'s>(root: &'s Value, view: &SchemaView<'s>) -> bool {
    let item = SchemaView::of(root, view.item(0));
    !item.allows("object") && !item.allows("array")
}

/// A whole number of up to 64 bits, exactly.
fn integer(text: &str) -> Option<Value> {
    let signed = text.parse::<i64>().map(Value::from);
    signed.or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

fn is_long_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits.len() > 18 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> Option<Value> {
    let written_in_digits = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|_| written_in_digits).and_then(Number::from_f64).map(Value::Number)
}

fn boolean(text: &str) -> Option<Value> {
    let is_one_of = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["true", "1", "yes", "on"]) {
        Some(Value::Bool(true))
    } else if is_one_of(["false", "0", "no", "off"]) {
        Some(Value::Bool(false))
    } else {
        None
    }
}

/// How a duration is put for who reads it: of its text, and of what that says.
pub(super) type Spelling = fn(&str, Duration) -> Value;

/// Puts durations in the form that serde knows. The value must have been checked against the schema.
pub(super) fn spell_out_durations<'s>(root: &'s Value, view: &SchemaView<'s>, value: &mut Value, form: Spelling) {
    match value {
        Value::String(text) if view.is_duration() => {
            if let Some(duration) = duration(text) {
                let spelled = form(text, duration);
                text.zeroize();
                *value = spelled;
            }
        }
        Value::Array(items) => {
            let views = ItemShapes::of(root, view);
            for (index, item) in items.iter_mut().enumerate() {
                spell_out_durations(root, views.at(index), item, form);
            }
        }
        Value::Object(map) => {
            let narrowed = view.narrowed(|name| map.get(name)?.as_str());
            let other = SchemaView::of(root, narrowed.others());
            for (name, value) in map.iter_mut() {
                match narrowed.named(name) {
                    known if known.is_empty() => spell_out_durations(root, &other, value, form),
                    known => spell_out_durations(root, &SchemaView::of(root, known), value, form),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_as(schema: &Value, text: &str) -> Option<Value> {
        read(schema, &SchemaView::of(schema, [schema]), text).ok().map(Tree::into_inner)
    }

    /// Texts of every look, more by a small generator.
    fn texts() -> Vec<String> {
        let mut texts: Vec<String> =
            ["", "00123", "true", "1e5", "null", "[1]", "{\"a\":1}", " x ", "30s", "NaN", "\"x\"", "-0", "\u{feff}1"]
                .map(str::to_owned)
                .to_vec();
        let alphabet: Vec<char> = "01.eE+-tfnul{}[]\",: \n\té".chars().collect();
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for length in 0..2000 {
            let mut text = String::new();
            for _ in 0..length % 12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.extend(alphabet.get((state >> 33) as usize % alphabet.len()));
            }
            texts.push(text);
        }
        texts
    }

    #[test]
    fn a_string_stays_a_string_whatever_it_looks_like() {
        let schemas = [
            json!({ "type": "string" }),
            json!({ "type": ["string", "null"] }),
            json!({ "type": "string", "writeOnly": true }),
            json!({ "type": ["integer", "string", "boolean"] }),
            json!({ "anyOf": [{ "type": "integer" }, { "type": "string" }] }),
            json!({}),
        ];
        for schema in &schemas {
            for text in texts() {
                assert_eq!(read_as(schema, &text), Some(Value::from(text.clone())), "{schema} {text:?}");
            }
        }
    }

    #[test]
    fn integers_are_exact_to_64_bits_and_nothing_else_is_one() {
        let schema = json!({ "type": "integer" });
        assert_eq!(read_as(&schema, "18446744073709551615"), Some(json!(u64::MAX)));
        assert_eq!(read_as(&schema, "-9223372036854775808"), Some(json!(i64::MIN)));
        assert_eq!(read_as(&schema, "9007199254740993\n"), Some(json!(9_007_199_254_740_993_u64)));
        for text in ["18446744073709551616", "1.0", "1e3", "", "0x10", "1_000", "١", "one", "1 2"] {
            assert_eq!(read_as(&schema, text), None, "{text}");
        }
    }

    #[test]
    fn numbers_and_booleans_are_read_in_their_usual_forms() {
        let number = json!({ "type": "number" });
        assert_eq!(read_as(&number, "0.25"), Some(json!(0.25)));
        assert_eq!(read_as(&number, "3"), Some(json!(3)));
        for text in ["NaN", "inf", "1e999", "infinity", ""] {
            assert_eq!(read_as(&number, text), None, "{text}");
        }
        let boolean = json!({ "type": "boolean" });
        for text in ["true", "TRUE", "1", "Yes", "on"] {
            assert_eq!(read_as(&boolean, text), Some(json!(true)), "{text}");
        }
        for text in ["false", "0", "no", "OFF"] {
            assert_eq!(read_as(&boolean, text), Some(json!(false)), "{text}");
        }
        for text in ["", "t", "2", "enabled"] {
            assert_eq!(read_as(&boolean, text), None, "{text}");
        }
    }

    #[test]
    fn an_empty_text_is_null_only_where_it_can_be_nothing_else() {
        assert_eq!(read_as(&json!({ "type": ["integer", "null"] }), ""), Some(Value::Null));
        assert_eq!(read_as(&json!({ "type": ["string", "null"] }), ""), Some(json!("")));
        assert_eq!(read_as(&json!({ "anyOf": [{ "enum": ["a"] }, { "type": "null" }] }), ""), Some(Value::Null));
        assert_eq!(read_as(&json!({ "type": "integer" }), ""), None);
    }

    #[test]
    fn lists_are_json_or_separated_by_commas() {
        let texts = json!({ "type": "array", "items": { "type": "string" } });
        assert_eq!(read_as(&texts, "a, b ,c"), Some(json!(["a", "b", "c"])));
        assert_eq!(read_as(&texts, r#"["a,b", "c"]"#), Some(json!(["a,b", "c"])));
        assert_eq!(read_as(&texts, " "), Some(json!([])));
        assert_eq!(read_as(&texts, "[a"), None);
        let numbers = json!({ "type": "array", "items": { "type": "integer" } });
        assert_eq!(read_as(&numbers, "1,2"), Some(json!([1, 2])));
        assert_eq!(read_as(&numbers, "1,x"), None);
        let objects = json!({ "type": "array", "items": { "type": "object" } });
        assert_eq!(read_as(&objects, "a,b"), None);
        assert_eq!(read_as(&objects, "[{}]"), Some(json!([{}])));
    }

    #[test]
    fn what_stands_beside_a_duration_is_read_as_what_it_is() {
        let duration = json!({ "type": "string", "format": "duration-text" });
        let others = [
            json!({ "type": "integer" }),
            json!({ "type": "boolean" }),
            json!({ "type": "array" }),
            json!({ "type": "object" }),
        ];
        let schema = json!({ "anyOf": [duration, others[0], others[1], others[2], others[3]] });
        for (text, value) in [
            ("1h 30m", json!("1h 30m")),
            ("30", json!(30)),
            ("yes", json!(true)),
            ("[1]", json!([1])),
            (r#"{"a":1}"#, json!({ "a": 1 })),
            // no list of one text: it is a duration that was mistyped
            ("30 sekonds", json!("30 sekonds")),
            ("null", json!("null")),
        ] {
            assert_eq!(read_as(&schema, text), Some(value), "{text}");
        }
        // a text that may be anything is never taken for more
        let any = json!({ "anyOf": [duration, { "type": "string" }, others[0], others[2]] });
        for text in ["30", "1h", "[1]"] {
            assert_eq!(read_as(&any, text), Some(json!(text)), "{text}");
        }
    }

    #[test]
    fn an_enum_with_data_is_a_name_or_json() {
        let schema = json!({ "oneOf": [{ "enum": ["Off"] }, { "type": "object", "properties": { "File": {} } }] });
        assert_eq!(read_as(&schema, "Off"), Some(json!("Off")));
        assert_eq!(read_as(&schema, r#"{"File": "x"}"#), Some(json!({ "File": "x" })));
        assert_eq!(read_as(&schema, "off"), None);
    }

    #[test]
    fn no_problem_quotes_the_text() {
        let canary = "canary4242";
        for schema in [
            json!({ "type": "integer" }),
            json!({ "type": ["boolean", "null"] }),
            json!({ "type": "object" }),
            json!({ "type": "array", "items": { "type": "integer" } }),
            json!({ "enum": ["a", "b"] }),
        ] {
            for text in
                [canary.to_owned(), format!("{{\"{canary}\""), format!("[\"{canary}\",}}"), format!("1,{canary}")]
            {
                let problem = read(&schema, &SchemaView::of(&schema, [&schema]), &text).err().unwrap_or_default();
                assert!(!problem.contains("canary"), "{problem}");
            }
        }
    }
}
