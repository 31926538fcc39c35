//! Server-sent events: an answer that does not end, read event by event, with bounds on each and on the silence in between.

use std::fmt;
use std::time::Duration;

use memchr::memchr2;
use reqwest::header::CONTENT_TYPE as HEADER;
use tokio::time::timeout;

use super::network_error::Failure;
use crate::core::{ErrorKind, XtraError};

/// The content type of such an answer.
pub(super) const CONTENT_TYPE: &str = "text/event-stream";

/// The longest line, and the most that is kept of one event.
const LONGEST: usize = 256 * 1024;

/// The longest silence of a service that sends something from time to time.
const SILENCE: Duration = Duration::from_secs(60);

/// The same before anything has come: not every service does.
const FIRST_SILENCE: Duration = Duration::from_secs(600);

/// Whether an answer is a stream of events.
pub(super) fn is_one(answer: &reqwest::Response) -> bool {
    let kind = answer.headers().get(HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split_once(';').map_or(kind, |(kind, _)| kind);
    kind.trim().eq_ignore_ascii_case(CONTENT_TYPE)
}

/// One event. `Debug` prints lengths alone.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct ServerEvent {
    /// What kind of event the service says it is; empty when it does not say.
    pub(crate) name: Vec<u8>,
    /// Its data, which may be anything. Often empty: such an event is a sign of life.
    pub(crate) data: Vec<u8>,
}

impl fmt::Debug for ServerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerEvent").field("name", &self.name.len()).field("data", &self.data.len()).finish()
    }
}

/// An answer that is a stream of events. The connection ends when it is dropped.
pub(crate) struct EventStream {
    answer: reqwest::Response,
    operation: &'static str,
    decoder: Decoder,
    /// What has come and is not decoded yet.
    rest: bytes::Bytes,
    has_spoken: bool,
}

impl EventStream {
    pub(super) fn new(answer: reqwest::Response, operation: &'static str) -> Self {
        Self { answer, operation, decoder: Decoder::default(), rest: bytes::Bytes::new(), has_spoken: false }
    }

    /// The next event; `None` when the service has ended the stream. Dropping the future loses nothing.
    ///
    /// Fails when the connection breaks, when nothing comes for too long, and when an event is too large. None of it is shown.
    pub(crate) async fn next(&mut self) -> Result<Option<ServerEvent>, XtraError> {
        loop {
            if let Some(event) = self.decoded().map_err(|error| error.in_call(self.operation))? {
                return Ok(Some(event));
            }
            let limit = if self.has_spoken { SILENCE } else { FIRST_SILENCE };
            let chunk = match timeout(limit, self.answer.chunk()).await {
                Ok(chunk) => chunk.map_err(|error| Failure::of_body(&error).error.in_call(self.operation))?,
                Err(_) => return Err(silent(limit).in_call(self.operation)),
            };
            let Some(chunk) = chunk else { return Ok(None) };
            self.has_spoken = true;
            self.rest = chunk;
        }
    }

    /// The next event of what has come.
    fn decoded(&mut self) -> Result<Option<ServerEvent>, XtraError> {
        let before = self.rest.len();
        let mut left = self.rest.as_ref();
        let event = self.decoder.next(&mut left);
        let read = before - left.len();
        let _ = self.rest.split_to(read);
        event
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream(..)")
    }
}

/// Lines to events. It holds what has come of the event under way, and no more than [`LONGEST`] of it.
#[derive(Default)]
struct Decoder {
    line: Vec<u8>,
    event: ServerEvent,
    /// The event has a field, though it may be an empty one.
    has_field: bool,
    /// The last line ended in a carriage return: a line feed right behind it belongs to that.
    after_return: bool,
}

