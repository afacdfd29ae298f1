//! Whether clients must show a certificate, and whose will do.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

use super::TargetError;
use super::authority::provider;
use crate::workload::{ClientCertificates, TargetTls};

/// The verifier a configuration asks for.
///
/// # Errors
/// The file of CAs cannot be read, or holds none that will do.
pub(crate) fn client_verifier(tls: &TargetTls) -> Result<Arc<dyn ClientCertVerifier>, TargetError> {
    let demanded = match tls.client_certificates {
        ClientCertificates::None => return Ok(WebPkiClientVerifier::no_client_auth()),
        ClientCertificates::Asked => false,
        ClientCertificates::Demanded => true,
    };
    let Some(file) = &tls.client_ca else {
        let algorithms = provider().signature_verification_algorithms;
        return Ok(Arc::new(AnyDevice { demanded, algorithms }));
    };
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(file)?), provider());
    let builder = if demanded { builder } else { builder.allow_unauthenticated() };
    builder.build().map(|verifier| verifier as _).map_err(|e| unusable(file, &e.to_string()))
}

fn roots(file: &Path) -> Result<RootCertStore, TargetError> {
    let refuse = |cause| TargetError::File { action: "read", file: file.to_owned(), cause };
    let pem = std::fs::read(file).map_err(refuse)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|e| unusable(file, &e.to_string()))?;
        roots.add(certificate).map_err(|e| unusable(file, &e.to_string()))?;
    }
    Ok(roots)
}

fn unusable(file: &Path, cause: &str) -> TargetError {
    TargetError::Tls {
        action: "use the CAs of client certificates",
        cause: format!("{}: {cause}", file.display()),
        remedy: "name a PEM file with the CA certificates of the phones",
    }
}

/// Takes every certificate whose holder has its key, whoever issued it: the phones' makers run CAs of their own.
#[derive(Debug)]
struct AnyDevice {
    demanded: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for AnyDevice {
    fn client_auth_mandatory(&self) -> bool {
        self.demanded
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
