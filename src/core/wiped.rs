//! Memory that is overwritten with zeros before it is freed.

use zeroize::Zeroize;

/// Text that is wiped when it is dropped, its spare capacity included. Values and names are parts of it.
pub(crate) struct WipedText(String);

impl WipedText {
    /// Takes a text over without a copy.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    #[cfg(feature = "http")]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(feature = "http")]
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// The bytes, which the caller wipes.
    #[cfg(feature = "http")]
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0).into_bytes()
    }

    /// Where `part` is in this text, when it is borrowed from it: its start and its length.
    #[cfg(feature = "http")]
    pub(super) fn position(&self, part: &str) -> Option<(u32, u32)> {
        let start = part.as_ptr().addr().checked_sub(self.0.as_ptr().addr())?;
        let there = self.0.get(start..start.checked_add(part.len())?)?;
        // the same bytes at the same address, so that equal text elsewhere is never taken for it
        let is_there = std::ptr::eq(there, part);
        Some((u32::try_from(start).ok()?, u32::try_from(part.len()).ok()?)).filter(|_| is_there)
    }

    /// Everything from a position on.
    pub(super) fn rest(&self, start: u32) -> &str {
        self.0.get(start as usize..).unwrap_or_default()
    }

    /// The part at a position; empty when there is none, which never happens with positions of this text.
    pub(super) fn part(&self, start: u32, len: u32) -> &str {
        let (start, len) = (start as usize, len as usize);
        self.0.get(start..start.saturating_add(len)).unwrap_or_default()
    }
}

impl Drop for WipedText {
    fn drop(&mut self) {
        wipe(&mut std::mem::take(&mut self.0).into_bytes());
    }
}

/// Overwrites the whole capacity with zeros, in a way that the compiler keeps: eight bytes at a time, which takes an eighth of
/// the steps.
pub(crate) fn wipe(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.capacity(), 0);
    let (head, words, tail) = bytemuck::pod_align_to_mut::<u8, u64>(bytes);
    head.zeroize();
    words.zeroize();
    tail.zeroize();
    bytes.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_the_capacity_is_wiped() {
        for length in [0, 1, 7, 8, 9, 63, 1000] {
            let mut bytes = Vec::with_capacity(length + 21);
            bytes.resize(length + 20, 7_u8);
            bytes.truncate(length);
            let capacity = bytes.capacity();
            wipe(&mut bytes);
            assert!(bytes.is_empty() && bytes.capacity() == capacity);
            bytes.resize(capacity, 1);
            bytes.clear();
            wipe(&mut bytes);
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn a_part_is_told_from_equal_text_elsewhere() {
        let text = WipedText::new("one two one".to_owned());
        assert_eq!(text.position(&text.as_str()[4..7]), Some((4, 3)));
        assert_eq!(text.position(&text.as_str()[8..]), Some((8, 3)));
        assert_eq!(text.part(4, 3), "two");
        assert_eq!(text.position("one two one"), None);
        assert_eq!((text.part(8, 4), text.part(u32::MAX, u32::MAX)), ("", ""));
    }
}
