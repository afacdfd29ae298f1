//! TLS over real loopback sockets: what a handshake cost, how it fails, and who resumes whose session.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/net.rs"]
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bootstorm::metrics::{HandshakeFacts, HandshakeKind};
use bootstorm::net::{Connector, Done, Settings, Trust};
use bootstorm::phone::{BodyFacts, Failure, Origin};
use bootstorm::workload::{Resumption, TlsPlan, TlsSetup, TlsVersions};
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use support::ca::Authority;
use support::{Peer, Script, Server, assert_answered, get, put, run, script, settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn polite(mut peer: Peer) {
    while peer.serve("ok").await {}
}

async fn trusting(origin: &Arc<Origin>, trust: Trust) -> Settings {
    let mut settings = settings(&[origin]).await;
    settings.tls.trust = trust;
    settings
}

async fn ask(settings: &Settings, origin: &Arc<Origin>) -> Done {
    Connector::new(settings).unwrap().exchange(0, None, &get(origin, "/")).await
}

#[test]
fn a_full_handshake_is_measured() {
    run(async {
        let ca = Authority::new("Test CA");
        for (versions, version, suite) in [
            (TlsVersions::Only12, "1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
            (TlsVersions::Only13, "1.3", "TLS_AES_256_GCM_SHA384"),
            (TlsVersions::Both, "1.3", "TLS_AES_256_GCM_SHA384"),
        ] {
            let identity = ca.certify(&["127.0.0.1"]);
            let leaf = identity.chain[0].len() as u32;
            let server = Server::tls("127.0.0.1", identity.server(), polite).await;
            let mut settings = trusting(&server.origin, ca.trust()).await;
            settings.tls.plan.fleets[0].1.versions = versions;
            let done = ask(&settings, &server.origin).await;
            assert_answered(&done, 200);
            let facts = done.facts.handshake.as_ref().unwrap();
            assert_eq!(facts.kind, HandshakeKind::Full);
            assert_eq!((facts.version, facts.suite, facts.group), (Some(version), Some(suite), Some("x25519")));
            assert_eq!((facts.chain_length, facts.chain_bytes), (1, leaf));
            let (flight, verify) = (facts.server_flight.unwrap(), facts.verify.unwrap());
            assert!(!verify.is_zero() && !facts.cpu.is_zero() && !facts.hello.is_zero(), "{facts:?}");
            assert!(facts.hello + flight <= facts.total && verify <= facts.total, "{facts:?}");
            assert!(facts.bytes_in > u64::from(leaf) && facts.bytes_out > 100, "{facts:?}");
            assert!(done.facts.bytes_in > facts.bytes_in && done.facts.bytes_out > facts.bytes_out, "{:?}", done.facts);
            assert_eq!(done.answer.unwrap().body, BodyFacts::of(b"ok"));
        }
    });
}

#[test]
fn a_chain_is_counted_whole() {
    run(async {
        let ca = Authority::new("Test CA");
        let mut identity = ca.certify(&["127.0.0.1"]);
        identity.chain.push(ca.der().clone());
        let bytes: usize = identity.chain.iter().map(|c| c.len()).sum();
        let server = Server::tls("127.0.0.1", identity.server(), polite).await;
        let done = ask(&trusting(&server.origin, ca.trust()).await, &server.origin).await;
        let facts = done.facts.handshake.unwrap();
        assert_eq!((facts.chain_length, facts.chain_bytes as usize), (2, bytes));
    });
}

#[test]
fn a_group_the_server_does_not_take_at_once_costs_a_hello_retry() {
    run(async {
        let ca = Authority::new("Test CA");
        let config = ca
            .certify(&["127.0.0.1"])
            .server_with(&[&TLS13], |provider| provider.kx_groups = vec![kx_group::SECP384R1]);
        let server = Server::tls("127.0.0.1", config, polite).await;
        let done = ask(&trusting(&server.origin, ca.trust()).await, &server.origin).await;
        assert_answered(&done, 200);
        let facts = done.facts.handshake.unwrap();
        assert_eq!((facts.kind, facts.group), (HandshakeKind::HelloRetry, Some("secp384r1")));
    });
}

#[test]
fn phones_offer_no_post_quantum_group() {
    run(async {
        let ca = Authority::new("Test CA");
        // A server that prefers the hybrid group would make every classical client that lists it come again.
        let config = ca.certify(&["127.0.0.1"]).server_with(&[&TLS13], |provider| {
            provider.kx_groups = vec![kx_group::X25519MLKEM768, kx_group::X25519];
        });
        let server = Server::tls("127.0.0.1", config, polite).await;
        let done = ask(&trusting(&server.origin, ca.trust()).await, &server.origin).await;
        let facts = done.facts.handshake.unwrap();
        assert_eq!((facts.kind, facts.group), (HandshakeKind::Full, Some("x25519")));
    });
}

#[test]
fn a_kept_tls_connection_is_used_again_and_replaced_when_dead() {
    run(async {
        let ca = Authority::new("Test CA");
        let server = Server::tls("127.0.0.1", ca.certify(&["127.0.0.1"]).server(), |mut peer| async move {
            peer.serve("one").await;
            peer.serve("two").await;
            if peer.index == 0 {
                peer.head().await;
                return peer.close().await;
            }
            polite(peer).await;
        })
        .await;
        let connector = Connector::new(&trusting(&server.origin, ca.trust()).await).unwrap();
        let first = connector.exchange(0, None, &get(&server.origin, "/")).await;
        assert_answered(&first, 200);
        let second = connector.exchange(0, first.connection, &get(&server.origin, "/")).await;
        assert_answered(&second, 200);
        assert!(second.facts.reused && second.facts.handshake.is_none());
        assert!(second.facts.bytes_out < first.facts.bytes_out, "the handshake was the first one's");
        let third = connector.exchange(0, second.connection, &get(&server.origin, "/")).await;
        assert_answered(&third, 200);
        assert!(third.facts.reconnected && !third.facts.reused && third.facts.handshake.is_some());
        assert_eq!(server.accepted(), 2);
    });
}

#[test]
fn a_big_body_and_an_early_answer_over_tls() {
    run(async {
        let ca = Authority::new("Test CA");
        let server = Server::tls("127.0.0.1", ca.certify(&["127.0.0.1"]).server(), |mut peer| async move {
            peer.head().await;
            if peer.index == 0 {
                assert_eq!(peer.body(1 << 20).await.len(), 1 << 20);
                return peer.say("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await;
            }
            peer.say("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno").await;
            // Closed with most of the body unread: a reset follows the answer.
        })
        .await;
        let connector = Connector::new(&trusting(&server.origin, ca.trust()).await).unwrap();
        let done = connector.exchange(0, None, &put(&server.origin, "/", vec![b'x'; 1 << 20].into())).await;
        assert_answered(&done, 201);
        let early = connector.exchange(0, None, &put(&server.origin, "/", vec![b'x'; 32 << 20].into())).await;
        assert_answered(&early, 401);
        assert!(early.connection.is_none() && early.facts.bytes_out < 32 << 20);
    });
}

#[test]
fn an_answer_cut_short_under_tls_is_closed() {
    run(async {
        let ca = Authority::new("Test CA");
        for reset in [false, true] {
            let server = Server::tls("127.0.0.1", ca.certify(&["127.0.0.1"]).server(), move |mut peer| async move {
                peer.head().await;
                peer.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
                // Dropped without close_notify.
                if reset {
                    peer.reset();
                }
            })
            .await;
            let done = ask(&trusting(&server.origin, ca.trust()).await, &server.origin).await;
            let want = if reset { Failure::Reset } else { Failure::Closed };
            assert_eq!(done.answer.unwrap_err(), want);
            assert_eq!(done.facts.handshake.unwrap().kind, HandshakeKind::Full);
        }
    });
}

/// Passes connections on to `server`, and what it sends in pieces of so many octets, each a segment of its own.
async fn trickling(server: SocketAddr, piece: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        loop {
            let (near, _) = listener.accept().await.unwrap();
            near.set_nodelay(true).unwrap();
            let (mut from_phone, mut to_phone) = near.into_split();
            let (mut from_server, mut to_server) = TcpStream::connect(server).await.unwrap().into_split();
            tokio::task::spawn_local(async move {
                let _ = tokio::io::copy(&mut from_phone, &mut to_server).await;
                let _ = to_server.shutdown().await;
            });
            tokio::task::spawn_local(async move {
                let mut octets = vec![0; piece];
                while let Ok(read @ 1..) = from_server.read(&mut octets).await {
                    if to_phone.write_all(&octets[..read]).await.is_err() {
                        break;
                    }
                    // The phone has its turn.
                    tokio::task::yield_now().await;
                }
                let _ = to_phone.shutdown().await;
            });
        }
    });
    address
}

#[test]
fn records_may_come_in_pieces_of_any_size() {
    run(async {
        let ca = Authority::new("Test CA");
        for (versions, server_versions) in [(TlsVersions::Only12, &TLS12), (TlsVersions::Only13, &TLS13)] {
            let config = ca.certify(&["127.0.0.1"]).server_with(&[server_versions], |_| {});
            let server = Server::tls("127.0.0.1", config, |mut peer| async move {
                let long = "x".repeat(20_000);
                while peer.serve(&long).await {}
            })
            .await;
            for piece in [1, 5, 1_000] {
                let address = trickling(server.address, piece).await;
                let origin = Arc::new(Origin { port: address.port(), ..(*server.origin).clone() });
                let mut settings = trusting(&origin, ca.trust()).await;
                settings.tls.plan.fleets[0].1.versions = versions;
                settings.tls.plan.fleets[0].1.resumption = Resumption::PerPhone;
                let connector = Connector::new(&settings).unwrap();
                let mut kept = None;
                for exchange in 0..3 {
                    let done = connector.exchange(0, kept, &get(&origin, "/")).await;
                    assert_answered(&done, 200);
                    assert_eq!(done.answer.unwrap().body, BodyFacts::of("x".repeat(20_000).as_bytes()));
                    assert_eq!(done.facts.reused, exchange > 0);
                    kept = done.connection;
                }
                kept.as_mut().unwrap().park();
                let last = connector.exchange(0, kept, &get(&origin, "/")).await;
                assert_answered(&last, 200);
                assert!(last.facts.reused);
                drop(last.connection);
                let again = connector.exchange(0, None, &get(&origin, "/")).await;
                assert_eq!(again.facts.handshake.unwrap().kind, HandshakeKind::Resumed, "{piece}");
            }
        }
    });
}

#[derive(Debug)]
struct NoCertificate;

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

fn server_config() -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap()
}

