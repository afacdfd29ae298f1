//! `[[phase]]` and its arrival plan.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::phone::Trigger;
use crate::workload::quantity::{Rate, Share, Time};

/// A stretch of the run with one arrival plan.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct PhaseSection {
    /// Its name, for reports. Default: what it `does`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// When it begins, in phone time from the run's start.
    pub(crate) at: Time,
    /// What it does to the phones. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
    pub(crate) does: Option<Trigger>,
    /// Names of the fleets it concerns. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fleets: Option<Vec<String>>,
    /// Share of those phones it concerns, drawn per phone.
    pub(crate) share: Share,
    /// When each start falls: `"at-once"`, or a table with one of `constant`, `ramp`, `poisson`, `power-return`.
    pub(crate) arrival: ArrivalSection,
}

impl Default for PhaseSection {
    fn default() -> Self {
        PhaseSection {
            name: None,
            at: Time::secs(0),
            does: None,
            fleets: None,
            share: Share(1.0),
            arrival: ArrivalSection::AtOnce,
        }
    }
}

/// When each start falls.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum ArrivalSection {
    /// Every phone at once.
    AtOnce,
    /// Each phone once, at an even rate: `{ constant = "200/s" }`.
    Constant(Rate),
    /// Each phone once, at a rate that changes linearly: `{ ramp = { from = "10/s", to = "200/s", over = "1m" } }`.
    Ramp(RampSection),
    /// Independent starts at random for a while, each on a phone at random: `{ poisson = { rate = "5/s", over = "8h" } }`.
    Poisson(PoissonSection),
    /// Power returns: each phone once, after its port's stagger, its boot time and a DHCP lease:
    /// `{ power-return = { ports = "10s", boot = "20s", spread = "5s", dhcp-rate = "200/s" } }`.
    PowerReturn(PowerReturnSection),
}

/// A rate that changes linearly.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RampSection {
    /// The rate at the beginning.
    pub(crate) from: Rate,
    /// The rate at the end of `over`, and from then on.
    pub(crate) to: Rate,
    /// How long the rate changes.
    pub(crate) over: Time,
}

/// Independent starts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PoissonSection {
    /// The mean rate.
    pub(crate) rate: Rate,
    /// How long.
    pub(crate) over: Time,
}

/// Power returns.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct PowerReturnSection {
    /// Switches bring their ports up over this long, uniform per phone.
    pub(crate) ports: Time,
    /// Mean boot time of a phone.
    pub(crate) boot: Time,
    /// Standard deviation of the boot time (normal, cut at zero).
    pub(crate) spread: Time,
    /// DHCP leases handed out per unit of time; phones queue for them in the order of asking. Default: at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dhcp_rate: Option<Rate>,
}

impl Default for PowerReturnSection {
    fn default() -> Self {
        PowerReturnSection { ports: Time::secs(30), boot: Time::secs(60), spread: Time::secs(10), dhcp_rate: None }
    }
}
