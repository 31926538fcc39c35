//! What a path in the sources stands for, and under which names others reach the items.

use std::collections::BTreeMap;

use syn::Item;

use crate::public_api::source::{Modules, is_public, name};

/// Names that need no `use`.
const PRELUDE: &[&str] = &[
    "Self",
    "Option",
    "Some",
    "None",
    "Result",
    "Ok",
    "Err",
    "String",
    "Vec",
    "Box",
    "ToString",
    "ToOwned",
    "Clone",
    "Copy",
    "Send",
    "Sync",
    "Sized",
    "Unpin",
    "Drop",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "Into",
    "TryFrom",
    "TryInto",
    "Default",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Iterator",
    "IntoIterator",
    "Extend",
    "DoubleEndedIterator",
    "ExactSizeIterator",
    "FromIterator",
    "AsRef",
    "AsMut",
    "Future",
    "IntoFuture",
    "bool",
    "char",
    "str",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
];

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// A name of the language, the prelude, or a generic parameter; as it was written.
    Plain,
    /// Something of another crate: its whole path. What follows the type itself is the second part.
    Foreign(Vec<String>),
    /// An item of this crate: the path of its definition, and what follows it (an associated type, a variant).
    Local(Vec<String>, Vec<String>),
}

/// The names that this crate gives to others: the path of the definition, and the shortest public path.
pub type Exports = BTreeMap<Vec<String>, String>;

/// Resolves a path as written in a module; `generics` are the parameters in scope.
pub fn resolve(modules: &Modules, module: &[String], path: &[String], generics: &[String]) -> Meaning {
    let Some(first) = path.first() else { return Meaning::Plain };
    if generics.contains(first) {
        return Meaning::Plain;
    }
    if first.is_empty() {
        return Meaning::Foreign(path[1..].to_vec());
    }
    lookup(modules, module, path, 0).unwrap_or_else(|| {
        if PRELUDE.contains(&first.as_str()) {
            return Meaning::Plain;
        }
        // any other name of the 2018 and later editions is that of a crate
        assert!(
            path.len() > 1 && first.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
            "{} in module {} is not found",
            path.join("::"),
            module.join("::")
        );
        Meaning::Foreign(path.to_vec())
    })
}

fn lookup(modules: &Modules, module: &[String], path: &[String], depth: usize) -> Option<Meaning> {
    assert!(depth < 32, "the name {} leads in a circle", path.join("::"));
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => return lookup(modules, &[], rest, depth + 1),
        "self" => return lookup(modules, module, rest, depth + 1),
        "super" => return lookup(modules, &module[..module.len() - 1], rest, depth + 1),
        _ => {}
    }
    let here = modules.get(module)?;
    let mut below = module.to_vec();
    below.push(first.clone());
    if modules.contains_key(&below) && !rest.is_empty() {
        return lookup(modules, &below, rest, depth + 1);
    }
    if modules.contains_key(&below) || defines(modules, module, first) {
        return Some(Meaning::Local(below, rest.to_vec()));
    }
    let used = here.uses.iter().find(|used| used.name == *first && used.path.first() != Some(first))?;
    let mut whole = used.path.clone();
    whole.extend_from_slice(rest);
    Some(match whole.first() {
        Some(colon) if colon.is_empty() => Meaning::Foreign(whole[1..].to_vec()),
        _ => lookup(modules, module, &whole, depth + 1).unwrap_or(Meaning::Foreign(whole)),
    })
}

fn defines(modules: &Modules, module: &[String], wanted: &str) -> bool {
    modules.get(module).is_some_and(|here| {
        here.items.iter().chain(&here.generated).any(|item| name(item).is_some_and(|name| name == wanted))
    })
}

/// The item that a path of a definition names.
pub fn definition<'m>(modules: &'m Modules, path: &[String]) -> Option<&'m Item> {
    let (last, module) = path.split_last()?;
    let here = modules.get(module)?;
    here.items.iter().chain(&here.generated).find(|item| name(item).is_some_and(|name| name == *last))
}

/// Whether the item that a path of a definition names was generated.
pub fn is_generated(modules: &Modules, path: &[String]) -> bool {
    let Some((last, module)) = path.split_last() else { return false };
    modules
        .get(module)
        .is_some_and(|here| here.generated.iter().any(|item| name(item).is_some_and(|name| name == *last)))
}

/// Other crates that are public under their own names.
const CRATES: &[&str] = &["schemars"];

/// Walks all that is public from the root on.
pub fn exports(modules: &Modules) -> Exports {
    let mut found = Exports::new();
    export_module(modules, &[], "", &mut found);
    found
}

fn export_module(modules: &Modules, module: &[String], prefix: &str, found: &mut Exports) {
    let here = &modules[module];
    for item in here.items.iter().chain(&here.generated).filter(|item| is_public(item)) {
        let Some(name) = name(item) else { continue };
        let mut path = module.to_vec();
        path.push(name.clone());
        export(modules, path, &format!("{prefix}{name}"), found);
    }
    for used in here.uses.iter().filter(|used| used.public) {
        let public = format!("{prefix}{}", used.name);
        match lookup(modules, module, &used.path, 0) {
            Some(Meaning::Local(path, rest)) if rest.is_empty() => export(modules, path, &public, found),
            // another crate as a whole, which users derive its traits with
            _ if CRATES.contains(&used.name.as_str()) && used.path.last() == Some(&used.name) => {}
            other => panic!("pub use of something that is not ours as {public}: {other:?}"),
        }
    }
}

fn export(modules: &Modules, path: Vec<String>, public: &str, found: &mut Exports) {
    if modules.contains_key(&path) {
        export_module(modules, &path, &format!("{public}::"), found);
    }
    let known = found.entry(path).or_insert_with(|| public.to_owned());
    // of several, the one with the fewest modules: what services share keeps the name that is nobody's
    let length = |path: &str| (path.matches("::").count(), path.len());
    if length(public) < length(known) {
        public.clone_into(known);
    }
}
