//! One request and its answer on an open connection.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::StatusCode;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep, sleep_until};

use super::deadline::Deadline;
use super::failure;
use super::meter::Meter;
use super::outgoing::{Gate, Outgoing, Prepared};
use super::stream::Stream;
use crate::phone::{Answer, BodyFacts, ContentHash, Failure};

/// Largest body a phone takes (assumed).
pub(super) const BODY_LIMIT: u64 = 32 * 1024 * 1024;
/// Buffer for heads: a larger one is [`Failure::ResponseTooLarge`].
const HEAD_LIMIT: usize = 64 * 1024;
/// How long a body waits for `100 Continue` (as libcurl does by default).
const CONTINUE_WAIT: Duration = Duration::from_secs(1);

/// How a conversation ended.
pub(super) struct Conversation {
    /// The whole answer, or how it failed.
    pub(super) result: Result<Answer, Failure>,
    /// The status, if a head came at all.
    pub(super) status: Option<StatusCode>,
    /// The connection, if both sides allow another request on it.
    pub(super) stream: Option<Stream>,
}

/// Sends the request and reads the answer.
pub(super) async fn converse(
    stream: Stream,
    prepared: Prepared,
    keep_alive: bool,
    first_byte: Duration,
    deadline: Deadline,
) -> Conversation {
    let meter = Rc::clone(stream.meter());
    meter.begin_exchange(prepared.request.body().is_end_stream());
    let Prepared { request, gate } = prepared;
    let mut builder = http1::Builder::new();
    builder.title_case_headers(true).max_buf_size(HEAD_LIMIT).max_header_size(HEAD_LIMIT);
    let (mut sender, connection) = match builder.handshake::<_, Outgoing>(TokioIo::new(stream)).await {
        Ok(made) => made,
        Err(error) => return Conversation::failed(failure::of_exchange(&error, false), None),
    };
    let mut line = Line { connection, ended: false };
    let sleep = pin!(sleep_until(deadline.moment()));
    let mut patience = Patience::new(sleep, first_byte, deadline, Rc::clone(&meter), gate);
    let mut response = pin!(sender.send_request(request));

    let head = poll_fn(|cx| {
        line.poll(cx);
        patience.note_interim();
        if let Poll::Ready(result) = response.as_mut().poll(cx) {
            return Poll::Ready(result.map_err(|error| failure::of_exchange(&error, meter.broken.get())));
        }
        if line.ended {
            return Poll::Ready(Err(Failure::Closed));
        }
        patience.poll(cx).map(Err)
    })
    .await;
    let (head, body) = match head {
        Ok(response) => response.into_parts(),
        Err(failure) => return Conversation::failed(failure, None),
    };
    // A switch of protocols nobody asked for (RFC 9110 section 15.2.2).
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Conversation::failed(Failure::MalformedResponse, Some(head.status));
    }
    let body = match read_body(body, &mut line, &mut patience, &meter).await {
        Ok(facts) => facts,
        Err(failure) => return Conversation::failed(failure, Some(head.status)),
    };
    let status = head.status;
    let answer = Answer { status, headers: head.headers, body };
    // Once more, so that hyper takes note of the end, and we of a close that came with it.
    let idle = poll_fn(|cx| {
        line.poll(cx);
        Poll::Ready(!line.ended && sender.is_ready())
    })
    .await;
    let fully_sent = meter.sent.get().is_some();
    let keep = keep_alive && fully_sent && idle;
    let stream = match line.into_idle() {
        Some(stream) if keep => Some(stream),
        // The request's rest would follow: nothing can be said in good order any more.
        Some(stream) if fully_sent => {
            stream.farewell();
            None
        }
        _ => None,
    };
    Conversation { result: Ok(answer), status: Some(status), stream }
}

impl Conversation {
    fn failed(failure: Failure, status: Option<StatusCode>) -> Conversation {
        Conversation { result: Err(failure), status, stream: None }
    }
}

/// hyper's connection, polled alongside whatever waits on it.
struct Line {
    connection: http1::Connection<TokioIo<Stream>, Outgoing>,
    ended: bool,
}

impl Line {
    fn poll(&mut self, cx: &mut Context<'_>) {
        // How it ended reaches the waiting side by itself: hyper gives errors to the request or the body.
        if !self.ended && self.connection.poll_without_shutdown(cx).is_ready() {
            self.ended = true;
        }
    }

    /// The bare connection; none if octets came that belong to no answer.
    fn into_idle(self) -> Option<Stream> {
        let parts = self.connection.into_parts();
        parts.read_buf.is_empty().then(|| parts.io.into_inner())
    }
}

/// Reads the body to its end; nothing of it is kept.
async fn read_body(
    body: Incoming,
    line: &mut Line,
    patience: &mut Patience<'_>,
    meter: &Meter,
) -> Result<BodyFacts, Failure> {
    if body.size_hint().lower() > BODY_LIMIT {
        return Err(Failure::ResponseTooLarge);
    }
    let mut body = pin!(body);
    let mut hash = ContentHash::default();
    let mut len = 0;
    poll_fn(|cx| {
        loop {
            line.poll(cx);
            let mut advanced = false;
            while let Poll::Ready(frame) = body.as_mut().poll_frame(cx) {
                let frame = match frame {
                    None => return Poll::Ready(Ok(BodyFacts { len, hash: hash.finish() })),
                    Some(frame) => frame.map_err(|error| failure::of_exchange(&error, meter.broken.get()))?,
                };
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
            if !advanced {
                return patience.poll(cx).map(Err);
            }
        }
    })
    .await
}

/// What the exchange waits for, and for how long still.
struct Patience<'a> {
    sleep: Pin<&'a mut Sleep>,
    stage: Stage,
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

impl<'a> Patience<'a> {
    fn new(
        mut sleep: Pin<&'a mut Sleep>,
        first_byte: Duration,
        deadline: Deadline,
        meter: Rc<Meter>,
        gate: Option<Arc<Gate>>,
    ) -> Self {
        let mut stage = Stage::Send;
        if gate.is_some() {
            stage = Stage::Continue;
            let (moment, _) = deadline.within(CONTINUE_WAIT, Failure::TimeoutExchange);
            sleep.as_mut().reset(moment);
        }
        Patience { sleep, stage, late: Failure::TimeoutExchange, first_byte, deadline, meter, gate }
    }

    /// An interim response was read: the answer proper is still to begin.
    fn note_interim(&mut self) {
        if self.gate.as_ref().is_some_and(|gate| gate.take_informed()) {
            self.meter.answered.set(None);
        }
    }

    /// Ready when time has run out.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        self.advance();
        ready!(self.sleep.as_mut().poll(cx));
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
        if self.sleep.deadline() != until {
            self.sleep.as_mut().reset(until);
        }
    }
}
