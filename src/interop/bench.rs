//! The bench on which scenarios are played: one family's phone, its reserved names, and a broom.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use toml::Table;

use super::lab::{Lab, LabError};
use super::player::exchange_once;
use super::subject::{Habits, Subject, USUAL_BODY, first_step};
use super::transcript::Exchange;
use super::{Player, Stage, Stored, Tamper, Transcript};
use crate::auth::{AnswerScheme, Challenge, Session};
use crate::net::{Connection, Connector, Devices, Settings, TlsSettings};
use crate::phone::{Failure, Fleet, Operation, Reason, Request};
use crate::workload::{Network, Resumption, TlsPlan, TlsSetup, TlsVersions};

/// How the server answers a request without credentials.
#[derive(Clone, Debug)]
pub enum Access {
    /// With the file, or with what else it says to those it lets in.
    Open(StatusCode),
    /// With challenges.
    Challenged(Vec<Challenge>),
    /// With a 401 nobody can read.
    Malformed,
    /// With a refusal.
    Refused(StatusCode),
    /// Not at all.
    Failed(Failure),
    /// There is no such request.
    None,
}

/// One family under test, looked up and ready.
#[derive(Debug)]
pub struct Bench<'a> {
    /// What it is.
    pub subject: Subject,
    /// What it does.
    pub habits: Habits,
    /// How the server answers when its own file is fetched.
    pub reads: Access,
    /// How the server answers when its own file is stored.
    pub writes: Access,
    /// The server, and the way there.
    pub lab: &'a Lab<'a>,
    connector: Connector,
}

impl<'a> Bench<'a> {
    /// Makes a family ready: asks the server once for its file and once to store it, without credentials.
    ///
    /// # Errors
    /// [`LabError`] if the family does not take its settings or the TLS settings do not do.
    pub fn new(lab: &'a Lab<'a>, subject: &'a Subject) -> Result<Bench<'a>, LabError> {
        let fleet = Arc::new(fleet(subject, Stored::Right, &Table::new(), USUAL_BODY)?);
        let versions = if fleet.family.speaks_tls_1_3() { TlsVersions::Both } else { TlsVersions::Only12 };
        let plan = TlsPlan::same(TlsSetup {
            versions,
            resumption: Resumption::PerPhone,
            name_check: fleet.family.checks_names(),
            device_certificates: lab.ground.device_certificates.clone(),
            ..TlsSetup::default()
        });
        let devices = Devices::of(&plan, std::slice::from_ref(&fleet))?;
        let settings = Settings {
            timeouts: lab.ground.timeouts,
            network: Network { sources: Vec::new(), max_connections: None, idle: std::time::Duration::from_secs(60) },
            tls: TlsSettings { plan, trust: lab.ground.trust.clone(), alpn: false, devices },
            addresses: lab.ground.addresses.clone(),
            shards: 1,
        };
        let connector = Connector::new(&settings)?;
        let habits = Habits::of(&*fleet.family);
        let mut bench =
            Bench { subject: subject.clone(), habits, reads: Access::None, writes: Access::None, lab, connector };
        bench.reads = bench.access(&fleet, Some(habits.fetches));
        bench.writes = bench.access(&fleet, habits.stores);
        let chosen = bench.challenges().and_then(|list| fleet.family.preference().choose(list).or(list.first()));
        bench.subject.server_realm = chosen.and_then(|c| c.realm()).map(str::to_owned);
        // What an open server has just taken.
        bench.clean();
        Ok(bench)
    }

    /// How the server answers the operation's first request without credentials.
    fn access(&self, fleet: &Fleet, operation: Option<Operation>) -> Access {
        let step = operation.and_then(|operation| first_step(fleet, operation, self.lab.ground));
        let Some(step) = step else { return Access::None };
        let request = self.request(step.method, &step.path, step.headers, step.body);
        let (exchange, _) = self.ask(None, &request);
        self.note_written(std::iter::once(&exchange));
        match (exchange.challenges(), exchange.status(), exchange.failure()) {
            (Some(Ok(challenges)), ..) => Access::Challenged(challenges),
            (Some(Err(_)), ..) => Access::Malformed,
            (None, Some(status), _) if status.is_success() || status == StatusCode::NOT_FOUND => Access::Open(status),
            (None, Some(status), _) => Access::Refused(status),
            (None, None, failure) => Access::Failed(failure.unwrap_or(Failure::Closed)),
        }
    }

    /// The challenges the server makes to this phone, wherever it makes some.
    pub fn challenges(&self) -> Option<&[Challenge]> {
        match (&self.reads, &self.writes) {
            (Access::Challenged(challenges), _) | (_, Access::Challenged(challenges)) => Some(challenges),
            _ => None,
        }
    }

    /// Whether only storing is guarded, so that signing in must be tried there.
    pub fn only_writes_are_guarded(&self) -> bool {
        matches!(self.writes, Access::Challenged(_)) && !matches!(self.reads, Access::Challenged(_) | Access::Malformed)
    }

    /// Whether the phone holds the same session for its next operation.
    pub fn reuses_space(&self) -> bool {
        self.plain_fleet().is_ok_and(|fleet| fleet.family.preemptive())
    }

    /// What a phone of this family would answer with, of what is offered.
    pub fn would_answer(&self) -> Option<AnswerScheme> {
        let fleet = self.plain_fleet().ok()?;
        fleet.family.preference().choose(self.challenges()?)?.scheme()
    }

    /// Whether phones of this family speak the scheme.
    pub fn speaks(&self, scheme: AnswerScheme) -> bool {
        self.plain_fleet().is_ok_and(|fleet| fleet.family.preference().allowed().contains(scheme))
    }

    /// Whether phones of this family speak TLS 1.3.
    pub fn speaks_tls_1_3(&self) -> bool {
        self.plain_fleet().is_ok_and(|fleet| fleet.family.speaks_tls_1_3())
    }

    /// The phone as it is in ordinary life.
    pub fn plain_fleet(&self) -> Result<Fleet, LabError> {
        fleet(&self.subject, Stored::Right, &Table::new(), USUAL_BODY)
    }

    /// Plays a phone: `act` is told the player. What it may write is noted, to be cleaned up.
    ///
    /// # Errors
    /// [`LabError::Settings`] if the family does not take the changes.
    pub fn play(
        &self,
        stored: Stored,
        changes: &Table,
        body: u32,
        tamper: Tamper,
        act: impl FnOnce(&mut Player<'_>),
    ) -> Result<Transcript, LabError> {
        let fleet = fleet(&self.subject, stored, changes, body)?;
        // Phones come and go; their sessions must not stay.
        self.connector.forget(0);
        let mut player = Player::new(self.stage(), &fleet, 0);
        player.tamper(tamper);
        act(&mut player);
        let transcript = player.into_transcript();
        self.note_written(transcript.exchanges());
        Ok(transcript)
    }

    fn note_written<'e>(&self, exchanges: impl Iterator<Item = &'e Exchange>) {
        let took = |e: &&Exchange| e.status().is_some_and(|s| s.is_success());
        for exchange in exchanges.filter(|e| e.method == Method::PUT || e.method == Method::POST).filter(took) {
            self.note_litter(&exchange.target);
        }
    }

    fn stage(&self) -> Stage<'_> {
        Stage {
            runtime: self.lab.runtime,
            connector: &self.connector,
            origin: &self.lab.ground.origin,
            base: &self.lab.ground.base,
            fallback: None,
            chance: &self.lab.chance,
            commons: &self.lab.commons,
        }
    }

