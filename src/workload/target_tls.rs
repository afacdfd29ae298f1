//! The embedded target's TLS as meant: what it speaks, and which certificates it shows.

use std::path::PathBuf;

use super::tls::left_out;
use super::{Group, Suite, SuiteKey, TlsVersions};

/// The embedded target's TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetTls {
    /// Versions it speaks.
    pub versions: TlsVersions,
    /// Suites it takes; empty: all of this build. Of those both sides have, the client's first is taken.
    pub suites: Vec<Suite>,
    /// Groups it takes. Of those both sides have, the client's first is taken.
    pub groups: Vec<Group>,
    /// Whether it hands out session tickets.
    pub tickets: bool,
    /// Whether it keeps sessions to be resumed by their id, under TLS 1.2.
    pub sessions: bool,
    /// Kind of key its certificate has.
    pub key: KeyKind,
    /// Certificates from its own up to the CA that clients trust, which is not counted: 1 to 3.
    pub chain_depth: u32,
    /// Whether an OCSP response goes along with the certificate, if the client asks for one.
    pub ocsp_staple: bool,
    /// Whether clients must show a certificate of their own.
    pub client_certificates: ClientCertificates,
    /// PEM file with the CAs from which they must be; none: any will do, if its holder has the key.
    pub client_ca: Option<PathBuf>,
}

impl Default for TargetTls {
    /// TLS 1.2 and 1.3, all suites and groups, tickets, a P-256 key certified by the CA itself, no staple, no client
    /// certificates.
    fn default() -> Self {
        TargetTls {
            versions: TlsVersions::Both,
            suites: Vec::new(),
            groups: Group::all().collect(),
            tickets: true,
            sessions: false,
            key: KeyKind::EcdsaP256,
            chain_depth: 1,
            ocsp_staple: false,
            client_certificates: ClientCertificates::None,
            client_ca: None,
        }
    }
}

impl TargetTls {
    /// Longest chain.
    pub const MOST_CHAIN_DEPTH: u32 = 3;

    /// What cannot work together: `(key, what is wrong, what would be right)`.
    pub(crate) fn problems(&self) -> Vec<(&'static str, String, String)> {
        let mut wrong = left_out(self.versions, &self.suites, &self.groups);
        let fits = |suite: &Suite| match suite.key() {
            SuiteKey::Any => false,
            SuiteKey::Ecdsa => !self.key.is_rsa(),
            SuiteKey::Rsa => self.key.is_rsa(),
        };
        let of_1_2 = self.suites.iter().any(|suite| !suite.is_1_3());
        if self.versions.has_1_2() && of_1_2 && !self.suites.iter().any(fits) {
            let kind = if self.key.is_rsa() { "RSA" } else { "ECDSA" };
            let what = format!("leave none for TLS 1.2 with an {kind} key");
            let right = format!("add one with `_{kind}_` in its name, use another key, or set versions = \"1.3\"");
            wrong.push(("suites", what, right));
        }
        if !(1..=TargetTls::MOST_CHAIN_DEPTH).contains(&self.chain_depth) {
            let right = "1: the CA certifies the server itself; 2 and 3: one or two CAs between them";
            wrong.push(("chain-depth", format!("is {}", self.chain_depth), right.to_owned()));
        }
        wrong
    }
}

/// Whether clients must show a certificate of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificates {
    /// They are not asked.
    None,
    /// They are asked, and may go without.
    Asked,
    /// Without one there is no handshake.
    Demanded,
}

/// Kind of a certificate's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// ECDSA on P-256.
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// RSA, 2048 bits.
    #[serde(rename = "rsa-2048", alias = "rsa2048")]
    Rsa2048,
    /// RSA, 3072 bits.
    #[serde(rename = "rsa-3072")]
    Rsa3072,
    /// RSA, 4096 bits: takes seconds to make.
    #[serde(rename = "rsa-4096")]
    Rsa4096,
}

impl KeyKind {
    /// Whether it is RSA; else it is ECDSA.
    pub const fn is_rsa(self) -> bool {
        matches!(self, KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096)
    }

    /// The word of files and flags.
    pub const fn name(self) -> &'static str {
        match self {
            KeyKind::EcdsaP256 => "ecdsa-p256",
            KeyKind::EcdsaP384 => "ecdsa-p384",
            KeyKind::Rsa2048 => "rsa-2048",
            KeyKind::Rsa3072 => "rsa-3072",
            KeyKind::Rsa4096 => "rsa-4096",
        }
    }
}
