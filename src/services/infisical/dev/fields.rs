//! The members of a request, checked as the service's schemas check them: every issue is collected before the refusal.

use super::generation::Generation;
use super::refusal::Refusal;
use crate::dev::javascript::{Json, Members, object};

/// The members of a query or of a body, and the issues found so far.
pub(super) struct Fields<'a> {
    source: Source<'a>,
    path: Vec<Json>,
    issues: Vec<Json>,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Query(&'a [(String, String)]),
    Body(&'a Json),
}

/// The name of a value's type in an issue.
fn type_name(value: Option<&Json>) -> &'static str {
    match value {
        None => "undefined",
        Some(Json::Null) => "null",
        Some(Json::Bool(_)) => "boolean",
        Some(Json::Number(_)) => "number",
        Some(Json::Text(_)) => "string",
        Some(Json::List(_)) => "array",
        Some(Json::Object(_)) => "object",
    }
}

/// White space is what JavaScript trims.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter: char| (letter.is_whitespace() && letter != '\u{85}') || letter == '\u{feff}')
}

/// A value as it is stored: trimmed, with one final newline kept.
pub(super) fn stored_value(text: &str) -> String {
    let end = if text.ends_with('\n') { "\n" } else { "" };
    format!("{}{end}", trimmed(text))
}

/// A path without the slash at its end.
pub(super) fn folder_path(text: &str) -> String {
    let text = trimmed(text);
    if text.len() > 1 { text.strip_suffix('/').unwrap_or(text) } else { text }.to_owned()
}

impl<'a> Fields<'a> {
    pub(super) fn of_query(query: &'a [(String, String)]) -> Self {
        Fields { source: Source::Query(query), path: Vec::new(), issues: Vec::new() }
    }

    /// A body that is no object is an issue of its own.
    pub(super) fn of_body(body: &'a Json) -> Self {
        let mut fields = Fields { source: Source::Body(body), path: Vec::new(), issues: Vec::new() };
        if !matches!(body, Json::Object(_)) {
            let issue = wrong_type("object", Some(body), Json::List(Vec::new()));
            fields.issues.push(issue);
        }
        fields
    }

    /// Ends the reading: the refusal when there was an issue.
    pub(super) fn done(self, generation: Generation) -> Result<(), Refusal> {
        if self.issues.is_empty() { Ok(()) } else { Err(Refusal::invalid(generation, self.issues)) }
    }

    /// The value of a member: its text in a query, a list when it is there more than once.
    fn value(&self, name: &str) -> Option<Json> {
        match self.source {
            Source::Body(body) => body.get(name).cloned(),
            Source::Query(query) => {
                let mut found = query.iter().filter(|(known, _)| known == name).map(|(_, value)| Json::from(value));
                let first = found.next()?;
                let rest: Vec<Json> = found.collect();
                Some(if rest.is_empty() { first } else { [vec![first], rest].concat().into() })
            }
        }
    }

    fn place(&self, name: &str) -> Json {
        let mut path = self.path.clone();
        path.push(name.into());
        path.into()
    }

    fn is_whole(&self) -> bool {
        matches!(self.source, Source::Query(_) | Source::Body(Json::Object(_)))
    }

    fn expect_type(&mut self, name: &str, expected: &str, found: Option<&Json>) {
        if self.is_whole() {
            let issue = wrong_type(expected, found, self.place(name));
            self.issues.push(issue);
        }
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, name: &str) -> String {
        match self.value(name) {
            Some(Json::Text(text)) => text,
            other => {
                self.expect_type(name, "string", other.as_ref());
                String::new()
            }
        }
    }