#[test]
fn a_failed_handshake_has_one_name() {
    let ca = Authority::new("Test CA");
    let other = Authority::new("Other CA");
    let impostor = Authority::new("Test CA");
    let host = &["127.0.0.1"];
    let table: Vec<(&str, Arc<ServerConfig>, Failure)> = vec![
        ("another CA", other.certify(host).server(), Failure::TlsUnknownCa),
        ("a CA of the same name, another key", impostor.certify(host).server(), Failure::TlsBadCertificate),
        ("expired", ca.certify_years(host, 2001, 2002).server(), Failure::TlsExpired),
        ("not yet valid", ca.certify_years(host, 4000, 4001).server(), Failure::TlsExpired),
        ("another address", ca.certify(&["127.0.0.2"]).server(), Failure::TlsWrongName),
        ("a name for an address", ca.certify(&["localhost"]).server(), Failure::TlsWrongName),
        ("for clients only", ca.certify_client_only(host).server(), Failure::TlsBadCertificate),
        (
            "refused by an alert",
            Arc::new(server_config().with_no_client_auth().with_cert_resolver(Arc::new(NoCertificate))),
            Failure::TlsAlert,
        ),
        (
            "no group in common",
            ca.certify(host).server_with(&[&TLS13], |p| p.kx_groups = vec![kx_group::X25519MLKEM768]),
            Failure::TlsIncompatible,
        ),
    ];
    for (case, config, failure) in table {
        run(async {
            let server = Server::tls("127.0.0.1", config, polite).await;
            let done = ask(&trusting(&server.origin, ca.trust()).await, &server.origin).await;
            assert_eq!(done.answer.unwrap_err(), failure, "{case}");
            let facts: &HandshakeFacts = done.facts.handshake.as_ref().unwrap();
            assert_eq!((facts.kind, facts.version, facts.suite), (HandshakeKind::Failed, None, None), "{case}");
            assert!(facts.bytes_out > 0 && facts.bytes_in > 0 && facts.server_flight.is_some(), "{case}: {facts:?}");
            assert_eq!((done.facts.bytes_out, done.facts.bytes_in), (facts.bytes_out, facts.bytes_in), "{case}");
            assert!(done.facts.send.is_none() && done.connection.is_none(), "{case}");
        });
    }
}

