//! What must not be in the written code: the runtime does not have it, or it could panic or print data.

use syn::visit_mut::{self, VisitMut};
use syn::{ExprMethodCall, File, Macro, Path};

const PATHS: &[(&str, &str)] = &[
    ("progenitor_client", "the generator's own runtime"),
    ("ByteStream", "a body or an answer that is not JSON"),
    ("Upgraded", "a websocket"),
    ("chrono", "a date format"),
    ("uuid", "a uuid format"),
    ("regress", "a pattern"),
    ("serde_json", "untyped JSON, which would be printed: use the schema `FreeForm`"),
    ("base64", "a websocket"),
    ("rand", "a websocket"),
    ("futures", "pagination"),
];
const METHODS: &[&str] = &["unwrap", "expect", "unwrap_unchecked", "form_urlencoded", "json", "as_u16"];
const MACROS: &[&str] = &["panic", "todo", "unimplemented", "unreachable", "println", "eprintln", "dbg"];

/// One message each kind of thing found.
pub(super) fn find(file: &mut File) -> Vec<String> {
    let mut search = Search { problems: Vec::new() };
    search.visit_file_mut(file);
    search.problems.sort();
    search.problems.dedup();
    search.problems
}

struct Search {
    problems: Vec<String>,
}

impl Search {
    fn found(&mut self, what: &str, meaning: &str) {
        self.problems.push(format!("the generated code uses `{what}` ({meaning}), which the runtime does not offer"));
    }
}

impl VisitMut for Search {
    fn visit_path_mut(&mut self, path: &mut Path) {
        for (name, meaning) in PATHS {
            if path.segments.iter().any(|segment| segment.ident == name) {
                self.found(name, meaning);
            }
        }
        if path.segments.first().is_some_and(|first| first.ident == "ResponseValue")
            && let Some(last) = path.segments.iter().nth(1)
        {
            self.found(&format!("ResponseValue::{}", last.ident), "an answer that is not JSON");
        }
        visit_mut::visit_path_mut(self, path);
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        if METHODS.iter().any(|method| call.method == method) {
            self.found(&format!(".{}()", call.method), "a panic, or a body that is not JSON");
        }
        visit_mut::visit_expr_method_call_mut(self, call);
    }

    fn visit_macro_mut(&mut self, invocation: &mut Macro) {
        if MACROS.iter().any(|name| invocation.path.is_ident(name)) {
            self.found(&format!("{}!", quote::ToTokens::to_token_stream(&invocation.path)), "a panic or printing");
        }
    }

    fn visit_item_use_mut(&mut self, item: &mut syn::ItemUse) {
        if super::mentions(item, "progenitor_client") || super::mentions(item, "ByteStream") {
            self.found("progenitor_client", "the generator's own runtime");
        }
    }
}
