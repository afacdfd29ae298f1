//! One request and its answer on an open connection.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use http::{StatusCode, Version};
use hyper::body::{Body, Incoming};
use tokio::time::Instant;

use super::alarm::Alarm;
use super::deadline::Deadline;
use super::failure;
use super::line::Line;
use super::meter::Meter;
use super::outgoing::{Gate, Prepared};
use crate::phone::{Answer, BodyFacts, ContentHash, Failure};

/// Largest body a phone takes (assumed).
pub(super) const BODY_LIMIT: u64 = 32 * 1024 * 1024;
/// How long a body waits for `100 Continue` (as libcurl does by default).
const CONTINUE_WAIT: Duration = Duration::from_secs(1);
/// Pieces of a body read before others get their turn.
const PIECES_AT_ONCE: usize = 16;

/// How a conversation ended.
pub(super) struct Conversation {
    /// The whole answer, or how it failed.
    pub(super) result: Result<Answer, Failure>,
    /// The status, if a head came at all.
    pub(super) status: Option<StatusCode>,
    /// The connection, if both sides allow another request on it.
    pub(super) line: Option<Box<Line>>,
}

/// Sends the request and reads the answer.
pub(super) async fn converse(
    mut line: Box<Line>,
    prepared: Prepared,
    keep_alive: bool,
    first_byte: Duration,
    deadline: Deadline,
) -> Conversation {
    let meter = Rc::clone(line.meter());
    meter.begin_exchange(prepared.request.body().is_end_stream());
    let Prepared { request, gate } = prepared;
    let mut patience = Patience::new(first_byte, deadline, Rc::clone(&meter), gate);
    let mut response = pin!(line.quietly(|sender| sender.send_request(request)));

    let head = poll_fn(|cx| {
        line.poll(cx);
        patience.note_interim();
        // Only the connection can make it ready, and that was polled just now.
        if let Poll::Ready(result) = response.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Poll::Ready(result.map_err(|error| failure::of_exchange(&error, meter.broken.get())));
        }
        if line.ended {
            return Poll::Ready(Err(Failure::Closed));
        }
        patience.poll(&mut line.alarm, cx).map(Err)
    })
    .await;
    let (head, body) = match head {
        Ok(response) => response.into_parts(),
        Err(failure) => return Conversation::failed(failure, None),
    };
    let status = head.status;
    // A switch of protocols nobody asked for (RFC 9110 section 15.2.2).
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Conversation::failed(Failure::MalformedResponse, Some(status));
    }
    line.has_aged |= head.version != Version::HTTP_11;
    let body = match read_body(body, &mut line, &mut patience, &meter).await {
        Ok(facts) => facts,
        Err(failure) => return Conversation::failed(failure, Some(status)),
    };
    let fully_sent = meter.sent.get().is_some();
    let idle = !line.ended && line.sender.is_ready();
    let line = if keep_alive && fully_sent && idle {
        Some(line)
    } else {
        // The request's rest would follow: nothing can be said in good order any more.
        if let (true, Some(stream)) = (fully_sent, line.into_idle()) {
            stream.farewell();
        }
        None
    };
    let answer = Answer { status, headers: head.headers, body };
    Conversation { result: Ok(answer), status: Some(status), line }
}

impl Conversation {
    fn failed(failure: Failure, status: Option<StatusCode>) -> Conversation {
        Conversation { result: Err(failure), status, line: None }
    }
}

