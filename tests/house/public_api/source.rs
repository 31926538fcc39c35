//! The crate's sources as syntax trees, module by module, tests left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, ItemMod, UseTree};

/// A module: its items, and the names that its `use` lines bring in.
#[derive(Default)]
pub struct Module {
    pub items: Vec<Item>,
    /// Items that the build generated and this module includes.
    pub generated: Vec<Item>,
    /// Name in this module, and the path that it stands for as the `use` line has it.
    pub uses: Vec<Use>,
}

pub struct Use {
    pub name: String,
    pub path: Vec<String>,
    pub public: bool,
}

/// Every module by its path below the crate's root; the root itself has the empty path.
pub type Modules = BTreeMap<Vec<String>, Module>;

/// Reads the whole library.
pub fn load() -> Modules {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = Modules::new();
    load_file(&root.join("lib.rs"), &root, Vec::new(), &mut modules);
    expand_globs(&mut modules);
    modules
}

/// Puts the public names of a module in the place of a `*` that imports them. Constants that a macro makes are not among them.
fn expand_globs(modules: &mut Modules) {
    let names: BTreeMap<Vec<String>, Vec<String>> =
        modules.iter().map(|(path, module)| (path.clone(), public_names(module))).collect();
    for (here, module) in modules {
        let (globs, uses): (Vec<Use>, Vec<Use>) = module.uses.drain(..).partition(|used| used.name == "*");
        module.uses = uses;
        for glob in globs {
            let target = absolute(here, &glob.path);
            for name in names.get(&target).into_iter().flatten() {
                let path = glob.path.iter().chain([name]).cloned().collect();
                module.uses.push(Use { name: name.clone(), path, public: glob.public });
            }
        }
    }
}

fn absolute(here: &[String], path: &[String]) -> Vec<String> {
    let mut target = here.to_vec();
    for part in path {
        match part.as_str() {
            "crate" => target.clear(),
            "super" => drop(target.pop()),
            "self" => {}
            name => target.push(name.to_owned()),
        }
    }
    target
}

fn public_names(module: &Module) -> Vec<String> {
    let is_public = |visibility: &syn::Visibility| matches!(visibility, syn::Visibility::Public(_));
    let items = module.items.iter().filter_map(|item| match item {
        Item::Struct(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        Item::Enum(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        Item::Trait(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        Item::Type(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        Item::Fn(item) if is_public(&item.vis) => Some(item.sig.ident.to_string()),
        Item::Const(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        _ => None,
    });
    let uses = module.uses.iter().filter(|used| used.public && used.name != "*").map(|used| used.name.clone());
    items.chain(uses).collect()
}

/// What the build generates from the API's document, as text: over a megabyte, of which a syntax tree takes seconds.
pub fn generated_text() -> String {
    read(&Path::new(env!("OUT_DIR")).join("xtra.rs"))
}

/// The generated items, their modules emptied.
fn generated_client() -> Vec<Item> {
    let mut kept = String::new();
    let mut in_module = false;
    for line in generated_text().lines() {
        in_module &= line != "}";
        if !in_module {
            kept.push_str(line);
            kept.push('\n');
        }
        in_module |= line.starts_with("pub mod ");
    }
    syn::parse_file(&kept).expect("generated code").items
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn parse(path: &Path) -> Vec<Item> {
    syn::parse_file(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display())).items
}

/// `below` is the directory of the module's own modules.
fn load_file(file: &Path, below: &Path, path: Vec<String>, modules: &mut Modules) {
    add(parse(file), below, path, modules);
}

fn add(items: Vec<Item>, below: &Path, path: Vec<String>, modules: &mut Modules) {
    let mut module = Module::default();
    for item in items {
        match item {
            _ if is_for_tests(attributes(&item)) => {}
            Item::Mod(child) => {
                add_child(&child, below, &path, modules);
                module.items.push(Item::Mod(child));
            }
            Item::Use(line) => {
                let public = matches!(line.vis, syn::Visibility::Public(_));
                let start = if line.leading_colon.is_some() { vec![String::new()] } else { Vec::new() };
                flatten(&line.tree, start, public, &mut module.uses);
            }
            Item::Macro(call) if call.mac.path.is_ident("include") => {
                let included = call.mac.tokens.to_string();
                assert!(included.contains("OUT_DIR"), "an include that this reader does not know: {included}");
                module.generated = generated_client();
            }
            item => module.items.push(item),
        }
    }
    for item in std::mem::take(&mut module.generated) {
        match item {
            // modules of generated code are looked up like all others
            Item::Mod(child) => {
                add_child(&child, below, &path, modules);
                module.generated.push(Item::Mod(child));
            }
            Item::Use(line) => {
                let public = matches!(line.vis, syn::Visibility::Public(_));
                flatten(&line.tree, Vec::new(), public, &mut module.uses);
            }
            item => module.generated.push(item),
        }
    }
    modules.insert(path, module);
}

fn add_child(child: &ItemMod, below: &Path, path: &[String], modules: &mut Modules) {
    let name = child.ident.to_string();
    let mut path = path.to_vec();
    path.push(name.clone());
    if child.attrs.iter().any(|attribute| attribute.path().is_ident("path")) {
        assert!(matches!(child.vis, syn::Visibility::Inherited), "a public module with #[path] is not read: {path:?}");
        return;
    }
    let directory = below.join(&name);
    match &child.content {
        Some((_, items)) => add(items.clone(), &directory, path, modules),
        None => {
            let candidates: [PathBuf; 2] = [below.join(format!("{name}.rs")), directory.join("mod.rs")];
            let file = candidates.iter().find(|file| file.exists());
            let file = file.unwrap_or_else(|| panic!("no file of module {path:?}"));
            load_file(file, &directory, path, modules);
        }
    }
}

fn flatten(tree: &UseTree, mut path: Vec<String>, public: bool, into: &mut Vec<Use>) {
    match tree {
        UseTree::Path(step) => {
            path.push(step.ident.to_string());
            flatten(&step.tree, path, public, into);
        }
        UseTree::Name(last) if last.ident == "self" => {
            let name = path.last().cloned().unwrap_or_default();
            into.push(Use { name, path, public });
        }
        UseTree::Name(last) => {
            let name = last.ident.to_string();
            path.push(name.clone());
            into.push(Use { name, path, public });
        }
        UseTree::Rename(last) => {
            path.push(last.ident.to_string());
            into.push(Use { name: last.rename.to_string(), path, public });
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, path.clone(), public, into);
            }
        }
        UseTree::Glob(_) => into.push(Use { name: "*".to_owned(), path, public }),
    }
}

/// Whether an item is there under `cfg(test)` or `cfg(doctest)` only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let condition = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
        !condition.contains("not") && condition.contains("test")
    })
}

pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name of an item that has one.
pub fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(ident.to_string())
}

/// Whether everybody may name the item.
pub fn is_public(item: &Item) -> bool {
    let visibility = match item {
        Item::Const(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Mod(item) => &item.vis,
        Item::Static(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Macro(item) => return item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")),
        _ => return false,
    };
    matches!(visibility, syn::Visibility::Public(_))
}
