//! The map from the names of secrets to the properties that they feed.
//!
//! Every property has names that a secret may have, each of a rank. A name that properties of different rank lay claim to
//! belongs to the highest; one that two of the same rank claim belongs to neither, because guessing gives a wrong secret.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::names::screaming;
use super::schema_view::{SchemaView, follow};

/// How deep properties within properties have names of their own. Below that, they come as JSON.
const DEPTH: usize = 6;

/// What stands between the levels of a name.
const SEPARATOR: &str = "__";

/// How many fields are enough. A schema that refers to itself in many ways could describe any number.
const MOST: usize = 4096;

/// One property of the schema; the first field of a name map is the whole.
pub(super) struct Field<'s> {
    pub(super) key: &'s str,
    pub(super) parent: usize,
    pub(super) children: Vec<usize>,
    by_key: HashMap<&'s str, usize>,
    pub(super) view: SchemaView<'s>,
    /// Whether the object that it belongs to must have it.
    pub(super) required: bool,
    /// What the schemas that name it say.
    pub(super) schemas: Vec<&'s Value>,
    /// The name that messages and example files use.
    pub(super) name: String,
    path: Vec<&'s str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Exact,
    Screaming,
    /// `DATABASE__URL`
    Double,
    /// `DATABASE_URL` for the `url` of `database`
    Single,
}

/// Whose a secret's name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    Field(usize),
    /// Several properties could mean it.
    Contested(Vec<usize>),
}

pub(super) struct NameMap<'s> {
    root: &'s Value,
    fields: Vec<Field<'s>>,
    owners: BTreeMap<String, Owner>,
    /// What the names of maps' parts begin with, and whose those maps are.
    prefixes: HashMap<String, usize>,
    longest_prefix: usize,
    /// Whether names that belong to nothing else are parts of the whole.
    takes_others: bool,
    property_names: OnceCell<HashSet<&'s str>>,
}

impl<'s> NameMap<'s> {
    pub(super) fn of(root: &'s Value) -> Self {
        let whole = Field {
            key: "",
            parent: 0,
            children: Vec::new(),
            by_key: HashMap::new(),
            view: SchemaView::of(root, [root]),
            required: true,
            schemas: vec![root],
            name: String::new(),
            path: Vec::new(),
        };
        let takes_others = whole.view.takes_others();
        let (owners, prefixes, property_names) = (BTreeMap::new(), HashMap::new(), OnceCell::new());
        let fields = vec![whole];
        let mut name_map = Self { root, fields, owners, prefixes, longest_prefix: 0, takes_others, property_names };
        name_map.expand(0);
        name_map.settle();
        name_map.find_maps();
        name_map
    }

