//! Names on the wire and the Rust names they become.

use std::collections::BTreeMap;

/// Words that cannot name an operation or a setter, or that the generated code has taken already.
const TAKEN: &[&str] = &[
    "as",
    "async",
    "await",
    "break",
    "clone",
    "const",
    "continue",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "new",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "type",
    "unsafe",
    "use",
    "where",
    "while",
    "abstract",
    "become",
    "box",
    "do",
    "final",
    "macro",
    "override",
    "priv",
    "try",
    "typeof",
    "unsized",
    "virtual",
    "yield",
    "new_with_client",
    "api_version",
];

pub(super) fn is_taken(name: &str) -> bool {
    TAKEN.contains(&name)
}

/// `<resource>_<verb>`: lower-case words with single underscores, at least two.
pub(super) fn is_operation_name(name: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let is_word =
        |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    words.len() >= 2 && words.iter().all(is_word) && name.starts_with(|first: char| first.is_ascii_lowercase())
}

/// A name as a type's: `Project`, `SecretMap`.
pub(super) fn is_type_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The field or setter that a name on the wire becomes: `projectId`, `project-id` and `project_id` are one.
pub(crate) fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            push_gap(&mut out);
            continue;
        }
        let previous = index.checked_sub(1).and_then(|before| letters.get(before)).copied().unwrap_or('_');
        let next_is_lower = letters.get(index + 1).is_some_and(|next| next.is_lowercase());
        let starts_word = letter.is_uppercase() && (!previous.is_uppercase() || next_is_lower);
        if starts_word {
            push_gap(&mut out);
        }
        out.extend(letter.to_lowercase());
    }
    out.trim_matches('_').to_owned()
}

fn push_gap(out: &mut String) {
    if !out.is_empty() && !out.ends_with('_') {
        out.push('_');
    }
}

/// Pairs of names that become one Rust name.
pub(super) fn collisions<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(&'a str, &'a str, String)> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for name in names {
        let rust = snake(name);
        match seen.get(&rust) {
            Some(first) => found.push((*first, name, rust)),
            None => {
                seen.insert(rust, name);
            }
        }
    }
    found
}
