//! A schema's view of one place: the simple schemas that its references and combinations lead to.

use std::cell::OnceCell;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::normalize::DURATION;

type Keywords = Map<String, Value>;

/// One simple schema that a value may be held against.
#[derive(Clone, Copy)]
pub(super) struct Leaf<'s> {
    keywords: &'s Keywords,
    /// Whether it applies always, not as one of several forms.
    certain: bool,
    /// The form that it is of, when it is of one of several.
    form: Option<Form>,
}

/// One of several forms, told by where it stands in the document.
type Form = *const Value;

/// Every simple schema of one place, in order.
#[derive(Clone)]
pub(super) struct SchemaView<'s> {
    leaves: Vec<Leaf<'s>>,
    choices: OnceCell<Option<Choices<'s>>>,
}

/// The texts that a place may hold, in order, and to look one up in: there may be very many.
#[derive(Clone)]
struct Choices<'s> {
    all: Vec<&'s str>,
    set: HashSet<&'s str>,
}

/// Those that say what a value looks like. The rest (`description`, `default`, …) says something about it.
const DESCRIBING: [&str; 11] = [
    "type",
    "enum",
    "const",
    "properties",
    "additionalProperties",
    "patternProperties",
    "unevaluatedProperties",
    "items",
    "prefixItems",
    "format",
    "pattern",
];

impl<'s> SchemaView<'s> {
    /// The view of a place that several schemas describe. `root` is the document that references lead into.
    pub(super) fn of(root: &'s Value, schemas: impl IntoIterator<Item = &'s Value>) -> Self {
        let mut walk = Walk { root, leaves: Vec::new(), seen: HashSet::new(), depth: 0, form: None };
        let schemas: Vec<_> = schemas.into_iter().collect();
        let certain = schemas.len() == 1;
        for schema in schemas {
            walk.enter(schema, certain);
        }
        Self::from(walk.leaves)
    }

    pub(super) fn leaves(&self) -> &[Leaf<'s>] {
        &self.leaves
    }

    /// Whether the schemas leave the form of the value open.
    pub(super) fn is_open(&self) -> bool {
        self.leaves.iter().all(|leaf| leaf.kinds().is_empty())
    }

    pub(super) fn allows(&self, kind: &str) -> bool {
        self.leaves.iter().any(|leaf| leaf.allows(kind))
    }

    /// The texts that the place may hold when it may hold only some, or `None`.
    pub(super) fn choices(&self) -> Option<&[&'s str]> {
        self.known_choices().map(|choices| choices.all.as_slice())
    }

    /// Whether `text` is one of the texts that the place may hold; `None` when it may hold any.
    pub(super) fn has_choice(&self, text: &str) -> Option<bool> {
        self.known_choices().map(|choices| choices.set.contains(text))
    }