    /// The document that references lead into.
    pub(super) fn root(&self) -> &'s Value {
        self.root
    }

    #[cfg(test)]
    pub(super) fn fields(&self) -> impl Iterator<Item = (usize, &Field<'s>)> {
        self.fields.iter().enumerate()
    }

    pub(super) fn field(&self, at: usize) -> Option<&Field<'s>> {
        self.fields.get(at)
    }

    pub(super) fn owner(&self, name: &str) -> Option<&Owner> {
        self.owners.get(name)
    }

    pub(super) fn child(&self, of: usize, key: &str) -> Option<usize> {
        self.field(of)?.by_key.get(key).copied()
    }

    /// Every name of a property that the schema tells.
    pub(super) fn property_names(&self) -> &HashSet<&'s str> {
        self.property_names.get_or_init(|| property_names(self.root))
    }

    /// The field that takes a name as a part of its map, and the key of that part: `LABELS__team` is `team` of `labels`.
    pub(super) fn map_of<'n>(&self, name: &'n str) -> Option<(usize, &'n str)> {
        // the longest prefix counts, and a part must have a key
        let most = self.longest_prefix.min(name.len().saturating_sub(1));
        let ends = (SEPARATOR.len()..=most).rev();
        let prefixed = ends.filter_map(|end| Some((name.get(..end)?.ends_with(SEPARATOR).then_some(end)?, name)));
        let mut maps = prefixed.filter_map(|(end, name)| {
            let (prefix, key) = name.split_at_checked(end)?;
            Some((*self.prefixes.get(prefix)?, key))
        });
        maps.next().or_else(|| self.takes_others.then_some((0, name)))
    }

    /// How many settings there are: properties that are fed as one.
    pub(super) fn settings(&self) -> usize {
        self.count(0)
    }

    fn count(&self, at: usize) -> usize {
        match self.field(at) {
            Some(field) if at == 0 || field.is_expanded() => {
                field.children.iter().map(|child| self.count(*child)).sum()
            }
            _ => 1,
        }
    }

    fn expand(&mut self, at: usize) {
        let Some(field) = self.field(at) else { return };
        let (view, path) = (field.view.clone(), field.path.clone());
        // a type that contains itself would never end; from there on it comes as JSON
        if path.len() >= DEPTH || (at > 0 && (self.fields.len() > MOST || self.repeats(at))) {
            return;
        }
        let required = view.required();
        for key in view.property_names() {
            let schemas = view.property(key);
            let mut path = path.clone();
            path.push(key);
            let next = self.fields.len();
            self.fields.push(Field {
                key,
                parent: at,
                children: Vec::new(),
                by_key: HashMap::new(),
                view: SchemaView::of(self.root, schemas.iter().copied()),
                required: required.contains(key),
                schemas,
                name: String::new(),
                path,
            });
            if let Some(field) = self.fields.get_mut(at) {
                field.children.push(next);
                field.by_key.insert(key, next);
            }
            self.expand(next);
        }
    }

    /// Whether the field has the view of one that it lies in.
    fn repeats(&self, at: usize) -> bool {
        let Some(field) = self.field(at) else { return false };
        let mut above = field.parent;
        while above > 0 {
            let Some(outer) = self.field(above) else { return false };
            if outer.view.shares_object_with(&field.view) {
                return true;
            }
            above = outer.parent;
        }
        self.field(0).is_some_and(|whole| whole.view.shares_object_with(&field.view))
    }

    /// Decides whose each name is, and which name of a field is shown.
    fn settle(&mut self) {
        let mut claims: BTreeMap<String, (Rank, Vec<usize>)> = BTreeMap::new();
        for (at, field) in self.fields.iter().enumerate().skip(1) {
            for (rank, name) in field.candidates() {
                let claim = claims.entry(name).or_insert((rank, Vec::new()));
                if rank < claim.0 {
                    *claim = (rank, Vec::new());
                }
                if rank == claim.0 && claim.1.last() != Some(&at) {
                    claim.1.push(at);
                }
            }
        }
        self.owners = claims
            .into_iter()
            .map(|(name, (_, mut claimants))| match (claimants.pop(), claimants.is_empty()) {
                (Some(only), true) => (name, Owner::Field(only)),
                (last, _) => (name, Owner::Contested(claimants.into_iter().chain(last).collect())),
            })
            .collect();
        for at in 1..self.fields.len() {
            let name = self.name_for(at);
            if let Some(field) = self.fields.get_mut(at) {
                field.name = name;
            }
        }
    }

    /// Finds the fields that names with their prefix are parts of.
    fn find_maps(&mut self) {
        for (at, field) in self.fields.iter().enumerate().skip(1) {
            if field.view.takes_others() && !field.view.allows("string") {
                self.prefixes.extend(field.prefixes().map(|prefix| (prefix, at)));
            }
        }
        self.longest_prefix = self.prefixes.keys().map(String::len).max().unwrap_or_default();
    }

    fn name_for(&self, at: usize) -> String {
        let Some(field) = self.field(at) else { return String::new() };
        let mut own: Vec<(Rank, String)> = field.candidates();
        // the usual form of an environment variable is the one to show, when it is free
        own.sort_by_key(|(rank, _)| (*rank == Rank::Exact, *rank));
        let free = own.iter().find(|(_, name)| self.owner(name) == Some(&Owner::Field(at)));
        free.or(own.first()).map(|(_, name)| name.clone()).unwrap_or_default()
    }
}

impl<'s> Field<'s> {
    /// The names that a secret may have to feed this property.
    fn candidates(&self) -> Vec<(Rank, String)> {
        let upper: Vec<String> = self.path.iter().map(|key| screaming(key)).collect();
        if let ([key], [upper]) = (self.path.as_slice(), upper.as_slice()) {
            return vec![(Rank::Exact, (*key).to_owned()), (Rank::Screaming, upper.clone())];
        }
        vec![
            (Rank::Double, upper.join(SEPARATOR)),
            (Rank::Double, self.path.join(SEPARATOR)),
            (Rank::Single, upper.join("_")),
        ]
    }

