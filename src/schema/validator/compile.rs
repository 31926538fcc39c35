//! The compilation of a schema into rules. A keyword whose content is not what the keyword takes is refused with its place.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Number, Value};

use super::Id;
use super::draft::Draft;
use super::format::Format;
use super::numbers::compare;
use super::pattern::Pattern;
use super::rule::{Bound, Condition, Contains, Enum, Items, Properties, Rule, Type};
use crate::schema::schema_view::follow;

type Keywords = Map<String, Value>;

/// The rules of each schema within a schema, itself first.
pub(super) fn compile(root: &Value) -> Result<Vec<Vec<Rule>>, String> {
    let draft = Draft::of(root).ok_or("cannot be used: its $schema is not known")?;
    let mut compiler = Compiler { root, draft, schemas: Vec::new(), ids: HashMap::new(), open: VecDeque::new() };
    compiler.id(root, String::new());
    // one after the other, not one within the other: references can lead through very many
    while let Some((id, schema, place)) = compiler.open.pop_front() {
        let rules = compiler.rules(schema, &place).map_err(|flaw| match flaw {
            Flaw::Form(place) => format!("is no JSON Schema: {place} is not what the keyword takes"),
            Flaw::Unsupported(what) => format!("uses {what}, which is not supported"),
            Flaw::Nowhere => "cannot be used: a $ref in it leads nowhere".to_owned(),
        })?;
        if let Some(slot) = compiler.schemas.get_mut(id) {
            *slot = rules;
        }
    }
    Ok(compiler.schemas)
}

/// Why a schema cannot be compiled.
enum Flaw {
    /// The place in the document.
    Form(String),
    Unsupported(String),
    Nowhere,
}

/// The content of a keyword is not what the keyword takes.
struct NotTaken;

type Taken<T> = Result<T, NotTaken>;

struct Compiler<'s> {
    root: &'s Value,
    draft: Draft,
    schemas: Vec<Vec<Rule>>,
    /// By where they stand in the document.
    ids: HashMap<*const Value, Id>,
    /// Schemas that are referred to and not compiled yet, with their places.
    open: VecDeque<(Id, &'s Value, String)>,
}

impl<'s> Compiler<'s> {
    fn id(&mut self, schema: &'s Value, place: String) -> Id {
        if let Some(known) = self.ids.get(&std::ptr::from_ref(schema)) {
            return *known;
        }
        let id = self.schemas.len();
        self.schemas.push(Vec::new());
        self.ids.insert(schema, id);
        self.open.push_back((id, schema, place));
        id
    }

    fn rules(&mut self, schema: &'s Value, place: &str) -> Result<Vec<Rule>, Flaw> {
        let keywords = match schema {
            Value::Bool(true) => return Ok(Vec::new()),
            Value::Bool(false) => return Ok(vec![Rule::Never]),
            Value::Object(keywords) => keywords,
            _ => return Err(Flaw::Form(place.to_owned())),
        };
        let mut rules = Vec::new();
        if let Some(reference) = keywords.get("$ref") {
            rules.push(self.reference(reference, place)?);
            if self.draft <= Draft::Draft7 {
                return Ok(rules);
            }
        }
        let draft = self.draft;
        for (keyword, content) in keywords.iter().filter(|(keyword, _)| draft >= Draft::first_with(keyword)) {
            let place = format!("{place}/{}", keyword.replace('~', "~0").replace('/', "~1"));
            self.refuse_unsupported(keyword)?;
            let rule = self.keyword(keywords, keyword, content, &place).map_err(|NotTaken| Flaw::Form(place))?;
            rules.extend(rule);
        }
        rules.extend(self.properties(keywords, place));
        rules.extend(self.items(keywords, place).map_err(|NotTaken| Flaw::Form(format!("{place}/items")))?);
        Ok(rules)
    }

    fn reference(&mut self, reference: &'s Value, place: &str) -> Result<Rule, Flaw> {
        let reference = reference.as_str().ok_or_else(|| Flaw::Form(format!("{place}/$ref")))?;
        let target = follow(self.root, reference).ok_or(Flaw::Nowhere)?;
        Ok(Rule::Reference(self.id(target, reference.trim_start_matches('#').to_owned())))
    }

