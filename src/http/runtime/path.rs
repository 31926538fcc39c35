//! Parameters in a path: each stays inside its segment.

use std::borrow::Cow;
use std::fmt;

/// A value that can stand in a path.
pub(crate) trait PathParameter {
    /// The value's text, before it is encoded.
    fn path_text(&self) -> Cow<'_, str>;
}

impl<T: fmt::Display + ?Sized> PathParameter for T {
    fn path_text(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
}

/// A value that would change the path instead of standing in it. It holds the parameter's name, not its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PathRefused {
    parameter: &'static str,
    why: &'static str,
}

impl fmt::Display for PathRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.parameter, self.why)
    }
}

/// One path segment: all but the unreserved characters of RFC 3986 are percent-encoded.
///
/// The empty text would merge two slashes, and dots alone would name another resource, encoded or not.
pub(crate) fn encode_path<T: PathParameter + ?Sized>(
    parameter: &'static str,
    value: &T,
) -> Result<String, PathRefused> {
    let text = value.path_text();
    match &*text {
        "" => Err(PathRefused { parameter, why: "must not be empty" }),
        "." | ".." => Err(PathRefused { parameter, why: "must not be `.` or `..`, which would name another resource" }),
        text => Ok(encode(text)),
    }
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                out.push('%');
                out.push(hex_digit(byte >> 4));
                out.push(hex_digit(byte & 15));
            }
        }
    }
    out
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_unreserved_characters_is_encoded() {
        let encoded = |text: &str| encode_path("name", text).unwrap();
        assert_eq!(encoded("AZaz09-._~"), "AZaz09-._~");
        assert_eq!(encoded("feature/new-ui"), "feature%2Fnew-ui");
        assert_eq!(encoded(r"..\..\admin"), "..%5C..%5Cadmin");
        assert_eq!(encoded("50% ü?#;+"), "50%25%20%C3%BC%3F%23%3B%2B");
        assert_eq!(encoded("%2e%2e"), "%252e%252e");
        assert_eq!(encoded("..."), "...");
    }

    #[test]
    fn what_would_leave_the_segment_is_refused_by_name() {
        for text in ["", ".", ".."] {
            let refused = encode_path("key", text).unwrap_err();
            assert!(refused.to_string().starts_with("`key` must not be"), "{refused}");
        }
    }

    #[test]
    fn numbers_are_path_parameters_too() {
        assert_eq!(encode_path("version", &-3).unwrap(), "-3");
    }
}
