//! The phone machine: inputs in, actions out. Its parts: the boot chain (`boot.rs`), one operation (`doing.rs`,
//! `operating.rs`) and its challenges (`challenged.rs`), what follows its end (`ending.rs`), the person at a
//! prompt (`person.rs`), timers (`timers.rs`).
//!
//! ```text
//!            power-up                 due                    done, chain not through
//!  Power ───────────────▶ BootDelay ───────▶ Answer ────────────────────▶ BootDelay
//!                                            │  ▲ 401, answerable
//!                                            │  └──────────────┐
//!                                            ├─────────────▶ ChallengeAnswer
//!                       prompt               │                 │ refused, or nothing to answer with
//!  Person ◀──────────────────────────────────┴─────────────────┘
//!    │ typed ──▶ Answer                      │ failed
//!    │ never comes: stays                    ├──▶ Retry ── due ──▶ Answer
//!                                            └──▶ Rest  ── asked, periodic ──▶ Answer
//! ```
//!
//! One restore of an Avaya phone, told in ten lines: power comes ([`Input::Trigger`]) and the phone asks
//! for a timer. [`Input::Due`]: it sends `GET /96x1Hupgrade.txt`, then `GET /46xxsettings.txt`; each answer
//! comes in as [`Input::Answered`]. It waits for its registration and sends `GET …/20007_96xxdata.txt`,
//! without credentials. The server answers 401 with realm `Digest`. The stored realm is `Digest` and the
//! stored credentials are not null, so it sends the request again, answered. 200: the operation ends
//! [`Outcome::Ok`], the chain is through, the phone is [`Standing::Provisioned`]. Had the realm been another,
//! the operation would have ended `prompt-authentication` and the phone stood at a screen until a person's
//! [`Input::Typed`], be it from the people model's timer or from outside.

use std::time::Duration;

use super::chain::Chain;
use super::context::Context;
use super::doing::{Cause, Doing};
use super::draws::Draws;
use super::timers::{TimerFor, Timers};
use super::{
    Action, Chance, Delay, Draw, DropCause, Fleet, Identity, Input, Moment, Operation, Purpose, Recurrence, Screen,
    Standing, Trigger,
};
use crate::auth::{CredentialStore, RealmCache};
use crate::phone::BodyFacts;

/// One phone. At rest it is this struct and nothing else; what differs from the fleet's rule is boxed
/// when it first differs.
#[derive(Debug)]
pub struct Phone {
    pub(super) index: u32,
    draws: Draws,
    pub(super) power: Power,
    pub(super) chain: Chain,
    /// The screen that waits, and the operation that led there.
    pub(super) screen: Option<(Screen, Operation)>,
    /// How many times the person at the screen has typed.
    pub(super) typings: u8,
    /// Failures in a row, for the retry list.
    pub(super) failures: u8,
    /// The screen somebody opens by menu when the person's timer is due, and the operation it leads to.
    pub(super) opens: Option<(Screen, Operation)>,
    /// What a restart waits for.
    pub(super) restarting: Option<Operation>,
    /// Set once the run drains: nothing new begins.
    pub(super) draining: Option<DropCause>,
    pub(super) timers: Timers,
    pub(super) doing: Option<Box<Doing>>,
    /// Protection spaces entered since power-up.
    pub(super) realms: RealmCache,
    pub(super) memory: Option<Box<Memory>>,
}

/// Whether the phone has power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    Off,
    On,
}

/// What a phone remembers beyond its fleet's rule.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Credentials, once they differ from what the fleet's rule says. Non-volatile.
    pub(super) store: Option<Box<CredentialStore>>,
    /// Failures in a row of an operation on the phone's own file that it will try again.
    pub(super) again: u8,
    /// How many uploads there were.
    pub(super) uploads: u32,
    /// What the server was last seen to take: what a restore must bring back.
    pub(super) stored: Option<BodyFacts>,
}

