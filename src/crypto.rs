//! The cryptography of both sides: aws-lc-rs, cut down to the suites and groups a plan names.

use rustls::crypto::CryptoProvider;
use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use crate::workload::{Group, Suite, TlsVersions};

/// Of these suites and groups only, in this order; of no suites: all of this build, in its order. Never the process's
/// default provider: several targets and clients live in one process.
pub(crate) fn provider(suites: &[Suite], groups: &[Group]) -> CryptoProvider {
    let all = default_provider();
    let cipher_suites = match suites {
        [] => all.cipher_suites.clone(),
        named => named.iter().map(|suite| supported_suite(*suite)).collect(),
    };
    let kx_groups = groups.iter().map(|group| supported_group(*group)).collect();
    CryptoProvider { cipher_suites, kx_groups, ..all }
}

/// As rustls names them.
pub(crate) fn versions(versions: TlsVersions) -> &'static [&'static SupportedProtocolVersion] {
    static BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];
    match versions {
        TlsVersions::Both => &BOTH,
        TlsVersions::Only12 => &BOTH[..1],
        TlsVersions::Only13 => &BOTH[1..],
    }
}

fn supported_suite(suite: Suite) -> SupportedCipherSuite {
    match suite {
        Suite::Aes256Gcm => cipher_suite::TLS13_AES_256_GCM_SHA384,
        Suite::Aes128Gcm => cipher_suite::TLS13_AES_128_GCM_SHA256,
        Suite::ChaCha20 => cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        Suite::EcdsaAes256Gcm => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        Suite::EcdsaAes128Gcm => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        Suite::EcdsaChaCha20 => cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        Suite::RsaAes256Gcm => cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        Suite::RsaAes128Gcm => cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        Suite::RsaChaCha20 => cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    }
}

fn supported_group(group: Group) -> &'static dyn SupportedKxGroup {
    match group {
        Group::X25519 => kx_group::X25519,
        Group::Secp256r1 => kx_group::SECP256R1,
        Group::Secp384r1 => kx_group::SECP384R1,
        Group::X25519MlKem768 => kx_group::X25519MLKEM768,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every suite of the build has a name, in the build's own order; nothing is told apart by us that rustls does not.
    #[test]
    fn the_names_are_all_there_is() {
        let all: Vec<Suite> = Suite::all().collect();
        let of = |suites: &[Suite]| -> Vec<_> {
            provider(suites, &Group::USUAL).cipher_suites.iter().map(|suite| suite.suite()).collect()
        };
        assert_eq!(of(&all), of(&[]));
        for suite in all {
            let is_1_3 = supported_suite(suite).version().version == rustls::ProtocolVersion::TLSv1_3;
            assert_eq!(suite.is_1_3(), is_1_3, "{}", suite.name());
            let iana = supported_suite(suite).suite().as_str().unwrap_or_default().replace("TLS13_", "TLS_");
            assert_eq!(suite.name(), iana);
        }
        for group in Group::all() {
            let named = supported_group(group).name();
            assert_eq!(named.as_str().unwrap_or_default().to_lowercase(), group.name());
            assert_eq!(group.is_for_1_2(), supported_group(group).usable_for_version(rustls::ProtocolVersion::TLSv1_2));
        }
    }
}
