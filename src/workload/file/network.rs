//! `[timeouts]`, `[network]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::quantity::{Count, Time};

/// How long a phone waits for what; real time, never compressed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct TimeoutsSection {
    /// For the TCP connection.
    pub(crate) connect: Time,
    /// For the TLS handshake.
    pub(crate) tls: Time,
    /// From the request sent to the first byte of the answer.
    pub(crate) first_byte: Time,
    /// For the whole exchange, from dispatch to the last byte.
    pub(crate) exchange: Time,
}

impl Default for TimeoutsSection {
    fn default() -> Self {
        TimeoutsSection {
            connect: Time::secs(10),
            tls: Time::secs(10),
            first_byte: Time::secs(30),
            exchange: Time::secs(120),
        }
    }
}

/// Where connections come from, and how many there may be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct NetworkSection {
    /// Addresses the phones connect from, taken in turn: single ones, ranges `127.0.0.10-127.0.0.50`, or networks
    /// `127.0.1.0/24` (without network and broadcast address). Each has its own 28,000 or so ports. Default: as
    /// the system chooses.
    pub(crate) sources: Vec<String>,
    /// Most connections open at once, over all cores. Default: as many as open files allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_connections: Option<Count>,
    /// How long a phone keeps an idle connection.
    pub(crate) idle: Time,
}

impl Default for NetworkSection {
    fn default() -> Self {
        NetworkSection { sources: Vec::new(), max_connections: None, idle: Time::secs(10) }
    }
}