/// What a phone awaits, for people who look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaits {
    /// Power.
    Power,
    /// The next stage of its boot chain.
    BootDelay,
    /// An answer to its request.
    Answer,
    /// An answer to its answer to a challenge.
    ChallengeAnswer,
    /// A person at its screen.
    Person,
    /// The time to try again.
    Retry,
    /// Nothing but somebody's wish or its periodic timer.
    Rest,
}

impl Phone {
    /// Phone `index` of the run as it is when the run begins.
    pub fn new(index: u32, fleet: &Fleet, chance: &Chance) -> Phone {
        let mut phone = Phone {
            index,
            draws: Draws::default(),
            power: Power::Off,
            chain: Chain::Broken,
            screen: None,
            typings: 0,
            failures: 0,
            opens: None,
            restarting: None,
            draining: None,
            timers: Timers::default(),
            doing: None,
            realms: RealmCache::new(),
            memory: None,
        };
        if fleet.starts_on {
            phone.power = Power::On;
            phone.chain = Chain::Through;
            // It has been up for long: its periods are anywhere.
            let up_for_long = |delay: Delay, counter| {
                let mut draw = chance.draw(index, Purpose::TimerJitter, counter);
                Moment::ZERO + Delay::up_to(delay.base + delay.spread).pick(&mut draw)
            };
            match fleet.family.periodic() {
                Some(Recurrence::Every(delay)) => phone.timers.set(TimerFor::Periodic, up_for_long(delay, u64::MAX)),
                Some(daily) => {
                    let mut draw = chance.draw(index, Purpose::TimerJitter, u64::MAX);
                    let delay = daily.delay(Moment::ZERO).pick(&mut draw);
                    phone.timers.set(TimerFor::Periodic, Moment::ZERO + delay);
                }
                None => {}
            }
            if let Some(delay) = fleet.family.periodic_report() {
                phone.timers.set(TimerFor::Report, up_for_long(delay, u64::MAX - 1));
            }
        }
        phone
    }

