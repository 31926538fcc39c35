//! What each keyword takes and refuses.

use serde_json::json;

use super::*;

fn fits(schema: &Value, value: &Value) -> bool {
    let validator = Validator::of(schema).unwrap_or_else(|flaw| panic!("{schema}: {flaw}"));
    validator.violations(value, 0).is_empty()
}

fn defect(schema: Value) -> String {
    Validator::of(&schema).err().unwrap_or_else(|| panic!("{schema} is taken"))
}

fn draft(number: u8, mut schema: Value) -> Value {
    schema["$schema"] = format!("http://json-schema.org/draft-0{number}/schema#").into();
    schema
}

/// Each schema with values that fit and values that do not.
#[test]
fn every_keyword_is_checked() {
    let table = [
        (json!({ "type": ["integer", "null"] }), json!([1, 1.0, null, 1e300]), json!([1.5, "1", true, [], {}])),
        (json!({ "enum": [1, "a", [2], { "b": 3 }] }), json!([1.0, "a", [2.0], { "b": 3 }]), json!([2, "b", [], {}])),
        (json!({ "const": { "a": [1] } }), json!([{ "a": [1.0] }]), json!([{ "a": [1, 1] }, null])),
        (json!({ "minimum": 2, "maximum": 3 }), json!([2, 2.5, 3, "x"]), json!([1.999, 3.001, -5])),
        (json!({ "exclusiveMinimum": 2, "exclusiveMaximum": 3 }), json!([2.5]), json!([2, 3])),
        (json!({ "minimum": 9_007_199_254_740_993_u64 }), json!([u64::MAX]), json!([9_007_199_254_740_992_u64, 1.5])),
        (json!({ "multipleOf": 0.01 }), json!([0.07, 19.99, 4, 0]), json!([0.075, 1e-3])),
        (json!({ "multipleOf": 3 }), json!([-9, 0, 6.0]), json!([4, 3.5])),
        (json!({ "minLength": 2, "maxLength": 3 }), json!(["äö", "abc", 5]), json!(["a", "abcd"])),
        (json!({ "pattern": "^\\d+$" }), json!(["12", null]), json!(["", "1a", "١"])),
        (json!({ "pattern": "(?=.*b)a" }), json!(["ab"]), json!(["a"])),
        (json!({ "minItems": 1, "maxItems": 2 }), json!([[1], [1, 2], {}]), json!([[], [1, 2, 3]])),
        (
            json!({ "uniqueItems": true }),
            json!([[1, "1", true], [[1], [2]]]),
            json!([[1, 1.0], [{ "a": 1 }, { "a": 1 }]]),
        ),
        (json!({ "items": { "type": "integer" } }), json!([[], [1, 2]]), json!([[1, "2"]])),
        (json!({ "prefixItems": [{ "const": 1 }], "items": false }), json!([[], [1]]), json!([[2], [1, 1]])),
        (json!({ "contains": { "const": 1 }, "maxContains": 2 }), json!([[1], [0, 1, 1]]), json!([[], [0], [1, 1, 1]])),
        (json!({ "contains": { "const": 1 }, "minContains": 0 }), json!([[], [0]]), json!([])),
        (json!({ "minProperties": 1, "maxProperties": 1 }), json!([{ "a": 1 }, []]), json!([{}, { "a": 1, "b": 2 }])),
        (json!({ "required": ["a", "b"] }), json!([{ "a": 1, "b": null }, []]), json!([{}, { "a": 1 }])),
        (
            json!({ "dependentRequired": { "a": ["b"] } }),
            json!([{}, { "b": 1 }, { "a": 1, "b": 1 }]),
            json!([{ "a": 1 }]),
        ),
        (
            json!({ "dependentSchemas": { "a": { "maxProperties": 1 } } }),
            json!([{ "a": 1 }]),
            json!([{ "a": 1, "b": 1 }]),
        ),
        (
            json!({ "dependencies": { "a": ["b"], "c": false } }),
            json!([{ "a": 1, "b": 1 }]),
            json!([{ "a": 1 }, { "c": 1 }]),
        ),
        (
            json!({ "properties": { "a": { "type": "null" }, "b": false } }),
            json!([{ "a": null }, { "c": 1 }]),
            json!([{ "a": 1 }, { "b": 1 }]),
        ),
        (
            json!({ "properties": { "a": true }, "patternProperties": { "^b": { "const": 1 } }, "additionalProperties": false }),
            json!([{ "a": 2, "bb": 1 }]),
            json!([{ "bb": 2 }, { "c": 1 }]),
        ),
        (json!({ "additionalProperties": { "const": 1 } }), json!([{ "a": 1 }]), json!([{ "a": 2 }])),
        (json!({ "propertyNames": { "maxLength": 1 } }), json!([{ "a": 1 }]), json!([{ "ab": 1 }])),
        (json!({ "allOf": [{ "minimum": 1 }, { "maximum": 2 }] }), json!([1, 2]), json!([0, 3])),
        (json!({ "anyOf": [{ "const": 1 }, { "const": 2 }] }), json!([1, 2]), json!([3])),
        (json!({ "oneOf": [{ "minimum": 2 }, { "maximum": 3 }] }), json!([1, 4]), json!([2, 3])),
        (json!({ "not": { "const": 0 } }), json!([1, "0"]), json!([0, 0.0])),
        (
            json!({ "if": { "minimum": 5 }, "then": { "multipleOf": 5 }, "else": { "multipleOf": 2 } }),
            json!([2, 10]),
            json!([3, 6]),
        ),
        (
            json!({ "$ref": "#/$defs/small", "minimum": 1, "$defs": { "small": { "maximum": 2 } } }),
            json!([1, 2]),
            json!([0, 3]),
        ),
        (json!(false), json!([]), json!([1, null])),
    ];
    for (schema, good, bad) in &table {
        for value in good.as_array().into_iter().flatten() {
            assert!(fits(schema, value), "{schema} refuses {value}");
        }
        for value in bad.as_array().into_iter().flatten() {
            assert!(!fits(schema, value), "{schema} takes {value}");
        }
    }
}