#[test]
fn versions_that_do_not_meet_are_incompatible() {
    let ca = Authority::new("Test CA");
    for (ours, theirs) in [(TlsVersions::Only12, &TLS13), (TlsVersions::Only13, &TLS12)] {
        run(async {
            let config = ca.certify(&["127.0.0.1"]).server_with(&[theirs], |_| {});
            let server = Server::tls("127.0.0.1", config, polite).await;
            let mut settings = trusting(&server.origin, ca.trust()).await;
            settings.tls.plan.fleets[0].1.versions = ours;
            assert_eq!(ask(&settings, &server.origin).await.answer.unwrap_err(), Failure::TlsIncompatible);
        });
    }
}

#[test]
fn a_server_that_wants_a_client_certificate_refuses_by_alert() {
    let ca = Authority::new("Test CA");
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        run(async {
            let mut roots = RootCertStore::empty();
            roots.add(ca.der().clone()).unwrap();
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let wanting = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
            let identity = ca.certify(&["127.0.0.1"]);
            let config = server_config()
                .with_client_cert_verifier(wanting)
                .with_single_cert(identity.chain, identity.key)
                .unwrap();
            let server = Server::tls("127.0.0.1", Arc::new(config), polite).await;
            let mut settings = trusting(&server.origin, ca.trust()).await;
            settings.tls.plan.fleets[0].1.versions = versions;
            // TLS 1.3 tells a client only after its side of the handshake is through.
            assert_eq!(ask(&settings, &server.origin).await.answer.unwrap_err(), Failure::TlsAlert);
        });
    }
}

