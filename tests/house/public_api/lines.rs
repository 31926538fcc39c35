//! The public API as text: one block an item, one line a member.

use std::collections::{BTreeMap, BTreeSet};

use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, Generics, ImplItem, Item, ItemImpl, TraitItem, parse_quote};

use crate::public_api::names::{self, Exports, Meaning, resolve};
use crate::public_api::print::Printer;
use crate::public_api::source::{Modules, attributes, is_public};

/// A block: what kind of thing it is, its declaration, and its members.
#[derive(Default)]
pub struct Block {
    pub kind: &'static str,
    pub declaration: String,
    pub members: BTreeSet<String>,
}

/// The blocks by public path. A type that signatures name, but nobody else can, has its own path with `crate::` before.
#[derive(Default)]
pub struct Api {
    pub blocks: BTreeMap<String, Block>,
    /// Where paths of other crates stand: in which block, and which path.
    pub foreign: BTreeSet<(String, String)>,
    /// The same in `impl Trait for` lines, where they are no part of a signature.
    pub foreign_traits: BTreeSet<(String, String)>,
    nameless: BTreeSet<Vec<String>>,
}

pub fn api(modules: &Modules) -> Api {
    let exports = names::exports(modules);
    let mut api = Api::default();
    for (definition, public) in &exports {
        api.declare(modules, &exports, definition, public);
    }
    api.implementations(modules, &exports);
    let nameless: Exports = std::mem::take(&mut api.nameless)
        .into_iter()
        .map(|definition| (definition.clone(), format!("crate::{}", definition.join("::"))))
        .filter(|(definition, _)| !matches!(names::definition(modules, definition), Some(Item::Trait(_)) | None))
        .collect();
    for (definition, public) in &nameless {
        api.declare(modules, &exports, definition, public);
    }
    let both: Exports = exports.into_iter().chain(nameless).collect();
    api.implementations(modules, &both);
    api
}

impl Api {
    fn block(&mut self, public: &str) -> &mut Block {
        self.blocks.entry(public.to_owned()).or_default()
    }

    fn noted(&mut self, public: &str, printer: Printer<'_>) {
        self.foreign.extend(printer.foreign.into_iter().map(|path| (public.to_owned(), path)));
        self.nameless.extend(printer.nameless);
    }

    fn declare(&mut self, modules: &Modules, exports: &Exports, definition: &[String], public: &str) {
        let Some(item) = names::definition(modules, definition) else { return };
        if matches!(item, Item::Mod(_)) || is_listed_elsewhere(public) {
            return;
        }
        let module = &definition[..definition.len() - 1];
        let mut printer = Printer::new(modules, exports, module);
        let block = match item {
            Item::Struct(item) => structure(item.clone(), &mut printer),
            Item::Enum(item) => enumeration(item.clone(), &mut printer),
            Item::Trait(item) => trait_of(item.clone(), &mut printer),
            Item::Type(item) => {
                printer.enter(&item.generics);
                simple("type", printer.item(Item::Type(syn::ItemType { attrs: Vec::new(), ..item.clone() })))
            }
            Item::Const(item) => {
                let bare = syn::ItemConst { attrs: Vec::new(), ..item.clone() };
                simple("const", printer.item(Item::Const(bare)))
            }
            Item::Fn(item) => {
                printer.enter(&item.sig.generics);
                let bare = syn::ItemFn { attrs: Vec::new(), block: parse_quote!({}), ..item.clone() };
                simple("fn", printer.item(Item::Fn(bare)))
            }
            other => panic!("{public}: a kind of item that this reader does not know: {:?}", names_of(other)),
        };
        self.noted(public, printer);
        let derived = derives(item);
        let known = self.block(public);
        *known = block;
        known.members.extend(derived.iter().map(|name| format!("impl {name} for {public}")));
        let foreign = derived.iter().filter(|name| !name.starts_with("std::") && name.contains("::"));
        self.foreign_traits.extend(foreign.map(|name| (public.to_owned(), name.clone())));
    }

    fn implementations(&mut self, modules: &Modules, exports: &Exports) {
        for (module, here) in modules {
            for item in here.items.iter().chain(&here.generated) {
                if let Item::Impl(item) = item {
                    self.implementation(modules, exports, module, item);
                }
            }
        }
    }

