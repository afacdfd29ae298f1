//! What a phone is doing: an operation under way, and where it stands.

use std::sync::Arc;

use super::context::Context;
use super::family::{Step, Task, Upload, Why};
use super::{Identity, Operation, Origin};
use crate::auth::{AnswerScheme, Credentials, Session};

/// An operation under way.
#[derive(Debug)]
pub(super) struct Doing {
    pub(super) operation: Operation,
    pub(super) why: Why,
    /// The server the request under way goes to.
    pub(super) origin: Arc<Origin>,
    pub(super) who: Identity,
    pub(super) upload: Upload,
    /// Which request of the operation, from 0.
    pub(super) number: u8,
    pub(super) step: Step,
    /// Where the step's request goes now: its own path, or where a redirect led.
    pub(super) path: String,
    pub(super) redirects: u8,
    /// Credentials a person has just typed, not yet tried.
    pub(super) typed: Option<Credentials>,
    /// Whether a person's credentials began it.
    pub(super) by_person: bool,
    /// What the request under way carries.
    pub(super) carries: Carries,
    /// Answers given to challenges of this request, and how many of them because of a stale nonce.
    pub(super) answers: u8,
    pub(super) stale: u8,
    /// The credentials of the last answer, learned when they succeed.
    pub(super) answered_with: Option<Credentials>,
    /// Whether the whole operation repeats one that failed.
    pub(super) retry: bool,
}

/// Why an operation begins.
#[derive(Debug)]
pub(super) enum Cause {
    /// The boot chain.
    Chain,
    /// Somebody's wish, or a change.
    Asked,
    /// The phone's own timer.
    Periodic,
    /// The one before failed.
    Again,
    /// A person typed these.
    Typed(Credentials),
}

/// What credentials the request under way carries. Sessions themselves live in the realm cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// None.
    Nothing,
    /// Some nobody asked for, such as registration credentials.
    Unasked,
    /// Those of a protection space entered before.
    Space(Proof),
    /// An answer to a challenge to this very request.
    Answer(Proof),
}

/// Which session gave the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proof {
    /// Whether it was a proxy's challenge (407).
    pub(super) proxy: bool,
    pub(super) realm: Option<String>,
    pub(super) scheme: AnswerScheme,
}

impl Proof {
    pub(super) fn of(session: &Session, proxy: bool) -> Proof {
        Proof { proxy, realm: session.realm().map(str::to_owned), scheme: session.scheme() }
    }
}

impl Doing {
    pub(super) fn operation(&self) -> Operation {
        self.operation
    }

    pub(super) fn has_answered(&self) -> bool {
        matches!(self.carries, Carries::Answer(_))
    }

    pub(super) fn task<'a>(&'a self, ctx: &Context<'a>) -> Task<'a> {
        Task {
            who: &self.who,
            operation: self.operation,
            why: self.why,
            origin: &self.origin,
            base: ctx.base,
            upload: self.upload,
        }
    }

    /// Under which name the realm cache has what this server, or a proxy before it, has asked for.
    pub(super) fn space(&self, proxy: bool) -> String {
        if proxy { format!("proxy of {}", self.origin) } else { self.origin.url() }
    }

    pub(super) fn uri(&self, ctx: &Context<'_>) -> String {
        if ctx.base.is_empty() { self.path.clone() } else { [ctx.base, &self.path].concat() }
    }
}
