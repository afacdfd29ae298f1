//! The look at the target before the storm: what is wrong, in words that name the remedy.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/net.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use bootstorm::net::{NetError, Settings, Trust, preflight::probe};
use bootstorm::phone::{Failure, Fault, Origin};
use bootstorm::workload::{SourceRange, TlsSetup, TlsVersions};
use rustls::ServerConfig;
use rustls::version::TLS13;
use support::ca::Authority;
use support::{Peer, Server, run, script, settings};

async fn polite(mut peer: Peer) {
    while peer.serve("").await {}
}

async fn trusting(origin: &Arc<Origin>, trust: Trust) -> Settings {
    let mut settings = settings(&[origin]).await;
    settings.tls.trust = trust;
    settings
}

/// What the probe says of a TLS server with this certificate, when the phones trust `trust`.
fn said_of(config: Arc<ServerConfig>, trust: Trust) -> NetError {
    run(async {
        let server = Server::tls("127.0.0.1", config, polite).await;
        let error = probe(&trusting(&server.origin, trust).await, &server.origin).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("https://127.0.0.1:{}", server.address.port())), "{error}");
        error
    })
}

#[track_caller]
fn assert_says(error: &NetError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

#[test]
fn a_sound_target_passes() {
    run(async {
        let plain = Server::plain(polite).await;
        probe(&trusting(&plain.origin, Trust::default()).await, &plain.origin).await.unwrap();
        let ca = Authority::new("Test CA");
        let server = Server::tls("127.0.0.1", ca.certify(&["127.0.0.1"]).server(), polite).await;
        probe(&trusting(&server.origin, ca.trust()).await, &server.origin).await.unwrap();
        assert_eq!(server.accepted(), 1);
    });
}

#[test]
fn any_http_answer_will_do_on_a_plain_port() {
    for status in
        ["401 Unauthorized", "404 Not Found", "405 Method Not Allowed", "503 Service Unavailable", "400 Bad Request"]
    {
        run(async {
            let server = Server::plain(move |mut peer| async move {
                let head = peer.head().await;
                assert!(
                    head.is_empty() || head.starts_with("HEAD / HTTP/1.1\r\n") || head.starts_with('\u{16}'),
                    "{head}"
                );
                peer.say(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")).await;
            })
            .await;
            let mut settings = trusting(&server.origin, Trust::default()).await;
            settings.timeouts.tls = Duration::from_millis(50);
            probe(&settings, &server.origin).await.unwrap();
        });
    }
}

#[test]
fn nobody_listens() {
    run(async {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let origin = Arc::new(Origin { tls: false, host: "127.0.0.1".to_owned(), port });
        let error = probe(&trusting(&origin, Trust::default()).await, &origin).await.unwrap_err();
        assert!(matches!(error, NetError::Unreachable { failure: Failure::ConnectRefused, .. }), "{error}");
        assert_says(&error, &["nothing listens there", "start the server"]);
        assert_eq!(error.fault(), Fault::Server);
    });
}

#[test]
fn tls_asked_of_a_plain_port() {
    run(async {
        let server = Server::plain(|mut peer| async move {
            peer.body(50).await;
            peer.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            peer.stall().await;
        })
        .await;
        let origin = server.called(true, "127.0.0.1");
        let error = probe(&trusting(&origin, Authority::new("Test CA").trust()).await, &origin).await.unwrap_err();
        assert!(matches!(error, NetError::NotTls { .. }), "{error}");
        assert_says(&error, &["http://", "plaintext"]);
    });
}

#[test]
fn plain_http_asked_of_a_tls_port() {
    run(async {
        let ca = Authority::new("Test CA");
        // rustls answers plaintext with an alert.
        let server = Server::tls("127.0.0.1", ca.certify(&["127.0.0.1"]).server(), polite).await;
        let origin = server.called(false, "127.0.0.1");
        let error = probe(&trusting(&origin, Trust::default()).await, &origin).await.unwrap_err();
        assert!(matches!(error, NetError::SpeaksTls { .. }), "{error}");
        assert_says(&error, &["https://", "target.ca"]);
    });
}

#[test]
fn what_is_no_http_server() {
    for (name, script, failure) in [
        (
            "a banner",
            script(|mut peer| async move {
                peer.say("SSH-2.0-OpenSSH_9.2\r\n").await;
                peer.stall().await
            }),
            Failure::MalformedResponse,
        ),
        ("silence", script(|peer| async move { peer.stall().await }), Failure::TimeoutFirstByte),
        (
            "the end",
            script(|mut peer| async move {
                peer.head().await;
                peer.close().await
            }),
            Failure::Closed,
        ),
    ] {
        run(async {
            let server = Server::plain(script).await;
            let mut settings = trusting(&server.origin, Trust::default()).await;
            settings.timeouts.tls = Duration::from_millis(50);
            if failure == Failure::TimeoutFirstByte {
                settings.timeouts.first_byte = Duration::from_millis(50);
            }
            let error = probe(&settings, &server.origin).await.unwrap_err();
            assert!(matches!(error, NetError::NotHttp { failure: f, .. } if f == failure), "{name}: {error:?}");
        });
    }
}

#[test]
fn a_certificate_of_another_ca() {
    let (ca, other) = (Authority::new("Test CA"), Authority::new("Other CA"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trusted.pem");
    std::fs::write(&file, ca.pem()).unwrap();
    let trust = Trust::from_files(&[&file]).unwrap();
    let error = said_of(other.certify(&["127.0.0.1"]).server(), trust);
    assert!(matches!(error, NetError::UnknownCa { .. }), "{error}");
    assert_says(&error, &[&file.display().to_string(), "target.ca"]);
}

#[test]
fn a_ca_made_anew_under_the_same_name() {
    let (ca, anew) = (Authority::new("Test CA"), Authority::new("Test CA"));
    let error = said_of(anew.certify(&["127.0.0.1"]).server(), ca.trust());
    assert_says(&error, &["another key", "made anew", "target.ca"]);
}

#[test]
fn certificates_for_others_or_out_of_time() {
    let ca = Authority::new("Test CA");
    let host = &["127.0.0.1"];
    let error = said_of(ca.certify(&["files.example", "10.0.0.1"]).server(), ca.trust());
    assert!(matches!(error, NetError::WrongName { .. }), "{error}");
    assert_says(&error, &["for 127.0.0.1", "files.example", "10.0.0.1"]);
    let error = said_of(ca.certify_years(host, 2001, 2002).server(), ca.trust());
    assert!(matches!(error, NetError::Expired { .. }), "{error}");
    assert_says(&error, &["expired, for ", "renew"]);
    let error = said_of(ca.certify_years(host, 4000, 4001).server(), ca.trust());
    assert!(matches!(error, NetError::Expired { .. }), "{error}");
    assert_says(&error, &["not valid yet", "clock"]);
    let error = said_of(ca.certify_client_only(host).server(), ca.trust());
    assert!(matches!(error, NetError::BadCertificate { .. }), "{error}");
}

#[test]
fn versions_that_do_not_meet() {
    run(async {
        let ca = Authority::new("Test CA");
        let config = ca.certify(&["127.0.0.1"]).server_with(&[&TLS13], |_| {});
        let server = Server::tls("127.0.0.1", config, polite).await;
        let mut settings = trusting(&server.origin, ca.trust()).await;
        settings.tls.plan.fleets[0].1.versions = TlsVersions::Only12;
        let error = probe(&settings, &server.origin).await.unwrap_err();
        assert!(matches!(error, NetError::Handshake { failure: Failure::TlsIncompatible, .. }), "{error}");
        assert_says(&error, &["tls.versions"]);
    });
}

/// Every way in which some fleet does TLS is tried; who cannot is told by the number of the first phone.
#[test]
fn each_fleets_tls_is_tried() {
    run(async {
        let ca = Authority::new("Test CA");
        let config = ca.certify(&["127.0.0.1"]).server_with(&[&TLS13], |_| {});
        let server = Server::tls("127.0.0.1", config, polite).await;
        let mut settings = trusting(&server.origin, ca.trust()).await;
        let usual = || TlsSetup { versions: TlsVersions::Only13, ..TlsSetup::default() };
        settings.tls.plan.fleets = vec![(0, usual()), (50, TlsSetup { sni: false, ..usual() }), (70, usual())];
        probe(&settings, &server.origin).await.unwrap();
        assert_eq!(server.accepted(), 2, "two fleets do alike");
        settings.tls.plan.fleets.push((90, TlsSetup { versions: TlsVersions::Only12, ..usual() }));
        let error = probe(&settings, &server.origin).await.unwrap_err();
        assert_says(&error, &["phones from number 90 on", "tls.versions, tls.suites and tls.groups"]);
    });
}

#[test]
fn a_server_that_says_nothing_or_hangs_up() {
    for (stalls, failure, words) in
        [(true, Failure::TlsTimeout, "timeouts.tls"), (false, Failure::TlsClosed, "closed the connection")]
    {
        run(async {
            let server =
                Server::plain(move |peer| async move { if stalls { peer.stall().await } else { peer.close().await } })
                    .await;
            let origin = server.called(true, "127.0.0.1");
            let mut settings = trusting(&origin, Authority::new("Test CA").trust()).await;
            settings.timeouts.tls = Duration::from_millis(50);
            let error = probe(&settings, &origin).await.unwrap_err();
            assert!(matches!(error, NetError::Handshake { failure: f, .. } if f == failure), "{error:?}");
            assert_says(&error, &[words]);
        });
    }
}

#[test]
fn the_probe_comes_from_the_first_phones_address() {
    run(async {
        let server = Server::plain(|mut peer| async move {
            peer.head().await;
            let status = if peer.from.ip().to_string() == "127.0.0.77" { "200 OK" } else { "101 Elsewhere" };
            peer.say(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")).await;
        })
        .await;
        let mut settings = trusting(&server.origin, Trust::default()).await;
        settings.network.sources = vec![SourceRange { first: "127.0.0.77".parse().unwrap(), count: 1 }];
        probe(&settings, &server.origin).await.unwrap();
    });
}
