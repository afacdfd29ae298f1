//! The certificates: a CA of the target's own making, and what the server shows below it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache, StoresServerSessions};
use rustls::{RootCertStore, ServerConfig};

use super::TargetError;
use super::certificates::{Shown, make};
use super::client_auth::client_verifier;
use super::kept::{Folder, Kept, unusable};
use crate::crypto;
use crate::workload::TargetTls;

/// Most TLS 1.2 sessions kept to be resumed by their id; the oldest give way.
const MOST_SESSIONS: usize = 32_768;
/// The common names of the CAs.
const CA: &str = "bootstorm test CA";
const OTHER_CA: &str = "bootstorm other test CA";

/// A CA certificate, and what a server shows below it with its key. The CA's own key is forgotten at once:
/// nobody can ever issue another certificate that clients of this CA would trust.
pub struct Authority {
    ca_pem: String,
    shown: Shown,
    key: PrivateKeyDer<'static>,
    /// What comes after: same CA, same key, another serial number. None for one that was made elsewhere.
    renewed: Option<Shown>,
}

impl Authority {
    /// A new CA and a chain as `tls` asks for, valid for `listen` (all addresses of this machine if it is unspecified),
    /// 127.0.0.1, ::1 and localhost. RSA keys of 4096 bits take seconds.
    ///
    /// # Errors
    /// The library cannot make them.
    pub fn new(tls: &TargetTls, listen: IpAddr) -> Result<Authority, TargetError> {
        Authority::named(CA, tls, listen)
    }

    /// One of another name, that clients of the first do not know.
    pub(crate) fn other(tls: &TargetTls, listen: IpAddr) -> Result<Authority, TargetError> {
        Authority::named(OTHER_CA, tls, listen)
    }

    fn named(name: &str, tls: &TargetTls, listen: IpAddr) -> Result<Authority, TargetError> {
        let made = make(name, tls, listen).map_err(|e| TargetError::Tls {
            action: "make the certificates",
            cause: e.to_string(),
            remedy: "this is a fault of the program or its library: please report it",
        })?;
        Ok(Authority { ca_pem: made.ca_pem, shown: made.shown, key: made.key, renewed: Some(made.renewed) })
    }

    /// The authority kept in a folder, made first if none of its files exist: `ca.pem` (for clients), `cert.pem` (the
    /// server's certificate first, then the CAs above it) and `key.pem` (readable by the owner only); along with them
    /// `ocsp.der`, a response to staple, and `made.toml`, what was asked for. Files that are there are used as they are,
    /// whoever made them, if they fit together and are valid for `listen` now.
    ///
    /// # Errors
    /// The folder or its files cannot be used, or were made as others than `tls` asks for.
    pub fn kept_in(folder: &Path, tls: &TargetTls, listen: IpAddr) -> Result<Authority, TargetError> {
        let files = Folder(folder);
        match files.count() {
            0 => {
                let made = make(CA, tls, listen).map_err(|e| unusable(&e.to_string()))?;
                files.store(&made, tls)?;
                Ok(Authority { ca_pem: made.ca_pem, shown: made.shown, key: made.key, renewed: Some(made.renewed) })
            }
            3 => {
                let Kept { ca_pem, key, shown } = files.load(tls)?;
                let authority = Authority { ca_pem, shown, key, renewed: None };
                authority.check(listen)?;
                Ok(authority)
            }
            _ => Err(TargetError::Tls {
                action: "use the certificates of the folder",
                cause: format!("{} has some of ca.pem, cert.pem and key.pem, but not all", folder.display()),
                remedy: "put all three there, or none",
            }),
        }
    }

    /// The CA certificate as PEM, for clients.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The same authority with the server's certificate renewed: by the same CA, with the same key \[assumed\].
    ///
    /// # Errors
    /// The certificate is not of our own making.
    pub(crate) fn renewed(&self) -> Result<Authority, TargetError> {
        let renewed = self.renewed.clone().ok_or_else(|| TargetError::Tls {
            action: "renew the server's certificate",
            cause: "it comes from a folder, and the key of its CA is not known".to_owned(),
            remedy: "leave the swap out, or the folder",
        })?;
        let (ca_pem, key) = (self.ca_pem.clone(), self.key.clone_key());
        Ok(Authority { ca_pem, shown: renewed, key, renewed: self.renewed.clone() })
    }

    /// The TLS of a server that shows this and keeps sessions there.
    pub(crate) fn server_config(
        &self,
        tls: &TargetTls,
        sessions: &Arc<dyn StoresServerSessions>,
    ) -> Result<Arc<ServerConfig>, TargetError> {
        let refuse = |e: rustls::Error| unusable(&e.to_string());
        let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::provider(&tls.suites, &tls.groups)))
            .with_protocol_versions(crypto::versions(tls.versions))
            .map_err(refuse)?
            .with_client_cert_verifier(client_verifier(tls)?)
            .with_single_cert_with_ocsp(self.shown.chain.clone(), self.key.clone_key(), self.staple(tls)?)
            .map_err(refuse)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.session_storage = Arc::clone(sessions);
        if tls.tickets {
            config.ticketer = aws_lc_rs::Ticketer::new().map_err(refuse)?;
        } else {
            config.send_tls13_tickets = 0;
        }
        Ok(Arc::new(config))
    }

    /// The response to staple; empty for none.
    fn staple(&self, tls: &TargetTls) -> Result<Vec<u8>, TargetError> {
        if !tls.ocsp_staple {
            return Ok(Vec::new());
        }
        self.shown.staple.clone().ok_or_else(|| TargetError::Tls {
            action: "staple an OCSP response",
            cause: "the folder of certificates has no ocsp.der".to_owned(),
            remedy: "put the response there, or leave ocsp-staple out",
        })
    }

    /// Whether a client that trusts the CA would accept the certificate for this address, now.
    fn check(&self, listen: IpAddr) -> Result<(), TargetError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.ca_pem.as_bytes()) {
            let certificate = certificate.map_err(|_| unusable("ca.pem is not the PEM it should be"))?;
            roots.add(certificate).map_err(|e| unusable(&e.to_string()))?;
        }
        let chain = &self.shown.chain;
        let (leaf, others) = chain.split_first().ok_or_else(|| unusable("cert.pem holds no certificate"))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|e| unusable(&format!("ca.pem: {e}")))?;
        let name = ServerName::IpAddress(seen_from_here(listen).into());
        verifier
            .verify_server_cert(leaf, others, &name, &[], UnixTime::now())
            .map_err(|e| unusable(&format!("cert.pem for {}: {e}", seen_from_here(listen))))?;
        Ok(())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("certificates", &self.shown.chain.len()).finish_non_exhaustive()
    }
}

/// Where a server keeps sessions to be resumed by their id: in a table of its own, or nowhere.
pub(crate) fn session_store(tls: &TargetTls) -> Arc<dyn StoresServerSessions> {
    match tls.sessions {
        true => ServerSessionMemoryCache::new(MOST_SESSIONS),
        false => Arc::new(NoServerSessionStorage {}),
    }
}

/// The address under which this machine reaches a listener: loopback where it listens on all of them.
pub(crate) fn seen_from_here(listen: IpAddr) -> IpAddr {
    match listen {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

/// The provider, never the process's default one: several targets and clients live in one process.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

#[cfg(test)]
#[path = "authority/tests.rs"]
mod tests;
