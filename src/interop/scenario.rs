//! A scenario is data: a name, what it needs, how it is played, how its transcript is judged.

use super::act::Act;
use super::bench::Bench;
use super::lab::LabError;
use super::{Cell, Stored, Tamper, Transcript, subject};
use crate::auth::Challenge;
use crate::phone::Outcome;

/// One row of the matrix.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The name in files, such as `sign-in.right`.
    pub key: &'static str,
    /// The row's words.
    pub about: &'static str,
    /// Without which it does not arise.
    pub needs: &'static [Need],
    /// How it is played and judged.
    pub play: Play,
    /// What people notice when it fails.
    pub users: &'static str,
    /// What to change on the server then, unless the failure itself says more.
    pub change: &'static str,
}

/// Without which a scenario does not arise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A connection, and under TLS a handshake that phones accept.
    Connection,
    /// A server spoken to over TLS.
    Tls,
    /// A server that asks for credentials.
    Challenge,
    /// A server that would be answered with Digest.
    Digest,
    /// A phone that stores files.
    Stores,
    /// A phone that restores what it stored.
    Restores,
    /// A phone that does not.
    DoesNotRestore,
    /// A phone that goes on with a nonce it has.
    Reuses,
    /// This family.
    Family(&'static str),
}

/// How a scenario is played and judged.
#[derive(Clone, Copy, Debug)]
pub enum Play {
    /// A phone is played, and its transcript judged.
    Phone {
        /// What it has stored.
        stored: Stored,
        /// How large its own file is.
        body: u32,
        /// What is changed on the way.
        tamper: Tamper,
        /// What is done to it.
        acts: &'static [Act],
        /// What the transcript comes to.
        judge: fn(&Bench<'_>, &Transcript) -> Cell,
    },
    /// Something that takes more than one phone's settings, or no phone at all.
    Own(fn(&Bench<'_>) -> Result<Cell, LabError>),
}

impl Scenario {
    /// Plays it for one family. `kept` takes the transcript, for whoever wants to read it.
    ///
    /// # Errors
    /// [`LabError::Settings`] if the family does not take settings that the scenario needs.
    pub fn play(&self, bench: &Bench<'_>) -> Result<Cell, LabError> {
        if let Some(reason) = self.needs.iter().find_map(|need| need.lacks(bench)) {
            return Ok(Cell::none(reason));
        }
        match self.play {
            Play::Own(play) => play(bench),
            Play::Phone { stored, body, tamper, acts, judge } => {
                let transcript = bench.play(stored, &toml::Table::new(), body, tamper, |player| {
                    for act in acts {
                        bench.act(player, *act);
                    }
                })?;
                Ok(judge(bench, &transcript))
            }
        }
    }
}

impl Need {
    /// What is missing, in words; none if it is there.
    fn lacks(self, bench: &Bench<'_>) -> Option<String> {
        let family = bench.subject.registration.name;
        let missing = |yes: bool, words: &str| (!yes).then(|| words.to_owned());
        match self {
            Need::Connection => {
                bench.lab.blocked().map(|failure| format!("no phone gets as far as a request: {}", failure.name()))
            }
            Need::Tls => missing(bench.lab.ground.origin.tls, "the target is plain HTTP"),
            Need::Challenge => missing(bench.challenges().is_some(), "the server asks these phones for no credentials"),
            Need::Digest => {
                let digest = bench.challenges().is_some_and(|list| {
                    bench
                        .plain_fleet()
                        .is_ok_and(|fleet| matches!(fleet.family.preference().choose(list), Some(Challenge::Digest(_))))
                });
                missing(digest, "no Digest is spoken between the two")
            }
            Need::Stores => missing(bench.habits.stores.is_some(), "these phones store nothing"),
            Need::Restores => missing(restores(bench), "these phones do not read back what they store"),
            Need::DoesNotRestore => missing(!restores(bench), "these phones fetch no profile of their own"),
            Need::Reuses => missing(bench.reuses_space(), "these phones begin every operation without credentials"),
            Need::Family(name) => missing(family == name, "it does not arise with these phones"),
        }
    }
}

fn restores(bench: &Bench<'_>) -> bool {
    bench.plain_fleet().is_ok_and(|fleet| subject::restores(&*fleet.family))
}

/// How signing in went: whether the server took credentials, and whether a person had to type them.
pub(super) fn signed_in(bench: &Bench<'_>, transcript: &Transcript) -> Cell {
    let operation = bench.signs_in_by();
    let Some(last) = transcript.exchanges().filter(|e| e.operation == Some(operation)).last() else {
        return Cell::none("the phone sent nothing");
    };
    if let Some(failure) = last.failure() {
        return Cell::failed(failure);
    }
    let outcome = transcript.outcomes(operation).last();
    if last.was_let_in() {
        return match (transcript.needed_a_person(), outcome) {
            (_, Some(outcome @ Outcome::ServerNotAuthentic)) => Cell::ended(outcome),
            (true, _) => {
                Cell::Person { screen: transcript.screens().map(|s| s.name()).last().unwrap_or("?").to_owned() }
            }
            (false, _) => Cell::WORKS,
        };
    }
    match (outcome, last.status()) {
        (Some(outcome @ (Outcome::NoUsableScheme | Outcome::MalformedChallenge)), _) => Cell::ended(outcome),
        (Some(Outcome::Prompt(_)), _) if transcript.needed_a_person() => Cell::server("right-credentials-refused"),
        (Some(outcome), Some(status)) if status == http::StatusCode::UNAUTHORIZED => Cell::ended(outcome),
        (_, Some(status)) if last.has_credentials() => Cell::status(status),
        (_, Some(status)) if status.is_success() || status == http::StatusCode::NOT_FOUND => {
            Cell::none("the server asked for no credentials this time")
        }
        (_, Some(status)) => Cell::status(status),
        (_, None) => Cell::server("no-answer"),
    }
}

/// How the last operation of storing went.
pub(super) fn stored(bench: &Bench<'_>, transcript: &Transcript) -> Cell {
    match bench.habits.stores.and_then(|operation| transcript.outcomes(operation).last()) {
        Some(Outcome::NotFound) => Cell::status(http::StatusCode::NOT_FOUND),
        Some(outcome) => with_person(Cell::ended(outcome), transcript),
        None => Cell::none("the phone stored nothing"),
    }
}

/// What works only because somebody typed is said to.
pub(super) fn with_person(cell: Cell, transcript: &Transcript) -> Cell {
    match (cell, transcript.screens().last()) {
        (Cell::Works { .. }, Some(screen)) if transcript.needed_a_person() => {
            Cell::Person { screen: screen.name().to_owned() }
        }
        (cell, _) => cell,
    }
}
