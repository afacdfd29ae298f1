//! What seals and opens records, made of a connection's secrets.

use rustls::crypto::cipher::{AeadKey, Iv, MessageDecrypter, MessageEncrypter, OutboundPlainMessage};
use rustls::{ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion, SupportedCipherSuite};

/// Seals records with these secrets, of which so many were sealed before.
///
/// # Errors
/// If they are of a kind this does not know.
pub(super) fn sealing(
    suite: SupportedCipherSuite,
    secrets: ConnectionTrafficSecrets,
    sealed: u64,
) -> Result<Box<dyn MessageEncrypter>, Error> {
    let (key, iv) = parts(secrets)?;
    let mut sealing = match suite {
        SupportedCipherSuite::Tls13(suite) => suite.aead_alg.encrypter(key, iv),
        SupportedCipherSuite::Tls12(suite) => {
            let (salt, explicit) = iv.as_ref().split_at(suite.aead_alg.key_block_shape().fixed_iv_len);
            suite.aead_alg.encrypter(key, salt, explicit)
        }
    };
    if sealed > 0 {
        // The cipher takes the first nonce it sees for that of record 0, and bears only larger ones. What this makes is
        // shown to nobody.
        let (typ, version) = (ContentType::ApplicationData, ProtocolVersion::TLSv1_2);
        sealing.encrypt(OutboundPlainMessage { typ, version, payload: [].as_slice().into() }, 0)?;
    }
    Ok(sealing)
}

/// Opens records with these secrets.
///
/// # Errors
/// If they are of a kind this does not know.
pub(super) fn opening(
    suite: SupportedCipherSuite,
    secrets: ConnectionTrafficSecrets,
) -> Result<Box<dyn MessageDecrypter>, Error> {
    let (key, iv) = parts(secrets)?;
    Ok(match suite {
        SupportedCipherSuite::Tls13(suite) => suite.aead_alg.decrypter(key, iv),
        SupportedCipherSuite::Tls12(suite) => {
            let (salt, _) = iv.as_ref().split_at(suite.aead_alg.key_block_shape().fixed_iv_len);
            suite.aead_alg.decrypter(key, salt)
        }
    })
}

fn parts(secrets: ConnectionTrafficSecrets) -> Result<(AeadKey, Iv), Error> {
    match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => Ok((key, iv)),
        _ => Err(Error::General("a cipher that is not known".to_owned())),
    }
}
