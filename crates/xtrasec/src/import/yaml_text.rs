//! What stands in a YAML file without quotes, and is a text for every reader.

/// Whether no reader, of YAML 1.1 or 1.2, takes these characters for anything but text.
pub(super) fn is_text_for_all(plain: &str) -> bool {
    !(is_word(plain) || is_number(plain) || is_sexagesimal(plain) || is_date(plain))
}

/// Nothing, yes or no, and the words with a meaning of their own.
fn is_word(plain: &str) -> bool {
    const WORDS: [&str; 18] = [
        "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "=", "<<", ".inf", "+.inf", "-.inf",
        ".nan", "nil",
    ];
    WORDS.iter().any(|word| plain.eq_ignore_ascii_case(word))
}

fn is_number(plain: &str) -> bool {
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let of = |prefix: &str, allowed: fn(&char) -> bool| {
        let rest = digits.strip_prefix(prefix).or_else(|| digits.strip_prefix(&prefix.to_ascii_uppercase()));
        rest.is_some_and(|rest| rest.chars().all(|character| character == '_' || allowed(&character)))
    };
    of("0x", char::is_ascii_hexdigit)
        || of("0o", char::is_ascii_digit)
        || of("0b", char::is_ascii_digit)
        || is_decimal(digits)
}

/// Digits with at most one point and one exponent. Some readers allow `_` and `,` between them.
fn is_decimal(digits: &str) -> bool {
    let (digits, exponent) = match digits.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (digits, None),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.chars().all(|character| character.is_ascii_digit() || matches!(character, '_' | ','));
    plain(whole)
        && plain(part)
        && digits.contains(|character: char| character.is_ascii_digit())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && plain(exponent))
}

/// `1:30:00`, which YAML 1.1 counts in sixties.
fn is_sexagesimal(plain: &str) -> bool {
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let mut parts = digits.split(':');
    let first = parts.next().unwrap_or_default();
    let mut more = parts.peekable();
    more.peek().is_some()
        && is_decimal(first)
        && more.all(|part| part.split('.').next().is_some_and(|whole| whole.len() <= 2) && is_decimal(part))
}

/// `2024-01-31`, with or without a time behind it.
fn is_date(plain: &str) -> bool {
    let mut parts = plain.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let day = rest.find(|character: char| !character.is_ascii_digit()).map_or(rest, |end| rest.split_at(end).0);
    let behind = rest.strip_prefix(day).unwrap_or_default();
    number(year)
        && year.len() == 4
        && number(month)
        && month.len() <= 2
        && number(day)
        && day.len() <= 2
        && (behind.is_empty() || behind.starts_with(['T', 't', ' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_reader_converts_is_no_text() {
        for plain in [
            "",
            "~",
            "null",
            "Null",
            "NULL",
            "true",
            "False",
            "YES",
            "no",
            "On",
            "off",
            "y",
            "N",
            "=",
            "<<",
            ".inf",
            "-.Inf",
            ".NaN",
            "0",
            "5432",
            "-1",
            "+1",
            "007",
            "0o17",
            "0x1F",
            "0b101",
            "1_000",
            "1,000",
            "1.5",
            ".5",
            "1.",
            "1e3",
            "1E-3",
            "6.02e+23",
            "12e03",
            "1:30",
            "190:20:30",
            "20:30.15",
            "2024-01-31",
            "2024-1-3",
            "2024-01-31T10:00:00Z",
            "2001-12-14 21:59:43.10 -5",
        ] {
            assert!(!is_text_for_all(plain), "{plain}");
        }
    }

    #[test]
    fn what_everybody_reads_as_text_needs_no_quotes() {
        for plain in [
            "a",
            "debug",
            "nope",
            "yes sir",
            "10.0.0.1",
            "1.2.3",
            "5432/tcp",
            "0xyz",
            "deadbeef",
            "e5",
            ".",
            "+",
            "-x",
            "1a",
            "12:34:56:78:9a:bc",
            "localhost:5432",
            "1e",
            "2024-01",
            "2024-01-31-rc1",
            "555-12-1234",
            "v1",
            "https://h:80/p?q=1",
            "1:999",
            "==",
            "...x",
        ] {
            assert!(is_text_for_all(plain), "{plain}");
        }
    }
}
