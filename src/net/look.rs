//! One look at a server's TLS: a connection, a handshake, no request. What `interop` asks one thing at a time.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::deadline::Deadline;
use super::dial::dial;
use super::failure;
use super::handshake::{handshake, suite_name};
use super::meter::{Meter, Socket};
use super::stream::Stream;
use super::verifier::Unverified;
use super::{NetError, Trust};
use crate::crypto;
use crate::metrics::HandshakeFacts;
use crate::phone::{Failure, Origin};
use crate::workload::{Timeouts, TlsVersions};

/// What a look offers. Certificates are taken as they come: see [`Seen::judge`].
#[derive(Clone, Debug)]
pub struct Offer {
    /// Versions.
    pub versions: TlsVersions,
    /// IANA names of the suites; empty for all this build has.
    pub suites: Vec<&'static str>,
}

/// What was seen.
#[derive(Debug)]
pub struct Seen {
    /// The handshake, or how the connection failed before it ended.
    pub handshake: Result<HandshakeFacts, Failure>,
    /// What the system or rustls said of a failure.
    pub words: String,
    /// Whether the server asked for a client certificate.
    pub asked_for_certificate: bool,
    chain: Vec<CertificateDer<'static>>,
}

/// What there is to say of a server's certificate. Each is `Ok`, a sentence that says what is wrong, or unknown
/// (`None`) because something before it is wrong already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Whether its chain ends in a trusted CA.
    pub trusted: Result<(), String>,
    /// Whether it is valid now.
    pub valid_now: Option<Result<(), String>>,
    /// Whether it is for this name.
    pub names_it: Option<Result<(), String>>,
}

/// Connects, and no more.
///
/// # Errors
/// How it failed.
pub async fn reach(address: SocketAddr, timeouts: &Timeouts) -> Result<(), Failure> {
    connect(address, timeouts).await.map(drop)
}

/// Connects to `address` and shakes hands as for `origin`.
///
/// # Errors
/// [`NetError::TlsSetup`] or [`NetError::BadHost`] if there is nothing to offer or the host can be no name.
pub async fn look(origin: &Origin, address: SocketAddr, offer: &Offer, timeouts: &Timeouts) -> Result<Seen, NetError> {
    let recorder = Arc::new(Recorder::default());
    let config = config(offer, &recorder)?;
    let name =
        ServerName::try_from(origin.host.clone()).map_err(|_| NetError::BadHost { host: origin.host.clone() })?;
    let mut seen = Seen {
        handshake: Err(Failure::ConnectFailed),
        words: String::new(),
        asked_for_certificate: false,
        chain: Vec::new(),
    };
    let tcp = match connect(address, timeouts).await {
        Ok(tcp) => tcp,
        Err(failure) => {
            seen.handshake = Err(failure);
            return Ok(seen);
        }
    };
    let meter = Rc::new(Meter::default());
    let socket = Socket::new(tcp, Rc::clone(&meter));
    let deadline = Deadline::after(timeouts.exchange);
    let shaken = handshake(&config, name, socket, &meter, timeouts.tls, deadline).await;
    seen.asked_for_certificate = recorder.asked.load(Ordering::Relaxed);
    seen.chain = std::mem::take(&mut *recorder.chain.lock().unwrap_or_else(PoisonError::into_inner));
    match shaken.result {
        Ok(stream) => {
            let mut stream = Stream::tls(stream, meter);
            // Under TLS 1.3 the handshake ends for us before the server has judged our certificate, or its absence.
            let refusal = tokio::time::timeout(REFUSAL_WAIT, stream.refusal()).await.ok().flatten();
            seen.handshake = match &refusal {
                Some(error) if shaken.facts.version == Some("1.3") => Err(failure::of_stream(error, true)),
                _ => Ok(shaken.facts),
            };
            if let (Err(_), Some(error)) = (&seen.handshake, refusal) {
                seen.words = error.to_string();
            }
            stream.farewell();
        }
        Err(broken) => {
            seen.handshake = Err(broken.failure);
            seen.words = broken.error.map_or_else(String::new, |error| error.to_string());
        }
    }
    Ok(seen)
}

/// How long an alert that follows the handshake is waited for: it comes at once or never.
const REFUSAL_WAIT: Duration = Duration::from_millis(150);

async fn connect(address: SocketAddr, timeouts: &Timeouts) -> Result<tokio::net::TcpStream, Failure> {
    let deadline = Deadline::after(timeouts.exchange);
    let dialled = deadline.wait(timeouts.connect, Failure::ConnectTimeout, dial(address, None)).await?;
    dialled.map_err(|error| failure::of_connect(&error))
}

