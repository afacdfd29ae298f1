//! One TLS handshake, measured.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{
    AlertDescription, CipherSuite, ClientConfig, CommonState, Error as TlsError, NamedGroup, ProtocolVersion,
    SignatureScheme,
};

use super::clock::{now, thread_cpu};
use super::deadline::Deadline;
use super::failure::{self, Seen};
use super::meter::{Meter, Socket};
use super::tls_stream::TlsStream;
use super::verifier::{Tally, tallied};
use crate::metrics::{HandshakeFacts, HandshakeKind};
use crate::phone::Failure;

/// How a handshake ended, and what it cost.
pub(super) struct Handshake {
    /// The connection, or how it failed.
    pub(super) result: Result<TlsStream, Broken>,
    /// What it cost, done or failed.
    pub(super) facts: HandshakeFacts,
}

/// A handshake that failed.
#[derive(Debug)]
pub(super) struct Broken {
    /// What it is called.
    pub(super) failure: Failure,
    /// What rustls or the system said; none if time ran out.
    pub(super) error: Option<io::Error>,
}

/// Shakes hands on `socket`, for no longer than `limit` and the exchange's `deadline`.
pub(super) async fn handshake(
    config: &Arc<ClientConfig>,
    name: ServerName<'static>,
    socket: Socket,
    meter: &Rc<Meter>,
    limit: Duration,
    deadline: Deadline,
) -> Handshake {
    let start = now();
    let mut cpu = Duration::ZERO;
    let mut tally = Tally::default();
    meter.tap.replace(Some(Box::default()));
    let mut to_begin = Some((name, socket));
    let (mut shaking, mut agreed) = (None, None);
    let measured = poll_fn(|cx| {
        costed(&mut cpu, || {
            if let Some((name, socket)) = to_begin.take() {
                // The key share is made here, before anything is sent.
                shaking = Some(TlsStream::begin(config, name, socket)?);
            }
            let Some(stream) = &mut shaking else { return Poll::Pending };
            ready!(tallied(&mut tally, || stream.poll_handshake(cx)))?;
            agreed = stream.agreed().map(Agreed::of);
            if config.enable_secret_extraction {
                stream.settle();
            }
            shaking.take().map_or(Poll::Pending, |stream| Poll::Ready(Ok(stream)))
        })
    });
    let outcome = deadline.wait(limit, Failure::TlsTimeout, measured).await;

    let total = start.elapsed();
    let result = match outcome {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            let seen = Seen { first_octet: meter.first_octet.get(), certificates: tally.chain_length > 0 };
            Err(Broken { failure: failure::of_handshake(&error, seen), error: Some(error) })
        }
        Err(failure) => Err(Broken { failure, error: None }),
    };
    let facts = facts(start, total, (cpu, tally), meter, agreed, result.as_ref().err());
    Handshake { result, facts }
}

/// What a handshake that was done has settled.
#[derive(Clone, Copy)]
struct Agreed {
    kind: HandshakeKind,
    version: Option<ProtocolVersion>,
    suite: Option<CipherSuite>,
    group: Option<NamedGroup>,
}

impl Agreed {
    fn of(session: &CommonState) -> Agreed {
        Agreed {
            kind: kind(session),
            version: session.protocol_version(),
            suite: session.negotiated_cipher_suite().map(|suite| suite.suite()),
            group: session.negotiated_key_exchange_group().map(|group| group.name()),
        }
    }
}

impl Default for Agreed {
    /// Nothing.
    fn default() -> Agreed {
        Agreed { kind: HandshakeKind::Failed, version: None, suite: None, group: None }
    }
}

/// Runs `work` and adds the CPU time it took to `cpu`.
fn costed<T>(cpu: &mut Duration, work: impl FnOnce() -> T) -> T {
    let before = thread_cpu();
    let result = work();
    *cpu += thread_cpu().saturating_sub(before);
    result
}

fn facts(
    start: Instant,
    total: Duration,
    (cpu, tally): (Duration, Tally),
    meter: &Meter,
    agreed: Option<Agreed>,
    broken: Option<&Broken>,
) -> HandshakeFacts {
    let hello = meter.first_write.get();
    let flight = hello.zip(meter.first_read.get()).map(|(wrote, read)| read.saturating_duration_since(wrote));
    let (bytes_out, bytes_in) = meter.bytes();
    let tap = meter.tap.take().unwrap_or_default();
    let (records_out, records_in) = tap.records();
    let Agreed { kind, version, suite, group } = agreed.filter(|_| broken.is_none()).unwrap_or_default();
    let version = version.and_then(version_name);
    let error = broken.and_then(|broken| broken.error.as_ref()).and_then(failure::tls_error);
    HandshakeFacts {
        hello: hello.map_or(total, |wrote| wrote.saturating_duration_since(start)),
        server_flight: flight,
        verify: (tally.chain_length > 0).then_some(tally.time),
        total,
        cpu,
        version,
        suite: suite.and_then(suite_name),
        group: group.and_then(group_name),
        chain_length: tally.chain_length,
        chain_bytes: tally.chain_bytes,
        bytes_out,
        bytes_in,
        records_out,
        records_in,
        signature: tally.signature.and_then(|(scheme, tls12)| signature_name(scheme, tls12)),
        by_session: kind == HandshakeKind::Resumed && version == Some("1.2") && !tap.ticket_offered(),
        retried: tap.retried(),
        client_certificate: tally.presented,
        alert_received: error.and_then(alert_received),
        alert_sent: tap.alert_sent().or_else(|| error.and_then(alert_for)),
        failure: broken.map(|broken| broken.failure),
        ..HandshakeFacts::new(kind)
    }
}

