//! The form of an answer as one input of the fuzzer: a text that a person can read and that recordings become.
//!
//! ```text
//! 0 429
//! retry-after: 59
//!
//! {"error":"Too Many Requests","retryAfter":59}
//! ```
//!
//! The first line has the operation and the status. The bytes of [`MARKS`] stand for what the call carried, in each of the
//! forms in which a service or a proxy may repeat it. No JSON text and no header holds these bytes otherwise.

mod checks;

use std::borrow::Cow;

pub use checks::check;

/// The token of every call.
pub const TOKEN: &str = "xs_kanarie/7Q+ab=";

/// A secret that every call sends.
pub const PLAIN: &str = "hunter2-kanarie";

/// Another one, with what JSON escapes.
pub const ODD: &str = "kan\"arie\\p\u{e4}ss/7";

/// The body of every call, as serde writes it.
pub const SENT: &str = r#"{"secrets":{"PLAIN":"hunter2-kanarie","ODD":"kan\"arie\\päss/7"},"branch":"main"}"#;

/// The byte that stands for a repetition, and what it stands for.
pub const MARKS: [(u8, &str); 9] = [
    (0x01, PLAIN),
    (0x02, r"\u0068unter2\u002Dkanarie"),
    (0x03, ODD),
    (0x04, r#"kan\"arie\\päss/7"#),
    (0x05, r#"kan\"arie\\päss\/7"#),
    (0x06, r#"kan\"arie\\p\u00e4ss/7"#),
    (0x0e, TOKEN),
    (0x0f, r"xs_kanarie\/7Q+ab="),
    (0x10, r"xs_kanarie/7Q\u002bab="),
];

/// One input, taken apart.
pub struct Input<'a> {
    pub operation: u8,
    pub status: u16,
    pub headers: Vec<(&'a [u8], Cow<'a, [u8]>)>,
    pub body: Cow<'a, [u8]>,
}

impl<'a> Input<'a> {
    /// `None` for what is no input.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let (first, mut rest) = line(bytes)?;
        let (&operation, status) = first.split_first()?;
        let status = std::str::from_utf8(status).ok()?.trim().parse().ok()?;
        let mut headers = Vec::new();
        while let Some((header, after)) = line(rest) {
            rest = after;
            if header.is_empty() {
                break;
            }
            let colon = header.iter().position(|byte| *byte == b':')?;
            headers.push((&header[..colon], expanded(header[colon + 1..].trim_ascii())));
        }
        Some(Self { operation: operation.wrapping_sub(b'0'), status, headers, body: expanded(rest) })
    }
}

/// An input out of its parts.
pub fn written<'a>(
    operation: u8,
    status: u16,
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    body: &str,
) -> String {
    let headers: String = headers.map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("{operation} {status}\n{headers}\n{body}")
}

fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// The text with what its marks stand for.
fn expanded(text: &[u8]) -> Cow<'_, [u8]> {
    let meaning = |byte: u8| MARKS.iter().find(|(mark, _)| *mark == byte).map(|(_, meaning)| meaning.as_bytes());
    if text.iter().all(|byte| meaning(*byte).is_none()) {
        return Cow::Borrowed(text);
    }
    text.iter()
        .flat_map(|byte| meaning(*byte).unwrap_or(std::slice::from_ref(byte)))
        .copied()
        .collect::<Vec<_>>()
        .into()
}
