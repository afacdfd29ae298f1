//! One operation from its first request to its outcome: steps, challenges, redirects.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use super::context::Context;
use super::doing::{Carries, Cause, Doing, Proof};
use super::family::{Deed, Learns, Task, Upload, Why};
use super::machine::Phone;
use super::rule;
use super::timers::TimerFor;
use super::{Action, Answer, BodyFacts, Failure, Moment, Operation, Outcome, Purpose, Reason, Request};
use crate::auth::{AnswerScheme, Charset, Credentials, Rspauth, basic};

impl Phone {
    /// Begins an operation that stands in the plan already.
    pub(super) fn begin(
        &mut self,
        intended: Moment,
        operation: Operation,
        cause: Cause,
        ctx: &Context<'_>,
        out: &mut Vec<Action>,
    ) {
        let who = self.identity(ctx);
        let upload = self.next_upload(operation, ctx);
        let why = match cause {
            Cause::Chain => Why::PowerUp,
            Cause::Asked | Cause::Typed(_) => Why::Asked,
            Cause::Periodic => Why::Periodic,
            Cause::Again => Why::Retry,
        };
        let task = Task { who: &who, operation, why, origin: ctx.origin, base: ctx.base, upload };
        out.push(Action::Started { operation, intended });
        let Some(mut step) = ctx.fleet.family.step(0, &task) else {
            // Nothing to fetch (a family without this file): done as soon as begun.
            out.push(Action::Finished(operation, Outcome::Ok));
            self.ended(intended, operation, Outcome::Ok, ctx, out);
            return;
        };
        let retry = matches!(cause, Cause::Again | Cause::Typed(_));
        let typed = if let Cause::Typed(credentials) = cause { Some(credentials) } else { None };
        self.doing = Some(Box::new(Doing {
            operation,
            why,
            origin: ctx.origin.clone(),
            path: std::mem::take(&mut step.path),
            who,
            upload,
            number: 0,
            step,
            redirects: 0,
            by_person: typed.is_some(),
            typed,
            carries: Carries::Nothing,
            answers: 0,
            stale: 0,
            answered_with: None,
            retry,
        }));
        self.open(Reason::First, ctx, out);
    }

    /// What an operation uploads: the next version, its size by chance.
    fn next_upload(&mut self, operation: Operation, ctx: &Context<'_>) -> Upload {
        if !matches!(operation, Operation::Backup | Operation::Report) {
            return Upload::default();
        }
        let memory = self.memory.get_or_insert_default();
        memory.uploads += 1;
        let version = memory.uploads;
        let unit = ctx.chance.draw(self.index, Purpose::Backup, version.into()).unit();
        Upload { version, size: ctx.fleet.backup_size.at(unit) }
    }

    /// Sends a step's request for the first time (or to where a redirect led): without credentials, unless
    /// the family sends some unasked or the space is known.
    fn open(&mut self, reason: Reason, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let Some(mut doing) = self.doing.take() else { return };
        let family = &*ctx.fleet.family;
        let mut authorization = None;
        doing.carries = Carries::Nothing;
        doing.answers = 0;
        doing.stale = 0;
        if let Some(credentials) = family.unasked(&doing.task(ctx)) {
            let token = basic::encode(&credentials, Charset::Utf8);
            authorization = HeaderValue::try_from(format!("Basic {token}")).ok();
            out.extend(family.rule(&Deed::SentUnasked).map(Action::Because));
            out.push(Action::Answering(AnswerScheme::Basic));
            doing.carries = Carries::Unasked;
        } else if !self.realms.is_empty() && family.preemptive() && doing.typed.is_none() {
            let uri = doing.uri(ctx);
            let space = self.realms.preemptive(&doing.space(false), &uri);
            if let Some(session) = space {
                authorization = Some(session.authorize(doing.step.method.as_str(), &uri, &doing.step.body));
                let basic = session.scheme() == AnswerScheme::Basic;
                out.push(Action::Because(if basic { rule::SPACE_KNOWN_BASIC } else { rule::SPACE_KNOWN }));
                out.push(Action::Answering(session.scheme()));
                doing.carries = Carries::Space(Proof::of(session, false));
            }
        }
        let reason = if doing.retry && reason == Reason::First { Reason::Retry } else { reason };
        self.send(doing, authorization.map(|value| (header::AUTHORIZATION, value)), reason, ctx, out);
    }

