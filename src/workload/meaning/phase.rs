//! `[[phase]]`: who, what, when.

use std::collections::HashSet;
use std::time::Duration;

use super::Meaning;
use crate::phone::{Moment, Trigger};
use crate::workload::Arrival;
use crate::workload::Phase;
use crate::workload::arrival::ramp;
use crate::workload::error::suggest;
use crate::workload::file::{ArrivalSection, File, PhaseSection};
use crate::workload::locate::{KeyPath, key};
use crate::workload::quantity::Rate;

impl Meaning<'_> {
    /// The phases, as far as they are right.
    pub(super) fn phases(&mut self, file: &File) -> Vec<Phase> {
        let some_start_on = file.fleet.iter().any(|f| f.starts_on);
        if file.phase.is_empty() && !(file.run.duration.is_some() && some_start_on) {
            let right = "write a [[phase]], for example does = \"power-up\"; only fleets with starts-on = true and a \
                         run.duration can do without";
            self.say(&KeyPath::default(), "there is no phase, so nothing would happen", right);
        }
        let mut names = HashSet::new();
        let mut phases = Vec::new();
        for (n, typed) in file.phase.iter().enumerate() {
            let at = key!["phase", n];
            let Some(trigger) = typed.does else {
                let right = "write what happens to the phones: power-up, change, backup, restore or resync";
                self.say(&at.then("does"), "is missing", right);
                continue;
            };
            let name = typed.name.clone().unwrap_or_default();
            if name.trim().is_empty() || name.chars().any(char::is_control) || name.len() > 64 {
                self.say(&at.then("name"), "is no name", "a name is a short, printable text");
            } else if !names.insert(name.clone()) {
                let right = "give each phase its own `name` (it is what it `does` if not given)";
                self.say(&at.then("name"), format!("there is a phase `{name}` before this one"), right);
            }
            let fleets = self.concerned(typed, &at, file);
            let share = self.share(&at.then("share"), typed.share.0);
            if share == 0.0 {
                self.say(&at.then("share"), "concerns no phone", "leave the phase out, or give a share above 0");
            }
            let phones = fleets.iter().filter_map(|f| file.fleet.get(*f)?.count).map(|c| c.0 as f64).sum();
            let arrival = self.arrival(&typed.arrival, &at.then("arrival"), phones);
            phases.push(Phase { name, at: Moment::ZERO + typed.at.0, trigger, fleets, share, arrival });
        }
        if phases.len() == file.phase.len() {
            self.powered(file, &phases);
        }
        phases
    }

    /// Indexes of the fleets a phase names.
    fn concerned(&mut self, typed: &PhaseSection, at: &KeyPath, file: &File) -> Vec<usize> {
        let known = || file.fleet.iter().filter_map(|f| f.name.as_deref());
        let path = at.then("fleets");
        let mut fleets = Vec::new();
        for name in typed.fleets.iter().flatten() {
            match file.fleet.iter().position(|f| f.name.as_ref() == Some(name)) {
                None => {
                    let right = suggest(name, known().collect::<Vec<_>>());
                    self.say(&path, format!("there is no fleet `{name}`"), right);
                }
                Some(index) if fleets.contains(&index) => {
                    self.say(&path, format!("names `{name}` twice"), "name each fleet once");
                }
                Some(index) => fleets.push(index),
            }
        }
        if typed.fleets.as_ref().is_some_and(Vec::is_empty) && !file.fleet.is_empty() {
            self.say(&path, "names no fleet", "leave `fleets` out for all of them");
        }
        fleets
    }

    /// Phones without power do nothing: a phase that asks them to is a slip.
    fn powered(&mut self, file: &File, phases: &[Phase]) {
        for (n, phase) in phases.iter().enumerate().filter(|(_, p)| p.trigger != Trigger::PowerUp) {
            let dark = phase.fleets.iter().filter_map(|f| Some((*f, file.fleet.get(*f)?))).find(|(f, fleet)| {
                let powers = |p: &Phase| p.trigger == Trigger::PowerUp && p.at <= phase.at && p.fleets.contains(f);
                !fleet.starts_on && !phases.iter().any(powers)
            });
            if let Some((_, fleet)) = dark {
                let name = fleet.name.as_deref().unwrap_or_default();
                let what = format!("the phones of fleet `{name}` have no power yet");
                self.say(&key!["phase", n, "does"], what, "set starts-on = true for the fleet, or power it up before");
            }
        }
    }

    /// A share between 0 and 1.
    pub(super) fn share(&mut self, path: &KeyPath, share: f64) -> f64 {
        if !(0.0..=1.0).contains(&share) {
            self.say(path, format!("{share} is no share"), "from 0 to 1, or in per cent, for example \"2%\"");
        }
        share
    }

    fn arrival(&mut self, typed: &ArrivalSection, at: &KeyPath, phones: f64) -> Arrival {
        match typed {
            ArrivalSection::AtOnce => Arrival::AtOnce,
            ArrivalSection::Constant(rate) => Arrival::Constant { rate: self.rate(*rate, &at.then("constant")) },
            ArrivalSection::Ramp(typed) => {
                let at = at.then("ramp");
                let (from, to, over) = (typed.from.0, typed.to.0, typed.over.0);
                if from < 0.0 || to < 0.0 {
                    self.say(&at, "a rate is below 0", "rates of a ramp are 0 or more");
                } else if ramp(from, to, over.as_secs_f64(), (phones - 1.0).max(0.0)).is_none() {
                    let passed = ((from + to) / 2.0 * over.as_secs_f64()).floor() + 1.0;
                    let what = format!("it ends at 0/s after {passed} starts, but there are {phones} phones");
                    self.say(&at, what, "end it at a higher rate, or make it longer");
                }
                Arrival::Ramp { from, to, over }
            }
            ArrivalSection::Poisson(typed) => {
                let at = at.then("poisson");
                let over = self.some_time(typed.over.0, &at.then("over"));
                Arrival::Poisson { rate: self.rate(typed.rate, &at.then("rate")), over }
            }
            ArrivalSection::PowerReturn(typed) => {
                let at = at.then("power-return");
                let dhcp_rate = typed.dhcp_rate.map(|rate| self.rate(rate, &at.then("dhcp-rate")));
                Arrival::PowerReturn { ports: typed.ports.0, boot: typed.boot.0, spread: typed.spread.0, dhcp_rate }
            }
        }
    }

    fn rate(&mut self, rate: Rate, path: &KeyPath) -> f64 {
        if rate.0 <= 0.0 {
            self.say(path, "the rate is not above 0", "nothing would ever start; for example \"200/s\"");
        }
        rate.0
    }

    fn some_time(&mut self, time: Duration, path: &KeyPath) -> Duration {
        if time.is_zero() {
            self.say(path, "nothing would ever start", "give it some time, for example \"10m\"");
        }
        time
    }
}
