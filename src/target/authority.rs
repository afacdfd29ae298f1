//! The certificates: a CA of the target's own making and one server certificate below it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SanType, date_time_ymd,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache};
use rustls::{RootCertStore, ServerConfig};

use super::TargetError;
use super::client_auth::client_verifier;
use crate::crypto;
use crate::workload::{KeyKind, TargetTls};

/// Most TLS 1.2 sessions kept to be resumed by their id; the oldest give way.
const MOST_SESSIONS: usize = 32_768;
/// Files of a folder that keeps an authority: the CA, the server's chain, the server's key.
const FILES: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];
/// The common names of the CAs.
const CA: &str = "bootstorm test CA";
const OTHER_CA: &str = "bootstorm other test CA";
const REMEDY: &str = "remove ca.pem, cert.pem and key.pem from the folder, and they are made anew";

/// A CA certificate, and a server certificate below it with its key. The CA's own key is forgotten at once:
/// nobody can ever issue another certificate that clients of this CA would trust.
pub struct Authority {
    ca_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    /// The certificate that comes after the first: same CA, same key, another serial number. None for one that was
    /// made elsewhere.
    renewed: Option<CertificateDer<'static>>,
}

impl Authority {
    /// A new CA and a certificate for `listen` (all addresses of this machine if it is unspecified), 127.0.0.1,
    /// ::1 and localhost.
    pub fn new(kind: KeyKind, listen: IpAddr) -> Result<Authority, TargetError> {
        Authority::named(CA, kind, listen)
    }

    /// One of another name, that clients of the first do not know.
    pub(crate) fn other(kind: KeyKind, listen: IpAddr) -> Result<Authority, TargetError> {
        Authority::named(OTHER_CA, kind, listen)
    }

    fn named(name: &str, kind: KeyKind, listen: IpAddr) -> Result<Authority, TargetError> {
        let (authority, _) = Authority::make(name, kind, listen).map_err(|e| TargetError::Tls {
            action: "make the certificates",
            cause: e.to_string(),
            remedy: "this is a fault of the program or its library: please report it",
        })?;
        Ok(authority)
    }

    /// The authority kept in a folder, made first if none of its files exist: `ca.pem` (for clients), `cert.pem`
    /// and `key.pem` (readable by the owner only). Files that are there are used as they are, whoever made them,
    /// if they fit together and are valid for `listen` now.
    pub fn kept_in(folder: &Path, kind: KeyKind, listen: IpAddr) -> Result<Authority, TargetError> {
        let files = FILES.map(|name| folder.join(name));
        match files.iter().filter(|f| f.exists()).count() {
            0 => Authority::store(folder, &files, kind, listen),
            3 => Authority::load(&files, listen),
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
        Ok(Authority { ca_pem, chain: vec![renewed], key, renewed: self.renewed.clone() })
    }

    /// The TLS of a server with this certificate.
    pub(crate) fn server_config(&self, tls: &TargetTls) -> Result<Arc<ServerConfig>, TargetError> {
        let refuse = |e: rustls::Error| unusable(&e.to_string());
        let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::provider(&tls.suites, &tls.groups)))
            .with_protocol_versions(crypto::versions(tls.versions))
            .map_err(refuse)?
            .with_client_cert_verifier(client_verifier(tls)?)
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .map_err(refuse)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.session_storage = match tls.sessions {
            true => ServerSessionMemoryCache::new(MOST_SESSIONS),
            false => Arc::new(NoServerSessionStorage {}),
        };
        if tls.tickets {
            config.ticketer = aws_lc_rs::Ticketer::new().map_err(refuse)?;
        } else {
            config.send_tls13_tickets = 0;
        }
        Ok(Arc::new(config))
    }

    fn make(name: &str, kind: KeyKind, listen: IpAddr) -> Result<(Authority, String), rcgen::Error> {
        let algorithm = match kind {
            KeyKind::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            KeyKind::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => &PKCS_RSA_SHA256,
        };
        let ca_key = KeyPair::generate_for(algorithm)?;
        let mut ca = dated(name);
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let ca_pem = ca.self_signed(&ca_key)?.pem();

        let key = KeyPair::generate_for(algorithm)?;
        let mut leaf = dated("bootstorm target");
        leaf.subject_alt_names = addresses(listen).into_iter().map(SanType::IpAddress).collect();
        leaf.subject_alt_names.push(SanType::DnsName("localhost".try_into()?));
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let issuer = Issuer::new(ca, ca_key);
        let certificate = leaf.signed_by(&key, &issuer)?;
        // Made now, while the CA's key is still there. Its serial number is random, so it is another one.
        let renewed = Some(leaf.signed_by(&key, &issuer)?.der().clone());
        let pem = certificate.pem();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        Ok((Authority { ca_pem, chain: vec![certificate.der().clone()], key, renewed }, pem))
    }

    fn store(folder: &Path, files: &[PathBuf; 3], kind: KeyKind, listen: IpAddr) -> Result<Authority, TargetError> {
        let refuse = |file: &Path, cause| TargetError::File { action: "write", file: file.to_owned(), cause };
        fs::create_dir_all(folder).map_err(|e| refuse(folder, e))?;
        let (authority, chain_pem) = Authority::make(CA, kind, listen).map_err(|e| unusable(&e.to_string()))?;
        let key_pem = pem("PRIVATE KEY", authority.key.secret_der());
        // The CA comes last: a client that waits for it finds a server that is ready to be trusted.
        let contents =
            [(&files[2], &key_pem, 0o600), (&files[1], &chain_pem, 0o644), (&files[0], &authority.ca_pem, 0o644)];
        for (file, text, mode) in contents {
            let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
            written.and_then(|mut f| f.write_all(text.as_bytes())).map_err(|e| refuse(file, e))?;
        }
        Ok(authority)
    }

    fn load(files: &[PathBuf; 3], listen: IpAddr) -> Result<Authority, TargetError> {
        let read = |file: &PathBuf| {
            fs::read_to_string(file).map_err(|cause| TargetError::File { action: "read", file: file.clone(), cause })
        };
        let not_pem = |file: &PathBuf| unusable(&format!("{} is not the PEM it should be", file.display()));
        let ca_pem = read(&files[0])?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(read(&files[1])?.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| not_pem(&files[1]))?;
        let key = PrivateKeyDer::from_pem_slice(read(&files[2])?.as_bytes()).map_err(|_| not_pem(&files[2]))?;
        let authority = Authority { ca_pem, chain, key, renewed: None };
        authority.check(listen)?;
        Ok(authority)
    }

    /// Whether a client that trusts the CA would accept the certificate for this address, now.
    fn check(&self, listen: IpAddr) -> Result<(), TargetError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.ca_pem.as_bytes()) {
            let certificate = certificate.map_err(|_| unusable("ca.pem is not the PEM it should be"))?;
            roots.add(certificate).map_err(|e| unusable(&e.to_string()))?;
        }
        let (leaf, others) = self.chain.split_first().ok_or_else(|| unusable("cert.pem holds no certificate"))?;
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
        f.debug_struct("Authority").field("certificates", &self.chain.len()).finish_non_exhaustive()
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

