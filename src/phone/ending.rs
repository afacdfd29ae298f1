//! What follows the end of an operation: screens, the boot chain, the family's own timers.

use super::boot::Chain;
use super::machine::{Context, Phone};
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
        if outcome.is_success() {
            self.failures = 0;
            self.clear_screen(operation);
        } else {
            self.failures = self.failures.saturating_add(1);
        }
        if let Outcome::Prompt(screen) = outcome {
            self.prompt(now, screen, operation, ctx, out);
        } else if let Some(menu) = family.by_menu(operation, outcome) {
            self.may_open(now, menu, operation, ctx);
        }
        let first = family.boot().first().map(|stage| stage.operation);
        let mended = self.chain == Chain::Broken && outcome.is_success() && first == Some(operation);
        if mended && self.draining.is_none() {
            // Somebody's wish did what the first stage could not: the rest of the chain follows.
            self.begin_chain(now, 1, ctx, out);
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
                self.chain = if stands { Chain::Stands(stage) } else { Chain::Broken };
            }
        }
        if self.draining.is_none() {
            self.arm(now, operation, outcome, ctx);
        }
        self.restart_after(now, operation, ctx, out);
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