    /// Its position in the run.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        match (self.power, self.screen, self.chain) {
            (Power::Off, ..) => Standing::Off,
            (_, Some(_), _) => Standing::Prompting,
            (_, None, Chain::Through) => Standing::Provisioned,
            (_, None, Chain::At(_)) => Standing::Booting,
            (_, None, Chain::Stands(_)) if self.doing.is_some() => Standing::Booting,
            (_, None, Chain::Broken | Chain::BrokenAt(_) | Chain::Stands(_)) => Standing::Failed,
        }
    }

    /// What it awaits.
    pub fn awaits(&self) -> Awaits {
        match (&self.doing, self.power) {
            (Some(doing), _) if doing.has_answered() => Awaits::ChallengeAnswer,
            (Some(_), _) => Awaits::Answer,
            (None, Power::Off) => Awaits::Power,
            (None, Power::On) if self.timers.is_set(TimerFor::Chain) => Awaits::BootDelay,
            (None, Power::On) if self.screen.is_some() => Awaits::Person,
            (None, Power::On) if self.timers.is_set(TimerFor::Retry) => Awaits::Retry,
            (None, Power::On) => Awaits::Rest,
        }
    }

    /// The screen that waits for a person, if one does.
    pub fn screen(&self) -> Option<Screen> {
        self.screen.map(|(screen, _)| screen)
    }

    /// The operation under way, if one is.
    pub fn operation(&self) -> Option<Operation> {
        self.doing.as_ref().map(|d| d.operation())
    }

    /// When it wants [`Input::Due`] next; `NEVER` while an exchange is under way or nothing is to come.
    pub fn next_due(&self) -> Moment {
        if self.doing.is_some() { Moment::NEVER } else { self.timers.next() }
    }

    /// Whether it can get no further by itself: nothing under way, no stage of the boot chain, no operation
    /// asked for and no person to come. Retry and periodic timers do not count: they never end.
    pub fn is_settled(&self) -> bool {
        let asked = Operation::ALL.into_iter().any(|op| self.timers.is_set(TimerFor::Asked(op)));
        let coming = self.timers.is_set(TimerFor::Chain) || self.timers.is_set(TimerFor::Person);
        self.doing.is_none() && !asked && !coming
    }

    /// What it has stored now.
    pub fn store(&self, ctx: &Context<'_>) -> CredentialStore {
        self.own_store().unwrap_or_else(|| ctx.fleet.stored(ctx.chance, &self.identity(ctx)))
    }

    /// The same for who knows already who the phone is: templates are not filled once more.
    pub(super) fn store_of(&self, who: &Identity, ctx: &Context<'_>) -> CredentialStore {
        self.own_store().unwrap_or_else(|| ctx.fleet.stored(ctx.chance, who))
    }

    /// What it has stored, once that differs from the fleet's rule.
    fn own_store(&self) -> Option<CredentialStore> {
        self.memory.as_ref()?.store.as_deref().cloned()
    }

    /// Takes what happened, and says into `out` what is to be done about it, in order.
    ///
    /// `now` must not go back, but for a trigger that is handed on late: that comes as of the plan's moment, so that what
    /// follows from it is not late as well. An input that cannot be meant (an answer when nothing was asked) is ignored.
    pub fn handle(&mut self, now: Moment, input: Input<'_>, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let before = self.next_due();
        match (input, self.draining) {
            (Input::Trigger(trigger), Some(cause)) => refuse(trigger, cause, ctx, out),
            (input, _) => self.take(now, input, ctx, out),
        }
        self.serve_due(now, ctx, out);
        let next = self.next_due();
        if next != before {
            // A request is always the last action.
            let at = if matches!(out.last(), Some(Action::Send(_))) { out.len() - 1 } else { out.len() };
            out.insert(at, Action::Timer(next));
        }
    }

    fn take(&mut self, now: Moment, input: Input<'_>, ctx: &Context<'_>, out: &mut Vec<Action>) {
        match input {
            Input::Trigger(Trigger::PowerUp) => self.power_up(now, ctx, out),
            Input::Trigger(Trigger::Restart) => self.told_to_restart(now, ctx, out),
            Input::Trigger(trigger) => self.asked(now, trigger, ctx, out),
            Input::Due => {}
            Input::Answered(answer) => self.answered(now, answer, ctx, out),
            Input::Failed(failure) => self.failed(now, failure, ctx, out),
            Input::Typed(credentials) => self.typed(now, credentials, ctx, out),
            Input::Drain(cause) => self.drain(cause, ctx, out),
            Input::Abort => {
                self.drain(DropCause::Interrupted, ctx, out);
                out.push(Action::Hangup);
                self.lose_operation(now, ctx, out);
            }
        }
    }

    /// Begins what is due, one thing at a time.
    fn serve_due(&mut self, now: Moment, ctx: &Context<'_>, out: &mut Vec<Action>) {
        while self.doing.is_none() && self.draining.is_none() {
            let Some((timer, at)) = self.timers.take_due(now) else { return };
            match timer {
                TimerFor::Chain => {
                    if let Some(stage) = self.stage(ctx) {
                        self.begin(at, stage, Cause::Chain, ctx, out);
                    }
                }
                TimerFor::Retry => self.try_again(at, ctx, out),
                TimerFor::Person => self.person_types(at, ctx, out),
                TimerFor::Periodic => match self.use_wait(ctx) {
                    Some(wait) => self.timers.set(TimerFor::Asked(Operation::Resync), at + wait),
                    None => self.plan_and_begin(at, Operation::Resync, Cause::Periodic, ctx, out),
                },
                TimerFor::Report => self.plan_and_begin(at, Operation::Report, Cause::Periodic, ctx, out),
                TimerFor::Asked(operation) => {
                    let again = self.memory.as_ref().is_some_and(|m| m.again > 0) && operation != Operation::Resync;
                    let cause = if again { Cause::Again } else { Cause::Asked };
                    self.plan_and_begin(at, operation, cause, ctx, out);
                }
            }
        }
    }

    fn asked(&mut self, now: Moment, trigger: Trigger, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let Some((operation, delay)) = ctx.fleet.family.on_trigger(trigger) else { return };
        let timer = TimerFor::Asked(operation);
        let drop = |cause| [Action::Planned(operation), Action::Dropped(operation, cause)];
        if self.power == Power::Off {
            out.extend(drop(DropCause::PoweredOff));
        } else if trigger != Trigger::Change && self.timers.is_set(timer) {
            out.extend(drop(DropCause::PhoneBusy));
        } else {
            // A change begins the delay anew: several changes make one upload.
            let delay = delay.pick(&mut self.draw(Purpose::Debounce, ctx));
            let wait = if operation == Operation::Resync { self.use_wait(ctx) } else { None };
            self.timers.set(timer, now + delay + wait.unwrap_or_default());
        }
    }

    /// How long a resync is put off because somebody uses the phone.
    fn use_wait(&mut self, ctx: &Context<'_>) -> Option<Duration> {
        let in_use = ctx.fleet.family.in_use()?;
        let mut draw = self.draw(Purpose::InUse, ctx);
        draw.happens(in_use.share).then(|| in_use.wait.pick(&mut draw).min(in_use.most))
    }

    pub(super) fn plan_and_begin(
        &mut self,
        at: Moment,
        operation: Operation,
        cause: Cause,
        ctx: &Context<'_>,
        out: &mut Vec<Action>,
    ) {
        out.push(Action::Planned(operation));
        self.begin(at, operation, cause, ctx, out);
    }

    fn drain(&mut self, cause: DropCause, ctx: &Context<'_>, out: &mut Vec<Action>) {
        self.draining.get_or_insert(cause);
        self.restarting = None;
        self.drop_chain(cause, ctx, out);
        self.drop_wishes(cause, out);
        self.timers = Timers::default();
    }

    /// What somebody asked for and what waits for its delay will never start.
    pub(super) fn drop_wishes(&self, cause: DropCause, out: &mut Vec<Action>) {
        let wishes = Operation::ALL.into_iter().filter(|op| self.timers.is_set(TimerFor::Asked(*op)));
        out.extend(wishes.flat_map(|op| [Action::Planned(op), Action::Dropped(op, cause)]));
    }

    /// The phone's next draw for this purpose.
    pub(super) fn draw(&mut self, purpose: Purpose, ctx: &Context<'_>) -> Draw {
        ctx.chance.draw(self.index, purpose, self.draws.next(purpose))
    }

    /// Who this phone is.
    pub(super) fn identity(&self, ctx: &Context<'_>) -> Identity {
        ctx.fleet.identity(self.index)
    }
}

