//! `[matrix]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::quantity::{Count, Time};

/// The same workload in several variants. `run` plays every combination of the values named in `[matrix.vary]` and
/// `[[matrix.axis]]`, each in a folder of its own, and prints one table; the other verbs take the baseline.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct MatrixSection {
    /// How many runs of each variant: with one, the table has figures and no intervals; five or more tell whether a
    /// variant differs from the baseline. At most 1,000 runs in all.
    pub(crate) repeats: Count,
    /// Whether all variants are played once before any is played again, each round in an order drawn from the seed, so
    /// that what changes with the hour falls on all alike; `false`: one variant after another, as the file has them.
    pub(crate) interleaved: bool,
    /// How long the machine rests between two runs.
    pub(crate) rest: Time,
    /// Which variants there are.
    pub(crate) combine: Combine,
    /// With which variant the others are compared: for each axis named, the value's name, as in
    /// `{ versions = "1.3" }`. Default: the first value of each axis.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub(crate) baseline: toml::Table,
    /// What the table shows: figures of `summary.json`, or expressions of several, as thresholds take them:
    /// `["storm.drain_s", "exchanges.failed / exchanges.total"]`. Default: what goes with the workload and with what is
    /// varied.
    pub(crate) show: Vec<String>,
    /// Keys of the workload, each with a list of the values it takes in turn: `"tls.versions" = ["1.2", "1.3"]`. Each
    /// is an axis, called by the last word of its key.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub(crate) vary: toml::Table,
    /// One axis each, of values that have names or set several keys at once.
    pub(crate) axis: Vec<AxisSection>,
    /// Combinations that make no sense: for each axis named, a value or a list of values, by name. What fits in all of
    /// them is not played: `versions = "1.2"` with `group = ["X25519MLKEM768"]`.
    #[schemars(with = "Vec<LeaveOut>")]
    pub(crate) leave_out: Vec<toml::Table>,
}

impl Default for MatrixSection {
    fn default() -> Self {
        MatrixSection {
            repeats: Count(1),
            interleaved: true,
            rest: Time::secs(1),
            combine: Combine::All,
            baseline: toml::Table::new(),
            show: Vec::new(),
            vary: toml::Table::new(),
            axis: Vec::new(),
            leave_out: Vec::new(),
        }
    }
}

/// Which variants there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Combine {
    /// Every combination of values.
    All,
    /// The baseline, and for each other value of each axis the baseline with that one changed.
    OneAtATime,
}

/// An axis: what it is called, and its values.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct AxisSection {
    /// What it is called in the table. Required.
    pub(crate) name: Option<String>,
    /// Its values: each a table with a `name` and the keys it sets, any number of them:
    /// `{ name = "RSA-2048", "target.embedded.tls.key" = "rsa2048" }`. Required.
    #[schemars(with = "Vec<std::collections::BTreeMap<String, serde_json::Value>>")]
    pub(crate) values: Vec<toml::Table>,
}

/// For the schema alone: an axis, and a value or a list of them.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "its shape is all that is wanted")]
pub(crate) struct LeaveOut(std::collections::BTreeMap<String, serde_json::Value>);
