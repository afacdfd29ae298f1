//! The answer to a request, as its octets are heard.

use std::rc::Rc;

use http::{HeaderValue, Method, StatusCode};

use super::failure;
use super::http1::Wrong;
use super::http1::body::Body;
use super::http1::head::{self, Head, Read};
use super::meter::Meter;
use super::outgoing::Outgoing;
use crate::phone::{Answer, BodyFacts, ContentHash, Failure, Headers, Request};

/// Largest body a phone takes (assumed).
const BODY_LIMIT: u64 = 32 * 1024 * 1024;
/// What makes an answer of the octets that come.
pub(super) struct Ear<'a> {
    pub(super) meter: Rc<Meter>,
    pub(super) request: Outgoing,
    method: &'a Method,
    answer: Incoming,
    /// The answer's, once its head is there.
    pub(super) status: Option<StatusCode>,
    pub(super) heard: Heard,
}

/// What the octets have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
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

/// How an answer leaves the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Ready for the next request.
    Idle,
    /// There will be no other.
    Over,
    /// Octets came that belong to no answer.
    Junk,
}

/// What is told, and how it leaves the connection.
pub(super) type Told = (Answer, Rest);

impl<'a> Ear<'a> {
    pub(super) fn new(meter: Rc<Meter>, request: Outgoing, method: &'a Method) -> Ear<'a> {
        Ear { meter, request, method, answer: Incoming::Head(Vec::new()), status: None, heard: Heard::Nothing }
    }

    /// Takes in the next octets of the answer.
    pub(super) fn hear(&mut self, octets: &[u8]) {
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

    /// Whether the answer leaves the connection open.
    pub(super) fn keeps(&self) -> bool {
        matches!(&self.answer, Incoming::Body { head, .. } if head.keeps)
    }

    /// The connection has come to its end, and with it what is told by it.
    pub(super) fn end(&mut self) -> Result<Told, Failure> {
        match &self.answer {
            Incoming::Body { head, .. } if head.body == Body::UntilClose => self.told(Rest::Over),
            _ => Err(failure::of_end(self.meter.broken.get())),
        }
    }

    /// The answer as it is told, once its head and body are there.
    pub(super) fn told(&mut self, rest: Rest) -> Result<Told, Failure> {
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
