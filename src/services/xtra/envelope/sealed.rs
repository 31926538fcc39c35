//! The text of a sealed value: told from other JSON, taken apart, and written.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use zeroize::Zeroizing;

pub(super) const IV: usize = 12;
pub(super) const TAG: usize = 16;

/// What newer clients of the service write: encrypted before it is stored. Writers add members of their own.
pub(super) struct Sealed<'a> {
    ciphertext: Cow<'a, str>,
    iv: Cow<'a, str>,
    tag: Option<Cow<'a, str>>,
}

/// The parts of an envelope, to be opened in place.
pub(super) struct Parts {
    pub(super) iv: [u8; IV],
    pub(super) tag: [u8; TAG],
    /// The ciphertext, and the plaintext once it is opened.
    pub(super) contents: Zeroizing<Vec<u8>>,
}

impl<'a> Sealed<'a> {
    /// The envelope that `text` is. One that lacks its tag is one all the same: it is no value.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let members = serde_json::from_slice::<Members<'a>>(text.as_bytes()).ok()?;
        let sealed = Self { ciphertext: members.ciphertext?, iv: members.iv?, tag: members.auth_tag.or(members.tag) };
        (is_hex(&sealed.iv, 2 * IV) && is_hex(&sealed.ciphertext, sealed.ciphertext.len())).then_some(sealed)
    }

    /// The bytes, when every part has the length that it must have.
    pub(super) fn parts(&self) -> Option<Parts> {
        let tag = self.tag.as_ref()?;
        let mut contents = Zeroizing::new(vec![0; self.ciphertext.len() / 2]);
        hex::decode_to_slice(&*self.ciphertext, &mut contents).ok()?;
        let mut parts = Parts { iv: [0; IV], tag: [0; TAG], contents };
        hex::decode_to_slice(&*self.iv, &mut parts.iv).ok()?;
        hex::decode_to_slice(&**tag, &mut parts.tag).ok()?;
        Some(parts)
    }
}

