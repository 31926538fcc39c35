//! The references in values, `${KEY}` and `${environment.folder.KEY}`, and how each generation expands them.

use std::collections::BTreeMap;

use super::access::Actor;
use super::database::{Database, Location};
use super::generation::Generation;
use super::refusal::Refusal;
use super::seed::Action;
use crate::dev::javascript::object;

/// How deep references are followed.
const DEPTH: usize = 10;
/// How many references of one value are followed: values that grow without end are cut.
const STEPS: usize = 10_000;
/// The longest value that is expanded further, in bytes.
const LONGEST: usize = 1 << 20;

/// The reason why a value is not expanded.
pub(super) enum Unexpanded {
    /// There is no such environment or folder.
    NoFolder,
    /// The actor may not read what is referred to.
    Forbidden { environment: String, path: String, key: String },
}

impl Unexpanded {
    /// The refusal of a read by name.
    pub(super) fn refusal(self, generation: Generation) -> Refusal {
        match self {
            Unexpanded::NoFolder => Refusal::new(500, "InternalServerError", "Something went wrong"),
            Unexpanded::Forbidden { environment, path, key } if generation.is_current() => {
                let reference = object([
                    ("secretKey", key.into()),
                    ("environment", environment.into()),
                    ("secretPath", path.into()),
                ]);
                let message = "Failed to expand one or more secret references";
                Refusal::new(403, "ForbiddenError", message).with_details(vec![reference].into())
            }
            Unexpanded::Forbidden { environment, path, key } => Refusal::forbidden_reference(&environment, &path, &key),
        }
    }
}

/// The references of a text, each as it is written: `${`, something, and the next `}`.
fn references(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let inside = &rest[start + 2..];
        match inside.find('}') {
            Some(0) => rest = inside,
            Some(end) => {
                found.push(&rest[start..start + 2 + end + 1]);
                rest = &inside[end + 1..];
            }
            None => break,
        }
    }
    found
}

/// The innermost references of a text: those with no other inside.
fn innermost(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = None;
    let mut before = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if before == b'$' => start = Some(at - 1),
            b'}' => {
                if let Some(begin) = start.take().filter(|begin| at > begin + 2) {
                    found.push(&text[begin..=at]);
                }
            }
            _ => {}
        }
        before = byte;
    }
    found
}

/// What is between the braces.
fn inside(reference: &str) -> &str {
    reference.get(2..reference.len() - 1).unwrap_or_default()
}

/// A value of several lines in quotes, with its line ends written out.
fn quoted(value: &str) -> String {
    if value.contains('\n') { format!("\"{}\"", value.replace('\n', "\\n")) } else { value.to_owned() }
}

/// The place that a reference leads to: an environment, a path and a key.
fn target(parts: &[&str]) -> (String, String, String) {
    let (environment, rest) = parts.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
    let (key, folders) = rest.split_last().map_or(("", &[][..]), |(last, folders)| (*last, folders));
    (environment.to_owned(), format!("/{}", folders.join("/")), key.to_owned())
}

/// What expands the values of one project for one actor.
#[derive(Clone, Copy)]
pub(super) struct Expansion<'a> {
    pub(super) database: &'a Database,
    pub(super) actor: &'a Actor,
    pub(super) project: &'a str,
    /// Where references without an environment are looked for first, before the value's own folder.
    pub(super) first: Option<(&'a str, &'a str)>,
}

/// A value with its own folder.
pub(super) struct Value<'a> {
    pub(super) text: &'a str,
    pub(super) environment: &'a str,
    pub(super) path: &'a str,
    pub(super) skips_multiline_encoding: bool,
}

