//! The subject of a certificate, read from its DER: what the log says of a client.

use std::fmt::Write;

use super::der::{OID, SEQUENCE, SET, element, parts};

/// The subject as `CN=…, OU=…`, in the certificate's order; `-` if it cannot be read. A certificate comes from outside:
/// nothing in it is trusted but its octets.
pub(crate) fn subject(certificate: &[u8]) -> String {
    read(certificate).filter(|name| !name.is_empty()).unwrap_or_else(|| "-".to_owned())
}

fn read(certificate: &[u8]) -> Option<String> {
    let mut name = parts(certificate)?.subject;
    let mut text = String::new();
    while !name.is_empty() {
        let (SET, mut relative, rest) = element(name)? else { return None };
        name = rest;
        while !relative.is_empty() {
            let (SEQUENCE, attribute, rest) = element(relative)? else { return None };
            relative = rest;
            let (OID, kind, value) = element(attribute)? else { return None };
            let (_, value, _) = element(value)?;
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}{}={}", label(kind), String::from_utf8_lossy(value));
        }
    }
    Some(text)
}

/// The attribute's usual label (RFC 4519, RFC 4514), else its OID's octets in hexadecimal.
fn label(oid: &[u8]) -> String {
    let [0x55, 0x04, kind] = oid else {
        return oid.iter().fold("#".to_owned(), |mut text, octet| {
            let _ = write!(text, "{octet:02x}");
            text
        });
    };
    match kind {
        3 => "CN".into(),
        4 => "SN".into(),
        5 => "serialNumber".into(),
        6 => "C".into(),
        7 => "L".into(),
        8 => "ST".into(),
        10 => "O".into(),
        11 => "OU".into(),
        other => format!("2.5.4.{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    fn certificate(attributes: &[(DnType, &str)]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in attributes {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn subjects_are_read() {
        let phone = certificate(&[
            (DnType::OrganizationalUnitName, "CP-8841-3PCC"),
            (DnType::LocalityName, "FCH0001"),
            (DnType::CustomDnType(vec![2, 5, 4, 4]), "00562b000001"),
        ]);
        assert_eq!(subject(&phone), "OU=CP-8841-3PCC, L=FCH0001, SN=00562b000001");
        assert_eq!(subject(&certificate(&[(DnType::CommonName, "Jürgen")])), "CN=Jürgen");
        assert_eq!(subject(&certificate(&[])), "-");
    }

    #[test]
    fn no_octets_are_too_odd() {
        let sound = certificate(&[(DnType::CommonName, "phone")]);
        for cut in 0..sound.len() {
            let _ = subject(&sound[..cut]);
        }
        for at in 0..sound.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut odd = sound.clone();
                odd[at] ^= flip;
                let _ = subject(&odd);
            }
        }
        assert_eq!(subject(b"rubbish"), "-");
    }
}
