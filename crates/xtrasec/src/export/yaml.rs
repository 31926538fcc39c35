//! A YAML mapping that no reader can take for anything but texts.

use std::fmt::Write;

use xtrasecurity::{SecretValue, Secrets};

use crate::output::is_plain;

/// The secrets as one mapping. Every line is valid JSON as well.
pub(super) fn document(secrets: &Secrets) -> SecretValue {
    if secrets.is_empty() {
        return SecretValue::from("{}\n");
    }
    let mut text = String::new();
    for (name, value) in secrets.iter() {
        quote(name, &mut text);
        text.push_str(": ");
        quote(value.expose(), &mut text);
        text.push('\n');
    }
    SecretValue::new(text)
}

/// Writes a text in double quotes, escaping all that some reader folds, drops or refuses.
fn quote(text: &str, into: &mut String) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            // Those that are not plain are all below U+10000, so four digits do.
            odd if !is_plain(odd) || matches!(odd, '\u{e000}'..='\u{f8ff}' | '\u{fffe}' | '\u{ffff}') => {
                let _ = write!(into, "\\u{:04x}", u32::from(odd));
            }
            plain => into.push(plain),
        }
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_the_basic_plane_and_beyond_reads_back() {
        let nasty: Vec<String> = ('\0'..=char::MAX)
            .filter(|character| u32::from(*character) < 0x1_0100 || u32::from(*character) % 0x101 == 0)
            .map(|character| format!("a{character}b"))
            .collect();
        let all = nasty.concat();
        let texts =
            ["", "yes", "null", "1e3", "- a", "# c", "a: b", " x ", "%TAG", "@", "`", "\u{feff}", "---\n...", &all];
        let secrets = Secrets::from_iter(texts.iter().enumerate().map(|(n, text)| (format!("K{n}: \"x"), *text)));
        let document = document(&secrets);
        assert!(document.expose().chars().all(|character| character == '\n' || !character.is_control()));
        let read: std::collections::BTreeMap<String, String> = document
            .expose()
            .lines()
            .flat_map(|line| serde_json::from_str::<std::collections::BTreeMap<_, _>>(&format!("{{{line}}}")).unwrap())
            .collect();
        assert_eq!(read.len(), texts.len());
        for (name, value) in secrets.iter() {
            assert!(read.get(name).unwrap() == value.expose());
        }
    }

    #[test]
    fn nothing_is_an_empty_mapping() {
        assert_eq!(document(&Secrets::from_iter([] as [(&str, &str); 0])).expose(), "{}\n");
    }
}