#[test]
fn what_no_keyword_has_looked_at_is_known_through_all_schemas_of_a_value() {
    let schema = json!({
        "$defs": { "base": { "properties": { "base": true } } },
        "$ref": "#/$defs/base",
        "allOf": [{ "properties": { "all": true } }],
        "anyOf": [{ "properties": { "one": { "const": 1 } }, "required": ["one"] }, { "properties": { "two": true }, "required": ["two"] }],
        "if": { "properties": { "when": { "const": 1 } }, "required": ["when"] },
        "else": { "properties": { "otherwise": true } },
        "unevaluatedProperties": false,
    });
    for good in [
        json!({ "one": 1, "base": 1, "all": 1, "otherwise": 1 }),
        json!({ "two": 1, "when": 1 }),
        json!({ "one": 1, "two": 1 }),
    ] {
        assert!(fits(&schema, &good), "{good}");
    }
    for bad in
        [json!({ "one": 1, "other": 1 }), json!({ "one": 2, "two": 1 }), json!({ "two": 1, "when": 1, "otherwise": 1 })]
    {
        assert!(!fits(&schema, &bad), "{bad}");
    }
    let list = json!({ "prefixItems": [true], "contains": { "const": "x" }, "unevaluatedItems": { "type": "null" } });
    assert!(fits(&list, &json!([1, "x", null])) && !fits(&list, &json!([1, "x", 2])));
}

#[test]
fn a_draft_has_its_own_keywords_and_meanings() {
    assert!(!fits(&draft(4, json!({ "minimum": 1, "exclusiveMinimum": true })), &json!(1)));
    assert!(fits(&draft(4, json!({ "const": 1, "if": true, "then": false })), &json!(2)));
    assert!(!fits(&draft(6, json!({ "const": 1 })), &json!(2)));
    assert!(!fits(&draft(7, json!({ "if": true, "then": false })), &json!(2)));
    // beside a reference nothing else counted once
    let beside = json!({ "$ref": "#/definitions/a", "maximum": 1, "definitions": { "a": { "minimum": 0 } } });
    assert!(fits(&draft(7, beside.clone()), &json!(2)) && !fits(&beside, &json!(2)));
    let tuple = json!({ "items": [{ "const": 1 }], "additionalItems": { "const": 2 } });
    assert!(fits(&draft(7, tuple.clone()), &json!([1, 2, 2])) && !fits(&draft(7, tuple), &json!([1, 3])));
    assert!(
        defect(json!({ "$schema": "https://json-schema.org/draft/2030-01/schema" })).contains("$schema is not known")
    );
}

