//! Reading an answer into memory that is wiped, and no further than the cap.

use zeroize::Zeroizing;

/// The least capacity of a buffer that has grown once.
const GROWN: usize = 4 * 1024;

/// The answer is larger than the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OverCap;

/// A growing buffer that never leaves an unwiped copy of its bytes behind: `Vec` would free the old block as it is when
/// it grows, so growth copies into a new block here and wipes the old one.
pub(crate) struct CappedBody {
    bytes: Zeroizing<Vec<u8>>,
    cap: usize,
}

impl CappedBody {
    /// An empty buffer for an answer of the announced length; fails when that alone is over the cap.
    pub(crate) fn new(announced: Option<u64>, cap: usize) -> Result<Self, OverCap> {
        let capacity = match announced {
            Some(length) => usize::try_from(length).ok().filter(|length| *length <= cap).ok_or(OverCap)?,
            None => 0,
        };
        Ok(Self { bytes: Zeroizing::new(Vec::with_capacity(capacity)), cap })
    }

    /// Adds a chunk; fails, and keeps nothing of it, when the sum is over the cap.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<(), OverCap> {
        let length = self.bytes.len().saturating_add(chunk.len());
        if length > self.cap {
            return Err(OverCap);
        }
        if length > self.bytes.capacity() {
            self.grow_to(length);
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// The bytes read.
    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }

    fn grow_to(&mut self, length: usize) {
        // The service announces no length, and a usual answer is one chunk: an exact fit saves wiping what was never used.
        let room = match self.bytes.capacity() {
            0 => length,
            capacity => capacity.saturating_mul(2).max(GROWN).min(self.cap).max(length),
        };
        let mut larger = Zeroizing::new(Vec::with_capacity(room));
        larger.extend_from_slice(&self.bytes);
        // the assignment drops, and so wipes, the old block
        self.bytes = larger;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_length_over_the_cap_is_refused_before_reading() {
        assert_eq!(CappedBody::new(Some(101), 100).err(), Some(OverCap));
        assert_eq!(CappedBody::new(Some(u64::MAX), 100).err(), Some(OverCap));
        assert!(CappedBody::new(Some(100), 100).is_ok());
    }

    #[test]
    fn chunks_are_kept_in_order_up_to_the_cap_and_not_a_byte_further() {
        let mut body = CappedBody::new(None, 10_000).expect("no length announced");
        let mut expected = Vec::new();
        for index in 0..100_u8 {
            let chunk = [index; 100];
            expected.extend_from_slice(&chunk);
            assert_eq!(body.push(&chunk), Ok(()));
        }
        assert_eq!(body.push(b"x"), Err(OverCap));
        assert_eq!(*body.finish(), expected);
    }

    #[test]
    fn an_announced_length_is_one_allocation() {
        let mut body = CappedBody::new(Some(9_000), 16_384).expect("under the cap");
        let before = body.bytes.as_ptr();
        for _ in 0..9 {
            assert_eq!(body.push(&[7; 1_000]), Ok(()));
        }
        assert_eq!(body.bytes.as_ptr(), before);
    }

    #[test]
    fn an_answer_of_one_chunk_takes_no_more_room_than_it_needs() {
        let mut body = CappedBody::new(None, 1 << 20).expect("no length announced");
        assert_eq!(body.push(&[7; 700]), Ok(()));
        assert_eq!(body.finish().capacity(), 700);
    }

    #[test]
    fn growth_is_geometric() {
        let mut body = CappedBody::new(None, 1 << 20).expect("no length announced");
        let mut blocks = 0;
        let mut capacity = 0;
        for _ in 0..(1 << 10) {
            assert_eq!(body.push(&[0; 1 << 10]), Ok(()));
            if body.bytes.capacity() != capacity {
                capacity = body.bytes.capacity();
                blocks += 1;
            }
        }
        assert!(blocks <= 10, "{blocks} blocks");
        assert!(capacity <= 1 << 20);
    }
}
