//! The phone machine: power, boot chain, timers, people. What happens inside one operation is
//! [`super::operating`]'s.
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

use std::sync::Arc;

use super::family::Learns;
use super::operating::{Cause, Doing};
use super::timers::{TimerFor, Timers};
use super::{
    Action, Chance, Draw, DropCause, Failure, Fleet, Identity, Input, Moment, Operation, Origin, Outcome, Purpose,
    Screen, Standing, Trigger,
};
use crate::auth::{CredentialStore, Credentials, RealmCache};
use crate::phone::BodyFacts;

/// What every phone of a fleet needs to know and none keeps for itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The phone's fleet.
    pub fleet: &'a Fleet,
    /// The source of all chance.
    pub chance: &'a Chance,
    /// The file server.
    pub origin: &'a Arc<Origin>,
    /// Folder before every path, no trailing slash; empty for the root.
    pub base: &'a str,
}

/// One phone. At rest it is this struct and nothing else; what differs from the fleet's rule is boxed
/// when it first differs.
#[derive(Debug)]
pub struct Phone {
    pub(super) index: u32,
    draws: Draws,
    power: Power,
    chain: Chain,
    /// The screen that waits, and the operation that led there.
    screen: Option<(Screen, Operation)>,
    /// How many times the person at the screen has typed.
    typings: u8,
    /// Failures in a row, for the retry list.
    failures: u8,
    /// Set once the run drains: nothing new begins.
    draining: Option<DropCause>,
    timers: Timers,
    pub(super) doing: Option<Box<Doing>>,
    pub(super) memory: Option<Box<Memory>>,
}

/// How many draws there were, by purpose.
#[derive(Clone, Copy, Debug, Default)]
struct Draws([u32; DRAWS]);

/// More than there are purposes, so that each has a counter of its own.
const DRAWS: usize = 16;

/// Whether the phone has power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    Off,
    On,
}

/// How far the boot chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chain {
    /// Not begun, or broken off at a failure.
    Broken,
    /// This stage waits for its timer or is under way.
    At(u8),
    /// This stage stands at a screen.
    Stands(u8),
    /// Through: the phone is provisioned.
    Through,
}

