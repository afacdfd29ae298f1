//! The TLS of `bootstorm serve`: its flags over what the workload says.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Ended;
use crate::workload::{ClientCertificates, Group, KeyKind, Suite, TargetTls, TlsVersions};

/// The flags below that make no sense without TLS, for those that switch it off.
pub(super) const TLS_FLAGS: [&str; 11] = [
    "tls_dir",
    "tls_versions",
    "tls_suites",
    "tls_groups",
    "no_tickets",
    "sessions",
    "key",
    "chain_depth",
    "ocsp_staple",
    "client_certificates",
    "client_ca",
];

/// What kind of TLS, and which certificates.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(super) struct TlsArgs {
    /// Keep ca.pem, cert.pem (the whole chain), key.pem and ocsp.der in this folder, or use those that are there; nginx,
    /// Apache and lighttpd read them too
    #[arg(long, value_name = "DIR")]
    tls_dir: Option<PathBuf>,
    /// Speak these versions [default: 1.2+]
    #[arg(long, value_name = "VERSIONS", value_enum)]
    tls_versions: Option<VersionsName>,
    /// Take these cipher suites only, by their IANA names
    #[arg(long, value_name = "SUITE,…", value_delimiter = ',')]
    tls_suites: Option<Vec<Suite>>,
    /// Take these groups only: x25519, secp256r1, secp384r1, x25519mlkem768
    #[arg(long, value_name = "GROUP,…", value_delimiter = ',')]
    tls_groups: Option<Vec<Group>>,
    /// Hand out no session tickets
    #[arg(long)]
    no_tickets: bool,
    /// Keep TLS 1.2 sessions, to be resumed by their id
    #[arg(long)]
    sessions: bool,
    /// Have a certificate with a key of this kind [default: ecdsa-p256]
    #[arg(long, value_name = "KIND", value_enum)]
    key: Option<KeyName>,
    /// Show this many certificates, 1 to 3: the server's own, and the CAs between it and ca.pem [default: 1]
    #[arg(long, value_name = "N")]
    chain_depth: Option<u32>,
    /// Staple an OCSP response to the certificate
    #[arg(long)]
    ocsp_staple: bool,
    /// Ask clients for certificates of their own, or demand them; whoever issued them
    #[arg(long, value_name = "HOW", value_enum)]
    client_certificates: Option<ClientCertificatesName>,
    /// Take only client certificates of the CAs in this PEM file
    #[arg(long, value_name = "FILE", requires = "client_certificates")]
    client_ca: Option<PathBuf>,
}

/// TLS versions on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum VersionsName {
    /// 1.2 and 1.3
    #[value(name = "1.2+", alias = "both")]
    Both,
    /// Only 1.2
    #[value(name = "1.2")]
    Only12,
    /// Only 1.3
    #[value(name = "1.3")]
    Only13,
}

/// A kind of key on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum KeyName {
    #[value(name = "ecdsa-p256")]
    EcdsaP256,
    #[value(name = "ecdsa-p384")]
    EcdsaP384,
    #[value(name = "rsa-2048")]
    Rsa2048,
    #[value(name = "rsa-3072")]
    Rsa3072,
    #[value(name = "rsa-4096")]
    Rsa4096,
}

/// Whether clients show certificates, on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ClientCertificatesName {
    Asked,
    Demanded,
}