    /// What a validator may check and this one does not: better no schema than one that means less than it says.
    fn refuse_unsupported(&self, keyword: &str) -> Result<(), Flaw> {
        let is_asserted = matches!(self.draft, Draft::Draft6 | Draft::Draft7);
        match keyword {
            "$dynamicRef" | "$recursiveRef" => Err(Flaw::Unsupported(keyword.to_owned())),
            "contentEncoding" | "contentMediaType" if is_asserted => Err(Flaw::Unsupported(keyword.to_owned())),
            _ => Ok(()),
        }
    }

    /// The rule of one keyword. Those that only mean something together are looked at here too, and made into rules after.
    fn keyword(
        &mut self,
        keywords: &'s Keywords,
        keyword: &str,
        content: &'s Value,
        place: &str,
    ) -> Taken<Option<Rule>> {
        let rule = match keyword {
            "type" => Rule::Types(self.types(content)?),
            "enum" => Rule::Enum(Enum::of(content.as_array().ok_or(NotTaken)?)),
            "const" => Rule::Constant(content.clone()),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                return self.bound(keywords, keyword, content);
            }
            "multipleOf" => Rule::MultipleOf(positive(content)?),
            "minLength" => Rule::MinLength(count(content)?),
            "maxLength" => Rule::MaxLength(count(content)?),
            "minItems" => Rule::MinItems(count(content)?),
            "maxItems" => Rule::MaxItems(count(content)?),
            "minProperties" => Rule::MinProperties(count(content)?),
            "maxProperties" => Rule::MaxProperties(count(content)?),
            "uniqueItems" => return Ok(flag(content)?.then_some(Rule::UniqueItems)),
            "pattern" => Rule::Pattern(content.as_str().and_then(Pattern::of).ok_or(NotTaken)?),
            "format" => return Ok(Format::of(text(content)?, self.draft).map(Rule::Format)),
            "required" if self.draft == Draft::Draft4 && content.is_boolean() => return Err(NotTaken),
            "required" => Rule::Required(texts(content)?),
            "dependentRequired" => Rule::DependentRequired(named(content, texts)?),
            "minContains" | "maxContains" => return count(content).map(|_| None),
            "title" | "description" | "$comment" => return text(content).map(|_| None),
            "readOnly" | "writeOnly" | "deprecated" => return flag(content).map(|_| None),
            _ => return self.applicator(keywords, keyword, content, place),
        };
        Ok(Some(rule))
    }

    /// The rule of a keyword whose content is schemas.
    fn applicator(
        &mut self,
        keywords: &'s Keywords,
        keyword: &str,
        content: &'s Value,
        place: &str,
    ) -> Taken<Option<Rule>> {
        let rule = match keyword {
            "allOf" => Rule::All(self.list(content, place)?),
            "anyOf" => Rule::Any(self.list(content, place)?),
            "oneOf" => Rule::One(self.list(content, place)?),
            "not" => Rule::Not(self.schema(content, place)?, content.get("const").is_some_and(|barred| *barred == 0)),
            "if" => self.condition(keywords, content, place)?,
            "then" | "else" => return self.schema(content, place).map(|_| None),
            "contains" => Rule::Contains(self.contains(keywords, content, place)?),
            "propertyNames" => Rule::PropertyNames(self.schema(content, place)?),
            "dependentSchemas" => Rule::DependentSchemas(self.named(content, place)?),
            "dependencies" => return self.dependencies(content, place),
            "unevaluatedItems" => Rule::UnevaluatedItems(self.schema(content, place)?),
            "unevaluatedProperties" => Rule::UnevaluatedProperties(self.schema(content, place)?),
            "properties" | "$defs" | "definitions" => return self.named(content, place).map(|_| None),
            "patternProperties" => {
                let schemas = self.named(content, place)?;
                let are_patterns = schemas.iter().all(|(source, _)| super::pattern::is_pattern(source));
                return if are_patterns { Ok(None) } else { Err(NotTaken) };
            }
            "additionalProperties" | "additionalItems" => return self.maybe_flag(content, place).map(|_| None),
            _ => return Ok(None),
        };
        Ok(Some(rule))
    }

    fn schema(&mut self, schema: &'s Value, place: &str) -> Taken<Id> {
        let is_schema = schema.is_object() || schema.is_boolean() && self.draft > Draft::Draft4;
        if is_schema { Ok(self.id(schema, place.to_owned())) } else { Err(NotTaken) }
    }

    /// A schema where every draft takes a boolean too.
    fn maybe_flag(&mut self, schema: &'s Value, place: &str) -> Taken<Id> {
        if schema.is_boolean() { Ok(self.id(schema, place.to_owned())) } else { self.schema(schema, place) }
    }

    fn list(&mut self, schemas: &'s Value, place: &str) -> Taken<Vec<Id>> {
        let schemas = schemas.as_array().filter(|schemas| !schemas.is_empty()).ok_or(NotTaken)?;
        schemas.iter().enumerate().map(|(index, schema)| self.schema(schema, &format!("{place}/{index}"))).collect()
    }

    fn named(&mut self, schemas: &'s Value, place: &str) -> Taken<Vec<(String, Id)>> {
        let schemas = schemas.as_object().ok_or(NotTaken)?;
        let one = |(name, schema): (&String, &'s Value)| {
            let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
            Ok((name.clone(), self.schema(schema, &place)?))
        };
        schemas.iter().map(one).collect()
    }

    fn types(&self, content: &Value) -> Taken<Vec<Type>> {
        let one = |name: &Value| match name.as_str().and_then(Type::named) {
            Some(Type::Integer) if self.draft == Draft::Draft4 => Ok(Type::PlainInteger),
            known => known.ok_or(NotTaken),
        };
        match content {
            Value::Array(names) if !names.is_empty() => names.iter().map(one).collect(),
            name => Ok(vec![one(name)?]),
        }
    }

    fn bound(&self, keywords: &Keywords, keyword: &str, content: &Value) -> Taken<Option<Rule>> {
        let is_exclusive = |flag: &str| self.draft == Draft::Draft4 && keywords.get(flag) == Some(&Value::Bool(true));
        let bound = match keyword {
            // draft 4 says with a flag that the bound beside it is exclusive
            "exclusiveMinimum" | "exclusiveMaximum" if self.draft == Draft::Draft4 => {
                return flag(content).map(|_| None);
            }
            "exclusiveMinimum" => Bound::ExclusiveMinimum,
            "exclusiveMaximum" => Bound::ExclusiveMaximum,
            "minimum" if is_exclusive("exclusiveMinimum") => Bound::ExclusiveMinimum,
            "maximum" if is_exclusive("exclusiveMaximum") => Bound::ExclusiveMaximum,
            "minimum" => Bound::Minimum,
            _ => Bound::Maximum,
        };
        Ok(Some(Rule::Bound(bound, number(content)?)))
    }

    fn condition(&mut self, keywords: &'s Keywords, when: &'s Value, place: &str) -> Taken<Rule> {
        let around = place.strip_suffix("/if").unwrap_or(place);
        let when = self.schema(when, place)?;
        let mut branch = |keyword: &str| {
            let schema = keywords.get(keyword);
            schema.map(|schema| self.schema(schema, &format!("{around}/{keyword}"))).transpose()
        };
        Ok(Rule::If(Condition { when, then: branch("then")?, otherwise: branch("else")? }))
    }

    fn contains(&mut self, keywords: &'s Keywords, content: &'s Value, place: &str) -> Taken<Contains> {
        let limit = |keyword: &str| {
            let content = keywords.get(keyword).filter(|_| self.draft >= Draft::first_with(keyword));
            content.map(count).transpose()
        };
        let (least, most) = (limit("minContains")?.unwrap_or(1), limit("maxContains")?);
        let evaluates = self.draft >= Draft::Draft202012;
        Ok(Contains { schema: self.schema(content, place)?, least, most, evaluates })
    }

    /// Of each property the names, or the schema, that it makes necessary. Newer drafts have a keyword for each of the two.
    fn dependencies(&mut self, content: &'s Value, place: &str) -> Taken<Option<Rule>> {
        let all = content.as_object().ok_or(NotTaken)?;
        let (mut names, mut schemas) = (Vec::new(), Vec::new());
        for (name, dependency) in all {
            match dependency {
                Value::Array(_) => names.push((name.clone(), texts(dependency)?)),
                schema => schemas.push((name.clone(), self.schema(schema, &format!("{place}/{name}"))?)),
            }
        }
        let both = [Rule::DependentRequired(names), Rule::DependentSchemas(schemas)];
        let both = both.into_iter().map(|rule| self.anonymous(rule)).collect();
        Ok(Some(Rule::All(both)))
    }

    /// A rule as a schema that stands nowhere in the document.
    fn anonymous(&mut self, rule: Rule) -> Id {
        self.schemas.push(vec![rule]);
        self.schemas.len() - 1
    }

    /// The rule of the keywords about properties, whose forms have been looked at.
    fn properties(&mut self, keywords: &'s Keywords, place: &str) -> Option<Rule> {
        const KEYWORDS: [&str; 3] = ["properties", "patternProperties", "additionalProperties"];
        if !KEYWORDS.iter().any(|keyword| keywords.contains_key(*keyword)) {
            return None;
        }
        let mut properties = Properties::default();
        let schemas = |keyword: &str| keywords.get(keyword).and_then(Value::as_object).into_iter().flatten();
        for (name, schema) in schemas("properties") {
            properties.named.insert(name.clone(), self.id(schema, format!("{place}/properties/{name}")));
        }
        for (source, schema) in schemas("patternProperties") {
            let id = self.id(schema, format!("{place}/patternProperties/{source}"));
            properties.patterns.extend(Pattern::of(source).map(|pattern| (pattern, id)));
        }
        match keywords.get("additionalProperties") {
            Some(Value::Bool(false)) => properties.is_closed = true,
            Some(schema) => properties.others = Some(self.id(schema, format!("{place}/additionalProperties"))),
            None => {}
        }
        Some(Rule::Properties(properties))
    }

    /// The rule of the keywords about items. Before 2020-12 `items` is one schema or a list of the first ones.
    fn items(&mut self, keywords: &'s Keywords, place: &str) -> Taken<Option<Rule>> {
        let (items, mut rule) = (keywords.get("items"), Items::default());
        let (first, others) = match (self.draft, items) {
            (Draft::Draft202012, _) => (keywords.get("prefixItems").map(|first| (first, "prefixItems")), items),
            (_, Some(Value::Array(_))) => (items.map(|first| (first, "items")), keywords.get("additionalItems")),
            _ => (None, items),
        };
        if first.is_none() && others.is_none() {
            return Ok(None);
        }
        if let Some((first, keyword)) = first {
            let is_empty = first.as_array().is_some_and(Vec::is_empty) && self.draft < Draft::Draft202012;
            rule.first = if is_empty { Vec::new() } else { self.list(first, &format!("{place}/{keyword}"))? };
        }
        match others {
            Some(Value::Bool(false)) => rule.is_closed = true,
            Some(schema) => rule.others = Some(self.maybe_flag(schema, &format!("{place}/items"))?),
            None => {}
        }
        Ok(Some(Rule::Items(rule)))
    }
}