/// The same dates always: no clock is asked, and a kept authority outlives every test.
fn dated(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// Every address the certificate is for.
fn addresses(listen: IpAddr) -> BTreeSet<IpAddr> {
    let mut all = BTreeSet::from([Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    if !listen.is_unspecified() {
        all.insert(listen);
    } else if let Ok(interfaces) = nix::ifaddrs::getifaddrs() {
        for address in interfaces.filter_map(|i| i.address) {
            all.extend(address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip())));
            all.extend(address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())));
        }
    }
    all
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

fn unusable(cause: &str) -> TargetError {
    TargetError::Tls { action: "use the certificates", cause: cause.to_owned(), remedy: REMEDY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::TlsVersions;
    use std::os::unix::fs::PermissionsExt;

    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 7));

    #[test]
    fn a_new_authority_is_valid_where_it_listens_and_on_loopback() {
        for kind in [KeyKind::EcdsaP256, KeyKind::Rsa2048] {
            let authority = Authority::new(kind, LOCAL).unwrap();
            for ip in ["127.0.0.7", "127.0.0.1", "::1", "0.0.0.0"] {
                authority.check(ip.parse().unwrap()).unwrap();
            }
            assert!(authority.check("127.0.0.8".parse().unwrap()).is_err());
            for versions in [TlsVersions::Both, TlsVersions::Only12, TlsVersions::Only13] {
                let config = authority.server_config(&TargetTls { versions, ..TargetTls::default() }).unwrap();
                assert!(config.ticketer.enabled());
            }
            let config = authority.server_config(&TargetTls { tickets: false, ..TargetTls::default() }).unwrap();
            assert!(!config.ticketer.enabled() && config.send_tls13_tickets == 0);
        }
    }

    #[test]
    fn a_renewed_certificate_is_another_one_of_the_same_ca() {
        let first = Authority::new(KeyKind::EcdsaP256, LOCAL).unwrap();
        let second = first.renewed().unwrap();
        assert_eq!(first.ca_pem(), second.ca_pem());
        assert_ne!(first.chain, second.chain);
        second.check(LOCAL).unwrap();
        let home = tempfile::tempdir().unwrap();
        Authority::kept_in(home.path(), KeyKind::EcdsaP256, LOCAL).unwrap();
        let loaded = Authority::kept_in(home.path(), KeyKind::EcdsaP256, LOCAL).unwrap();
        assert!(loaded.renewed().unwrap_err().to_string().contains("leave the swap out"));
    }

    #[test]
    fn a_kept_authority_is_the_same_next_time_and_its_key_is_the_owners() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("tls");
        let made = Authority::kept_in(&folder, KeyKind::EcdsaP256, LOCAL).unwrap();
        let again = Authority::kept_in(&folder, KeyKind::EcdsaP256, LOCAL).unwrap();
        assert_eq!(made.ca_pem(), again.ca_pem());
        assert_eq!(made.chain, again.chain);
        again.server_config(&TargetTls::default()).unwrap();
        let mode = fs::metadata(folder.join("key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_kept_authority_that_does_not_fit_is_refused_with_a_remedy() {
        let home = tempfile::tempdir().unwrap();
        Authority::kept_in(home.path(), KeyKind::EcdsaP256, LOCAL).unwrap();
        let elsewhere = Authority::kept_in(home.path(), KeyKind::EcdsaP256, "192.0.2.1".parse().unwrap());
        assert!(elsewhere.unwrap_err().to_string().contains(REMEDY));
        fs::write(home.path().join("cert.pem"), "rubbish").unwrap();
        assert!(Authority::kept_in(home.path(), KeyKind::EcdsaP256, LOCAL).is_err());
        fs::remove_file(home.path().join("cert.pem")).unwrap();
        let partly = Authority::kept_in(home.path(), KeyKind::EcdsaP256, LOCAL).unwrap_err().to_string();
        assert!(partly.contains("not all"), "{partly}");
    }
}
