//! A document that breaks a rule is refused, with the place and the rule; see `build/lint`.

#[path = "../../../build/lint/mod.rs"]
mod rules;

use serde_json::{Value, json};

const HAND_WRITTEN: &[&str] = &["SecretInput", "SecretEntry", "FreeForm"];

/// A small document that keeps every rule.
fn document() -> Value {
    let answers = |schema: &str| {
        let media =
            |schema: &str| json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}});
        json!({
            "2XX": {"description": "Done", "content": media(schema)},
            "4XX": {"description": "Refused", "content": media("ApiError")},
            "5XX": {"description": "Failed", "content": media("ApiError")},
        })
    };
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Test", "version": "1.0.0"},
        "paths": {
            "/things": {
                "get": {"operationId": "things_list", "summary": "Lists things", "responses": answers("ThingList"),
                    "parameters": [{"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}]},
                "post": {"operationId": "things_create", "summary": "Creates a thing", "responses": answers("Thing"),
                    "requestBody": {"required": true, "content":
                        {"application/json": {"schema": {"$ref": "#/components/schemas/ThingCreate"}}}}},
            },
            "/things#one": {"get": {"operationId": "things_get", "summary": "One thing", "responses": answers("Thing")}},
            "/things/{thingId}": {"delete": {"operationId": "things_delete", "summary": "Deletes a thing",
                "parameters": [{"name": "thingId", "in": "path", "required": true, "schema": {"type": "string"}}],
                "responses": answers("Thing")}},
        },
        "components": {"schemas": {
            "ApiError": {"type": "object", "properties": {"error": {"type": "string", "nullable": true}}},
            "Thing": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "string"},
                "labels": {"type": "array", "nullable": true, "items": {"type": "string"}},
                "values": {"type": "object", "nullable": true, "additionalProperties": {"$ref": "#/components/schemas/SecretEntry"}},
            }},
            "ThingList": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
            "ThingCreate": {"type": "object", "properties": {
                "kind": {"type": "string", "enum": ["small", "large"]},
                "password": {"$ref": "#/components/schemas/SecretInput"},
                "extra": {"$ref": "#/components/schemas/FreeForm"},
            }},
            "SecretInput": {"type": "string"},
            "SecretEntry": {"type": "object"},
            "FreeForm": {"type": "object"},
        }},
    })
}

fn findings(document: &Value) -> Vec<String> {
    rules::lint(document, HAND_WRITTEN).iter().map(ToString::to_string).collect()
}

/// Sets what `pointer` names; its last key may be new.
fn with(pointer: &str, value: Value) -> Value {
    let mut changed = document();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    match changed.pointer_mut(parent).unwrap() {
        Value::Array(items) => items.push(value),
        parent => parent[key.as_str()] = value,
    }
    changed
}

fn without(pointer: &str) -> Value {
    let mut changed = document();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let removed = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(&key.replace("~1", "/"));
    assert!(removed.is_some(), "{pointer}");
    changed
}

/// The one finding of `document` starts with `place` and holds `rule`.
#[track_caller]
fn refused(document: &Value, place: &str, rule: &str) {
    let found = findings(document);
    assert!(
        found.len() == 1 && found[0].starts_with(&format!("{place}: ")) && found[0].contains(rule),
        "wanted `{place}: … {rule}`, found {found:#?}"
    );
}

const LIST: &str = "/paths/~1things/get";
const CREATE: &str = "/paths/~1things/post";
const DELETE: &str = "/paths/~1things~1{thingId}/delete";
const THING: &str = "/components/schemas/Thing/properties";

#[test]
fn a_document_that_keeps_the_rules_passes() {
    assert_eq!(findings(&document()), Vec::<String>::new());
}

#[test]
fn the_shipped_documents_pass() {
    let hand_written = [
        "SecretValue",
        "SecretInput",
        "SecretEntry",
        "SecretData",
        "StoredValue",
        "FreeForm",
        "ExpectedVersion",
        "TemplateList",
    ];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let document = rules::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(rules::lint(&document, &hand_written), [], "{}", path.display());
        }
    }
}

#[test]
fn a_key_given_twice_is_refused_by_name() {
    let twice = r#"{"paths": {"/a": {}, "/b": {}, "/a": {}}}"#;
    let error = rules::parse(twice).unwrap_err();
    assert!(error.contains("`paths` has the key `/a` twice"), "{error}");
    assert!(rules::parse("{").unwrap_err().contains("line 1"));
    assert!(rules::parse("{} {}").is_err());
}

