//! The example file of a type's settings: a `.env` to fill in, with what each setting is for.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde_json::Value;

use super::Schema;
use super::name_map::{Field, NameMap};
use super::schema_view::SchemaView;
use crate::dotenv::{Assignment, Misread};

/// The settings of a schema as a file to fill in; made by [`example`] or [`Schema::example`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Example {
    dotenv: String,
    dotenv_misreads: Vec<Misread>,
    without_default: Vec<String>,
    json_schema: String,
}

/// The settings of a type as a file to fill in.
///
/// ```
/// use xtrasecurity::schemars::{self, JsonSchema};
///
/// #[derive(JsonSchema)]
/// struct Settings {
///     /// where the database is
///     database_url: String,
///     /// how many connections are kept
///     #[serde(default = "pool")]
///     pool: u8,
/// }
/// # fn pool() -> u8 { 4 }
///
/// let example = xtrasecurity::schema::example::<Settings>();
/// let lines: Vec<_> = example.dotenv().lines().collect();
/// assert_eq!(lines[2..5], ["# where the database is", "# text; required", "DATABASE_URL="]);
/// assert_eq!(lines[7..], ["# integer from 0 to 255; optional; by default 4", "# POOL=4"]);
/// ```
#[must_use]
pub fn example<T: JsonSchema + ?Sized>() -> Example {
    Schema::of::<T>().example()
}

impl Example {
    /// The text of a `.env` file: each setting with what it is for, its type, its allowed values and its default. Required
    /// settings are there to be filled in, optional ones are commented out, structs are taken apart.
    #[must_use]
    pub fn dotenv(&self) -> &str {
        &self.dotenv
    }

    /// The settings whose default in [`dotenv`](Self::dotenv) some reader of `.env` files takes for another value.
    #[must_use]
    pub fn dotenv_misreads(&self) -> &[Misread] {
        &self.dotenv_misreads
    }

    /// The settings whose default [`dotenv`](Self::dotenv) does not give: it has several lines, or no form that is read back
    /// and that a shell does not run.
    #[must_use]
    pub fn without_default(&self) -> &[String] {
        &self.without_default
    }

    /// The JSON Schema, for editors and for [`Schema::from_json`].
    #[must_use]
    pub fn json_schema(&self) -> &str {
        &self.json_schema
    }

    pub(super) fn of(json: &Value) -> Self {
        let name_map = NameMap::of(json);
        let mut writer = Writer { name_map: &name_map, text: String::new(), misreads: Vec::new(), without: Vec::new() };
        let title = json.get("title").and_then(Value::as_str).unwrap_or("Settings");
        comment(&mut writer.text, title);
        if let Some(description) = json.get("description").and_then(Value::as_str) {
            comment(&mut writer.text, description);
        }
        let default = json.get("default");
        writer.children(0, Need { required: true, default });
        let Writer { text, misreads, without, .. } = writer;
        let json_schema = format!("{json:#}\n");
        Self { dotenv: text, dotenv_misreads: misreads, without_default: without, json_schema }
    }
}

/// The text on its way, and what is to be told of it.
struct Writer<'p, 's> {
    name_map: &'p NameMap<'s>,
    text: String,
    misreads: Vec<Misread>,
    without: Vec<String>,
}

/// What the objects around a setting say of it.
#[derive(Clone, Copy)]
struct Need<'s> {
    required: bool,
    default: Option<&'s Value>,
}

