//! One request and its answer on an open connection.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Method, StatusCode};

use super::alarm::Alarm;
use super::deadline::Deadline;
use super::ear::{Ear, Heard, Rest, Told};
use super::failure;
use super::outgoing::Outgoing;
use super::patience::Patience;
use super::stream::Stream;
use crate::phone::{Answer, Failure};

/// So often one exchange reads or writes before others get their turn.
const AT_ONCE: usize = 16;

/// An open connection, ready for an exchange.
pub(super) struct Line {
    pub(super) stream: Stream,
    /// The connection's one timer.
    pub(super) alarm: Alarm,
}

/// How a conversation ended.
pub(super) struct Conversation {
    /// The whole answer, or how it failed.
    pub(super) result: Result<Answer, Failure>,
    /// The status, if a head came at all.
    pub(super) status: Option<StatusCode>,
    /// The connection, if both sides allow another request on it.
    pub(super) line: Option<Line>,
}

/// Sends the request and reads the answer.
pub(super) async fn converse(
    line: Line,
    request: Outgoing,
    method: &Method,
    keep_alive: bool,
    first_byte: Duration,
    deadline: Deadline,
) -> Conversation {
    let Line { stream, mut alarm } = line;
    let meter = Rc::clone(stream.meter());
    meter.begin_exchange();
    let keep_alive = keep_alive && !request.closes;
    let mut patience = Patience::new(first_byte, deadline, Rc::clone(&meter), request.is_held());
    let mut talk = Talk { stream, ear: Ear::new(meter, request, method) };
    let result = poll_fn(|cx| match talk.poll(cx) {
        Poll::Ready(result) => Poll::Ready(result),
        Poll::Pending => {
            let late = ready!(patience.poll(&mut talk.ear.request, &mut alarm, cx));
            Poll::Ready(Err(late))
        }
    })
    .await;
    let Talk { stream, ear: Ear { meter, status, .. } } = talk;
    let (answer, rest) = match result {
        Ok(told) => told,
        Err(failure) => return Conversation { result: Err(failure), status, line: None },
    };
    let fully_sent = meter.sent.get().is_some();
    let line = match rest {
        Rest::Idle if keep_alive && fully_sent => Some(Line { stream, alarm }),
        // In good order, if all was said; else the request's rest would have to follow.
        Rest::Idle | Rest::Over if fully_sent => {
            stream.farewell();
            None
        }
        _ => None,
    };
    Conversation { result: Ok(answer), status, line }
}

/// Both ways at once: a server may answer before it has heard all.
struct Talk<'a> {
    stream: Stream,
    ear: Ear<'a>,
}

impl Talk<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Told, Failure>> {
        for _ in 0..AT_ONCE {
            let held = self.ear.request.is_held();
            let wrote = self.write(cx)?;
            if let Some(told) = self.read(cx)? {
                return Poll::Ready(Ok(told));
            }
            if !wrote && held == self.ear.request.is_held() {
                return Poll::Pending;
            }
        }
        // There is more to be done, but not by us alone.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Hands down what the connection takes of the request. Whether more could be.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let Talk { stream, ear: Ear { meter, request, .. } } = self;
        if meter.sent.get().is_some() {
            return Ok(false);
        }
        let piece = request.piece();
        if !piece.is_empty() {
            match stream.poll_write(cx, piece) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Ok(written)) => request.written(written),
                Poll::Ready(Err(error)) => return Err(failure::of_stream(&error, meter.broken.get())),
            }
            if !request.piece().is_empty() {
                return Ok(true);
            }
        }
        meter.given.set(request.is_given());
        match stream.poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(failure::of_stream(&error, meter.broken.get())),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(false),
        }
    }

    /// Reads what has come; the answer, if that was all of it.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<Option<Told>, Failure> {
        for _ in 0..AT_ONCE {
            let Talk { stream, ear } = self;
            match stream.poll_take(cx, |octets| ear.hear(octets)) {
                Poll::Pending => return Ok(None),
                Poll::Ready(Err(error)) => return Err(failure::of_stream(&error, ear.meter.broken.get())),
                Poll::Ready(Ok(false)) => return ear.end().map(Some),
                Poll::Ready(Ok(true)) => {}
            }
            match ear.heard {
                Heard::Nothing => {}
                Heard::Wrong(failure) => return Err(failure),
                Heard::Whole { junk } => {
                    let rest = match junk {
                        true => Rest::Junk,
                        // A close that came with it is noticed now.
                        false if ear.keeps() && stream.poll_still_alive(cx) => Rest::Idle,
                        false => Rest::Over,
                    };
                    return ear.told(rest).map(Some);
                }
            }
        }
        cx.waker().wake_by_ref();
        Ok(None)
    }
}