    fn implementation(&mut self, modules: &Modules, exports: &Exports, module: &[String], item: &ItemImpl) {
        let public_name = |path: &syn::Path, generics: &Generics| {
            let parameters: Vec<String> = generics.type_params().map(|parameter| parameter.ident.to_string()).collect();
            let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            match resolve(modules, module, &words, &parameters) {
                Meaning::Local(definition, _) => Some((exports.get(&definition).cloned(), definition)),
                _ => None,
            }
        };
        let own = match &*item.self_ty {
            syn::Type::Path(path) => public_name(&path.path, &item.generics),
            _ => None,
        };
        let of_trait = item.trait_.as_ref().map(|(path, _)| public_name(path, &item.generics));
        let public = match (&own, &of_trait) {
            // of a type or a trait that nobody else can name
            (_, Some(Some((None, _)))) | (Some((None, _)), _) => return,
            (Some((Some(public), _)), _) | (None, Some(Some((Some(public), _)))) => public.clone(),
            (None, _) => return,
        };
        if is_listed_elsewhere(&public) {
            return;
        }
        let operations =
            own.is_some_and(|(_, definition)| names::is_generated(modules, &definition)) && of_trait.is_none();
        if !operations {
            self.members(modules, exports, module, item, &public);
        }
    }

    fn members(&mut self, modules: &Modules, exports: &Exports, module: &[String], item: &ItemImpl, public: &str) {
        let mut header = Printer::new(modules, exports, module);
        header.enter(&item.generics);
        let bare = ItemImpl { attrs: Vec::new(), items: Vec::new(), ..item.clone() };
        let head = header.item(Item::Impl(bare));
        let hidden = |definition: &Vec<String>| !names::definition(modules, definition).is_some_and(is_public);
        if item.trait_.is_some() && header.nameless.iter().any(hidden) {
            return; // of use inside the crate only
        }
        let foreign = std::mem::take(&mut header.foreign);
        let place = if item.trait_.is_some() { &mut self.foreign_traits } else { &mut self.foreign };
        place.extend(foreign.into_iter().map(|path| (public.to_owned(), path)));
        self.noted(public, header);

        let mut printer = Printer::new(modules, exports, module);
        printer.enter(&item.generics);
        let mut lines = Vec::new();
        for member in &item.items {
            match member {
                ImplItem::Fn(member) if matches!(member.vis, syn::Visibility::Public(_)) => {
                    printer.enter(&member.sig.generics);
                    let text = printer.item(function(member.vis.clone(), member.sig.clone()));
                    printer.leave();
                    lines.push(format!("{head}: {text}"));
                }
                ImplItem::Const(member) if matches!(member.vis, syn::Visibility::Public(_)) => {
                    lines.push(format!("{head}: pub const {}: {}", member.ident, printer.ty(&member.ty)));
                }
                ImplItem::Type(member) if item.trait_.is_some() => {
                    printer.enter(&member.generics);
                    lines.push(format!("{head}: type {} = {}", member.ident, printer.ty(&member.ty)));
                    printer.leave();
                }
                ImplItem::Macro(call) => {
                    let calls = written(&call.mac, &mut printer);
                    lines.extend(calls.into_iter().map(|text| format!("{head}: {text}")));
                }
                _ => {}
            }
        }
        if item.trait_.is_some() {
            lines.push(head);
        }
        self.noted(public, printer);
        self.block(public).members.extend(lines);
    }
}

/// The generated types and requests have a list of their own.
fn is_listed_elsewhere(public: &str) -> bool {
    ["raw::types::", "raw::builder::", "raw::prelude::"].iter().any(|module| public.starts_with(module))
}

fn simple(kind: &'static str, declaration: String) -> Block {
    Block { kind, declaration, members: BTreeSet::new() }
}

fn structure(mut item: syn::ItemStruct, printer: &mut Printer<'_>) -> Block {
    printer.enter(&item.generics);
    let fields = std::mem::replace(&mut item.fields, Fields::Unit);
    item.semi_token = Some(Default::default());
    item.attrs.retain(is_shown);
    let members = fields.iter().enumerate().filter(|(_, field)| matches!(field.vis, syn::Visibility::Public(_)));
    let members = members.map(|(index, field)| format!("pub {}: {}", field_name(index, field), printer.ty(&field.ty)));
    let members = members.collect();
    Block { kind: "struct", declaration: printer.item(Item::Struct(item)), members }
}

fn field_name(index: usize, field: &syn::Field) -> String {
    field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string)
}

fn enumeration(mut item: syn::ItemEnum, printer: &mut Printer<'_>) -> Block {
    printer.enter(&item.generics);
    let mut members = BTreeSet::new();
    for variant in std::mem::replace(&mut item.variants, Punctuated::new()) {
        let fields = variant.fields.iter().enumerate();
        let fields: Vec<String> =
            fields.map(|(index, field)| format!("{}: {}", field_name(index, field), printer.ty(&field.ty))).collect();
        members.insert(match fields.is_empty() {
            true => format!("variant {}", variant.ident),
            false => format!("variant {} {{ {} }}", variant.ident, fields.join(", ")),
        });
    }
    item.attrs.retain(is_shown);
    Block { kind: "enum", declaration: printer.item(Item::Enum(item)), members }
}

