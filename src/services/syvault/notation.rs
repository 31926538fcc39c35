//! Notations: the name of one field of a secret, as `sy://Folder/Title/field/name`.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::core::{ErrorKind, Hint, XtraError, shown_name};

const SCHEME: &str = "sy://";
const FIELD: &str = "field";

/// The longest notation that is looked at, in bytes.
const LONGEST: usize = 2048;

/// Selectors of a product that notations resemble. Whether SyVault has them is not documented.
const NOT_SUPPORTED: &[&str] = &["custom_field", "file", "title", "notes", "type"];

/// The name of one field of a secret: `sy://Production/Database/field/password`.
///
/// Documented is this one form: folder, title, the word `field`, the field's name. What follows from no page, and is this crate's
/// own:
///
/// - it is read from its end, and every part before the title is a folder, the outermost first: folders nest;
/// - each part is percent-decoded, so that a `/` in a title is `%2F`, a `%` is `%25`; `?` and `#` are written so too;
/// - names are compared letter by letter, in their case; that two secrets have one name is an error, which names both;
/// - other words than `field`, and `[…]` behind the name, are refused.
///
/// ```
/// use xtrasecurity::syvault::Notation;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let notation = Notation::parse("sy://Production/Web%2FAPI/field/password")?;
/// assert_eq!(notation.folder(), ["Production"]);
/// assert_eq!((notation.title(), notation.field()), ("Web/API", "password"));
/// assert_eq!(notation.to_string(), "sy://Production/Web%2FAPI/field/password");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Notation {
    folder: Vec<String>,
    title: String,
    field: String,
}

impl Notation {
    /// Reads a notation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`], which says which part is wrong. Nothing is shown of a text that is no notation.
    pub fn parse(text: &str) -> Result<Self, XtraError> {
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| wrong("it does not begin with sy://"))?;
        if rest.len() > LONGEST {
            return Err(wrong("it is longer than 2,048 characters"));
        }
        if rest.contains(['?', '#']) {
            return Err(wrong("it has a ? or #, which are written as %3F and %23"));
        }
        let parts: Vec<&str> = rest.split('/').collect();
        let [folder @ .., title, selector, name] = parts.as_slice() else {
            return Err(wrong("it has fewer than four parts"));
        };
        if folder.is_empty() {
            return Err(wrong("it has fewer than four parts"));
        }
        match *selector {
            FIELD => {}
            "" => return Err(wrong("the part before the name is empty, where the word field is expected")),
            known if NOT_SUPPORTED.contains(&known) => {
                return Err(wrong(format!("the word {known} in the place of field is not supported")));
            }
            other => {
                let shown = shown_name(other, |_| false);
                return Err(wrong(format!("the part before the name is {shown}, where the word field is expected")));
            }
        }
        if name.contains(['[', ']']) {
            return Err(wrong("a part of a field, in brackets, is not supported; a bracket in a name is %5B or %5D"));
        }
        let folder = folder.iter().map(|part| decoded("a folder", part)).collect::<Result<_, _>>()?;
        Ok(Self { folder, title: decoded("the title", title)?, field: decoded("the name", name)? })
    }

    /// The folders, the outermost first; one at least.
    #[must_use]
    pub fn folder(&self) -> &[String] {
        &self.folder
    }

    /// The title of the secret.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The name of the field.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }
}

