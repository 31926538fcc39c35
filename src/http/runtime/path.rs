//! Parameters in a path: each stays inside its segment.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

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
pub(crate) fn encode_path<T: PathParameter + ?Sized>(
    parameter: &'static str,
    value: &T,
) -> Result<String, PathRefused> {
    encode_segment(&value.path_text()).map_err(|why| PathRefused { parameter, why })
}

/// The same of a text, or why that is no segment: the empty text would merge two slashes, and dots alone would name another
/// resource, encoded or not.
pub(crate) fn encode_segment(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("must not be empty"),
        "." | ".." => Err("must not be `.` or `..`, which would name another resource"),
        text => Ok(utf8_percent_encode(text, RESERVED).to_string()),
    }
}

/// Everything but letters, digits and `-._~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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