impl TlsArgs {
    /// Where certificates are kept.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.tls_dir.as_deref()
    }

    /// The first flag that was given.
    fn given(&self) -> Option<&'static str> {
        let given = [
            ("--tls-dir", self.tls_dir.is_some()),
            ("--tls-versions", self.tls_versions.is_some()),
            ("--tls-suites", self.tls_suites.is_some()),
            ("--tls-groups", self.tls_groups.is_some()),
            ("--no-tickets", self.no_tickets),
            ("--sessions", self.sessions),
            ("--key", self.key.is_some()),
            ("--chain-depth", self.chain_depth.is_some()),
            ("--ocsp-staple", self.ocsp_staple),
            ("--client-certificates", self.client_certificates.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    /// Changes what a workload, or nobody, said.
    ///
    /// # Errors
    /// A flag about TLS where there is none, or values that cannot work together.
    pub(super) fn apply(&self, tls: &mut Option<TargetTls>) -> Result<(), Ended> {
        let Some(flag) = self.given() else { return Ok(()) };
        let Some(tls) = tls else {
            let what = format!("{flag}: target.embedded.tls is false; add --tls, or leave {flag} out");
            return Err(Ended::usage(what));
        };
        if let Some(versions) = self.tls_versions {
            tls.versions = versions.into();
        }
        if let Some(suites) = &self.tls_suites {
            tls.suites.clone_from(suites);
        }
        if let Some(groups) = &self.tls_groups {
            tls.groups.clone_from(groups);
        }
        tls.tickets &= !self.no_tickets;
        tls.sessions |= self.sessions;
        if let Some(key) = self.key {
            tls.key = key.into();
        }
        tls.chain_depth = self.chain_depth.unwrap_or(tls.chain_depth);
        tls.ocsp_staple |= self.ocsp_staple;
        if let Some(how) = self.client_certificates {
            tls.client_certificates = how.into();
            tls.client_ca.clone_from(&self.client_ca);
        }
        match tls.problems().first() {
            None => Ok(()),
            Some((key, what, right)) => Err(Ended::usage(format!("TLS {key}: {what}; {right}"))),
        }
    }
}

impl From<VersionsName> for TlsVersions {
    fn from(name: VersionsName) -> TlsVersions {
        match name {
            VersionsName::Both => TlsVersions::Both,
            VersionsName::Only12 => TlsVersions::Only12,
            VersionsName::Only13 => TlsVersions::Only13,
        }
    }
}

impl From<KeyName> for KeyKind {
    fn from(name: KeyName) -> KeyKind {
        match name {
            KeyName::EcdsaP256 => KeyKind::EcdsaP256,
            KeyName::EcdsaP384 => KeyKind::EcdsaP384,
            KeyName::Rsa2048 => KeyKind::Rsa2048,
            KeyName::Rsa3072 => KeyKind::Rsa3072,
            KeyName::Rsa4096 => KeyKind::Rsa4096,
        }
    }
}

impl From<ClientCertificatesName> for ClientCertificates {
    fn from(name: ClientCertificatesName) -> ClientCertificates {
        match name {
            ClientCertificatesName::Asked => ClientCertificates::Asked,
            ClientCertificatesName::Demanded => ClientCertificates::Demanded,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        args: TlsArgs,
    }

    fn meant(flags: &str, mut tls: Option<TargetTls>) -> Result<Option<TargetTls>, String> {
        let typed = Typed::try_parse_from(std::iter::once("serve").chain(flags.split_whitespace()));
        let args = typed.map_err(|e| e.to_string())?.args;
        args.apply(&mut tls).map(|()| tls).map_err(|ended| ended.message)
    }

    #[test]
    fn flags_mean_what_they_say() {
        let usual = || Some(TargetTls::default());
        assert_eq!(meant("", usual()), Ok(usual()));
        assert_eq!(meant("", None), Ok(None));
        let flags = "--tls-versions 1.2 --tls-suites TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 --tls-groups secp384r1,x25519 \
                     --no-tickets --sessions --key rsa-3072 --chain-depth 3 --ocsp-staple --client-certificates asked";
        let told = TargetTls {
            versions: TlsVersions::Only12,
            suites: vec![Suite::RsaAes128Gcm],
            groups: vec![Group::Secp384r1, Group::X25519],
            tickets: false,
            sessions: true,
            key: KeyKind::Rsa3072,
            chain_depth: 3,
            ocsp_staple: true,
            client_certificates: ClientCertificates::Asked,
            client_ca: None,
        };
        assert_eq!(meant(flags, usual()), Ok(Some(told)));
    }

    #[test]
    fn every_kind_of_key_has_its_word() {
        for name in KeyName::value_variants() {
            let word = name.to_possible_value().unwrap();
            assert_eq!(KeyKind::from(*name).name(), word.get_name());
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for (flags, told) in [
            ("--tls-groups secp256k1", "did you mean `secp256r1`?"),
            ("--tls-suites TLS_AES_128_GCM_SHA265", "did you mean `TLS_AES_128_GCM_SHA256`?"),
            ("--tls-suites TLS_AES_128_GCM_SHA256", "leave none for TLS 1.2"),
            ("--chain-depth 0", "TLS chain-depth: is 0"),
            ("--key rsa-1024", "rsa-2048"),
        ] {
            let error = meant(flags, Some(TargetTls::default())).unwrap_err();
            assert!(error.contains(told), "{flags}: {error}");
        }
        for flag in ["--tls-dir x", "--no-tickets", "--sessions", "--chain-depth 2", "--client-certificates asked"] {
            let error = meant(flag, None).unwrap_err();
            assert!(error.contains("target.embedded.tls is false; add --tls"), "{flag}: {error}");
        }
    }
}