fn config(offer: &Offer, recorder: &Arc<Recorder>) -> Result<Arc<ClientConfig>, NetError> {
    let setup = |reason: String| NetError::TlsSetup { reason };
    let mut provider = default_provider();
    if !offer.suites.is_empty() {
        provider.cipher_suites.retain(|s| suite_name(s.suite()).is_some_and(|name| offer.suites.contains(&name)));
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(crypto::versions(offer.versions))
        .map_err(|error| setup(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(recorder) as _)
        .with_client_cert_resolver(Arc::clone(recorder) as _);
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

impl Seen {
    /// Whether the server showed certificates.
    pub fn has_chain(&self) -> bool {
        !self.chain.is_empty()
    }

    /// What a phone that trusts `trust` says of the certificates at `now`.
    pub fn judge(&self, trust: &Trust, origin: &Origin, now: UnixTime) -> Judged {
        let unknown = |why: &str| Judged { trusted: Err(why.to_owned()), valid_now: None, names_it: None };
        let (Some((leaf, rest)), Ok(name)) = (self.chain.split_first(), ServerName::try_from(origin.host.clone()))
        else {
            return unknown("the server showed no certificate");
        };
        if trust.is_empty() {
            return unknown("no CA was named, so nothing can be trusted: name the server's with --ca");
        }
        let provider = Arc::new(default_provider());
        let verifier = match WebPkiServerVerifier::builder_with_provider(trust.roots(), provider).build() {
            Ok(verifier) => verifier,
            Err(error) => return unknown(&error.to_string()),
        };
        let check = |at| verifier.verify_server_cert(leaf, rest, &name, &[], at);
        let days = |from: u64, to: u64| to.saturating_sub(from) / 86_400;
        let (valid_now, at) = match check(now) {
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext { time, not_after })) => {
                let ago = days(not_after.as_secs(), time.as_secs());
                (Err(format!("it expired {ago} days ago")), not_after)
            }
            Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { time, not_before })) => {
                let ahead = days(time.as_secs(), not_before.as_secs());
                (Err(format!("it is not valid for another {ahead} days")), not_before)
            }
            _ => (Ok(()), now),
        };
        match check(at) {
            Ok(_) => Judged { trusted: Ok(()), valid_now: Some(valid_now), names_it: Some(Ok(())) },
            Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. })) => {
                let names = if presented.is_empty() { "no name".to_owned() } else { presented.join(", ") };
                let names_it = Some(Err(format!("it is for {names}, not for {}", origin.host)));
                Judged { trusted: Ok(()), valid_now: Some(valid_now), names_it }
            }
            Err(Error::InvalidCertificate(CertificateError::NotValidForName)) => Judged {
                trusted: Ok(()),
                valid_now: Some(valid_now),
                names_it: Some(Err(format!("it is not for {}", origin.host))),
            },
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                unknown(&format!("its chain ends in none of the CAs trusted ({})", trust.names()))
            }
            Err(error) => unknown(&format!("{error} (trusted: {})", trust.names())),
        }
    }
}

/// Keeps the certificates and takes them, whoever signed them; notes whether one of ours was asked for.
#[derive(Debug)]
struct Recorder {
    inner: Unverified,
    chain: Mutex<Vec<CertificateDer<'static>>>,
    asked: AtomicBool,
}

impl Default for Recorder {
    fn default() -> Self {
        let provider: CryptoProvider = default_provider();
        let inner = Unverified(provider.signature_verification_algorithms);
        Recorder { inner, chain: Mutex::default(), asked: AtomicBool::new(false) }
    }
}

impl ResolvesClientCert for Recorder {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        at: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates).map(|c| c.clone().into_owned()).collect();
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, at)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

    use super::*;

    const NAME: &str = "files.example";

    /// A CA's PEM and a chain it signed: for these names, valid from and until these years.
    fn signed(names: &[&str], years: (i32, i32)) -> (String, Vec<CertificateDer<'static>>) {
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = ca.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(ca, key);
        let names: Vec<_> = names.iter().map(|n| (*n).to_owned()).collect();
        let mut leaf = CertificateParams::new(names).unwrap();
        leaf.not_before = date_time_ymd(years.0, 1, 1);
        leaf.not_after = date_time_ymd(years.1, 1, 1);
        let certificate = leaf.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        (pem, vec![certificate.der().clone()])
    }

    fn judged(chain: Vec<CertificateDer<'static>>, ca: &str) -> (bool, Option<bool>, Option<bool>) {
        let seen =
            Seen { handshake: Err(Failure::TlsFailed), words: String::new(), asked_for_certificate: false, chain };
        let trust = if ca.is_empty() { Trust::default() } else { Trust::from_pem("ca", ca.as_bytes()).unwrap() };
        let origin = Origin { tls: true, host: NAME.to_owned(), port: 443 };
        // 2026-01-01.
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_767_225_600));
        let judged = seen.judge(&trust, &origin, now);
        let ok = |r: &Option<Result<(), String>>| r.as_ref().map(Result::is_ok);
        (judged.trusted.is_ok(), ok(&judged.valid_now), ok(&judged.names_it))
    }

    /// Chain, dates and name are each judged for themselves, as far as the one before allows.
    #[test]
    fn a_certificate_is_judged_part_by_part() {
        let (good, bad) = (Some(true), Some(false));
        for (names, years, wanted) in [
            (&[NAME][..], (2020, 2030), (true, good, good)),
            (&[NAME], (2001, 2002), (true, bad, good)),
            (&[NAME], (2040, 2050), (true, bad, good)),
            (&["other.example"], (2020, 2030), (true, good, bad)),
            (&["other.example"], (2001, 2002), (true, bad, bad)),
        ] {
            let (ca, chain) = signed(names, years);
            assert_eq!(judged(chain.clone(), &ca), wanted, "{names:?} {years:?}");
            let (another, _) = signed(names, years);
            // A CA of the same name and another key is no better than an unknown one.
            assert_eq!(judged(chain.clone(), &another), (false, None, None), "{names:?} {years:?}");
            assert_eq!(judged(chain, ""), (false, None, None));
        }
        let (ca, _) = signed(&[NAME], (2020, 2030));
        assert_eq!(judged(Vec::new(), &ca), (false, None, None));
    }
}
