//! JSON values with JavaScript's member order and coercions, for services that are written in JavaScript.
//!
//! There the order of an object's members shows on the wire: integer-like names first, in ascending order, then the rest as
//! they were inserted. A bulk write that fails half way has written the keys before the bad one *in that order*, so requests
//! need it as much as answers do.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A JSON value. It has no `Debug`: it carries secrets.
#[derive(Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Json>),
    Object(Members),
}

/// From so many members on they are found through a map.
const MANY: usize = 16;

/// The members of an object, in JavaScript's order.
#[derive(Clone, Default)]
pub(crate) struct Members {
    /// Those whose names are array indices.
    indexed: BTreeMap<u32, (String, Json)>,
    named: Vec<(String, Json)>,
    /// The positions of the named ones; empty while they are few.
    positions: HashMap<String, usize>,
}

/// `Some` for the names that JavaScript treats as array indices.
fn index_of(name: &str) -> Option<u32> {
    let index: u32 = name.parse().ok()?;
    (index != u32::MAX && index.to_string() == name).then_some(index)
}

impl Members {
    /// Sets a member. One that exists keeps its place.
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<Json>) {
        let (name, value) = (name.into(), value.into());
        if let Some(index) = index_of(&name) {
            self.indexed.insert(index, (name, value));
            return;
        }
        if let Some((_, old)) = self.position_of(&name).and_then(|position| self.named.get_mut(position)) {
            *old = value;
            return;
        }
        self.named.push((name, value));
        self.index_new_members();
    }

    /// Keeps the map up with a member that was added.
    fn index_new_members(&mut self) {
        if self.named.len() < MANY {
            return;
        }
        let known = self.positions.len();
        for (position, (name, _)) in self.named.iter().enumerate().skip(known) {
            self.positions.insert(name.clone(), position);
        }
    }

    fn position_of(&self, name: &str) -> Option<usize> {
        if self.positions.is_empty() {
            return self.named.iter().position(|(known, _)| known == name);
        }
        self.positions.get(name).copied()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        if let Some(index) = index_of(name) {
            return self.indexed.get(&index).map(|(_, value)| value);
        }
        self.named.get(self.position_of(name)?).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, name: &str) {
        if let Some(index) = index_of(name) {
            self.indexed.remove(&index);
            return;
        }
        let Some(position) = self.position_of(name) else {
            return;
        };
        self.named.remove(position);
        self.positions.clear();
        self.index_new_members();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        let all = self.indexed.values().chain(&self.named);
        all.map(|(name, value)| (name.as_str(), value))
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.indexed == other.indexed && self.named == other.named
    }
}

/// The text of what every object in JavaScript has by this name without having been given it; nothing for other names.
pub(crate) fn inherited(name: &str) -> Option<String> {
    let function = match name {
        // What every other object inherits from.
        "__proto__" => return Some("[object Object]".to_owned()),
        "constructor" => "Object",
        "__defineGetter__"
        | "__defineSetter__"
        | "__lookupGetter__"
        | "__lookupSetter__"
        | "hasOwnProperty"
        | "isPrototypeOf"
        | "propertyIsEnumerable"
        | "toLocaleString"
        | "toString"
        | "valueOf" => name,
        _ => return None,
    };
    Some(format!("function {function}() {{ [native code] }}"))
}

impl Json {
    /// A member of an object; nothing for any other value.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.get(name),
            _ => None,
        }
    }

    /// A count as a number.
    pub(crate) fn count(of: usize) -> Json {
        Json::Number(of.into())
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A member that is a non-empty string: what JavaScript's `body.name || …` finds.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Json::text).filter(|text| !text.is_empty())
    }

    /// A member that is a list, as the texts in it.
    pub(crate) fn texts_of(&self, name: &str) -> Option<Vec<String>> {
        match self.get(name)? {
            Json::List(items) => Some(items.iter().filter_map(Json::text).map(str::to_owned).collect()),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Json::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// A number, or a text that begins like one, cut to a whole number.
    pub(crate) fn whole(&self) -> Option<i64> {
        match self {
            #[allow(clippy::cast_possible_truncation, reason = "a number that is too large becomes the largest")]
            Json::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
            Json::Text(text) => {
                let text = text.trim_start();
                let end = text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len());
                text.get(..end)?.parse().ok()
            }
            _ => None,
        }
    }

    /// JavaScript's truth value.
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Json::Null => false,
            Json::Bool(value) => *value,
            Json::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
            Json::Text(text) => !text.is_empty(),
            Json::List(_) | Json::Object(_) => true,
        }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Json> {
        serde_json::from_slice(bytes).ok()
    }

    pub(crate) fn to_text(&self) -> String {
        // Serializing a tree of strings and numbers into memory has no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A new UUID of version 4, as `crypto.randomUUID` makes them.
#[allow(dead_code, reason = "services call it, and there may be none")]
pub(crate) fn random_uuid() -> String {
    let bits =
        (fastrand::u128(..) & !(0xf000_u128 << 64) & !(0xc000_u128 << 48)) | (0x4000_u128 << 64) | (0x8000_u128 << 48);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// An object from its members.
pub(crate) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    let mut object = Members::default();
    for (name, value) in members {
        object.set(name, value);
    }
    Json::Object(object)
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Json::Text(text.to_owned())
    }
}

impl From<&String> for Json {
    fn from(text: &String) -> Self {
        Json::Text(text.clone())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Json::Text(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Json::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Json::Number(value.into())
    }
}

impl From<Members> for Json {
    fn from(members: Members) -> Self {
        Json::Object(members)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Self {
        Json::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Json::Null, Into::into)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(number) => number.serialize(serializer),
            Json::Text(text) => serializer.serialize_str(text),
            Json::List(items) => serializer.collect_seq(items),
            Json::Object(members) => members.serialize(serializer),
        }
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Object(members) => Ok(members),
            _ => Err(D::Error::custom("this is no object")),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut members = Members::default();
        while let Some((name, value)) = entries.next_entry::<String, Json>()? {
            members.set(name, value);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_the_order_of_javascript_however_many_they_are() {
        let mut members = Members::default();
        for name in (0..40).rev() {
            members.set(format!("name-{name}"), i64::from(name));
            members.set(name.to_string(), "index");
        }
        members.set("name-39", "changed");
        members.remove("name-38");
        members.remove("7");
        let names: Vec<&str> = members.iter().map(|(name, _)| name).collect();
        assert_eq!(names.get(..8), Some(&["0", "1", "2", "3", "4", "5", "6", "8"][..]));
        assert_eq!(names.get(39..41), Some(&["name-39", "name-37"][..]), "the first named ones");
        assert!(members.get("name-39") == Some(&"changed".into()) && members.get("name-38").is_none());
        assert!(members.get("name-0") == Some(&0_i64.into()), "found after others were removed");
    }
}