#[test]
fn the_document_has_the_one_version_that_compiles() {
    refused(&with("/openapi", json!("3.1.0")), "document", "`openapi` must be \"3.0.3\"");
    refused(&with("/info/version", json!("1.0\u{fc}")), "document", "must be printable ASCII");
    refused(&with("/info/version", json!("")), "document", "must be printable ASCII");
}

#[test]
fn operations_have_names_that_can_be_methods() {
    let named = |id: &str| with(&format!("{LIST}/operationId"), json!(id));
    refused(&without(&format!("{LIST}/operationId")), "GET /things", "`operationId` is missing");
    for id in
        ["listThings", "things", "Things_list", "things__list", "_things_list", "things_list_", "1_list", "things-list"]
    {
        refused(&named(id), "GET /things", "must be `<resource>_<verb>`");
    }
    for id in ["clone", "new", "type", "new_with_client", "api_version"] {
        refused(&named(id), "GET /things", "is a Rust keyword or a method of the client");
    }
    refused(&named("things_get"), "GET /things#one", "is used by GET /things too");
}

#[test]
fn a_variant_stands_beside_another_operation_of_its_path_and_method() {
    let alone = json!({"operationId": "others_get", "summary": "Other", "responses": document()["paths"]["/things"]["get"]["responses"]});
    refused(
        &with("/paths/~1others#one", json!({"get": alone})),
        "GET /others#one",
        "nothing else is `get` on `/others`",
    );
    refused(
        &with("/paths/~1things#two", json!({"put": alone})),
        "PUT /things#two",
        "nothing else is `put` on `/things`",
    );
    refused(&with("/paths/~1things#", json!({"get": alone})), "GET /things#", "must be one lower-case word");
    refused(&with("/paths/~1things#a#b", json!({"get": alone})), "GET /things#a#b", "must be one lower-case word");
    let mut only_variants = without("/paths/~1things");
    only_variants["paths"]["/things#two"] = json!({"get": alone});
    assert!(!findings(&only_variants).iter().any(|finding| finding.contains("nothing else")));
}

#[test]
fn paths_are_plain() {
    let other = json!({"operationId": "others_get", "summary": "Other", "responses": document()["paths"]["/things"]["get"]["responses"]});
    for path in ["others", "/others/", "/others?x=1"] {
        let changed = with(&format!("/paths/{}", path.replace('/', "~1")), json!({"get": other}));
        refused(&changed, &format!("GET {path}"), "a path starts with `/`");
    }
    for path in ["/others/{id", "/others/id}", "/others/{a}{b}", "/others/x{a}"] {
        let changed = with(&format!("/paths/{}", path.replace('/', "~1")), json!({"get": other}));
        assert!(findings(&changed).iter().any(|finding| finding.contains("a parameter is a whole segment")), "{path}");
    }
}

#[test]
fn path_parameters_match_the_path() {
    refused(
        &without(&format!("{DELETE}/parameters")),
        "DELETE /things/{thingId}",
        "no path parameter of that name is declared",
    );
    let stray = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
    refused(&with(&format!("{LIST}/parameters/-"), stray), "GET /things", "`id` is not in the path");
    refused(
        &with(
            &format!("{DELETE}/parameters"),
            json!([{"name": "thingId", "in": "path", "schema": {"type": "string"}}]),
        ),
        "DELETE /things/{thingId}",
        "must be `required`",
    );
}

