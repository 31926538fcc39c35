//! The file format of a copy: a header that can be read, and behind it what only the key opens.
//!
//! | bytes | |
//! |---|---|
//! | 7 | `XTRACPY` |
//! | 1 | version of the form, 2 |
//! | 8 | when it was saved: milliseconds since 1970 |
//! | 8 | how long it may be used, in milliseconds |
//! | 8 | since when requests have met refusals that are not the service's own: milliseconds since 1970, or 0 |
//! | 32 | salt of the key |
//! | 12 | nonce |
//! | … | AES-256-GCM of the contents, with its tag of 16 bytes |
//!
//! The header and the context (source, base URL, account, scope) are authenticated with the contents. Numbers are
//! little-endian.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::OfflineKey;
use super::error::DiskError;
use crate::core::SecretValue;

const MAGIC: &[u8; 7] = b"XTRACPY";
const VERSION: u8 = 2;

/// Length of the random part that each write mixes into its key.
const SALT: usize = 32;
/// Length of the nonce.
const NONCE: usize = 12;
/// Length of the header.
pub(super) const HEADER: usize = 7 + 1 + 8 + 8 + 8 + SALT + NONCE;
/// Length of the tag at the end.
pub(super) const TAG: usize = 16;

/// The secret that keys are derived from: never used as a key itself.
#[derive(Clone)]
pub(super) enum KeyMaterial {
    Given(OfflineKey),
    Token(SecretValue),
}

impl KeyMaterial {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Given(key) => key.bytes(),
            Self::Token(token) => token.expose().as_bytes(),
        }
    }

    /// A derived key. The purpose keeps what a text gives as a key apart from what it gives as a token, and the uses of both
    /// apart.
    fn derive(&self, salt: &[u8], purpose: &str) -> Result<Zeroizing<[u8; 32]>, DiskError> {
        let from: &[u8] = match self {
            Self::Given(_) => b"key",
            Self::Token(_) => b"token",
        };
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(salt), self.bytes())
            .expand_multi_info(&[b"xtrasecurity saved copy ", from, purpose.as_bytes()], key.as_mut_slice())
            .map_err(|_| DiskError::NoKey)?;
        Ok(key)
    }

    /// The cipher of one write, which `salt` is the random part of. It wipes its key when it is dropped.
    fn cipher(&self, salt: &[u8; SALT]) -> Result<Aes256Gcm, DiskError> {
        let key = self.derive(salt, " contents")?;
        Ok(Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key.as_slice())))
    }

    /// A name that tells nothing of `context` to whoever lacks the key.
    pub(super) fn name(&self, context: &[u8]) -> Result<String, DiskError> {
        /// How many bytes of the hash are the name.
        const NAME: usize = 20;
        let key = self.derive(&[], " name")?;
        // the extraction of HKDF is HMAC-SHA256 of the context under the key
        let (hash, _) = Hkdf::<Sha256>::extract(Some(key.as_slice()), context);
        Ok(hex::encode(hash.get(..NAME).unwrap_or_default()))
    }
}

/// The times of a copy: when it was saved, and how long it may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    /// Milliseconds since 1970.
    pub(super) saved: u64,
    /// Milliseconds.
    pub(super) lasts: u64,
    /// When the first of the refusals that are not the service's own came: milliseconds since 1970; 0 when there are none.
    pub(super) refused: u64,
}

impl Life {
    pub(super) fn new(saved: SystemTime, lasts: Duration) -> Self {
        Self { saved: since_1970(saved), lasts: millis(lasts), refused: 0 }
    }

    /// How old the copy is, when it may be used at `now`.
    pub(super) fn age(self, now: SystemTime, max_age: Duration) -> Result<Duration, DiskError> {
        let now = since_1970(now);
        if self.saved > now.saturating_add(millis(TOLERANCE)) {
            return Err(DiskError::FromTheFuture);
        }
        let age = now.saturating_sub(self.saved);
        if age >= self.lasts.min(millis(max_age)) {
            return Err(DiskError::TooOld(Duration::from_millis(age)));
        }
        Ok(Duration::from_millis(age))
    }