impl Decoder {
    /// The next event that is whole, if there is one in `bytes`, which are moved on behind it.
    fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<ServerEvent>, XtraError> {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_return) && bytes.first() == Some(&b'\n') {
                *bytes = bytes.get(1..).unwrap_or_default();
                continue;
            }
            let end = memchr2(b'\n', b'\r', bytes);
            let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            if self.line.len() + self.event.name.len() + self.event.data.len() + part.len() > LONGEST {
                return Err(too_large());
            }
            self.line.extend_from_slice(part);
            let Some(end) = end else {
                *bytes = &[];
                break;
            };
            self.after_return = bytes.get(end) == Some(&b'\r');
            *bytes = bytes.get(end + 1..).unwrap_or_default();
            if self.line.is_empty() {
                if std::mem::take(&mut self.has_field) {
                    return Ok(Some(std::mem::take(&mut self.event)));
                }
            } else {
                self.field();
                self.line.clear();
            }
        }
        Ok(None)
    }

    /// Takes in a line. Comments and unknown fields are passed over; several lines of data are put together.
    fn field(&mut self) {
        let (name, value) = match self.line.iter().position(|byte| *byte == b':') {
            Some(at) => (self.line.get(..at), self.line.get(at + 1..)),
            None => (Some(self.line.as_slice()), None),
        };
        let value = value.unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            Some(b"event") => {
                self.event.name.clear();
                self.event.name.extend_from_slice(value);
            }
            Some(b"data") => {
                if !self.event.data.is_empty() {
                    self.event.data.push(b'\n');
                }
                self.event.data.extend_from_slice(value);
            }
            _ => return,
        }
        self.has_field = true;
    }
}

fn too_large() -> XtraError {
    XtraError::new(ErrorKind::TooLarge, format!("an event of the stream is larger than {LONGEST} bytes"))
}

fn silent(limit: Duration) -> XtraError {
    XtraError::new(ErrorKind::Timeout, format!("nothing has come over the stream for {limit:?}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The events of a stream that comes in such pieces.
    fn events(pieces: &[&[u8]]) -> Result<Vec<(String, String)>, XtraError> {
        let (mut decoder, mut found) = (Decoder::default(), Vec::new());
        for piece in pieces {
            let mut left = *piece;
            while let Some(event) = decoder.next(&mut left)? {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                found.push((text(&event.name), text(&event.data)));
            }
            assert!(left.is_empty());
        }
        Ok(found)
    }

    fn pair(name: &str, data: &str) -> (String, String) {
        (name.to_owned(), data.to_owned())
    }

    #[test]
    fn events_are_told_apart_whatever_their_lines_end_in() {
        let expected = [pair("a", "1\n2"), pair("ping", ""), pair("", "3")];
        let stream = "event: a\ndata: 1\ndata:2\nid: 7\n\n: a comment\n\nevent: ping\n\ndata: 3\n\ndata: cut off";
        for end in ["\n", "\r", "\r\n"] {
            assert_eq!(events(&[stream.replace('\n', end).as_bytes()]).unwrap(), expected);
        }
    }

    #[test]
    fn an_event_that_does_not_end_is_refused_and_holds_no_more_than_its_bound() {
        let line = vec![b'x'; 1 << 20];
        assert_eq!(events(&[&line]).unwrap_err().kind(), ErrorKind::TooLarge);
        let lines = b"data: xxxxxxxx\n".repeat(1 << 17);
        let mut decoder = Decoder::default();
        let mut left = lines.as_slice();
        let error = decoder.next(&mut left).unwrap_err();
        assert!(!error.to_string().contains("xxx"), "{error}");
        assert!(decoder.event.data.len() <= LONGEST && decoder.line.len() <= LONGEST);
        let comments = b": xxxxxxxx\n".repeat(1 << 17);
        assert_eq!(events(&[&comments]).unwrap(), [], "what is not kept is not counted");
    }

    #[test]
    fn an_event_prints_nothing_of_itself() {
        let event = ServerEvent { name: b"canary".to_vec(), data: b"canary".to_vec() };
        assert_eq!(format!("{event:?}"), "ServerEvent { name: 6, data: 6 }");
    }

    proptest! {
        #[test]
        fn it_makes_no_difference_in_which_pieces_a_stream_comes(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), Just(b'd'), any::<u8>()
            ], 0..200),
            at in 0..200_usize,
        ) {
            let (first, second) = bytes.split_at(at.min(bytes.len()));
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            let whole = events(&[&bytes]).unwrap();
            prop_assert_eq!(&events(&[first, second]).unwrap(), &whole);
            prop_assert_eq!(&events(&single).unwrap(), &whole);
        }
    }
}
