//! The person at a prompt: never comes, or comes after a while and types right or wrong credentials.

use super::context::Context;
use super::doing::Cause;
use super::family::{ByMenu, Learns};
use super::machine::Phone;
use super::timers::TimerFor;
use super::{Action, Moment, Operation, Outcome, Purpose, Screen};
use crate::auth::Credentials;

impl Phone {
    pub(super) fn clear_screen(&mut self, operation: Operation) {
        if self.opens.take_if(|(_, op)| *op == operation).is_some() && self.screen.is_none() {
            self.timers.clear(TimerFor::Person);
            self.typings = 0;
        }
        if self.screen.is_some_and(|(_, op)| op == operation) {
            self.screen = None;
            self.typings = 0;
            self.timers.clear(TimerFor::Person);
        }
    }

    /// Shows a screen, unless it stands there already, and lets the people model decide who comes.
    pub(super) fn prompt(
        &mut self,
        now: Moment,
        screen: Screen,
        operation: Operation,
        ctx: &Context<'_>,
        out: &mut Vec<Action>,
    ) {
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
        } else if !comes && let Some(menu) = ctx.fleet.family.by_menu(operation, Outcome::Prompt(screen)) {
            self.may_open(now, menu, operation, ctx);
        }
    }

    /// A screen that was missed, or is not shown by itself, can still be opened by menu.
    pub(super) fn may_open(&mut self, now: Moment, menu: ByMenu, operation: Operation, ctx: &Context<'_>) {
        // Drawn once for the phone, as coming is.
        let goes = ctx.chance.draw(self.index, Purpose::Person, u64::MAX).happens(menu.share);
        let tired = u32::from(self.typings) >= ctx.fleet.people.attempts;
        if goes && !tired && self.draining.is_none() && !self.timers.is_set(TimerFor::Person) {
            let after = menu.after.pick(&mut self.draw(Purpose::Person, ctx));
            self.opens = Some((menu.screen, operation));
            self.timers.set(TimerFor::Person, now + after);
        }
    }

    pub(super) fn person_types(&mut self, at: Moment, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let who = ctx.fleet.identity(self.index);
        let right = self.draw(Purpose::Typing, ctx).happens(ctx.fleet.people.right);
        out.push(Action::Typed { right });
        let typed = if right { ctx.fleet.right_credentials(&who) } else { ctx.fleet.wrong_credentials(&who) };
        self.enter(at, typed, ctx, out);
    }

    /// Credentials from outside the people model.
    pub(super) fn typed(&mut self, now: Moment, credentials: Credentials, ctx: &Context<'_>, out: &mut Vec<Action>) {
        if self.screen.is_some() && self.doing.is_none() {
            let right = credentials == ctx.fleet.right_credentials(&ctx.fleet.identity(self.index));
            out.push(Action::Typed { right });
            self.timers.clear(TimerFor::Person);
            self.enter(now, credentials, ctx, out);
        }
    }

    pub(super) fn enter(&mut self, now: Moment, typed: Credentials, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let Some((_, operation)) = self.screen.or(self.opens.take()) else { return };
        self.typings = self.typings.saturating_add(1);
        if ctx.fleet.family.learns() == Learns::AtOnce {
            // The screen writes straight into the account and closes.
            self.screen = None;
            self.learn(&typed, None, ctx, out);
        }
        out.push(Action::Planned(operation));
        self.begin(now, operation, Cause::Typed(typed), ctx, out);
    }
}