#[test]
fn what_is_no_tls_server_has_one_name_too() {
    let table: Vec<(&str, Script, Failure)> = vec![
        (
            "plaintext HTTP",
            script(|mut peer| async move {
                peer.body(50).await;
                peer.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
                peer.stall().await;
            }),
            Failure::TlsNotTls,
        ),
        (
            "three octets of plaintext, then the end",
            script(|mut peer| async move {
                peer.say("220").await;
                let _ = peer.body(50).await;
                peer.close().await;
            }),
            Failure::TlsNotTls,
        ),
        (
            "a record of no known version",
            script(|mut peer| async move {
                peer.say([22, 9, 9, 0, 5, 1, 2, 3, 4, 5]).await;
                peer.stall().await;
            }),
            Failure::TlsNotTls,
        ),
        (
            "an alert of its own accord",
            script(|mut peer| async move {
                peer.say([21, 3, 3, 0, 2, 2, 80]).await;
                peer.stall().await;
            }),
            Failure::TlsAlert,
        ),
        ("closes", script(|peer| async move { peer.close().await }), Failure::TlsClosed),
        (
            "resets upon the hello",
            script(|mut peer| async move {
                peer.body(50).await;
                peer.reset();
            }),
            Failure::TlsClosed,
        ),
        ("stalls", script(|peer| async move { peer.stall().await }), Failure::TlsTimeout),
    ];
    let ca = Authority::new("Test CA");
    for (case, script, failure) in table {
        run(async {
            let server = Server::plain(script).await;
            let origin = server.called(true, "127.0.0.1");
            let mut settings = trusting(&origin, ca.trust()).await;
            if failure == Failure::TlsTimeout {
                settings.timeouts.tls = Duration::from_millis(50);
            }
            let done = ask(&settings, &origin).await;
            assert_eq!(done.answer.unwrap_err(), failure, "{case}");
            assert_eq!(done.facts.handshake.unwrap().kind, HandshakeKind::Failed, "{case}");
        });
    }
}

#[test]
fn the_exchange_may_end_before_the_handshake_does() {
    run(async {
        let server = Server::plain(|peer| async move { peer.stall().await }).await;
        let origin = server.called(true, "127.0.0.1");
        let mut settings = trusting(&origin, Authority::new("Test CA").trust()).await;
        settings.timeouts.exchange = Duration::from_millis(50);
        assert_eq!(ask(&settings, &origin).await.answer.unwrap_err(), Failure::TimeoutExchange);
    });
}

