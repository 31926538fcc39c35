//! Request bodies, which may hold secrets.

use std::io::{self, Write};

use bytes::Bytes;
use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::core::{ErrorKind, XtraError};

/// What the generated code asks of a request under construction.
pub(crate) trait RequestBuilderExt: Sized {
    /// Writes a JSON body into one buffer, which is wiped when the last copy of the request is gone.
    fn json_body<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, XtraError>;

    /// Sends this JSON, which is wiped when the last copy of the request is gone.
    fn wiped_json(self, json: Zeroizing<Vec<u8>>) -> Self;
}

impl RequestBuilderExt for RequestBuilder {
    fn json_body<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, XtraError> {
        Ok(self.wiped_json(to_wiped_json(value)?))
    }

    fn wiped_json(self, json: Zeroizing<Vec<u8>>) -> Self {
        self.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(Bytes::from_owner(json))
    }
}

/// Measured first, because a buffer that grows leaves unwiped copies behind.
pub(crate) fn to_wiped_json<T: Serialize + ?Sized>(value: &T) -> Result<Zeroizing<Vec<u8>>, XtraError> {
    // the cause may quote the value
    let unsendable =
        |_| XtraError::new(ErrorKind::Invalid, "the request's body cannot be written as JSON; nothing was sent");
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value).map_err(unsendable)?;
    let mut buffer = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *buffer, value).map_err(unsendable)?;
    Ok(buffer)
}

struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_written_into_one_buffer_of_its_size() {
        let written = to_wiped_json(&[("key", "line\nbreak"), ("other", "ü")]).unwrap();
        assert_eq!(written.as_slice(), r#"[["key","line\nbreak"],["other","ü"]]"#.as_bytes());
        assert_eq!(written.capacity(), written.len());
    }

    #[test]
    fn a_body_that_cannot_be_written_is_an_error_without_its_data() {
        let keys = std::collections::BTreeMap::from([(vec!["canary"], 1)]);
        let error = to_wiped_json(&keys).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(!format!("{error:?}{error}").contains("canary"));
    }
}
