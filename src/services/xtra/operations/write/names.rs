//! The check of names and values before a write: of all of them, before anything is sent. The service
//! stops half-way at what it cannot take, and keeps what stood before it.

use std::collections::BTreeSet;
use std::fmt;

use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::services::xtra::envelope::Reading;
use crate::services::xtra::{envelope, shown_name};

/// The longest name.
const LONGEST_NAME: usize = 256;

/// The longest value, as it is written in a request: the service cuts what is over 10 MiB.
const LONGEST_VALUE: usize = 10_000_000;

/// How many names, or problems, a message tells.
pub(crate) const SHOWN: usize = 10;

/// The names that every object of JavaScript inherits. The service looks the expected version of a name up in an object, finds
/// a function there, and refuses to change the secret unless it is sent the version that it has.
const INHERITED: [&str; 11] = [
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
];

/// Whether the service takes a name for a condition that nobody has set. `__proto__`, the twelfth, is refused.
pub(crate) fn is_inherited(name: &str) -> bool {
    INHERITED.contains(&name)
}

/// Which names are allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Letters of ASCII, digits, `_`, `.` and `-`.
    #[default]
    Portable,
    /// Whatever the service can keep.
    Any,
}

/// Checks everything that is to be written, and names all that cannot be. Values that are to be sealed may look like
/// anything.
pub(crate) fn check_pairs(
    pairs: &[(String, SecretValue)],
    naming: Naming,
    to_be_sealed: bool,
) -> Result<(), XtraError> {
    let problems = problems(pairs, naming, to_be_sealed);
    if problems.is_empty() {
        return Ok(());
    }
    let is_odd = problems.iter().any(|problem| is_merely_odd(&problem.name, naming));
    let mut told: Vec<_> = problems.iter().take(SHOWN).map(NameProblem::to_string).collect();
    if problems.len() > SHOWN {
        told.push(format!("and {} more", problems.len() - SHOWN));
    }
    let message = format!("nothing was sent, because these secrets cannot be written: {}", told.join("; "));
    let error =
        XtraError::new(ErrorKind::Invalid, message).with_names(problems.into_iter().map(|problem| problem.name));
    Err(if is_odd { error.with_hint(Hint::AllowAnyName) } else { error })
}

/// Everything that cannot be written.
pub(crate) fn problems(pairs: &[(String, SecretValue)], naming: Naming, to_be_sealed: bool) -> Vec<NameProblem> {
    let mut seen = BTreeSet::new();
    let problem = |(name, value): &(String, SecretValue)| {
        let problem = match seen.insert(name.clone()) {
            false => "is given twice".to_owned(),
            true => name_problem(name, naming).or_else(|| value_problem(value, to_be_sealed))?,
        };
        Some(NameProblem { name: name.clone(), problem })
    };
    pairs.iter().filter_map(problem).collect()
}

/// Why a secret cannot be written. Displayed, it is the name and the problem. It holds no value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameProblem {
    /// The secret's name.
    pub name: String,
    /// What is wrong, to follow the name.
    pub problem: String,
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", shown_name(&self.name), self.problem)
    }
}

/// Checks one name.
pub(crate) fn check_name(name: &str, naming: Naming) -> Result<(), XtraError> {
    match name_problem(name, naming) {
        None => Ok(()),
        Some(problem) => {
            let message = format!("the secret {} {problem}", shown_name(name));
            let error = XtraError::new(ErrorKind::Invalid, message).with_names([name]);
            Err(if is_merely_odd(name, naming) { error.with_hint(Hint::AllowAnyName) } else { error })
        }
    }
}

/// Whether what is wrong with a name, if anything is, may be allowed.
fn is_merely_odd(name: &str, naming: Naming) -> bool {
    name_problem(name, naming).is_some() && name_problem(name, Naming::Any).is_none()
}

/// To look at the rows of a secret, by its name when that may be shown.
pub(crate) fn repair(key: &str) -> Hint {
    match shown_name(key) == format!("{key:?}") {
        true => Hint::Repair { name: key.to_owned() },
        false => Hint::Use { call: "repair_secret", purpose: "see its rows" },
    }
}

/// The same for the first of several.
pub(crate) fn repair_first(keys: &[String]) -> Option<Hint> {
    keys.first().map(|key| repair(key))
}

fn name_problem(name: &str, naming: Naming) -> Option<String> {
    let problem = match name {
        "" => "is no name: it is empty",
        "branch" => "cannot be written: the service takes a secret of this name for the branch to write to",
        "__proto__" => "cannot be written: the service loses a secret of this name on every read",
        "." | ".." => "cannot be written: it would change the address that is asked",
        _ if naming == Naming::Any => return None,
        _ if name.len() > LONGEST_NAME => "is longer than 256 characters",
        _ if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) => {
            "has other characters than letters, digits, _ . and -, which not every tool can use"
        }
        _ => return None,
    };
    Some(problem.to_owned())
}

