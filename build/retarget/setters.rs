//! Gives each setter of a request one line of documentation, and each refusal of a parameter a sentence.
//!
//! The generator documents the parameters in one list, at the method that makes the request. A setter is read on its own, so
//! its line is copied there, with whether a request can be sent without it.

use std::collections::BTreeMap;

use syn::{
    Attribute, Expr, ExprStruct, File, FnArg, ImplItem, ImplItemFn, Item, ItemImpl, ItemMod, Member, Meta, Stmt,
};

/// The descriptions of one operation's parameters, by the names of their setters.
type Described = BTreeMap<String, String>;

/// Documents all setters, or says which operation has another shape than the generator's.
pub(super) fn document(file: &mut File, problems: &mut Vec<String>) -> usize {
    let described = operations(file);
    let builders = file.items.iter_mut().filter_map(|item| match item {
        Item::Mod(module) if module.ident == "builder" => Some(module),
        _ => None,
    });
    let mut documented = 0;
    for item in builders.flat_map(items_of) {
        let Item::Impl(item) = item else { continue };
        let Some(name) = super::type_name(&item.self_ty) else { continue };
        if let Err(error) = super::messages::reword(item, &name) {
            problems.push(format!("unknown generator output: {error}"));
        }
        let done = described.get(&name).is_some_and(|descriptions| document_builder(item, descriptions).is_some());
        documented += usize::from(done);
        if !done {
            problems.push(format!("unknown generator output: the request `{name}` belongs to no method of the client"));
        }
    }
    documented
}

fn items_of(module: &mut ItemMod) -> impl Iterator<Item = &mut Item> {
    module.content.iter_mut().flat_map(|(_, items)| items.iter_mut())
}

/// What the client's methods tell of their parameters, by the name of the request that each of them makes.
fn operations(file: &File) -> BTreeMap<String, Described> {
    let blocks = file.items.iter().filter_map(|item| match item {
        Item::Impl(block)
            if block.trait_.is_none() && super::type_name(&block.self_ty).as_deref() == Some("Client") =>
        {
            Some(block)
        }
        _ => None,
    });
    let mut operations = BTreeMap::new();
    for member in blocks.flat_map(|block| &block.items) {
        if let ImplItem::Fn(method) = member
            && let syn::ReturnType::Type(_, made) = &method.sig.output
            && let Some(name) = super::type_name(made)
        {
            operations.insert(name, arguments(&documentation(&method.attrs)));
        }
    }
    operations
}

/// Reads the list that ends a method's documentation; of a longer description the first line.
fn arguments(documentation: &str) -> Described {
    let Some((_, list)) = documentation.rsplit_once("Arguments:\n") else { return Described::new() };
    let mut described = Described::new();
    for line in list.lines() {
        let entry = line.strip_prefix("- `").and_then(|rest| rest.split_once('`'));
        if let Some((name, rest)) = entry {
            let description = rest.strip_prefix(':').unwrap_or_default().trim();
            described.entry(name.to_owned()).or_insert_with(|| description.to_owned());
        }
    }
    described
}

fn document_builder(item: &mut ItemImpl, descriptions: &Described) -> Option<()> {
    let needs = needs(item)?;
    for member in &mut item.items {
        let ImplItem::Fn(setter) = member else { continue };
        let name = setter.sig.ident.to_string();
        if name == "new" {
            add(setter, "A request with nothing filled in.");
        } else if name == "body_map" {
            add(setter, "Fills the body in: the function gets it as it is so far and gives it back changed.");
        } else if let Some(need) = needs.get(&name)
            && matches!(setter.sig.inputs.first(), Some(FnArg::Receiver(_)))
        {
            add(setter, &line(descriptions.get(&name).map_or("", String::as_str), *need));
        }
    }
    Some(())
}

/// Whether a request can be sent although a setter was not called.
#[derive(Clone, Copy)]
enum Need {
    Required,
    Body,
    Optional,
}

/// `new` says it: a required parameter begins as an error, an optional one as nothing, and a body as an empty one.
fn needs(item: &ItemImpl) -> Option<BTreeMap<String, Need>> {
    let new = item.items.iter().find_map(|member| match member {
        ImplItem::Fn(function) if function.sig.ident == "new" => Some(function),
        _ => None,
    })?;
    let fields = new.block.stmts.iter().find_map(|statement| match statement {
        Stmt::Expr(Expr::Struct(ExprStruct { fields, .. }), None) => Some(fields),
        _ => None,
    })?;
    let mut needs = BTreeMap::new();
    for field in fields {
        let (Member::Named(name), Expr::Call(call)) = (&field.member, &field.expr) else { continue };
        let need = match &*call.func {
            Expr::Path(path) if path.path.is_ident("Err") => Need::Required,
            _ if matches!(call.args.first(), Some(Expr::Path(path)) if path.path.is_ident("None")) => Need::Optional,
            _ => Need::Body,
        };
        needs.insert(name.to_string(), need);
    }
    Some(needs)
}

fn line(description: &str, need: Need) -> String {
    let need = match need {
        Need::Required => "Required.",
        Need::Body => "Required, unless all of its fields are optional.",
        Need::Optional => "Optional.",
    };
    match description.trim_end_matches('.') {
        "" => need.to_owned(),
        sentence => format!("{sentence}. {need}"),
    }
}

fn add(function: &mut ImplItemFn, line: &str) {
    let line = format!(" {line}");
    function.attrs.push(syn::parse_quote!(#[doc = #line]));
}

fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}