/// What the plan still had for a phone when its run ended: all of it stood in the plan, none of it starts.
fn refuse(trigger: Trigger, cause: DropCause, ctx: &Context<'_>, out: &mut Vec<Action>) {
    let family = &*ctx.fleet.family;
    let chain = family.boot().iter().filter(|_| trigger.boots()).map(|stage| stage.operation);
    let asked = family.on_trigger(trigger).map(|(operation, _)| operation);
    out.extend(asked.into_iter().chain(chain).flat_map(|op| [Action::Planned(op), Action::Dropped(op, cause)]));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bench::{Bench, challenge, fleet, status};
    use super::super::{Answer, Failure, People};
    use std::sync::Arc;

    use super::*;
    use crate::auth::Credentials;
    use crate::phone::Origin;

    /// Settings that set everything going that a family can do.
    const BUSY: [(&str, &str); 3] = [
        (
            "avaya-96xx",
            "firmware-file = \"a.bin\"\nscr-twin = true\nlanguage-files = [\"de.xml\"]\nregistration-delay = \"0s\"\n\
             transfer-attempts = 3",
        ),
        (
            "cisco-mpp",
            "profile-rule = \"/a | /b\"\nprofile-rule-b = \"($PRVST = 2)? [--uid a --pwd b] /retry\"\n\
             report-to-server = \"periodically\"\nreport-periodic = \"100s\"\nbare-ip = true\nsetup-by-menu = 0.5\nin-use = 0.5\nreport-attempts = 2",
        ),
        ("http-device", "urls = [\"/a\", \"/b\"]\nupload-path = \"/up\"\nperiodic = \"300s\""),
    ];

    /// Anything a server, a person or the plan may do next.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        Trigger(Trigger),
        Wait(u32),
        Answer(u8),
        Fail(Failure),
        Type(bool),
    }

    fn event() -> impl Strategy<Value = Event> {
        let trigger = prop::sample::select(Trigger::ALL.to_vec());
        prop_oneof![
            1 => trigger.prop_map(Event::Trigger),
            4 => (0..2_000u32).prop_map(Event::Wait),
            8 => (0..9u8).prop_map(Event::Answer),
            1 => prop::sample::select(vec![Failure::Closed, Failure::ConnectRefused]).prop_map(Event::Fail),
            1 => any::<bool>().prop_map(Event::Type),
        ]
    }

    fn answer(which: u8) -> Answer {
        match which {
            0 => status(404),
            1 => status(503),
            2 => challenge(&["Digest realm=\"files\", nonce=\"n\", qop=\"auth\", algorithm=MD5-sess"]),
            3 => challenge(&["Digest realm=\"other\", nonce=\"n\"", "Basic realm=\"files\""]),
            4 => challenge(&["Negotiate"]),
            5 => challenge(&[]),
            6 => status(407),
            _ => status(200),
        }
    }

    proptest! {
        /// Whatever happens: one exchange at a time, nothing started that was not planned, and after the
        /// run has drained every operation planned is started or dropped and every one started has an end.
        #[test]
        fn the_books_close_whatever_happens(
            family in prop::sample::select(super::super::FAMILIES.iter().map(|f| f.name).collect::<Vec<_>>()), null in any::<bool>(), falls in any::<bool>(),
            events in prop::collection::vec(event(), 0..60)
        ) {
            let mut fleet = fleet(family, BUSY.iter().find(|(name, _)| *name == family).map_or("", |(_, s)| s));
            fleet.account.null = if null { 1.0 } else { 0.0 };
            fleet.people = People { come: 0.5, right: 0.5, ..People::default() };
            let mut bench = Bench::new(fleet);
            bench.fallback = falls.then(|| Arc::new(Origin { tls: false, host: "server".into(), port: 80 }));
            let mut exchanging = false;
            for event in events {
                let before = bench.actions.len();
                let asked = match event {
                    Event::Trigger(trigger) => bench.give(Input::Trigger(trigger)),
                    Event::Wait(seconds) => {
                        let until = bench.now + std::time::Duration::from_secs(seconds.into());
                        let due = bench.phone.next_due();
                        bench.now = until.min(due);
                        (due <= until).then(|| bench.give(Input::Due)).flatten()
                    }
                    Event::Answer(which) => bench.give(Input::Answered(&answer(which))),
                    Event::Fail(failure) => bench.give(Input::Failed(failure)),
                    Event::Type(right) => {
                        let password = if right { "right" } else { "guess" };
                        bench.give(Input::Typed(Credentials::new("2001", password)))
                    }
                };
                let hung_up = bench.actions[before..].iter().any(|a| matches!(a, Action::Hangup));
                let ended = hung_up || matches!(event, Event::Answer(_) | Event::Fail(_));
                prop_assert!(asked.is_none() || ended || !exchanging, "a second exchange beside the first");
                exchanging = asked.is_some() || (exchanging && !ended);
                prop_assert_eq!(bench.phone.operation().is_some(), exchanging, "an operation always has an exchange");
                prop_assert!(!exchanging || bench.phone.next_due() == Moment::NEVER);
            }
            bench.give(Input::Drain(DropCause::RunEnded));
            bench.give(Input::Abort);
            prop_assert_eq!(bench.phone.operation(), None);
            prop_assert_eq!(bench.phone.next_due(), Moment::NEVER);
            bench.assert_ledger();
        }
    }

    #[test]
    fn a_phone_at_rest_is_small() {
        assert!(size_of::<Phone>() <= 104, "{} octets", size_of::<Phone>());
    }
}
