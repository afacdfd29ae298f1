//! What makes the embedded server slow, faulty or different: `work`, `faults`, `event`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::quantity::{Count, Share, Time, TimeRange};
use crate::workload::{Overload, Swap};

/// How long requests take, and how many wait; phone time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct WorkSection {
    /// How long one request is worked on, uniform between both ends; in phone time, so that a compressed run has the
    /// same queues.
    pub(crate) service: TimeRange,
    /// How many requests are worked on at once; the others wait. Default: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workers: Option<Count>,
    /// How many requests may wait. Default: IIS-like 1,000 (its kernel queue), the others any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queue: Option<Count>,
    /// What becomes of one that finds the queue full: `unavailable` is a 503 and the end of the connection, `reset`
    /// a reset.
    pub(crate) overload: Overload,
}

impl Default for WorkSection {
    fn default() -> Self {
        WorkSection {
            service: TimeRange(std::time::Duration::ZERO, std::time::Duration::ZERO),
            workers: None,
            queue: None,
            overload: Overload::Unavailable,
        }
    }
}

/// Shares of answers that go wrong at random; together at most 1.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct FaultsSection {
    /// Half of the answer is sent, then nothing any more, on an open connection.
    pub(crate) stall: Share,
    /// Half of the answer is sent, then the connection is closed.
    pub(crate) cut: Share,
    /// No answer is sent, and the connection is reset.
    pub(crate) reset: Share,
    /// `status-code` is sent in place of the answer, and nothing is done.
    pub(crate) status: Share,
    /// The status of such answers, 400 to 599.
    pub(crate) status_code: u16,
}

impl Default for FaultsSection {
    fn default() -> Self {
        FaultsSection { stall: Share(0.0), cut: Share(0.0), reset: Share(0.0), status: Share(0.0), status_code: 500 }
    }
}

/// Something that befalls the embedded server: `at`, and exactly one of the other keys.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct EventSection {
    /// When, in phone time from the run's start. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
    pub(crate) at: Option<Time>,
    /// Challenges name this realm from now on. Phones that stored their credentials under the old one are stranded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rename_realm: Option<String>,
    /// The server is gone for so long: connections break and are refused. It comes back as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) down_for: Option<Time>,
    /// `true`: session tickets handed out before are worth nothing from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rotate_ticket_keys: Option<bool>,
    /// Another certificate: `renewed` by the same CA, which no phone should notice, or from an `other-ca`, which none
    /// trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) swap_certificate: Option<Swap>,
    /// This share of the users has another password from now on, which no phone and no person knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password_change: Option<Share>,
}