    /// The same, met by a refusal that is not the service's own at `now`.
    pub(super) fn refused_at(self, now: SystemTime) -> Self {
        Self { refused: since_1970(now).max(1), ..self }
    }

    /// How long ago the first refusal that is not the service's own came. `None` when there was none, or when it lies in the
    /// future: a clock was put back, and the time is counted anew.
    pub(super) fn refused_for(self, now: SystemTime) -> Option<Duration> {
        let since = Some(self.refused).filter(|since| *since > 0)?;
        since_1970(now).checked_sub(since).map(Duration::from_millis)
    }

    /// For how long a copy of this age may still be used.
    pub(super) fn left(self, age: Duration, max_age: Duration) -> Duration {
        Duration::from_millis(self.lasts).min(max_age).saturating_sub(age)
    }
}

/// How far clocks are put back in the normal course of things.
pub(super) const TOLERANCE: Duration = Duration::from_secs(300);

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Zero for clocks that are before 1970: every copy is then from the future.
fn since_1970(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// Hexadecimal digits that nobody else comes upon.
pub(super) fn random_name() -> Result<String, DiskError> {
    random::<8>().map(hex::encode)
}

/// Random bytes of the system. Without them there is no key.
fn random<const N: usize>() -> Result<[u8; N], DiskError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| DiskError::NoKey)?;
    Ok(bytes)
}

/// The parts of a header.
struct Header {
    life: Life,
    salt: [u8; SALT],
    nonce: [u8; NONCE],
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, DiskError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(DiskError::NoCopy)?;
        let (version, rest) = rest.split_first().ok_or(DiskError::NoCopy)?;
        if *version != VERSION {
            return Err(DiskError::OtherVersion);
        }
        let cut = DiskError::Unopened;
        let (saved, rest) = rest.split_first_chunk().ok_or(cut)?;
        let (lasts, rest) = rest.split_first_chunk().ok_or(cut)?;
        let (refused, rest) = rest.split_first_chunk().ok_or(cut)?;
        let (salt, rest) = rest.split_first_chunk().ok_or(cut)?;
        let nonce = rest.first_chunk().ok_or(cut)?;
        let life = Life {
            saved: u64::from_le_bytes(*saved),
            lasts: u64::from_le_bytes(*lasts),
            refused: u64::from_le_bytes(*refused),
        };
        Ok(Self { life, salt: *salt, nonce: *nonce })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.life.saved, self.life.lasts, self.life.refused].map(u64::to_le_bytes);
        [&MAGIC[..], &[VERSION], numbers.as_flattened(), &self.salt, &self.nonce].concat()
    }
}

/// What a header alone says, whoever wrote it.
pub(super) fn claimed_life(start: &[u8]) -> Result<Life, DiskError> {
    Header::parse(start).map(|header| header.life)
}

/// These contents with room for a header before and a tag behind them, as [`seal`] takes them.
pub(super) fn unsealed(contents: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + contents.len() + TAG));
    bytes.resize(HEADER, 0);
    bytes.extend_from_slice(contents);
    bytes
}

