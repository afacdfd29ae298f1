//! An OCSP response that says *good*, for servers to staple (RFC 6960, RFC 5019).

use rcgen::{KeyPair, PublicKeyData, SigningKey};
use sha1::{Digest, Sha1};

use super::der::{
    BIT_STRING, ENUMERATED, EXPLICIT_0, EXPLICIT_2, GENERALIZED_TIME, INTEGER, NULL, OCTET_STRING, OID, Parts,
    SEQUENCE, parts, with, write,
};

/// 1.3.6.1.5.5.7.48.1.1, id-pkix-ocsp-basic.
const BASIC: [u8; 9] = [0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
/// 1.3.14.3.2.26, SHA-1: what certificates are named by in all responses (RFC 5019 2.1.1).
const SHA1: [u8; 5] = [0x2b, 0x0e, 3, 2, 0x1a];
/// 1.2.840.113549.1.1.11, RSA with SHA-256.
const RSA_SHA256: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b];
/// 1.2.840.10045.4.3.2 and .3, ECDSA with SHA-256 and SHA-384.
const ECDSA_SHA256: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ECDSA_SHA384: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
/// As long as the certificates are valid: no clock is asked, and a kept folder outlives every test. A real responder's
/// answers live for days.
const FROM: &str = "20200101000000Z";
const UNTIL: &str = "20491231000000Z";

/// The response for `certificate`, signed by the CA that issued it.
///
/// # Errors
/// The certificate cannot be taken apart, or the library cannot sign.
pub(super) fn good(certificate: &[u8], issuer: &KeyPair) -> Result<Vec<u8>, rcgen::Error> {
    let parts = parts(certificate).ok_or(rcgen::Error::CouldNotParseCertificate)?;
    let responses = response_data(&parts, issuer.der_bytes());
    let signature = issuer.sign(&responses)?;
    // No bit of the last octet is unused.
    let signature = write(BIT_STRING, &[&[0], signature.as_slice()].concat());
    let basic = with(SEQUENCE, [responses, algorithm(issuer), signature]);
    let kind_and_value = with(SEQUENCE, [write(OID, &BASIC), write(OCTET_STRING, &basic)]);
    // successful (0)
    Ok(with(SEQUENCE, [write(ENUMERATED, &[0]), write(EXPLICIT_0, &kind_and_value)]))
}

/// `ResponseData`: who says it (by its key), when, and of what.
fn response_data(certificate: &Parts<'_>, issuer_key: &[u8]) -> Vec<u8> {
    let issuer_name = write(SEQUENCE, certificate.issuer);
    let key_hash = write(OCTET_STRING, &Sha1::digest(issuer_key));
    let id = with(
        SEQUENCE,
        [
            with(SEQUENCE, [write(OID, &SHA1), write(NULL, &[])]),
            write(OCTET_STRING, &Sha1::digest(issuer_name)),
            key_hash.clone(),
            write(INTEGER, certificate.serial),
        ],
    );
    // [0] IMPLICIT NULL: good.
    let good = write(0x80, &[]);
    let next_update = write(EXPLICIT_0, &time(UNTIL));
    let single = with(SEQUENCE, [id, good, time(FROM), next_update]);
    with(SEQUENCE, [write(EXPLICIT_2, &key_hash), time(FROM), write(SEQUENCE, &single)])
}

fn time(text: &str) -> Vec<u8> {
    write(GENERALIZED_TIME, text.as_bytes())
}

/// What the key signs with.
fn algorithm(key: &KeyPair) -> Vec<u8> {
    let algorithm = key.algorithm();
    if algorithm == &rcgen::PKCS_RSA_SHA256 {
        return with(SEQUENCE, [write(OID, &RSA_SHA256), write(NULL, &[])]);
    }
    let ecdsa = if algorithm == &rcgen::PKCS_ECDSA_P384_SHA384 { ECDSA_SHA384 } else { ECDSA_SHA256 };
    write(SEQUENCE, &write(OID, &ecdsa))
}