fn value_problem(value: &SecretValue, to_be_sealed: bool) -> Option<String> {
    let length = match to_be_sealed {
        true => envelope::sealed_length(value.len()),
        false => json_length(value.expose()),
    };
    if length > LONGEST_VALUE {
        return Some(
            "has a value that is too long: the service takes 10 MB at most, and half of that sealed".to_owned(),
        );
    }
    if to_be_sealed || envelope::read(value.expose()) == Reading::Plain {
        return None;
    }
    Some(
        "has a value that the service uses in the place of one that it does not show (a mask, or ciphertext): it could not \
         be read back"
            .to_owned(),
    )
}

/// Names for a message: all of a few, the first ten of many.
pub(crate) fn named(names: &[String]) -> String {
    let mut told: Vec<_> = names.iter().take(SHOWN).map(|name| shown_name(name)).collect();
    if names.len() > SHOWN {
        told.push(format!("{} more", names.len() - SHOWN));
    }
    told.join(", ")
}

/// A version for a message. It is a small decimal number; what the service sends in place of one is not shown.
pub(crate) fn shown_version(version: &str) -> &str {
    match (1..8).contains(&version.len()) && version.bytes().all(|byte| byte.is_ascii_digit()) {
        true => version,
        false => "(no number)",
    }
}

/// The length of a text in a request.
pub(crate) fn json_length(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    2 + text.bytes().map(escaped).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(pairs: &[(&str, &str)], naming: Naming) -> Vec<String> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), SecretValue::from(*value))).collect();
        check_pairs(&pairs, naming, false).map_or_else(|error| error.names().to_vec(), |()| Vec::new())
    }

    #[test]
    fn portable_names_are_taken_and_others_only_when_that_is_said() {
        let long = "x".repeat(257);
        let odd = [("weird/key name", "v"), ("ü", "v"), (long.as_str(), "v")];
        assert_eq!(problems(&odd, Naming::Portable).len(), 3);
        assert_eq!(problems(&odd, Naming::Any), Vec::<String>::new());
        assert_eq!(problems(&[("A.b-c_9", "v"), (&"x".repeat(256), "v")], Naming::Portable), Vec::<String>::new());
    }

    #[test]
    fn names_that_the_service_misreads_are_never_taken() {
        for name in ["", "branch", "__proto__", ".", ".."] {
            assert_eq!(problems(&[(name, "v")], Naming::Any), [name]);
        }
    }

    #[test]
    fn every_problem_is_told_at_once_and_no_value_is() {
        let pairs = [("A", "***"), ("branch", "canary-1"), ("B", "fine"), ("B", "canary-2"), ("a b", "canary-3")];
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), SecretValue::from(*value))).collect();
        let error = check_pairs(&pairs, Naming::Portable, false).unwrap_err();
        assert_eq!(
            (error.kind(), error.names()),
            (ErrorKind::Invalid, &["A", "branch", "B", "a b"].map(str::to_owned)[..])
        );
        assert!(!format!("{error} {error:?}").contains("canary"));
    }

    #[test]
    fn a_value_that_could_not_be_read_back_is_refused_unless_it_is_sealed() {
        let at_rest =
            r#"{"iv":"4c240da705bc9e8f76cf9407","encryptedData":"","authTag":"05b3f30d459a7d4b73de3b6603bc3d55"}"#;
        for value in ["***", "[REDACTED]", "[Decryption failed]", at_rest] {
            let pair = [("A".to_owned(), SecretValue::from(value))];
            assert!(check_pairs(&pair, Naming::Portable, false).is_err(), "{value}");
            assert!(check_pairs(&pair, Naming::Portable, true).is_ok(), "{value}");
        }
    }

    #[test]
    fn a_value_that_the_service_would_cut_is_refused() {
        let pair = |length| [("A".to_owned(), SecretValue::from("\"".repeat(length)))];
        assert!(check_pairs(&pair(4_999_999), Naming::Portable, false).is_ok());
        assert!(check_pairs(&pair(5_000_000), Naming::Portable, false).is_err());
    }

    #[test]
    fn a_value_is_refused_that_the_service_would_cut_once_it_is_sealed() {
        let pair = |length| [("A".to_owned(), SecretValue::from("x".repeat(length)))];
        assert!(check_pairs(&pair(6_000_000), Naming::Portable, false).is_ok());
        assert!(check_pairs(&pair(6_000_000), Naming::Portable, true).is_err());
        assert!(check_pairs(&pair(4_900_000), Naming::Portable, true).is_ok());
    }

    #[test]
    fn the_length_in_a_request_is_that_of_its_json() {
        for text in ["", "plain", "\"\\\n\r\t\u{8}\u{c}\u{1}\u{1f}", "ü€𝄞\u{7f}\u{2028}"] {
            assert_eq!(json_length(text), serde_json::to_string(text).unwrap().len(), "{text:?}");
        }
    }
}