fn decoded(what: &str, part: &str) -> Result<String, XtraError> {
    if part.is_empty() {
        return Err(wrong(format!("{what} is empty")));
    }
    let digits = part
        .split('%')
        .skip(1)
        .all(|rest| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    if !digits {
        return Err(wrong(format!("{what} has a % without two hexadecimal digits; a % itself is %25")));
    }
    let text = percent_decode_str(part).decode_utf8().map_err(|_| wrong(format!("{what} is no UTF-8 text")))?;
    if text.chars().any(char::is_control) {
        return Err(wrong(format!("{what} has a control character")));
    }
    Ok(text.into_owned())
}

fn wrong(why: impl fmt::Display) -> XtraError {
    XtraError::new(ErrorKind::Invalid, format!("the notation cannot be read: {why}"))
        .with_hint(Hint::advice("Write it as sy://Folder/Title/field/name"))
}

impl fmt::Display for Notation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sy:/")?;
        let parts = self.folder.iter().map(String::as_str).chain([self.title.as_str(), FIELD, &self.field]);
        for part in parts {
            f.write_str("/")?;
            for letter in part.chars() {
                match letter {
                    '/' | '%' | '?' | '#' | '[' | ']' => write!(f, "%{:02X}", u32::from(letter))?,
                    other => write!(f, "{other}")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_notation_is_read_as_it_was_written(folder in proptest::collection::vec("[^\\pC]{1,6}", 1..4), title in "[^\\pC]{1,8}", field in "[^\\pC]{1,8}") {
            let notation = Notation { folder, title, field };
            prop_assert_eq!(Notation::parse(&notation.to_string()).unwrap(), notation);
        }

        #[test]
        fn no_text_is_read_in_two_ways(text in "(sy://)?[a-z%/\\[\\]2F?#]{0,40}(field)?[/a%]{0,6}") {
            if let Ok(notation) = Notation::parse(&text) {
                prop_assert_eq!(Notation::parse(&notation.to_string()).unwrap(), notation);
            }
        }
    }

    #[test]
    fn the_documented_example_is_read() {
        let notation = Notation::parse("sy://Production/Database/field/password").unwrap();
        assert_eq!(notation.folder(), ["Production"]);
        assert_eq!((notation.title(), notation.field()), ("Database", "password"));
    }

    #[test]
    fn every_part_before_the_title_is_a_folder_and_each_is_decoded_after_it_is_split() {
        for (text, folder, title, field) in [
            ("sy://A/B/C/T/field/f", &["A", "B", "C"][..], "T", "f"),
            ("sy://A/field/field/field", &["A"], "field", "field"),
            ("sy://field/field/field/T/field/f", &["field", "field", "field"], "T", "f"),
            ("sy://Gr%C3%B6%C3%9Fe/a%2Fb/field/50%25%5B0%5D", &["Größe"], "a/b", "50%[0]"),
            ("sy://My Folder/My Title/field/user name", &["My Folder"], "My Title", "user name"),
            ("sy://a%2fb/%252F/field/%3F%23", &["a/b"], "%2F", "?#"),
        ] {
            let notation = Notation::parse(text).unwrap();
            assert_eq!(notation.folder(), folder, "{text}");
            assert_eq!((notation.title(), notation.field()), (title, field), "{text}");
            assert_eq!(Notation::parse(&notation.to_string()).unwrap(), notation, "{text}");
        }
    }

    #[test]
    fn each_part_that_is_wrong_is_told() {
        for (text, why) in [
            ("", "begin with sy://"),
            ("Production/Database/field/password", "begin with sy://"),
            ("SY://Production/Database/field/password", "begin with sy://"),
            ("sy:/Production/Database/field/password", "begin with sy://"),
            (" sy://Production/Database/field/password", "begin with sy://"),
            ("sy://", "fewer than four parts"),
            ("sy://password", "fewer than four parts"),
            ("sy://Database/field/password", "fewer than four parts"),
            ("sy:///Database/field/password", "a folder is empty"),
            ("sy://Production//Database/field/password", "a folder is empty"),
            ("sy://Production//field/password", "the title is empty"),
            ("sy://Production/Database//password", "part before the name is empty"),
            ("sy://Production/Database/field/", "the name is empty"),
            ("sy://Production/Database/field/password/", "is \"password\", where the word field"),
            ("sy://Production/Database/Field/password", "is \"Field\", where the word field"),
            ("sy://Production/Database/fi%65ld/password", "where the word field"),
            ("sy://Production/Database/custom_field/password", "custom_field in the place of field is not supported"),
            ("sy://Production/Database/file/id.pem", "file in the place of field is not supported"),
            ("sy://Production/Database/notes/x", "notes in the place of field is not supported"),
            ("sy://Production/Database/field/phone[0][number]", "in brackets, is not supported"),
            ("sy://Prod%/Database/field/password", "a folder has a % without"),
            ("sy://Production/Data%2base%/field/password", "the title has a % without"),
            ("sy://Production/Database/field/pass%zzword", "the name has a % without"),
            ("sy://Production/Database/field/p%C3", "the name is no UTF-8"),
            ("sy://Production/Data%00base/field/p", "the title has a control character"),
            ("sy://Production/Database/field/p?x=1", "a ? or #"),
            ("sy://Production/Database/field/p#x", "a ? or #"),
            (&format!("sy://{}", "a/".repeat(2048)), "longer than"),
        ] {
            let error = Notation::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(why), "{text}: {error}");
        }
        let error = Notation::parse("postgres://app:hunter2@db/app").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
