//! The target of answers: no panic, waits within their bounds, and nothing that was secret in anything printed.

#![no_main]

use std::time::Duration;

use framing::{Input, ODD, PLAIN, SENT, TOKEN};
use libfuzzer_sys::fuzz_target;
use xtrasecurity::fuzzing::{Exchange, Seen};
use xtrasecurity::xtra_fuzzing::answer;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fuzz_target!(|bytes: &[u8]| {
    let Some(input) = Input::of(bytes) else { return };
    let seen = answer(&Exchange {
        operation: input.operation,
        status: input.status,
        headers: input.headers.iter().map(|(name, value)| (*name, &**value)).collect(),
        body: &input.body,
        token: TOKEN,
        sent: SENT.as_bytes(),
    });
    assert!(seen.wait.is_none_or(|wait| (SECOND..=DAY).contains(&wait)), "a wait out of bounds");
    if let Some(quota) = seen.quota {
        assert!(
            quota.limit > 0 && quota.remaining <= quota.limit && quota.resets_in <= DAY,
            "a quota out of bounds"
        );
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
    is_no_stand_in(&seen);
});

/// What the service sends in place of a value never passes for one.
fn is_no_stand_in(seen: &Seen) {
    for value in &seen.values {
        let value = value.expose();
        assert!(!matches!(value, "***" | "[REDACTED]" | "[Decryption failed]" | "<hidden-by-infisical>"));
    }
}
