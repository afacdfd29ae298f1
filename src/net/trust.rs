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

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> rcgen::CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(vec!["ca.example".to_owned()]).unwrap()
    }

    #[test]
    fn what_a_ca_file_may_be() {
        let made = certificate();
        let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let torn = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        type Right = fn(&Result<Trust, NetError>) -> bool;
        let table: [(&str, Vec<u8>, Right); 9] = [
            ("one certificate", pem.clone().into(), |r| r.is_ok()),
            ("two, with text between", format!("{pem}\ntext\n{}", certificate().cert.pem()).into(), |r| r.is_ok()),
            ("with its key", format!("{key}{pem}").into(), |r| r.is_ok()),
            ("only a key", key.into(), |r| matches!(r, Err(NetError::CaEmpty { .. }))),
            ("nothing", Vec::new(), |r| matches!(r, Err(NetError::CaNotPem { .. }))),
            ("text", b"hello".to_vec(), |r| matches!(r, Err(NetError::CaNotPem { .. }))),
            (
                "DER",
                made.cert.der().to_vec(),
                |r| matches!(r, Err(NetError::CaNotPem { reason, .. }) if reason.contains("-inform der")),
            ),
            ("no certificate inside", junk.into(), |r| matches!(r, Err(NetError::CaUnfit { .. }))),
            ("torn off", torn.into(), |r| matches!(r, Err(NetError::CaNotPem { .. }))),
        ];
        let folder = tempfile::tempdir().unwrap();
        for (name, content, right) in table {
            let file = folder.path().join("ca.pem");
            fs::write(&file, &content).unwrap();
            let from_file = Trust::from_files(&[&file]);
            assert!(right(&from_file), "{name}: {from_file:?}");
            let from_text = Trust::from_pem("the target's own", &content);
            assert!(right(&from_text), "{name}: {from_text:?}");
            if let Err(error) = from_file {
                assert!(error.to_string().starts_with(&file.display().to_string()), "{error}");
            }
        }
    }

    #[test]
    fn a_file_that_is_not_there_or_is_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Trust::from_files(&[folder.path().join("nowhere.pem")]);
        assert!(matches!(missing, Err(NetError::CaMissing { .. })), "{missing:?}");
        let unreadable = Trust::from_files(&[folder.path()]);
        assert!(matches!(unreadable, Err(NetError::CaUnreadable { .. })), "{unreadable:?}");
    }

    #[test]
    fn what_is_trusted_is_named() {
        assert!(Trust::default().is_empty());
        assert_eq!(Trust::default().names(), "no CA at all");
        let trust = Trust::from_pem("the target's own CA", certificate().cert.pem().as_bytes()).unwrap();
        assert!(!trust.is_empty());
        assert_eq!(trust.names(), "the target's own CA");
    }
}