    fn known_choices(&self) -> Option<&Choices<'s>> {
        let find = || {
            let strings: Vec<_> = self.leaves.iter().filter(|leaf| leaf.allows("string")).collect();
            let closed = !strings.is_empty() && strings.iter().all(|leaf| leaf.values().next().is_some());
            closed.then(|| {
                let all: Vec<&str> = strings.iter().flat_map(|leaf| leaf.values()).filter_map(Value::as_str).collect();
                Choices { set: all.iter().copied().collect(), all }
            })
        };
        self.choices.get_or_init(find).as_ref()
    }

    /// The format of a text at this place.
    pub(super) fn format(&self) -> Option<&'s str> {
        self.leaves.iter().find(|leaf| leaf.allows("string")).and_then(|leaf| leaf.keyword("format")?.as_str())
    }

    /// Whether a text at this place can only be a duration.
    pub(super) fn is_duration(&self) -> bool {
        let mut strings = self.leaves.iter().filter(|leaf| leaf.allows("string")).peekable();
        strings.peek().is_some() && strings.all(|leaf| leaf.keyword("format").is_some_and(|format| format == DURATION))
    }

    /// Whether what is written here must not be shown back.
    pub(super) fn is_write_only(&self) -> bool {
        self.leaves.iter().any(|leaf| leaf.keyword("writeOnly") == Some(&Value::Bool(true)))
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = &Leaf<'s>> {
        self.leaves.iter().filter(|leaf| leaf.allows("object"))
    }

    /// The view without the forms that the tags rule out: what `text` tells of a property is not what the form says there.
    pub(super) fn narrowed<'t>(&self, text: impl Fn(&str) -> Option<&'t str>) -> Self {
        let is_other = |leaf: &Leaf<'s>| {
            leaf.map_of("properties").any(|(name, schema)| match tag(schema) {
                Some(tag) => text(name).is_some_and(|text| text != tag),
                None => false,
            })
        };
        let others: HashSet<_> =
            self.leaves.iter().filter(|leaf| is_other(leaf)).filter_map(|leaf| leaf.form).collect();
        let stays = |leaf: &&Leaf<'s>| leaf.form.is_none_or(|form| !others.contains(&form));
        Self::from(self.leaves.iter().filter(stays).copied().collect::<Vec<_>>())
    }

    /// Whether the value may have one of several forms.
    pub(super) fn has_forms(&self) -> bool {
        self.leaves.iter().any(|leaf| leaf.form.is_some())
    }

    /// Whether an object of some form must have the property.
    pub(super) fn may_require(&self, name: &str) -> bool {
        let required = self.leaves.iter().filter_map(|leaf| leaf.keyword("required")?.as_array()).flatten();
        required.into_iter().any(|required| required == name)
    }

    /// Whether the value is an object of one form (or null), so that its absent parts are what is missing.
    pub(super) fn is_one_object(&self) -> bool {
        self.leaves.iter().all(|leaf| leaf.kinds().iter().all(|kind| *kind == "object" || *kind == "null"))
            && self.objects().any(|leaf| leaf.certain)
    }

    /// Whether both are described by the same object of the schema.
    pub(super) fn shares_object_with(&self, other: &Self) -> bool {
        self.objects().any(|leaf| other.objects().any(|other| std::ptr::eq(leaf.keywords, other.keywords)))
    }

    /// The names of the known properties, in order, each once. One that is required is known without a description.
    pub(super) fn property_names(&self) -> Vec<&'s str> {
        let (mut names, mut seen): (Vec<&str>, HashSet<&str>) = (Vec::new(), HashSet::new());
        let described = self.leaves.iter().flat_map(|leaf| leaf.map_of("properties")).map(|(name, _)| name.as_str());
        let required = self.leaves.iter().filter_map(|leaf| leaf.keyword("required")?.as_array()).flatten();
        for name in described.chain(required.filter_map(Value::as_str)) {
            if seen.insert(name) {
                names.push(name);
            }
        }
        names
    }

    /// What the schemas say about one property.
    pub(super) fn property(&self, name: &str) -> Vec<&'s Value> {
        let known = self.named(name);
        if known.is_empty() { self.others() } else { known }
    }

    /// What the schemas say about a property by its name.
    pub(super) fn named(&self, name: &str) -> Vec<&'s Value> {
        self.leaves.iter().filter_map(|leaf| leaf.child("properties", name)).collect()
    }

    /// What the schemas say about the properties that they do not name.
    pub(super) fn others(&self) -> Vec<&'s Value> {
        let mut schemas = Vec::new();
        for leaf in &self.leaves {
            schemas.extend(leaf.map_of("patternProperties").map(|(_, schema)| schema));
            for keyword in ["additionalProperties", "unevaluatedProperties"] {
                schemas.extend(leaf.keyword(keyword).filter(|schema| **schema != Value::Bool(false)));
            }
        }
        schemas
    }

    /// Whether the place takes properties that its schemas do not name, by their own say.
    pub(super) fn takes_others(&self) -> bool {
        !self.others().is_empty() || self.is_bare_map()
    }

    /// An object of which nothing else is said.
    fn is_bare_map(&self) -> bool {
        self.leaves.iter().all(Leaf::names_nothing)
            && self.objects().any(|leaf| leaf.certain && leaf.keyword("additionalProperties").is_none())
    }

    /// Whether properties that are not named are ruled out.
    pub(super) fn is_closed(&self) -> bool {
        self.leaves.iter().filter(|leaf| leaf.certain).any(|leaf| {
            ["additionalProperties", "unevaluatedProperties"]
                .into_iter()
                .any(|keyword| leaf.keyword(keyword) == Some(&Value::Bool(false)))
        }) && self.others().is_empty()
    }

    /// The properties that an object of the form that always applies must have.
    pub(super) fn required(&self) -> HashSet<&'s str> {
        let certain = self.leaves.iter().filter(|leaf| leaf.certain);
        certain.filter_map(|leaf| leaf.keyword("required")?.as_array()).flatten().filter_map(Value::as_str).collect()
    }

    /// How many items at the start of a list may each have a schema of their own.
    pub(super) fn first_items(&self) -> usize {
        let lengths = self.leaves.iter().filter_map(|leaf| leaf.first_items()?.as_array().map(Vec::len));
        lengths.max().unwrap_or_default()
    }

    /// What the schemas say about the item at `index` of a list.
    pub(super) fn item(&self, index: usize) -> Vec<&'s Value> {
        let of = |leaf: &Leaf<'s>| {
            leaf.first_items()
                .and_then(|items| items.get(index))
                .or_else(|| leaf.keyword("items").filter(|items| !items.is_array()))
        };
        self.leaves.iter().filter_map(of).collect()
    }
}

