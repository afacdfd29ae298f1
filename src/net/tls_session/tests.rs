//! Against rustls' own server, in memory, its octets cut at every place.

use std::io::{Read, Write};

use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{
    AlertDescription, HandshakeKind, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion,
};

use super::*;
use crate::net::session::{PhoneSessions, as_phone};
use crate::net::verifier::Unverified;

mod forged;

type Version = &'static SupportedProtocolVersion;
const VERSIONS: [Version; 2] = [&TLS12, &TLS13];

/// A server and clients of one version.
#[derive(Clone)]
struct Setup {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    /// Whether the client's session settles after the handshake.
    settles: bool,
}

impl Setup {
    fn new(version: Version) -> Setup {
        Setup::with(version, |_| {})
    }

    /// Of both versions, settling and not.
    fn all() -> impl Iterator<Item = Setup> {
        let settles = |settles| VERSIONS.into_iter().map(move |version| Setup { settles, ..Setup::new(version) });
        settles(true).chain(settles(false))
    }

    fn of(tls13: bool, settles: bool) -> Setup {
        Setup { settles, ..Setup::new(VERSIONS[usize::from(tls13)]) }
    }

    fn with(version: Version, change: impl FnOnce(&mut ServerConfig)) -> Setup {
        let key = KeyPair::generate().unwrap();
        let chain = vec![CertificateParams::new(["a.example".to_owned()]).unwrap().self_signed(&key).unwrap().into()];
        let provider = Arc::new(default_provider());
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        server.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
        server.enable_secret_extraction = true;
        change(&mut server);
        Setup { client: client(default_provider(), version), server: Arc::new(server), settles: true }
    }

    fn pair(&self) -> Pair {
        let name = ServerName::try_from("a.example").unwrap();
        let mut client = TlsSession::new(&self.client, name).unwrap();
        let mut hello = Room::default();
        client.take(&mut [], &mut hello, |_| {}).unwrap();
        let mut server = ServerConnection::new(Arc::clone(&self.server)).unwrap();
        server.set_buffer_limit(None);
        let mut pair =
            Pair { client, server, heard: Vec::new(), told: Vec::new(), passed: 0, kind: None, settles: self.settles };
        pair.deliver(hello.filled());
        pair
    }
}

/// A client that resumes and takes any certificate.
fn client(provider: CryptoProvider, version: Version) -> Arc<ClientConfig> {
    let verifier = Unverified(provider.signature_verification_algorithms);
    let mut client = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    client.resumption = Resumption::store(Arc::new(PhoneSessions::new(1)));
    client.enable_secret_extraction = true;
    Arc::new(client)
}

/// Both ends.
struct Pair {
    client: TlsSession,
    server: ServerConnection,
    /// The plaintext the client was given.
    heard: Vec<u8>,
    /// That which the server was given and has not yet been asked for.
    told: Vec<u8>,
    /// How many of the server's octets have reached the client.
    passed: usize,
    /// What kind of handshake it was, once it is over.
    kind: Option<HandshakeKind>,
    settles: bool,
}

impl Pair {
    /// Gives the server what the client sent.
    fn deliver(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            self.server.read_tls(&mut octets).unwrap();
            let _ = self.server.process_new_packets();
            let _ = self.server.reader().read_to_end(&mut self.told);
        }
    }

    /// What the server has to send.
    fn flight(&mut self) -> Vec<u8> {
        let mut flight = Vec::new();
        while self.server.wants_write() {
            self.server.write_tls(&mut flight).unwrap();
        }
        flight
    }

    /// Gives the client these octets as one piece, and the server what the client answers.
    fn pass(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.passed += piece.len();
        let kept = self.client.kept();
        let mut room = vec![0; kept + piece.len()];
        self.client.put_kept(&mut room);
        room[kept..].copy_from_slice(piece);
        let (mut out, heard) = (Room::default(), &mut self.heard);
        let taken = as_phone(1, || self.client.take(&mut room, &mut out, |octets| heard.extend_from_slice(octets)));
        self.deliver(out.filled());
        if self.kind.is_none() && !self.client.is_handshaking() {
            self.kind = self.client.agreed().and_then(|agreed| agreed.handshake_kind());
            if self.settles {
                self.client.settle();
            }
        }
        taken
    }

    /// Both talk until neither has anything to say, the server's octets cut into pieces as long as `cut` says of the
    /// number that have passed.
    fn talk(&mut self, mut cut: impl FnMut(usize) -> usize) -> Result<(), Error> {
        loop {
            let flight = self.flight();
            if flight.is_empty() {
                return Ok(());
            }
            let mut left = &flight[..];
            while !left.is_empty() {
                let (piece, rest) = left.split_at(cut(self.passed).clamp(1, left.len()));
                self.pass(piece)?;
                left = rest;
            }
        }
    }

    fn client_says(&mut self, content: &[u8]) {
        let mut out = Room::default();
        self.client.encrypt(content, &mut out).unwrap();
        self.deliver(out.filled());
    }

    fn server_says(&mut self, content: &[u8]) {
        self.server.writer().write_all(content).unwrap();
    }

    /// What the server was told.
    fn server_hears(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.told)
    }

    /// A handshake, a question and an answer of `body`.
    fn whole_without_farewell(&mut self, body: &[u8]) {
        self.exchange(body, &mut |_| usize::MAX);
    }

    fn exchange(&mut self, body: &[u8], mut cut: &mut impl FnMut(usize) -> usize) {
        self.talk(&mut cut).unwrap();
        assert!(!self.client.is_handshaking() && !self.server.is_handshaking());
        self.client_says(b"GET");
        assert_eq!(self.server_hears(), b"GET");
        self.server_says(body);
        self.talk(&mut cut).unwrap();
        assert!(!self.client.is_closed());
        assert_eq!((self.client.kept(), self.client.rest.capacity()), (0, 0), "nothing is kept between answers");
    }

    /// The same and a farewell, cut thus.
    fn whole(&mut self, body: &[u8], mut cut: impl FnMut(usize) -> usize) {
        self.exchange(body, &mut cut);
        self.server.send_close_notify();
        self.talk(&mut cut).unwrap();
        assert!(self.client.is_closed());
        assert!(self.heard == body, "{} of {} octets", self.heard.len(), body.len());
        let mut out = Room::default();
        self.client.close(&mut out);
        self.deliver(out.filled());
        assert!(matches!(self.server.reader().read(&mut [0; 1]), Ok(0)), "the client said goodbye");
    }
}

