//! What is true of every answer, whatever it is: waits within their bounds, and nothing that was secret in anything printed.

use std::time::Duration;

use xtrasecurity::fuzzing::Seen;

use crate::{ODD, PLAIN, TOKEN};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Holds what a program sees of an answer against that.
pub fn check(seen: &Seen) {
    assert!(seen.wait.is_none_or(|wait| (SECOND..=DAY).contains(&wait)), "a wait out of bounds");
    if let Some(quota) = seen.quota {
        assert!(quota.limit > 0 && quota.remaining <= quota.limit && quota.resets_in <= DAY, "a quota out of bounds");
    }
    for secret in [TOKEN, PLAIN, ODD] {
        let escaped = secret.escape_debug().to_string();
        assert!(!seen.errors.iter().any(|text| text.contains(secret)), "an error shows what the call carried");
        assert!(!seen.debugged.iter().any(|text| text.contains(&escaped)), "Debug shows what the call carried");
        // a name may be what a secret is elsewhere
        if !seen.names.iter().any(|name| name.contains(secret)) {
            assert!(!seen.printed.iter().any(|text| text.contains(&escaped)), "a value is printed");
        }
    }
}