#[test]
fn parameters_are_ones_that_can_be_sent() {
    let parameter = |value: Value| with(&format!("{LIST}/parameters/-"), value);
    let query = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    refused(
        &parameter(json!({"name": "c", "in": "cookie", "schema": {"type": "string"}})),
        "GET /things",
        "is a cookie",
    );
    refused(&parameter(json!({"name": "x", "in": "query"})), "GET /things", "`x` has no schema");
    refused(&parameter(query("Tag")), "GET /things", "both become `tag`");
    refused(&parameter(query("send")), "GET /things", "the name of a method that every request has");
    refused(
        &parameter(json!({"name": "x", "in": "query", "schema": {"$ref": "#/components/schemas/Thing"}})),
        "GET /things",
        "a simple value or a list of them",
    );
    refused(
        &parameter(
            json!({"name": "x", "in": "query", "explode": false, "schema": {"type": "array", "items": {"type": "string"}}}),
        ),
        "GET /things",
        "`explode: false`",
    );
    refused(
        &parameter(json!({"name": "x", "in": "query", "style": "deepObject", "schema": {"type": "string"}})),
        "GET /things",
        "style",
    );
    refused(
        &parameter(json!({"name": "X Y", "in": "header", "schema": {"type": "string"}})),
        "GET /things",
        "cannot be the name of a header",
    );
    for header in ["Authorization", "X-API-Key"] {
        refused(
            &parameter(json!({"name": header, "in": "header", "schema": {"type": "string"}})),
            "GET /things",
            "is set by the client",
        );
    }
    assert!(
        findings(&parameter(
            json!({"name": "x", "in": "query", "schema": {"$ref": "#/components/schemas/SecretInput"}})
        ))
        .is_empty()
    );
}

#[test]
fn bodies_are_named_json() {
    let body = format!("{CREATE}/requestBody");
    let schema = json!({"$ref": "#/components/schemas/ThingCreate"});
    refused(&with(&format!("{body}/required"), json!(false)), "POST /things", "must be `required`");
    let mut unnamed = document();
    unnamed["components"]["schemas"]["Other"] = json!({"type": "object", "properties": {"body": schema}});
    unnamed["paths"]["/things"]["post"]["requestBody"]["content"]["application/json"]["schema"] =
        json!({"type": "array", "items": {"$ref": "#/components/schemas/Other"}});
    assert_eq!(findings(&unnamed), ["POST /things: the request body must be a named schema, by `$ref`"]);
    refused(
        &with(
            &format!("{body}/content"),
            json!({"application/json": {"schema": schema}, "text/plain": {"schema": schema}}),
        ),
        "POST /things",
        "one media type",
    );
}

#[test]
fn answers_are_one_type_for_success_and_one_for_errors() {
    let answers = format!("{LIST}/responses");
    let media =
        |schema: &str| json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}});
    refused(
        &with(&format!("{answers}/200"), json!({"description": "Done"})),
        "GET /things",
        "exactly `2XX`, `4XX` and `5XX`",
    );
    refused(&without(&format!("{answers}/5XX")), "GET /things", "exactly `2XX`, `4XX` and `5XX`");
    refused(&with(&format!("{answers}/default"), json!({"description": "Any"})), "GET /things", "`default` hides");
    refused(
        &with(&format!("{answers}/4XX"), json!({"description": "No", "content": media("Thing")})),
        "GET /things",
        "the answer 4XX must be `ApiError`",
    );
    refused(
        &with(&format!("{answers}/5XX"), json!({"description": "No"})),
        "GET /things",
        "the answer 5XX must be `ApiError`",
    );
    refused(
        &with(
            &format!("{answers}/2XX"),
            json!({"description": "Done", "content": {"text/csv": {"schema": {"$ref": "#/components/schemas/ThingList"}}}}),
        ),
        "GET /things",
        "as `application/json`",
    );
    let unnamed = json!({"type": "array", "items": {"$ref": "#/components/schemas/ThingList"}});
    refused(
        &with(
            &format!("{answers}/2XX"),
            json!({"description": "Done", "content": {"application/json": {"schema": unnamed}}}),
        ),
        "GET /things",
        "the answer must be a named schema",
    );
    assert!(findings(&with(&format!("{DELETE}/responses/2XX"), json!({"description": "Nothing"}))).is_empty());
}

#[test]
fn any_error_body_reads_as_an_error() {
    refused(&with("/components/schemas/ApiError/required", json!(["error"])), "schema ApiError", "must be optional");
}

#[test]
fn documentation_holds_no_code_that_would_run() {
    for code in ["Look:\n```\nlet x = 1;\n```", "Look:\n\n    let x = 1;", "Look:\n\n\tlet x = 1;", "~~~\nx\n~~~"] {
        refused(&with(&format!("{LIST}/description"), json!(code)), "GET /things", "code, which would run as a test");
        refused(
            &with(&format!("{THING}/id/description"), json!(code)),
            "schema Thing",
            "code, which would run as a test",
        );
    }
    refused(&with(&format!("{LIST}/description"), json!("an `open tick")), "GET /things", "without its partner");
    refused(&without(&format!("{LIST}/summary")), "GET /things", "`summary` must be one line");
    refused(&with(&format!("{LIST}/summary"), json!("two\nlines")), "GET /things", "`summary` must be one line");
}