/// Encrypts what stands behind the first [`HEADER`] bytes of `bytes`, writes the header there and the tag at the end.
pub(super) fn seal(
    material: &KeyMaterial,
    context: &[u8],
    life: Life,
    mut bytes: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, DiskError> {
    let header = Header { life, salt: random()?, nonce: random()? };
    let cipher = material.cipher(&header.salt)?;
    let text = header.to_bytes();
    let (front, contents) = bytes.split_at_mut_checked(HEADER).ok_or(DiskError::NoCopy)?;
    front.copy_from_slice(&text);
    let tag = cipher
        .encrypt_in_place_detached(Nonce::from_slice(&header.nonce), &authenticated(&text, context), contents)
        .map_err(|_| DiskError::TooLarge)?;
    bytes.extend_from_slice(&tag);
    Ok(bytes)
}

/// Decrypts a copy in its place; the contents are what is returned.
pub(super) fn open<'b>(
    material: &KeyMaterial,
    context: &[u8],
    bytes: &'b mut [u8],
) -> Result<(Life, &'b [u8]), DiskError> {
    let header = Header::parse(bytes)?;
    let (front, sealed) = bytes.split_at_mut_checked(HEADER).ok_or(DiskError::Unopened)?;
    let (contents, tag) = sealed.split_last_chunk_mut::<TAG>().ok_or(DiskError::Unopened)?;
    material
        .cipher(&header.salt)?
        .decrypt_in_place_detached(
            Nonce::from_slice(&header.nonce),
            &authenticated(front, context),
            contents,
            Tag::from_slice(tag),
        )
        .map_err(|_| DiskError::Unopened)?;
    Ok((header.life, contents))
}

