//! Properties and items that no other keyword of a schema has looked at.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::hold::Holding;
use super::rule::Rule;
use super::{Id, Violation, What};
use crate::schema::messages;

/// What the keywords of a schema have looked at.
#[derive(Default)]
struct Evaluated<'v> {
    names: HashSet<&'v str>,
    every_property: bool,
    first_items: usize,
    items: HashSet<usize>,
    every_item: bool,
}

impl<'v> Holding<'v> {
    pub(super) fn unevaluated_properties(
        &mut self,
        schema: Id,
        others: Id,
        (value, map): (&'v Value, &'v Map<String, Value>),
        found: &mut Vec<Violation>,
    ) {
        let evaluated = self.evaluated(schema, value, found);
        let left = |name: &str| !evaluated.every_property && !evaluated.names.contains(name);
        let unfit = map.iter().filter(|(name, _)| left(name)).any(|(_, inner)| self.is_unfit(others, inner, found));
        if unfit {
            self.push(What::Problem(messages::OTHER_PARTS.to_owned()), found);
        }
    }

    pub(super) fn unevaluated_items(
        &mut self,
        schema: Id,
        others: Id,
        (value, items): (&'v Value, &'v [Value]),
        found: &mut Vec<Violation>,
    ) {
        let evaluated = self.evaluated(schema, value, found);
        let left =
            |index: usize| !evaluated.every_item && index >= evaluated.first_items && !evaluated.items.contains(&index);
        let mut rest = items.iter().enumerate().filter(|(index, _)| left(*index));
        if rest.any(|(_, inner)| self.is_unfit(others, inner, found)) {
            self.push(What::Problem(messages::does_not_fit("unevaluatedItems")), found);
        }
    }

    fn is_unfit(&mut self, schema: Id, value: &'v Value, found: &mut Vec<Violation>) -> bool {
        self.decided(schema, value, found) == Some(false)
    }

    /// Whether the value fits; `None` when that is not known, which is a violation.
    fn decided(&mut self, schema: Id, value: &'v Value, found: &mut Vec<Violation>) -> Option<bool> {
        self.fits(schema, value).map_err(|undecided| found.push(undecided)).ok()
    }

    fn evaluated(&mut self, schema: Id, value: &'v Value, found: &mut Vec<Violation>) -> Evaluated<'v> {
        let mut evaluated = Evaluated::default();
        let is_own = |rule: &Rule| matches!(rule, Rule::UnevaluatedProperties(_) | Rule::UnevaluatedItems(_));
        let validator = self.validator;
        for rule in validator.rules(schema).iter().filter(|rule| !is_own(rule)) {
            self.evaluate(rule, value, &mut evaluated, found);
        }
        evaluated
    }

    fn evaluate_all(
        &mut self,
        schema: Id,
        value: &'v Value,
        evaluated: &mut Evaluated<'v>,
        found: &mut Vec<Violation>,
    ) {
        let validator = self.validator;
        for rule in validator.rules(schema) {
            self.evaluate(rule, value, evaluated, found);
        }
    }

    fn evaluate(
        &mut self,
        rule: &'v Rule,
        value: &'v Value,
        evaluated: &mut Evaluated<'v>,
        found: &mut Vec<Violation>,
    ) {
        match (rule, value) {
            (Rule::Properties(properties), Value::Object(map)) => {
                evaluated.every_property |= properties.others.is_some();
                for name in map.keys() {
                    let by_pattern = |(pattern, _): &(_, _)| self.matches(pattern, name, found) == Some(true);
                    if properties.named.contains_key(name) || properties.patterns.iter().any(by_pattern) {
                        evaluated.names.insert(name);
                    }
                }
            }
            (Rule::Items(items), Value::Array(_)) => {
                evaluated.first_items = evaluated.first_items.max(items.first.len());
                evaluated.every_item |= items.others.is_some();
            }
            (Rule::Contains(contains), Value::Array(items)) if contains.evaluates => {
                for (index, item) in items.iter().enumerate() {
                    if self.decided(contains.schema, item, found) == Some(true) {
                        evaluated.items.insert(index);
                    }
                }
            }
            (Rule::UnevaluatedProperties(_), _) => evaluated.every_property = true,
            (Rule::UnevaluatedItems(_), _) => evaluated.every_item = true,
            _ => self.evaluate_forms(rule, value, evaluated, found),
        }
    }

    /// What other schemas of the same value have looked at, where the value fits them.
    fn evaluate_forms(
        &mut self,
        rule: &'v Rule,
        value: &'v Value,
        evaluated: &mut Evaluated<'v>,
        found: &mut Vec<Violation>,
    ) {
        match (rule, value) {
            (Rule::Reference(target), _) => {
                if self.enter(*target, value) {
                    self.evaluate_all(*target, value, evaluated, found);
                    self.leave();
                }
            }
            (Rule::All(schemas), _) => {
                schemas.iter().for_each(|schema| self.evaluate_all(*schema, value, evaluated, found));
            }
            (Rule::Any(schemas) | Rule::One(schemas), _) => {
                for schema in schemas {
                    if self.decided(*schema, value, found) == Some(true) {
                        self.evaluate_all(*schema, value, evaluated, found);
                    }
                }
            }
            (Rule::If(condition), _) => {
                let fits = self.decided(condition.when, value, found) == Some(true);
                let schemas = if fits { [Some(condition.when), condition.then] } else { [None, condition.otherwise] };
                schemas.into_iter().flatten().for_each(|schema| self.evaluate_all(schema, value, evaluated, found));
            }
            (Rule::DependentSchemas(all), Value::Object(map)) => {
                for (_, schema) in all.iter().filter(|(name, _)| map.contains_key(name)) {
                    self.evaluate_all(*schema, value, evaluated, found);
                }
            }
            _ => {}
        }
    }
}
