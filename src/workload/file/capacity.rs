//! `[capacity]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OnOff;
use crate::capacity::Harder;
use crate::workload::quantity::{Count, Quantity, Share, Time, quantity};

/// What `bootstorm capacity` searches: the hardest value of one key at which the server still meets the thresholds.
/// Other verbs leave it alone.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct CapacitySection {
    /// The key whose value is searched: `phones` (all fleets in proportion), `phase.NAME.rate` and `phase.NAME.over` (rate
    /// and width of that phase's arrival plan), or any key that is a number or a duration, as `--set` names it:
    /// `fleet.0.count`, `target.embedded.work.service`. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
    pub(crate) find: Option<String>,
    /// One end of the range, written as the key's own values are: `"10/s"`, `500`, `"2m"`. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
    pub(crate) from: Option<Level>,
    /// The other end. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
    pub(crate) to: Option<Level>,
    /// Which way is harder for the server. Default: known for the usual keys (more phones, a higher rate, a narrower
    /// storm); required for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) harder: Option<Harder>,
    /// How close the two loads around the knee are to be.
    pub(crate) tolerance: Share,
    /// Around the knee the majority of so many probes decides, 1 to 99.
    pub(crate) repeats: Count,
    /// How long server and machine rest between two probes; real time.
    pub(crate) rest: Time,
    /// Whether the server is pushed over its knee at the end, and watched when the load is gone: does it come back?
    /// `true`, `false`, or a table `[capacity.recovery]`.
    pub(crate) recovery: OnOff<RecoverySection>,
}

impl Default for CapacitySection {
    fn default() -> Self {
        CapacitySection {
            find: None,
            from: None,
            to: None,
            harder: None,
            tolerance: Share(0.05),
            repeats: Count(3),
            rest: Time::secs(1),
            recovery: OnOff::On(RecoverySection::default()),
        }
    }
}

/// How the server is pushed over its knee and watched.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct RecoverySection {
    /// The load beyond the knee: so many times as hard, above 1.
    pub(crate) push: f64,
    /// The load before it and after it, as a share of the knee.
    pub(crate) back_to: Share,
    /// How long each of the four parts lasts, in phone time: before, beyond, taken away, after. Default: as long as a
    /// probe at the knee took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) part: Option<Time>,
}

impl Default for RecoverySection {
    fn default() -> Self {
        RecoverySection { push: 2.0, back_to: Share(0.5), part: None }
    }
}

/// A value of another key: a number, or a text that will be read as that key's values are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Level(pub(crate) String);

impl Quantity for Level {
    const WHAT: &'static str = "a value of the key, such as 500, \"10/s\" or \"2m\"";

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Level(text.to_owned()))
    }

    fn read_number(number: f64) -> Option<Self> {
        number.is_finite().then(|| Level(number.to_string()))
    }

    fn write(&self) -> String {
        self.0.clone()
    }
}
quantity!(Level, { "type": ["number", "string"], "format": "value of the key" });
