//! Finding secrets by their names.

use std::str::Chars;

use super::snapshot::Secrets;

impl Secrets {
    /// The secrets whose names match `pattern`, as a snapshot of the same moment: age, source and the rest are those of this
    /// one. Values are shared, not copied. Matching secrets that cannot be read stay among the
    /// [unreadable](Self::unreadable).
    ///
    /// A pattern with `*` (any characters, or none) or `?` (exactly one) must fit the whole name; any other is looked for as a
    /// part of it. Upper and lower case are the same. An empty pattern finds everything. Nothing is sent.
    ///
    /// ```
    /// use xtrasecurity::Secrets;
    ///
    /// let secrets = Secrets::from_iter([("DATABASE_URL", "1"), ("OLD_DB_URL", "2"), ("API_URL_BASE", "3")]);
    /// let names = |pattern| secrets.search(pattern).names().map(str::to_owned).collect::<Vec<_>>();
    /// assert_eq!(names("db"), ["OLD_DB_URL"]);
    /// assert_eq!(names("url"), ["API_URL_BASE", "DATABASE_URL", "OLD_DB_URL"]);
    /// assert_eq!(names("*_url"), ["DATABASE_URL", "OLD_DB_URL"]);
    /// ```
    #[must_use]
    pub fn search(&self, pattern: &str) -> Secrets {
        let pattern = Pattern::parse(pattern);
        self.only(|name| pattern.fits(name))
    }
}

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// `*`
    Any,
    /// `?`
    One,
    Char(char),
}

struct Pattern(Vec<Piece>);

impl Pattern {
    fn parse(text: &str) -> Self {
        if text.contains(['*', '?']) {
            return Self(text.chars().map(Piece::of).collect());
        }
        let around = || std::iter::once(Piece::Any);
        Self(around().chain(text.chars().map(Piece::Char)).chain(around()).collect())
    }

    /// Goes back to the last `*` only, so that no pattern takes more steps than its length times the name's.
    fn fits(&self, name: &str) -> bool {
        let (mut at, mut rest) = (0, name.chars());
        let mut last_any: Option<(usize, Chars<'_>)> = None;
        loop {
            let piece = self.0.get(at).copied();
            if piece == Some(Piece::Any) {
                at += 1;
                last_any = Some((at, rest.clone()));
                continue;
            }
            let mut ahead = rest.clone();
            match (piece, ahead.next()) {
                (None, None) => return true,
                // to give a `*` more of the name leaves even less
                (Some(_), None) => return false,
                (Some(piece), Some(next)) if piece.fits(next) => {
                    at += 1;
                    rest = ahead;
                }
                (_, Some(_)) => {
                    let Some((after, from)) = &mut last_any else { return false };
                    from.next();
                    (at, rest) = (*after, from.clone());
                }
            }
        }
    }
}

impl Piece {
    fn of(character: char) -> Self {
        match character {
            '*' => Self::Any,
            '?' => Self::One,
            other => Self::Char(other),
        }
    }

    fn fits(self, character: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Char(own) => own == character || own.to_lowercase().eq(character.to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).fits(name)
    }

    #[test]
    fn a_pattern_without_wildcards_is_any_part_of_a_name_in_any_case() {
        for (pattern, name) in [("", ""), ("", "A"), ("a", "A"), ("db", "OLD_DB_URL"), ("OLD", "old_x"), ("é", "CAFÉ")]
        {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", ""), ("db_url", "DB-URL"), ("ab", "a_b")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
        assert!(fits("aab", "aaab"));
    }

    #[test]
    fn a_pattern_with_wildcards_is_the_whole_name() {
        for (pattern, name) in [
            ("*", ""),
            ("**", "A"),
            ("a*", "A"),
            ("a*c", "abbc"),
            ("*b*", "abc"),
            ("?", "é"),
            ("a??", "abc"),
            ("*a?c*", "xxabcabxc"),
            ("*aab", "aaaab"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a*", "ba"), ("?", ""), ("?", "ab"), ("a*c", "abcd"), ("*aab", "aaba"), ("a?", "a"), ("*?*?", "a")]
        {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[cfg(feature = "offline")]
    #[test]
    fn what_was_found_is_as_old_as_a_snapshot_that_was_old_from_the_start() {
        let hour = std::time::Duration::from_secs(3600);
        let secrets = Secrets::from_iter([("A", "1")]).older_by(hour);
        assert!(secrets.search("a").age() >= hour);
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let name = "a".repeat(5_000);
        assert!(!fits(&format!("{}b", "*a".repeat(50)), &name));
    }
}
