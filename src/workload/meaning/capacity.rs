//! `[capacity]`: which key is varied, between which values, and which way is harder.

use super::Meaning;
use crate::capacity::{Axis, Harder};
use crate::workload::assignment::dotted;
use crate::workload::error::nearest;
use crate::workload::file::{ArrivalSection, CapacitySection, File, RecoverySection};
use crate::workload::locate::{KeyPath, Step, key};
use crate::workload::{Capacity, Measure, Push, SearchKey};

/// A key that was found: how flags name it, what its values are, and which way is harder if that is known.
struct Sought {
    key: SearchKey,
    measure: Option<Measure>,
    harder: Option<Harder>,
}

const FIND: &str = "name the key to vary: phones, phase.NAME.rate, phase.NAME.over, or any number or duration as --set \
                    names it, such as fleet.0.count";

impl Meaning<'_> {
    /// What `bootstorm capacity` searches; none if the file does not say, or not rightly.
    pub(super) fn capacity(&mut self, file: &File) -> Option<Capacity> {
        let typed = file.capacity.as_ref()?;
        let at = |name: &str| key!["capacity"].then(name);
        let (tolerance, repeats) = self.exactness(typed);
        let recovery = typed.recovery.on().map(|typed| self.push(typed));
        let Some(find) = &typed.find else {
            self.say(&at("find"), "is missing", FIND);
            return None;
        };
        let sought = self.sought(find, file, &at("find"))?;
        for (name, end) in [("from", &typed.from), ("to", &typed.to)] {
            if end.is_none() {
                let right = format!("write both ends of the range in which `{find}` is searched");
                self.say(&at(name), format!("there is no `{name}`"), right);
            }
        }
        let (from, to) = (typed.from.as_ref()?, typed.to.as_ref()?);
        let Some(measure) = sought.measure.or_else(|| Measure::of_texts(&from.0, &to.0)) else {
            self.say(
                &at("from"),
                format!("`{}` and `{}` are no values of one kind", from.0, to.0),
                "two numbers or two durations",
            );
            return None;
        };
        let from = self.level(measure, &from.0, &at("from"));
        let to = self.level(measure, &to.0, &at("to"));
        let harder = typed.harder.or(sought.harder);
        if harder.is_none() {
            let what = "is missing: which way is harder for the server does not follow from the key";
            self.say(&at("harder"), what, "write \"larger\" or \"smaller\"");
        }
        let (from, to, harder) = (from?, to?, harder?);
        if from == to {
            self.say(&at("to"), "is the same as `from`", "there is nothing to search in between");
            return None;
        }
        let axis = Axis::new(from, to, harder);
        Some(Capacity {
            find: find.clone(),
            key: sought.key,
            measure,
            axis: if measure.is_whole() { axis.whole() } else { axis },
            tolerance,
            repeats,
            rest: typed.rest.0,
            recovery,
        })
    }

    /// A value above 0 of the key that is searched.
    fn level(&mut self, measure: Measure, text: &str, at: &KeyPath) -> Option<f64> {
        match measure.read(text.trim()) {
            None => self.say(at, format!("`{text}` is not {}", measure.what()), "write it as the key's own values are"),
            Some(value) if value <= 0.0 => {
                self.say(at, format!("`{text}` is not above 0"), "the search moves by ratios")
            }
            Some(value) => return Some(value),
        }
        None
    }

    fn exactness(&mut self, typed: &CapacitySection) -> (f64, u32) {
        let (tolerance, repeats) = (typed.tolerance.0, typed.repeats.0);
        if !(0.001..=1.0).contains(&tolerance) {
            let right = "from 0.1% to 100%; 5% is what probes of a few thousand operations can tell";
            self.say(&key!["capacity", "tolerance"], format!("{tolerance} is no tolerance"), right);
        }
        if !(1..=99).contains(&repeats) {
            self.say(
                &key!["capacity", "repeats"],
                format!("{repeats} probes decide nothing"),
                "from 1 to 99, better odd",
            );
        }
        (tolerance, repeats.clamp(1, 99) as u32)
    }

    fn push(&mut self, typed: &RecoverySection) -> Push {
        let at = |name: &str| key!["capacity", "recovery"].then(name);
        if !(typed.push > 1.0 && typed.push <= 100.0) {
            self.say(
                &at("push"),
                format!("{} is not beyond the knee", typed.push),
                "above 1, for example 1.5; at most 100",
            );
        }
        if !(typed.back_to.0 > 0.0 && typed.back_to.0 < 1.0) {
            self.say(
                &at("back-to"),
                format!("{} is not below the knee", typed.back_to.0),
                "between 0 and 1, for example \"50%\"",
            );
        }
        if typed.part.is_some_and(|part| part.0.is_zero()) {
            self.say(&at("part"), "there would be nothing to see", "give it some time, for example \"20s\"");
        }
        Push { push: typed.push, back_to: typed.back_to.0, part: typed.part.map(|part| part.0) }
    }

    /// The key that is named.
    fn sought(&mut self, find: &str, file: &File, at: &KeyPath) -> Option<Sought> {
        if find == "phones" {
            return Some(Sought {
                key: SearchKey::Phones,
                measure: Some(Measure::Count),
                harder: Some(Harder::Larger),
            });
        }
        let Some(words) = dotted(find) else {
            self.say(at, format!("`{find}` is no key"), FIND);
            return None;
        };
        let mut path = match self.doc.resolve(&words) {
            Ok(path) => path,
            Err((what, right)) => {
                self.say(at, format!("`{find}`: {what}"), if right.is_empty() { FIND.to_owned() } else { right });
                return None;
            }
        };
        if let [Step::Key(phase), Step::Index(n), Step::Key(alias)] = path.0.as_slice()
            && phase == "phase"
            && ["rate", "over"].contains(&alias.as_str())
        {
            path = self.of_arrival(*n, alias, file, at)?;
        }
        let known = self.keys.at(&path);
        let is_setting = path.0.iter().any(|step| *step == Step::from("settings"));
        if known.is_none() && !is_setting {
            let last = words.last().map_or("", String::as_str);
            let above = self.keys.at(&KeyPath(path.0[..path.0.len() - 1].to_vec()));
            let near = above.and_then(|node| nearest(last, node.children.keys().map(String::as_str)));
            let right = near.map_or_else(|| FIND.to_owned(), |near| format!("did you mean `{near}`?"));
            self.say(at, format!("there is no key `{find}`"), right);
            return None;
        }
        // What kind of value a family's setting has, its own values tell.
        let format = known.and_then(|node| node.format.as_deref());
        let measure = format.and_then(Measure::of_format);
        if measure.is_none() && !is_setting {
            self.say(at, format!("`{find}` is neither a number nor a duration"), FIND);
            return None;
        }
        Some(Sought { harder: direction(&path), key: SearchKey::Key(path.to_string()), measure })
    }

    /// `phase.NAME.rate` and `phase.NAME.over` are in the arrival plan, wherever this plan has them.
    fn of_arrival(&mut self, n: usize, alias: &str, file: &File, at: &KeyPath) -> Option<KeyPath> {
        let arrival = key!["phase", n, "arrival"];
        let phase = file.phase.get(n)?;
        let (kind, keys): (_, &[&str]) = match (&phase.arrival, alias) {
            (ArrivalSection::Constant(_), "rate") => ("constant", &["constant"]),
            (ArrivalSection::Ramp(_), "rate") => ("ramp", &["ramp", "to"]),
            (ArrivalSection::Ramp(_), "over") => ("ramp", &["ramp", "over"]),
            (ArrivalSection::Poisson(_), "rate") => ("poisson", &["poisson", "rate"]),
            (ArrivalSection::PowerReturn(_), "over") => ("power-return", &["power-return", "ports"]),
            (ArrivalSection::Constant(_), _) => ("constant", &[]),
            (ArrivalSection::Poisson(_), _) => ("poisson", &[]),
            (ArrivalSection::PowerReturn(_), _) => ("power-return", &[]),
            (ArrivalSection::AtOnce | ArrivalSection::Ramp(_), _) => ("at-once", &[]),
        };
        if keys.is_empty() {
            let name = phase.name.as_deref().unwrap_or_default();
            let what = format!(
                "phase `{name}` arrives `{kind}`, which has no {} to vary",
                if alias == "over" { "width" } else { "rate" }
            );
            let right = match alias {
                "over" => "a ramp and a power-return have one; for the others vary a rate or a count",
                _ => "constant, ramp and poisson have one; for the others vary `over` or a count",
            };
            self.say(at, what, right);
            return None;
        }
        Some(keys.iter().fold(arrival, |path, key| path.then(*key)))
    }
}

/// Which way is harder for the server, for the keys of which everybody would say the same.
fn direction(path: &KeyPath) -> Option<Harder> {
    let keys: Vec<&str> = path
        .0
        .iter()
        .filter_map(|s| match s {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
        .collect();
    match keys.as_slice() {
        ["fleet", "count"] | ["phase", "share"] | ["fleet", "backup-size"] => Some(Harder::Larger),
        ["phase", "arrival", "constant"] | ["phase", "arrival", "poisson", "rate"] => Some(Harder::Larger),
        ["phase", "arrival", "ramp", "from" | "to"] | ["phase", "arrival", "power-return", "dhcp-rate"] => {
            Some(Harder::Larger)
        }
        ["phase", "arrival", "ramp", "over"] | ["phase", "arrival", "power-return", "ports" | "boot" | "spread"] => {
            Some(Harder::Smaller)
        }
        ["target", "embedded", "work", "service"] => Some(Harder::Larger),
        ["target", "embedded", "work", "workers"] | ["timeouts", _] => Some(Harder::Smaller),
        ["fleet", "settings", "resync-random-delay" | "registration-delay" | "resync-periodic"] => {
            Some(Harder::Smaller)
        }
        _ => None,
    }
}
