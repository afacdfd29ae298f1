//! One request and its answer on an open connection.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderValue, Method, StatusCode};
use tokio::time::Instant;

use super::alarm::Alarm;
use super::deadline::Deadline;
use super::failure;
use super::http1::Wrong;
use super::http1::body::Body;
use super::http1::head::{self, Head, Read};
use super::meter::Meter;
use super::outgoing::Outgoing;
use super::stream::Stream;
use crate::phone::{Answer, BodyFacts, ContentHash, Failure, Headers, Request};

/// Largest body a phone takes (assumed).
pub(super) const BODY_LIMIT: u64 = 32 * 1024 * 1024;
/// How long a body waits for `100 Continue` (as libcurl does by default).
const CONTINUE_WAIT: Duration = Duration::from_secs(1);
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

/// How an answer leaves the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// Ready for the next request.
    Idle,
    /// There will be no other.
    Over,
    /// Octets came that belong to no answer.
    Junk,
}

/// Both ways at once: a server may answer before it has heard all.
struct Talk<'a> {
    stream: Stream,
    ear: Ear<'a>,
}

/// What makes an answer of the octets that come.
struct Ear<'a> {
    meter: Rc<Meter>,
    request: Outgoing,
    method: &'a Method,
    answer: Incoming,
    /// The answer's, once its head is there.
    status: Option<StatusCode>,
    heard: Heard,
}

/// What the octets have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// Not yet an answer.
    Nothing,
    /// All of it, and whether octets came that are not its own.
    Whole { junk: bool },
    /// None.
    Wrong(Failure),
}

/// As far as the answer has come.
#[allow(clippy::large_enum_variant, reason = "there is one of them for each exchange, not many")]
enum Incoming {
    /// The beginning of a head, if it did not come in one piece.
    Head(Vec<u8>),
    Body {
        head: Head,
        len: u64,
        hash: ContentHash,
    },
}

type Told = (Answer, Rest);

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
                    let rest = match &ear.answer {
                        _ if junk => Rest::Junk,
                        // A close that came with it is noticed now.
                        Incoming::Body { head, .. } if head.keeps && stream.poll_still_alive(cx) => Rest::Idle,
                        _ => Rest::Over,
                    };
                    return ear.told(rest).map(Some);
                }
            }
        }
        cx.waker().wake_by_ref();
        Ok(None)
    }
}

