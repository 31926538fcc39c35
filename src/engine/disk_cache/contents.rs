//! The contents of a copy as bytes: names and values, and the names whose values did not come through.

use zeroize::Zeroizing;

use super::error::DiskError;
use crate::core::{Secrets, SortedPairs, Unreadable, UnreadableReason};

/// The secrets of a copy.
pub(super) struct Contents {
    pub(super) values: SortedPairs,
    pub(super) unreadable: Vec<Unreadable>,
}

impl Contents {
    /// Whether one of these is among the secrets, be it one that cannot be read.
    pub(super) fn has_any(&self, names: &[String]) -> bool {
        let among = |known: &str| names.iter().any(|name| name == known);
        self.values.names().any(among) || self.unreadable.iter().any(|secret| among(&secret.name))
    }
}

/// The secrets as bytes, after `before` bytes of zeros and with room for `behind` more, so that nothing is copied again.
///
/// Fails when that is more than `limit` bytes.
pub(super) fn encode(
    secrets: &Secrets,
    before: usize,
    behind: usize,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, DiskError> {
    let values: usize = secrets.iter().map(|(name, value)| 8 + name.len() + value.len()).sum();
    let hidden: usize = secrets.unreadable().iter().map(|secret| 5 + secret.name.len()).sum();
    let size = before + 8 + values + hidden + behind;
    if size > limit {
        return Err(DiskError::TooLarge);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    bytes.resize(before, 0);
    put_number(&mut bytes, secrets.len())?;
    for (name, value) in secrets.iter() {
        put_text(&mut bytes, name)?;
        put_text(&mut bytes, value.expose())?;
    }
    put_number(&mut bytes, secrets.unreadable().len())?;
    for secret in secrets.unreadable() {
        put_text(&mut bytes, &secret.name)?;
        bytes.push(match secret.reason {
            UnreadableReason::Masked => 1,
            UnreadableReason::ServerCiphertext => 2,
            UnreadableReason::ClientEnvelope => 3,
            UnreadableReason::NoValue => 4,
            UnreadableReason::Ambiguous => 5,
            UnreadableReason::Unexpanded => 6,
            UnreadableReason::NotText => 7,
        });
    }
    Ok(bytes)
}

fn put_number(bytes: &mut Vec<u8>, number: usize) -> Result<(), DiskError> {
    let number = u32::try_from(number).map_err(|_| DiskError::TooLarge)?;
    bytes.extend_from_slice(&number.to_le_bytes());
    Ok(())
}

fn put_text(bytes: &mut Vec<u8>, text: &str) -> Result<(), DiskError> {
    put_number(bytes, text.len())?;
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}

/// The secrets that `bytes` are, or `None` when they are something else.
pub(super) fn decode(bytes: &[u8]) -> Option<Contents> {
    let mut reader = Reader(bytes);
    let mut values = Vec::new();
    for _ in 0..reader.number()? {
        values.push((reader.text()?, reader.text()?));
    }
    let mut unreadable = Vec::new();
    for _ in 0..reader.number()? {
        let name = reader.text()?;
        let reason = match reader.take(1)? {
            [1] => UnreadableReason::Masked,
            [2] => UnreadableReason::ServerCiphertext,
            [3] => UnreadableReason::ClientEnvelope,
            [4] => UnreadableReason::NoValue,
            [5] => UnreadableReason::Ambiguous,
            [6] => UnreadableReason::Unexpanded,
            [7] => UnreadableReason::NotText,
            _ => return None,
        };
        unreadable.push(Unreadable::new(name, reason));
    }
    reader.0.is_empty().then(|| Contents { values: SortedPairs::packed(values.into_iter()), unreadable })
}

/// The bytes that are still to be read.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<usize> {
        let (four, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        usize::try_from(u32::from_le_bytes(*four)).ok()
    }

    fn text(&mut self) -> Option<&'b str> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length)?).ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::core::Clock;
    use crate::core::{Origin, SnapshotSource};

    pub(crate) fn secrets(pairs: &[(&str, &str)], unreadable: Vec<Unreadable>) -> Secrets {
        let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let clock = Clock::system();
        let origin = Origin {
            source: SnapshotSource::Service,
            fetched: clock.now(),
            clock,
            ttl: std::time::Duration::from_secs(30),
            passphrase: None,
            place: None,
        };
        Secrets::assemble(values, unreadable, origin)
    }

    fn hidden() -> Vec<Unreadable> {
        use UnreadableReason::{Ambiguous, ClientEnvelope, Masked, NoValue, NotText, ServerCiphertext, Unexpanded};
        let reasons = [
            ("A", Ambiguous),
            ("C", ClientEnvelope),
            ("M", Masked),
            ("N", NoValue),
            ("NT", NotText),
            ("S", ServerCiphertext),
            ("U", Unexpanded),
        ];
        reasons.map(|(name, reason)| Unreadable::new(name, reason)).into()
    }

    #[test]
    fn names_values_and_what_cannot_be_read_come_back_as_they_were() {
        let pairs = [("", "empty name"), ("A", ""), ("B", "línea\n\0"), ("LONG", &"x".repeat(70_000))];
        let bytes = encode(&secrets(&pairs, hidden()), 5, 16, 1 << 20).unwrap();
        assert_eq!(bytes.len() + 16, bytes.capacity(), "the buffer has not grown");
        let contents = decode(&bytes[5..]).unwrap();
        assert_eq!(contents.unreadable, hidden());
        let shown: Vec<_> = contents.values.iter().map(|(name, value)| (name, value.expose())).collect();
        assert_eq!(shown, pairs);
    }

    #[test]
    fn bytes_that_are_cut_or_go_on_are_no_contents_and_never_a_panic() {
        let bytes = encode(&secrets(&[("A", "1"), ("B", "2")], hidden()), 0, 0, 1 << 20).unwrap();
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_none(), "{length}");
        }
        assert!(decode(&[bytes.as_slice(), b"x"].concat()).is_none());
        assert!(decode(&[0xff; 64]).is_none(), "numbers larger than what there is");
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 0xff;
            decode(&changed); // authenticated elsewhere: here it must only not panic
        }
    }

    #[test]
    fn more_than_the_limit_is_refused_before_it_is_built() {
        let secrets = secrets(&[("A", "12345")], Vec::new());
        let size = 8 + 8 + 6;
        assert!(encode(&secrets, 0, 0, size).is_ok());
        assert_eq!(encode(&secrets, 0, 0, size - 1).unwrap_err(), DiskError::TooLarge);
    }
}
