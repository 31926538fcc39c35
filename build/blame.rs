//! Finds the part of a document that a reader or the generator fails on, since neither names it.

use openapiv3::{OpenAPI, Operation, PathItem, ReferenceOr, Schema, SchemaData, SchemaKind, StringType, Type};
use proc_macro2::TokenStream;
use serde_json::Value;

/// The message for a document that is not OpenAPI: each part is read alone until one fails.
pub(crate) fn unreadable(document: &Value, error: &serde_json::Error) -> String {
    let parts = |pointer: &str| document.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    let reason = |place: String, error: &serde_json::Error| format!("{place}: is not OpenAPI 3.0: {error}");
    for (path, item) in parts("/paths") {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if method != "parameters"
                && let Err(error) = serde_json::from_value::<Operation>(operation.clone())
            {
                return reason(format!("{} {path}", method.to_uppercase()), &error);
            }
        }
    }
    for (name, schema) in parts("/components/schemas") {
        if let Err(error) = serde_json::from_value::<Schema>(schema.clone()) {
            return reason(format!("schema {name}"), &error);
        }
    }
    reason("document".to_owned(), error)
}

/// The message for a document that the generator fails on.
pub(crate) fn uncompilable(
    api: &OpenAPI,
    reason: &str,
    generate: impl Fn(&OpenAPI) -> Result<TokenStream, String>,
) -> String {
    let mut alone = api.clone();
    alone.paths.paths.clear();
    let (place, reason) = match generate(&alone) {
        Err(reason) => (schema_to_blame(&alone, &generate).unwrap_or_else(|| "a schema".to_owned()), reason),
        Ok(_) => {
            operation_to_blame(api, alone, &generate).unwrap_or_else(|| ("document".to_owned(), reason.to_owned()))
        }
    };
    format!("{place}: the generator cannot compile it: {reason}")
}

/// The schema without which the others compile.
fn schema_to_blame(api: &OpenAPI, generate: &impl Fn(&OpenAPI) -> Result<TokenStream, String>) -> Option<String> {
    let names: Vec<String> = api.components.iter().flat_map(|components| components.schemas.keys().cloned()).collect();
    names
        .into_iter()
        .find(|name| {
            let mut without = api.clone();
            if let Some(components) = &mut without.components {
                components.schemas.insert(name.clone(), ReferenceOr::Item(text()));
            }
            generate(&without).is_ok()
        })
        .map(|name| format!("schema {name}"))
}

fn text() -> Schema {
    Schema { schema_data: SchemaData::default(), schema_kind: SchemaKind::Type(Type::String(StringType::default())) }
}

/// The first operation that fails alone, and why.
fn operation_to_blame(
    api: &OpenAPI,
    mut alone: OpenAPI,
    generate: &impl Fn(&OpenAPI) -> Result<TokenStream, String>,
) -> Option<(String, String)> {
    for (path, item) in &api.paths.paths {
        let ReferenceOr::Item(item) = item else { continue };
        for (method, operation) in item.iter() {
            alone.paths.paths =
                [(path.clone(), ReferenceOr::Item(only(item, method, operation)))].into_iter().collect();
            if let Err(reason) = generate(&alone) {
                return Some((format!("{} {path}", method.to_uppercase()), reason));
            }
        }
    }
    None
}

fn only(item: &PathItem, method: &str, operation: &Operation) -> PathItem {
    let mut alone = PathItem { parameters: item.parameters.clone(), ..PathItem::default() };
    let slot = match method {
        "get" => &mut alone.get,
        "put" => &mut alone.put,
        "post" => &mut alone.post,
        "delete" => &mut alone.delete,
        "patch" => &mut alone.patch,
        "head" => &mut alone.head,
        "options" => &mut alone.options,
        _ => &mut alone.trace,
    };
    *slot = Some(operation.clone());
    alone
}