/// The header has always the same length, so nothing runs into the context.
fn authenticated(header: &[u8], context: &[u8]) -> Vec<u8> {
    [header, context].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Life = Life { saved: 1_700_000_000_000, lasts: 86_400_000, refused: 0 };

    fn material(byte: u8) -> KeyMaterial {
        KeyMaterial::Given(OfflineKey::new([byte; 32]).unwrap())
    }

    fn sealed(contents: &[u8]) -> Vec<u8> {
        let bytes = Zeroizing::new([&[0; HEADER][..], contents].concat());
        seal(&material(1), b"context", LIFE, bytes).unwrap().to_vec()
    }

    fn opened(material: &KeyMaterial, context: &[u8], mut bytes: Vec<u8>) -> Result<(Life, Vec<u8>), DiskError> {
        open(material, context, &mut bytes).map(|(life, contents)| (life, contents.to_vec()))
    }

    #[test]
    fn what_was_sealed_opens_with_its_key_and_context_only() {
        let bytes = sealed(b"hunter2");
        assert_eq!(bytes.len(), HEADER + 7 + TAG);
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(claimed_life(&bytes), Ok(LIFE));
        assert_eq!(opened(&material(1), b"context", bytes.clone()), Ok((LIFE, b"hunter2".to_vec())));
        assert_eq!(opened(&material(2), b"context", bytes.clone()), Err(DiskError::Unopened));
        assert_eq!(opened(&material(1), b"contexu", bytes), Err(DiskError::Unopened));
    }

    #[test]
    fn the_same_contents_never_give_the_same_bytes() {
        let (one, other) = (sealed(b"same"), sealed(b"same"));
        let start = 7 + 1 + 24;
        assert_ne!(one[start..start + SALT], other[start..start + SALT]);
        assert_ne!(one[start + SALT..HEADER], other[start + SALT..HEADER]);
        assert_ne!(one[HEADER..], other[HEADER..]);
    }

    #[test]
    fn any_byte_that_is_changed_in_any_way_and_any_cut_is_a_miss() {
        let bytes = sealed(b"hunter2 and more");
        for at in 0..bytes.len() {
            for change in 1..=u8::MAX {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                assert!(opened(&material(1), b"context", changed).is_err(), "byte {at} by {change:#x}");
            }
        }
        for length in 0..bytes.len() {
            assert!(opened(&material(1), b"context", bytes[..length].to_vec()).is_err(), "{length} bytes");
        }
        assert!(opened(&material(1), b"context", [bytes, vec![0]].concat()).is_err(), "a byte more");
    }

    #[test]
    fn a_copy_lives_as_long_as_its_writer_and_its_reader_both_allow() {
        let at = |millis: u64| UNIX_EPOCH + Duration::from_millis(millis);
        let day = Duration::from_secs(86_400);
        let hour = Duration::from_secs(3_600);
        assert_eq!(LIFE.age(at(LIFE.saved + 5), day), Ok(Duration::from_millis(5)));
        assert_eq!(LIFE.age(at(LIFE.saved + 86_399_999), day * 2), Ok(day - Duration::from_millis(1)));
        assert_eq!(LIFE.age(at(LIFE.saved + 86_400_000), day * 2), Err(DiskError::TooOld(day)));
        assert_eq!(LIFE.age(at(LIFE.saved + 3_600_000), hour), Err(DiskError::TooOld(hour)));
        assert!(LIFE.age(at(LIFE.saved), Duration::ZERO).is_err());
    }

    #[test]
    fn the_time_of_refusals_counts_from_the_first_and_anew_when_the_clock_was_put_back() {
        let at = |millis: u64| UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!(LIFE.refused_for(at(LIFE.saved)), None);
        let refused = LIFE.refused_at(at(LIFE.saved + 5));
        assert_eq!(refused.refused_for(at(LIFE.saved + 12)), Some(Duration::from_millis(7)));
        assert_eq!(refused.refused_for(at(LIFE.saved + 4)), None, "it would last longer than it may");
        assert!(LIFE.refused_at(UNIX_EPOCH - Duration::from_secs(1)).refused > 0);
    }

    #[test]
    fn a_clock_that_was_put_back_a_little_is_forgiven_and_more_is_not() {
        let day = Duration::from_secs(86_400);
        let saved = UNIX_EPOCH + Duration::from_millis(LIFE.saved);
        assert_eq!(LIFE.age(saved - TOLERANCE, day), Ok(Duration::ZERO));
        assert_eq!(LIFE.age(saved - TOLERANCE - Duration::from_millis(1), day), Err(DiskError::FromTheFuture));
        assert_eq!(LIFE.age(UNIX_EPOCH - day, day), Err(DiskError::FromTheFuture));
        let forever = Life { saved: u64::MAX, lasts: u64::MAX, refused: 0 };
        assert_eq!(forever.age(SystemTime::now(), Duration::MAX), Err(DiskError::FromTheFuture));
    }

    #[test]
    fn a_name_differs_with_the_key_and_with_what_it_names_and_shows_neither() {
        let name = |material: &KeyMaterial, context: &str| material.name(context.as_bytes()).unwrap();
        let one = name(&material(1), "production");
        assert_eq!(one, name(&material(1), "production"));
        assert_ne!(one, name(&material(1), "staging"));
        assert_ne!(one, name(&material(2), "production"));
        assert!(one.len() == 40 && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
    }

    #[test]
    fn the_same_bytes_as_a_key_and_as_a_token_are_two_keys() {
        let text = "x".repeat(32);
        let key = KeyMaterial::Given(OfflineKey::new(&text).unwrap());
        let token = KeyMaterial::Token(SecretValue::from(text));
        assert_ne!(key.name(b"").unwrap(), token.name(b"").unwrap());
    }

    /// Written by an earlier implementation of the same algorithms.
    const EARLIER: &str = concat!(
        "58545241435059020068e5cf8b010000005c2605000000000000000000000000000102030405060708090a0b0c0d0e0f1011",
        "12131415161718191a1b1c1d1e1f6465666768696a6b6c6d6e6f33b705f2ea6ea963c71344143a5bb9b0878c38eca4f821",
    );

    #[test]
    fn a_copy_that_an_earlier_implementation_has_written_opens_under_its_name() {
        let bytes = hex::decode(EARLIER).unwrap();
        assert_eq!(opened(&material(1), b"context", bytes), Ok((LIFE, b"hunter2".to_vec())));
        assert_eq!(material(1).name(b"context").unwrap(), "4a704858788231b2ab0dbc838735caf892d42fbf");
        let token = KeyMaterial::Token(SecretValue::from("a token"));
        assert_eq!(token.name(b"context").unwrap(), "66ffb7f5478afb7f123ec2b003657faea7856f93");
    }
}
