//! Text as it is shown: one line, nothing that a terminal acts on, tables and JSON.

use zeroize::Zeroizing;

/// A text as one line without anything that a terminal would act on.
pub(crate) fn one_line(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !folded.is_empty() {
            folded.push_str(if folded.ends_with([':', ';', ',', '.']) { " " } else { "; " });
        }
        folded.push_str(line);
    }
    printable(&folded)
}

/// A text with everything escaped that a terminal would act on: names and messages come from elsewhere.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

/// Whether a character can be shown as it is: no control, no line break, nothing that turns the direction of writing or
/// that nobody sees.
pub(crate) fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A text of several lines with everything else escaped that a terminal would act on; `None` when there is nothing to escape.
pub(crate) fn printable_lines(text: &str) -> Option<String> {
    let is_fit = |character: char| is_plain(character) || matches!(character, '\n' | '\t');
    if text.chars().all(is_fit) {
        return None;
    }
    let mut shown = String::with_capacity(text.len() + 64);
    for character in text.chars() {
        if is_fit(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    Some(shown)
}

/// Rows with the second column aligned. An empty cell ends the row.
pub(crate) fn table<'t>(rows: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
    let rows: Vec<_> = rows.into_iter().map(|(left, right)| (printable(left), printable(right))).collect();
    let width = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for (left, right) in rows {
        text.push_str(&left);
        if !right.is_empty() {
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(left.chars().count()) + 2));
            text.push_str(&right);
        }
        text.push('\n');
    }
    text
}

/// A JSON document as it is printed: the same document, with everything escaped that a terminal would act on.
pub(crate) fn json(document: &serde_json::Value) -> String {
    let mut text = format!("{document:#}\n");
    let is_fit = |character: char| is_plain(character) || character == '\n';
    if !text.chars().all(is_fit) {
        // only texts have such characters, so that an escape is right wherever one stands
        let plain = Zeroizing::new(text);
        text = String::with_capacity(plain.len() * 2);
        for character in plain.chars() {
            if is_fit(character) {
                text.push(character);
            } else {
                text.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
            }
        }
    }
    text
}

/// Names for a message: all of a few, the first ten of many.
pub(crate) fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    const SHOWN: usize = 10;
    let mut names = names.into_iter();
    let shown: Vec<String> = names.by_ref().take(SHOWN).map(|name| format!("\"{}\"", printable(name))).collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Every name, for a message that must leave none out.
pub(crate) fn all_quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{}\"", printable(name))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_many_lines_becomes_one_without_anything_that_a_terminal_acts_on() {
        assert_eq!(one_line("two names are missing:\n  - A\n  - B\n"), "two names are missing: - A; - B");
        assert_eq!(one_line("a\u{1b}[31mred\r\nb\u{202e}c"), "a\\u{1b}[31mred; b\\u{202e}c");
        assert_eq!(one_line("\n\n"), "");
    }

    #[test]
    fn a_document_is_the_same_and_has_nothing_that_a_terminal_acts_on() {
        let text: String = (0..=0x10ffff_u32).filter_map(char::from_u32).filter(|c| !c.is_alphanumeric()).collect();
        let document = serde_json::json!({ text.clone(): [text], "plain": "héllo 🚀" });
        let written = json(&document);
        assert!(written.chars().all(|character| character == '\n' || is_plain(character)));
        assert!(written.contains("\\u202e") && written.contains("\\u009b") && written.contains("héllo 🚀"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), document);
    }

    #[test]
    fn lines_stay_lines_and_what_a_terminal_acts_on_is_escaped() {
        assert_eq!(printable_lines("a\n\tb é\n"), None);
        assert_eq!(printable_lines("a\r\n\u{9b}31m\u{202e}b").as_deref(), Some("a\\r\n\\u{9b}31m\\u{202e}b"));
        assert!(["\u{61c}", "\u{2066}", "\u{e0041}"].iter().all(|odd| printable_lines(odd).is_some()));
    }

    #[test]
    fn the_second_column_is_aligned_and_rows_without_one_end_at_once() {
        assert_eq!(table([("A", "1"), ("LONG", "2"), ("B", "")]), "A     1\nLONG  2\nB\n");
    }
}