fn trait_of(mut item: syn::ItemTrait, printer: &mut Printer<'_>) -> Block {
    printer.enter(&item.generics);
    let mut members = BTreeSet::new();
    for member in std::mem::take(&mut item.items) {
        match member {
            // nobody else can name what it takes: the trait is sealed
            TraitItem::Fn(member) if is_hidden(&member.attrs) => {}
            TraitItem::Fn(member) => {
                printer.enter(&member.sig.generics);
                let given = if member.default.is_some() { " (has a default)" } else { "" };
                let vis = syn::Visibility::Inherited;
                members.insert(format!("{}{given}", printer.item(function(vis, member.sig))));
                printer.leave();
            }
            TraitItem::Type(mut member) => {
                member.attrs.clear();
                let text = printer.item(parse_quote!(trait T { #member }));
                members.insert(text.trim_start_matches("trait T {").trim_end_matches('}').trim().to_owned());
            }
            TraitItem::Const(mut member) => {
                member.attrs.clear();
                let text = printer.item(parse_quote!(trait T { #member }));
                members.insert(text.trim_start_matches("trait T {").trim_end_matches('}').trim().to_owned());
            }
            _ => panic!("{}: a kind of member that this reader does not know", item.ident),
        }
    }
    item.attrs.clear();
    Block { kind: "trait", declaration: printer.item(Item::Trait(item)), members }
}

/// A function without what it does.
fn function(vis: syn::Visibility, sig: syn::Signature) -> Item {
    Item::Fn(syn::ItemFn { attrs: Vec::new(), vis, modifiers: Default::default(), sig, block: parse_quote!({}) })
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    let mut doc = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    doc.any(|attribute| attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "hidden"))
}

fn is_shown(attribute: &Attribute) -> bool {
    attribute.path().is_ident("non_exhaustive") || attribute.path().is_ident("must_use")
}

/// The derived traits, under the names that written `impl` lines print.
fn derives(item: &Item) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in attributes(item).iter().filter(|attribute| attribute.path().is_ident("derive")) {
        let paths = attribute.parse_args_with(Punctuated::<syn::Path, syn::Token![,]>::parse_terminated);
        for path in paths.expect("a list of traits") {
            let name = path.segments.last().expect("a name").ident.to_string();
            let name = match name.as_str() {
                "Debug" => "std::fmt::Debug".to_owned(),
                "Hash" => "std::hash::Hash".to_owned(),
                "Serialize" | "Deserialize" => format!("serde::{name}"),
                "Clone" | "Copy" | "PartialEq" | "Eq" | "PartialOrd" | "Ord" | "Default" => name,
                // thiserror's
                "Error" => {
                    found.extend(converted(item));
                    found.push("std::fmt::Display".to_owned());
                    "std::error::Error".to_owned()
                }
                other => panic!("the derive {other} is not known"),
            };
            found.push(name);
        }
    }
    found
}

/// What a derived error converts from.
fn converted(item: &Item) -> Vec<String> {
    let fields: Vec<&syn::Field> = match item {
        Item::Enum(item) => item.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Item::Struct(item) => item.fields.iter().collect(),
        _ => Vec::new(),
    };
    let from = |field: &&&syn::Field| field.attrs.iter().any(|attribute| attribute.path().is_ident("from"));
    let name = |field: &&syn::Field| match &field.ty {
        syn::Type::Path(path) => path.path.segments.last().map(|last| format!("From<{}>", last.ident)),
        _ => None,
    };
    fields.iter().filter(from).filter_map(name).collect()
}

/// A macro call among the members: one line for each part that ends in `;`, up to its `=>`, read as a function's head.
fn written(call: &syn::Macro, printer: &mut Printer<'_>) -> Vec<String> {
    let parts = |input: syn::parse::ParseStream<'_>| {
        let mut parts = Vec::new();
        while !input.is_empty() {
            input.call(Attribute::parse_outer)?;
            let ident: syn::Ident = input.parse()?;
            let arguments;
            syn::parenthesized!(arguments in input);
            let inputs = Punctuated::<syn::FnArg, syn::Token![,]>::parse_terminated(&arguments)?;
            parts.push(syn::ItemFn {
                sig: parse_quote!(fn #ident(#inputs)),
                ..parse_quote!(
                    fn f() {}
                )
            });
            while !input.peek(syn::Token![;]) {
                input.parse::<proc_macro2::TokenTree>()?;
            }
            input.parse::<syn::Token![;]>()?;
        }
        Ok(parts)
    };
    let name = call.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let parts = call.parse_body_with(parts).expect("heads of functions, each up to a `;`");
    parts.into_iter().map(|part| format!("{name}! {}", printer.item(Item::Fn(part)))).collect()
}

fn names_of(item: &Item) -> Option<String> {
    crate::public_api::source::name(item)
}
