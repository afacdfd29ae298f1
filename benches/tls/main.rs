//! What TLS alone costs the client, handshake by handshake, in memory: no socket, no phone, nothing of ours. The floor
//! under every figure of handshakes.
//!
//! ```text
//! cargo bench --bench tls [NAME…]
//! ```
//!
//! A handshake of the client's is the sum of two: `hello` (a new connection and its first flight, keys included) and
//! `answer_to_server` (the server's flight read: chain and signature verified, session resumed; the last flight written). With TLS
//! 1.2 the server's last message is left out, which is a hash. `tickets` is what comes after with TLS 1.3: two tickets
//! read and stored. The server's part is played outside what is timed.
//!
//! rustls over aws-lc-rs with its own verifier and store, X25519 as the first group, one certificate below a CA.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a benchmark, a panic is the message")]

use std::sync::Arc;

use divan::Bencher;
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
    SignatureAlgorithm,
};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider, kx_group};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};

fn main() {
    divan::main();
}

/// A kind of handshake.
#[derive(Clone, Copy, Debug)]
struct Kind {
    version: &'static SupportedProtocolVersion,
    key: Key,
    resumed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Key {
    EcdsaP256,
    Rsa2048,
}

const KINDS: [&str; 6] =
    ["1.3 ecdsa full", "1.3 rsa-2048 full", "1.3 resumed", "1.2 ecdsa full", "1.2 rsa-2048 full", "1.2 resumed"];

impl Kind {
    fn named(name: &str) -> Kind {
        Kind {
            version: if name.starts_with("1.3") { &TLS13 } else { &TLS12 },
            key: if name.contains("rsa") { Key::Rsa2048 } else { Key::EcdsaP256 },
            resumed: name.ends_with("resumed"),
        }
    }
}

/// Both ends' configurations.
struct Scene {
    kind: Kind,
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Scene {
    fn new(name: &str) -> Scene {
        let kind = Kind::named(name);
        let algorithm: &SignatureAlgorithm = match kind.key {
            Key::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            Key::Rsa2048 => &PKCS_RSA_SHA256,
        };
        let ca_key = KeyPair::generate_for(algorithm).unwrap();
        let mut ca = CertificateParams::new([]).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_certificate = ca.self_signed(&ca_key).unwrap();
        let key = KeyPair::generate_for(algorithm).unwrap();
        let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();

        let mut roots = RootCertStore::empty();
        roots.add(ca_certificate.der().clone()).unwrap();
        let mut client = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[kind.version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        if !kind.resumed {
            client.resumption = Resumption::disabled();
        }
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut server = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[kind.version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        server.ticketer = Ticketer::new().unwrap();
        Scene { kind, client: Arc::new(client), server: Arc::new(server) }
    }

    /// A new client and what it says first.
    fn hello(&self) -> (ClientConnection, Vec<u8>) {
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(Arc::clone(&self.client), name).unwrap();
        let mut said = Vec::with_capacity(1024);
        client.write_tls(&mut said).unwrap();
        (client, said)
    }

    /// A client that has read the server's first flight and not looked at it, and the server.
    fn answered(&self) -> (ClientConnection, ServerConnection) {
        let (mut client, said) = self.hello();
        let mut server = ServerConnection::new(Arc::clone(&self.server)).unwrap();
        deliver(&said, &mut server);
        client.read_tls(&mut flight(&mut server).as_slice()).unwrap();
        (client, server)
    }

    /// A client whose handshake is over, with what the server sent after it read and not looked at.
    fn done(&self) -> ClientConnection {
        let (mut client, mut server) = self.answered();
        answer(&mut client, &mut server);
        client.read_tls(&mut flight(&mut server).as_slice()).unwrap();
        client
    }

    /// Sees to it that there is a session to resume, if any is to be.
    fn prepare(&self) {
        if self.kind.resumed {
            let mut client = self.done();
            client.process_new_packets().unwrap();
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    let kx_groups = vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    Arc::new(CryptoProvider { kx_groups, ..default_provider() })
}

fn flight(server: &mut ServerConnection) -> Vec<u8> {
    let mut said = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut said).unwrap();
    }
    said
}

fn deliver(said: &[u8], server: &mut ServerConnection) {
    let mut rest = said;
    while !rest.is_empty() {
        server.read_tls(&mut rest).unwrap();
        server.process_new_packets().unwrap();
    }
}

/// The client's answer to the server's flight, taken by the server.
fn answer(client: &mut ClientConnection, server: &mut ServerConnection) {
    deliver(&client_answer(client), server);
}

fn client_answer(client: &mut ClientConnection) -> Vec<u8> {
    client.process_new_packets().unwrap();
    let mut said = Vec::with_capacity(1024);
    while client.wants_write() {
        client.write_tls(&mut said).unwrap();
    }
    said
}

/// A new connection's first flight. (Samples are small: the store keeps eight tickets.)
#[divan::bench(args = KINDS, sample_count = 200, sample_size = 4)]
fn hello(bencher: Bencher<'_, '_>, kind: &str) {
    let scene = Scene::new(kind);
    bencher.with_inputs(|| scene.prepare()).bench_local_values(|()| scene.hello());
}

/// The server's flight looked at, and answered.
#[divan::bench(args = KINDS, sample_count = 200, sample_size = 4)]
fn answer_to_server(bencher: Bencher<'_, '_>, kind: &str) {
    let scene = Scene::new(kind);
    scene.prepare();
    let (mut client, mut server) = scene.answered();
    answer(&mut client, &mut server);
    let expected = if scene.kind.resumed { HandshakeKind::Resumed } else { HandshakeKind::Full };
    assert_eq!(client.handshake_kind(), Some(expected), "{kind}");
    bencher
        .with_inputs(|| {
            scene.prepare();
            scene.answered()
        })
        .bench_local_refs(|(client, _)| client_answer(client));
}

/// Two tickets of TLS 1.3, read and stored.
#[divan::bench(sample_count = 200, sample_size = 4)]
fn tickets(bencher: Bencher<'_, '_>) {
    let scene = Scene::new("1.3 resumed");
    bencher.with_inputs(|| scene.done()).bench_local_refs(|client| client.process_new_packets().unwrap());
}
