#![cfg(feature = "live")]
//! What befalls the target on real sockets: outages, other certificates, other ticket keys, queues, and answers that go
//! wrong below HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use bootstorm::phone::{Chance, Moment};
use bootstorm::target::{Accounts, Documents, Patience, Running, Site, start_waiting};
use bootstorm::workload::{
    Befalls, EmbeddedTarget, Faults, Likeness, Overload, Swap, TargetAuth, TargetEvent, TargetTls, Work,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};

fn config(tls: bool) -> EmbeddedTarget {
    EmbeddedTarget {
        auth: TargetAuth { offers: Vec::new(), ..TargetAuth::of(Likeness::Strict) },
        tls: tls.then(TargetTls::default),
        accept_loops: 2,
        ..EmbeddedTarget::of(Likeness::Strict)
    }
}

fn site(config: &EmbeddedTarget) -> Site {
    Site::new(config, Accounts::none(), Documents::of(&[], true, Chance::new(1)), Chance::new(1)).unwrap()
}

/// A target whose phone time stands at zero.
fn waiting(config: &EmbeddedTarget) -> Running {
    start_waiting(config, Arc::new(site(config)), None, None).unwrap()
}

fn event(seconds: u64, what: Befalls) -> TargetEvent {
    TargetEvent { at: Moment::ZERO + Duration::from_secs(seconds), what }
}

fn connect(running: &Running) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(running.address())?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(stream)
}

const GET: &[u8] = b"GET /46xxsettings.txt HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";

/// One exchange on a connection of its own: the octets that came, and how it ended.
fn get(running: &Running) -> io::Result<(Vec<u8>, io::Result<()>)> {
    let mut stream = connect(running)?;
    stream.write_all(GET)?;
    let mut octets = Vec::new();
    let ended = stream.read_to_end(&mut octets).map(drop);
    Ok((octets, ended))
}

fn status(running: &Running) -> Option<u16> {
    let (octets, _) = get(running).ok()?;
    String::from_utf8_lossy(&octets).split(' ').nth(1)?.parse().ok()
}

/// Asks until it is answered so; the target moves by its own clock.
fn until(running: &Running, wanted: Option<u16>) {
    for _ in 0..200_000 {
        if status(running) == wanted {
            return;
        }
        std::thread::yield_now();
    }
    panic!("never {wanted:?}");
}

