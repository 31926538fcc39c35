//! Lines that a POSIX shell reads.

use xtrasecurity::{SecretValue, Secrets};

/// `export NAME='value'` lines. The names have been checked.
pub(super) fn script(secrets: &Secrets) -> SecretValue {
    let mut text = String::new();
    for (name, value) in secrets.iter() {
        // Between single quotes everything is itself, except the quote.
        text.extend(["export ", name, "='", &value.expose().replace('\'', r"'\''"), "'\n"]);
    }
    SecretValue::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_value_does_not_end_it() {
        let secrets = Secrets::from_iter([("A", "it's $HOME `id`\n\\"), ("B", "")]);
        assert_eq!(script(&secrets).expose(), "export A='it'\\''s $HOME `id`\n\\'\nexport B=''\n");
    }
}
