//! The verification of the server's certificates, timed.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::clock::now;

/// What the verification of one handshake took, and of what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Time in it: the chain, the name, and the signature on the handshake.
    pub(super) time: Duration,
    /// Certificates the server sent; zero until they come, and on resumption.
    pub(super) chain_length: u32,
    /// Their octets.
    pub(super) chain_bytes: u32,
    /// The scheme by which the server signed the handshake, and whether that was one of TLS 1.2; none until it signs,
    /// and on resumption.
    pub(super) signature: Option<(SignatureScheme, bool)>,
    /// Whether the client presents a certificate.
    pub(super) presented: bool,
}

impl Tally {
    const NONE: Tally =
        Tally { time: Duration::ZERO, chain_length: 0, chain_bytes: 0, signature: None, presented: false };
}

thread_local! {
    static TALLY: Cell<Tally> = const { Cell::new(Tally::NONE) };
}

/// Runs one poll of a handshake with `tally` as where the verifier puts what it sees.
pub(super) fn tallied<T>(tally: &mut Tally, poll: impl FnOnce() -> T) -> T {
    TALLY.set(*tally);
    let result = poll();
    *tally = TALLY.take();
    result
}

fn timed<T>(verify: impl FnOnce() -> T) -> T {
    let start = now();
    let result = verify();
    let mut tally = TALLY.get();
    tally.time += start.elapsed();
    TALLY.set(tally);
    result
}

/// The client presents a certificate in the handshake that is being polled.
pub(super) fn note_presented() {
    TALLY.set(Tally { presented: true, ..TALLY.get() });
}

fn note_signature(scheme: SignatureScheme, tls12: bool) {
    TALLY.set(Tally { signature: Some((scheme, tls12)), ..TALLY.get() });
}

fn note_chain(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) {
    let bytes = end_entity.len() + intermediates.iter().map(|c| c.len()).sum::<usize>();
    let mut tally = TALLY.get();
    tally.chain_length = u32::try_from(intermediates.len() + 1).unwrap_or(u32::MAX);
    tally.chain_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    TALLY.set(tally);
}

/// Verifies as the wrapped verifier does, and takes the time.
#[derive(Debug)]
pub(super) struct Timed(pub(super) Arc<dyn ServerCertVerifier>);

impl ServerCertVerifier for Timed {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        at: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        note_chain(end_entity, intermediates);
        timed(|| self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, at))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        note_signature(signed.scheme, true);
        timed(|| self.0.verify_tls12_signature(message, certificate, signed))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        note_signature(signed.scheme, false);
        timed(|| self.0.verify_tls13_signature(message, certificate, signed))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Takes any certificate, whoever signed it and whatever name it bears. **Dangerous**: only for a run whose plan
/// says `verify = false`, which is stamped on every output. That the server holds the certificate's key is still checked.
#[derive(Debug)]
pub(super) struct Unverified(pub(super) WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _at: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Takes a certificate for any name, as a phone does that is told to compare none; that its chain ends in a trusted CA,
/// its dates and the server's having its key are checked.
#[derive(Debug)]
pub(super) struct AnyName {
    /// The trusted CAs.
    pub(super) roots: Arc<RootCertStore>,
    /// Signatures that are understood.
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        at: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, at, self.algorithms.all)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
