//! The phones of one shard, their timers, and their part of the arrival plan.
//!
//! Pure: the driver moves it on in real time, the simulator in virtual time. Both therefore run the very
//! same phones on the very same plan.

use std::iter::Peekable;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::Commons;
use crate::metrics::{ExchangeFacts, Recorder, Slice, Upkeep};
use crate::phone::{Action, Answer, Chance, Context, DropCause, Failure, Input, Moment, Origin, Phone, Request};
use crate::workload::{Plan, Start};

use super::Pace;
use super::wake_ups::WakeUps;

/// Which part of the phones a shard has: those whose index leaves `index` when divided by `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// This shard, from 0.
    pub index: u32,
    /// How many shards there are.
    pub of: u32,
}

impl Share {
    /// The only shard.
    pub const WHOLE: Share = Share { index: 0, of: 1 };

    fn slot(self, phone: u32) -> usize {
        (phone / self.of) as usize
    }
}

/// What a phone wants of the world.
#[derive(Debug)]
pub enum Wish {
    /// Carry out this exchange for the phone.
    Send {
        /// Whose.
        phone: u32,
        /// What.
        request: Box<Request>,
    },
    /// Close the phone's connection and forget its exchange under way.
    Hangup {
        /// Whose.
        phone: u32,
    },
}

/// The phones of one shard and all that moves them.
pub struct Roster {
    plan: Arc<Plan>,
    origin: Arc<Origin>,
    base: String,
    chance: Chance,
    pace: Pace,
    share: Share,
    phones: Vec<Phone>,
    wake_ups: WakeUps,
    starts: Peekable<Box<dyn Iterator<Item = Start>>>,
    commons: Commons,
    recorder: Recorder,
    unsettled: usize,
    drained: bool,
    actions: Vec<Action>,
}

impl Roster {
    /// The phones of `share`, as they are when the run begins. `origin` and `base` are where they find the
    /// server.
    pub fn new(plan: Arc<Plan>, origin: Arc<Origin>, base: String, share: Share) -> Roster {
        let chance = Chance::new(plan.seed);
        let mut phones = Vec::with_capacity((plan.phones() / share.of + 1) as usize);
        for fleet in &plan.fleets {
            let indexes = fleet.first..fleet.first + fleet.count;
            phones.extend(indexes.filter(|i| i % share.of == share.index).map(|i| Phone::new(i, fleet, &chance)));
        }
        let wanted = phones.iter().map(|phone| (phone.next_due(), phone.index()));
        let wake_ups = WakeUps::of(wanted.filter(|(at, _)| *at != Moment::NEVER));
        let pace = Pace::new(plan.compression);
        let mut recorder = Recorder::new(phones.len(), plan.compression);
        for phone in &phones {
            recorder.standing(Duration::ZERO, phone.index(), Default::default(), phone.standing());
        }
        let starts: Box<dyn Iterator<Item = Start>> = Box::new(plan.starts(share.index, share.of));
        Roster {
            plan,
            origin,
            base,
            chance,
            pace,
            share,
            phones,
            wake_ups,
            starts: starts.peekable(),
            commons: Commons::default(),
            recorder,
            unsettled: 0,
            drained: false,
            actions: Vec::new(),
        }
    }

    /// When something is due next; `NEVER` if all waits for answers or for nothing.
    pub fn next_due(&mut self) -> Moment {
        let timer = self.wake_ups.next(|phone| self.phones[self.share.slot(phone)].next_due());
        let start = if self.drained { None } else { self.starts.peek().map(|s| s.at) };
        timer.unwrap_or(Moment::NEVER).min(start.unwrap_or(Moment::NEVER))
    }

    /// Serves everything due by real time `at` since the run began.
    pub fn advance(&mut self, at: Duration, wishes: &mut Vec<Wish>) {
        while self.advance_some(at, usize::MAX, wishes) {}
    }

    /// Serves what is due by real time `at`, the longest due first, but no more than `most` phones. True if more is
    /// due: it is for later, and as late as it will be then.
    pub fn advance_some(&mut self, at: Duration, most: usize, wishes: &mut Vec<Wish>) -> bool {
        let now = self.pace.phone_time(at);
        for _ in 0..most {
            let due = self.next_due();
            if due > now || due == Moment::NEVER {
                return false;
            }
            let start = if self.drained { None } else { self.starts.next_if(|s| s.at <= due) };
            if let Some(start) = start {
                self.recorder.start(at, &start);
                // The phone goes by the plan's moment: what follows from it was meant for then, however late it is told.
                self.give_as_of(start.at, at, start.phone, Input::Trigger(start.trigger), wishes);
            } else if let Some(phone) = self.wake_ups.pop() {
                self.give(at, phone, Input::Due, wishes);
            }
        }
        let due = self.next_due();
        due <= now && due != Moment::NEVER
    }