/// What a phone remembers beyond its fleet's rule.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Credentials, once they differ from what the fleet's rule says. Non-volatile.
    pub(super) store: Option<CredentialStore>,
    /// Protection spaces entered since power-up.
    pub(super) realms: RealmCache,
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
            draining: None,
            timers: Timers::default(),
            doing: None,
            memory: None,
        };
        if fleet.starts_on {
            phone.power = Power::On;
            phone.chain = Chain::Through;
            if let Some(periodic) = fleet.family.periodic() {
                // It has been up for long: its period is anywhere.
                let period = periodic.base + periodic.spread;
                let into =
                    chance.draw(index, Purpose::TimerJitter, u64::MAX).between(std::time::Duration::ZERO, period);
                phone.timers.set(TimerFor::Periodic, Moment::ZERO + into);
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
            (_, None, Chain::Broken | Chain::Stands(_)) => Standing::Failed,
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
        match self.memory.as_ref().and_then(|m| m.store.as_ref()) {
            Some(store) => store.clone(),
            None => ctx.fleet.stored(ctx.chance, &ctx.fleet.identity(self.index)),
        }
    }

    /// Takes what happened, and says into `out` what is to be done about it, in order.
    ///
    /// `now` must not go back. An input that cannot be meant (an answer when nothing was asked) is ignored.
    pub fn handle(&mut self, now: Moment, input: Input<'_>, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let before = self.next_due();
        match input {
            Input::Trigger(Trigger::PowerUp) => self.power_up(now, ctx, out),
            Input::Trigger(trigger) => self.asked(now, trigger, ctx, out),
            Input::Due => {}
            Input::Answered(answer) => self.answered(now, answer, ctx, out),
            Input::Failed(failure) => self.finish(now, Outcome::Failed(failure), ctx, out),
            Input::Typed(credentials) => self.typed(now, credentials, ctx, out),
            Input::Drain(cause) => self.drain(cause, ctx, out),
            Input::Abort => {
                self.drain(DropCause::Interrupted, ctx, out);
                out.push(Action::Hangup);
                self.lose_operation(now, ctx, out);
            }
        }
        self.serve_due(now, ctx, out);
        let next = self.next_due();
        if next != before {
            // A request is always the last action.
            let at = if matches!(out.last(), Some(Action::Send(_))) { out.len() - 1 } else { out.len() };
            out.insert(at, Action::Timer(next));
        }
    }

    /// Begins what is due, one thing at a time.
    fn serve_due(&mut self, now: Moment, ctx: &Context<'_>, out: &mut Vec<Action>) {
        while self.doing.is_none() && self.draining.is_none() {
            let Some((timer, at)) = self.timers.take_due(now) else { return };
            match timer {
                TimerFor::Chain => {
                    if let Some(stage) = self.stage(ctx) {
                        self.begin(at, stage, Cause::Plan, ctx, out);
                    }
                }
                TimerFor::Retry => self.try_again(at, ctx, out),
                TimerFor::Person => self.person_types(at, ctx, out),
                TimerFor::Periodic => self.plan_and_begin(at, Operation::Resync, Cause::Plan, ctx, out),
                TimerFor::Asked(operation) => self.plan_and_begin(at, operation, Cause::Plan, ctx, out),
            }
        }
    }

    fn power_up(&mut self, now: Moment, ctx: &Context<'_>, out: &mut Vec<Action>) {
        if self.power == Power::On {
            out.push(Action::Hangup);
            self.lose_operation(now, ctx, out);
            self.drop_chain(DropCause::PoweredOff, ctx, out);
        }
        self.power = Power::On;
        self.screen = None;
        self.typings = 0;
        self.failures = 0;
        self.timers = Timers::default();
        if let Some(memory) = &mut self.memory {
            memory.realms = RealmCache::default();
        }
        self.begin_chain(now, 0, ctx, out);
    }

    /// The operation under way ends with the power, or with the run.
    fn lose_operation(&mut self, now: Moment, ctx: &Context<'_>, out: &mut Vec<Action>) {
        self.finish(now, Outcome::Failed(Failure::Aborted), ctx, out);
    }

    /// Plans the boot chain from `stage` on and waits for it.
    fn begin_chain(&mut self, now: Moment, stage: u8, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let stages = ctx.fleet.family.boot().iter().skip(usize::from(stage));
        out.extend(stages.map(|s| Action::Planned(s.operation)));
        self.reach(now, stage, ctx, out);
    }

    /// Waits for `stage` of the boot chain, or finds the chain through.
    fn reach(&mut self, now: Moment, stage: u8, ctx: &Context<'_>, out: &mut Vec<Action>) {
        match ctx.fleet.family.boot().get(usize::from(stage)) {
            Some(at) => {
                self.chain = Chain::At(stage);
                let delay = at.delay.pick(&mut self.draw(at.purpose, ctx));
                self.timers.set(TimerFor::Chain, now + delay);
            }
            None => {
                self.chain = Chain::Through;
                out.push(Action::Provisioned);
            }
        }
        if let Some(cause) = self.draining {
            self.drop_chain(cause, ctx, out);
        }
    }

    /// The operation of the stage the chain is at.
    fn stage(&self, ctx: &Context<'_>) -> Option<Operation> {
        match self.chain {
            Chain::At(stage) => Some(ctx.fleet.family.boot().get(usize::from(stage))?.operation),
            _ => None,
        }
    }

    /// Stages that wait for their timer will never start. The one under way is not among them.
    fn drop_chain(&mut self, cause: DropCause, ctx: &Context<'_>, out: &mut Vec<Action>) {
        if let Chain::At(stage) = self.chain
            && self.timers.is_set(TimerFor::Chain)
        {
            self.timers.clear(TimerFor::Chain);
            self.chain = Chain::Broken;
            self.drop_stages(stage, cause, ctx, out);
        }
    }

    fn drop_stages(&self, from: u8, cause: DropCause, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let stages = ctx.fleet.family.boot().iter().skip(usize::from(from));
        out.extend(stages.map(|s| Action::Dropped(s.operation, cause)));
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
            self.timers.set(timer, now + delay);
        }
    }

    fn plan_and_begin(
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

    fn try_again(&mut self, at: Moment, ctx: &Context<'_>, out: &mut Vec<Action>) {
        if self.chain == Chain::Through {
            self.plan_and_begin(at, Operation::Resync, Cause::Again, ctx, out);
        } else {
            // The chain is walked anew from its first stage, whose delay the retry timer has been.
            let stages = ctx.fleet.family.boot();
            out.extend(stages.iter().map(|s| Action::Planned(s.operation)));
            self.chain = Chain::At(0);
            if let Some(stage) = stages.first() {
                self.begin(at, stage.operation, Cause::Again, ctx, out);
            }
        }
    }

    /// Called by the operation's end: what comes after it.
    pub(super) fn ended(
        &mut self,
        now: Moment,
        operation: Operation,
        outcome: Outcome,
        ctx: &Context<'_>,
        out: &mut Vec<Action>,
    ) {
        let family = &*ctx.fleet.family;
        let in_chain = self.chain_stage(ctx).filter(|(_, op)| *op == operation);
        if outcome.is_success() {
            self.failures = 0;
            self.clear_screen(operation);
        } else {
            self.failures = self.failures.saturating_add(1);
        }
        if let Outcome::Prompt(screen) = outcome {
            self.prompt(now, screen, operation, ctx, out);
        }
        if let Some((stage, _)) = in_chain {
            let was_standing = matches!(self.chain, Chain::Stands(_));
            if family.continues(operation, outcome) {
                if was_standing {
                    self.begin_chain(now, stage + 1, ctx, out);
                } else {
                    self.reach(now, stage + 1, ctx, out);
                }
            } else {
                let aborted = outcome == Outcome::Failed(Failure::Aborted);
                let cause = if aborted { DropCause::PoweredOff } else { DropCause::BootIncomplete };
                if !was_standing {
                    self.drop_stages(stage + 1, self.draining.unwrap_or(cause), ctx, out);
                }
                let stands = matches!(outcome, Outcome::Prompt(_)) || (was_standing && self.screen.is_some());
                self.chain = if stands { Chain::Stands(stage) } else { Chain::Broken };
            }
        }
        if self.draining.is_none() {
            self.arm(now, operation, outcome, ctx);
        }
    }

    /// Sets the family's own timers after an operation.
    fn arm(&mut self, now: Moment, operation: Operation, outcome: Outcome, ctx: &Context<'_>) {
        let family = &*ctx.fleet.family;
        let (timer, delay) = if outcome.is_success() {
            if operation != Operation::Resync {
                return;
            }
            self.timers.clear(TimerFor::Retry);
            (TimerFor::Periodic, family.periodic())
        } else {
            (TimerFor::Retry, family.retry(operation, outcome, self.failures))
        };
        if let Some(delay) = delay {
            if timer == TimerFor::Retry {
                self.timers.clear(TimerFor::Periodic);
            }
            let delay = delay.pick(&mut self.draw(Purpose::TimerJitter, ctx));
            self.timers.set(timer, now + delay);
        }
    }

    /// The stage that is under way or stands at a screen, and its operation. While the chain's timer runs, an
    /// operation of the same kind is somebody's wish and not the stage's.
    fn chain_stage(&self, ctx: &Context<'_>) -> Option<(u8, Operation)> {
        let (Chain::At(stage) | Chain::Stands(stage)) = self.chain else { return None };
        if self.timers.is_set(TimerFor::Chain) {
            return None;
        }
        Some((stage, ctx.fleet.family.boot().get(usize::from(stage))?.operation))
    }

    fn clear_screen(&mut self, operation: Operation) {
        if self.screen.is_some_and(|(_, op)| op == operation) {
            self.screen = None;
            self.typings = 0;
            self.timers.clear(TimerFor::Person);
        }
    }

    /// Shows a screen, unless it stands there already, and lets the people model decide who comes.
    fn prompt(&mut self, now: Moment, screen: Screen, operation: Operation, ctx: &Context<'_>, out: &mut Vec<Action>) {
        // A screen that waits already keeps the operation it waits for.
        let operation = self.screen.map_or(operation, |(_, first)| first);
        if self.screen != Some((screen, operation)) || self.typings > 0 {
            out.push(Action::Prompt(screen));
        }
        self.screen = Some((screen, operation));
        let people = &ctx.fleet.people;
        // Whether anyone sits here is drawn once for the phone, so it does not change from screen to screen.
        let comes = ctx.chance.draw(self.index, Purpose::Person, 0).happens(people.come);
        let waiting = self.timers.is_set(TimerFor::Person);
        if comes && !waiting && self.draining.is_none() && u32::from(self.typings) < people.attempts {
            let (least, most) = people.think;
            let think = self.draw(Purpose::Person, ctx).between(least, most);
            self.timers.set(TimerFor::Person, now + think);
        }
    }

    fn person_types(&mut self, at: Moment, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let who = ctx.fleet.identity(self.index);
        let right = self.draw(Purpose::Typing, ctx).happens(ctx.fleet.people.right);
        out.push(Action::Typed { right });
        let typed = if right { ctx.fleet.right_credentials(&who) } else { ctx.fleet.wrong_credentials(&who) };
        self.enter(at, typed, ctx, out);
    }

    /// Credentials from outside the people model.
    fn typed(&mut self, now: Moment, credentials: Credentials, ctx: &Context<'_>, out: &mut Vec<Action>) {
        if self.screen.is_some() && self.doing.is_none() {
            let right = credentials == ctx.fleet.right_credentials(&ctx.fleet.identity(self.index));
            out.push(Action::Typed { right });
            self.timers.clear(TimerFor::Person);
            self.enter(now, credentials, ctx, out);
        }
    }

    fn enter(&mut self, now: Moment, typed: Credentials, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let Some((_, operation)) = self.screen else { return };
        self.typings = self.typings.saturating_add(1);
        if ctx.fleet.family.learns() == Learns::AtOnce {
            // The screen writes straight into the account and closes.
            self.screen = None;
            self.learn(&typed, None, ctx, out);
        }
        out.push(Action::Planned(operation));
        self.begin(now, operation, Cause::Typed(typed), ctx, out);
    }

    fn drain(&mut self, cause: DropCause, ctx: &Context<'_>, out: &mut Vec<Action>) {
        self.draining.get_or_insert(cause);
        self.drop_chain(cause, ctx, out);
        self.timers = Timers::default();
    }

    /// Whether it has not been provisioned since it booted.
    pub(super) fn is_booting(&self) -> bool {
        self.chain != Chain::Through
    }

    /// The phone's next draw for this purpose. Each purpose counts for itself, so that the order in which
    /// different things happen changes none of them.
    pub(super) fn draw(&mut self, purpose: Purpose, ctx: &Context<'_>) -> Draw {
        let counter = &mut self.draws.0[purpose as usize % DRAWS];
        // From 1: 0 is for what is drawn once per phone.
        *counter = counter.wrapping_add(1);
        ctx.chance.draw(self.index, purpose, u64::from(*counter))
    }

    /// Who this phone is.
    pub(super) fn identity(&self, ctx: &Context<'_>) -> Identity {
        ctx.fleet.identity(self.index)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bench::{Bench, challenge, fleet, status};
    use super::super::{Answer, People};
    use super::*;

    /// Anything a server, a person or the plan may do next.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        Trigger(Trigger),
        Wait(u32),
        Answer(u8),
        Fail,
        Type(bool),
    }

    fn event() -> impl Strategy<Value = Event> {
        let trigger = prop::sample::select(vec![
            Trigger::PowerUp,
            Trigger::Change,
            Trigger::Backup,
            Trigger::Restore,
            Trigger::Resync,
        ]);
        prop_oneof![
            1 => trigger.prop_map(Event::Trigger),
            4 => (0..2_000u32).prop_map(Event::Wait),
            8 => (0..8u8).prop_map(Event::Answer),
            1 => Just(Event::Fail),
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
            _ => status(200),
        }
    }

    proptest! {
        /// Whatever happens: one exchange at a time, nothing started that was not planned, and after the
        /// run has drained every operation planned is started or dropped and every one started has an end.
        #[test]
        fn the_books_close_whatever_happens(
            cisco in any::<bool>(), null in any::<bool>(), events in prop::collection::vec(event(), 0..60)
        ) {
            let mut fleet = fleet(if cisco { "cisco-mpp" } else { "avaya-96xx" }, "");
            fleet.account.null = if null { 1.0 } else { 0.0 };
            fleet.people = People { come: 0.5, right: 0.5, ..People::default() };
            let mut bench = Bench::new(fleet);
            let mut exchanging = false;
            for event in events {
                let asked = match event {
                    Event::Trigger(trigger) => bench.give(Input::Trigger(trigger)),
                    Event::Wait(seconds) => {
                        let until = bench.now + std::time::Duration::from_secs(seconds.into());
                        let due = bench.phone.next_due();
                        bench.now = until.min(due);
                        (due <= until).then(|| bench.give(Input::Due)).flatten()
                    }
                    Event::Answer(which) => bench.give(Input::Answered(&answer(which))),
                    Event::Fail => bench.give(Input::Failed(Failure::Closed)),
                    Event::Type(right) => {
                        let password = if right { "right" } else { "guess" };
                        bench.give(Input::Typed(Credentials::new("2001", password)))
                    }
                };
                let ended = matches!(event, Event::Answer(_) | Event::Fail | Event::Trigger(Trigger::PowerUp));
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
        assert!(size_of::<Phone>() <= 224, "{} octets", size_of::<Phone>());
    }
}