impl<'s> From<Vec<Leaf<'s>>> for SchemaView<'s> {
    fn from(leaves: Vec<Leaf<'s>>) -> Self {
        Self { leaves, choices: OnceCell::new() }
    }
}

impl<'s> Leaf<'s> {
    /// Whether no property is known by a name.
    fn names_nothing(&self) -> bool {
        let required = self.keyword("required").and_then(Value::as_array).into_iter().flatten();
        self.map_of("properties").next().is_none() && !required.into_iter().any(Value::is_string)
    }

    pub(super) fn keyword(&self, name: &str) -> Option<&'s Value> {
        self.keywords.get(name)
    }

    fn first_items(&self) -> Option<&'s Value> {
        self.keyword("prefixItems").or(self.keyword("items").filter(|items| items.is_array()))
    }

    fn map_of(&self, keyword: &str) -> impl Iterator<Item = (&'s String, &'s Value)> + use<'s> {
        self.keyword(keyword).and_then(Value::as_object).into_iter().flatten()
    }

    fn child(&self, keyword: &str, name: &str) -> Option<&'s Value> {
        self.keyword(keyword)?.as_object()?.get(name)
    }

    /// The values of `enum` and `const`.
    pub(super) fn values(&self) -> impl Iterator<Item = &'s Value> + use<'s> {
        let list = self.keyword("enum").and_then(Value::as_array).into_iter().flatten();
        list.chain(self.keyword("const"))
    }

    pub(super) fn allows(&self, kind: &str) -> bool {
        let kinds = self.kinds();
        kinds.contains(&kind) || kind == "integer" && kinds.contains(&"number")
    }

    /// The types of JSON that fit: those said, or else those that the other keywords are about.
    fn kinds(&self) -> Vec<&'s str> {
        match self.keyword("type") {
            Some(Value::String(kind)) => return vec![kind],
            Some(Value::Array(kinds)) => return kinds.iter().filter_map(Value::as_str).collect(),
            _ => {}
        }
        let listed: Vec<_> = self.values().map(kind_of).collect();
        if !listed.is_empty() {
            return listed;
        }
        let about = |keywords: &[&str]| keywords.iter().any(|keyword| self.keywords.contains_key(*keyword));
        if about(&["properties", "additionalProperties", "patternProperties", "unevaluatedProperties"]) {
            vec!["object"]
        } else if about(&["items", "prefixItems"]) {
            vec!["array"]
        } else if about(&["format", "pattern"]) {
            vec!["string"]
        } else {
            Vec::new()
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Where a reference within the document leads.
pub(super) fn follow<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    let pointer = reference.strip_prefix('#')?;
    // names of Rust types and of `$defs` may hold brackets, which references encode
    root.pointer(pointer).or_else(|| root.pointer(&percent_decoded(pointer)?))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

struct Walk<'s> {
    root: &'s Value,
    leaves: Vec<Leaf<'s>>,
    /// Each schema counts once in each form, which also ends loops of references.
    seen: HashSet<(*const Keywords, Option<Form>)>,
    depth: usize,
    form: Option<Form>,
}