#[test]
fn verification_can_be_switched_off_and_then_takes_anything() {
    run(async {
        let stranger = Authority::new("Other CA").certify_years(&["elsewhere.example"], 2001, 2002);
        let server = Server::tls("127.0.0.1", stranger.server(), polite).await;
        let mut settings = settings(&[&server.origin]).await;
        settings.tls.plan.verify = false;
        let done = ask(&settings, &server.origin).await;
        assert_answered(&done, 200);
        assert_eq!(done.facts.handshake.unwrap().chain_length, 1);
    });
}

#[test]
fn without_a_ca_there_is_no_connector() {
    run(async {
        let server = Server::plain(polite).await;
        let origin = server.called(true, "127.0.0.1");
        let error = Connector::new(&settings(&[&origin]).await).unwrap_err();
        assert!(error.to_string().contains("target.ca"), "{error}");
        assert!(Connector::new(&settings(&[&server.origin]).await).is_ok(), "plain targets need none");
    });
}

#[test]
fn names_are_indicated_and_addresses_are_not() {
    run(async {
        let ca = Authority::new("Test CA");
        for (host, sni, alpn) in [
            ("localhost", Some("localhost"), false),
            ("127.0.0.1", None, false),
            ("localhost", Some("localhost"), true),
        ] {
            let config = ca.certify(&["localhost", "127.0.0.1"]).server();
            let server = Server::tls(host, config, move |mut peer| async move {
                let heard =
                    (peer.sni.as_deref() == sni, peer.alpn.as_deref() == alpn.then_some(b"http/1.1".as_slice()));
                peer.serve(&format!("{heard:?}")).await;
            })
            .await;
            let mut settings = trusting(&server.origin, ca.trust()).await;
            settings.tls.alpn = alpn;
            let done = ask(&settings, &server.origin).await;
            assert_eq!(done.answer.unwrap().body, BodyFacts::of(b"(true, true)"), "{host}, {alpn}");
        }
    });
}

/// Kinds of the handshakes these phones make one after another, each on a connection of its own.
async fn kinds(connector: &Connector, origin: &Arc<Origin>, phones: &[u32]) -> Vec<HandshakeKind> {
    let mut kinds = Vec::new();
    for phone in phones {
        let done = connector.exchange(*phone, None, &get(origin, "/")).await;
        assert_answered(&done, 200);
        kinds.push(done.facts.handshake.unwrap().kind);
    }
    kinds
}

#[test]
fn a_phone_resumes_its_own_session_and_nobody_elses() {
    use HandshakeKind::{Full, Resumed};
    let ca = Authority::new("Test CA");
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        run(async {
            let server = Server::tls("127.0.0.1", ca.certify(&["127.0.0.1"]).server(), polite).await;
            let mut settings = trusting(&server.origin, ca.trust()).await;
            settings.tls.plan.fleets[0].1.versions = versions;
            settings.tls.plan.fleets[0].1.resumption = Resumption::PerPhone;
            let connector = Connector::new(&settings).unwrap();
            let made = kinds(&connector, &server.origin, &[1, 2, 1, 2, 3, 1]).await;
            assert_eq!(made, [Full, Full, Resumed, Resumed, Full, Resumed], "{versions:?}");
            connector.forget(1);
            assert_eq!(kinds(&connector, &server.origin, &[1, 2, 1]).await, [Full, Resumed, Resumed], "{versions:?}");
            assert_eq!(connector.evicted_sessions(), 0);

            // Whole rounds of phones at once: polls of many exchanges are interleaved on this thread.
            for round in 0..3 {
                let phones: Vec<_> = (10..40)
                    .map(|phone| {
                        let (connector, origin) = (connector.clone(), Arc::clone(&server.origin));
                        tokio::task::spawn_local(async move { kinds(&connector, &origin, &[phone]).await[0] })
                    })
                    .collect();
                for phone in phones {
                    assert_eq!(phone.await.unwrap(), if round == 0 { Full } else { Resumed }, "{versions:?}");
                }
            }

            settings.tls.plan.fleets[0].1.resumption = Resumption::Never;
            let connector = Connector::new(&settings).unwrap();
            assert_eq!(kinds(&connector, &server.origin, &[1, 1, 1]).await, [Full, Full, Full], "{versions:?}");
        });
    }
}

