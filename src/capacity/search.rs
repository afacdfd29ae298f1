//! The search: upwards by doubling until a load is missed, then by halves until the two loads around the knee are close.
//!
//! ```text
//! easiest ──met──▶ ×2 ──met──▶ ×2 ──missed──▶ halve ⇄ halve ──close──▶ ask both ends once more ──▶ done
//! ```
//!
//! What to do next follows from the answers alone, so a wrong answer can be taken back by later ones:
//!
//! - On the way up, one answer that a load is met will do; one that it is missed is asked again.
//! - Around the knee the majority of [`Rules::repeats`] answers decides, and no more are asked for than it takes.
//! - At the end both loads are asked again. If the new answer contradicts the old ones, more are asked; if the majority
//!   turns, the search goes on from there. So one answer that is wrong by chance does not keep the search on its side.
//! - A probe that says nothing of the server ([`Answer::Blind`]) decides nothing; a load that stays blind bounds the search.

use super::{Axis, Found, Knee};

/// What a probe said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The server met all thresholds.
    Met,
    /// It missed one.
    Missed,
    /// The probe says nothing of the server: its measurement is invalid, or the generator could not make it.
    Blind,
}

/// How sure an answer must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// How close the two loads around the knee are to be: their ratio less 1.
    pub tolerance: f64,
    /// Of so many answers the majority decides. 1 where the same load always gives the same answer.
    pub repeats: u32,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Try this load.
    Probe(f64),
    /// Nothing more.
    Done(Found),
}

/// A load that was tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    /// The load.
    pub load: f64,
    /// Probes that met the thresholds.
    pub met: u32,
    /// Probes that missed one.
    pub missed: u32,
    /// Probes that say nothing.
    pub blind: u32,
}

/// Which side of the knee a load is on, as far as its answers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Met,
    Missed,
    Blind,
    /// More answers are needed; so far they lean towards met, or not.
    Open {
        met: bool,
    },
}

/// A search under way.
#[derive(Clone, Debug)]
pub struct Search {
    axis: Axis,
    rules: Rules,
    /// From the easiest to the hardest.
    tried: Vec<Tried>,
    probes: u32,
}

impl Search {
    /// Most probes of one search: many times what any needs.
    const MOST: u32 = 300;

    /// A search that has tried nothing yet.
    pub fn new(axis: Axis, rules: Rules) -> Search {
        let rules = Rules { repeats: rules.repeats.max(1), ..rules };
        Search { axis, rules, tried: Vec::new(), probes: 0 }
    }

    /// The axis it moves on.
    pub fn axis(&self) -> &Axis {
        &self.axis
    }

    /// What was tried, from the easiest to the hardest.
    pub fn tried(&self) -> &[Tried] {
        &self.tried
    }

    /// Tells what came of a probe.
    pub fn tell(&mut self, load: f64, answer: Answer) {
        self.probes += 1;
        let axis = self.axis;
        let at = self.tried.partition_point(|tried| axis.is_harder(load, tried.load));
        if self.tried.get(at).is_none_or(|tried| tried.load != load) {
            self.tried.insert(at, Tried { load, met: 0, missed: 0, blind: 0 });
        }
        let Some(tried) = self.tried.get_mut(at) else { return };
        match answer {
            Answer::Met => tried.met += 1,
            Answer::Missed => tried.missed += 1,
            Answer::Blind => tried.blind += 1,
        }
    }

    /// What to do next. It does not change until it is told something.
    #[allow(clippy::should_implement_trait, reason = "an iterator would have to be told nothing")]
    pub fn next(&self) -> Step {
        let sides: Vec<Side> = self.tried.iter().map(|tried| self.side(tried)).collect();
        let is_met = |side: &Side| matches!(side, Side::Met | Side::Open { met: true });
        let Some(edge) = sides.iter().position(|side| !is_met(side)) else { return self.upwards() };
        let (beyond, below) = (self.tried[edge], edge.checked_sub(1).map(|below| self.tried[below]));
        if self.probes >= Search::MOST {
            return Step::Done(self.found(edge, sides[edge]));
        }
        if matches!(sides[edge], Side::Open { .. }) {
            return Step::Probe(beyond.load);
        }
        if let Some(below) = below {
            if !self.is_close(below.load, beyond.load)
                && let Some(middle) = self.axis.between(below.load, beyond.load)
            {
                return Step::Probe(middle);
            }
            if !self.is_settled(&below) {
                return Step::Probe(below.load);
            }
        }
        if sides[edge] == Side::Missed && !self.is_settled(&beyond) {
            return Step::Probe(beyond.load);
        }
        Step::Done(self.found(edge, sides[edge]))
    }

