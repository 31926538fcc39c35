//! The name nearest to one that was not found: another case, or a slip of a letter or two.

/// The longest name that is compared, in bytes.
const LONGEST: usize = 64;
/// The most steps of one search: a service may give any number of names, and make each of them slow to tell apart.
const MOST_STEPS: usize = 4_000_000;
/// The most slips.
const MOST_SLIPS: usize = 2;

/// The name of `names` that is nearest to `wanted`, when one is near enough.
pub(crate) fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let most = match wanted.len() {
        0..3 => 0,
        3..6 => 1,
        6..=LONGEST => MOST_SLIPS,
        _ => return None,
    };
    let (mut best, mut limit, mut steps) = (None, most, 0);
    for name in names {
        if steps > MOST_STEPS {
            break;
        }
        steps += 1;
        if name.len().abs_diff(wanted.len()) > limit || name == wanted {
            continue;
        }
        if let Some(slips) = slips(wanted.as_bytes(), name.as_bytes(), limit, &mut steps) {
            best = Some(name);
            match slips.checked_sub(1) {
                Some(fewer) => limit = fewer,
                None => break,
            }
        }
    }
    best
}

/// How many letters were left out, added, replaced or swapped, when these are not more than `limit`. Case and the sign between
/// words do not count.
fn slips(one: &[u8], other: &[u8], limit: usize, steps: &mut usize) -> Option<usize> {
    let (one, other) = (Folded(one), Folded(other));
    let (mut before, mut earlier) = (Row::first(), Row::beyond(limit));
    for i in 0..one.0.len() {
        // what is further off the diagonal took more slips
        let (from, to) = (i.saturating_sub(limit), other.0.len().min(i + limit + 1));
        let mut row = Row::beyond(limit);
        if from == 0 {
            row.set(0, i + 1);
        }
        let mut least = row.at(0);
        for j in from..to {
            let replaced = before.at(j) + usize::from(one.at(i) != other.at(j));
            let mut cost = replaced.min(before.at(j + 1) + 1).min(row.at(j) + 1);
            if i > 0 && j > 0 && one.at(i - 1) == other.at(j) && one.at(i) == other.at(j - 1) {
                cost = cost.min(earlier.at(j - 1) + 1);
            }
            row.set(j + 1, cost);
            least = least.min(cost);
        }
        *steps += to.saturating_sub(from);
        if least > limit {
            return None;
        }
        earlier = std::mem::replace(&mut before, row);
    }
    Some(before.at(other.0.len())).filter(|slips| *slips <= limit)
}

/// One row of the table of slips.
struct Row {
    costs: [usize; LONGEST + MOST_SLIPS + 1],
    /// What counts where nothing was computed.
    beyond: usize,
}

impl Row {
    fn beyond(limit: usize) -> Self {
        Self { costs: [limit + 1; LONGEST + MOST_SLIPS + 1], beyond: limit + 1 }
    }

    fn first() -> Self {
        Self { costs: std::array::from_fn(|at| at), beyond: usize::MAX / 2 }
    }

    fn at(&self, column: usize) -> usize {
        self.costs.get(column).copied().unwrap_or(self.beyond)
    }

    fn set(&mut self, column: usize, cost: usize) {
        if let Some(place) = self.costs.get_mut(column) {
            *place = cost;
        }
    }
}

struct Folded<'n>(&'n [u8]);

impl Folded<'_> {
    fn at(&self, index: usize) -> Option<u8> {
        self.0.get(index).copied().map(folded)
    }
}

fn folded(letter: u8) -> u8 {
    match letter {
        b'-' | b'.' | b' ' => b'_',
        letter => letter.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_leads_to_the_name_that_was_meant() {
        let names = ["API_KEY", "DATABASE_URL", "DATABASE_USER", "PORT", "production", "staging"];
        for (wanted, meant) in [
            ("DATABASE_UR", "DATABASE_URL"),
            ("DATABSAE_URL", "DATABASE_URL"),
            ("database_url", "DATABASE_URL"),
            ("DATABASE-URL", "DATABASE_URL"),
            ("DATABASE_USR", "DATABASE_USER"),
            ("APIKEY", "API_KEY"),
            ("PROT", "PORT"),
            ("prodution", "production"),
            ("Producton", "production"),
            ("stagign", "staging"),
        ] {
            assert_eq!(nearest(wanted, names), Some(meant), "{wanted}");
        }
        for wanted in ["", "A", "REDIS_URL", "DB", "qa", "POTS_", "DATABASE", &"x".repeat(100)] {
            assert_eq!(nearest(wanted, names), None, "{wanted}");
        }
        assert_eq!(nearest("PORT", ["PORT"]), None, "what was not found is not what is meant");
        assert_eq!(nearest("größ", ["größe"]), Some("größe"));
    }

    #[test]
    fn the_nearest_of_several_is_named() {
        assert_eq!(nearest("SECRET_1", ["SECRETS_11", "SECRET_", "secret_1"]), Some("secret_1"));
        assert_eq!(nearest("SECRET_KEY", ["SECRETSKEYS", "SECRETKEY"]), Some("SECRETKEY"));
    }

    #[test]
    fn of_a_hundred_thousand_names_made_to_be_slow_only_the_first_are_compared() {
        let names: Vec<String> = (0..100_000).map(|number| format!("{}{number:06}", "A".repeat(56))).collect();
        let wanted = format!("{}xxxxxx", "A".repeat(56));
        let mut compared = 0;
        assert_eq!(nearest(&wanted, names.iter().inspect(|_| compared += 1).map(String::as_str)), None);
        assert!(compared < 20_000, "{compared}");
    }
}
