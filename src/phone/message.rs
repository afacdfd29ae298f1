//! What goes in and out of the phone machine: inputs, actions, requests, answers.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::{DropCause, Failure, Headers, Moment, Operation, Origin, Outcome, Rule, Screen, Trigger};
use crate::auth::{AnswerScheme, Credentials};

/// Everything that can happen to a phone.
#[derive(Debug)]
pub enum Input<'a> {
    /// The arrival plan acts on the phone.
    Trigger(Trigger),
    /// The moment asked for with [`Action::Timer`] has come.
    Due,
    /// The exchange under way was answered; the whole answer was read.
    Answered(&'a Answer),
    /// The exchange under way failed below HTTP.
    Failed(Failure),
    /// A person typed credentials at the screen (also from outside: `trace`, `interop`).
    Typed(Credentials),
    /// The run drains: an operation under way may end, nothing new begins.
    Drain(DropCause),
    /// The run ends now: what is under way ends as [`Failure::Aborted`].
    Abort,
}

/// An answer as the phone sees it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status line's code.
    pub status: StatusCode,
    /// All headers, in the order they came.
    pub headers: Headers,
    /// What was in the body.
    pub body: BodyFacts,
}

/// What a phone needs to know of a body it has read: nothing is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BodyFacts {
    /// Octets read.
    pub len: u64,
    /// [`ContentHash`] of all octets.
    pub hash: u64,
}

impl BodyFacts {
    /// The facts of a body held in one piece.
    pub fn of(body: &[u8]) -> BodyFacts {
        let mut hash = ContentHash::default();
        hash.update(body);
        BodyFacts { len: body.len() as u64, hash: hash.finish() }
    }
}

/// A running 64-bit hash of content: to tell two contents apart, not for security. FNV-1a over words of eight
/// octets, folded so that high bits count too; how the content was cut into pieces does not matter.
#[derive(Clone, Copy, Debug)]
pub struct ContentHash {
    hash: u64,
    /// Octets that do not fill a word yet, the first lowest.
    rest: u64,
    len: u64,
}

impl Default for ContentHash {
    fn default() -> Self {
        ContentHash { hash: 0xcbf2_9ce4_8422_2325, rest: 0, len: 0 }
    }
}

impl ContentHash {
    /// Takes in the next octets.
    pub fn update(&mut self, octets: &[u8]) {
        let missing = (8 - self.len as usize % 8) % 8;
        let (head, body) = octets.split_at(missing.min(octets.len()));
        head.iter().for_each(|octet| self.push(*octet));
        let (words, tail) = body.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        self.len += words.len() as u64 * 8;
        tail.iter().for_each(|octet| self.push(*octet));
    }

    /// The hash of all octets so far.
    pub fn finish(mut self) -> u64 {
        self.mix(self.rest);
        self.mix(self.len);
        self.hash
    }

    fn push(&mut self, octet: u8) {
        self.rest |= u64::from(octet) << (self.len % 8 * 8);
        self.len += 1;
        if self.len.is_multiple_of(8) {
            self.mix(self.rest);
            self.rest = 0;
        }
    }

    fn mix(&mut self, word: u64) {
        let product = (self.hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.hash = product ^ (product >> 32);
    }
}

/// Why a request is sent: its place in the count of what a calm fleet would need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The first request of a step.
    First,
    /// The same again with credentials, after a `first` challenge: needed even when all is well.
    Answer,
    /// Again, because the nonce had gone stale.
    Stale,
    /// Again, because the server challenged although it was not refused outright: `unsolicited` or `rejected`.
    Again,
    /// A request of an operation that is itself a retry of a failed one.
    Retry,
    /// A redirect followed.
    Redirect,
}

impl Reason {
    /// Whether a calm fleet, whose first answers are all right, would send it too.
    pub const fn is_calm(self) -> bool {
        matches!(self, Reason::First | Reason::Answer | Reason::Redirect)
    }

    /// Whether it repeats a request to answer a challenge.
    pub const fn is_auth_retry(self) -> bool {
        matches!(self, Reason::Answer | Reason::Stale | Reason::Again)
    }
}

