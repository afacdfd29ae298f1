//! Phones in virtual time, one alone and a thousand together.

use std::sync::Arc;

use bootstorm::auth::Commons;
use bootstorm::metrics::Tally;
use bootstorm::phone::{Action, Chance, Context, Input, Moment, Origin, Phone, Standing, Trigger};
use bootstorm::simulate::{Latencies, simulate};
use bootstorm::target::Site;
use bootstorm::workload::Plan;

use super::{HotPath, scene};

/// Phones in one simulated storm.
pub(crate) const STORM: u32 = 1_000;

/// One desk: a phone boots there, then another, and so on, against one site.
struct Desk {
    plan: Arc<Plan>,
    chance: Chance,
    commons: Commons,
    origin: Arc<Origin>,
    site: Site,
    now: Moment,
    actions: Vec<Action>,
}

impl Desk {
    /// Power comes to `phone`, and it says all it has to say until it settles: the exchanges it took.
    fn boot(&mut self, phone: &mut Phone) -> u32 {
        let fleet = &self.plan.fleets[self.plan.fleet_of(phone.index())];
        let ctx = Context {
            fleet,
            chance: &self.chance,
            origin: &self.origin,
            base: "",
            fallback: None,
            commons: &self.commons,
        };
        let mut exchanges = 0;
        phone.handle(self.now, Input::Trigger(Trigger::PowerUp), &ctx, &mut self.actions);
        loop {
            if let Some(Action::Send(request)) = self.actions.last() {
                exchanges += 1;
                let response = self.site.respond(self.now, &scene::asked(request));
                let answer = scene::answered(response);
                self.actions.clear();
                phone.handle(self.now, Input::Answered(&answer), &ctx, &mut self.actions);
            } else if phone.is_settled() {
                self.actions.clear();
                return exchanges;
            } else {
                self.now = phone.next_due();
                self.actions.clear();
                phone.handle(self.now, Input::Due, &ctx, &mut self.actions);
            }
        }
    }
}

/// The whole conversation of one phone from power-up to provisioned, both ends of it: phone machine and site.
pub(crate) fn boot(family: &str) -> HotPath<Phone, u32> {
    let plan = scene::plan(2, "\"at-once\"");
    let chance = Chance::new(plan.seed);
    let which = scene::FAMILIES.iter().position(|name| *name == family).unwrap();
    let fleet = Arc::clone(&plan.fleets[which]);
    let site = scene::site(&plan);
    let mut desk = Desk {
        plan,
        chance,
        commons: Commons::default(),
        origin: scene::origin(),
        site,
        now: Moment::ZERO,
        actions: Vec::new(),
    };
    let mut first = Phone::new(fleet.first, &fleet, &chance);
    desk.boot(&mut first);
    assert_eq!(first.standing(), Standing::Provisioned, "{family}");
    HotPath::new(move || Phone::new(fleet.first, &fleet, &chance), move |phone| desk.boot(phone))
}

/// A thousand phones of both families boot in virtual time against a fresh site.
pub(crate) fn storm() -> HotPath<Site, Tally> {
    let plan = scene::plan(STORM, "{ constant = \"100/s\" }");
    let origin = scene::origin();
    let world = Arc::clone(&plan);
    let run = move |site: &mut Site| {
        let (tally, _) = simulate(&world, &origin, "", Latencies::default(), |now, request| site.respond(now, request));
        tally
    };
    let provisioned = run(&mut scene::site(&plan)).totals.standings.provisioned;
    assert_eq!(provisioned, i64::from(STORM));
    HotPath::new(move || scene::site(&plan), run)
}