impl<'s> Writer<'_, 's> {
    fn children(&mut self, at: usize, need: Need<'s>) {
        let Some(field) = self.name_map.field(at) else { return };
        for child in &field.children {
            self.setting(*child, need);
        }
        if at == 0 && field.view.takes_others() {
            self.text.push('\n');
            comment(&mut self.text, "Other names are taken too.");
        }
    }

    fn setting(&mut self, at: usize, around: Need<'s>) {
        let Some(field) = self.name_map.field(at) else { return };
        let of_parent = around.default.and_then(|default| default.get(field.key));
        let own = field.schemas.iter().find_map(|schema| schema.get("default"));
        let default = own.or(of_parent);
        let required = around.required && field.required && of_parent.is_none();
        if field.is_expanded() {
            // its parts carry its description, once
            if let Some(description) = field.description(self.name_map) {
                self.text.push('\n');
                comment(&mut self.text, &format!("{}: {description}", field.name));
            }
            return self.children(at, Need { required, default });
        }
        self.text.push('\n');
        if let Some(description) = field.description(self.name_map) {
            comment(&mut self.text, description);
        }
        let default = default.filter(|_| !field.view.is_write_only()).and_then(written);
        let facts = self.facts(field, required, around.required && field.required, default.as_deref());
        comment(&mut self.text, &facts);
        self.assignment(&field.name, required, default.as_deref());
    }

    fn assignment(&mut self, name: &str, required: bool, default: Option<&str>) {
        if Assignment::of(name, "").is_none() {
            return comment(&mut self.text, &format!("(a .env file cannot hold the name {name:?})"));
        }
        self.text.push_str(if required { "" } else { "# " });
        let default = default.unwrap_or_default();
        // a default of several lines cannot be commented out in one
        match Assignment::of(name, default).filter(|_| !default.contains('\n')) {
            Some(assignment) if !default.is_empty() => {
                assignment.push_to(&mut self.text);
                self.misreads.extend(assignment.misread());
            }
            Some(_) => self.empty(name),
            None => {
                self.empty(name);
                self.without.push(name.to_owned());
            }
        }
    }

    /// Leaves the value to be filled in.
    fn empty(&mut self, name: &str) {
        let _ = writeln!(self.text, "{name}=");
    }

    fn may_be_required(&self, field: &Field<'s>) -> bool {
        self.name_map.field(field.parent).is_some_and(|parent| parent.view.may_require(field.key))
    }

    /// `integer from 0 to 255; optional; by default 4`
    fn facts(&self, field: &Field<'s>, required: bool, required_here: bool, default: Option<&str>) -> String {
        let mut facts = kind(self.name_map.root(), field);
        if field.view.is_write_only() {
            facts.push_str("; secret");
        }
        facts.push_str(match (required, field.required && !required_here) {
            (true, _) => "; required",
            (false, true) => "; required with the others of its group",
            (false, false) if self.may_be_required(field) => "; required in some forms",
            (false, false) => "; optional",
        });
        if let Some(default) = default.filter(|default| !default.is_empty()) {
            let _ = write!(facts, "; by default {default}");
        }
        facts
    }
}

/// What is to be written for a setting.
fn kind(root: &Value, field: &Field<'_>) -> String {
    let view = &field.view;
    if let Some(choices) = view.choices() {
        let also = if view.allows("object") { ", or JSON" } else { "" };
        return format!("one of {}{also}", choices.join(", "));
    }
    if view.is_duration() {
        return "duration, such as 30s or 1h 30m".to_owned();
    }
    if view.is_open() || view.allows("string") {
        return match view.format() {
            Some("uri") => "URL".to_owned(),
            Some(format) => format!("text ({format})"),
            None => "text".to_owned(),
        };
    }
    if view.allows("integer") || view.allows("number") {
        let name = if view.allows("number") { "number" } else { "integer" };
        // the bounds of a float are no bounds that anybody has in mind
        let bounds = if view.allows("number") { String::new() } else { bounds(view) };
        return format!("{name}{bounds}");
    }
    if view.allows("boolean") {
        return "true or false".to_owned();
    }
    if view.allows("array") {
        let item = SchemaView::of(root, view.item(0));
        let simple = !item.allows("object") && !item.allows("array");
        return if simple { "list, with commas or as JSON" } else { "JSON list" }.to_owned();
    }
    if view.takes_others() {
        return format!("map: JSON here, or {}__NAME for each part", field.name);
    }
    "JSON object".to_owned()
}

fn bounds(view: &SchemaView<'_>) -> String {
    let bound = |keyword: &str| view.leaves().iter().find_map(|leaf| leaf.keyword(keyword));
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" from {least}"),
        (None, Some(most)) => format!(" up to {most}"),
        (None, None) => String::new(),
    }
}

/// A default as the text that a secret would have, when it has one.
fn written(default: &Value) -> Option<String> {
    match default {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A text as comments, whatever is in it.
fn comment(text: &mut String, content: &str) {
    for line in content.trim().lines() {
        // the last two end a line for some readers, and what follows would be an assignment
        let ends_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        let clean: String = line.chars().map(|c| if ends_line(c) { ' ' } else { c }).collect();
        text.push_str(format!("# {clean}").trim_end());
        text.push('\n');
    }
}
