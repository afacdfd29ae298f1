//! What makes a phone one of its family, and the register of families.
//!
//! A family is data plus a little code: which requests an operation takes, which credentials answer a
//! challenge, which timers run, which screen waits. The machine ([`super::Phone`]) does the rest and
//! knows no family by name. A new family is one file and one line in [`FAMILIES`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::Attribute;
use super::rule::Rule;
use super::{Delay, Failure, Identity, Operation, Origin, Outcome, Purpose, Recurrence, Screen, Trigger};
use crate::auth::{CredentialStore, Credentials, Preference};

/// What makes a phone one of its family.
pub trait Family: fmt::Debug + Send + Sync {
    /// The family's name in workloads and output.
    fn name(&self) -> &'static str;

    /// The subject of this phone's own certificate.
    fn subject(&self, who: &Identity) -> Vec<Attribute> {
        super::subject::usual(who)
    }

    /// The boot chain: what a phone does, in order, when power comes.
    fn boot(&self) -> &[Stage];

    /// Request `number` (from 0) of an operation; `None` when the operation has no more.
    fn step(&self, number: u8, task: &Task<'_>) -> Option<Step>;

    /// What the phone does about a challenge.
    fn answer(&self, challenged: &Challenged<'_>) -> Decision;

    /// Which challenge the phone picks when the server offers several.
    fn preference(&self) -> &Preference;

    /// Credentials sent before any challenge.
    fn unasked(&self, _task: &Task<'_>) -> Option<Credentials> {
        None
    }

    /// Whether a protection space once entered is used without waiting for its challenge again.
    fn preemptive(&self) -> bool;

    /// How many answers a phone gives to challenges of one request.
    fn max_answers(&self) -> u8;

    /// How many redirects of one request a phone follows.
    fn max_redirects(&self) -> u8 {
        0
    }

    /// Whether a 407 is answered as a 401 is.
    fn answers_proxies(&self) -> bool {
        false
    }

    /// Whether this status sends the phone on to a step's `instead`, where it has one.
    fn falls_through(&self, status: StatusCode) -> bool {
        status == StatusCode::NOT_FOUND
    }

    /// Whether a request that failed so over TLS is sent again to the workload's plain HTTP server, if it names one.
    fn falls_back(&self, _operation: Operation, _failure: Failure) -> bool {
        false
    }

    /// When typed credentials replace the stored ones.
    fn learns(&self) -> Learns;

    /// The realm stored with credentials that succeeded: as a rule that of the challenge.
    fn realm_kept(&self, _typed: bool, _stored: Option<&str>, challenged: &str) -> String {
        challenged.to_owned()
    }

    /// The screen people can still open by menu after this ending, and how many do.
    fn by_menu(&self, _operation: Operation, _outcome: Outcome) -> Option<ByMenu> {
        None
    }

    /// What the phone's display says about this ending, if the vendor's words are known.
    fn says(&self, _operation: Operation, _outcome: Outcome) -> Option<&'static str> {
        None
    }

    /// Whether the settings can do with these servers, the first being the target, and this base folder.
    fn fits(&self, _servers: &[Origin], _base: &str) -> Result<(), SettingsError> {
        Ok(())
    }

    /// Whether the boot chain goes on after this ending of one of its operations.
    fn continues(&self, operation: Operation, outcome: Outcome) -> bool;

    /// The delay before a failed operation is tried again by itself; `None`: it is not.
    /// `failures`: how many in a row, this one included.
    fn retry(&self, operation: Operation, outcome: Outcome, failures: u8) -> Option<Delay>;

    /// The delay before a failed upload or download of the phone's own file is tried again by itself; `None`: it is
    /// not. `failures`: how many in a row, this one included.
    fn again(&self, _operation: Operation, _outcome: Outcome, _failures: u8) -> Option<Delay> {
        None
    }

    /// Whether a failed resync waits as long as the answer's `Retry-After` says.
    fn heeds_retry_after(&self) -> bool {
        false
    }

    /// The resyncs a phone makes by itself.
    fn periodic(&self) -> Option<Recurrence> {
        None
    }

    /// The time between reports a phone makes by itself.
    fn periodic_report(&self) -> Option<Delay> {
        None
    }

    /// Phones in use when a resync is asked for or due put it off.
    fn in_use(&self) -> Option<InUse> {
        None
    }

    /// What the plan's trigger makes this family do, and after which delay. For [`Trigger::Restart`]: what the phone
    /// does before it reboots.
    fn on_trigger(&self, trigger: Trigger) -> Option<(Operation, Delay)>;

    /// The rule behind something the phone did, for people who ask why; none if the family has no words for it.
    fn rule(&self, _deed: &Deed<'_>) -> Option<Rule> {
        None
    }

    /// Whether these phones speak TLS 1.3.
    fn speaks_tls_1_3(&self) -> bool {
        true
    }

    /// Whether these phones want the server's certificate to be for the name they asked.
    fn checks_names(&self) -> bool {
        true
    }
}

/// One stage of a boot chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How long the phone waits before it.
    pub delay: Delay,
    /// What the delay's chance is drawn for.
    pub purpose: Purpose,
    /// What it does then.
    pub operation: Operation,
}

