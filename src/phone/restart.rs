//! A planned restart: what the phone has to say goes up first, then it reboots through its boot chain.

use super::context::Context;
use super::machine::{Phone, Power};
use super::timers::TimerFor;
use super::{Action, DropCause, Moment, Operation, Trigger};

impl Phone {
    /// The phone is told to restart. What its family sends "as part of shutdown or restart" \[doc, Cisco\] comes
    /// before; whatever becomes of that one attempt, the phone reboots then, waiting for no person [assumed].
    pub(super) fn told_to_restart(&mut self, now: Moment, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let first = ctx.fleet.family.on_trigger(Trigger::Restart).map(|(operation, _)| operation);
        let refuse = |out: &mut Vec<Action>, cause| {
            if let Some(operation) = first {
                out.extend([Action::Planned(operation), Action::Dropped(operation, cause)]);
            }
        };
        match (self.power, first) {
            (Power::Off, _) => refuse(out, DropCause::PoweredOff),
            _ if self.restarting.is_some() => refuse(out, DropCause::PhoneBusy),
            (_, None) => self.power_up(now, ctx, out),
            (_, Some(operation)) => {
                self.restarting = Some(operation);
                // An upload that waited for its own delay goes now.
                self.timers.set(TimerFor::Asked(operation), now);
            }
        }
    }

    /// Reboots if this operation was all the restart waited for.
    pub(super) fn restart_after(&mut self, now: Moment, ended: Operation, ctx: &Context<'_>, out: &mut Vec<Action>) {
        if self.restarting == Some(ended) && self.draining.is_none() {
            self.power_up(now, ctx, out);
        }
    }
}
