//! The target of answers: no panic, waits within their bounds, and nothing that was secret in anything printed.

#![no_main]

use framing::{Input, SENT, TOKEN, check};
use libfuzzer_sys::fuzz_target;
use xtrasecurity::fuzzing::{Exchange, Seen};
use xtrasecurity::xtra_fuzzing::answer;

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
    check(&seen);
    is_no_stand_in(&seen);
});

/// What the service sends in place of a value never passes for one.
fn is_no_stand_in(seen: &Seen) {
    for value in &seen.values {
        let value = value.expose();
        assert!(!matches!(value, "***" | "[REDACTED]" | "[Decryption failed]" | "<hidden-by-infisical>"));
    }
}
