//! The blocking client is the async one, method for method: read off the public API, as the sources have it.

#[allow(dead_code)]
#[path = "public_api/lines.rs"]
mod lines;
#[allow(dead_code)]
#[path = "public_api/names.rs"]
mod names;
#[allow(dead_code)]
#[path = "public_api/print.rs"]
mod print;
#[allow(dead_code)]
#[path = "public_api/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use lines::Api;

/// The async types and their twins.
const TWINS: &[(&str, &str)] = &[
    ("Client", "blocking::Client"),
    ("Request", "blocking::Request"),
    ("XtraClientBuilder", "blocking::XtraClientBuilder"),
    ("Preload", "blocking::Preload"),
    ("Resolve", "blocking::Resolve"),
];

/// Methods that only one of the two has, each with what the module's documentation must say about it.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("blocking::Client", "Client<S>::block_on", "[`block_on`]"),
    ("blocking::Client", "Client<S>::as_async", "[`as_async`]"),
];

fn api() -> Api {
    let mut modules = source::load();
    // Whole crates that are passed on have no methods of ours.
    modules.values_mut().for_each(|module| module.uses.retain(|used| used.path.len() > 1));
    lines::api(&modules)
}

/// The methods of a type: each name behind the type that it is a method of, without lifetimes (`Request<S, Read>::send`).
fn methods(api: &Api, name: &str) -> BTreeSet<String> {
    let block = api.blocks.get(name).unwrap_or_else(|| panic!("no public type {name}"));
    // methods may be written under the short name too
    let short = name.strip_suffix("Client").and_then(|module| api.blocks.get(&format!("{module}XtraClient")));
    let members = block.members.iter().chain(short.into_iter().flat_map(|block| &block.members));
    let methods = members.filter_map(|member| {
        // `impl<'a> Request<'a, Xtra, Read>: pub async fn send(self) -> …`, or `impl …: options! fn no_cache()`
        let (of, method) = outside_brackets(member.strip_prefix("impl")?, ": ")?;
        let of = if of.starts_with('<') { outside_brackets(of, " ")?.1 } else { of.trim_start() };
        let (_, method) = method.split_once("fn ").filter(|_| !of.contains(" for "))?;
        let method = method.split(['(', '<']).next().unwrap_or_default();
        Some(format!("{}::{method}", without_lifetimes(of)))
    });
    methods.collect()
}

/// What is before and behind the first `mark` that is not between `<` and `>`.
fn outside_brackets<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    let mut depth = 0;
    for (place, letter) in text.char_indices() {
        match letter {
            '<' => depth += 1,
            '>' if !text[..place].ends_with('-') => depth -= 1,
            _ => {}
        }
        if depth == 0 && text[place..].starts_with(mark) {
            return Some((&text[..place], &text[place + mark.len()..]));
        }
    }
    None
}

fn without_lifetimes(of: &str) -> String {
    let mut bare = String::new();
    let mut rest = of;
    while let Some((before, behind)) = rest.split_once('\'') {
        bare.push_str(before);
        let behind = behind.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_');
        rest = behind.strip_prefix(", ").unwrap_or(behind);
    }
    bare.push_str(rest);
    let bare = bare.replace("blocking::", "").replace("<>", "");
    if bare == "XtraClient" { "Client<Xtra>".to_owned() } else { bare }
}

/// The module's documentation.
fn documentation() -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/blocking/mod.rs")).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("//!")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_method_of_the_async_client_has_a_blocking_twin_but_for_the_documented_exceptions() {
    let api = api();
    for (one, other) in TWINS {
        let (here, there) = (methods(&api, one), methods(&api, other));
        assert!(here.len() > 3, "the methods of {one} were found: {here:?}");
        let is_exception = |of: &str, method: &str| EXCEPTIONS.iter().any(|known| (known.0, known.1) == (of, method));
        let lacks: Vec<_> = here.difference(&there).filter(|method| !is_exception(one, method)).collect();
        assert!(lacks.is_empty(), "{other} lacks {lacks:?}");
        let more: Vec<_> = there.difference(&here).filter(|method| !is_exception(other, method)).collect();
        assert!(more.is_empty(), "{other} has {more:?}, which {one} has not");
    }
}

#[test]
fn every_exception_is_one_and_is_documented() {
    let api = api();
    let documentation = documentation();
    let (_, differences) = documentation.split_once("# What differs").expect("a section on the differences");
    for (of, method, words) in EXCEPTIONS {
        assert!(methods(&api, of).contains(*method), "{of} has no {method}");
        let twin = TWINS.iter().find_map(|(one, other)| match of {
            of if of == one => Some(other),
            of if of == other => Some(one),
            _ => None,
        });
        assert!(!methods(&api, twin.unwrap()).contains(*method), "both have {method}");
        assert!(differences.contains(words), "the documentation does not name {method}");
    }
}

#[test]
fn requests_are_awaited_in_one_client_and_never_in_the_other() {
    let api = api();
    let is_sent = |name: &str| methods(&api, name).iter().any(|method| method.ends_with("::send"));
    let is_awaited = |name: &str| api.blocks[name].members.iter().any(|member| member.contains("IntoFuture for"));
    let requests: Vec<_> = TWINS.iter().filter(|(one, _)| is_sent(one)).collect();
    assert!(requests.len() > 2, "{requests:?}");
    for (one, other) in requests {
        assert!(is_awaited(one) && !is_awaited(other), "{one} and {other}");
    }
}

#[test]
fn every_public_request_and_builder_has_its_twin_in_the_list() {
    let api = api();
    let outside = |name: &&String| !name.contains("::");
    for (name, block) in api.blocks.iter().filter(|(name, block)| block.kind == "struct" && outside(name)) {
        let sends = methods(&api, name).iter().any(|method| method.ends_with("::send"));
        let awaited = block.members.iter().any(|member| member.contains("IntoFuture for"));
        if sends || awaited || name.ends_with("Builder") {
            assert!(TWINS.iter().any(|(one, _)| one == name), "{name} has no twin");
        }
    }
}
