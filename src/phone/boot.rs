//! The boot chain: what a phone does, stage by stage, from power to provisioned.

use super::chain::Chain;
use super::context::Context;
use super::doing::Cause;
use super::machine::{Phone, Power};
use super::timers::{TimerFor, Timers};
use super::{Action, DropCause, Failure, Moment, Operation, Outcome};

impl Phone {
    pub(super) fn power_up(&mut self, now: Moment, ctx: &Context<'_>, out: &mut Vec<Action>) {
        // First, lest the operation that is lost now reboots the phone once more.
        self.restarting = None;
        if self.power == Power::On {
            out.push(Action::Hangup);
            self.lose_operation(now, ctx, out);
            self.drop_chain(DropCause::PoweredOff, ctx, out);
            self.drop_wishes(DropCause::PoweredOff, out);
        }
        self.power = Power::On;
        self.opens = None;
        self.screen = None;
        self.typings = 0;
        self.failures = 0;
        self.timers = Timers::default();
        self.realms.clear();
        if let Some(memory) = &mut self.memory {
            memory.again = 0;
        }
        self.begin_chain(now, 0, ctx, out);
    }

    /// The operation under way ends with the power, or with the run.
    pub(super) fn lose_operation(&mut self, now: Moment, ctx: &Context<'_>, out: &mut Vec<Action>) {
        self.finish(now, Outcome::Failed(Failure::Aborted), ctx, out);
    }

    /// Plans the boot chain from `stage` on and waits for it.
    pub(super) fn begin_chain(&mut self, now: Moment, stage: u8, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let stages = ctx.fleet.family.boot().iter().skip(usize::from(stage));
        out.extend(stages.map(|s| Action::Planned(s.operation)));
        self.reach(now, stage, ctx, out);
    }

    /// Waits for `stage` of the boot chain, or finds the chain through.
    pub(super) fn reach(&mut self, now: Moment, stage: u8, ctx: &Context<'_>, out: &mut Vec<Action>) {
        match ctx.fleet.family.boot().get(usize::from(stage)) {
            Some(at) => {
                self.chain = Chain::At(stage);
                let delay = at.delay.pick(&mut self.draw(at.purpose, ctx));
                self.timers.set(TimerFor::Chain, now + delay);
            }
            None => {
                self.chain = Chain::Through;
                out.push(Action::Provisioned);
                self.arm_when_provisioned(now, ctx);
            }
        }
        if let Some(cause) = self.draining {
            self.drop_chain(cause, ctx, out);
        }
    }

    /// The operation of the stage the chain is at.
    pub(super) fn stage(&self, ctx: &Context<'_>) -> Option<Operation> {
        match self.chain {
            Chain::At(stage) => Some(ctx.fleet.family.boot().get(usize::from(stage))?.operation),
            _ => None,
        }
    }

    /// Stages that wait for their timer will never start. The one under way is not among them.
    pub(super) fn drop_chain(&mut self, cause: DropCause, ctx: &Context<'_>, out: &mut Vec<Action>) {
        if let Chain::At(stage) = self.chain
            && self.timers.is_set(TimerFor::Chain)
        {
            self.timers.clear(TimerFor::Chain);
            self.chain = Chain::Broken;
            self.drop_stages(stage, cause, ctx, out);
        }
    }

    pub(super) fn drop_stages(&self, from: u8, cause: DropCause, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let stages = ctx.fleet.family.boot().iter().skip(usize::from(from));
        out.extend(stages.map(|s| Action::Dropped(s.operation, cause)));
    }

    pub(super) fn try_again(&mut self, at: Moment, ctx: &Context<'_>, out: &mut Vec<Action>) {
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

    /// The stage that is under way or stands at a screen, and its operation. While the chain's timer runs, an
    /// operation of the same kind is somebody's wish and not the stage's.
    pub(super) fn chain_stage(&self, ctx: &Context<'_>) -> Option<(u8, Operation)> {
        let (Chain::At(stage) | Chain::Stands(stage)) = self.chain else { return None };
        if self.timers.is_set(TimerFor::Chain) {
            return None;
        }
        Some((stage, ctx.fleet.family.boot().get(usize::from(stage))?.operation))
    }

    /// Whether it has not been provisioned since it booted.
    pub(super) fn is_booting(&self) -> bool {
        self.chain != Chain::Through
    }
}
