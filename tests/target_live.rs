#![cfg(feature = "live")]
//! The target over real sockets, on loopback only. `curl` drives it where the machine has one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bootstorm::auth::{Algorithm, Credentials};
use bootstorm::phone::Chance;
use bootstorm::target::{
    AccessLog, Accounts, Authority, Documents, Patience, Running, Site, TargetError, start, start_logged,
};
use bootstorm::workload::{EmbeddedTarget, KeyKind, Likeness, Offer, Protects, TargetAuth, TargetTls, TlsVersions};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

fn config(likeness: Likeness, offers: &[Offer], tls: Option<TargetTls>) -> EmbeddedTarget {
    EmbeddedTarget {
        auth: TargetAuth {
            offers: offers.to_vec(),
            realm: "phones".into(),
            protects: Protects::Everything,
            nonce_lifetime: Duration::from_secs(300),
            ..TargetAuth::of(likeness)
        },
        tls,
        prefilled: false,
        accept_loops: 2,
        ..EmbeddedTarget::of(likeness)
    }
}

fn site(config: &EmbeddedTarget) -> Site {
    let mut accounts = Accounts::none();
    accounts.admit(Credentials::new("2001", "s3cret"));
    Site::new(config, accounts, Documents::of(&[], false, Chance::new(1)), Chance::new(1)).unwrap()
}

fn running(config: &EmbeddedTarget) -> Running {
    start(config, Arc::new(site(config)), None).unwrap()
}

