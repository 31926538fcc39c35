//! The builders of types, for those types only that requests are made of.
//!
//! The generator writes one for each type. A type that only comes in answers is never built, and most of what there was to
//! compile were such builders; its fields are public, and serde reads it.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{File, ImplItem, Item};

/// The items of one builder: its struct, and its implementations of `Default`, of the setters, and of the conversions to and
/// from the type that it builds.
const PARTS: usize = 5;

/// Takes away the builders that no request needs. Output of another shape than the generator's is told.
pub(super) fn drop_unneeded(file: &mut File, problems: &mut Vec<String>) {
    let requests = module(&mut file.items, "builder").map(|items| definitions(items)).unwrap_or_default();
    let Some(types) = module(&mut file.items, "types") else {
        return problems.push("unknown generator output: it has no types".to_owned());
    };
    let needed = reachable(&definitions(types), requests.into_values().flatten());
    let mut unneeded = BTreeMap::new();
    types.retain(|item| {
        let name = built(item).filter(|name| !needed.contains(name));
        name.map(|name| unneeded.insert(name, 0)).is_none()
    });
    let Some(builders) = module(types, "builder") else {
        return problems.push("unknown generator output: its types have no builders".to_owned());
    };
    builders.retain(|item| match part_of(item).and_then(|name| unneeded.get_mut(&name)) {
        Some(parts) => {
            *parts += 1;
            false
        }
        None => true,
    });
    for (name, parts) in unneeded.iter().filter(|(_, parts)| **parts != PARTS) {
        problems
            .push(format!("unknown generator output: the builder of `{name}` has {parts} parts instead of {PARTS}"));
    }
}

pub(super) fn module<'a>(items: &'a mut [Item], name: &str) -> Option<&'a mut Vec<Item>> {
    items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == name => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    })
}

/// The types that are defined among the items, and the names in what each consists of.
fn definitions(items: &[Item]) -> BTreeMap<String, BTreeSet<String>> {
    let definition = |item: &Item| {
        let (name, inside) = match item {
            Item::Struct(item) => (&item.ident, item.fields.to_token_stream()),
            Item::Enum(item) => (&item.ident, item.variants.to_token_stream()),
            Item::Type(item) => (&item.ident, item.ty.to_token_stream()),
            _ => return None,
        };
        let mut names = BTreeSet::new();
        collect_names(inside, &mut names);
        Some((name.to_string(), names))
    };
    items.iter().filter_map(definition).collect()
}

fn collect_names(tokens: TokenStream, names: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => drop(names.insert(name.to_string())),
            TokenTree::Group(group) => collect_names(group.stream(), names),
            _ => {}
        }
    }
}

/// The defined types among `names`, and those that they consist of.
fn reachable(
    definitions: &BTreeMap<String, BTreeSet<String>>,
    names: impl Iterator<Item = String>,
) -> BTreeSet<String> {
    let (mut open, mut found): (Vec<String>, BTreeSet<String>) = (names.collect(), BTreeSet::new());
    while let Some(name) = open.pop() {
        if let Some(inner) = definitions.get(&name)
            && found.insert(name)
        {
            open.extend(inner.iter().cloned());
        }
    }
    found
}

/// The type of which this item is the function that makes its builder, and nothing else.
fn built(item: &Item) -> Option<String> {
    match item {
        Item::Impl(block) if block.trait_.is_none() => match block.items.as_slice() {
            [ImplItem::Fn(function)] if function.sig.ident == "builder" => super::type_name(&block.self_ty),
            _ => None,
        },
        _ => None,
    }
}

/// The builder, or the type that it builds, which an item of the builders' module is about. Both have one name.
fn part_of(item: &Item) -> Option<String> {
    match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Impl(block) => super::type_name(&block.self_ty),
        _ => None,
    }
}