    /// The phone's exchange ended.
    pub fn exchanged(
        &mut self,
        at: Duration,
        phone: u32,
        facts: &ExchangeFacts,
        answer: Result<&Answer, Failure>,
        wishes: &mut Vec<Wish>,
    ) {
        self.recorder.exchange(at, phone, facts);
        let input = match answer {
            Ok(answer) => Input::Answered(answer),
            Err(failure) => Input::Failed(failure),
        };
        self.give(at, phone, input, wishes);
    }

    /// The phone's exchange is now really attempted (connect or first octet).
    pub fn dispatched(&mut self, at: Duration, phone: u32) {
        self.recorder.dispatched(at, phone);
    }

    /// Nothing new begins from here on; what is under way may end.
    pub fn drain(&mut self, at: Duration, cause: DropCause, wishes: &mut Vec<Wish>) {
        self.every_phone(at, wishes, || Input::Drain(cause));
        self.refuse_starts(at, wishes);
    }

    /// Everything ends now.
    pub fn abort(&mut self, at: Duration, wishes: &mut Vec<Wish>) {
        self.every_phone(at, wishes, || Input::Abort);
        self.refuse_starts(at, wishes);
    }

    /// Gives the drained phones the rest of the plan, so that they count it as dropped: nothing vanishes.
    fn refuse_starts(&mut self, at: Duration, wishes: &mut Vec<Wish>) {
        self.drained = true;
        while let Some(start) = self.starts.next() {
            self.give(at, start.phone, Input::Trigger(start.trigger), wishes);
        }
    }

    fn every_phone(&mut self, at: Duration, wishes: &mut Vec<Wish>, input: impl Fn() -> Input<'static>) {
        for slot in 0..self.phones.len() {
            self.give(at, self.phones[slot].index(), input(), wishes);
        }
    }

    /// Whether the plan is through and no phone can get further by itself.
    pub fn is_settled(&mut self) -> bool {
        self.unsettled == 0 && (self.drained || self.starts.peek().is_none())
    }

    /// The slices that are over by `at`, in order, since they were last taken; phones in them have their extensions.
    pub fn take_slices(&mut self, at: Duration) -> Vec<Slice> {
        self.recorder.roll(at);
        let slices = self.recorder.take_slices();
        self.named(slices)
    }

    /// What opening and closing connections has cost since this was last told.
    pub fn upkeep(&mut self, upkeep: Upkeep) {
        self.recorder.upkeep(upkeep);
    }

    /// Closes the books at the end of the run: the slices that have not been taken yet.
    pub fn finish_slices(&mut self, at: Duration) -> Vec<Slice> {
        let slices = self.recorder.finish_slices(at);
        self.named(slices)
    }

    fn named(&self, mut slices: Vec<Slice>) -> Vec<Slice> {
        let notables = slices.iter_mut().map(|slice| &mut slice.notables);
        for notable in notables.flat_map(|n| n.slowest.iter_mut().chain(&mut n.stranded)) {
            if let Some(fleet) = self.plan.fleets.get(self.plan.fleet_of(notable.phone)) {
                notable.extension = fleet.identity(notable.phone).extension;
            }
        }
        slices
    }

    /// What was recorded so far.
    pub fn recorder(&mut self) -> &mut Recorder {
        &mut self.recorder
    }

    /// The record, at the end.
    pub fn into_recorder(self) -> Recorder {
        self.recorder
    }

    fn give(&mut self, at: Duration, index: u32, input: Input<'_>, wishes: &mut Vec<Wish>) {
        self.give_as_of(self.pace.phone_time(at), at, index, input, wishes);
    }