fn connect(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(running.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Sends octets, reads until the peer closes.
fn exchange(running: &Running, octets: &[u8]) -> String {
    let mut stream = connect(running);
    stream.write_all(octets).unwrap();
    let mut answer = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(running: &Running, path: &str) -> String {
    exchange(running, format!("GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").as_bytes())
}

fn has_curl() -> bool {
    Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// The status curl ends with. The password is on its command line: it is a test's.
fn curl(running: &Running, ca: Option<&Path>, path: &str, options: &[&str]) -> String {
    let origin = running.origin();
    let scheme = if origin.tls { "https" } else { "http" };
    let mut command = Command::new("curl");
    command.args(["-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20"]);
    if let Some(ca) = ca {
        command.arg("--cacert").arg(ca);
    }
    let output =
        command.args(options).arg(format!("{scheme}://{}:{}{path}", origin.host, origin.port)).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn curl_authenticates_with_basic_md5_and_sha_256() {
    if !has_curl() {
        eprintln!("no curl here: nothing was tested");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let ca = home.path().join("ca.pem");
    let upload = home.path().join("upload.txt");
    std::fs::write(&upload, "LOGACTIVE=1\n".repeat(2000)).unwrap();
    let upload = upload.to_str().unwrap();
    let table = [
        (Likeness::Iis, Offer::Basic, "--basic"),
        (Likeness::Iis, Offer::Digest(Algorithm::Md5Sess), "--digest"),
        (Likeness::Apache, Offer::Digest(Algorithm::Md5), "--digest"),
        (Likeness::Nginx, Offer::Basic, "--anyauth"),
        (Likeness::Lighttpd, Offer::Digest(Algorithm::Sha256), "--digest"),
        (Likeness::Strict, Offer::Digest(Algorithm::Sha256), "--anyauth"),
        (Likeness::Strict, Offer::Digest(Algorithm::Sha256Sess), "--digest"),
        (Likeness::Strict, Offer::Digest(Algorithm::Md5), "--digest"),
    ];
    for (likeness, offer, how) in table {
        for tls in [None, Some(TargetTls::default())] {
            let running = running(&config(likeness, &[offer], tls));
            let ca = running.ca_pem().map(|pem| {
                std::fs::write(&ca, pem).unwrap();
                ca.as_path()
            });
            let ask = |path: &str, options: &[&str]| curl(&running, ca, path, options);
            let (right, wrong) = ([how, "-u", "2001:s3cret"], [how, "-u", "2001:wrong"]);
            assert_eq!(ask("/46xxsettings.txt", &[]), "401", "{likeness:?} {offer:?}");
            assert_eq!(ask("/46xxsettings.txt", &right), "200", "{likeness:?} {offer:?}");
            assert_eq!(ask("/46xxsettings.txt", &wrong), "401", "{likeness:?} {offer:?}");
            let put = |path| ask(path, &[&right[..], &["-T", upload]].concat());
            assert_eq!(put("/2001_96xxdata.txt"), "201", "{likeness:?} {offer:?}");
            assert_eq!(put("/2001_96xxdata.txt"), "204", "{likeness:?} {offer:?}");
            assert_eq!(ask("/2001_96xxdata.txt", &[&right[..], &["-X", "DELETE"]].concat()), "204");
            let stats = running.stop();
            // Basic is sent unasked; Digest needs a challenge for each of the four requests that are let in.
            assert_eq!(stats.requests[&401], if how == "--basic" { 2 } else { 7 }, "{how} {likeness:?} {offer:?}");
            assert_eq!(stats.handshakes_full + stats.handshakes_resumed > 0, ca.is_some());
            assert_eq!((stats.handshakes_failed, stats.malformed, stats.open), (0, 0, 0), "{stats:?}");
        }
    }
}

#[test]
fn a_client_without_the_ca_fails_the_handshake_and_is_counted() {
    if !has_curl() {
        eprintln!("no curl here: nothing was tested");
        return;
    }
    let running = running(&config(Likeness::Strict, &[], Some(TargetTls::default())));
    let url = format!("https://127.0.0.1:{}/", running.address().port());
    let status = Command::new("curl").args(["-s", "--noproxy", "*", "--max-time", "20", &url]).status().unwrap();
    assert_eq!(status.code(), Some(60), "curl's code for a certificate it does not trust");
    let stats = running.stop();
    assert_eq!((stats.total(), stats.connections, stats.handshakes_failed), (0, 1, 1));
}

fn client(ca_pem: &str, versions: &[&'static rustls::SupportedProtocolVersion]) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// One request over TLS; the version and kind of the handshake.
fn handshake(
    running: &Running,
    config: &Arc<rustls::ClientConfig>,
) -> Result<(rustls::ProtocolVersion, rustls::HandshakeKind), std::io::Error> {
    let name = ServerName::try_from("localhost").unwrap();
    let mut session = rustls::ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut socket = connect(running);
    let mut stream = rustls::Stream::new(&mut session, &mut socket);
    stream.write_all(b"GET /46xxsettings.txt HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    Ok((session.protocol_version().unwrap(), session.handshake_kind().unwrap()))
}

#[test]
fn tls_versions_tickets_and_keys_are_as_configured() {
    use rustls::version::{TLS12, TLS13};
    use rustls::{HandshakeKind, ProtocolVersion};
    let table = [
        (TlsVersions::Both, true, KeyKind::EcdsaP256, ProtocolVersion::TLSv1_3),
        (TlsVersions::Only12, true, KeyKind::Rsa2048, ProtocolVersion::TLSv1_2),
        (TlsVersions::Only12, false, KeyKind::EcdsaP256, ProtocolVersion::TLSv1_2),
        (TlsVersions::Only13, false, KeyKind::EcdsaP256, ProtocolVersion::TLSv1_3),
    ];
    for (versions, tickets, key, version) in table {
        let running =
            running(&config(Likeness::Strict, &[], Some(TargetTls { versions, tickets, key, ..TargetTls::default() })));
        let client_config = client(running.ca_pem().unwrap(), &[&TLS12, &TLS13]);
        assert_eq!(handshake(&running, &client_config).unwrap(), (version, HandshakeKind::Full));
        // Whichever loop the second connection falls on: tickets are good in all.
        for _ in 0..4 {
            let (_, kind) = handshake(&running, &client_config).unwrap();
            assert_eq!(kind == HandshakeKind::Resumed, tickets, "{versions:?}");
        }
        let stats = running.stop();
        assert_eq!((stats.handshakes_full, stats.handshakes_resumed), if tickets { (1, 4) } else { (5, 0) });
        assert_eq!(stats.requests[&200], 5);
        assert!(stats.bytes_out > 5 * 4000 && stats.bytes_in > 5 * 100, "{stats:?}");
    }
    let only13 = running(&config(
        Likeness::Strict,
        &[],
        Some(TargetTls { versions: TlsVersions::Only13, ..TargetTls::default() }),
    ));
    assert!(handshake(&only13, &client(only13.ca_pem().unwrap(), &[&TLS12])).is_err());
    assert_eq!(only13.stop().handshakes_failed, 1);
}

#[test]
fn an_authority_kept_in_a_folder_serves_again() {
    let home = tempfile::tempdir().unwrap();
    let config = config(Likeness::Strict, &[], Some(TargetTls::default()));
    let mut pems = Vec::new();
    for _ in 0..2 {
        let authority = Authority::kept_in(home.path(), &TargetTls::default(), config.listen.ip()).unwrap();
        let running = start(&config, Arc::new(site(&config)), Some(&authority)).unwrap();
        let pem = std::fs::read_to_string(home.path().join("ca.pem")).unwrap();
        handshake(&running, &client(&pem, rustls::ALL_VERSIONS)).unwrap();
        pems.push(pem);
    }
    assert_eq!(pems[0], pems[1]);
}

#[test]
fn a_large_body_is_refused_before_it_is_sent_and_the_refusal_is_read() {
    let running = running(&EmbeddedTarget { body_limit: Some(1000), ..config(Likeness::Strict, &[], None) });
    // Announced: refused on the strength of the head.
    let head = "PUT /a HTTP/1.1\r\nHost: t\r\nContent-Length: 8000000000\r\n\r\n";
    let answer = exchange(&running, head.as_bytes());
    assert!(
        answer.starts_with("HTTP/1.1 413") && answer.to_ascii_lowercase().contains("connection: close"),
        "{answer}"
    );
    // Announced and being sent: the answer arrives all the same, not a reset.
    let answer = exchange(&running, &[head.as_bytes(), &[b'x'; 300_000]].concat());
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // Not announced: refused as soon as it is too large.
    let chunk = format!("200\r\n{}\r\n", "x".repeat(0x200));
    let chunked = format!("PUT /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{chunk}");
    assert!(exchange(&running, chunked.as_bytes()).starts_with("HTTP/1.1 413"));
    let fits =
        format!("PUT /a HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n{}", "x".repeat(1000));
    assert!(exchange(&running, fits.as_bytes()).starts_with("HTTP/1.1 201"));
    assert_eq!(running.stop().requests[&413], 3);
}

#[test]
fn expect_100_continue_is_answered() {
    let running = running(&config(Likeness::Strict, &[], None));
    let mut stream = connect(&running);
    stream
        .write_all(
            b"PUT /a HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n",
        )
        .unwrap();
    let mut first = [0; 25];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.starts_with("HTTP/1.1 201"), "{rest}");
}

#[test]
fn rubbish_never_ends_a_loop() {
    let running = running(&EmbeddedTarget { accept_loops: 1, ..config(Likeness::Strict, &[], None) });
    let long = format!("GET /{} HTTP/1.1\r\nHost: t\r\n\r\n", "a".repeat(200_000));
    let rubbish: [&[u8]; 9] = [
        b"\r\n\r\n\r\n\r\nrubbish\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        &[0xff; 5000],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00\x01 HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
        b"PUT /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        long.as_bytes(),
    ];
    for octets in rubbish {
        let mut stream = connect(&running);
        let _ = stream.write_all(octets);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    }
    // And peers that vanish: after nothing, within a head, within a body.
    for octets in [&b""[..], b"GET / HT", b"PUT /a HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc"] {
        connect(&running).write_all(octets).unwrap();
    }
    assert!(exchange(&running, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 400"), "no Host");
    assert!(get(&running, "/46xxsettings.txt").starts_with("HTTP/1.1 200"));
    let stats = running.stop();
    assert!(stats.malformed >= 5, "{stats:?}");
    assert_eq!(stats.open, 0);
    assert!(!stats.requests.contains_key(&201), "half a body is never stored: {stats:?}");
}

#[test]
fn many_connections_are_kept_alive_and_all_answered() {
    let running = running(&config(Likeness::Strict, &[], None));
    let mut streams: Vec<_> = (0..300).map(|_| connect(&running)).collect();
    for round in 0..3 {
        for (n, stream) in streams.iter_mut().enumerate() {
            let request = format!("PUT /{n}.txt HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc");
            stream.write_all(request.as_bytes()).unwrap();
        }
        for stream in &mut streams {
            let mut status = [0; 12];
            stream.read_exact(&mut status).unwrap();
            assert_eq!(&status, if round == 0 { b"HTTP/1.1 201" } else { b"HTTP/1.1 204" });
            let mut tail = [0; 4];
            while &tail != b"\r\n\r\n" {
                tail.rotate_left(1);
                stream.read_exact(&mut tail[3..]).unwrap();
            }
        }
    }
    let stats = running.stats();
    assert_eq!((stats.connections, stats.open), (300, 300));
    assert_eq!((stats.requests[&201], stats.requests[&204]), (300, 600));
    // Idle connections do not hold up the end.
    assert_eq!(running.stop().open, 0);
}

/// One answer of 404 on a connection that is kept.
fn ask_in_vain(stream: &mut TcpStream) {
    stream.write_all(b"GET /nothing HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
    read_in_vain(stream);
}

fn read_in_vain(stream: &mut TcpStream) {
    let (mut status, mut head) = ([0; 12], Vec::new());
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 404");
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet).unwrap();
        head.push(octet[0].to_ascii_lowercase());
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    stream.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
}

#[test]
fn who_comes_when_all_places_are_taken_waits_until_one_is_free() {
    let running = running(&EmbeddedTarget { accept_loops: 1, ..config(Likeness::Strict, &[], None) });
    running.bound(2);
    let (mut one, mut other) = (connect(&running), connect(&running));
    ask_in_vain(&mut one);
    ask_in_vain(&mut other);
    let mut next = connect(&running);
    next.write_all(b"GET /nothing HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
    // The loop turns, and turns again: it does not take the third.
    for _ in 0..50 {
        ask_in_vain(&mut one);
        ask_in_vain(&mut other);
    }
    assert_eq!((running.stats().connections, running.stats().open), (2, 2));
    drop(one);
    read_in_vain(&mut next);
    ask_in_vain(&mut other);
    assert_eq!((running.stats().connections, running.stop().open), (3, 0));
}

#[test]
fn a_connection_ends_after_its_requests_and_when_it_is_idle() {
    let config = config(Likeness::Strict, &[], None);
    let short = Duration::from_millis(50);
    let patience = Patience { header: short, idle: short, body: short, requests: Some(2) };
    let running = start(&config, Arc::new(site(&config).with_patience(patience)), None).unwrap();
    // Two requests at most: the third gets no answer.
    let request = "GET /nothing HTTP/1.1\r\nHost: t\r\n\r\n";
    let answers = exchange(&running, request.repeat(3).as_bytes()).to_ascii_lowercase();
    assert_eq!((answers.matches("http/1.1 404").count(), answers.matches("connection: close").count()), (2, 1));
    // One request, then silence: these reads end because the target closes.
    assert_eq!(exchange(&running, request.as_bytes()).matches("HTTP/1.1 404").count(), 1);
    assert_eq!(exchange(&running, b""), "");
    assert!(!exchange(&running, b"PUT /a HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc").contains("201"));
    assert_eq!(running.stop().open, 0);
}

#[test]
fn the_access_log_has_a_line_for_every_request() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("access.log");
    let config = config(Likeness::Apache, &[Offer::Basic], None);
    let log = AccessLog::open(&file).unwrap();
    let running = start_logged(&config, Arc::new(site(&config)), None, Some(log)).unwrap();
    for _ in 0..10 {
        get(&running, "/46xxsettings.txt");
    }
    let request = "GET /46xxsettings.txt HTTP/1.1\r\nHost: t\r\nAuthorization: Basic MjAwMTpzM2NyZXQ=\r\nConnection: close\r\n\r\n";
    assert!(exchange(&running, request.as_bytes()).starts_with("HTTP/1.1 200"));
    let stats = running.stop();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count() as u64, stats.total());
    assert_eq!(text.matches("\" 401 ").count() as u64, stats.requests[&401]);
    assert_eq!(text.lines().filter(|l| l.starts_with("127.0.0.1 - 2001 [")).count(), 1);
    assert!(!text.contains("MjAwMTpzM2NyZXQ="));
}

#[test]
fn a_taken_port_is_named_even_if_its_holder_shares_it() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let first = running(&config(Likeness::Strict, &[], None));
    for listen in [holder.local_addr().unwrap(), first.address()] {
        let config = EmbeddedTarget { listen, ..config(Likeness::Strict, &[], None) };
        let error = start(&config, Arc::new(site(&config)), None).unwrap_err();
        assert!(matches!(error, TargetError::PortInUse { address } if address == listen), "{error}");
    }
    let elsewhere: SocketAddr = "192.0.2.1:0".parse().unwrap();
    let config = EmbeddedTarget { listen: elsewhere, ..config(Likeness::Strict, &[], None) };
    let error = start(&config, Arc::new(site(&config)), None).unwrap_err();
    assert!(matches!(error, TargetError::CannotBind { .. }), "{error}");
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("none");
    let config = EmbeddedTarget { folder: Some(folder.clone()), ..config(Likeness::Strict, &[], None) };
    let error = Site::for_fleets(&config, &[], Chance::new(1)).unwrap_err();
    assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
}

#[test]
fn targets_in_one_process_are_strangers_and_a_stopped_ones_port_is_free() {
    let one = running(&config(Likeness::Iis, &[Offer::Digest(Algorithm::Md5Sess)], None));
    let two = running(&config(Likeness::Nginx, &[Offer::Basic], None));
    assert!(get(&one, "/").contains("algorithm=MD5-sess"));
    assert!(get(&two, "/").contains("Basic realm"));
    assert_eq!((one.stats().total(), two.stats().total()), (1, 1));
    let address = one.address();
    drop(one);
    let again = EmbeddedTarget { listen: address, ..config(Likeness::Strict, &[], None) };
    assert!(get(&running(&again), "/46xxsettings.txt").starts_with("HTTP/1.1 200"));
}

#[test]
fn it_speaks_ipv6() {
    let config = EmbeddedTarget { listen: "[::1]:0".parse().unwrap(), ..config(Likeness::Strict, &[], None) };
    if TcpListener::bind(config.listen).is_err() {
        eprintln!("no IPv6 loopback here: nothing was tested");
        return;
    }
    assert!(get(&running(&config), "/46xxsettings.txt").starts_with("HTTP/1.1 200"));
}