impl Expansion<'_> {
    /// A value with its references expanded, each with what is at its target. With `is_half`, what the references of the first
    /// level lead to stays as it is.
    pub(super) fn expanded(&self, value: &Value, is_half: bool) -> Result<String, Unexpanded> {
        if references(value.text).is_empty() {
            return Ok(value.text.to_owned());
        }
        let mut steps = STEPS;
        let expanded = match self.database.generation {
            Generation::August2024 => self.of_other_folders(value.text),
            Generation::October2024 => self.by_level(value, is_half)?,
            Generation::Current => self.by_depth(value.text, value.environment, value.path, 0, &mut steps)?,
        };
        Ok(if value.skips_multiline_encoding { quoted(&expanded) } else { expanded })
    }

    fn fetch(&self, environment: &str, path: &str, key: &str) -> Result<String, Unexpanded> {
        let location = Location { project: self.project, environment, path };
        if !self.database.may(self.actor, Action::Read, location) {
            let (environment, path, key) = (environment.to_owned(), path.to_owned(), key.to_owned());
            return Err(Unexpanded::Forbidden { environment, path, key });
        }
        let folder = self.database.folder(location).ok_or(Unexpanded::NoFolder)?;
        Ok(self.database.shared_secret(&folder.id, key).map(|secret| secret.value.clone()).unwrap_or_default())
    }

    /// October 2024: references are replaced in the whole text, level by level.
    fn by_level(&self, value: &Value, is_half: bool) -> Result<String, Unexpanded> {
        let mut expanded = value.text.to_owned();
        let mut stack = vec![(value.text.to_owned(), value.environment.to_owned(), value.path.to_owned(), 0)];
        let mut steps = STEPS;
        while let Some((text, environment, path, depth)) = stack.pop() {
            if depth > DEPTH {
                continue;
            }
            for reference in references(&text) {
                steps = steps.saturating_sub(1);
                if steps == 0 || expanded.len() > LONGEST {
                    return Ok(expanded);
                }
                let parts: Vec<&str> = inside(reference).trim().split('.').collect();
                let (at, folder, key) = match parts[..] {
                    [key] => (environment.clone(), path.clone(), key.to_owned()),
                    _ => target(&parts),
                };
                let found = self.fetch(&at, &folder, &key)?;
                if found.is_empty() {
                    continue;
                }
                expanded = expanded.replace(reference, &found);
                if !is_half && !references(&found).is_empty() {
                    stack.push((found, at, folder, depth + 1));
                }
            }
        }
        Ok(expanded)
    }

    /// August 2024, by name: references to other folders alone, whoever asks.
    fn of_other_folders(&self, text: &str) -> String {
        let mut expanded = text.to_owned();
        for reference in references(text) {
            if let Some(found) = self.other_folder(reference) {
                expanded = expanded.replace(reference, &found);
            }
        }
        expanded
    }

    fn other_folder(&self, reference: &str) -> Option<String> {
        let parts: Vec<&str> = inside(reference).trim().split('.').collect();
        if parts.len() < 2 {
            return None;
        }
        let (environment, path, key) = target(&parts);
        let location = Location { project: self.project, environment: &environment, path: &path };
        let folder = self.database.folder(location)?;
        let secret = self.database.shared_secret(&folder.id, &key)?;
        Some(secret.value.clone()).filter(|value| !value.is_empty())
    }

    /// August 2024, in a list: references within the folder are followed, circles are cut where they close.
    pub(super) fn expanded_folder(&self, values: &[(String, String, bool)]) -> BTreeMap<String, String> {
        let raw: BTreeMap<&str, &str> = values.iter().map(|(key, value, _)| (key.as_str(), value.as_str())).collect();
        let mut known = BTreeMap::new();
        for (key, value, _) in values.iter().filter(|(_, value, _)| references(value).is_empty()) {
            known.insert(key.clone(), value.clone());
        }
        for (key, ..) in values {
            self.within(key, &raw, &mut known, &mut Vec::new());
        }
        for (key, _, skips) in values {
            if let Some(expanded) = known.get_mut(key).filter(|_| *skips) {
                *expanded = quoted(expanded);
            }
        }
        known
    }

    fn within(
        &self,
        key: &str,
        raw: &BTreeMap<&str, &str>,
        known: &mut BTreeMap<String, String>,
        open: &mut Vec<String>,
    ) -> Option<String> {
        if let Some(value) = known.get(key) {
            return Some(value.clone());
        }
        if open.iter().any(|other| other == key) {
            return None;
        }
        let text = *raw.get(key)?;
        open.push(key.to_owned());
        let mut expanded = text.to_owned();
        for reference in references(text) {
            let found = if inside(reference).contains('.') {
                self.other_folder(reference)
            } else {
                self.within(inside(reference), raw, known, open)
            };
            if let Some(found) = found.filter(|found| !found.is_empty() && expanded.len() < LONGEST) {
                expanded = expanded.replace(reference, &found);
            }
        }
        known.insert(key.to_owned(), expanded.clone());
        Some(expanded)
    }

    /// Today: the innermost references first, each expanded where it is found; what is missing stays as it is written.
    fn by_depth(
        &self,
        text: &str,
        environment: &str,
        path: &str,
        depth: usize,
        steps: &mut usize,
    ) -> Result<String, Unexpanded> {
        let mut expanded = text.to_owned();
        for _ in 0..DEPTH {
            let before = expanded.clone();
            for reference in innermost(&before) {
                *steps = steps.saturating_sub(1);
                if *steps == 0 || expanded.len() > LONGEST {
                    return Ok(expanded);
                }
                let Some((found, at, folder)) = self.found_today(inside(reference).trim(), environment, path)? else {
                    continue;
                };
                let found = if depth < DEPTH { self.by_depth(&found, &at, &folder, depth + 1, steps)? } else { found };
                expanded = expanded.replace(reference, &found);
            }
            if expanded == before {
                break;
            }
        }
        Ok(expanded)
    }

    /// The value that a reference leads to, with its folder; nothing when there is none.
    fn found_today(
        &self,
        reference: &str,
        environment: &str,
        path: &str,
    ) -> Result<Option<(String, String, String)>, Unexpanded> {
        let parts: Vec<&str> = reference.split('.').collect();
        let own = [self.first, Some((environment, path))];
        let (project, places, key) = match &parts[..] {
            [key] => {
                let places = own.into_iter().flatten().map(|(at, folder)| (at.to_owned(), folder.to_owned())).collect();
                (self.project, places, (*key).to_owned())
            }
            [slug, rest @ ..] if slug.starts_with('@') => {
                let Some(other) = self.database.project_by_slug(slug.trim_start_matches('@')) else { return Ok(None) };
                let (at, folder, key) = target(rest);
                (other.id.as_str(), vec![(at, folder)], key)
            }
            _ => {
                let (at, folder, key) = target(&parts);
                (self.project, vec![(at, folder)], key)
            }
        };
        let elsewhere = Expansion { project, first: None, ..*self };
        for (at, folder) in places {
            match elsewhere.fetch(&at, &folder, &key) {
                Ok(value) if value.is_empty() => {}
                Ok(value) => return Ok(Some((value, at, folder))),
                Err(Unexpanded::NoFolder) => {}
                Err(forbidden) => return Err(forbidden),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_as_the_service_finds_them() {
        assert_eq!(references("a-${B}-${c.d.E} ${} $ {F} ${open"), ["${B}", "${c.d.E}"]);
        assert_eq!(references("n-${staging.${PLAIN}.X}-m"), ["${staging.${PLAIN}"]);
        assert_eq!(innermost("n-${staging.${PLAIN}.X}-m"), ["${PLAIN}"]);
        assert_eq!(innermost("${} ${A}"), ["${A}"]);
        assert_eq!(target(&["dev", "a", "b", "C"]), ("dev".to_owned(), "/a/b".to_owned(), "C".to_owned()));
    }
}