fn text(content: &Value) -> Taken<&str> {
    content.as_str().ok_or(NotTaken)
}

fn flag(content: &Value) -> Taken<bool> {
    content.as_bool().ok_or(NotTaken)
}

fn number(content: &Value) -> Taken<Number> {
    content.as_number().cloned().ok_or(NotTaken)
}

fn positive(content: &Value) -> Taken<Number> {
    let is_positive = compare(content, &Value::from(0)).is_gt();
    if is_positive { number(content) } else { Err(NotTaken) }
}

/// A whole number that is not negative. It may be written with a point.
fn count(content: &Value) -> Taken<u64> {
    let whole = content.as_number().and_then(super::numbers::integer).ok_or(NotTaken)?;
    u64::try_from(whole).map_err(|_| NotTaken)
}

fn texts(content: &Value) -> Taken<Vec<String>> {
    let texts = content.as_array().ok_or(NotTaken)?;
    texts.iter().map(|one| Ok(text(one)?.to_owned())).collect()
}

fn named<T>(content: &Value, read: fn(&Value) -> Taken<T>) -> Taken<Vec<(String, T)>> {
    let all = content.as_object().ok_or(NotTaken)?;
    all.iter().map(|(name, content)| Ok((name.clone(), read(content)?))).collect()
}
