//! Certificates kept in a folder, in the form that nginx and others read.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TargetError;
use super::certificates::{Made, Shown};
use crate::workload::TargetTls;

/// The CA; the server's certificate and those of the CAs above it; the server's key.
pub(super) const FILES: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];
/// The OCSP response for the server's certificate (nginx: `ssl_stapling_file`).
const STAPLE: &str = "ocsp.der";
/// What was asked for when the files were made. Not there: they were made elsewhere.
const MADE: &str = "made.toml";
pub(super) const REMEDY: &str = "remove ca.pem, cert.pem and key.pem from the folder, and they are made anew";

/// What a folder has.
pub(super) struct Kept {
    pub(super) ca_pem: String,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) shown: Shown,
}

/// A folder for certificates.
pub(super) struct Folder<'a>(pub(super) &'a Path);

impl Folder<'_> {
    /// How many of the files that must be there are there.
    pub(super) fn count(&self) -> usize {
        FILES.iter().filter(|name| self.0.join(name).exists()).count()
    }

    /// Writes everything. The CA comes last: a client that waits for it finds a server that is ready to be trusted.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn store(&self, made: &Made, tls: &TargetTls) -> Result<(), TargetError> {
        let refuse = |file: &Path, cause| TargetError::File { action: "write", file: file.to_owned(), cause };
        fs::create_dir_all(self.0).map_err(|e| refuse(self.0, e))?;
        // Left over from files that were removed, they would tell of others.
        for name in [MADE, STAPLE] {
            let _ = fs::remove_file(self.0.join(name));
        }
        let chain: String = made.shown.chain.iter().map(|certificate| pem("CERTIFICATE", certificate)).collect();
        let key = pem("PRIVATE KEY", made.key.secret_der());
        let (staple, described) = (made.shown.staple.as_deref().unwrap_or_default(), described(tls));
        let contents = [
            ("key.pem", key.as_bytes(), 0o600),
            (STAPLE, staple, 0o644),
            (MADE, described.as_bytes(), 0o644),
            ("cert.pem", chain.as_bytes(), 0o644),
            ("ca.pem", made.ca_pem.as_bytes(), 0o644),
        ];
        for (name, octets, mode) in contents {
            let file = self.0.join(name);
            let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(&file);
            written.and_then(|mut f| f.write_all(octets)).map_err(|e| refuse(&file, e))?;
        }
        Ok(())
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// A file cannot be read, or is not what it should be; or the certificates were made as others than `tls` asks for.
    pub(super) fn load(&self, tls: &TargetTls) -> Result<Kept, TargetError> {
        self.as_asked(tls)?;
        let [ca, chain, key] = FILES.map(|name| self.0.join(name));
        let not_pem = |file: &PathBuf| unusable(&format!("{} is not the PEM it should be", file.display()));
        let ca_pem = text(&ca)?;
        let certificates = CertificateDer::pem_slice_iter(text(&chain)?.as_bytes()).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.map_err(|_| not_pem(&chain))?;
        let private = PrivateKeyDer::from_pem_slice(text(&key)?.as_bytes()).map_err(|_| not_pem(&key))?;
        Ok(Kept { ca_pem, key: private, shown: Shown { chain: certificates, staple: self.staple()? } })
    }

    fn staple(&self) -> Result<Option<Vec<u8>>, TargetError> {
        let file = self.0.join(STAPLE);
        match fs::read(&file) {
            Ok(octets) => Ok(Some(octets)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(TargetError::File { action: "read", file, cause }),
        }
    }

    /// Refuses certificates that were made here as others than are asked for now. Those made elsewhere are what they are.
    fn as_asked(&self, tls: &TargetTls) -> Result<(), TargetError> {
        let file = self.0.join(MADE);
        if !file.exists() {
            return Ok(());
        }
        let said: toml::Table =
            text(&file)?.parse().map_err(|_| unusable(&format!("{} is not as it was written", file.display())))?;
        let asked: toml::Table = described(tls).parse().unwrap_or_default();
        if said == asked {
            return Ok(());
        }
        let words = |table: &toml::Table| {
            let words: Vec<_> = table.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            words.join(", ")
        };
        let cause = format!("{} has some with {}; asked for is {}", self.0.display(), words(&said), words(&asked));
        let remedy = "ask for the same, name another folder, or remove ca.pem, cert.pem and key.pem from this one";
        Err(TargetError::Tls { action: "use the certificates of the folder", cause, remedy })
    }
}

/// What makes certificates other than the usual ones, as a workload says it.
fn described(tls: &TargetTls) -> String {
    format!("chain-depth = {}\nkey = \"{}\"\n", tls.chain_depth, tls.key.name())
}

fn text(file: &Path) -> Result<String, TargetError> {
    fs::read_to_string(file).map_err(|cause| TargetError::File { action: "read", file: file.to_owned(), cause })
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(digit);
    }
    pem.push_str(&format!("\n-----END {label}-----\n"));
    pem
}

/// The files of a folder cannot be used.
pub(super) fn unusable(cause: &str) -> TargetError {
    TargetError::Tls { action: "use the certificates", cause: cause.to_owned(), remedy: REMEDY }
}
