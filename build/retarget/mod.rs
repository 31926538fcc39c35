//! Points the generated client at our own runtime instead of the generator's.
//!
//! The generator's runtime prints answer bodies and URLs in its errors, loses the status of an answer that is not JSON, and lets
//! `..` leave a path. Each rewrite here counts what it found: output of another shape fails the build instead of slipping past.

mod builders;
mod left_over;
mod messages;
mod records;
mod request;
mod setters;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Expr, File, ImplItem, Item, ItemImpl, ItemStruct, ItemUse, Lit, Meta, Path, Type, UseTree, Visibility,
};

/// What generated code may import from the generator's runtime, and whether ours has it too.
const KNOWN_IMPORTS: &[(&str, bool)] = &[
    ("ByteStream", false),
    ("ClientHooks", true),
    ("ClientInfo", false),
    ("Error", true),
    ("OperationInfo", true),
    ("RequestBuilderExt", true),
    ("ResponseValue", true),
    ("encode_path", true),
];

/// Rewrites the generator's output, or says what of it is unknown. The types of the schemas in `unprinted` lose their derived
/// `Debug`.
pub(crate) fn retarget(tokens: TokenStream, runtime: &str, unprinted: &[&str]) -> Result<File, Vec<String>> {
    let unusable = |error: syn::Error| vec![format!("the generated code cannot be read: {error}")];
    let mut file: File = syn::parse2(tokens).map_err(unusable)?;
    let runtime: Path = syn::parse_str(runtime).map_err(unusable)?;
    let mut rewrite = Rewrite { runtime, unprinted, problems: Vec::new(), found: Found::default() };
    rewrite.visit_file_mut(&mut file);
    builders::drop_unneeded(&mut file, &mut rewrite.problems);
    records::read_by_runtime(&mut file, &rewrite.runtime, &mut rewrite.problems);
    // after the rewrite, which has made the descriptions fit for documentation
    rewrite.found.documented = setters::document(&mut file, &mut rewrite.problems);
    rewrite.check_counts();
    rewrite.problems.extend(left_over::find(&mut file));
    if rewrite.problems.is_empty() { Ok(file) } else { Err(rewrite.problems) }
}

struct Rewrite<'a> {
    runtime: Path,
    unprinted: &'a [&'a str],
    problems: Vec<String>,
    found: Found,
}

#[derive(Default)]
struct Found {
    imports: usize,
    info: usize,
    constructors: usize,
    clients: usize,
    unprinted: usize,
    operations: usize,
    documented: usize,
    requests: request::Found,
}

impl Rewrite<'_> {
    fn check_counts(&mut self) {
        let Found { imports, info, constructors, clients, unprinted, operations, documented, requests } = &self.found;
        let mut want = |what: &str, found: usize, wanted: usize| {
            if found != wanted {
                self.problems.push(format!("unknown generator output: {found} times {what} instead of {wanted}"));
            }
        };
        want("an import of the runtime", *imports, 2);
        want("what the client tells about itself", *info, 1);
        want("the panicking constructor", *constructors, 1);
        want("the client's type", *clients, 1);
        want("a type that is printed by hand", *unprinted, self.unprinted.len());
        want("a request with its setters", *documented, *operations);
        for (what, found) in requests.per_operation() {
            want(what, found, *operations);
        }
        if self.found.operations == 0 {
            self.problems.push("unknown generator output: no operation".to_owned());
        }
    }

    /// Keeps the imports that our runtime has; only the two types that callers meet stay public.
    fn import(&mut self, item: &ItemUse) -> Vec<Item> {
        let mut names = Vec::new();
        let tree = match &item.tree {
            UseTree::Path(path) => &path.tree,
            other => other,
        };
        leaf_names(tree, &mut names);
        let mut kept = Vec::new();
        for name in names {
            match KNOWN_IMPORTS.iter().find(|(known, _)| name == *known) {
                Some((_, true)) => kept.push(name),
                Some((_, false)) => {}
                None => self.problems.push(format!("unknown generator output: it imports `{name}`")),
            }
        }
        let runtime = &self.runtime;
        let mut items = Vec::new();
        for (public, visibility) in [(true, quote::quote!(pub)), (false, quote::quote!())] {
            let part: Vec<_> =
                kept.iter().filter(|name| (*name == "Error" || *name == "ResponseValue") == public).collect();
            if !part.is_empty() {
                items.push(syn::parse_quote!(#[allow(unused_imports)] #visibility use #runtime::{#(#part),*};));
            }
        }
        items
    }

    fn client_impl(&mut self, item: &mut ItemImpl) {
        if item.trait_.is_some() || !is_named(&item.self_ty, "Client") {
            return;
        }
        let before = item.items.len();
        item.items.retain(|member| !matches!(member, ImplItem::Fn(function) if function.sig.ident == "new"));
        self.found.constructors += before - item.items.len();
        for member in &mut item.items {
            // a client made by hand could send the token elsewhere
            if let ImplItem::Fn(function) = member
                && function.sig.ident == "new_with_client"
            {
                function.vis = syn::parse_quote!(pub(crate));
            }
        }
    }

    /// The derived `Debug` would print the base URL; `raw.rs` has one that does not.
    fn client_struct(&mut self, item: &mut ItemStruct) {
        self.without_debug(item);
        self.found.clients += 1;
    }

    /// Takes the derived `Debug` away, for one written by hand.
    fn without_debug(&mut self, item: &mut ItemStruct) {
        for attribute in item.attrs.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
            let mut kept: Vec<Path> = Vec::new();
            let parsed = attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("Debug") {
                    kept.push(meta.path);
                }
                Ok(())
            });
            match parsed {
                Ok(()) => *attribute = syn::parse_quote!(#[derive(#(#kept),*)]),
                Err(error) => self.problems.push(format!("unknown generator output: {error}")),
            }
        }
    }
}