    pub(super) fn send(
        &mut self,
        doing: Box<Doing>,
        authorization: Option<(HeaderName, HeaderValue)>,
        reason: Reason,
        ctx: &Context<'_>,
        out: &mut Vec<Action>,
    ) {
        let mut headers = Vec::with_capacity(doing.step.headers.len() + usize::from(authorization.is_some()));
        headers.extend_from_slice(&doing.step.headers);
        if let Some((name, mut value)) = authorization {
            value.set_sensitive(true);
            headers.push((name, value));
        }
        let request = Request {
            origin: doing.origin.clone(),
            method: doing.step.method.clone(),
            path: doing.uri(ctx),
            headers,
            body: doing.step.body.clone(),
            reason,
            keep_alive: ctx.fleet.keep_alive.unwrap_or(doing.step.keep_alive),
        };
        self.doing = Some(doing);
        out.push(Action::Send(Box::new(request)));
    }

    /// The exchange under way was answered.
    pub(super) fn answered(&mut self, now: Moment, answer: &Answer, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let Some(doing) = &self.doing else { return };
        let family = &*ctx.fleet.family;
        match answer.status {
            StatusCode::UNAUTHORIZED => self.challenged(now, answer, ctx, out),
            StatusCode::PROXY_AUTHENTICATION_REQUIRED if family.answers_proxies() => {
                self.challenged(now, answer, ctx, out);
            }
            status if status.is_success() => {
                let next = doing.step.then;
                self.step_done(now, answer, next, ctx, out);
            }
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if family.max_redirects() > 0 => {
                self.redirected(now, answer, ctx, out);
            }
            status if family.falls_through(status) && doing.step.instead.is_some() => {
                let next = doing.step.instead.unwrap_or(doing.step.then);
                self.step_done(now, answer, next, ctx, out);
            }
            status => {
                self.finish(now, ending(status), ctx, out);
                let wait = answer.headers.get(header::RETRY_AFTER).and_then(seconds);
                if let (true, true, Some(wait)) =
                    (family.heeds_retry_after(), self.timers.is_set(TimerFor::Retry), wait)
                {
                    self.timers.set(TimerFor::Retry, now + wait);
                }
            }
        }
    }

    /// The exchange under way failed below HTTP: over TLS, a family may try the same without.
    pub(super) fn failed(&mut self, now: Moment, failure: Failure, ctx: &Context<'_>, out: &mut Vec<Action>) {
        if let (Some(doing), Some(fallback)) = (&mut self.doing, ctx.fallback)
            && doing.origin.tls
            && ctx.fleet.family.falls_back(doing.operation, failure)
        {
            doing.origin = fallback.clone();
            self.open(Reason::Retry, ctx, out);
        } else {
            self.finish(now, Outcome::Failed(failure), ctx, out);
        }
    }

    /// A step is through: what its credentials proved is kept, then the next step or the end.
    fn step_done(&mut self, now: Moment, answer: &Answer, next: u8, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let Some(mut doing) = self.doing.take() else { return };
        let authentic = self.proved(&mut doing, answer, ctx, out);
        let content = self.check_content(&doing, answer.body, answer.status);
        doing.number = next;
        // Each request is tried over TLS first.
        doing.origin = ctx.origin.clone();
        let next = ctx.fleet.family.step(doing.number, &doing.task(ctx));
        let outcome = if authentic { content } else { Outcome::ServerNotAuthentic };
        match next {
            Some(mut step) if outcome.is_success() => {
                doing.path = std::mem::take(&mut step.path);
                doing.step = step;
                doing.redirects = 0;
                self.doing = Some(doing);
                self.open(Reason::First, ctx, out);
            }
            _ => {
                self.doing = Some(doing);
                self.finish(now, outcome, ctx, out);
            }
        }
    }

