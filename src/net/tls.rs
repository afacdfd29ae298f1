//! The TLS of a shard's phones: one configuration for each way of doing it that some fleet has.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption as RustlsResumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;

use super::device::{Devices, PhoneCertificates};
use super::session::PhoneSessions;
use super::verifier::{AnyName, Timed, Unverified};
use super::{NetError, Trust};
use crate::crypto;
use crate::workload::{Resumption, TlsPlan, TlsSetup};

/// Most phones whose sessions and certificates are kept, over all shards: about 3 KB each. Where phones keep more
/// tickets than is usual, fewer phones have room.
const MOST_PHONES: usize = 50_000;

/// What the phones' TLS does, and whom it trusts.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// What each fleet does, and whether certificates are verified.
    pub plan: TlsPlan,
    /// The CA certificates trusted.
    pub trust: Trust,
    /// Whether ALPN `http/1.1` is offered. Phones of the simulated age send none (assumed).
    pub alpn: bool,
    /// The phones' own certificates; none if they have none.
    pub devices: Option<Arc<Devices>>,
}

/// A shard's TLS configurations and its phones' sessions.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    plan: TlsPlan,
    /// For each fleet of the plan, which of `ways` is its own.
    way_of: Vec<usize>,
    ways: Vec<Way>,
    /// The sessions of all phones; none if nobody resumes.
    pub(super) sessions: Option<PhoneSessions>,
    /// What they present; none if they have nothing.
    pub(super) certificates: Option<Arc<PhoneCertificates>>,
}

/// One way of doing TLS, shared by all phones that do it so.
#[derive(Clone, Debug)]
struct Way {
    /// For phones that do not resume: they do not ask for sessions either.
    plain: Arc<ClientConfig>,
    /// For phones that do.
    resuming: Arc<ClientConfig>,
}

impl Tls {
    /// Makes the configurations for one of `shards` shards.
    ///
    /// # Errors
    /// [`NetError::CaNotNamed`] if certificates are to be verified and nothing is trusted; [`NetError::TlsSetup`] if
    /// rustls refuses the settings, or there are none.
    pub(super) fn new(settings: &TlsSettings, shards: usize) -> Result<Tls, NetError> {
        let setups = || settings.plan.fleets.iter().map(|(_, setup)| setup);
        let tickets = setups().map(|setup| setup.tickets_kept).max().unwrap_or(0).max(TlsSetup::TICKETS_KEPT);
        let certificates = settings.devices.as_ref().map(|devices| {
            let provider = Arc::new(crypto::provider(&[], &[]));
            Arc::new(PhoneCertificates::new(Arc::clone(devices), provider, MOST_PHONES / shards.max(1)))
        });
        let resumes = setups().any(|setup| setup.resumption == Resumption::PerPhone);
        let sessions =
            resumes.then(|| PhoneSessions::new(MOST_PHONES * TlsSetup::TICKETS_KEPT / tickets / shards.max(1)));
        let mut made: Vec<(&TlsSetup, Way)> = Vec::new();
        let mut way_of = Vec::new();
        for setup in setups() {
            let known = made.iter().position(|(other, _)| *other == setup);
            if known.is_none() {
                made.push((setup, Way::new(settings, setup, sessions.as_ref(), certificates.as_ref())?));
            }
            way_of.push(known.unwrap_or(made.len() - 1));
        }
        if way_of.is_empty() {
            return Err(NetError::TlsSetup { reason: "the plan says of no fleet what its TLS does".to_owned() });
        }
        let ways = made.into_iter().map(|(_, way)| way).collect();
        Ok(Tls { plan: settings.plan.clone(), way_of, ways, sessions, certificates })
    }

    /// What phone `index` shakes hands with. There always is something: a plan without fleets makes no configurations.
    pub(super) fn config(&self, index: u32) -> Option<&Arc<ClientConfig>> {
        let way = self.ways.get(*self.way_of.get(self.plan.place_of(index))?)?;
        Some(if self.plan.resumes(index) { &way.resuming } else { &way.plain })
    }

    /// For each way of doing TLS, the first phone that does it so.
    pub(super) fn one_of_each(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.ways.len()).filter_map(|way| {
            let fleet = self.way_of.iter().position(|other| *other == way)?;
            self.plan.fleets.get(fleet).map(|(first, _)| *first)
        })
    }

    /// Phone `index` has lost power: its sessions are gone, unless its fleet keeps them.
    pub(super) fn lost_power(&self, index: u32) {
        if let Some(sessions) = &self.sessions
            && self.plan.loses_sessions(index)
        {
            sessions.forget(index);
        }
    }
}

impl Way {
    fn new(
        settings: &TlsSettings,
        setup: &TlsSetup,
        sessions: Option<&PhoneSessions>,
        certificates: Option<&Arc<PhoneCertificates>>,
    ) -> Result<Way, NetError> {
        let provider = Arc::new(crypto::provider(&setup.suites, &setup.groups));
        let verifier = verifier(settings, setup, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(crypto::versions(setup.versions))
            .map_err(|error| NetError::TlsSetup { reason: error.to_string() })?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut plain = match certificates.filter(|_| setup.device_certificates.is_some()) {
            None => builder.with_no_client_auth(),
            Some(certificates) => builder.with_client_cert_resolver(Arc::clone(certificates) as _),
        };
        plain.resumption = RustlsResumption::disabled();
        plain.enable_sni = setup.sni;
        // After the handshake records are our own matter (`tls_traffic`).
        plain.enable_secret_extraction = true;
        if settings.alpn {
            plain.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        let mut resuming = plain.clone();
        if let Some(sessions) = sessions {
            resuming.resumption = RustlsResumption::store(Arc::new(sessions.keeping(setup.tickets_kept)) as _);
        }
        Ok(Way { plain: Arc::new(plain), resuming: Arc::new(resuming) })
    }
}

fn verifier(
    settings: &TlsSettings,
    setup: &TlsSetup,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, NetError> {
    let algorithms = provider.signature_verification_algorithms;
    if !settings.plan.verify {
        return Ok(Arc::new(Timed(Arc::new(Unverified(algorithms)))));
    }
    if settings.trust.is_empty() {
        return Err(NetError::CaNotNamed);
    }
    let roots = settings.trust.roots();
    if !setup.name_check {
        return Ok(Arc::new(Timed(Arc::new(AnyName { roots, algorithms }))));
    }
    let webpki = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
        .build()
        .map_err(|error| NetError::TlsSetup { reason: error.to_string() })?;
    Ok(Arc::new(Timed(webpki)))
}
