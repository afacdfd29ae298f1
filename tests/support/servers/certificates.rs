//! A CA for one test, and a certificate of it for a server on loopback.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// PEM texts: what the phones trust, what the server shows, and its key.
pub(super) struct Certificates {
    pub(super) ca: String,
    pub(super) chain: String,
    pub(super) key: String,
}

/// A new CA, and a server certificate for `localhost` and `127.0.0.1` (ECDSA P-256).
pub(super) fn generate() -> Certificates {
    let mut ca = CertificateParams::default();
    ca.distinguished_name.push(DnType::CommonName, "bootstorm test CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_key = KeyPair::generate().expect("a key for the CA");
    let ca_certificate = ca.self_signed(&ca_key).expect("the CA signs itself");
    let issuer = Issuer::new(ca, ca_key);

    let mut server = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("valid names");
    server.distinguished_name.push(DnType::CommonName, "bootstorm test server");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().expect("a key for the server");
    let certificate = server.signed_by(&key, &issuer).expect("the CA signs the server's certificate");
    Certificates { ca: ca_certificate.pem(), chain: certificate.pem(), key: key.serialize_pem() }
}