    /// A text that must be there, trimmed.
    pub(super) fn word(&mut self, name: &str) -> String {
        trimmed(&self.text(name)).to_owned()
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Option<String> {
        self.value(name).is_some().then(|| self.text(name))
    }

    pub(super) fn optional_word(&mut self, name: &str) -> Option<String> {
        self.value(name).is_some().then(|| self.word(name))
    }

    /// A text that may be null; the outer option is its presence.
    pub(super) fn nullable_text(&mut self, name: &str) -> Option<Option<String>> {
        match self.value(name)? {
            Json::Null => Some(None),
            _ => Some(Some(self.text(name))),
        }
    }

    /// A path of a folder; the root when it is left out.
    pub(super) fn path(&mut self, name: &str) -> String {
        self.optional_text(name).map_or_else(|| "/".to_owned(), |text| folder_path(&text))
    }

    /// A switch of a query, which is one of two words.
    pub(super) fn switch(&mut self, name: &str, default: bool) -> bool {
        self.one_of(name, &["true", "false"]).map_or(default, |word| word == "true")
    }

    /// One of a few words.
    pub(super) fn one_of(&mut self, name: &str, options: &[&str]) -> Option<String> {
        let value = self.value(name)?;
        match value.text() {
            Some(word) if options.contains(&word) => Some(word.to_owned()),
            _ => {
                let received = value.text().unwrap_or_else(|| type_name(Some(&value))).to_owned();
                let listed: Vec<String> = options.iter().map(|option| format!("'{option}'")).collect();
                let message = format!("Invalid enum value. Expected {}, received '{received}'", listed.join(" | "));
                let issue = object([
                    ("received", received.into()),
                    ("code", "invalid_enum_value".into()),
                    ("options", options.to_vec().into()),
                    ("path", self.place(name)),
                    ("message", message.into()),
                ]);
                self.issues.push(issue);
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Json::Bool(value) => Some(value),
            other => {
                self.expect_type(name, "boolean", Some(&other));
                None
            }
        }
    }

    /// A switch that may be null; the outer option is its presence.
    pub(super) fn nullable_boolean(&mut self, name: &str) -> Option<Option<bool>> {
        match self.value(name)? {
            Json::Null => Some(None),
            _ => self.boolean(name).map(Some),
        }
    }

    /// A number that may be null; the outer option is its presence.
    pub(super) fn nullable_number(&mut self, name: &str) -> Option<Option<i64>> {
        match self.value(name)? {
            Json::Null => Some(None),
            value @ Json::Number(_) => Some(value.whole()),
            other => {
                self.expect_type(name, "number", Some(&other));
                None
            }
        }
    }

    /// A number of a query, read from its text; an empty text is 0.
    pub(super) fn coerced_number(&mut self, name: &str) -> Option<f64> {
        let value = self.value(name)?;
        let text = trimmed(value.text().unwrap_or("?")).to_owned();
        let number = if text.is_empty() { Some(0.0) } else { text.parse().ok() };
        if number.is_none() {
            let issue = object([
                ("code", "invalid_type".into()),
                ("expected", "number".into()),
                ("received", "nan".into()),
                ("path", self.place(name)),
                ("message", "Expected number, received nan".into()),
            ]);
            self.issues.push(issue);
        }
        number
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        match self.value(name)? {
            Json::List(items) => Some(items.iter().filter_map(Json::text).map(str::to_owned).collect()),
            other => {
                self.expect_type(name, "array", Some(&other));
                None
            }
        }
    }

    /// A list of objects of at least one, each read by the same reader.
    pub(super) fn items<T>(&mut self, name: &str, mut read: impl FnMut(&mut Fields) -> T) -> Vec<T> {
        let items = match self.value(name) {
            Some(Json::List(items)) => items,
            other => {
                self.expect_type(name, "array", other.as_ref());
                return Vec::new();
            }
        };
        if items.is_empty() {
            let issue = too_small("array", "Array must contain at least 1 element(s)", self.place(name));
            self.issues.push(issue);
        }
        let mut read_items = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let mut path = self.path.clone();
            path.extend([name.into(), Json::count(index)]);
            let mut fields = Fields { source: Source::Body(item), path, issues: Vec::new() };
            read_items.push(read(&mut fields));
            self.issues.append(&mut fields.issues);
        }
        read_items
    }

    /// An object that must be there, read by a reader.
    pub(super) fn inner<T: Default>(&mut self, name: &str, read: impl FnOnce(&mut Fields) -> T) -> T {
        let value = match self.value(name) {
            Some(value @ Json::Object(_)) => value,
            other => {
                self.expect_type(name, "object", other.as_ref());
                return T::default();
            }
        };
        let mut path = self.path.clone();
        path.push(name.into());
        let mut fields = Fields { source: Source::Body(&value), path, issues: Vec::new() };
        let read = read(&mut fields);
        self.issues.append(&mut fields.issues);
        read
    }

    /// A member as it is; nothing when it is left out.
    pub(super) fn any(&self, name: &str) -> Option<Json> {
        self.value(name)
    }

    /// An issue of a text that is too short.
    pub(super) fn not_empty(&mut self, name: &str, text: Option<&str>) {
        if text.is_some_and(str::is_empty) {
            let issue = too_small("string", "String must contain at least 1 character(s)", self.place(name));
            self.issues.push(issue);
        }
    }

    /// An issue of a number that is too small.
    pub(super) fn at_least(&mut self, name: &str, number: f64, minimum: i32) {
        if number < f64::from(minimum) {
            let message = format!("Number must be greater than or equal to {minimum}");
            let mut issue = too_small("number", &message, self.place(name));
            if let Json::Object(members) = &mut issue {
                members.set("minimum", i64::from(minimum));
            }
            self.issues.push(issue);
        }
    }

    /// An issue of the schema's own check.
    pub(super) fn custom(&mut self, name: &str, message: &str) {
        let issue = object([("code", "custom".into()), ("message", message.into()), ("path", self.place(name))]);
        self.issues.push(issue);
    }

    /// An issue of a text that is no id.
    pub(super) fn uuid(&mut self, name: &str, text: &str) {
        if !is_uuid(text) {
            let issue = object([
                ("validation", "uuid".into()),
                ("code", "invalid_string".into()),
                ("message", "Invalid uuid".into()),
                ("path", self.place(name)),
            ]);
            self.issues.push(issue);
        }
    }
}

fn wrong_type(expected: &str, found: Option<&Json>, path: Json) -> Json {
    let received = type_name(found);
    let message = match found {
        None => "Required".to_owned(),
        Some(_) => format!("Expected {expected}, received {received}"),
    };
    object([
        ("code", "invalid_type".into()),
        ("expected", expected.into()),
        ("received", received.into()),
        ("path", path),
        ("message", message.into()),
    ])
}

fn too_small(kind: &str, message: &str, path: Json) -> Json {
    let mut issue = Members::default();
    issue.set("code", "too_small");
    issue.set("minimum", 1);
    issue.set("type", kind);
    issue.set("inclusive", true);
    issue.set("exact", false);
    issue.set("message", message);
    issue.set("path", path);
    issue.into()
}

/// A path whose segments the database looks for: letters, digits, hyphens and underscores.
pub(super) fn is_folder_path(path: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '/');
    path.chars().all(is_letter)
}

/// A text in the form of a UUID.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(index, letter)| match index {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_trimmed_as_javascript_trims_and_keep_one_final_newline() {
        for (sent, stored) in [
            ("  lead and trail ", "lead and trail"),
            ("\n\n a\nb \n\n\n", "a\nb\n"),
            ("\u{a0}\u{feff}x\u{a0}", "x"),
            ("a\r\nb\r\n", "a\r\nb\n"),
            ("\n\n", "\n"),
            ("   ", ""),
        ] {
            assert_eq!(stored_value(sent), stored, "{sent:?}");
        }
    }

    #[test]
    fn every_issue_of_a_body_is_told_at_once() {
        let body = Json::parse(br#"{"secretValue": 5, "type": "other"}"#).unwrap();
        let mut fields = Fields::of_body(&body);
        fields.text("environment");
        fields.text("secretValue");
        fields.one_of("type", &["shared", "personal"]);
        assert_eq!(fields.issues.len(), 3);
        assert!(fields.done(Generation::October2024).is_err());
    }
}
