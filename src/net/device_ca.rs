//! The CA that issues the phones' own certificates.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    date_time_ymd,
};

use super::NetError;

/// The certificate, for servers, and the key (readable by the owner only).
const FILES: [&str; 2] = ["device-ca.pem", "device-ca-key.pem"];

/// A CA for phones (ECDSA on P-256).
pub struct DeviceCa {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl DeviceCa {
    /// A new one, kept nowhere.
    ///
    /// # Errors
    /// [`NetError::DeviceCa`]: the library cannot make it.
    pub fn new() -> Result<DeviceCa, NetError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(refuse)?;
        let params = params();
        let pem = params.self_signed(&key).map_err(refuse)?.pem();
        Ok(DeviceCa { pem, issuer: Issuer::new(params, key) })
    }

    /// The one kept in a folder as `device-ca.pem` and `device-ca-key.pem`, made first if there is neither.
    ///
    /// # Errors
    /// [`NetError::DeviceCa`]: the folder cannot be used, or has one of the files, or files that do not fit.
    pub fn kept_in(folder: &Path) -> Result<DeviceCa, NetError> {
        let [certificate, key] = FILES.map(|name| folder.join(name));
        let failed = |file: &Path, e: std::io::Error| refuse(format!("{}: {e}", file.display()));
        if !certificate.exists() && !key.exists() {
            let ca = DeviceCa::new()?;
            fs::create_dir_all(folder).map_err(|e| failed(folder, e))?;
            for (file, text, mode) in
                [(&key, ca.issuer.key().serialize_pem(), 0o600), (&certificate, ca.pem.clone(), 0o644)]
            {
                let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
                written.and_then(|mut f| f.write_all(text.as_bytes())).map_err(|e| failed(file, e))?;
            }
            return Ok(ca);
        }
        let pem = fs::read_to_string(&certificate).map_err(|e| failed(&certificate, e))?;
        let text = fs::read_to_string(&key).map_err(|e| failed(&key, e))?;
        let key = KeyPair::from_pem(&text).map_err(|e| refuse(format!("{}: {e}", key.display())))?;
        // The name is the only one we ever give, so the certificate need not be taken apart; its key must fit.
        let issuer = Issuer::new(params(), key);
        let public = issuer.key().public_key_der_octets();
        let whole = rustls::pki_types::pem::PemObject::from_pem_slice(pem.as_bytes());
        let whole: rustls::pki_types::CertificateDer<'_> = whole.map_err(|_| refuse("device-ca.pem is not PEM"))?;
        if !whole.windows(public.len()).any(|window| window == public) {
            return Err(refuse("device-ca.pem and device-ca-key.pem do not belong together"));
        }
        Ok(DeviceCa { pem, issuer })
    }

    /// The CA certificate as PEM, for servers.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}

impl fmt::Debug for DeviceCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCa").finish_non_exhaustive()
    }
}

/// The octets of the key itself, as they stand in every certificate for it.
trait PublicOctets {
    fn public_key_der_octets(&self) -> Vec<u8>;
}

impl PublicOctets for KeyPair {
    fn public_key_der_octets(&self) -> Vec<u8> {
        self.public_key_raw().to_vec()
    }
}

/// The same always, so that a kept CA is known by its name.
fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params.distinguished_name.push(DnType::CommonName, "bootstorm device CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn refuse(cause: impl fmt::Display) -> NetError {
    NetError::DeviceCa { reason: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_kept_ca_is_the_same_next_time_and_its_key_is_the_owners() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("ca");
        let made = DeviceCa::kept_in(&folder).unwrap();
        assert_eq!(DeviceCa::kept_in(&folder).unwrap().pem(), made.pem());
        let mode = fs::metadata(folder.join(FILES[1])).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_ne!(DeviceCa::new().unwrap().pem(), made.pem());
    }

    #[test]
    fn files_that_do_not_fit_are_refused() {
        let home = tempfile::tempdir().unwrap();
        DeviceCa::kept_in(home.path()).unwrap();
        fs::write(home.path().join(FILES[0]), DeviceCa::new().unwrap().pem()).unwrap();
        assert!(DeviceCa::kept_in(home.path()).unwrap_err().to_string().contains("do not belong together"));
        fs::remove_file(home.path().join(FILES[0])).unwrap();
        assert!(DeviceCa::kept_in(home.path()).is_err());
        fs::write(home.path().join(FILES[0]), "rubbish").unwrap();
        assert!(DeviceCa::kept_in(home.path()).unwrap_err().to_string().contains("not PEM"));
    }
}