    /// The phone is told `at` this real time of what belongs to `now`, which is not later.
    fn give_as_of(&mut self, now: Moment, at: Duration, index: u32, input: Input<'_>, wishes: &mut Vec<Wish>) {
        let Some(fleet) = self.plan.fleets.get(self.plan.fleet_of(index)) else { return };
        let fallback = self.plan.fallback.as_ref();
        let ctx = Context {
            fleet,
            chance: &self.chance,
            origin: &self.origin,
            base: &self.base,
            fallback,
            commons: &self.commons,
        };
        let phone = &mut self.phones[self.share.slot(index)];
        let (stood, settled) = (phone.standing(), phone.is_settled());
        self.actions.clear();
        phone.handle(now, input, &ctx, &mut self.actions);
        let stands = phone.standing();
        match (settled, phone.is_settled()) {
            (true, false) => self.unsettled += 1,
            (false, true) => self.unsettled -= 1,
            _ => {}
        }
        for action in self.actions.drain(..) {
            self.recorder.action(at, index, &action);
            match action {
                Action::Send(request) => wishes.push(Wish::Send { phone: index, request }),
                Action::Hangup => wishes.push(Wish::Hangup { phone: index }),
                Action::Timer(when) if when != Moment::NEVER => {
                    self.wake_ups.push(when, index, |phone| self.phones[self.share.slot(phone)].next_due());
                }
                _ => {}
            }
        }
        if stood != stands {
            self.recorder.standing(at, index, stood, stands);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::workload::{Overrides, parse};

    /// Phones that all start at once, and again a second later.
    fn roster() -> Roster {
        let text = r#"
[target.embedded]
tls = false
[[fleet]]
name = "cisco"
family = "cisco-mpp"
count = 300
[fleet.credentials]
realm = "Digest"
[fleet.settings]
resync-random-delay = "0s"
[[phase]]
name = "power"
does = "power-up"
arrival = "at-once"
[[phase]]
name = "again"
at = "1s"
does = "power-up"
arrival = "at-once"
"#;
        let plan = Arc::new(parse(text, "roster.toml", Path::new("."), &Overrides::default()).unwrap());
        let origin = Arc::new(Origin { tls: false, host: "127.0.0.1".into(), port: 80 });
        Roster::new(plan, origin, String::new(), Share::WHOLE)
    }

    fn senders(wishes: &[Wish]) -> Vec<u32> {
        let phones = wishes.iter().filter_map(|wish| match wish {
            Wish::Send { phone, .. } => Some(*phone),
            Wish::Hangup { .. } => None,
        });
        phones.collect()
    }

    #[test]
    fn what_a_phone_is_told_late_counts_from_the_plan() {
        let (late, end) = (Duration::from_millis(40), Duration::from_millis(50));
        let (mut roster, mut wishes) = (roster(), Vec::new());
        roster.advance(late, &mut wishes);
        senders(&wishes).into_iter().for_each(|phone| roster.dispatched(late, phone));
        let refused = ExchangeFacts { failure: Some(Failure::ConnectRefused), ..ExchangeFacts::default() };
        for phone in senders(&wishes) {
            roster.exchanged(end, phone, &refused, Err(Failure::ConnectRefused), &mut Vec::new());
        }
        let totals = roster.into_recorder().finish(end).totals;
        let resyncs = totals.operation(crate::phone::Operation::Resync);
        assert_eq!(resyncs.started, 300);
        assert_eq!(resyncs.lateness.max_us(), Some(40_000));
        assert_eq!(resyncs.response.mean_us(), Some(50_000.0), "from the plan's moment, not from when it was told");
        assert_eq!(resyncs.service.max_us(), Some(10_000));
    }

    #[test]
    fn a_crowd_is_told_in_turns_and_is_as_late_as_it_is() {
        let ms = Duration::from_millis;
        let (mut all, mut at_once) = (roster(), Vec::new());
        all.advance(ms(10), &mut at_once);
        let (mut some, mut in_turns, mut turns) = (roster(), Vec::new(), 0);
        while some.advance_some(ms(10 * (turns + 1)), 64, &mut in_turns) {
            turns += 1;
            assert!(in_turns.len() <= 64 * turns as usize, "{turns}");
        }
        assert!(turns >= 4, "{turns}");
        assert_eq!(senders(&in_turns), senders(&at_once), "the same phones in the same order");
        assert_eq!(some.next_due(), all.next_due());
        let pace = |roster: Roster| roster.into_recorder().finish(ms(500)).totals.pace;
        let (some, all) = (pace(some), pace(all));
        assert_eq!((some.count(), all.count()), (300, 300));
        assert_eq!(all.max_us(), Some(10_000));
        assert_eq!(some.max_us(), Some(10_000 * (turns + 1)), "the last of them were told that late");
    }
}
