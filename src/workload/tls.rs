//! What the phones' TLS does, as meant: for each fleet, and the words it is told in.

use std::path::PathBuf;

use super::named::named;
use crate::phone::{Chance, Purpose};

/// TLS versions, of those this build can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub enum TlsVersions {
    /// 1.2 and 1.3. `"both"` is taken too.
    #[serde(rename = "1.2+", alias = "both")]
    Both,
    /// Only 1.2.
    #[serde(rename = "1.2")]
    Only12,
    /// Only 1.3.
    #[serde(rename = "1.3")]
    Only13,
}

impl TlsVersions {
    /// Whether 1.2 is one of them.
    pub const fn has_1_2(self) -> bool {
        matches!(self, TlsVersions::Both | TlsVersions::Only12)
    }

    /// Whether 1.3 is one of them.
    pub const fn has_1_3(self) -> bool {
        matches!(self, TlsVersions::Both | TlsVersions::Only13)
    }
}

named! {
    /// A cipher suite of this build, by its IANA name; those of 1.3 first, strongest first.
    Suite, "suite" {
        /// 1.3.
        Aes256Gcm = "TLS_AES_256_GCM_SHA384",
        /// 1.3.
        Aes128Gcm = "TLS_AES_128_GCM_SHA256",
        /// 1.3.
        ChaCha20 = "TLS_CHACHA20_POLY1305_SHA256",
        /// 1.2, with an ECDSA certificate.
        EcdsaAes256Gcm = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        /// 1.2, with an ECDSA certificate.
        EcdsaAes128Gcm = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        /// 1.2, with an ECDSA certificate.
        EcdsaChaCha20 = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        /// 1.2, with an RSA certificate.
        RsaAes256Gcm = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        /// 1.2, with an RSA certificate.
        RsaAes128Gcm = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        /// 1.2, with an RSA certificate.
        RsaChaCha20 = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    }
}

/// Which certificates a suite goes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuiteKey {
    /// Any: TLS 1.3.
    Any,
    /// ECDSA, under TLS 1.2.
    Ecdsa,
    /// RSA, under TLS 1.2.
    Rsa,
}

impl Suite {
    /// Whether it is one of TLS 1.3; else it is one of TLS 1.2.
    pub const fn is_1_3(self) -> bool {
        matches!(self.key(), SuiteKey::Any)
    }

    /// Which certificates it goes with.
    pub const fn key(self) -> SuiteKey {
        match self {
            Suite::Aes256Gcm | Suite::Aes128Gcm | Suite::ChaCha20 => SuiteKey::Any,
            Suite::EcdsaAes256Gcm | Suite::EcdsaAes128Gcm | Suite::EcdsaChaCha20 => SuiteKey::Ecdsa,
            Suite::RsaAes256Gcm | Suite::RsaAes128Gcm | Suite::RsaChaCha20 => SuiteKey::Rsa,
        }
    }
}

named! {
    /// A group for the key exchange, by its IANA name in lower case.
    Group, "group" {
        /// Curve 25519.
        X25519 = "x25519",
        /// The NIST curve P-256.
        Secp256r1 = "secp256r1",
        /// The NIST curve P-384.
        Secp384r1 = "secp384r1",
        /// Curve 25519 and ML-KEM-768 together, the post-quantum hybrid; TLS 1.3 only.
        X25519MlKem768 = "x25519mlkem768",
    }
}

impl Group {
    /// What phones offer as a rule, the first with a key share. No phone of the simulated age offers a post-quantum
    /// group (assumed).
    pub const USUAL: [Group; 3] = [Group::X25519, Group::Secp256r1, Group::Secp384r1];

    /// Whether TLS 1.2 can use it.
    pub const fn is_for_1_2(self) -> bool {
        !matches!(self, Group::X25519MlKem768)
    }
}

/// What the TLS of a run's phones does.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsPlan {
    /// Whether certificates are verified; off only by the long flag, which is stamped on every output.
    pub verify: bool,
    /// Whose sessions are kept is drawn from it.
    pub chance: Chance,
    /// For each fleet, in their order: the index of its first phone, and what its phones do. Never empty.
    pub fleets: Vec<(u32, TlsSetup)>,
}

