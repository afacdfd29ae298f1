//! Certificates of the target's own making: a CA, the CAs between it and the server, the server's certificate, and the
//! OCSP response that goes with it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, RsaKeySize, SanType,
    SerialNumber, date_time_ymd,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::ocsp;
use crate::workload::{KeyKind, TargetTls};

/// What a server shows: its certificate, then those of the CAs up to the trusted one, which is not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The server's own first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// The OCSP response for it, if there is one.
    pub(super) staple: Option<Vec<u8>>,
}

/// Everything there is, made at once. The CAs' keys are forgotten: nobody can ever issue another certificate that
/// clients of this CA would trust.
pub(super) struct Made {
    /// The CA that clients trust.
    pub(super) ca_pem: String,
    /// The server's key.
    pub(super) key: PrivateKeyDer<'static>,
    /// What it shows.
    pub(super) shown: Shown,
    /// What it shows when its certificate has been renewed: by the same CA, with the same key.
    pub(super) renewed: Shown,
}

/// A CA called `name`, and below it what `tls` asks for, valid for `listen` (all addresses of this machine if it is
/// unspecified), 127.0.0.1, ::1 and localhost.
///
/// # Errors
/// The library cannot make it.
pub(super) fn make(name: &str, tls: &TargetTls, listen: IpAddr) -> Result<Made, Error> {
    let between = tls.chain_depth.saturating_sub(1).min(u32::from(u8::MAX)) as u8;
    let ca_key = ca_key(tls.key)?;
    let ca = ca(name, between)?;
    let ca_pem = ca.self_signed(&ca_key)?.pem();
    let mut issuer = Issuer::new(ca, ca_key);
    let mut chain = Vec::new();
    for number in 0..between {
        let key = self::ca_key(tls.key)?;
        let mut params = self::ca(&format!("{name} {}", number + 2), between - number - 1)?;
        params.use_authority_key_identifier_extension = true;
        chain.insert(0, params.signed_by(&key, &issuer)?.der().clone());
        issuer = Issuer::new(params, key);
    }
    let key = server_key(tls.key)?;
    let show = || {
        let certificate = server(listen)?.signed_by(&key, &issuer)?.der().clone();
        let staple = Some(ocsp::good(&certificate, issuer.key())?);
        Ok::<_, Error>(Shown { chain: std::iter::once(certificate).chain(chain.clone()).collect(), staple })
    };
    let (shown, renewed) = (show()?, show()?);
    Ok(Made { ca_pem, key: PrivateKeyDer::Pkcs8(key.serialize_der().into()), shown, renewed })
}

fn server_key(kind: KeyKind) -> Result<KeyPair, Error> {
    match kind {
        KeyKind::EcdsaP256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        KeyKind::EcdsaP384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
        KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        KeyKind::Rsa3072 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072),
        KeyKind::Rsa4096 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096),
    }
}

/// A CA's: of the same kind, but never of more than 2048 bits of RSA, as of most CAs that issue RSA certificates.
fn ca_key(kind: KeyKind) -> Result<KeyPair, Error> {
    server_key(if kind.is_rsa() { KeyKind::Rsa2048 } else { kind })
}

/// A CA with so many CAs below it at most.
fn ca(name: &str, below: u8) -> Result<CertificateParams, Error> {
    let mut params = dated(name)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn server(listen: IpAddr) -> Result<CertificateParams, Error> {
    let mut params = dated("bootstorm target")?;
    params.subject_alt_names = addresses(listen).into_iter().map(SanType::IpAddress).collect();
    params.subject_alt_names.push(SanType::DnsName("localhost".try_into()?));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// The same dates always: no clock is asked, and a kept authority outlives every test.
fn dated(name: &str) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial()?);
    Ok(params)
}

/// A random one: the library's own would follow from the key, which a renewed certificate shares.
fn serial() -> Result<SerialNumber, Error> {
    let mut octets = [0; 16];
    let filled = aws_lc_rs::default_provider().secure_random.fill(&mut octets);
    filled.map_err(|_| Error::RingUnspecified)?;
    // Positive, and of one length.
    octets[0] = octets[0] & 0x7f | 0x40;
    Ok(SerialNumber::from(octets.to_vec()))
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
