//! `[run]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::quantity::Time;

/// When the run is over, and how fast phone time passes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct RunSection {
    /// `settled`: the run ends when the plan is through and no phone can get further by itself. The default,
    /// unless `duration` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Until>,
    /// Ends the run after this much phone time, whatever the phones do; instead of `until`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<Time>,
    /// Phone time after which a run that would not settle ends all the same.
    pub(crate) limit: Time,
    /// Phone seconds per real second: 1 is real time, 600 plays ten hours in a minute. Timeouts are real time
    /// and stay as they are.
    pub(crate) compression: f64,
}

impl Default for RunSection {
    fn default() -> Self {
        RunSection { until: None, duration: None, limit: Time::secs(2 * 3600), compression: 1.0 }
    }
}

/// What ends a run that has no fixed duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Until {
    /// Each phone is provisioned, stands at a screen to which nobody comes, or has failed.
    Settled,
}