/// Nothing befalls it before the run begins. Then it is gone: kept connections break, new ones are refused; and then it
/// is back at the same port, which nobody could take meanwhile.
#[test]
fn an_outage_breaks_and_refuses_connections_and_passes() {
    let mut config = config(false);
    config.events = vec![event(60, Befalls::Down(Duration::from_secs(120)))];
    let running = waiting(&config);
    for _ in 0..20 {
        assert_eq!(status(&running), Some(200), "its time stands still");
    }
    let mut kept = connect(&running).unwrap();
    kept.write_all(b"GET /46xxsettings.txt HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
    let mut first = [0; 12];
    kept.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    // A minute in a tenth of a second.
    running.begin(600.0);
    until(&running, None);
    let refused = connect(&running).and_then(|mut stream| stream.write_all(GET).and_then(|()| stream.read(&mut [0])));
    assert!(
        refused.is_err_and(|e| matches!(e.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset))
    );
    assert!(std::net::TcpListener::bind(running.address()).is_err(), "the port is kept");
    // What is left of the answer may still come; then it is over.
    let mut rest = Vec::new();
    let _ = kept.read_to_end(&mut rest);
    until(&running, Some(200));
    // By both loops.
    for _ in 0..20 {
        assert_eq!(status(&running), Some(200));
    }
}

/// A target stopped while it is down stops.
#[test]
fn an_outage_does_not_keep_it_from_stopping() {
    let mut config = config(false);
    config.events = vec![event(0, Befalls::Down(Duration::from_secs(100_000)))];
    let running = waiting(&config);
    running.begin(1.0);
    until(&running, None);
    assert_eq!(running.stop().open, 0);
}

fn client(ca_pem: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The certificate shown and the kind of handshake, or why there was none.
fn shake(running: &Running, client: &Arc<ClientConfig>) -> Result<(Vec<u8>, HandshakeKind), io::Error> {
    let mut tcp = connect(running)?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut tls = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
    stream.write_all(GET)?;
    // To the end, so that the tickets come too.
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets)?;
    let leaf = tls.peer_certificates().and_then(<[_]>::first).map(|c| c.to_vec()).unwrap_or_default();
    Ok((leaf, tls.handshake_kind().unwrap()))
}

/// Another certificate of the same CA is another certificate and no trouble; one of another CA is trouble.
#[test]
fn certificates_are_swapped_at_their_moments() {
    let mut config = config(true);
    let swap = |seconds, to| event(seconds, Befalls::SwapCertificate(to));
    config.events = vec![swap(60, Swap::Renewed), swap(180, Swap::OtherCa)];
    let running = waiting(&config);
    let client = client(running.ca_pem().unwrap());
    let (first, _) = shake(&running, &client).unwrap();
    assert_eq!(shake(&running, &client).unwrap().1, HandshakeKind::Resumed);
    running.begin(300.0);
    let mut shown = vec![first];
    let error = loop {
        match shake(&running, &client) {
            Ok((leaf, kind)) if shown.last() != Some(&leaf) => {
                assert_eq!(kind, HandshakeKind::Full, "tickets do not outlive the certificate");
                shown.push(leaf);
            }
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(shown.len(), 2, "the first and the renewed one");
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
}

#[test]
fn rotated_ticket_keys_cost_a_full_handshake() {
    let mut config = config(true);
    config.events = vec![event(60, Befalls::RotateTicketKeys)];
    let running = waiting(&config);
    let client = client(running.ca_pem().unwrap());
    let kinds: Vec<_> = (0..5).map(|_| shake(&running, &client).unwrap().1).collect();
    assert_eq!(kinds[0], HandshakeKind::Full);
    assert!(kinds[1..].iter().all(|kind| *kind == HandshakeKind::Resumed), "{kinds:?}");
    running.begin(600.0);
    let full = (0..20_000).map(|_| shake(&running, &client).unwrap().1).position(|kind| kind != HandshakeKind::Resumed);
    assert!(full.is_some(), "the old tickets were taken for ever");
    assert_eq!(shake(&running, &client).unwrap().1, HandshakeKind::Resumed, "the new ones are good");
}

/// Octets of the whole answer, of one that goes wrong, and how it ended.
fn wrong(faults: Faults) -> (usize, usize, io::Result<()>) {
    let whole = get(&waiting(&config(false))).unwrap().0.len();
    let mut config = config(false);
    config.faults = faults;
    let patience = Duration::from_millis(200);
    let patience = Patience { header: patience, idle: patience, body: patience, requests: None };
    let site = site(&config).with_patience(patience);
    let running = start_waiting(&config, Arc::new(site), None, None).unwrap();
    running.begin(1.0);
    let (octets, ended) = get(&running).unwrap();
    (whole, octets.len(), ended)
}

#[test]
fn answers_go_wrong_below_http() {
    let (whole, came, ended) = wrong(Faults { cut: 1.0, ..Faults::default() });
    assert!(came > whole / 3 && came < whole * 2 / 3 && ended.is_ok(), "cut: {came} of {whole}, {ended:?}");
    let (_, came, ended) = wrong(Faults { reset: 1.0, ..Faults::default() });
    assert!(came == 0 && ended.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionReset), "reset: {came}");
    // Half of it, then silence, until the target's own patience ends it.
    let (whole, came, _) = wrong(Faults { stall: 1.0, ..Faults::default() });
    assert!(came > whole / 3 && came < whole * 2 / 3, "stall: {came} of {whole}");
}

/// One worker, two places, six that come together: three are served one after another, three are turned away.
#[test]
fn a_queue_builds_up_and_overflows() {
    for (overload, refusal) in [(Overload::Unavailable, Some(503)), (Overload::Reset, None)] {
        let mut config = config(false);
        let service = Duration::from_secs(3);
        config.work = Work { service: (service, service), workers: Some(1), queue: Some(2), overload };
        let running = waiting(&config);
        // Ten phone seconds a real one.
        running.begin(10.0);
        let statuses: Vec<_> = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..6).map(|_| scope.spawn(|| status(&running))).collect();
            asking.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|s| **s == Some(200)).count(), 3, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|s| **s == refusal).count(), 3, "{statuses:?}");
    }
}
