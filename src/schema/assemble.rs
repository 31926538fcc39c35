//! The assembly of the tree that a schema describes, out of secrets.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::coerce;
use super::deserialize::Step;
use super::name_map::{NameMap, Owner};
use super::names::shown;
use super::report::SchemaReport;
use super::schema_view::SchemaView;
use super::tree::Tree;
use crate::core::{SecretValue, Secrets, UnreadableReason};

/// Which secrets feed which fields, and what was wrong with them.
pub(super) struct Assembly<'a, 's> {
    name_map: &'a NameMap<'s>,
    secrets: &'a Secrets,
    /// The names that feed a field as a whole.
    whole: BTreeMap<usize, Vec<&'a str>>,
    /// The names that feed parts of a map, by the parts' keys.
    parts: BTreeMap<usize, BTreeMap<&'a str, Vec<&'a str>>>,
    told: Told,
    pub(super) report: SchemaReport,
}

/// Where a problem has been told, so that its consequences are not told too.
#[derive(Default)]
struct Told {
    places: HashSet<Vec<Step>>,
    /// Those places, and all that they lie in.
    around: HashSet<Vec<Step>>,
}

impl Told {
    fn add(&mut self, place: &[Step]) {
        let outwards = (0..=place.len()).rev().filter_map(|depth| place.get(..depth));
        for outer in outwards {
            // what lies around this was added with it
            if !self.around.insert(outer.to_vec()) {
                break;
            }
        }
        self.places.insert(place.to_vec());
    }

    /// Whether a problem was told of this place, of one within it or of one around it.
    fn has(&self, place: &[Step]) -> bool {
        let mut outer = (0..=place.len()).filter_map(|depth| place.get(..depth));
        self.around.contains(place) || outer.any(|outer| self.places.contains(outer))
    }
}

/// What a path into the tree means to whoever wrote the secrets.
pub(super) struct Place<'g> {
    /// The secret that feeds it, or the name that it would have.
    pub(super) name: &'g str,
    pub(super) is_fed: bool,
    pub(super) description: Option<&'g str>,
    /// How many steps of the path lead to the secret; the rest leads into its JSON.
    pub(super) depth: usize,
    pub(super) field: usize,
}

impl<'a, 's> Assembly<'a, 's> {
    /// Sorts the secrets by the fields that they feed, and makes the tree.
    pub(super) fn of(name_map: &'a NameMap<'s>, secrets: &'a Secrets) -> (Self, Tree) {
        let report = SchemaReport::new(name_map.settings());
        let (whole, parts, told) = (BTreeMap::new(), BTreeMap::new(), Told::default());
        let mut this = Self { name_map, secrets, whole, parts, told, report };
        this.sort();
        let tree = this.object(0, &mut Vec::new());
        (this, tree)
    }

    fn sort(&mut self) {
        let unreadable = self.secrets.unreadable().iter().map(|entry| entry.name.as_str());
        let mut contested = Vec::new();
        for name in self.secrets.names().chain(unreadable) {
            match self.name_map.owner(name) {
                Some(Owner::Field(at)) => self.whole.entry(*at).or_default().push(name),
                Some(Owner::Contested(claimants)) => contested.push((name, claimants.as_slice())),
                None => match self.name_map.map_of(name) {
                    Some((at, key)) => self.parts.entry(at).or_default().entry(key).or_default().push(name),
                    None => self.report.push_unexpected(name),
                },
            }
        }
        for (name, claimants) in contested {
            self.contest(name, claimants);
        }
    }

    /// A name that several fields could mean: a problem, unless each of them has what it needs.
    fn contest(&mut self, name: &str, claimants: &[usize]) {
        let open: Vec<_> = claimants.iter().copied().filter(|at| !self.is_fed(*at)).collect();
        if open.is_empty() {
            return self.report.push_unexpected(name);
        }
        let fields = || claimants.iter().filter_map(|at| self.name_map.field(*at));
        let meanings: Vec<_> = fields().map(|field| field.dotted()).collect();
        let clear: Vec<_> = fields().map(|field| shown(&field.name)).collect();
        let problem = format!("could be {}: write {} for the one meant", meanings.join(" or "), clear.join(" or "));
        self.report.push_invalid(name, problem, None);
        for at in open {
            self.told.add(&self.steps(at));
        }
    }

