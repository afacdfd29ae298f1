//! What follows the end of an operation: screens, the boot chain, the family's own timers.

use super::chain::Chain;
use super::context::Context;
use super::machine::Phone;
use super::timers::TimerFor;
use super::{Action, DropCause, Failure, Moment, Operation, Outcome, Purpose, Recurrence};

impl Phone {
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
        // What is not tried again by itself has no place in the retry list.
        let counts = family.retry(operation, outcome, 1).is_some();
        if outcome.is_success() {
            self.failures = if counts { 0 } else { self.failures };
            self.clear_screen(operation);
        } else if counts {
            self.failures = self.failures.saturating_add(1);
        }
        if let Outcome::Prompt(screen) = outcome {
            self.prompt(now, screen, operation, ctx, out);
        } else if let Some(menu) = family.by_menu(operation, outcome) {
            self.may_open(now, menu, operation, ctx);
        }
        if let (Some(stage), true, None) = (self.mended(operation, ctx), outcome.is_success(), self.draining) {
            // Somebody's wish, or a later try, did what the stage could not: the rest of the chain follows.
            self.begin_chain(now, stage + 1, ctx, out);
        } else if let Some((stage, _)) = in_chain {
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
                self.chain = if stands { Chain::Stands(stage) } else { Chain::BrokenAt(stage) };
            }
        }
        if self.draining.is_none() {
            self.arm(now, operation, outcome, ctx);
            self.arm_again(now, operation, outcome, ctx);
        }
        self.restart_after(now, operation, ctx, out);
    }

    /// The stage at which the chain broke off, if this operation's success mends it.
    fn mended(&self, operation: Operation, ctx: &Context<'_>) -> Option<u8> {
        let does =
            |stage: u8| ctx.fleet.family.boot().get(usize::from(stage)).is_some_and(|s| s.operation == operation);
        match self.chain {
            Chain::BrokenAt(stage) if does(stage) => Some(stage),
            Chain::Broken | Chain::BrokenAt(_) if does(0) => Some(0),
            _ => None,
        }
    }

    /// A failed operation on the phone's own file may be tried again, where nobody is asked for credentials.
    fn arm_again(&mut self, now: Moment, operation: Operation, outcome: Outcome, ctx: &Context<'_>) {
        if matches!(operation, Operation::Resync | Operation::Firmware) {
            return;
        }
        let failed = !outcome.is_success() && !matches!(outcome, Outcome::Prompt(_));
        let failures = self.memory.as_ref().map_or(0, |m| m.again).saturating_add(1);
        let delay = if failed { ctx.fleet.family.again(operation, outcome, failures) } else { None };
        if let Some(delay) = delay {
            self.memory.get_or_insert_default().again = failures;
            let delay = delay.pick(&mut self.draw(Purpose::TimerJitter, ctx));
            self.timers.set(TimerFor::Asked(operation), now + delay);
        } else if let Some(memory) = &mut self.memory {
            memory.again = 0;
        }
    }

    /// Timers that do not wait for a success: reports, and the daily resync of a phone that does none at boot.
    pub(super) fn arm_when_provisioned(&mut self, now: Moment, ctx: &Context<'_>) {
        let family = &*ctx.fleet.family;
        if self.draining.is_some() {
            return;
        }
        if let Some(delay) = family.periodic_report()
            && !self.timers.is_set(TimerFor::Report)
        {
            let delay = delay.pick(&mut self.draw(Purpose::TimerJitter, ctx));
            self.timers.set(TimerFor::Report, now + delay);
        }
        if let (true, Some(daily @ Recurrence::Daily { .. })) = (family.boot().is_empty(), family.periodic()) {
            let delay = daily.delay(now).pick(&mut self.draw(Purpose::TimerJitter, ctx));
            self.timers.set(TimerFor::Periodic, now + delay);
        }
    }

    /// Sets the family's own timers after an operation.
    fn arm(&mut self, now: Moment, operation: Operation, outcome: Outcome, ctx: &Context<'_>) {
        let family = &*ctx.fleet.family;
        if operation == Operation::Report {
            let delay = family.periodic_report().map(|d| d.pick(&mut self.draw(Purpose::TimerJitter, ctx)));
            self.timers.set(TimerFor::Report, delay.map_or(Moment::NEVER, |delay| now + delay));
        }
        let (timer, delay) = if outcome.is_success() {
            if operation != Operation::Resync {
                return;
            }
            self.timers.clear(TimerFor::Retry);
            (TimerFor::Periodic, family.periodic().map(|p| p.delay(now)))
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
}