/// Reads the body to its end; nothing of it is kept. hyper has taken note of the end then, and of a close that came
/// with it.
async fn read_body(
    body: Incoming,
    line: &mut Line,
    patience: &mut Patience,
    meter: &Meter,
) -> Result<BodyFacts, Failure> {
    if body.size_hint().lower() > BODY_LIMIT {
        return Err(Failure::ResponseTooLarge);
    }
    let mut body = pin!(body);
    let mut hash = ContentHash::default();
    let mut len = 0;
    poll_fn(|cx| {
        let mut polled = false;
        for _ in 0..PIECES_AT_ONCE {
            let mut advanced = false;
            // It is this asking that makes hyper read on. Only the connection can have more ready.
            let mut noop = Context::from_waker(Waker::noop());
            while let Poll::Ready(frame) = line.quietly(|_| body.as_mut().poll_frame(&mut noop)) {
                let Some(frame) = frame else {
                    if !line.sender.is_ready() {
                        line.poll(cx);
                    }
                    return Poll::Ready(Ok(BodyFacts { len, hash: hash.finish() }));
                };
                let frame = frame.map_err(|error| failure::of_exchange(&error, meter.broken.get()))?;
                advanced = true;
                if let Some(octets) = frame.data_ref() {
                    len += octets.len() as u64;
                    if len > BODY_LIMIT {
                        return Poll::Ready(Err(Failure::ResponseTooLarge));
                    }
                    hash.update(octets);
                }
            }
            if line.ended {
                return Poll::Ready(Err(Failure::Closed));
            }
            if polled && !advanced {
                return patience.poll(&mut line.alarm, cx).map(Err);
            }
            line.poll(cx);
            polled = true;
        }
        cx.waker().wake_by_ref();
        patience.poll(&mut line.alarm, cx).map(Err)
    })
    .await
}

/// What the exchange waits for, and for how long still.
struct Patience {
    stage: Stage,
    /// When this stage has lasted too long.
    until: Instant,
    /// How running out of time is called in this stage.
    late: Failure,
    first_byte: Duration,
    deadline: Deadline,
    meter: Rc<Meter>,
    gate: Option<Arc<Gate>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// For `100 Continue`, with the body held back.
    Continue,
    /// For the system to take the request.
    Send,
    /// For the first octet of the answer.
    FirstByte,
    /// For the rest of it.
    Rest,
}

impl Patience {
    fn new(first_byte: Duration, deadline: Deadline, meter: Rc<Meter>, gate: Option<Arc<Gate>>) -> Patience {
        let (stage, until) = match gate {
            Some(_) => (Stage::Continue, deadline.within(CONTINUE_WAIT, Failure::TimeoutExchange).0),
            None => (Stage::Send, deadline.moment()),
        };
        Patience { stage, until, late: Failure::TimeoutExchange, first_byte, deadline, meter, gate }
    }

    /// An interim response was read: the answer proper is still to begin.
    fn note_interim(&mut self) {
        if self.gate.as_ref().is_some_and(|gate| gate.take_informed()) {
            self.meter.answered.set(None);
        }
    }

    /// Ready when time has run out.
    fn poll(&mut self, alarm: &mut Alarm, cx: &mut Context<'_>) -> Poll<Failure> {
        self.advance();
        ready!(alarm.poll(self.until, cx));
        if self.stage == Stage::Continue && Instant::now() < self.deadline.moment() {
            if let Some(gate) = &self.gate {
                gate.open();
            }
            self.advance();
            // The connection must be polled again, to find the gate open.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.late)
    }

    fn advance(&mut self) {
        if self.stage == Stage::Continue && self.gate.as_ref().is_some_and(|gate| gate.is_open()) {
            self.enter(Stage::Send, self.deadline.moment(), Failure::TimeoutExchange);
        }
        if self.stage == Stage::Send && self.meter.sent.get().is_some() {
            let (moment, late) = self.deadline.within(self.first_byte, Failure::TimeoutFirstByte);
            self.enter(Stage::FirstByte, moment, late);
        }
        if self.stage != Stage::Rest && self.meter.answered.get().is_some() {
            self.enter(Stage::Rest, self.deadline.moment(), Failure::TimeoutExchange);
        }
    }

    fn enter(&mut self, stage: Stage, until: Instant, late: Failure) {
        self.stage = stage;
        self.late = late;
        self.until = until;
    }
}