    /// A request no phone machine makes.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        headers: Vec<(http::HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> Request {
        Request {
            origin: self.lab.ground.origin.clone(),
            method,
            path: format!("{}{path}", self.lab.ground.base),
            headers,
            body,
            reason: Reason::First,
            keep_alive: true,
        }
    }

    /// Sends it.
    pub fn ask(&self, kept: Option<Connection>, request: &Request) -> (Exchange, Option<Connection>) {
        exchange_once(&self.stage(), 0, kept, request)
    }

    /// Sends it; if it is challenged, once more with the right credentials and `scheme`, or whatever is strongest.
    pub fn ask_as_account(&self, request: &Request, scheme: Option<AnswerScheme>) -> Exchange {
        let (first, kept) = self.ask(None, request);
        self.note_written(std::iter::once(&first));
        let Some(Ok(challenges)) = first.challenges() else { return first };
        let usable = |c: &&Challenge| c.scheme().is_some_and(|s| scheme.is_none_or(|wanted| wanted == s));
        let strongest = crate::auth::Preference::default();
        let chosen = match scheme {
            Some(_) => challenges.iter().find(usable),
            None => strongest.choose(&challenges),
        };
        let session = chosen.and_then(|c| Session::open(c, &self.subject.right, "0a4f113b"));
        let Some(mut session) = session else { return first };
        let mut again = request.clone();
        let value = session.authorize(request.method.as_str(), &request.path, &request.body);
        again.headers.push((header::AUTHORIZATION, value));
        let (second, _) = self.ask(kept, &again);
        self.note_written(std::iter::once(&second));
        second
    }

    /// The path (below the base) of the phone's own file: what it stores, or what it fetches.
    pub fn own_path(&self, operation: Operation, changes: &Table) -> Option<String> {
        let fleet = fleet(&self.subject, Stored::Right, changes, USUAL_BODY).ok()?;
        Some(first_step(&fleet, operation, self.lab.ground)?.path)
    }

    /// Notes something that may have been written and must go.
    pub fn note_litter(&self, path: &str) {
        self.lab.note_litter(path);
    }

    /// Takes away what was written. What cannot be taken away stays noted.
    pub fn clean(&self) {
        for path in self.lab.take_litter() {
            let below = path.strip_prefix(&self.lab.ground.base).unwrap_or(&path);
            if !self.remove(below) {
                self.lab.note_litter(&path);
            }
        }
    }

    /// Deletes one of our own names; true if it is not there any more.
    pub fn remove(&self, path: &str) -> bool {
        let ends = |exchange: &Exchange| exchange.status();
        let gone =
            |status: Option<StatusCode>| status.is_some_and(|s| s == StatusCode::NOT_FOUND || s == StatusCode::GONE);
        // A server that deletes nothing may still have nothing: ask before it is called litter.
        let delete = self.request(Method::DELETE, path, Vec::new(), Bytes::new());
        let deleted = ends(&self.ask_as_account(&delete, None));
        if deleted.is_some_and(|s| s.is_success()) || gone(deleted) {
            return true;
        }
        let look = self.request(Method::HEAD, path, Vec::new(), Bytes::new());
        gone(ends(&self.ask_as_account(&look, None)))
    }
}

fn fleet(subject: &Subject, stored: Stored, changes: &Table, body: u32) -> Result<Fleet, LabError> {
    subject
        .fleet(stored, changes, body)
        .map_err(|error| LabError::Settings { family: subject.registration.name, error })
}