    /// Nothing was missed so far.
    fn upwards(&self) -> Step {
        let Some(last) = self.tried.last() else { return Step::Probe(self.axis.easiest()) };
        if self.axis.is_harder(self.axis.hardest(), last.load) {
            return Step::Probe(self.axis.up(last.load));
        }
        match self.side(last) {
            Side::Met => Step::Done(Found::Met { at: last.load }),
            _ => Step::Probe(last.load),
        }
    }

    /// How many answers make a majority.
    fn majority(&self) -> u32 {
        self.rules.repeats / 2 + 1
    }

    /// The side of a load.
    fn side(&self, tried: &Tried) -> Side {
        let (most, least) = (tried.met.max(tried.missed), tried.met.min(tried.missed));
        match () {
            () if most > least && most >= self.majority() => match tried.met > tried.missed {
                true => Side::Met,
                false => Side::Missed,
            },
            () if tried.blind > self.rules.repeats.max(2) - 1 => Side::Blind,
            () => Side::Open { met: tried.met > tried.missed },
        }
    }

    /// Whether the answers at one end of the interval are beyond doubt: one more than a majority and all alike, or so many
    /// that more would not help.
    fn is_settled(&self, tried: &Tried) -> bool {
        let answers = tried.met + tried.missed;
        let alike = tried.met == 0 || tried.missed == 0;
        match self.rules.repeats {
            1 => answers >= 1,
            repeats => (alike && answers > self.majority()) || answers > 2 * repeats - 2,
        }
    }

    fn is_close(&self, below: f64, beyond: f64) -> bool {
        self.axis.ratio(below, beyond) - 1.0 <= self.rules.tolerance * (1.0 + 1e-9)
    }

    /// What the answers come to, if the first load that is not met is this one.
    fn found(&self, edge: usize, side: Side) -> Found {
        let below = edge.checked_sub(1).map(|below| self.tried[below]);
        let beyond = self.tried[edge];
        if side == Side::Blind {
            let missed_at = self.tried[edge..].iter().find(|t| self.side(t) == Side::Missed).map(|t| t.load);
            return Found::Limited { at_least: below.map(|t| t.load), blind_at: beyond.load, missed_at };
        }
        let Some(below) = below else { return Found::Missed { at: beyond.load } };
        let (sure_met, sure_missed) = self.unanimous(edge);
        let contradicted = self.tried.iter().filter(|t| t.met > 0 && t.missed > 0).map(|t| t.load).collect();
        Found::Knee(Knee {
            value: self.middle(below.load, beyond.load),
            met_at: below.load,
            missed_at: beyond.load,
            low: sure_met.min(sure_missed),
            high: sure_met.max(sure_missed),
            contradicted,
            tight: self.is_close(below.load, beyond.load) || self.axis.between(below.load, beyond.load).is_none(),
        })
    }

    /// The middle of both ends by ratio; of whole numbers next to each other the one that was met.
    fn middle(&self, below: f64, beyond: f64) -> f64 {
        self.axis.between(below, beyond).unwrap_or(below)
    }

    /// The nearest loads around the knee on whose far sides no answer contradicts.
    fn unanimous(&self, edge: usize) -> (f64, f64) {
        let never_missed = self.tried[..edge].iter().take_while(|t| t.missed == 0).last();
        let met = never_missed.map_or(self.axis.easiest(), |t| t.load);
        let never_met = self.tried[edge..].iter().rev().take_while(|t| t.met == 0).last();
        let missed = never_met.map_or(self.axis.hardest(), |t| t.load);
        (met, missed)
    }
}