#[test]
fn a_session_goes_well_wherever_it_is_cut_in_two() {
    for setup in Setup::all() {
        let mut whole = setup.pair();
        whole.whole(b"200", |_| usize::MAX);
        // Signatures vary by an octet or two; what lies behind a cut beyond the end is not cut.
        for at in 1..whole.passed {
            let mut pair = setup.pair();
            pair.whole(b"200", |passed| if passed < at { at - passed } else { usize::MAX });
        }
    }
}

#[test]
fn a_session_goes_well_octet_by_octet_and_is_resumed() {
    for setup in Setup::all() {
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let body = vec![7; 40_000];
            let mut pair = as_phone(1, || setup.pair());
            pair.whole(&body, |_| 1);
            // The tickets came behind the handshake (TLS 1.3) or in it, and were taken as the phone's own.
            assert_eq!(pair.kind, Some(kind));
        }
    }
}

#[test]
fn every_suite_carries_records_both_ways() {
    for settles in [true, false] {
        for suite in default_provider().cipher_suites {
            // The certificate is of ECDSA.
            if format!("{:?}", suite.suite()).contains("RSA") {
                continue;
            }
            let setup = Setup::of(suite.tls13().is_some(), settles);
            let provider = CryptoProvider { cipher_suites: vec![suite], ..default_provider() };
            let client = client(provider, VERSIONS[usize::from(suite.tls13().is_some())]);
            let mut pair = Setup { client, ..setup }.pair();
            pair.talk(|_| usize::MAX).unwrap();
            assert_eq!(pair.server.negotiated_cipher_suite(), Some(suite));
            for round in 0..40_u8 {
                pair.client_says(&[round; 100]);
                assert_eq!(pair.server_hears(), [round; 100], "{suite:?}");
                pair.server_says(&[round; 50]);
                pair.talk(|_| usize::MAX).unwrap();
                assert_eq!(std::mem::take(&mut pair.heard), [round; 50], "{suite:?}");
            }
        }
    }
}

#[test]
fn keys_are_updated_by_either_side() {
    for (cut, settles) in [1, 3, 17, usize::MAX].into_iter().flat_map(|cut| [(cut, true), (cut, false)]) {
        let mut pair = Setup::of(true, settles).pair();
        pair.talk(|_| cut).unwrap();
        for round in 0..3_u8 {
            pair.server.refresh_traffic_keys().unwrap();
            pair.server_says(&[round; 5]);
            pair.talk(|_| cut).unwrap();
            // The client's own update goes before what it says next.
            pair.client_says(&[round; 3]);
            assert_eq!(pair.server_hears(), [round; 3]);
        }
        assert_eq!(pair.heard, [[0; 5], [1; 5], [2; 5]].concat());
    }
}