    /// What the names of a map's parts begin with.
    fn prefixes(&self) -> impl Iterator<Item = String> + use<'s> {
        let upper: Vec<String> = self.path.iter().map(|key| screaming(key)).collect();
        [upper.join(SEPARATOR) + SEPARATOR, self.path.join(SEPARATOR) + SEPARATOR].into_iter()
    }

    /// Whether the property is made of parts that are settings of their own.
    pub(super) fn is_expanded(&self) -> bool {
        !self.children.is_empty() && self.view.is_one_object()
    }

    /// The path in the schema's own words, `database.pool.size`.
    pub(super) fn dotted(&self) -> String {
        self.path.join(".")
    }

    /// What the schema says that the property is for.
    pub(super) fn description<'p>(&self, name_map: &'p NameMap<'s>) -> Option<&'p str> {
        self.schemas.iter().find_map(|schema| description(name_map.root, schema))
    }
}

/// Every name of a property that a schema tells.
fn property_names(root: &Value) -> HashSet<&str> {
    let mut names = HashSet::new();
    let mut open = vec![root];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(map) => {
                for (key, inner) in map {
                    match (key.as_str(), inner) {
                        ("properties", Value::Object(properties)) => {
                            names.extend(properties.keys().map(String::as_str))
                        }
                        ("required", Value::Array(required)) => names.extend(required.iter().filter_map(Value::as_str)),
                        ("dependentRequired" | "dependencies", Value::Object(dependent)) => {
                            let required = dependent.values().filter_map(Value::as_array).flatten();
                            names.extend(required.filter_map(Value::as_str));
                        }
                        _ => {}
                    }
                    open.push(inner);
                }
            }
            _ => {}
        }
    }
    names
}

/// The description of a schema, or of the one that it refers to.
fn description<'s>(root: &'s Value, schema: &'s Value) -> Option<&'s str> {
    let mut schema = schema;
    for _ in 0..DEPTH {
        if let Some(text) = schema.get("description").and_then(Value::as_str) {
            return Some(text);
        }
        schema = follow(root, schema.get("$ref")?.as_str()?)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(properties: Value) -> Value {
        json!({ "type": "object", "properties": properties })
    }

    fn owner_of(name_map: &NameMap<'_>, name: &str) -> Option<String> {
        match name_map.owner(name)? {
            Owner::Field(at) => name_map.field(*at).map(Field::dotted),
            Owner::Contested(_) => Some("contested".to_owned()),
        }
    }

    #[test]
    fn a_name_is_of_the_property_that_says_it_best() {
        let root = object(json!({
            "database": object(json!({ "url": {}, "pool": object(json!({ "size": {} })) })),
            "database_url": {},
        }));
        let name_map = NameMap::of(&root);
        assert_eq!(owner_of(&name_map, "DATABASE_URL").as_deref(), Some("database_url"));
        assert_eq!(owner_of(&name_map, "DATABASE__URL").as_deref(), Some("database.url"));
        assert_eq!(owner_of(&name_map, "DATABASE_POOL_SIZE").as_deref(), Some("database.pool.size"));
        assert_eq!(owner_of(&name_map, "database__pool__size").as_deref(), Some("database.pool.size"));
        assert_eq!(owner_of(&name_map, "URL"), None);
    }

    #[test]
    fn a_name_that_two_could_mean_is_of_neither() {
        let inner = |name: &str| object(json!({ name: {} }));
        let root = object(json!({ "a": inner("b_c"), "a_b": inner("c"), "x": {}, "X": {} }));
        let name_map = NameMap::of(&root);
        assert_eq!(owner_of(&name_map, "A_B_C").as_deref(), Some("contested"));
        assert_eq!(owner_of(&name_map, "A__B_C").as_deref(), Some("a.b_c"));
        assert_eq!(owner_of(&name_map, "X").as_deref(), Some("X"));
        assert_eq!(owner_of(&name_map, "x").as_deref(), Some("x"));
        let shown: Vec<_> = name_map.fields().map(|(_, field)| field.name.as_str()).collect();
        assert!(shown.contains(&"x") && shown.contains(&"X") && shown.contains(&"A__B_C"), "{shown:?}");
    }

    #[test]
    fn a_type_that_contains_itself_ends() {
        let root = json!({
            "$ref": "#/$defs/node",
            "$defs": { "node": object(json!({ "left": { "$ref": "#/$defs/node" }, "name": {} })) },
        });
        let name_map = NameMap::of(&root);
        assert!(name_map.fields().count() <= 8);
        assert!(name_map.owner("LEFT").is_some());
    }
}