#[test]
fn a_resumed_handshake_has_no_chain_to_verify() {
    run(async {
        let ca = Authority::new("Test CA");
        let server = Server::tls("127.0.0.1", ca.certify(&["127.0.0.1"]).server(), polite).await;
        let mut settings = trusting(&server.origin, ca.trust()).await;
        settings.tls.plan.fleets[0].1.resumption = Resumption::PerPhone;
        let connector = Connector::new(&settings).unwrap();
        kinds(&connector, &server.origin, &[1]).await;
        let done = connector.exchange(1, None, &get(&server.origin, "/")).await;
        let facts = done.facts.handshake.unwrap();
        assert_eq!(facts.kind, HandshakeKind::Resumed);
        assert_eq!((facts.chain_length, facts.chain_bytes, facts.verify), (0, 0, None));
        assert_eq!(facts.version, Some("1.3"));
    });
}

/// Without the check of names, all others stay.
#[test]
fn a_name_need_not_fit_but_ca_and_dates_must() {
    run(async {
        let (ca, stranger) = (Authority::new("Test CA"), Authority::new("Another CA"));
        for (identity, name_check, failure) in [
            (ca.certify(&["files.example"]), true, Some(Failure::TlsWrongName)),
            (ca.certify(&["files.example"]), false, None),
            (ca.certify(&["127.0.0.1"]), false, None),
            (stranger.certify(&["127.0.0.1"]), false, Some(Failure::TlsUnknownCa)),
            (ca.certify_years(&["127.0.0.1"], 2001, 2002), false, Some(Failure::TlsExpired)),
            (ca.certify_client_only(&["127.0.0.1"]), false, Some(Failure::TlsBadCertificate)),
        ] {
            let server = Server::tls("127.0.0.1", identity.server(), polite).await;
            let mut settings = trusting(&server.origin, ca.trust()).await;
            settings.tls.plan.fleets[0].1.name_check = name_check;
            let done = ask(&settings, &server.origin).await;
            assert_eq!(done.facts.failure, failure, "{name_check}");
        }
    });
}

/// The name goes into the hello or not; each phone does as its fleet does.
#[test]
fn the_server_is_named_as_told() {
    run(async {
        let ca = Authority::new("Test CA");
        let server = Server::tls("localhost", ca.certify(&["localhost"]).server(), |mut peer| async move {
            let name = peer.sni.clone().unwrap_or_default();
            peer.serve(&name).await;
        })
        .await;
        let mut settings = trusting(&server.origin, ca.trust()).await;
        let mute = TlsSetup { sni: false, ..TlsSetup::default() };
        settings.tls.plan.fleets.push((10, mute));
        let connector = Connector::new(&settings).unwrap();
        for (phone, named) in [(0, "localhost"), (9, "localhost"), (10, ""), (99, "")] {
            let done = connector.exchange(phone, None, &get(&server.origin, "/")).await;
            assert_eq!(done.answer.unwrap().body, BodyFacts::of(named.as_bytes()), "phone {phone}");
        }
    });
}

/// A server that hands out tickets, then one that takes them and gives no more: as many are left as were kept.
#[test]
fn as_many_tickets_are_kept_as_told() {
    use HandshakeKind::{Full, Resumed};
    run(async {
        let ca = Authority::new("Test CA");
        let mut giving = ServerConfig::clone(&ca.certify(&["127.0.0.1"]).server());
        giving.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
        giving.send_tls13_tickets = 4;
        let mut taking = giving.clone();
        taking.send_tls13_tickets = 0;
        let giving = Server::tls("127.0.0.1", Arc::new(giving), polite).await;
        let taking = Server::tls("127.0.0.1", Arc::new(taking), polite).await;
        for (tickets_kept, expected) in
            [(1, [Resumed, Full, Full]), (2, [Resumed, Resumed, Full]), (16, [Resumed, Resumed, Resumed])]
        {
            let mut settings = settings(&[&giving.origin, &taking.origin]).await;
            settings.tls.trust = ca.trust();
            let setup = TlsSetup { tickets_kept, resumption: Resumption::PerPhone, ..TlsSetup::default() };
            settings.tls.plan = TlsPlan::same(setup);
            let connector = Connector::new(&settings).unwrap();
            assert_eq!(kinds(&connector, &giving.origin, &[1]).await, [Full]);
            assert_eq!(kinds(&connector, &taking.origin, &[1, 1, 1]).await, expected, "{tickets_kept}");
        }
    });
}
