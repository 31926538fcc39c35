//! The source files of the library, and the imports between them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Item, UseTree, Visibility};

/// A module of the library: `crate` is `[]`, `crate::engine::read` is `["engine", "read"]`.
pub type Module = Vec<String>;

/// One file of the library.
pub struct Source {
    /// Relative to `src/`.
    pub path: String,
    pub module: Module,
    pub text: String,
    /// The text without comments and without the tests at its end.
    pub code: String,
}

impl Source {
    pub fn room(&self) -> &str {
        match self.path.split_once('/') {
            Some((room, _)) => room,
            None => self.path.trim_end_matches(".rs"),
        }
    }

    pub fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs") || self.path.ends_with("/properties.rs") || self.path.contains("/tests/")
    }
}

/// Every `.rs` file below a folder of the package, as it is.
pub fn files(below: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(below)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// The library's files.
pub fn library() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources: Vec<Source> = files("src")
        .into_iter()
        .map(|(path, text)| {
            let path = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            let mut module: Module = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if module.last().is_some_and(|last| last == "mod" || last == "lib") {
                module.pop();
            }
            let code = code_of(&text);
            Source { path, module, text, code }
        })
        .filter(|source| !source.path.starts_with("bin/"))
        .collect();
    assert!(sources.len() > 50, "the library was found");
    sources
}

/// The text without comments, and without the unit tests that end a file.
pub fn code_of(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Who imports whom, file by file, with re-exports followed to the file that defines the name.
pub struct Imports(pub BTreeMap<String, BTreeSet<String>>);

impl Imports {
    /// `ignored` is true of the paths that are no arrows, by the room that names them.
    pub fn of(sources: &[Source], ignored: impl Fn(&str, &Module) -> bool) -> Self {
        let by_module: BTreeMap<&[String], &Source> =
            sources.iter().map(|source| (source.module.as_slice(), source)).collect();
        let uses: BTreeMap<&[String], Vec<ImportedName>> =
            sources.iter().map(|source| (source.module.as_slice(), uses_of(source))).collect();
        let mut imports = BTreeMap::new();
        for source in sources.iter().filter(|source| !source.is_test()) {
            let files = paths(source)
                .iter()
                .filter(|target| !ignored(source.room(), target))
                .filter_map(|target| resolve(target, &by_module, &uses, 0))
                .filter(|file| *file != source.path)
                .collect();
            imports.insert(source.path.clone(), files);
        }
        Self(imports)
    }

    /// The groups of files in which each imports each other, by whatever way; the larger first.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let reach: BTreeMap<&String, BTreeSet<&String>> =
            self.0.keys().map(|file| (file, self.reached_from(file))).collect();
        let mut circles = BTreeSet::new();
        for (file, reached) in &reach {
            let circle: Vec<String> = reached
                .iter()
                .filter(|other| reach.get(**other).is_some_and(|back| back.contains(file)))
                .map(|other| (*other).clone())
                .collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        let mut circles: Vec<_> = circles.into_iter().collect();
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }

    fn reached_from<'a>(&'a self, file: &'a String) -> BTreeSet<&'a String> {
        let mut reached = BTreeSet::new();
        let mut open = vec![file];
        while let Some(next) = open.pop() {
            for target in self.0.get(next).into_iter().flatten() {
                if reached.insert(target) {
                    open.push(target);
                }
            }
        }
        reached
    }
}

/// The file that defines what a path names.
fn resolve(
    path: &[String],
    by_module: &BTreeMap<&[String], &Source>,
    uses: &BTreeMap<&[String], Vec<ImportedName>>,
    depth: usize,
) -> Option<String> {
    let module_len = (0..=path.len()).rev().find(|len| by_module.contains_key(&path[..*len]))?;
    let module = &path[..module_len];
    if let Some(name) = path.get(module_len)
        && depth < 8
        && let Some(import) = uses[module].iter().find(|import| import.name == *name)
    {
        let mut target = import.path.clone();
        target.extend_from_slice(&path[module_len + 1..]);
        return resolve(&target, by_module, uses, depth + 1);
    }
    Some(by_module[module].path.clone())
}

/// Every path of the crate that a file's code names, but for what it re-exports of its own children: that is followed to
/// where it is defined.
pub fn paths(source: &Source) -> Vec<Module> {
    let own_child = |path: &Module| path.len() > source.module.len() && path.starts_with(&source.module);
    let imported = uses_of(source).into_iter().filter(|import| !(import.is_public && own_child(&import.path)));
    imported.map(|import| import.path).chain(paths_of(source)).collect()
}

/// A name that a file imports from within the crate.
struct ImportedName {
    name: String,
    /// Where it is found.
    path: Module,
    is_public: bool,
}

fn uses_of(source: &Source) -> Vec<ImportedName> {
    let file = syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let mut found = Vec::new();
    for item in &file.items {
        if let Item::Use(import) = item {
            let is_public = !matches!(import.vis, Visibility::Inherited);
            let mut names = Vec::new();
            leaves(&import.tree, Vec::new(), &mut names);
            found.extend(names.into_iter().filter_map(|(name, path)| {
                Some(ImportedName { name, path: absolute(&path, &source.module)?, is_public })
            }));
        }
    }
    found
}

fn leaves(tree: &UseTree, mut path: Module, found: &mut Vec<(String, Module)>) {
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            leaves(&part.tree, path, found);
        }
        UseTree::Name(name) if name.ident == "self" => found.push((path.last().cloned().unwrap_or_default(), path)),
        UseTree::Name(name) => {
            path.push(name.ident.to_string());
            found.push((name.ident.to_string(), path));
        }
        UseTree::Rename(rename) => {
            path.push(rename.ident.to_string());
            found.push((rename.rename.to_string(), path));
        }
        UseTree::Glob(_) => found.push(("*".to_owned(), path)),
        UseTree::Group(group) => group.items.iter().for_each(|item| leaves(item, path.clone(), found)),
    }
}

/// The paths that the code names without an import: `crate::room::name`, `super::name`.
fn paths_of(source: &Source) -> Vec<Module> {
    let code = source
        .code
        .lines()
        .filter(|line| !line.trim_start().starts_with("use ") && !line.contains("pub use "))
        .collect::<Vec<_>>()
        .join("\n");
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    ["crate::", "super::"]
        .iter()
        .flat_map(|mark| code.match_indices(mark))
        // `pub(in crate::room)` says who may name an item
        .filter(|(at, _)| !code[..*at].ends_with(is_part) && !code[..*at].ends_with("pub(in "))
        .filter_map(|(at, _)| {
            let path = code[at..].split(|letter| !is_part(letter)).next()?;
            let parts: Module = path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
            absolute(&parts, &source.module)
        })
        .collect()
}

fn absolute(path: &[String], module: &[String]) -> Option<Module> {
    let mut base = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "super" | "self" => module.to_vec(),
        // a child of a module that declares it
        _ => {
            let mut child = module.to_vec();
            child.extend_from_slice(path);
            return Some(child);
        }
    };
    let mut rest = path;
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "super" => drop(base.pop()),
            "crate" | "self" => {}
            _ => break,
        }
        rest = others;
    }
    base.extend_from_slice(rest);
    Some(base)
}
