//! The body of an answer, read into memory that is wiped, and no further than the cap.

use zeroize::Zeroizing;

/// The least and the most capacity of a block after the first.
const BLOCK: std::ops::RangeInclusive<usize> = 4 * 1024..=256 * 1024;

/// The answer is larger than the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OverCap;

/// A growing buffer that never leaves an unwiped copy of its bytes behind: `Vec` would free the old block as it is when
/// it grows. Here a full block stays as it is, and the next one is begun; in the end all go into one of the exact size. So no
/// byte is copied more than once, and the room is never more than twice the body.
pub(crate) struct CappedBody {
    full: Vec<Zeroizing<Vec<u8>>>,
    last: Zeroizing<Vec<u8>>,
    length: usize,
    cap: usize,
    /// How long it is likely to be; 0 when nobody knows.
    expected: usize,
}

impl CappedBody {
    /// An empty buffer for an answer of the announced length; fails when that alone is over the cap.
    pub(crate) fn new(announced: Option<u64>, cap: usize) -> Result<Self, OverCap> {
        let capacity = match announced {
            Some(length) => usize::try_from(length).ok().filter(|length| *length <= cap).ok_or(OverCap)?,
            None => 0,
        };
        Ok(Self::with_capacity(capacity, cap))
    }

    fn with_capacity(capacity: usize, cap: usize) -> Self {
        Self { full: Vec::new(), last: block(capacity), length: 0, cap, expected: 0 }
    }

    /// The same, likely to be as long as the last large one was. Room for that is taken once this one has turned out to be large
    /// too, and then nothing has to be joined in the end.
    pub(crate) fn expecting(self, length: usize) -> Self {
        Self { expected: (length + length / 128).min(self.cap), ..self }
    }

    /// Whether a body of that length is so large that it is worth knowing for the next.
    pub(crate) fn is_large(length: usize) -> bool {
        length > *BLOCK.end()
    }

    /// Adds a chunk; fails, and keeps nothing of it, when the sum is over the cap.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<(), OverCap> {
        let length = self.length.saturating_add(chunk.len());
        if length > self.cap {
            return Err(OverCap);
        }
        let room = self.last.capacity() - self.last.len();
        let (fits, rest) = chunk.split_at(room.min(chunk.len()));
        self.last.extend_from_slice(fits);
        if !rest.is_empty() {
            self.begin_block(rest);
        }
        self.length = length;
        Ok(())
    }

    fn begin_block(&mut self, start: &[u8]) {
        if Self::is_large(self.length) && self.expected >= self.length + start.len() {
            let expected = std::mem::take(&mut self.expected);
            self.last = self.joined(expected);
            return self.last.extend_from_slice(start);
        }
        // The service announces no length, and a usual answer is one chunk: an exact fit saves wiping what was never used.
        let room = match self.length {
            0 => start.len(),
            length => length.clamp(*BLOCK.start(), *BLOCK.end()).max(start.len()),
        };
        let mut next = block(room);
        next.extend_from_slice(start);
        let full = std::mem::replace(&mut self.last, next);
        if full.capacity() > 0 {
            self.full.push(full);
        }
    }

    /// The bytes read.
    pub(crate) fn finish(mut self) -> Zeroizing<Vec<u8>> {
        let is_much_too_large = self.last.capacity() > *BLOCK.end() + self.length + self.length / 8;
        if self.full.is_empty() && !is_much_too_large { self.last } else { self.joined(self.length) }
    }

    /// Everything in one block of that capacity. Each part is wiped and freed as soon as it is copied.
    fn joined(&mut self, capacity: usize) -> Zeroizing<Vec<u8>> {
        let mut whole = block(capacity);
        for part in self.full.drain(..).chain([std::mem::take(&mut self.last)]) {
            whole.extend_from_slice(&part);
        }
        whole
    }
}

fn block(capacity: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(capacity))
}

/// A refusal that is not a JSON object is cut to this before anything looks at it. Nobody reads a page of an error.
const LONGEST_TEXT: usize = 64 * 1024;

/// The body of an answer that is no success. Its status counts whatever the body is, so that a long one is cut: JSON, which has
/// structured fields, at the cap of all answers, anything else much sooner. What comes after is not waited for.
pub(crate) struct RefusalBody {
    body: CappedBody,
    cap: usize,
    /// Whether it begins as a JSON object does, once that is known.
    is_json: Option<bool>,
    is_cut: bool,
}

impl RefusalBody {
    /// An empty buffer for a refusal of the announced length.
    pub(crate) fn new(announced: Option<u64>, cap: usize) -> Self {
        let capacity = announced.map(|length| usize::try_from(length).unwrap_or(cap).min(cap).min(LONGEST_TEXT));
        Self { body: CappedBody::with_capacity(capacity.unwrap_or(0), cap), cap, is_json: None, is_cut: false }
    }

