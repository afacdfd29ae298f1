//! The CA certificates the phones trust.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::NetError;

/// The CA certificates the phones trust, loaded once, shared by all shards. The system's are never used.
#[derive(Clone, Debug)]
pub struct Trust {
    roots: Arc<RootCertStore>,
    names: Vec<String>,
}

impl Default for Trust {
    fn default() -> Self {
        Trust { roots: Arc::new(RootCertStore::empty()), names: Vec::new() }
    }
}

impl Trust {
    /// Trusts every certificate in these PEM files.
    ///
    /// # Errors
    /// A `Ca…` variant of [`NetError`] that names the file: it is not there, cannot be read, is not PEM, has no
    /// certificate in it, or one that is unfit.
    pub fn from_files<P: AsRef<Path>>(files: &[P]) -> Result<Trust, NetError> {
        let mut roots = RootCertStore::empty();
        let mut names = Vec::new();
        for file in files {
            let path = file.as_ref();
            let name = path.display().to_string();
            let pem = fs::read(path).map_err(|error| match error.kind() {
                ErrorKind::NotFound => NetError::CaMissing { file: name.clone() },
                _ => NetError::CaUnreadable { file: name.clone(), reason: error.to_string() },
            })?;
            add(&mut roots, &name, &pem)?;
            names.push(name);
        }
        Ok(Trust { roots: Arc::new(roots), names })
    }

    /// Trusts every certificate in this PEM text, called `name` in messages: the embedded target's own CA.
    ///
    /// # Errors
    /// As [`Trust::from_files`].
    pub fn from_pem(name: &str, pem: &[u8]) -> Result<Trust, NetError> {
        let mut roots = RootCertStore::empty();
        add(&mut roots, name, pem)?;
        Ok(Trust { roots: Arc::new(roots), names: vec![name.to_owned()] })
    }

    /// Whether nothing is trusted.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// The files trusted, for messages.
    pub fn names(&self) -> String {
        if self.names.is_empty() { "no CA at all".to_owned() } else { self.names.join(", ") }
    }

    pub(super) fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.roots)
    }
}

fn add(roots: &mut RootCertStore, file: &str, pem: &[u8]) -> Result<(), NetError> {
    let file = || file.to_owned();
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let der = certificate.map_err(|error| NetError::CaNotPem { file: file(), reason: error.to_string() })?;
        roots.add(der).map_err(|error| NetError::CaUnfit { file: file(), reason: error.to_string() })?;
    }
    if roots.len() > before {
        return Ok(());
    }
    if pem.windows(11).any(|window| window == b"-----BEGIN ") {
        return Err(NetError::CaEmpty { file: file() });
    }
    // A DER certificate is a SEQUENCE with a two-octet length.
    let reason = if pem.starts_with(&[0x30, 0x82]) {
        "it looks like DER: convert it with `openssl x509 -inform der -in FILE -out FILE.pem`"
    } else {
        "there is no -----BEGIN line in it"
    };
    Err(NetError::CaNotPem { file: file(), reason: reason.to_owned() })
}
