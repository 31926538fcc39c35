//! The check of an assembled tree against its schema. What is found is told of the secrets that fed it.

use std::collections::HashSet;

use serde_json::Value;

use super::assemble::Assembly;
use super::depth::{NoRoom, levels};
use super::deserialize::{Step, Trouble, What};
use super::messages::Listing;
use super::name_map::NameMap;
use super::validator::{Validator, Violation, What as Broken};
use super::validators::Validators;
use super::{messages, one_of};

/// One thing that the validator found, without anything of the value.
pub(super) struct Finding {
    pub(super) path: Vec<Step>,
    pub(super) what: Found,
}

pub(super) enum Found {
    Missing(String),
    Problem(String),
    /// A problem of the form as a whole, which may follow from problems of its parts.
    Form(String),
}

/// Adds what the validator finds to the report.
pub(super) fn validate(assembly: &mut Assembly<'_, '_>, name_map: &NameMap<'_>, validators: &Validators, tree: &Value) {
    let search = || {
        if validators.is_too_much(tree) {
            return vec![too_much(tree)];
        }
        let (findings, is_finished) = find(validators.validator(), tree, 0);
        match validators.more_patience(tree).filter(|_| !is_finished) {
            Some(patience) => find(validators.validator(), tree, patience).0,
            None => findings,
        }
    };
    let findings = validators.with_room(tree, search).unwrap_or_else(|reason| {
        let problem = match reason {
            NoRoom::TooDeep => "cannot be held against the schema: values and schema are nested too deep",
            NoRoom::NoThread => "cannot be held against the schema: the system gives no thread for it",
        };
        vec![Finding { path: Vec::new(), what: Found::Problem(problem.to_owned()) }]
    });
    for finding in findings {
        tell(assembly, name_map, finding);
    }
}

/// Too many forms within forms: told of the deepest value.
fn too_much(tree: &Value) -> Finding {
    let properties = tree.as_object().into_iter().flatten();
    let deepest = properties.max_by_key(|(_, value)| levels(value)).map(|(name, _)| Step::Key(name.clone()));
    let problem = "cannot be held against the schema, because that takes too long: it may have several forms, and its parts \
                   have them again, too deep";
    Finding { path: deepest.into_iter().collect(), what: Found::Problem(problem.to_owned()) }
}

/// What a validator finds, and whether it came to an end with every pattern.
fn find(validator: &Validator, tree: &Value, patience: usize) -> (Vec<Finding>, bool) {
    let (mut findings, mut is_finished) = (Vec::new(), true);
    for violation in validator.violations(tree, patience) {
        is_finished &= !matches!(violation.what, Broken::Undecided);
        note(violation, &mut findings);
    }
    (findings, is_finished)
}

/// Adds what a type refused to the report. `false` when that was told before.
pub(super) fn refuse(assembly: &mut Assembly<'_, '_>, name_map: &NameMap<'_>, trouble: &Trouble) {
    let what = match &trouble.what {
        What::Missing(field) => Found::Missing((*field).to_owned()),
        What::Expected(expected) => Found::Problem(format!("is refused by its type, which expects {expected}")),
        What::NoVariant(variants) => Found::Problem(messages::none_of(&Listing::of(variants, ToString::to_string))),
        What::UnknownField => Found::Problem("holds a part that its type does not know".to_owned()),
        What::Refused | What::Twice(_) => Found::Problem(refusal(assembly, name_map, &trouble.path)),
    };
    tell(assembly, name_map, Finding { path: trouble.path.clone(), what });
}

fn refusal(assembly: &Assembly<'_, '_>, name_map: &NameMap<'_>, path: &[Step]) -> String {
    let place = assembly.place(path);
    let format =
        name_map.field(place.field).filter(|_| place.depth == path.len()).and_then(|field| field.view.format());
    format.map_or_else(|| "is refused by its type".to_owned(), messages::format)
}

fn tell(assembly: &mut Assembly<'_, '_>, name_map: &NameMap<'_>, finding: Finding) {
    let Finding { mut path, what } = finding;
    let (problem, is_form) = match what {
        Found::Missing(name) => {
            path.push(Step::Key(name));
            (None, false)
        }
        Found::Problem(problem) => (Some(problem), false),
        Found::Form(problem) => (Some(problem), true),
    };
    // the form of a whole is told only when none of its parts has been
    if assembly.is_told(&path) && (is_form || !path.is_empty()) {
        return;
    }
    let place = assembly.place(&path);
    let inside = path.get(place.depth..).map(|steps| inside(steps, name_map.property_names())).unwrap_or_default();
    let (name, description) = (place.name.to_owned(), place.description.map(str::to_owned));
    let description = description.as_deref();
    let is_fed = place.is_fed;
    let report = &mut assembly.report;
    match (problem, inside.is_empty()) {
        (None, true) if !is_fed => report.push_missing(&name, description),
        // deeper than properties have names of their own
        (None, _) if !is_fed => {
            let name = if name.is_empty() { inside } else { format!("{name}__{inside}") };
            report.push_missing(&name, description);
        }
        (None, _) => report.push_invalid(&name, format!("lacks {inside}"), description),
        (Some(problem), true) if path.is_empty() => {
            let title = name_map.root().get("title").and_then(Value::as_str).unwrap_or("schema");
            report.push_invalid(title, format!("as a whole {problem}"), None);
        }
        (Some(problem), true) => report.push_invalid(&name, problem, description),
        (Some(problem), false) => {
            report.push_invalid(&name, format!("is wrong at {inside}: it {problem}"), description)
        }
    }
}

/// A path within a secret's JSON. Names that the schema does not know are data, and are not shown.
fn inside(steps: &[Step], known: &HashSet<&str>) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(if known.contains(key.as_str()) { key } else { "*" });
            }
        }
    }
    text
}

/// What a violation means to whoever wrote the values.
pub(super) fn note(violation: Violation, findings: &mut Vec<Finding>) {
    let Violation { path, what } = violation;
    let what = match what {
        Broken::NoForm(forms) => return one_of::note(forms, path, findings),
        Broken::Missing(property) => Found::Missing(messages::plain(&property.into())),
        Broken::Choice { choices, is_constant: true } => Found::Problem(messages::is_not(&choices)),
        Broken::Choice { choices, .. } => Found::Problem(messages::none_of(&choices)),
        Broken::Undecided => Found::Problem(messages::UNDECIDED.to_owned()),
        Broken::Type(problem) | Broken::OtherParts(problem) | Broken::Problem(problem) => Found::Problem(problem),
    };
    findings.push(Finding { path, what });
}
