//! Names of properties as names of secrets.

/// `databaseUrl`, `database-url` and `database_url` as `DATABASE_URL`. A name that is written so already stays.
pub(super) fn screaming(property: &str) -> String {
    let characters: Vec<char> = property.chars().collect();
    let mut name = String::with_capacity(property.len() + 4);
    for (at, &character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let after = characters.get(at + 1);
        if starts_word(before, character, after) {
            name.push('_');
        }
        if character.is_alphanumeric() {
            name.extend(character.to_uppercase());
        } else {
            name.push('_');
        }
    }
    name
}

/// `aB` and the `S` of `HTTPServer` start a word.
fn starts_word(before: Option<&char>, character: char, after: Option<&char>) -> bool {
    let Some(before) = before else { return false };
    character.is_uppercase()
        && (before.is_lowercase()
            || before.is_numeric() && after.is_some_and(|after| after.is_lowercase())
            || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
}

/// A name as messages show it: as it is, or quoted when it would not read as one word.
pub(super) fn shown(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '"');
    if plain { name.to_owned() } else { format!("{name:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_of_every_style_read_as_one_name() {
        for (property, name) in [
            ("database_url", "DATABASE_URL"),
            ("databaseUrl", "DATABASE_URL"),
            ("database-url", "DATABASE_URL"),
            ("database.url", "DATABASE_URL"),
            ("DatabaseURL", "DATABASE_URL"),
            ("DATABASE_URL", "DATABASE_URL"),
            ("HTTPServer", "HTTP_SERVER"),
            ("s3Bucket", "S3_BUCKET"),
            ("http2", "HTTP2"),
            ("port", "PORT"),
            ("größe", "GRÖSSE"),
            ("", ""),
        ] {
            assert_eq!(screaming(property), name, "{property}");
        }
    }
}
