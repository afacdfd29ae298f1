//! `[timeouts]`, `[network]`, `[tls]`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::quantity::{Count, Time};
use crate::workload::{Resumption, TlsVersions};

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

/// What the phones' TLS does.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct TlsSection {
    /// Versions the phones offer.
    pub(crate) versions: TlsVersions,
    /// Whether sessions are resumed.
    pub(crate) resumption: Resumption,
    /// The certificates the phones themselves present when a server asks, each its own: `"derived"`, or a table
    /// `{ derived-by = "DIR" }` or `{ folder = "DIR" }`. Default: they have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_certificates: Option<DeviceCertificatesSection>,
}

/// Where the phones' own certificates come from; folders are relative to the workload file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum DeviceCertificatesSection {
    /// Issued by a CA that is made for this run: for servers that trust any, such as the embedded one.
    Derived,
    /// Issued by the CA in this folder (`device-ca.pem`, `device-ca-key.pem`), made if there is none: give
    /// `device-ca.pem` to the server first.
    DerivedBy(PathBuf),
    /// Read from this folder: `<mac>.pem` or `<extension>.pem`, each with the certificates and the key. A phone
    /// without a file presents none.
    Folder(PathBuf),
}

impl Default for TlsSection {
    fn default() -> Self {
        TlsSection { versions: TlsVersions::Both, resumption: Resumption::Never, device_certificates: None }
    }
}
