//! The TLS configuration of a shard's phones.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption as RustlsResumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};

use super::device::{Devices, PhoneCertificates};
use super::session::PhoneSessions;
use super::verifier::{Timed, Unverified};
use super::{NetError, Trust};
use crate::workload::{Resumption, TlsPlan, TlsVersions};

/// Most phones whose sessions and certificates are kept, over all shards: about 3 KB each.
const MOST_PHONES: usize = 50_000;

/// What the phones' TLS does, and whom it trusts.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// Versions, resumption, verification.
    pub plan: TlsPlan,
    /// The CA certificates trusted.
    pub trust: Trust,
    /// Whether ALPN `http/1.1` is offered. Phones of the simulated age send none (assumed).
    pub alpn: bool,
    /// The phones' own certificates; none if they have none.
    pub devices: Option<Arc<Devices>>,
}

/// A shard's TLS configuration and its phones' sessions.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    /// Shared by every handshake of the shard.
    pub(super) config: Arc<ClientConfig>,
    /// Where they are kept; none if sessions are never resumed.
    pub(super) sessions: Option<Arc<PhoneSessions>>,
    /// What they present; none if they have nothing.
    pub(super) certificates: Option<Arc<PhoneCertificates>>,
}

impl Tls {
    /// Makes the configuration for one of `shards` shards.
    ///
    /// # Errors
    /// [`NetError::CaNotNamed`] if certificates are to be verified and nothing is trusted; [`NetError::TlsSetup`] if
    /// rustls refuses the settings.
    pub(super) fn new(settings: &TlsSettings, shards: usize) -> Result<Tls, NetError> {
        let provider = Arc::new(provider());
        let verifier = verifier(settings, &provider)?;
        let certificates = settings.devices.as_ref().map(|devices| {
            let most = MOST_PHONES / shards.max(1);
            Arc::new(PhoneCertificates::new(Arc::clone(devices), Arc::clone(&provider), most))
        });
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions(settings.plan.versions))
            .map_err(setup)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &certificates {
            None => builder.with_no_client_auth(),
            Some(certificates) => builder.with_client_cert_resolver(Arc::clone(certificates) as _),
        };
        let sessions = match settings.plan.resumption {
            Resumption::Never => None,
            Resumption::PerPhone => Some(Arc::new(PhoneSessions::new(MOST_PHONES / shards.max(1)))),
        };
        config.resumption = match &sessions {
            None => RustlsResumption::disabled(),
            Some(store) => RustlsResumption::store(Arc::clone(store) as _),
        };
        if settings.alpn {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        Ok(Tls { config: Arc::new(config), sessions, certificates })
    }
}

/// aws-lc-rs with the classical groups only: no phone of the simulated age offers a post-quantum one (assumed), and
/// a server that prefers it would answer with a hello-retry no real phone causes.
fn provider() -> CryptoProvider {
    let kx_groups = vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    CryptoProvider { kx_groups, ..default_provider() }
}

fn verifier(settings: &TlsSettings, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, NetError> {
    if !settings.plan.verify {
        return Ok(Arc::new(Timed(Arc::new(Unverified(provider.signature_verification_algorithms)))));
    }
    if settings.trust.is_empty() {
        return Err(NetError::CaNotNamed);
    }
    let webpki = WebPkiServerVerifier::builder_with_provider(settings.trust.roots(), Arc::clone(provider))
        .build()
        .map_err(|error| NetError::TlsSetup { reason: error.to_string() })?;
    Ok(Arc::new(Timed(webpki)))
}

fn versions(versions: TlsVersions) -> &'static [&'static SupportedProtocolVersion] {
    static BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];
    match versions {
        TlsVersions::Both => &BOTH,
        TlsVersions::Only12 => &BOTH[..1],
        TlsVersions::Only13 => &BOTH[1..],
    }
}

fn setup(error: rustls::Error) -> NetError {
    NetError::TlsSetup { reason: error.to_string() }
}
