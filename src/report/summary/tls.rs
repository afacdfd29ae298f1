//! What `summary.json` says of TLS handshakes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Figures, Named};

/// TLS handshakes. `handshake_ms` and `client_cpu_us` are of all that were completed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tls {
    /// By kind.
    pub handshakes: Kinds<u64>,
    /// The whole handshake.
    pub handshake_ms: Figures,
    /// The whole handshake, by kind.
    pub handshake_by_kind_ms: Kinds<Figures>,
    /// CPU time of the client's thread in it.
    pub client_cpu_us: Figures,
    /// CPU time of the client's thread in it, by kind.
    pub client_cpu_by_kind_us: Kinds<Figures>,
    /// Steps of the handshake.
    pub phases_ms: HandshakePhasesMs,
    /// Octets written during handshakes.
    pub bytes_out: u64,
    /// Octets read during handshakes.
    pub bytes_in: u64,
    /// TLS records written during handshakes.
    pub records_out: u64,
    /// TLS records read during handshakes.
    pub records_in: u64,
    /// By version.
    pub versions: Named,
    /// By suite.
    pub suites: Named,
    /// By key-exchange group.
    pub groups: Named,
    /// By the scheme of the server's signature.
    pub signatures: Named,
    /// Certificate chains received, by number of certificates.
    pub chain_lengths: Named,
    /// Octets (DER) of the longest chain.
    pub chain_bytes_max: u32,
    /// Kind by kind, by name: `full`, `hello-retry`, `resumed-ticket`, `resumed-session`, `failed-alert-…` (refused by
    /// the server), `failed-…`; each with `-client-certificate` behind it where the client presented one. Each handshake
    /// stands in exactly one line.
    pub ledger: BTreeMap<String, Handshakes>,
}

/// The handshakes of one line of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Handshakes {
    /// Of which of the four kinds they are: `full`, `resumed`, `hello_retry`, `failed`.
    pub kind: String,
    /// Whether the client presented a certificate.
    pub client_certificate: bool,
    /// How many.
    pub count: u64,
    /// Of these, those in which the server asked for another hello.
    pub retried: u64,
    /// The whole handshake.
    pub handshake_ms: Figures,
    /// Its steps; they add up to the whole.
    pub phases_ms: HandshakePhasesMs,
    /// CPU time of the client's thread in it.
    pub client_cpu_us: Figures,
    /// Mean CPU time of the embedded target in it, by its own clock; null if it does not tell, or has several lines
    /// under one kind.
    pub target_cpu_us: Option<f64>,
    /// Octets written.
    pub bytes_out: u64,
    /// Octets read.
    pub bytes_in: u64,
    /// TLS records written.
    pub records_out: u64,
    /// TLS records read.
    pub records_in: u64,
    /// Octets written, per handshake.
    pub bytes_out_each: Option<f64>,
    /// Octets read, per handshake.
    pub bytes_in_each: Option<f64>,
    /// TLS records written, per handshake.
    pub records_out_each: Option<f64>,
    /// TLS records read, per handshake.
    pub records_in_each: Option<f64>,
    /// By version.
    pub versions: Named,
    /// By suite.
    pub suites: Named,
    /// By key-exchange group.
    pub groups: Named,
    /// By the scheme of the server's signature.
    pub signatures: Named,
    /// Alerts the client sent, by name.
    pub alerts_sent: Named,
    /// Certificate chains received, by number of certificates.
    pub chain_lengths: Named,
    /// Octets (DER) of a chain.
    pub chain_bytes_each: Option<f64>,
    /// Octets (DER) of the longest chain.
    pub chain_bytes_max: u32,
}

/// One value for each kind of handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kinds<T> {
    /// With certificates.
    pub full: T,
    /// From a ticket or session.
    pub resumed: T,
    /// Full, after a hello-retry request.
    pub hello_retry: T,
    /// Failed.
    pub failed: T,
}

impl<T> Kinds<T> {
    pub(super) fn each_ref<U>(&self, of: impl Fn(&T) -> U) -> Kinds<U> {
        Kinds {
            full: of(&self.full),
            resumed: of(&self.resumed),
            hello_retry: of(&self.hello_retry),
            failed: of(&self.failed),
        }
    }
}

/// Steps of a handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HandshakePhasesMs {
    /// From the start to the client hello written.
    pub hello: Figures,
    /// From the client hello to the first octet of the server's flight.
    pub server_flight: Figures,
    /// Inside the verification of the server's certificates.
    pub verify: Figures,
    /// All the rest, once the server's flight began.
    pub finish: Figures,
}