/// One request, ready to be put on a connection. `Host` and `Content-Length` are the sender's to add.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where to.
    pub origin: Arc<Origin>,
    /// The method.
    pub method: Method,
    /// Path and query, as on the request line.
    pub path: String,
    /// Headers in the order they are sent.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// Why it is sent.
    pub reason: Reason,
    /// Whether the connection may be kept for this phone's next exchange.
    pub keep_alive: bool,
}

/// The four kinds of challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum ChallengeKind {
    /// To a request without credentials: the ordinary opening of a protection space.
    First,
    /// `stale=true`: the nonce is too old, the credentials are fine.
    Stale,
    /// To a request that carried an answer to this server's challenge: the credentials are refused.
    Rejected,
    /// To a request that carried credentials nobody had asked for this time (a nonce kept from
    /// before, or registration credentials), without `stale`.
    Unsolicited,
}

impl ChallengeKind {
    /// Every kind, in the order figures are printed.
    pub const ALL: [ChallengeKind; 4] =
        [ChallengeKind::First, ChallengeKind::Stale, ChallengeKind::Rejected, ChallengeKind::Unsolicited];

    /// The word used in files and output.
    pub const fn name(self) -> &'static str {
        match self {
            ChallengeKind::First => "first",
            ChallengeKind::Stale => "stale",
            ChallengeKind::Rejected => "rejected",
            ChallengeKind::Unsolicited => "unsolicited",
        }
    }
}

/// What the phone wants done, or wants known. Actions come in the order they happened.
#[derive(Clone, Debug)]
pub enum Action {
    /// Put this request on the phone's connection (or a new one). At most one at a time; always the last action.
    Send(Box<Request>),
    /// Close the phone's connection, and forget the exchange under way if there is one.
    Hangup,
    /// Call again with [`Input::Due`] at this moment; replaces any former wish. `NEVER`: no timer.
    Timer(Moment),
    /// The operation stands in the plan: it will be [`Action::Started`] or [`Action::Dropped`].
    Planned(Operation),
    /// The operation begins with the next [`Action::Send`].
    Started {
        /// Which.
        operation: Operation,
        /// When it should have begun.
        intended: Moment,
    },
    /// The operation will never start.
    Dropped(Operation, DropCause),
    /// The operation ended. Exactly one for each `Started`.
    Finished(Operation, Outcome),
    /// A challenge was received.
    Challenged(ChallengeKind),
    /// The next request carries credentials of this scheme.
    Answering(AnswerScheme),
    /// A screen now waits for a person.
    Prompt(Screen),
    /// A person typed credentials at a screen.
    Typed {
        /// Whether they are the right ones, as the people model has it.
        right: bool,
    },
    /// Stored credentials or realm were replaced.
    Stored,
    /// All of the boot chain is through.
    Provisioned,
    /// Why the phone did what it does next, or has just done: for people, counted nowhere.
    Because(Rule),
}

/// Where a phone stands. Every phone is in exactly one of these at any moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// No power yet.
    #[default]
    Off,
    /// On its way through the boot chain.
    Booting,
    /// The boot chain is through.
    Provisioned,
    /// A screen waits for a person.
    Prompting,
    /// The boot chain failed, no screen is shown (a retry timer may run).
    Failed,
}

impl Standing {
    /// The word used in files and output.
    pub const fn name(self) -> &'static str {
        match self {
            Standing::Off => "off",
            Standing::Booting => "booting",
            Standing::Provisioned => "provisioned",
            Standing::Prompting => "prompting",
            Standing::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn content_hashes_alike_however_it_is_cut(
            octets in prop::collection::vec(any::<u8>(), 0..200),
            cuts in prop::collection::vec(0..200usize, 0..6),
            at in any::<prop::sample::Index>(),
        ) {
            let whole = BodyFacts::of(&octets);
            let mut hash = ContentHash::default();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(octets.len())).collect();
            cuts.extend([0, octets.len()]);
            cuts.sort_unstable();
            cuts.windows(2).for_each(|cut| hash.update(&octets[cut[0]..cut[1]]));
            prop_assert_eq!(hash.finish(), whole.hash);

            if !octets.is_empty() {
                let mut other = octets.clone();
                other[at.index(octets.len())] ^= 1;
                prop_assert_ne!(BodyFacts::of(&other).hash, whole.hash);
                prop_assert_ne!(BodyFacts::of(&octets[1..]).hash, whole.hash);
            }
        }
    }
}