#[test]
fn schemas_use_only_what_compiles_soundly() {
    let id = |value: Value| with(&format!("{THING}/id"), value);
    for keyword in ["oneOf", "anyOf", "allOf"] {
        let mut property = json!({"type": "string"});
        property[keyword] = json!([{"type": "string"}]);
        refused(&id(property), "schema Thing", &format!("`id`: `{keyword}`"));
    }
    refused(&id(json!({"type": "string", "pattern": "^a"})), "schema Thing", "`id`: `pattern`");
    for format in ["date", "date-time", "uuid"] {
        refused(
            &id(json!({"type": "string", "format": format})),
            "schema Thing",
            &format!("`id`: the format `{format}`"),
        );
    }
    assert!(findings(&id(json!({"type": "integer", "format": "int64"}))).is_empty());
    refused(&id(json!({"type": ["string", "null"]})), "schema Thing", "`id`: `type` must be one of");
    refused(&id(json!({})), "schema Thing", "`id`: `type` must be one of");
    refused(&id(json!({"type": "array"})), "schema Thing", "`id`: an array must say what its `items` are");
    refused(&id(json!({"type": "object"})), "schema Thing", "`id`: an object without properties is untyped");
    refused(&id(json!({"type": "object", "additionalProperties": true})), "schema Thing", "untyped");
    refused(
        &with("/components/schemas/Thing/additionalProperties", json!(false)),
        "schema Thing",
        "`additionalProperties: false` fails on the first new field",
    );
    refused(
        &with("/components/schemas/Thing/additionalProperties", json!({"type": "string"})),
        "schema Thing",
        "`properties` or `additionalProperties`, not both",
    );
}

#[test]
fn answers_survive_what_the_service_may_send_next() {
    let property = |value: Value| with(&format!("{THING}/labels"), value);
    let list = json!({"type": "array", "items": {"type": "string"}});
    refused(&property(list.clone()), "schema Thing", "`labels`: an optional array or map in an answer fails on `null`");
    refused(
        &property(json!({"type": "object", "additionalProperties": {"type": "string"}})),
        "schema Thing",
        "`labels`: an optional array or map",
    );
    refused(&property(json!({"type": "string", "enum": ["a"]})), "schema Thing", "`labels`: an `enum` in an answer");
    refused(
        &property(json!({"type": "boolean", "default": false})),
        "schema Thing",
        "`labels`: a `default` in an answer",
    );
    assert!(findings(&with("/components/schemas/ThingCreate/properties/list", list)).is_empty());
}

#[test]
fn names_stay_apart_in_rust() {
    let extra = json!({"type": "string"});
    refused(&with(&format!("{THING}/ID"), extra.clone()), "schema Thing", "`ID` and `id` both become `id`");
    refused(
        &with("/components/schemas/ThingCreate/properties/kind/enum/-", json!("Small")),
        "schema ThingCreate",
        "`small` and `Small` become one Rust name",
    );
    let mut lower = with("/components/schemas/other", json!({"type": "object", "properties": {"a": extra}}));
    lower["components"]["schemas"]["Thing"]["properties"]["other"] = json!({"$ref": "#/components/schemas/other"});
    refused(&lower, "schema other", "must be in Pascal case");
}

#[test]
fn references_lead_somewhere_and_stand_alone() {
    let id = |value: Value| with(&format!("{THING}/id"), value);
    refused(
        &id(json!({"$ref": "#/components/schemas/Nothing"})),
        "schema Thing",
        "`#/components/schemas/Nothing`, which does not exist",
    );
    refused(
        &id(json!({"$ref": "#/components/schemas/FreeForm", "nullable": true})),
        "schema Thing",
        "`nullable` beside `$ref` is ignored",
    );
    let mut parameter = document();
    parameter["paths"]["/things"]["get"]["parameters"] = json!([{"$ref": "#/components/parameters/Nothing"}]);
    refused(&parameter, "GET /things", "which does not exist");
}

#[test]
fn what_is_declared_is_used_and_what_is_required_is_declared() {
    let stray = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    refused(&with("/components/schemas/Stray", stray), "schema Stray", "no operation uses it");
    refused(
        &with("/components/schemas/Thing/required", json!(["id", "gone"])),
        "schema Thing",
        "names `gone`, which is no property",
    );
}
