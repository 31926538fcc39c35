//! Values of several forms, `oneOf` and `anyOf`: the problem of one that has none of them, told by the form that was meant.

use super::check::{Finding, Found};
use super::deserialize::Step;
use super::messages::Listing;
use super::validator::{Violation, What};
use super::{check, messages};

/// Why a value does not have one of the forms.
struct Form {
    /// What the form lacks at its top.
    lacks: Vec<String>,
    /// The values that the form allows, when it is about values.
    choices: Option<Listing>,
    /// The part that tells forms apart, and what it is in this one.
    tag: Option<(Vec<Step>, Listing)>,
    /// The value is of another type.
    is_of_another_type: bool,
    /// The value has parts that the form does not have.
    has_other_parts: bool,
    findings: Vec<Finding>,
}

impl Form {
    fn of(violations: Vec<Violation>, depth: usize) -> Self {
        let mut form = Self {
            lacks: Vec::new(),
            choices: None,
            tag: None,
            is_of_another_type: false,
            has_other_parts: false,
            findings: Vec::new(),
        };
        for Violation { path, what } in &violations {
            match (what, path.len().saturating_sub(depth)) {
                (What::Missing(property), 0) => form.lacks.push(messages::plain(&property.as_str().into())),
                (What::Type(_), 0) => form.is_of_another_type = true,
                (What::OtherParts(_), 0) => form.has_other_parts = true,
                (What::Choice { choices, .. }, 0) => form.choices.get_or_insert_default().extend(choices),
                (What::Choice { choices, is_constant: true }, 1) => form.tag = Some((path.clone(), choices.clone())),
                _ => {}
            }
        }
        violations.into_iter().for_each(|violation| check::note(violation, &mut form.findings));
        form
    }

    /// Whether nothing speaks against this being the form that was meant.
    fn is_meant(&self) -> bool {
        self.may_be_meant() && !self.has_other_parts
    }

    fn may_be_meant(&self) -> bool {
        !self.is_of_another_type && self.choices.is_none() && self.tag.is_none()
    }
}

/// None of several forms fits. When one of them is clearly meant, its problems are the answer.
pub(super) fn note(forms: Vec<Vec<Violation>>, path: Vec<Step>, findings: &mut Vec<Finding>) {
    let mut forms: Vec<Form> = forms.into_iter().map(|form| Form::of(form, path.len())).collect();
    if let Some(meant) = the_only(&mut forms, Form::is_meant) {
        return findings.append(&mut meant.findings);
    }
    let lacking = lacked_by_all(&forms);
    if !lacking.is_empty() {
        findings.extend(lacking.into_iter().map(|name| Finding { path: path.clone(), what: Found::Missing(name) }));
        return;
    }
    if let Some(choices) = choices(&forms) {
        return findings.push(Finding { path, what: Found::Problem(messages::none_of(&choices)) });
    }
    if let Some((path, tags)) = tags(&forms) {
        return findings.push(Finding { path, what: Found::Problem(messages::none_of(&tags)) });
    }
    if let Some(meant) = the_only(&mut forms, Form::may_be_meant) {
        return findings.append(&mut meant.findings);
    }
    findings.push(Finding { path, what: Found::Form(messages::NO_FORM.to_owned()) });
}

fn the_only(forms: &mut [Form], fits: impl Fn(&Form) -> bool) -> Option<&mut Form> {
    let mut all = forms.iter_mut().filter(|form| fits(form));
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

/// What every form must have, its tag for example.
fn lacked_by_all(forms: &[Form]) -> Vec<String> {
    let Some((first, others)) = forms.split_first() else { return Vec::new() };
    first.lacks.iter().filter(|name| others.iter().all(|form| form.lacks.contains(name))).cloned().collect()
}

/// The values of all forms, when they are about values.
fn choices(forms: &[Form]) -> Option<Listing> {
    let is_only = forms.iter().all(|form| form.choices.is_some() || form.is_of_another_type);
    let mut choices = Listing::default();
    forms.iter().filter_map(|form| form.choices.as_ref()).for_each(|some| choices.extend(some));
    (is_only && !choices.is_empty()).then_some(choices)
}

/// The tags of all forms, when none of them has the one that the value has.
fn tags(forms: &[Form]) -> Option<(Vec<Step>, Listing)> {
    let mut of_type = forms.iter().filter(|form| !form.is_of_another_type);
    let (path, mut all) = of_type.next()?.tag.clone()?;
    for form in of_type {
        let (other, values) = form.tag.as_ref()?;
        if *other != path {
            return None;
        }
        all.extend(values);
    }
    Some((path, all))
}
