//! Names as messages show them: whole, unless they may be something else that was passed in their place.

/// The longest name that is shown, in characters.
const LONGEST: usize = 32;
/// The same of one that is written as variables are: in capitals, with `_` between its words.
const LONGEST_VARIABLE: usize = 64;

/// A name for a message: escaped and in quotes, and only when it is of a kind that somebody gives to things. What was passed by
/// mistake may be a token or a value. `is_token` knows the tokens of a service.
pub(crate) fn shown_name(name: &str, is_token: fn(&str) -> bool) -> String {
    match is_a_name(name) && !is_token(name) {
        // every snapshot has its scope in words: most names are seen to be names at a glance
        true if is_plain(name) => ["\"", name, "\""].concat(),
        true => format!("{name:?}"),
        false => format!("(a name of {} characters, not shown)", name.chars().count()),
    }
}

/// Every text may be shown that is a name, where no service is known.
pub(crate) fn no_token(_text: &str) -> bool {
    false
}

/// Short, of letters, digits and the usual signs between them: nothing in it is escaped.
fn is_plain(name: &str) -> bool {
    name.len() <= LONGEST
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/'))
}

fn is_a_name(name: &str) -> bool {
    if is_plain(name) {
        return !name.starts_with("eyJ");
    }
    let longest = if is_a_variable(name) { LONGEST_VARIABLE } else { LONGEST };
    let is_odd = |letter: char| letter.is_control() || "\"'`\\=<>{};$!?*|^".contains(letter);
    // a token of three parts, and an address with a password in it
    let is_known =
        name.trim_start().starts_with("eyJ") || name.contains("://") || name.contains(':') && name.contains('@');
    name.chars().nth(longest).is_none() && !name.contains(is_odd) && !is_known
}

fn is_a_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.contains('_')
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_name_secrets_environments_and_branches_is_shown() {
        for name in [
            "DATABASE_URL",
            "NEXT_PUBLIC_SUPABASE_SERVICE_ROLE_KEY_OF_PRODUCTION",
            "tls/key",
            "weird name",
            "feature/new-ui@2",
            "Section:Key",
            "größe",
            "",
        ] {
            assert_eq!(shown_name(name, no_token), format!("{name:?}"));
        }
    }

    #[test]
    fn what_may_be_a_pasted_value_is_counted_and_not_shown() {
        for value in [
            "postgres://app:hunter2@db/app",
            "app:hunter2@db",
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
            "c2VjcmV0IHZhbHVlIG9mIHNvbWUgbGVuZ3Ro=",
            "-----BEGIN KEY-----\nhunter2",
            "{\"a\":1}",
            "0123456789abcdef0123456789abcdef0",
            &"A_".repeat(40),
        ] {
            let shown = shown_name(value, no_token);
            assert_eq!(shown, format!("(a name of {} characters, not shown)", value.chars().count()));
        }
        assert_eq!(shown_name("xs_1", |text| text.starts_with("xs_")), "(a name of 4 characters, not shown)");
    }
}