/// The alert the server sent.
pub(super) fn alert_received(error: &TlsError) -> Option<u8> {
    match error {
        TlsError::AlertReceived(alert) => Some(u8::from(*alert)),
        _ => None,
    }
}

/// The alert rustls sends for what it found wrong with a certificate. In TLS 1.3 it goes encrypted: nobody sees it pass.
fn alert_for(error: &TlsError) -> Option<u8> {
    match error {
        TlsError::InvalidCertificate(certificate) => Some(AlertDescription::from(certificate.clone()).into()),
        _ => None,
    }
}

fn kind(session: &CommonState) -> HandshakeKind {
    match session.handshake_kind() {
        Some(rustls::HandshakeKind::Resumed) => HandshakeKind::Resumed,
        Some(rustls::HandshakeKind::FullWithHelloRetryRequest) => HandshakeKind::HelloRetry,
        Some(rustls::HandshakeKind::Full) | None => HandshakeKind::Full,
    }
}

fn version_name(version: ProtocolVersion) -> Option<&'static str> {
    match version {
        ProtocolVersion::TLSv1_2 => Some("1.2"),
        ProtocolVersion::TLSv1_3 => Some("1.3"),
        _ => None,
    }
}

/// The IANA name: rustls writes `TLS13_…` where the registry has `TLS_…`.
pub(super) fn suite_name(suite: CipherSuite) -> Option<&'static str> {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => Some("TLS_AES_128_GCM_SHA256"),
        CipherSuite::TLS13_AES_256_GCM_SHA384 => Some("TLS_AES_256_GCM_SHA384"),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => Some("TLS_CHACHA20_POLY1305_SHA256"),
        other => other.as_str(),
    }
}

/// The IANA name (TLS Supported Groups).
fn group_name(group: NamedGroup) -> Option<&'static str> {
    match group {
        NamedGroup::X25519 => Some("x25519"),
        other => other.as_str(),
    }
}

/// The IANA name (TLS SignatureScheme). In TLS 1.2 the same numbers say no more than the kind of key and the hash (RFC
/// 5246 section 7.4.1.4.1): a key on P-256 may sign with SHA-384.
fn signature_name(scheme: SignatureScheme, tls12: bool) -> Option<&'static str> {
    match scheme {
        SignatureScheme::ECDSA_NISTP256_SHA256 if tls12 => Some("ecdsa_sha256"),
        SignatureScheme::ECDSA_NISTP384_SHA384 if tls12 => Some("ecdsa_sha384"),
        SignatureScheme::ECDSA_NISTP521_SHA512 if tls12 => Some("ecdsa_sha512"),
        SignatureScheme::RSA_PKCS1_SHA256 => Some("rsa_pkcs1_sha256"),
        SignatureScheme::RSA_PKCS1_SHA384 => Some("rsa_pkcs1_sha384"),
        SignatureScheme::RSA_PKCS1_SHA512 => Some("rsa_pkcs1_sha512"),
        SignatureScheme::RSA_PSS_SHA256 => Some("rsa_pss_rsae_sha256"),
        SignatureScheme::RSA_PSS_SHA384 => Some("rsa_pss_rsae_sha384"),
        SignatureScheme::RSA_PSS_SHA512 => Some("rsa_pss_rsae_sha512"),
        SignatureScheme::ECDSA_NISTP256_SHA256 => Some("ecdsa_secp256r1_sha256"),
        SignatureScheme::ECDSA_NISTP384_SHA384 => Some("ecdsa_secp384r1_sha384"),
        SignatureScheme::ECDSA_NISTP521_SHA512 => Some("ecdsa_secp521r1_sha512"),
        SignatureScheme::ED25519 => Some("ed25519"),
        SignatureScheme::ED448 => Some("ed448"),
        SignatureScheme::ML_DSA_44 => Some("mldsa44"),
        SignatureScheme::ML_DSA_65 => Some("mldsa65"),
        SignatureScheme::ML_DSA_87 => Some("mldsa87"),
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_iana_registries() {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let suites: Vec<_> = provider.cipher_suites.iter().filter_map(|s| suite_name(s.suite())).collect();
        assert_eq!(
            suites,
            [
                "TLS_AES_256_GCM_SHA384",
                "TLS_AES_128_GCM_SHA256",
                "TLS_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            ]
        );
        let algorithms = provider.signature_verification_algorithms;
        let schemes: Vec<_> =
            algorithms.mapping.iter().filter_map(|(scheme, _)| signature_name(*scheme, false)).collect();
        assert!(
            schemes.len() >= 9 && schemes.iter().all(|name| name.chars().all(|c| !c.is_uppercase())),
            "{schemes:?}"
        );
        let groups = [NamedGroup::X25519, NamedGroup::secp256r1, NamedGroup::secp384r1];
        assert_eq!(groups.map(group_name), [Some("x25519"), Some("secp256r1"), Some("secp384r1")]);
        assert_eq!(version_name(ProtocolVersion::TLSv1_3), Some("1.3"));
        assert_eq!(version_name(ProtocolVersion::TLSv1_1), None);
    }
}