    fn steps(&self, mut at: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(field) = self.name_map.field(at).filter(|_| at > 0) {
            steps.insert(0, Step::Key(field.key.to_owned()));
            at = field.parent;
        }
        steps
    }

    /// Whether any secret feeds the field or a part of it.
    fn is_fed(&self, at: usize) -> bool {
        self.whole.contains_key(&at) || self.has_parts(at)
    }

    fn has_parts(&self, at: usize) -> bool {
        let children = self.name_map.field(at).map(|field| field.children.as_slice()).unwrap_or_default();
        self.parts.contains_key(&at) || children.iter().any(|child| self.is_fed(*child))
    }

    /// The value of a field, when there is one.
    fn value(&mut self, at: usize, path: &mut Vec<Step>) -> Option<Tree> {
        let field = self.name_map.field(at)?;
        let names = self.whole.get(&at).cloned().unwrap_or_default();
        match (names.as_slice(), self.has_parts(at)) {
            ([], true) => Some(self.object(at, path)),
            // its parts may all have defaults, or their names are what is missing
            ([], false) => (field.required && field.is_expanded()).then(|| self.object(at, path)),
            ([name], false) => self.read(name, &self.view(at), field.description(self.name_map), path),
            (names, _) => {
                let mut rivals: Vec<&str> = names.to_vec();
                self.collect_names(at, &mut rivals);
                self.ambiguous(&rivals, field.description(self.name_map), path);
                None
            }
        }
    }

