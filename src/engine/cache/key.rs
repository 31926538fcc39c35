//! Cache keys, written on the stack.

use std::fmt;

use crate::core::Identity;

/// Bytes that a key holds before it moves to the heap: enough for a project id, an environment and a branch of some length.
const INLINE: usize = 160;

/// Collects the parts that tell one scope from another, without allocating for keys of ordinary length.
///
/// A [`SecretSource`](crate::SecretSource) writes each part of its scope as one [`field`](Self::field). Fields are prefixed
/// with their length, so `("a", "bc")` and `("ab", "c")` are different keys.
pub struct KeyWriter {
    inline: [u8; INLINE],
    used: usize,
    spilled: Vec<u8>,
}

impl KeyWriter {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { inline: [0; INLINE], used: 0, spilled: Vec::new() }
    }

    /// Adds one part of the scope.
    #[inline]
    pub fn field(&mut self, text: &str) {
        self.start_field(text.len());
        self.push(text.as_bytes());
    }

    /// Adds one part of the scope that the service compares without regard to case.
    pub fn field_any_case(&mut self, text: &str) {
        match text.is_ascii() {
            true => self.field_folded(text.as_bytes()),
            false => self.field(&text.to_lowercase()),
        }
    }

    /// Eight bytes at once: names are too short for a loop over single bytes, or any longer step, to get going.
    #[inline]
    fn field_folded(&mut self, ascii: &[u8]) {
        self.start_field(ascii.len());
        let (eights, rest) = ascii.as_chunks::<8>();
        for &(mut eight) in eights {
            eight.make_ascii_lowercase();
            self.push(&eight);
        }
        for byte in rest {
            self.push(&[byte.to_ascii_lowercase()]);
        }
    }

    #[inline]
    pub(crate) fn identity(&mut self, identity: &Identity) {
        self.push(identity.as_bytes());
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        if self.spilled.is_empty() { self.inline.get(..self.used).unwrap_or_default() } else { &self.spilled }
    }

    /// One byte for a short field; a longer one is announced by a byte that no short one has.
    #[inline]
    fn start_field(&mut self, length: usize) {
        match u8::try_from(length) {
            Ok(short) if short < u8::MAX => self.push(&[short]),
            _ => {
                self.push(&[u8::MAX]);
                self.push(&(length as u64).to_le_bytes())
            }
        };
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        let start = self.used;
        self.used += bytes.len();
        match self.inline.get_mut(start..self.used) {
            Some(room) => room.copy_from_slice(bytes),
            None => self.spill(start, bytes),
        }
    }

    #[cold]
    fn spill(&mut self, start: usize, bytes: &[u8]) {
        if self.spilled.is_empty() {
            self.spilled.extend_from_slice(self.inline.get(..start).unwrap_or_default());
        }
        self.spilled.extend_from_slice(bytes);
    }
}

/// What a source writes here is its own affair, and the identity of the caller is in it.
impl fmt::Debug for KeyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyWriter(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fields: &[&str]) -> Vec<u8> {
        let mut writer = KeyWriter::new();
        for field in fields {
            writer.field(field);
        }
        writer.as_slice().to_vec()
    }

    #[test]
    fn fields_cannot_run_into_each_other() {
        assert_ne!(key(&["a", "bc"]), key(&["ab", "c"]));
        assert_ne!(key(&["a", ""]), key(&["a"]));
    }

    #[test]
    fn long_fields_cannot_run_into_each_other_either() {
        for length in [254, 255, 256, 70_000] {
            let (long, longer) = ("x".repeat(length), "x".repeat(length + 1));
            assert_ne!(key(&[&long, "x"]), key(&[&longer, ""]), "{length}");
            assert_ne!(key(&[&long]), key(&[&longer]), "{length}");
        }
    }

    #[test]
    fn a_long_key_equals_the_same_key_written_in_other_steps() {
        let long = "x".repeat(150);
        let mut other = KeyWriter::new();
        other.field_any_case(&long.to_uppercase());
        other.field_any_case(&long);
        assert_eq!(key(&[&long, &long]), other.as_slice());
    }

    #[test]
    fn case_is_folded_only_where_asked() {
        let mut folded = KeyWriter::new();
        folded.field_any_case("PRODüction");
        assert_eq!(folded.as_slice(), key(&["prodüction"]));
        assert_ne!(key(&["Main"]), key(&["main"]));
        let mut folded = KeyWriter::new();
        folded.field_any_case("ABCDEFGH-IJKLMNOP_@[`{Z");
        assert_eq!(folded.as_slice(), key(&["abcdefgh-ijklmnop_@[`{z"]));
    }
}