impl<'a> Ear<'a> {
    fn new(meter: Rc<Meter>, request: Outgoing, method: &'a Method) -> Ear<'a> {
        Ear { meter, request, method, answer: Incoming::Head(Vec::new()), status: None, heard: Heard::Nothing }
    }

    /// Takes in the next octets of the answer.
    fn hear(&mut self, octets: &[u8]) {
        match &mut self.heard {
            Heard::Nothing => self.heard = self.take(octets).unwrap_or_else(Heard::Wrong),
            Heard::Whole { junk } => *junk = true,
            Heard::Wrong(_) => {}
        }
    }

    fn take(&mut self, octets: &[u8]) -> Result<Heard, Failure> {
        let Incoming::Head(begun) = &mut self.answer else { return self.take_body(octets) };
        if begun.is_empty() {
            return self.take_head(octets);
        }
        let mut whole = std::mem::take(begun);
        whole.extend_from_slice(octets);
        self.take_head(&whole)
    }

    fn take_head(&mut self, mut octets: &[u8]) -> Result<Heard, Failure> {
        loop {
            match head::read(octets, self.method)? {
                Read::Partial => {
                    self.answer = Incoming::Head(octets.to_vec());
                    return Ok(Heard::Nothing);
                }
                Read::Interim(status, length) => {
                    octets = &octets[length..];
                    if self.request.informed(status) && octets.is_empty() {
                        // The answer proper is still to begin.
                        self.meter.answered.set(None);
                    }
                    if octets.is_empty() {
                        self.answer = Incoming::Head(Vec::new());
                        return Ok(Heard::Nothing);
                    }
                }
                Read::Final(head, length) => {
                    self.status = Some(head.status);
                    // A switch of protocols nobody asked for (RFC 9110 section 15.2.2).
                    if head.status == StatusCode::SWITCHING_PROTOCOLS {
                        return Err(Failure::MalformedResponse);
                    }
                    if head.body.least() > BODY_LIMIT {
                        return Err(Failure::ResponseTooLarge);
                    }
                    self.answer = Incoming::Body { head, len: 0, hash: ContentHash::default() };
                    return self.take_body(&octets[length..]);
                }
            }
        }
    }

    fn take_body(&mut self, octets: &[u8]) -> Result<Heard, Failure> {
        let Incoming::Body { head, len, hash } = &mut self.answer else { return Ok(Heard::Nothing) };
        let taken = head.body.take(octets, |content| {
            *len += content.len() as u64;
            hash.update(content);
        })?;
        if *len > BODY_LIMIT {
            return Err(Failure::ResponseTooLarge);
        }
        Ok(if head.body.is_over() { Heard::Whole { junk: taken < octets.len() } } else { Heard::Nothing })
    }

    /// The connection has come to its end, and with it what is told by it.
    fn end(&mut self) -> Result<Told, Failure> {
        match &self.answer {
            Incoming::Body { head, .. } if head.body == Body::UntilClose => self.told(Rest::Over),
            _ => Err(failure::of_end(self.meter.broken.get())),
        }
    }

    /// The answer as it is told, once its head and body are there.
    fn told(&mut self, rest: Rest) -> Result<Told, Failure> {
        let Incoming::Body { head, len, hash } = &mut self.answer else {
            return Err(failure::of_end(self.meter.broken.get()));
        };
        let headers: Headers = std::mem::take(&mut head.headers);
        Ok((Answer { status: head.status, headers, body: BodyFacts { len: *len, hash: hash.finish() } }, rest))
    }
}

/// What these octets are heard as, coming in these pieces and then no more, in answer to this request: the status, if a
/// head came; the answer and whether octets came that are not its own, or the failure. A door for tests and fuzzers: no
/// connection, no clock.
#[doc(hidden)]
pub fn overhear<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    request: &Request,
) -> (Option<StatusCode>, Result<(Answer, bool), Failure>) {
    let outgoing = Outgoing::new(request, &HeaderValue::from_static("localhost"));
    let mut ear = Ear::new(Rc::default(), outgoing, &request.method);
    pieces.into_iter().for_each(|piece| ear.hear(piece));
    let told = match ear.heard {
        Heard::Nothing => ear.end(),
        Heard::Whole { junk } => ear.told(if junk { Rest::Junk } else { Rest::Over }),
        Heard::Wrong(failure) => Err(failure),
    };
    (ear.status, told.map(|(answer, rest)| (answer, rest == Rest::Junk)))
}

impl From<Wrong> for Failure {
    fn from(wrong: Wrong) -> Failure {
        match wrong {
            Wrong::Malformed => Failure::MalformedResponse,
            Wrong::TooLarge => Failure::ResponseTooLarge,
        }
    }
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
    fn new(first_byte: Duration, deadline: Deadline, meter: Rc<Meter>, held: bool) -> Patience {
        let (stage, until) = match held {
            true => (Stage::Continue, deadline.within(CONTINUE_WAIT, Failure::TimeoutExchange).0),
            false => (Stage::Send, deadline.moment()),
        };
        Patience { stage, until, late: Failure::TimeoutExchange, first_byte, deadline, meter }
    }

    /// Ready when time has run out.
    fn poll(&mut self, request: &mut Outgoing, alarm: &mut Alarm, cx: &mut Context<'_>) -> Poll<Failure> {
        self.advance(request);
        ready!(alarm.poll(self.until, cx));
        if self.stage == Stage::Continue && Instant::now() < self.deadline.moment() {
            request.release();
            self.advance(request);
            // What was held back can be written now.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.late)
    }

    fn advance(&mut self, request: &Outgoing) {
        if self.stage == Stage::Continue && !request.is_held() {
            self.enter(Stage::Send, self.deadline.moment(), Failure::TimeoutExchange);
        }
        if self.stage == Stage::Send
            && let Some(sent) = self.meter.sent.get()
        {
            let (moment, late) = self.deadline.after_that(sent, self.first_byte, Failure::TimeoutFirstByte);
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