/// Whether this is so many hexadecimal digits.
pub(super) fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The text of an envelope.
pub(super) fn write(parts: &Parts) -> String {
    let mut text = String::with_capacity(
        2 * (IV + TAG + parts.contents.len()) + r#"{"ciphertext":"","iv":"","authTag":""}"#.len(),
    );
    for (before, bytes) in [
        (r#"{"ciphertext":""#, parts.contents.as_slice()),
        (r#"","iv":""#, &parts.iv),
        (r#"","authTag":""#, &parts.tag),
    ] {
        text.push_str(before);
        text.push_str(&hex::encode(bytes));
    }
    text.push_str(r#""}"#);
    text
}

/// The members of an object that could be an envelope. As JavaScript has it, the last of a name counts; what is no text is none.
#[derive(Default)]
struct Members<'a> {
    ciphertext: Option<Cow<'a, str>>,
    iv: Option<Cow<'a, str>>,
    auth_tag: Option<Cow<'a, str>>,
    tag: Option<Cow<'a, str>>,
}

/// A member that should be a text. Anything else must not make a stranger of the whole envelope.
#[derive(Deserialize)]
#[serde(untagged)]
enum Member<'a> {
    #[serde(borrow)]
    Text(Cow<'a, str>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
enum Name {
    #[serde(rename = "ciphertext")]
    Ciphertext,
    #[serde(rename = "iv")]
    Iv,
    #[serde(rename = "authTag")]
    AuthTag,
    #[serde(rename = "tag")]
    Tag,
    #[serde(other)]
    Unknown,
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<Name>()? {
            let member = match name {
                Name::Ciphertext => &mut members.ciphertext,
                Name::Iv => &mut members.iv,
                Name::AuthTag => &mut members.auth_tag,
                Name::Tag => &mut members.tag,
                Name::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *member = match map.next_value::<Member<'de>>()? {
                Member::Text(text) => Some(text),
                Member::Other(_) => None,
            };
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IV_TEXT: &str = "000102030405060708090a0b";
    const TAG_TEXT: &str = "48af7c3ec76f419d915963633316133d";

    fn parse(members: &str) -> Option<(String, Option<Parts>)> {
        let text = format!("{{{members}}}");
        let sealed = Sealed::parse(&text)?;
        Some((sealed.ciphertext.to_string(), sealed.parts()))
    }

    #[test]
    fn an_envelope_borrows_from_its_text_and_is_written_as_it_was_read() {
        let text = format!(r#"{{"ciphertext":"b57eebd0e8","iv":"{IV_TEXT}","authTag":"{TAG_TEXT}"}}"#);
        let sealed = Sealed::parse(&text).unwrap();
        assert!([&sealed.ciphertext, &sealed.iv].iter().all(|part| matches!(part, Cow::Borrowed(_))));
        let parts = sealed.parts().unwrap();
        assert_eq!(
            (parts.contents.as_slice(), parts.iv[11], parts.tag[0]),
            (&[0xb5, 0x7e, 0xeb, 0xd0, 0xe8][..], 11, 0x48)
        );
        assert_eq!(write(&parts), text);
    }

    #[test]
    fn either_name_of_the_tag_will_do_and_the_usual_one_is_preferred() {
        let tag = |members: &str| {
            let all = format!(r#""ciphertext":"aa","iv":"{IV_TEXT}",{members}"#);
            parse(&all).unwrap().1.map(|parts| parts.tag[0])
        };
        assert_eq!(tag(&format!(r#""tag":"{TAG_TEXT}""#)), Some(0x48));
        let other = TAG_TEXT.replace("48", "99");
        assert_eq!(tag(&format!(r#""tag":"{TAG_TEXT}","authTag":"{other}""#)), Some(0x99));
        assert_eq!(tag(&format!(r#""authTag":null,"tag":"{TAG_TEXT}""#)), Some(0x48));
        assert_eq!(tag(&format!(r#""authTag":"{}""#, TAG_TEXT.to_uppercase())), Some(0x48));
    }

    #[test]
    fn an_envelope_that_can_never_be_opened_is_still_none_of_a_value() {
        let tag = format!(r#""tag":"{TAG_TEXT}""#);
        for rest in [
            r#""ciphertext":"aa""#.to_owned(),
            r#""ciphertext":"aa","authTag":7"#.to_owned(),
            r#""ciphertext":"aa","authTag":{"x":[1]}"#.to_owned(),
            r#""ciphertext":"aa","authTag":"48""#.to_owned(),
            format!(r#""ciphertext":"aab",{tag}"#),
            r#""ciphertext":"bb","ciphertext":"aa""#.to_owned(),
        ] {
            let (ciphertext, parts) = parse(&format!(r#""iv":"{IV_TEXT}",{rest}"#)).expect(&rest);
            assert!(ciphertext.starts_with("aa") && parts.is_none(), "{rest}");
        }
    }

    #[test]
    fn the_members_that_some_writers_add_are_passed_over_in_any_place() {
        let more = r#""workloadEnvelopes":[{"iv":"x","tag":"y","ciphertext":1}],"projectId":"p","encryptedAt":1.5e9"#;
        for members in [
            format!(r#"{more},"ciphertext":"aa","iv":"{IV_TEXT}","tag":"{TAG_TEXT}""#),
            format!(r#""ciphertext":"aa",{more},"iv":"{IV_TEXT}","tag":"{TAG_TEXT}""#),
        ] {
            let parts = parse(&members).unwrap().1.unwrap();
            assert_eq!((parts.contents.as_slice(), parts.tag[15]), (&[0xaa][..], 0x3d));
        }
    }

    #[test]
    fn what_lacks_a_ciphertext_or_an_iv_of_twelve_bytes_is_no_envelope() {
        for members in [
            format!(r#""iv":"{IV_TEXT}","tag":"{TAG_TEXT}""#),
            format!(r#""ciphertext":5,"iv":"{IV_TEXT}""#),
            format!(r#""ciphertext":"zz","iv":"{IV_TEXT}""#),
            r#""ciphertext":"aa","iv":null"#.to_owned(),
            r#""ciphertext":"aa","iv":"0001""#.to_owned(),
        ] {
            assert!(parse(&members).is_none(), "{members}");
        }
    }
}