impl TlsPlan {
    /// All phones do the same, and verify.
    pub fn same(setup: TlsSetup) -> TlsPlan {
        TlsPlan { verify: true, chance: Chance::new(0), fleets: vec![(0, setup)] }
    }

    /// What phone `index` does: place in `fleets`.
    pub fn place_of(&self, index: u32) -> usize {
        self.fleets.partition_point(|(first, _)| *first <= index).saturating_sub(1)
    }

    /// Whether phone `index` resumes sessions: its fleet does, and it is among those that are drawn for it.
    pub fn resumes(&self, index: u32) -> bool {
        let Some((_, setup)) = self.fleets.get(self.place_of(index)) else { return false };
        match setup.resumption {
            Resumption::Never => false,
            // The draw of a share of 1 is no question.
            Resumption::PerPhone if setup.resumption_share >= 1.0 => true,
            Resumption::PerPhone => self.chance.draw(index, Purpose::Resumption, 0).happens(setup.resumption_share),
        }
    }

    /// Whether phone `index` loses its sessions with its power.
    pub fn loses_sessions(&self, index: u32) -> bool {
        self.fleets.get(self.place_of(index)).is_none_or(|(_, setup)| setup.sessions_lost_at_reboot)
    }
}

/// What the TLS of one fleet's phones does.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsSetup {
    /// Versions the phones offer.
    pub versions: TlsVersions,
    /// Suites they offer, in this order; empty: all of this build, in its order.
    pub suites: Vec<Suite>,
    /// Groups they offer, in this order; the first gets the key share.
    pub groups: Vec<Group>,
    /// Whether sessions are resumed.
    pub resumption: Resumption,
    /// Share of the phones that resume, where some do (0 to 1), drawn per phone.
    pub resumption_share: f64,
    /// Whether a phone that loses power loses its sessions.
    pub sessions_lost_at_reboot: bool,
    /// Most TLS 1.3 tickets a phone keeps for one server, at least one.
    pub tickets_kept: usize,
    /// Whether the server is named in the hello (SNI); addresses never are.
    pub sni: bool,
    /// Whether the certificate must be for the name the phone asked.
    pub name_check: bool,
    /// The certificates the phones themselves present when a server asks; none if they have none.
    pub device_certificates: Option<DeviceCertificates>,
}

impl Default for TlsSetup {
    /// What a phone does of which nothing else is known.
    fn default() -> Self {
        TlsSetup {
            versions: TlsVersions::Both,
            suites: Vec::new(),
            groups: Group::USUAL.to_vec(),
            resumption: Resumption::Never,
            resumption_share: 1.0,
            sessions_lost_at_reboot: true,
            tickets_kept: TlsSetup::TICKETS_KEPT,
            sni: true,
            name_check: true,
            device_certificates: None,
        }
    }
}

impl TlsSetup {
    /// TLS 1.3 tickets kept as a rule: servers hand out two.
    pub const TICKETS_KEPT: usize = 2;
    /// Most tickets that can be kept: each is about 1.2 KB for each phone and server.
    pub const MOST_TICKETS_KEPT: usize = 16;
}

/// Where the phones' own certificates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceCertificates {
    /// One for each phone, issued when first needed by a CA made for this run: for servers that trust any, such
    /// as the embedded one.
    Derived,
    /// The same, issued by the CA kept in this folder (`device-ca.pem`, `device-ca-key.pem`), made if there is none.
    DerivedBy(PathBuf),
    /// From this folder: `<mac>.pem` or `<extension>.pem`, each with certificates and key.
    Folder(PathBuf),
}

/// Session resumption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Resumption {
    /// Every connection makes a full handshake, as after a power cut.
    Never,
    /// Each phone keeps its own sessions and resumes them; see `resumption-share` and `sessions-lost-at-reboot`.
    PerPhone,
}