    /// What the value of a field looks like: when it lies in an object of several forms, the form that its tag tells.
    fn view(&self, at: usize) -> SchemaView<'s> {
        let Some(field) = self.name_map.field(at) else { return SchemaView::of(self.name_map.root(), []) };
        match self.name_map.field(field.parent) {
            Some(parent) if parent.view.has_forms() => {
                // a tag does not rule itself out: what is wrong with it is told by what it may be
                let of_others =
                    |name: &str| if name == field.key { None } else { self.name_map.child(field.parent, name) };
                let form = parent.view.narrowed(|name| self.text(of_others(name)?));
                // a tag that no form has leaves none
                let form = if form.leaves().is_empty() { &parent.view } else { &form };
                SchemaView::of(self.name_map.root(), form.property(field.key))
            }
            _ => field.view.clone(),
        }
    }

    /// The text that feeds a field.
    fn text(&self, at: usize) -> Option<&'a str> {
        let name = self.whole.get(&at)?.first()?;
        self.secrets.get(name).map(SecretValue::expose)
    }

    /// The secrets that feed parts of a field.
    fn collect_names(&self, at: usize, names: &mut Vec<&'a str>) {
        names.extend(self.parts.get(&at).into_iter().flat_map(BTreeMap::values).flatten());
        for child in self.name_map.field(at).map(|field| field.children.clone()).unwrap_or_default() {
            names.extend(self.whole.get(&child).into_iter().flatten());
            self.collect_names(child, names);
        }
    }

    fn object(&mut self, at: usize, path: &mut Vec<Step>) -> Tree {
        let mut tree = Tree::object(Map::new());
        for child in self.name_map.field(at).map(|field| field.children.clone()).unwrap_or_default() {
            let Some(key) = self.name_map.field(child).map(|field| field.key) else { continue };
            path.push(Step::Key(key.to_owned()));
            let value = self.value(child, path);
            path.pop();
            insert(&mut tree, key, value);
        }
        self.fill_map(at, &mut tree, path);
        tree
    }

    /// Adds the parts of a map that come as secrets of their own.
    fn fill_map(&mut self, at: usize, tree: &mut Tree, path: &mut Vec<Step>) {
        let Some(field) = self.name_map.field(at) else { return };
        let parts = self.parts.get(&at).cloned().unwrap_or_default();
        let (root, description) = (self.name_map.root(), field.description(self.name_map));
        let other = SchemaView::of(root, field.view.others());
        for (key, names) in &parts {
            path.push(Step::Key((*key).to_owned()));
            if let [name] = names.as_slice() {
                let description = description.filter(|_| at > 0);
                let value = match field.view.named(key) {
                    known if known.is_empty() => self.read(name, &other, description, path),
                    known => self.read(name, &SchemaView::of(root, known), description, path),
                };
                insert(tree, key, value);
            } else {
                self.ambiguous(names, description, path);
            }
            path.pop();
        }
    }

    /// The value of one secret, or a problem with it.
    fn read(&mut self, name: &str, view: &SchemaView<'s>, description: Option<&str>, path: &[Step]) -> Option<Tree> {
        let problem = match self.secrets.get(name) {
            Some(value) => match coerce::read(self.name_map.root(), view, value.expose()) {
                Ok(tree) => return Some(tree),
                Err(problem) => problem,
            },
            None => self.unreadable(name).to_owned(),
        };
        self.report.push_invalid(name, problem, description);
        self.told.add(path);
        None
    }

    fn unreadable(&self, name: &str) -> &'static str {
        match self.secrets.unreadable_of(name).map(|entry| entry.reason) {
            Some(UnreadableReason::Masked) => "is masked: the caller's role may see names only",
            Some(UnreadableReason::ClientEnvelope) => {
                "cannot be read: a client encrypted it before it was stored. Give this client the passphrase"
            }
            Some(UnreadableReason::NoValue) => {
                "cannot be read: the service sent no value with the name. Store it again"
            }
            Some(UnreadableReason::Ambiguous) => "cannot be read: the service has several values under this name",
            Some(UnreadableReason::Unexpanded) => {
                "cannot be read: it refers to a secret that is not there, or may not be read"
            }
            Some(UnreadableReason::NotText) => "cannot be read: it is no UTF-8 text. Store it as text",
            _ => "cannot be read: the service sent ciphertext. Store it again",
        }
    }

    fn ambiguous(&mut self, names: &[&str], description: Option<&str>, path: &[Step]) {
        let (Some((first, others)), false) = (names.split_first(), names.is_empty()) else { return };
        let others: Vec<_> = others.iter().map(|name| shown(name)).collect();
        let problem = format!("and {} would feed the same setting: keep one of them", others.join(" and "));
        self.report.push_invalid(first, problem, description);
        self.told.add(path);
    }

    /// Whether a problem at this place follows from one that has been told.
    pub(super) fn is_told(&self, path: &[Step]) -> bool {
        self.told.has(path)
    }

    /// The secret that a path leads to.
    pub(super) fn place(&self, path: &[Step]) -> Place<'_> {
        let (mut at, mut depth) = (0, 0);
        for step in path {
            if self.whole.contains_key(&at) {
                break;
            }
            let Step::Key(key) = step else { break };
            let part = self.parts.get(&at).and_then(|parts| parts.get(key.as_str())?.first());
            if let Some(name) = part {
                return Place { name, is_fed: true, description: None, depth: depth + 1, field: at };
            }
            let Some(child) = self.name_map.child(at, key) else { break };
            (at, depth) = (child, depth + 1);
        }
        let fed = self.whole.get(&at).and_then(|names| names.first());
        let field = self.name_map.field(at);
        Place {
            name: fed.copied().or(field.map(|field| field.name.as_str())).unwrap_or_default(),
            is_fed: fed.is_some(),
            description: field.filter(|_| at > 0).and_then(|field| field.description(self.name_map)),
            depth,
            field: at,
        }
    }
}

fn insert(tree: &mut Tree, key: &str, value: Option<Tree>) {
    if let (Value::Object(map), Some(value)) = (&mut tree.0, value) {
        map.insert(key.to_owned(), value.into_inner());
    }
}
