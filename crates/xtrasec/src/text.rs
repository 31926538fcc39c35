//! Text as it is shown: one line, nothing that a terminal acts on, tables and JSON.

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

/// Whether a character can be shown as it is: no control, no line break, nothing that turns the direction of writing.
pub(crate) fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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

/// A JSON document as it is printed.
pub(crate) fn json(document: &serde_json::Value) -> String {
    format!("{document:#}\n")
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
    fn the_second_column_is_aligned_and_rows_without_one_end_at_once() {
        assert_eq!(table([("A", "1"), ("LONG", "2"), ("B", "")]), "A     1\nLONG  2\nB\n");
    }
}