/// How many references and combinations may follow one another.
const DEPTH: usize = 64;

/// How many simple schemas one place may lead to.
const MOST: usize = 20_000;

impl<'s> Walk<'s> {
    fn enter(&mut self, schema: &'s Value, certain: bool) {
        let Value::Object(keywords) = schema else { return };
        let is_new = self.seen.insert((std::ptr::from_ref(keywords), self.form));
        if self.depth == DEPTH || self.seen.len() > MOST || !is_new {
            return;
        }
        self.depth += 1;
        if DESCRIBING.iter().any(|keyword| keywords.contains_key(*keyword)) {
            self.leaves.push(Leaf { keywords, certain, form: self.form });
        }
        let reference = keywords.get("$ref").and_then(Value::as_str);
        if let Some(target) = reference.and_then(|reference| follow(self.root, reference)) {
            self.enter(target, certain);
        }
        for schema in list(keywords, "allOf") {
            self.enter(schema, certain);
        }
        for keyword in ["anyOf", "oneOf"] {
            // `null` beside one form does not make it uncertain which form it is
            let forms = list(keywords, keyword).filter(|schema| !is_null(schema)).count();
            for schema in list(keywords, keyword) {
                let outer = self.form;
                if forms > 1 && outer.is_none() {
                    self.form = Some(std::ptr::from_ref(schema));
                }
                self.enter(schema, certain && (forms <= 1 || is_null(schema)));
                self.form = outer;
            }
        }
        self.depth -= 1;
    }
}

fn list<'s>(keywords: &'s Keywords, keyword: &str) -> impl Iterator<Item = &'s Value> + use<'s> {
    keywords.get(keyword).and_then(Value::as_array).into_iter().flatten()
}

/// The one text that a property may hold, which tells forms apart.
fn tag(schema: &Value) -> Option<&str> {
    let single = || schema.get("enum")?.as_array().filter(|values| values.len() == 1)?.first();
    schema.get("const").or_else(single)?.as_str()
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_and_combinations_are_followed_and_loops_end() {
        let root = json!({
            "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/b" }, { "type": "null" }] }, "b": { "allOf": [{ "$ref": "#/$defs/a" }, { "type": "integer" }] } },
            "$ref": "#/$defs/a",
        });
        let view = SchemaView::of(&root, [&root]);
        assert!(view.allows("integer") && view.allows("null") && !view.allows("string"));
    }

    #[test]
    fn an_optional_object_is_still_one_object_and_one_of_two_is_not() {
        let object = json!({ "type": "object", "properties": { "a": {} }, "required": ["a"] });
        let optional = json!({ "anyOf": [object, { "type": "null" }] });
        assert!(SchemaView::of(&optional, [&optional]).is_one_object());
        assert!(SchemaView::of(&optional, [&optional]).required().contains("a"));
        let either = json!({ "oneOf": [object, { "type": "object", "properties": { "b": {} } }] });
        let view = SchemaView::of(&either, [&either]);
        assert!(!view.is_one_object() && view.required().is_empty());
        assert_eq!(view.property_names(), ["a", "b"]);
    }

    #[test]
    fn encoded_references_are_followed() {
        let root = json!({ "$defs": { "List<u8>": { "type": "array" } } });
        assert!(follow(&root, "#/$defs/List%3Cu8%3E").is_some());
        assert!(follow(&root, "#/$defs/List%3").is_none());
        assert!(follow(&root, "other.json#/$defs/x").is_none());
    }
}
