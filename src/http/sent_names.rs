//! The names in a request, by which a refusal of it can say what it is about. Never its values.

use std::collections::HashSet;

use reqwest::Url;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::json;
use super::json::{Name, Reader, Scalar};

/// A request, as far as it is kept until its answer is there.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sent<'a> {
    pub(crate) url: Option<&'a Url>,
    pub(crate) body: &'a [u8],
}

impl Sent<'_> {
    /// What it has under some names: members of its JSON body, parameters of its query.
    pub(super) fn named(&self, wanted: &[&str]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if wanted.is_empty() {
            return found;
        }
        found.extend(json::whole(self.body, Members(wanted)).into_iter().flatten());
        for (name, value) in self.url.into_iter().flat_map(Url::query_pairs) {
            if wanted.contains(&name.as_ref()) {
                found.push((name.into_owned(), value.into_owned()));
            }
        }
        found
    }

    /// The names of all members of its JSON body, at any depth: those of secrets are among them, their values are not.
    pub(super) fn member_names(&self) -> HashSet<String> {
        let mut names = HashSet::new();
        json::whole(self.body, Names(&mut names));
        names
    }
}

/// Texts and numbers under some names of an object.
struct Members<'a>(&'a [&'a str]);

impl<'de> Reader<'de> for Members<'_> {
    type Value = Vec<(String, String)>;

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(Name(name)) = members.next_key()? {
            if !self.0.contains(&name.as_ref()) {
                members.next_value::<IgnoredAny>()?;
            } else if let Some(value) = json::next(&mut members, Scalar)? {
                found.push((name.into_owned(), value));
            }
        }
        Ok(found)
    }
}

/// Adds the names of the members of whatever comes.
struct Names<'a>(&'a mut HashSet<String>);

impl<'de> Reader<'de> for Names<'_> {
    type Value = ();

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = members.next_key()? {
            self.0.insert(name.into_owned());
            json::next(&mut members, Names(self.0))?;
        }
        Ok(())
    }

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while json::next_item(&mut items, Names(self.0))?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] =
        br#"{"secrets":{"A":"one","B\u00e9":"two"},"branch":"dev","count":3,"list":[{"C":{"D":null}}]}"#;

    #[test]
    fn the_names_of_the_body_are_found_at_any_depth_and_no_value_is() {
        let mut names: Vec<_> = Sent { url: None, body: BODY }.member_names().into_iter().collect();
        names.sort_unstable();
        assert_eq!(names, ["A", "Bé", "C", "D", "branch", "count", "list", "secrets"]);
        assert!(Sent::default().member_names().is_empty());
        assert!(Sent { url: None, body: b"{\"a\"" }.member_names().contains("a"));
    }

    #[test]
    fn only_what_is_wanted_is_taken_from_the_body_and_the_query() {
        let url = Url::parse("https://x.example/api?branch=main&env=a%20b&token=no").unwrap();
        let found = Sent { url: Some(&url), body: BODY }.named(&["branch", "env", "count", "secrets"]);
        let text: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(text, [("branch", "dev"), ("count", "3"), ("branch", "main"), ("env", "a b")]);
        assert!(Sent { url: Some(&url), body: BODY }.named(&[]).is_empty());
    }
}