impl VisitMut for Rewrite<'_> {
    fn visit_file_mut(&mut self, file: &mut File) {
        let mut items = Vec::new();
        for mut item in std::mem::take(&mut file.items) {
            match &mut item {
                Item::Use(used) if mentions(used, "progenitor_client") => {
                    self.found.imports += 1;
                    items.extend(self.import(used));
                    continue;
                }
                // it would show the base URL and hand out the transport, which holds the token
                Item::Impl(item) if implements(item, "ClientInfo") => {
                    self.found.info += 1;
                    continue;
                }
                Item::Struct(item) if item.ident == "Client" => self.client_struct(item),
                Item::Impl(item) => self.client_impl(item),
                _ => {}
            }
            items.push(item);
        }
        file.items = items;
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_use_mut(&mut self, item: &mut ItemUse) {
        if matches!(item.vis, Visibility::Inherited) {
            for (name, _) in KNOWN_IMPORTS.iter().filter(|(_, ours)| !ours) {
                drop_leaf(&mut item.tree, name);
            }
        }
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        if path.segments.first().is_some_and(|segment| segment.ident == "progenitor_client") {
            let mut whole = self.runtime.clone();
            whole.segments.extend(path.segments.iter().skip(1).cloned());
            *path = whole;
        }
        visit_mut::visit_path_mut(self, path);
    }

    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        if let Meta::NameValue(pair) = &mut attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(literal) = &mut pair.value
            && let Lit::Str(text) = &mut literal.lit
        {
            *text = syn::LitStr::new(&crate::docs::clean(&text.value()), text.span());
        }
    }

    fn visit_item_struct_mut(&mut self, item: &mut ItemStruct) {
        // their builders have the same names, and are not read from an answer
        let is_read = item.attrs.iter().any(|attribute| mentions(attribute, "Deserialize"));
        if is_read && self.unprinted.iter().any(|name| item.ident == name) {
            self.without_debug(item);
            self.found.unprinted += 1;
        }
        visit_mut::visit_item_struct_mut(self, item);
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut syn::ImplItemFn) {
        if function.sig.ident == "send" && function.sig.asyncness.is_some() {
            self.found.operations += 1;
            request::rewrite(&mut function.block, &mut self.found.requests, &mut self.problems);
        }
        visit_mut::visit_impl_item_fn_mut(self, function);
    }
}

fn implements(item: &ItemImpl, name: &str) -> bool {
    let implemented = item.trait_.as_ref().and_then(|(path, _)| path.segments.last());
    implemented.is_some_and(|segment| segment.ident == name)
}

fn is_named(subject: &Type, name: &str) -> bool {
    matches!(subject, Type::Path(path) if path.path.is_ident(name))
}

/// The last name of a type's path: `builder::SecretsRead<'_>` is `SecretsRead`.
fn type_name(subject: &Type) -> Option<String> {
    match subject {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

fn mentions(item: &impl ToTokens, name: &str) -> bool {
    any_token(item.to_token_stream(), &mut |token| matches!(token, TokenTree::Ident(ident) if ident == name))
}

fn any_token(tokens: TokenStream, test: &mut impl FnMut(&TokenTree) -> bool) -> bool {
    let mut any = false;
    for token in tokens {
        any |= test(&token);
        if let TokenTree::Group(group) = token {
            any |= any_token(group.stream(), test);
        }
    }
    any
}

fn leaf_names(tree: &UseTree, names: &mut Vec<syn::Ident>) {
    match tree {
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaf_names(tree, names)),
        UseTree::Name(name) => names.push(name.ident.clone()),
        UseTree::Path(path) => leaf_names(&path.tree, names),
        UseTree::Rename(rename) => names.push(rename.ident.clone()),
        UseTree::Glob(_) => names.push(syn::Ident::new("_", proc_macro2::Span::call_site())),
    }
}

fn drop_leaf(tree: &mut UseTree, name: &str) {
    match tree {
        UseTree::Path(path) => drop_leaf(&mut path.tree, name),
        UseTree::Group(group) => {
            let kept = std::mem::take(&mut group.items).into_iter();
            group.items = kept.filter(|leaf| !matches!(leaf, UseTree::Name(leaf) if leaf.ident == name)).collect();
        }
        _ => {}
    }
}

fn mentions_text(item: &impl ToTokens, text: &str) -> bool {
    any_token(
        item.to_token_stream(),
        &mut |token| matches!(token, TokenTree::Literal(literal) if literal.to_string().contains(text)),
    )
}