/// The operation a step or a decision is about.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// Whose.
    pub who: &'a Identity,
    /// Which operation.
    pub operation: Operation,
    /// What set it off.
    pub why: Why,
    /// The server asked.
    pub origin: &'a Origin,
    /// Folder before every path, no trailing slash.
    pub base: &'a str,
    /// What there is to upload.
    pub upload: Upload,
}

/// What set an operation off, as far as a phone's rules can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The boot chain.
    PowerUp,
    /// The phone's own timer.
    Periodic,
    /// One before failed.
    Retry,
    /// Somebody's wish, or a person at a screen.
    Asked,
}

/// What decides the content of an upload, together with the identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upload {
    /// Counts the phone's uploads, so that each has a content of its own.
    pub version: u32,
    /// Size wanted, in octets.
    pub size: u32,
}

/// One request of an operation, before credentials.
#[derive(Clone, Debug)]
pub struct Step {
    /// The method.
    pub method: Method,
    /// Path below the target's base, beginning with `/`.
    pub path: String,
    /// Headers in sending order (`User-Agent`, `Content-Type`, …).
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// The number of the step after this one's success.
    pub then: u8,
    /// The number of the step taken where a status falls through (404, as a rule); `None`: the operation ends so.
    /// The same number as `then`: the missing file is as good as the file.
    pub instead: Option<u8>,
    /// Whether the phone keeps the connection for its next request.
    pub keep_alive: bool,
}

/// A challenge and all that bears on the answer.
#[derive(Debug)]
pub struct Challenged<'a> {
    /// The operation under way.
    pub task: Task<'a>,
    /// Which request of it was challenged, from 0.
    pub step: u8,
    /// The realm of the challenge picked.
    pub realm: &'a str,
    /// Whether credentials of this kind were sent for this operation and refused.
    pub refused: bool,
    /// What is stored.
    pub store: &'a CredentialStore,
    /// What a person has just typed for this operation, not yet tried.
    pub typed: Option<&'a Credentials>,
    /// Whether the phone has not been provisioned since it booted.
    pub booting: bool,
}

/// What to do about a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Answer with these.
    Answer(Credentials),
    /// Show this screen; the operation ends there.
    Prompt(Screen),
    /// The operation ends so.
    Fail(Outcome),
}

/// When typed credentials replace the stored ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learns {
    /// When they have succeeded.
    OnSuccess,
    /// When they are typed.
    AtOnce,
}

/// Something a phone did, of which a family may know the reason.
#[derive(Debug)]
pub enum Deed<'a> {
    /// It decided what to do about a challenge.
    Decided(&'a Challenged<'a>, &'a Decision),
    /// It sent credentials nobody had asked for.
    SentUnasked,
    /// It replaced what it had stored.
    Learned,
    /// An operation ended so.
    Ended(Operation, Outcome),
}

/// A screen that people open by menu or softkey, some time after it was missed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByMenu {
    /// Which.
    pub screen: Screen,
    /// Share of phones whose person does it.
    pub share: f64,
    /// How long after the failure they have typed.
    pub after: Delay,
}

/// Phones that people are using when a resync is to begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InUse {
    /// Share of resyncs that find the phone in use.
    pub share: f64,
    /// How long the phone is in use then.
    pub wait: Delay,
    /// The longest a resync waits for it.
    pub most: Duration,
}

/// One family in the register: how workloads name it and how its settings are read.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The name in workloads, for example `avaya-96xx`.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// Reads the family's settings (the workload's `[fleet.settings]`).
    pub read: fn(&toml::Table) -> Result<Arc<dyn Family>, SettingsError>,
    /// The settings' JSON schema: names, meanings, defaults.
    pub schema: fn() -> schemars::Schema,
}

/// A family setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SettingsError {
    /// The setting, if it is about one.
    pub key: Option<String>,
    /// What is wrong with it and what would be right.
    pub message: String,
}
