//! The file and the log commands of GitHub Actions.

use xtrasecurity::{SecretValue, Secrets};

use crate::file::random_word;

/// Log commands that hide every line of every value. The runner takes them from standard output and hides them as well.
pub(super) fn masks(secrets: &Secrets) -> SecretValue {
    let mut text = String::new();
    let lines = secrets.iter().flat_map(|(_, value)| value.expose().split(['\n', '\r']));
    // The runner refuses to hide blanks.
    for line in lines.filter(|line| !line.trim().is_empty()) {
        text.extend(["::add-mask::", &line.replace('%', "%25"), "\n"]);
    }
    SecretValue::new(text)
}

/// The variables, each between lines of a word that no value can hold.
pub(super) fn variables(secrets: &Secrets) -> SecretValue {
    let mut text = String::new();
    for (name, value) in secrets.iter() {
        let end = delimiter(value.expose());
        text.extend([name, "<<", &end, "\n", value.expose(), "\n", &end, "\n"]);
    }
    SecretValue::new(text)
}

fn delimiter(value: &str) -> String {
    loop {
        let word = format!("xtrasec_{}", random_word());
        if !value.contains(&word) {
            return word;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_that_is_not_blank_is_masked_and_percent_signs_survive_the_runner() {
        let secrets = Secrets::from_iter([("A", "one\r\ntwo%0A\n\n  \nthree"), ("B", "")]);
        assert_eq!(masks(&secrets).expose(), "::add-mask::one\n::add-mask::two%250A\n::add-mask::three\n");
    }

    #[test]
    fn each_variable_ends_at_a_word_of_its_own() {
        let secrets = Secrets::from_iter([("A", "x\ny"), ("B", "")]);
        let text = variables(&secrets);
        let lines: Vec<&str> = text.expose().split('\n').collect();
        let [first, "x", "y", first_end, second, "", second_end, ""] = lines[..] else { panic!("{lines:?}") };
        assert_eq!(first, format!("A<<{first_end}"));
        assert_eq!(second, format!("B<<{second_end}"));
        assert_ne!(first_end, second_end);
    }
}
