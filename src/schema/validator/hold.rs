//! A value held against the rules of a schema.

use serde_json::{Map, Value};

use super::pattern::{Match, Pattern};
use super::rule::{Condition, Contains, Items, Properties, Rule};
use super::{Id, Validator, Violation, What};
use crate::schema::Tree;
use crate::schema::deserialize::Step;
use crate::schema::messages;

/// Everything in which a value is not what a schema asks for.
pub(super) fn violations(validator: &Validator, of: Id, value: &Value, patience: usize) -> Vec<Violation> {
    let mut holding = Holding { validator, patience, path: Vec::new(), followed: Vec::new() };
    holding.against(of, value)
}

/// One step into the value at hand.
#[derive(Clone, Copy)]
enum At<'v> {
    Property(&'v str),
    Item(usize),
}

pub(super) struct Holding<'v> {
    pub(super) validator: &'v Validator,
    patience: usize,
    path: Vec<At<'v>>,
    /// References that were followed at the values around, and at which. One that leads to itself says nothing.
    followed: Vec<(Id, *const Value)>,
}

type Found = Vec<Violation>;

impl<'v> Holding<'v> {
    pub(super) fn against(&mut self, schema: Id, value: &'v Value) -> Found {
        let mut found = Found::new();
        self.hold(schema, value, &mut found);
        found
    }

    /// Whether the value fits, or the violation because of which that is not known.
    pub(super) fn fits(&mut self, schema: Id, value: &'v Value) -> Result<bool, Violation> {
        let mut found = self.against(schema, value);
        match found.iter().position(|violation| matches!(violation.what, What::Undecided)) {
            Some(at) => Err(found.swap_remove(at)),
            None => Ok(found.is_empty()),
        }
    }

    fn hold(&mut self, schema: Id, value: &'v Value, found: &mut Found) {
        let validator = self.validator;
        for rule in validator.rules(schema) {
            match value {
                Value::Object(map) => self.object(rule, map, found),
                Value::Array(items) => self.list(rule, items, found),
                Value::String(text) => self.text(rule, text, found),
                _ => {}
            }
            self.form(schema, rule, value, found);
            if !rule.is_kept_by(value) {
                self.push(messages::broken(rule), found);
            }
        }
    }

