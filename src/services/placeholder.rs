//! Texts that secrets managers send in a value's place. They are never let through as values.

use crate::core::UnreadableReason;

/// What a service meant by `text`, when it is one of the known placeholders.
pub(crate) fn recognise(text: &str) -> Option<UnreadableReason> {
    match text {
        "***" | "[REDACTED]" | "[encrypted]" | "<hidden-by-infisical>" => Some(UnreadableReason::Masked),
        "[Decryption failed]" => Some(UnreadableReason::ServerCiphertext),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_placeholders_are_recognised() {
        for text in ["***", "[REDACTED]", "[encrypted]", "<hidden-by-infisical>", "[Decryption failed]"] {
            assert!(recognise(text).is_some(), "{text}");
        }
        for text in ["", "**", "****", " ***", "*** ", "[redacted]", "[Encrypted]", "encrypted", "********"] {
            assert!(recognise(text).is_none(), "{text}");
        }
    }
}