#[test]
fn a_certificate_missed_after_the_handshake_is_an_alert() {
    let (authority, key) = (CertificateParams::new([]).unwrap(), KeyPair::generate().unwrap());
    let mut roots = RootCertStore::empty();
    roots.add(authority.self_signed(&key).unwrap().into()).unwrap();
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let setup = Setup::with(&TLS13, |server| {
        let cert = Arc::clone(&server.cert_resolver);
        *server = ServerConfig::builder_with_provider(Arc::clone(server.crypto_provider()))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(cert);
    });
    for (cut, settles) in [(1, true), (1_000_000, true), (1_000_000, false)] {
        let mut pair = Setup { settles, ..setup.clone() }.pair();
        let refused = pair.talk(|_| cut);
        assert!(!pair.client.is_handshaking(), "the client was through before the server had seen what it presents");
        assert_eq!(refused.unwrap_err(), Error::AlertReceived(AlertDescription::CertificateRequired));
        assert!(pair.client.encrypt(b"GET", &mut Room::default()).is_err(), "it is over");
        assert_eq!((pair.pass(b"anything"), pair.client.kept()), (Ok(()), 0));
    }
}

#[test]
fn what_follows_the_farewell_is_not_heard() {
    for setup in Setup::all() {
        let mut pair = setup.pair();
        pair.talk(|_| usize::MAX).unwrap();
        pair.server_says(b"200");
        pair.server.send_close_notify();
        let octets = [pair.flight(), b"and then some".to_vec()].concat();
        pair.pass(&octets).unwrap();
        assert!(pair.client.is_closed());
        assert_eq!((pair.heard.as_slice(), pair.client.kept()), (&b"200"[..], 0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn bodies_of_any_size_come_whole_in_pieces_of_any_size(
        tls13: bool,
        settles: bool,
        length in 0usize..70_000,
        cuts in prop::collection::vec(1usize..20_000, 1..20),
    ) {
        let setup = Setup::of(tls13, settles);
        let body: Vec<u8> = (0..length).map(|n| n as u8).collect();
        let mut cuts = cuts.iter().copied().cycle();
        setup.pair().whole(&body, |_| cuts.next().unwrap());
    }

    #[test]
    fn what_the_client_says_arrives(tls13: bool, settles: bool, lengths in prop::collection::vec(0usize..50_000, 1..5)) {
        let mut pair = Setup::of(tls13, settles).pair();
        pair.talk(|_| usize::MAX).unwrap();
        for (number, length) in lengths.into_iter().filter(|length| *length > 0).enumerate() {
            pair.client_says(&vec![number as u8; length]);
            prop_assert!(pair.server_hears() == vec![number as u8; length]);
        }
    }

    /// Whatever octet is spoilt, in the handshake or behind it: no panic, nothing heard that was not said, the server is
    /// told by an alert or notices by itself, and the session is over.
    #[test]
    fn a_spoilt_octet_ends_the_session(
        tls13: bool,
        settles: bool,
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
        cut in 1usize..3_000,
    ) {
        let setup = Setup::of(tls13, settles);
        let mut model = setup.pair();
        model.whole(b"200", |_| usize::MAX);
        let at = at.index(model.passed - 2);
        let mut pair = setup.pair();
        let mut failed = None;
        for round in 0..6 {
            let mut flight = pair.flight();
            if let Some(octet) = at.checked_sub(pair.passed).and_then(|at| flight.get_mut(at)) {
                *octet ^= flip;
            }
            if let Some(error) = flight.chunks(cut).find_map(|piece| pair.pass(piece).err()) {
                failed = Some(error);
                break;
            }
            if round == 2 && !pair.client.is_handshaking() {
                pair.client_says(b"GET");
                pair.server_says(b"200");
                pair.server.send_close_notify();
            }
        }
        prop_assert!(b"200".starts_with(&pair.heard[..]), "{:?}", pair.heard);
        if failed.is_some() {
            prop_assert!(pair.client.encrypt(b"GET", &mut Room::default()).is_err());
            let mut out = Room::default();
            pair.client.close(&mut out);
            prop_assert!(out.filled().is_empty(), "nothing is said after the alert");
            prop_assert_eq!(pair.pass(&[23, 3, 3]), Ok(()));
        } else {
            // A length that became larger: the rest of the record is still waited for. Or an octet nobody looks at.
            prop_assert!(pair.client.kept() > 0 || pair.client.is_closed() || pair.client.is_handshaking());
        }
    }

    #[test]
    fn octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..300), piece in 1usize..300) {
        let mut pair = Setup::new(&TLS13).pair();
        for piece in octets.chunks(piece) {
            let _ = pair.pass(piece);
        }
        prop_assert!(pair.heard.is_empty());
    }
}

#[test]
fn a_spoilt_record_is_told_by_an_alert() {
    for setup in Setup::all() {
        let mut pair = setup.pair();
        pair.talk(|_| usize::MAX).unwrap();
        pair.server_says(b"200");
        let mut flight = pair.flight();
        *flight.last_mut().unwrap() ^= 1;
        assert_eq!(pair.pass(&flight), Err(Error::DecryptError));
        assert!(pair.heard.is_empty());
        let told = pair.server.process_new_packets();
        assert_eq!(told.unwrap_err(), Error::AlertReceived(AlertDescription::BadRecordMac));
    }
}