    pub(super) fn push(&self, what: What, found: &mut Found) {
        let step = |at: &At<'_>| match at {
            At::Property(name) => Step::Key((*name).to_owned()),
            At::Item(index) => Step::Index(*index),
        };
        found.push(Violation { path: self.path.iter().map(step).collect(), what });
    }

    fn inside(&mut self, at: At<'v>, schema: Id, value: &'v Value, found: &mut Found) {
        self.path.push(at);
        self.hold(schema, value, found);
        self.path.pop();
    }

    /// Whether the pattern is in the text; when it is not known, that is a violation.
    pub(super) fn matches(&self, pattern: &Pattern, text: &str, found: &mut Found) -> Option<bool> {
        match pattern.find(text, self.patience) {
            Match::Yes => return Some(true),
            Match::No => return Some(false),
            Match::Undecided => self.push(What::Undecided, found),
            Match::Failed => self.push(What::Problem(messages::FAILED_PATTERN.to_owned()), found),
        }
        None
    }

    fn text(&mut self, rule: &Rule, text: &str, found: &mut Found) {
        if let Rule::Pattern(pattern) = rule
            && self.matches(pattern, text, found) == Some(false)
        {
            self.push(messages::broken(rule), found);
        }
    }

    fn object(&mut self, rule: &'v Rule, map: &'v Map<String, Value>, found: &mut Found) {
        match rule {
            Rule::Properties(properties) => self.properties(properties, map, found),
            Rule::PropertyNames(schema) => self.property_names(*schema, map, found),
            Rule::Required(names) => self.required(names, map, found),
            Rule::DependentRequired(all) => {
                for (_, names) in all.iter().filter(|(name, _)| map.contains_key(name)) {
                    self.required(names, map, found);
                }
            }
            _ => {}
        }
    }

    fn properties(&mut self, properties: &'v Properties, map: &'v Map<String, Value>, found: &mut Found) {
        let mut has_others = false;
        for (name, value) in map {
            let named = properties.named.get(name);
            let mut is_known = named.is_some();
            if let Some(schema) = named {
                self.inside(At::Property(name), *schema, value, found);
            }
            for (pattern, schema) in &properties.patterns {
                // of a name that could not be looked at the value is held against both
                let is_match = self.matches(pattern, name, found);
                is_known |= is_match == Some(true);
                if is_match != Some(false) {
                    self.inside(At::Property(name), *schema, value, found);
                }
            }
            if !is_known && let Some(schema) = properties.others {
                self.inside(At::Property(name), schema, value, found);
            }
            has_others |= !is_known;
        }
        if has_others && properties.is_closed {
            self.push(What::OtherParts(messages::OTHER_PARTS.to_owned()), found);
        }
    }

    fn property_names(&mut self, schema: Id, map: &Map<String, Value>, found: &mut Found) {
        for name in map.keys() {
            let name = Tree(Value::String(name.clone()));
            let violations = violations(self.validator, schema, &name.0, self.patience);
            let is_undecided = violations.iter().any(|violation| matches!(violation.what, What::Undecided));
            if is_undecided {
                self.push(What::Undecided, found);
            } else if !violations.is_empty() {
                self.push(What::Problem(messages::OTHER_NAME.to_owned()), found);
            }
        }
    }

    fn required(&mut self, names: &[String], map: &Map<String, Value>, found: &mut Found) {
        for name in names.iter().filter(|name| !map.contains_key(*name)) {
            self.push(What::Missing(name.clone()), found);
        }
    }

    fn list(&mut self, rule: &'v Rule, items: &'v [Value], found: &mut Found) {
        match rule {
            Rule::Items(rule) => self.items(rule, items, found),
            Rule::Contains(contains) => self.contains(contains, items, found),
            _ => {}
        }
    }

    fn items(&mut self, rule: &'v Items, items: &'v [Value], found: &mut Found) {
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = rule.first.get(index).copied().or(rule.others) {
                self.inside(At::Item(index), schema, item, found);
            }
        }
        if rule.is_closed && items.len() > rule.first.len() {
            self.push(What::Problem(messages::more_items_than(rule.first.len() as u64)), found);
        }
    }

    fn contains(&mut self, contains: &Contains, items: &'v [Value], found: &mut Found) {
        let (mut count, mut undecided) = (0_u64, None);
        for item in items {
            match self.fits(contains.schema, item) {
                Ok(fits) => count += u64::from(fits),
                Err(violation) => undecided = Some(violation),
            }
        }
        let is_kept = count >= contains.least && contains.most.is_none_or(|most| count <= most);
        match undecided {
            Some(_) => self.push(What::Undecided, found),
            None if !is_kept => self.push(What::Problem(messages::does_not_fit("contains")), found),
            None => {}
        }
    }

    /// Rules that hold the same value against other schemas.
    fn form(&mut self, schema: Id, rule: &'v Rule, value: &'v Value, found: &mut Found) {
        match (rule, value) {
            (Rule::Reference(target), _) => self.follow(*target, value, found),
            (Rule::All(schemas), _) => schemas.iter().for_each(|schema| self.hold(*schema, value, found)),
            (Rule::Any(schemas), _) => self.any(schemas, value, found),
            (Rule::One(schemas), _) => self.one(schemas, value, found),
            (Rule::Not(barred, _), _) => match self.fits(*barred, value) {
                Ok(true) => self.push(messages::broken(rule), found),
                Ok(false) => {}
                Err(undecided) => found.push(undecided),
            },
            (Rule::If(condition), _) => self.condition(condition, value, found),
            (Rule::DependentSchemas(all), Value::Object(map)) => {
                for (_, schema) in all.iter().filter(|(name, _)| map.contains_key(name)) {
                    self.hold(*schema, value, found);
                }
            }
            (Rule::UnevaluatedProperties(others), Value::Object(map)) => {
                self.unevaluated_properties(schema, *others, (value, map), found);
            }
            (Rule::UnevaluatedItems(others), Value::Array(items)) => {
                self.unevaluated_items(schema, *others, (value, items), found);
            }
            _ => {}
        }
    }

    fn follow(&mut self, target: Id, value: &'v Value, found: &mut Found) {
        if self.enter(target, value) {
            self.hold(target, value, found);
            self.followed.pop();
        }
    }

    /// Notes that a reference is followed at this value. `false` when it is being followed there already.
    pub(super) fn enter(&mut self, target: Id, value: &Value) -> bool {
        let here = (target, std::ptr::from_ref(value));
        let mut at_this_value = self.followed.iter().rev().take_while(|(_, value)| *value == here.1);
        let is_new = !at_this_value.any(|followed| *followed == here);
        if is_new {
            self.followed.push(here);
        }
        is_new
    }

    pub(super) fn leave(&mut self) {
        self.followed.pop();
    }

    fn any(&mut self, schemas: &[Id], value: &'v Value, found: &mut Found) {
        let mut forms = Vec::new();
        for schema in schemas {
            let violations = self.against(*schema, value);
            if violations.is_empty() {
                return;
            }
            forms.push(violations);
        }
        self.no_form(forms, found);
    }

    fn one(&mut self, schemas: &[Id], value: &'v Value, found: &mut Found) {
        let (mut forms, mut fitting) = (Vec::new(), 0);
        for schema in schemas {
            let violations = self.against(*schema, value);
            if violations.is_empty() {
                fitting += 1;
            } else {
                forms.push(violations);
            }
        }
        let is_undecided = |form: &Found| form.iter().any(|violation| matches!(violation.what, What::Undecided));
        match fitting {
            0 => self.no_form(forms, found),
            1 if forms.iter().any(is_undecided) => self.push(What::Undecided, found),
            1 => {}
            _ => self.push(What::Problem(messages::SEVERAL_FORMS.to_owned()), found),
        }
    }

    /// When it is not known of one form whether the value has it, that is all that can be said.
    fn no_form(&mut self, mut forms: Vec<Found>, found: &mut Found) {
        let undecided = |violation: &Violation| matches!(violation.what, What::Undecided);
        let known = forms.iter_mut().find_map(|form| {
            let at = form.iter().position(undecided)?;
            Some(form.swap_remove(at))
        });
        match known {
            Some(violation) => found.push(violation),
            None => self.push(What::NoForm(forms), found),
        }
    }

    fn condition(&mut self, condition: &Condition, value: &'v Value, found: &mut Found) {
        let next = match self.fits(condition.when, value) {
            Ok(true) => condition.then,
            Ok(false) => condition.otherwise,
            Err(undecided) => return found.push(undecided),
        };
        if let Some(schema) = next {
            self.hold(schema, value, found);
        }
    }
}