    /// Adds a chunk, as far as there is room for it.
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        if self.is_json.is_none() {
            self.is_json = chunk.trim_ascii_start().first().map(|first| *first == b'{');
        }
        let most = if self.is_json == Some(true) { self.cap } else { self.cap.min(LONGEST_TEXT) };
        let room = most.saturating_sub(self.body.length);
        self.is_cut = chunk.len() > room;
        // within the cap, so that it is never refused
        let _ = self.body.push(chunk.get(..room).unwrap_or(chunk));
    }

    /// Whether no more of it is of use.
    pub(crate) fn is_enough(&self) -> bool {
        self.is_cut
    }

    /// The bytes read. JSON that was cut is no JSON any more, and is kept no longer than a text.
    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        let bytes = self.body.finish();
        match bytes.get(..LONGEST_TEXT) {
            Some(start) if self.is_cut => Zeroizing::new(start.to_vec()),
            _ => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(cap: usize, chunks: &[&[u8]]) -> (usize, usize) {
        let mut body = RefusalBody::new(None, cap);
        let mut taken = 0;
        for chunk in chunks {
            if body.is_enough() {
                break;
            }
            body.push(chunk);
            taken += 1;
        }
        (taken, body.finish().len())
    }

    #[test]
    fn a_refusal_in_text_is_cut_and_one_in_json_is_read_to_the_cap() {
        let chunk = [b'x'; 16 * 1024];
        let page = [chunk.as_slice(); 100];
        assert_eq!(refusal(1 << 20, &page), (5, LONGEST_TEXT));
        assert_eq!(refusal(1 << 20, &page[..4]), (4, LONGEST_TEXT));
        let mut json = page;
        json[0] = b" \n{";
        assert_eq!(refusal(2 << 20, &json), (100, 99 * 16 * 1024 + 3));
        // cut at the cap it is of no use as JSON
        assert_eq!(refusal(1 << 20, &json), (65, LONGEST_TEXT));
        assert_eq!(refusal(10, &json), (2, 10));
        assert_eq!(refusal(10, &page), (1, 10));
    }

    #[test]
    fn white_space_does_not_make_a_refusal_json() {
        let blank = [b' '; 16 * 1024];
        assert_eq!(refusal(1 << 20, &[blank.as_slice(); 100]), (5, LONGEST_TEXT));
    }

    #[test]
    fn a_length_announced_for_a_refusal_takes_no_room_by_itself() {
        assert_eq!(RefusalBody::new(Some(u64::MAX), 1 << 30).finish().capacity(), LONGEST_TEXT);
        assert_eq!(RefusalBody::new(Some(100), 1 << 30).finish().capacity(), 100);
    }

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
        let before = body.last.as_ptr();
        for _ in 0..9 {
            assert_eq!(body.push(&[7; 1_000]), Ok(()));
        }
        assert_eq!(body.finish().as_ptr(), before);
    }

    #[test]
    fn an_answer_of_one_chunk_takes_no_more_room_than_it_needs() {
        let mut body = CappedBody::new(None, 1 << 20).expect("no length announced");
        assert_eq!(body.push(&[7; 700]), Ok(()));
        assert_eq!(body.finish().capacity(), 700);
    }

    #[test]
    fn a_large_body_is_read_into_the_room_that_the_last_one_took_and_kept_in_no_more_than_it_needs() {
        for (expected, length, joined) in
            [(1 << 20, 1 << 20, false), (1 << 19, 1 << 20, true), (1 << 22, 1 << 20, true)]
        {
            let mut body = CappedBody::new(None, 1 << 24).expect("no length announced").expecting(expected);
            for chunk in 0..(length >> 10) {
                assert_eq!(body.push(&[(chunk % 251) as u8; 1 << 10]), Ok(()));
            }
            let before = body.last.as_ptr();
            let whole = body.finish();
            assert_eq!(whole.as_ptr() != before, joined, "{expected} {length}");
            assert!(whole.len() == length && whole.capacity() <= length + length / 64, "{}", whole.capacity());
            assert!(whole.iter().enumerate().all(|(at, byte)| *byte == ((at >> 10) % 251) as u8));
        }
        let mut small = CappedBody::new(None, 1 << 24).expect("no length announced").expecting(1 << 23);
        for _ in 0..100 {
            assert_eq!(small.push(&[1; 1 << 10]), Ok(()));
        }
        assert_eq!(small.finish().capacity(), 100 << 10);
    }

    #[test]
    fn a_body_of_many_chunks_takes_few_blocks_and_in_the_end_one_of_its_size() {
        let mut body = CappedBody::new(None, 1 << 20).expect("no length announced");
        for chunk in 0..(1 << 10) {
            assert_eq!(body.push(&[(chunk % 251) as u8; 1 << 10]), Ok(()));
        }
        assert!(body.full.len() <= 16, "{} blocks", body.full.len());
        let room: usize = body.full.iter().chain([&body.last]).map(|block| block.capacity()).sum();
        assert!(room <= (1 << 20) + BLOCK.end(), "{room}");
        let whole = body.finish();
        assert_eq!((whole.len(), whole.capacity()), (1 << 20, 1 << 20));
        assert!(
            whole
                .chunks(1 << 10)
                .enumerate()
                .all(|(chunk, bytes)| bytes.iter().all(|byte| *byte == (chunk % 251) as u8))
        );
    }
}
