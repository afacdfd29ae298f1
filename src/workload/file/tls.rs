//! `[tls]`, `[fleet.tls]`, `[target.embedded.tls]`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::quantity::{Count, Share};
use crate::workload::{ClientCertificates, Group, KeyKind, Resumption, Suite, TargetTls, TlsVersions};

/// What the phones' TLS does. `[tls]` is for all phones; what a fleet says under `[fleet.tls]` comes before it, key by
/// key; what neither says is as the family does it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct TlsSection {
    /// Versions the phones offer. Default: as the family does (`cisco-mpp` 1.2 unless its setting `tls-1-3` says
    /// otherwise, the others `"1.2+"`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) versions: Option<TlsVersions>,
    /// Cipher suites they offer, by their IANA names, in this order. Default: all of this build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suites: Option<Vec<Suite>>,
    /// Groups for the key exchange they offer, in this order; a key share goes along for the first alone (for
    /// `x25519mlkem768` also one for its `x25519` part, if that is offered too). A server that takes another makes
    /// them come again, a hello-retry. Default: `["x25519", "secp256r1", "secp384r1"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) groups: Option<Vec<Group>>,
    /// Whether sessions are resumed. Default: `"never"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resumption: Option<Resumption>,
    /// Share of the phones that resume, with `resumption = "per-phone"`; drawn per phone, the others do not ask for
    /// tickets. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resumption_share: Option<Share>,
    /// Whether a phone that loses power loses its sessions. Default: `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sessions_lost_at_reboot: Option<bool>,
    /// Most TLS 1.3 tickets a phone keeps for one server, 1 to 16; each is good for one connection. Default: 2, as many
    /// as servers hand out as a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tickets_kept: Option<Count>,
    /// Whether the hello names the server (SNI); an address is never named. Default: `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sni: Option<bool>,
    /// Whether the certificate must be for the name that was asked; its chain and its dates are checked in any case.
    /// Default: as the family does (all: `true`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name_check: Option<bool>,
    /// The certificates the phones themselves present when a server asks, each its own: `"none"`, `"derived"`, or a
    /// table `{ derived-by = "DIR" }` or `{ folder = "DIR" }`. Default: they have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_certificates: Option<DeviceCertificatesSection>,
    /// Whether connections serve more than one exchange, with and without TLS. Default: as the family wishes (its
    /// setting `keep-alive`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connections: Option<ConnectionsWord>,
}

impl TlsSection {
    /// What this says, and what `other` says where this says nothing.
    pub(crate) fn or(&self, other: &TlsSection) -> TlsSection {
        let (this, other) = (self.clone(), other.clone());
        TlsSection {
            versions: this.versions.or(other.versions),
            suites: this.suites.or(other.suites),
            groups: this.groups.or(other.groups),
            resumption: this.resumption.or(other.resumption),
            resumption_share: this.resumption_share.or(other.resumption_share),
            sessions_lost_at_reboot: this.sessions_lost_at_reboot.or(other.sessions_lost_at_reboot),
            tickets_kept: this.tickets_kept.or(other.tickets_kept),
            sni: this.sni.or(other.sni),
            name_check: this.name_check.or(other.name_check),
            device_certificates: this.device_certificates.or(other.device_certificates),
            connections: this.connections.or(other.connections),
        }
    }

    /// Whether it says nothing.
    pub(crate) fn is_silent(&self) -> bool {
        let TlsSection {
            versions: None,
            suites: None,
            groups: None,
            resumption: None,
            resumption_share: None,
            sessions_lost_at_reboot: None,
            tickets_kept: None,
            sni: None,
            name_check: None,
            device_certificates: None,
            connections: None,
        } = self
        else {
            return false;
        };
        true
    }
}

/// Whether connections serve more than one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ConnectionsWord {
    /// They are kept for the next exchange, whatever the family does.
    Kept,
    /// Every exchange has one of its own, and says so (`Connection: close`).
    PerExchange,
}

/// Where the phones' own certificates come from; folders are relative to the workload file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum DeviceCertificatesSection {
    /// They have none.
    None,
    /// Issued by a CA that is made for this run: for servers that trust any, such as the embedded one.
    Derived,
    /// Issued by the CA in this folder (`device-ca.pem`, `device-ca-key.pem`), made if there is none: give
    /// `device-ca.pem` to the server first.
    DerivedBy(PathBuf),
    /// Read from this folder: `<mac>.pem` or `<extension>.pem`, each with the certificates and the key. A phone
    /// without a file presents none.
    Folder(PathBuf),
}

/// The embedded server's TLS.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct EmbeddedTlsSection {
    /// Versions it speaks.
    pub(crate) versions: TlsVersions,
    /// Cipher suites it takes, by their IANA names; the first of the phone's that is among them is used. Default: all of
    /// this build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suites: Option<Vec<Suite>>,
    /// Groups for the key exchange it takes; the first of the phone's that is among them is used.
    pub(crate) groups: Vec<Group>,
    /// Whether it hands out session tickets.
    pub(crate) tickets: bool,
    /// Whether it keeps the last 32,768 sessions of TLS 1.2 itself, to be resumed by their id; TLS 1.3 has tickets
    /// alone. A phone that is given a ticket takes the ticket: set `tickets = false` to see ids.
    pub(crate) sessions: bool,
    /// Kind of key its certificate has. RSA keys are certified by CAs with RSA-2048 keys, ECDSA keys by CAs with keys of
    /// the same kind.
    pub(crate) key: KeyKind,
    /// How many certificates it shows, 1 to 3: its own, and those of the CAs between it and the one that phones trust.
    pub(crate) chain_depth: u32,
    /// Whether an OCSP response that says *good* goes along with its certificate (stapled).
    pub(crate) ocsp_staple: bool,
    /// Whether clients must show a certificate of their own; see `tls.device-certificates` for the phones' side.
    pub(crate) client_certificates: ClientCertificates,
    /// PEM file with the CAs from which they must be, relative to the workload file. Default: any certificate will
    /// do, if its holder has the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_ca: Option<PathBuf>,
}

impl Default for EmbeddedTlsSection {
    fn default() -> Self {
        let TargetTls {
            versions,
            suites: _,
            groups,
            tickets,
            sessions,
            key,
            chain_depth,
            ocsp_staple,
            client_certificates,
            client_ca,
        } = TargetTls::default();
        EmbeddedTlsSection {
            versions,
            suites: None,
            groups,
            tickets,
            sessions,
            key,
            chain_depth,
            ocsp_staple,
            client_certificates,
            client_ca,
        }
    }
}
