//! What a search for capacity varies, as meant.

use std::time::Duration;

use super::Overrides;
use super::quantity::{Count, Quantity, Rate, Share, Size, Time};
use crate::capacity::{Axis, Harder};

/// A search for the hardest load that meets the thresholds.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// The key, as it was named.
    pub find: String,
    /// The same as flags name it.
    pub key: SearchKey,
    /// What its values are.
    pub measure: Measure,
    /// Its range, and which way is harder.
    pub axis: Axis,
    /// How close the two loads around the knee are to be: their ratio less 1.
    pub tolerance: f64,
    /// Around the knee the majority of so many probes decides.
    pub repeats: u32,
    /// Real time between two probes.
    pub rest: Duration,
    /// How the server is pushed over its knee and watched afterwards; none if it is not.
    pub recovery: Option<Push>,
}

/// The key that is varied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchKey {
    /// All fleets in proportion, as `--phones` does.
    Phones,
    /// A key as `--set` takes it.
    Key(String),
}

/// What the values of a key are. As a number: phones or things, starts a second, seconds, a part of the whole, octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// A whole number of things.
    Count,
    /// So many a second.
    Rate,
    /// A duration.
    Time,
    /// A part of the whole.
    Share,
    /// Octets.
    Size,
    /// Any number.
    Number,
}

/// How the server is pushed over its knee.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Push {
    /// The load beyond the knee: so many times as hard.
    pub push: f64,
    /// The load before and after: this share of the knee.
    pub back_to: f64,
    /// Phone time of each of the four parts; none: as long as a probe at the knee took.
    pub part: Option<Duration>,
}

impl Capacity {
    /// A value as it is typed: `12.5/s`, `1500`, `1m30s`.
    pub fn typed(&self, value: f64) -> String {
        self.measure.typed(value)
    }

    /// These overrides with the key at this value.
    pub fn at(&self, value: f64, overrides: &Overrides) -> Overrides {
        let mut at = overrides.clone();
        match &self.key {
            SearchKey::Phones => at.phones = Some(value.round() as u32),
            SearchKey::Key(key) => at.sets.push(format!("{key}={}", self.typed(value))),
        }
        at
    }

    /// Which way is harder.
    pub fn harder(&self) -> Harder {
        self.axis.harder()
    }
}

impl Measure {
    /// Every kind of value, in the order in which a text is tried.
    const ALL: [Measure; 6] =
        [Measure::Time, Measure::Rate, Measure::Number, Measure::Share, Measure::Size, Measure::Count];

    /// What keys of this format in the schema take.
    pub(super) fn of_format(format: &str) -> Option<Measure> {
        Some(match format {
            "duration" | "duration range" => Measure::Time,
            "count" | "uint64" | "uint32" | "uint16" => Measure::Count,
            "rate" => Measure::Rate,
            "share" => Measure::Share,
            "size" | "size range" => Measure::Size,
            "double" => Measure::Number,
            _ => return None,
        })
    }

    /// What both texts can be read as.
    pub(super) fn of_texts(from: &str, to: &str) -> Option<Measure> {
        Measure::ALL.into_iter().find(|measure| measure.read(from).is_some() && measure.read(to).is_some())
    }

    /// The value of a text.
    pub(super) fn read(self, text: &str) -> Option<f64> {
        match self {
            Measure::Count => Count::read(text).map(|count| count.0 as f64),
            Measure::Rate => Rate::read(text).map(|rate| rate.0),
            Measure::Time => Time::read(text).map(|time| time.0.as_secs_f64()),
            Measure::Share => Share::read(text).map(|share| share.0),
            Measure::Size => Size::read(text).map(|size| size.0 as f64),
            Measure::Number => text.parse().ok().filter(|number: &f64| number.is_finite()),
        }
    }

    /// How such a value is written, for whoever wrote something else.
    pub(super) const fn what(self) -> &'static str {
        match self {
            Measure::Count => Count::WHAT,
            Measure::Rate => Rate::WHAT,
            Measure::Time => Time::WHAT,
            Measure::Share => Share::WHAT,
            Measure::Size => Size::WHAT,
            Measure::Number => "a number such as 1.5",
        }
    }

    /// Whether values are whole numbers.
    pub(super) const fn is_whole(self) -> bool {
        matches!(self, Measure::Count | Measure::Size)
    }

    /// A value as a person reads it.
    pub fn told(self, value: f64) -> String {
        match self {
            // A thousand phones are easier to read with a comma.
            Measure::Count => number(value.round() as u64),
            Measure::Share => format!("{} %", (value * 1e6).round() / 1e4),
            _ => self.typed(value),
        }
    }

    /// A value as it is typed.
    fn typed(self, value: f64) -> String {
        match self {
            Measure::Count => Count(value.round() as u64).write(),
            Measure::Rate => format!("{value}/s"),
            // Whole microseconds: nobody's timers are finer.
            Measure::Time => Time(Duration::from_micros((value * 1e6).round() as u64)).write(),
            Measure::Share => Share(value).write(),
            Measure::Size => format!("{}B", value.round() as u64),
            Measure::Number => value.to_string(),
        }
    }
}

/// With its thousands apart.
fn number(n: u64) -> String {
    let digits = n.to_string();
    let apart = |(i, digit): (usize, char)| {
        let comma = i > 0 && (digits.len() - i).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(apart).collect()
}
