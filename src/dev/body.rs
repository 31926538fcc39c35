//! The body of an answer, which is in memory as a whole, and the body of a request once it is read.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use tokio::sync::mpsc::UnboundedReceiver;

/// The longest body of a request, in bytes.
const LONGEST: usize = 10 * 1024 * 1024;

/// Reads the body of a request; one that is too long, or breaks off, is read as none.
pub(crate) async fn read(mut body: Incoming) -> Bytes {
    let mut whole = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(frame) = frame else { return Bytes::new() };
        if let Ok(data) = frame.into_data() {
            if whole.len() + data.len() > LONGEST {
                return Bytes::new();
            }
            whole.extend_from_slice(&data);
        }
    }
    whole.into()
}

/// The body of an answer.
#[derive(Default)]
pub(crate) struct Body {
    rest: Bytes,
    end: End,
}

/// How a body ends.
#[derive(Default)]
enum End {
    /// After the length that was told.
    #[default]
    Length,
    /// With the last chunk; more may come from elsewhere.
    Chunk(Option<UnboundedReceiver<String>>),
    /// Not at all: the connection breaks off, once what was sent has gone out.
    Flush,
    Break,
}

impl Body {
    /// A body that goes out with its length.
    pub(crate) fn with_length(bytes: impl Into<Bytes>) -> Self {
        Self { rest: bytes.into(), end: End::Length }
    }

    /// A body that goes out in chunks: these bytes, and then what comes from `more`.
    pub(crate) fn in_chunks(bytes: impl Into<Bytes>, more: Option<UnboundedReceiver<String>>) -> Self {
        Self { rest: bytes.into(), end: End::Chunk(more) }
    }

    /// The first half of a body, after which the connection breaks off.
    pub(crate) fn cut(self) -> Self {
        Self { rest: self.rest.slice(..self.rest.len() / 2), end: End::Flush }
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.size_hint().exact()
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))));
        }
        match &mut self.end {
            End::Length | End::Chunk(None) => Poll::Ready(None),
            End::Chunk(Some(more)) => {
                more.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece.into()))))
            }
            End::Flush => {
                self.end = End::Break;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Break => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.end, End::Length) && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.end {
            End::Length => SizeHint::with_exact(self.rest.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
