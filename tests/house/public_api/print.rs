//! Pieces of declarations as text on one line, with every path resolved.

use std::collections::BTreeSet;

use syn::visit_mut::{self, VisitMut};
use syn::{Generics, Item, Path, PathSegment, Type, parse_quote};

use crate::public_api::names::{Exports, Meaning, definition as definition_of, resolve};
use crate::public_api::source::Modules;

/// Prints what stands in one module, and remembers what it named.
pub struct Printer<'a> {
    pub modules: &'a Modules,
    pub exports: &'a Exports,
    pub module: &'a [String],
    generics: Vec<Vec<String>>,
    /// Paths of other crates, `std` and its kin left out.
    pub foreign: BTreeSet<String>,
    /// Items of ours that have no public name.
    pub nameless: BTreeSet<Vec<String>>,
}

impl<'a> Printer<'a> {
    pub fn new(modules: &'a Modules, exports: &'a Exports, module: &'a [String]) -> Self {
        Self { modules, exports, module, generics: Vec::new(), foreign: BTreeSet::new(), nameless: BTreeSet::new() }
    }

    /// Generic parameters stay as they are until [`leave`](Self::leave).
    pub fn enter(&mut self, generics: &Generics) {
        self.generics.push(generics.type_params().map(|parameter| parameter.ident.to_string()).collect());
    }

    pub fn leave(&mut self) {
        self.generics.pop();
    }

    /// An item without what is not its declaration.
    pub fn item(&mut self, mut item: Item) -> String {
        self.visit_item_mut(&mut item);
        one_line(item)
    }

    pub fn ty(&mut self, ty: &Type) -> String {
        let text = self.item(parse_quote!(type T = #ty;));
        text.trim_start_matches("type T = ").trim_end_matches(';').to_owned()
    }

    /// What a type stands for that is an alias without a public name, which others do not see.
    fn private_alias(&mut self, ty: &Type) -> Option<Type> {
        let Type::Path(path) = ty else { return None };
        let Meaning::Local(definition, rest) = self.meaning(&path.path) else { return None };
        let Some(Item::Type(alias)) = definition_of(self.modules, &definition) else { return None };
        if self.exports.contains_key(&definition) || !rest.is_empty() || !alias.generics.params.is_empty() {
            return None;
        }
        let mut there = Printer::new(self.modules, self.exports, &definition[..definition.len() - 1]);
        let mut meant = (*alias.ty).clone();
        there.visit_type_mut(&mut meant);
        self.foreign.append(&mut there.foreign);
        self.nameless.append(&mut there.nameless);
        Some(meant)
    }

    fn meaning(&self, path: &Path) -> Meaning {
        let mut words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if path.leading_colon.is_some() {
            words.insert(0, String::new());
        }
        let generics: Vec<String> = self.generics.iter().flatten().cloned().collect();
        resolve(self.modules, self.module, &words, &generics)
    }

    fn rename(&mut self, path: &mut Path) {
        match self.meaning(path) {
            Meaning::Plain => {}
            Meaning::Foreign(words) => {
                if !["std", "core", "alloc"].contains(&words[0].as_str()) {
                    self.foreign.insert(words.join("::"));
                }
                replace(path, &words);
            }
            Meaning::Local(definition, rest) => {
                let mut words: Vec<String> = match self.exports.get(&definition) {
                    Some(public) => public.split("::").map(str::to_owned).collect(),
                    None => {
                        self.nameless.insert(definition.clone());
                        std::iter::once("crate".to_owned()).chain(definition).collect()
                    }
                };
                words.extend(rest);
                replace(path, &words);
            }
        }
    }
}

/// Other words, and the arguments where they were: those of the last segment.
fn replace(path: &mut Path, words: &[String]) {
    let inner = path.segments.iter().rev().skip(1).any(|segment| !segment.arguments.is_none());
    assert!(!inner, "arguments inside a path are not read");
    let last = path.segments.last().map(|segment| segment.arguments.clone()).unwrap_or_default();
    path.leading_colon = None;
    path.segments =
        words.iter().map(|word| PathSegment::from(syn::Ident::new(word, proc_macro2::Span::call_site()))).collect();
    if let Some(segment) = path.segments.last_mut() {
        segment.arguments = last;
    }
}

impl VisitMut for Printer<'_> {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        self.rename(path);
    }

    fn visit_type_path_mut(&mut self, ty: &mut syn::TypePath) {
        let Some(own) = &mut ty.qself else { return visit_mut::visit_type_path_mut(self, ty) };
        // `<T as Trait>::Name`: the path is that of the trait and of one name in it
        visit_mut::visit_qself_mut(self, own);
        let position = own.position;
        let mut of_trait: Path = ty.path.clone();
        of_trait.segments = ty.path.segments.iter().take(position).cloned().collect();
        let rest: Vec<PathSegment> = ty.path.segments.iter().skip(position).cloned().collect();
        if position > 0 {
            self.visit_path_mut(&mut of_trait);
        }
        own.position = of_trait.segments.len();
        of_trait.segments.extend(rest);
        ty.path = of_trait;
    }

    fn visit_type_mut(&mut self, ty: &mut Type) {
        match self.private_alias(ty) {
            Some(meant) => *ty = meant,
            None => visit_mut::visit_type_mut(self, ty),
        }
    }

    /// Whether the callee may change its argument is nobody else's business.
    fn visit_receiver_mut(&mut self, receiver: &mut syn::Receiver) {
        receiver.mutability = None;
        visit_mut::visit_receiver_mut(self, receiver);
    }

    fn visit_pat_ident_mut(&mut self, name: &mut syn::PatIdent) {
        name.mutability = None;
    }

    fn visit_attribute_mut(&mut self, _: &mut syn::Attribute) {}

    fn visit_expr_mut(&mut self, _: &mut syn::Expr) {}

    fn visit_visibility_mut(&mut self, _: &mut syn::Visibility) {}

    fn visit_block_mut(&mut self, _: &mut syn::Block) {}
}

/// Puts on one line what was laid out on many.
fn one_line(item: Item) -> String {
    let text =
        prettyplease::unparse(&syn::File { shebang: None, frontmatter: None, attrs: Vec::new(), items: vec![item] });
    let joined = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let mut line =
        joined.replace("( ", "(").replace(", )", ")").replace("< ", "<").replace(", >", ">").replace(" )", ")");
    for end in ["{}", "{ }"] {
        line = line.trim().trim_end_matches(end).trim().to_owned();
    }
    line.trim_end_matches(',').to_owned()
}