/// What is left for a version by the suites and groups named, if that is nothing: `(key, what, right)`.
pub(crate) fn left_out(
    versions: TlsVersions,
    suites: &[Suite],
    groups: &[Group],
) -> Vec<(&'static str, String, String)> {
    let mut wrong = Vec::new();
    let lacks = |is_1_3: bool| !suites.is_empty() && !suites.iter().any(|suite| suite.is_1_3() == is_1_3);
    for (spoken, is_1_3, version, other) in
        [(versions.has_1_2(), false, "1.2", "1.3"), (versions.has_1_3(), true, "1.3", "1.2")]
    {
        if spoken && lacks(is_1_3) {
            let names: Vec<&str> = Suite::all().filter(|s| s.is_1_3() == is_1_3).map(Suite::name).collect();
            let right = format!("add one of {}, or set versions = \"{other}\"", super::error::list(names));
            wrong.push(("suites", format!("leave none for TLS {version}"), right));
        }
    }
    if versions.has_1_2() && !groups.is_empty() && !groups.iter().any(|group| group.is_for_1_2()) {
        let right = format!("add `{}`, or set versions = \"1.3\"", Group::X25519.name());
        wrong.push(("groups", "leave none for TLS 1.2".to_owned(), right));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_belongs_to_the_last_fleet_that_begins_before_it() {
        let setup = TlsSetup::default;
        let plan = TlsPlan { fleets: vec![(0, setup()), (10, setup()), (15, setup())], ..TlsPlan::same(setup()) };
        let places = [0, 9, 10, 14, 15, 99].map(|phone| plan.place_of(phone));
        assert_eq!(places, [0, 0, 1, 1, 2, 2]);
    }

    #[test]
    fn who_resumes_is_drawn_once_and_for_all() {
        let setup = |resumption, resumption_share| TlsSetup { resumption, resumption_share, ..TlsSetup::default() };
        let resuming = |setup: TlsSetup, seed| {
            let plan = TlsPlan { chance: Chance::new(seed), ..TlsPlan::same(setup) };
            (0..10_000).filter(|phone| plan.resumes(*phone)).collect::<Vec<u32>>()
        };
        assert_eq!(resuming(setup(Resumption::Never, 1.0), 1).len(), 0);
        assert_eq!(resuming(setup(Resumption::PerPhone, 1.0), 1).len(), 10_000);
        assert_eq!(resuming(setup(Resumption::PerPhone, 0.0), 1).len(), 0);
        let third = resuming(setup(Resumption::PerPhone, 0.3), 1);
        // Six standard deviations of a binomial.
        assert!(third.len().abs_diff(3_000) < 6 * 46, "{}", third.len());
        assert_eq!(third, resuming(setup(Resumption::PerPhone, 0.3), 1));
        assert_ne!(third, resuming(setup(Resumption::PerPhone, 0.3), 2));
        let half = resuming(setup(Resumption::PerPhone, 0.5), 1);
        assert!(third.iter().all(|phone| half.contains(phone)), "a greater share has the same phones and more");
    }

    #[test]
    fn what_leaves_a_version_without_suite_or_group_is_told() {
        use TlsVersions::{Both, Only12, Only13};
        let keys = |versions, suites: &[Suite], groups: &[Group]| {
            left_out(versions, suites, groups)
                .into_iter()
                .map(|(key, what, _)| format!("{key} {what}"))
                .collect::<Vec<_>>()
        };
        let none = Vec::<String>::new();
        assert_eq!(keys(Both, &[], &[]), none);
        assert_eq!(keys(Both, &[Suite::Aes128Gcm, Suite::RsaChaCha20], &Group::USUAL), none);
        assert_eq!(keys(Only12, &[Suite::EcdsaAes128Gcm], &[Group::Secp384r1]), none);
        assert_eq!(keys(Only13, &[Suite::Aes128Gcm], &[Group::X25519MlKem768]), none);
        let one = |text: &str| vec![text.to_owned()];
        assert_eq!(keys(Both, &[Suite::Aes128Gcm], &[]), one("suites leave none for TLS 1.2"));
        assert_eq!(keys(Both, &[Suite::RsaAes128Gcm], &[]), one("suites leave none for TLS 1.3"));
        assert_eq!(keys(Only12, &[Suite::ChaCha20], &[]), one("suites leave none for TLS 1.2"));
        assert_eq!(keys(Both, &[], &[Group::X25519MlKem768]), one("groups leave none for TLS 1.2"));
    }
}