    /// Lets the session take in what the server said of it, and keeps the credentials if they are news. False if
    /// the server proved not to know the password.
    fn proved(&mut self, doing: &mut Doing, answer: &Answer, ctx: &Context<'_>, out: &mut Vec<Action>) -> bool {
        let (Carries::Space(proof) | Carries::Answer(proof)) = &doing.carries else { return true };
        let field = if proof.proxy { "proxy-authentication-info" } else { "authentication-info" };
        if answer.headers.has(field)
            && let Some(session) = self.realms.session(&doing.space(proof.proxy), proof.realm.as_deref())
            && let Some(info) = answer.headers.get(field)
            && session.take_info(info.as_bytes(), &doing.uri(ctx), None).rspauth == Rspauth::Wrong
        {
            return false;
        }
        if let Some(credentials) = doing.answered_with.take()
            && ctx.fleet.family.learns() == Learns::OnSuccess
        {
            let store = self.store_of(&doing.who, ctx);
            let challenged = proof.realm.as_deref().unwrap_or_default();
            let realm = ctx.fleet.family.realm_kept(doing.by_person, store.realm(), challenged);
            self.learn(&credentials, Some(&realm), ctx, out);
        }
        true
    }

    /// Takes over credentials; `realm` is what they succeeded in, or none where the family keeps none.
    pub(super) fn learn(
        &mut self,
        credentials: &Credentials,
        realm: Option<&str>,
        ctx: &Context<'_>,
        out: &mut Vec<Action>,
    ) {
        let mut store = self.store(ctx);
        let realm = realm.or(store.realm()).unwrap_or_default().to_owned();
        if store.learn(credentials, &realm) {
            self.memory.get_or_insert_default().store = Some(Box::new(store));
            out.extend(ctx.fleet.family.rule(&Deed::Learned).map(Action::Because));
            out.push(Action::Stored);
        }
    }

    /// Remembers what was stored; holds what was read back against it.
    fn check_content(&mut self, doing: &Doing, body: BodyFacts, status: StatusCode) -> Outcome {
        match doing.operation {
            Operation::Backup => {
                self.memory.get_or_insert_default().stored = Some(BodyFacts::of(&doing.step.body));
            }
            Operation::Delete => {
                if let Some(memory) = &mut self.memory {
                    memory.stored = None;
                }
            }
            Operation::Restore if status.is_success() => {
                let stored = self.memory.as_ref().and_then(|m| m.stored);
                if stored.is_some_and(|stored| stored != body) {
                    return Outcome::ContentMismatch;
                }
            }
            _ => {}
        }
        Outcome::Ok
    }

    pub(super) fn end_with(
        &mut self,
        doing: Box<Doing>,
        now: Moment,
        outcome: Outcome,
        ctx: &Context<'_>,
        out: &mut Vec<Action>,
    ) {
        self.doing = Some(doing);
        self.finish(now, outcome, ctx, out);
    }

    fn redirected(&mut self, now: Moment, answer: &Answer, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let Some(mut doing) = self.doing.take() else { return };
        let location = answer.headers.get(header::LOCATION).and_then(|l| l.to_str().ok());
        let path = location.and_then(|l| super::redirect::path_within(l, &doing.origin, ctx.base, &doing.uri(ctx)));
        match path {
            Some(path) if doing.redirects < ctx.fleet.family.max_redirects() && doing.step.method == Method::GET => {
                doing.redirects += 1;
                doing.path = path;
                self.doing = Some(doing);
                self.open(Reason::Redirect, ctx, out);
            }
            _ => self.end_with(doing, now, Outcome::RedirectRefused, ctx, out),
        }
    }

    /// The operation ends, and what comes after it is set going.
    pub(super) fn finish(&mut self, now: Moment, outcome: Outcome, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let Some(doing) = self.doing.take() else { return };
        out.extend(ctx.fleet.family.rule(&Deed::Ended(doing.operation, outcome)).map(Action::Because));
        out.push(Action::Finished(doing.operation, outcome));
        self.ended(now, doing.operation, outcome, ctx, out);
    }
}

/// A `Retry-After` in seconds; one that names a date is passed over.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse::<u32>().ok().map(|seconds| Duration::from_secs(seconds.into()))
}

/// How an operation ends on a status that is no success.
fn ending(status: StatusCode) -> Outcome {
    match status {
        StatusCode::NOT_FOUND => Outcome::NotFound,
        StatusCode::SERVICE_UNAVAILABLE => Outcome::Overload,
        other => Outcome::Http(other.as_u16()),
    }
}