#[test]
fn a_keyword_with_a_content_that_it_does_not_take_is_refused_with_its_place() {
    for (schema, place) in [
        (json!({ "type": "text" }), "/type"),
        (json!({ "type": [] }), "/type"),
        (json!({ "enum": 1 }), "/enum"),
        (json!({ "minimum": "1" }), "/minimum"),
        (json!({ "exclusiveMinimum": true }), "/exclusiveMinimum"),
        (json!({ "multipleOf": 0 }), "/multipleOf"),
        (json!({ "minLength": -1 }), "/minLength"),
        (json!({ "maxItems": 1.5 }), "/maxItems"),
        (json!({ "pattern": "(" }), "/pattern"),
        (json!({ "format": 1 }), "/format"),
        (json!({ "uniqueItems": "yes" }), "/uniqueItems"),
        (json!({ "required": "a" }), "/required"),
        (json!({ "required": [1] }), "/required"),
        (json!({ "properties": { "a/b": { "items": 5 } } }), "/properties/a~1b/items"),
        (json!({ "properties": [] }), "/properties"),
        (json!({ "patternProperties": { "(": {} } }), "/patternProperties"),
        (json!({ "items": [{}] }), "/items"),
        (json!({ "prefixItems": [] }), "/items"),
        (json!({ "allOf": [] }), "/allOf"),
        (json!({ "anyOf": [{}, { "oneOf": {} }] }), "/anyOf/1/oneOf"),
        (json!({ "not": 1 }), "/not"),
        (json!({ "dependentRequired": { "a": "b" } }), "/dependentRequired"),
        (json!({ "$defs": { "unused": { "type": 5 } } }), "/$defs/unused/type"),
        (json!({ "title": 5 }), "/title"),
        (draft(4, json!({ "not": true })), "/not"),
    ] {
        assert_eq!(defect(schema), format!("is no JSON Schema: {place} is not what the keyword takes"));
    }
}

#[test]
fn what_could_be_checked_and_is_not_is_refused_by_name() {
    assert_eq!(defect(json!({ "$dynamicRef": "#a" })), "uses $dynamicRef, which is not supported");
    assert_eq!(
        defect(draft(7, json!({ "contentEncoding": "base64" }))),
        "uses contentEncoding, which is not supported"
    );
    assert_eq!(defect(json!({ "$ref": "#/$defs/none" })), "cannot be used: a $ref in it leads nowhere");
    // newer drafts say that these are notes
    assert!(fits(&json!({ "contentEncoding": "base64" }), &json!("?")));
}

#[test]
fn formats_are_checked() {
    for (format, good, bad) in [
        ("date", "2024-02-29", "2023-02-29"),
        ("time", "23:59:60Z", "12:00:60Z"),
        ("date-time", "2026-01-31T12:00:00.5+02:00", "2026-01-31 12:00:00Z"),
        ("duration", "P1DT12H", "P1Y2D"),
        ("email", "a.b@example.com", "a@b@c"),
        ("email", "a@[127.0.0.1]", "ä@example.com"),
        ("idn-email", "ä@exämple.com", "ä@exa mple.com"),
        ("hostname", "a-b.example", "a_b"),
        ("idn-hostname", "exämple.com", "-ä.com"),
        ("ipv4", "127.0.0.1", "127.0.0.01"),
        ("ipv6", "::1", "1::2::3"),
        ("ip", "::1", "localhost"),
        ("uri", "https://u:p@[::1]:8080/a%20b?c#d", "https://a b/"),
        ("uri", "urn:x:y", "/a"),
        ("uri-reference", "../a?b", "a\\b"),
        ("iri", "https://exämple.com/ä", "ä"),
        ("iri-reference", "ä", "http://[ä]/"),
        ("uri-template", "/a{/id}{?page,size:2,tags*}", "/a{"),
        ("json-pointer", "/a~0b/~1", "a"),
        ("relative-json-pointer", "1/a", "01/a"),
        ("regex", "^(?=a)[b-d]$", "["),
        ("uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08aa9811eab4aa73b441d16380"),
    ] {
        let schema = json!({ "format": format });
        assert!(fits(&schema, &good.into()), "{format} {good}");
        assert!(!fits(&schema, &bad.into()), "{format} {bad}");
    }
    assert!(fits(&json!({ "format": "of my own" }), &json!("anything")));
}

#[test]
fn references_that_lead_to_themselves_at_one_value_end() {
    let round = json!({ "$ref": "#/$defs/a", "$defs": { "a": { "allOf": [{ "$ref": "#/$defs/b" }] }, "b": { "anyOf": [{ "$ref": "#/$defs/a" }] } } });
    assert!(fits(&round, &json!({})));
    let tree = json!({ "properties": { "next": { "$ref": "#" } }, "additionalProperties": false });
    assert!(fits(&tree, &json!({ "next": { "next": {} } })) && !fits(&tree, &json!({ "next": { "other": {} } })));
}

#[test]
fn a_pattern_that_comes_to_no_end_decides_nothing() {
    let slow = json!({ "pattern": "(?=.*[A-Z])(?=.*[0-9])" });
    let text = json!("a".repeat(40_000));
    for schema in [
        slow.clone(),
        json!({ "not": slow }),
        json!({ "anyOf": [{ "const": 1 }, slow] }),
        json!({ "oneOf": [true, slow] }),
        json!({ "if": slow, "else": true }),
    ] {
        let violations = Validator::of(&schema).map(|validator| validator.violations(&text, 0)).unwrap_or_default();
        assert!(matches!(violations.as_slice(), [Violation { what: What::Undecided, .. }]), "{schema}");
    }
    assert!(fits(&json!({ "anyOf": [{ "type": "string" }, slow] }), &text));
}
