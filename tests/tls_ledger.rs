//! The ledger of TLS handshakes against real servers: each kind as often as the server's own log has it.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/net.rs"]
mod net;
mod support;

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bootstorm::metrics::{HandshakeFacts, HandshakeKey};
use bootstorm::net::{Connector, DeviceCa, Trust};
use bootstorm::phone::{Failure, Origin};
use bootstorm::workload::{TlsPlan, TlsSetup, TlsVersions};
use serde_json::Value;
use support::runs;
use support::servers::{Program, Server, Site};

const PHONES: u32 = 40;

/// Phones that boot and then ask for their settings again, each exchange over a connection of its own.
fn workload(server: &Server, tls: &str) -> String {
    let ca = server.ca_pem_path().unwrap();
    format!(
        r#"
seed = 3
run = {{ until = "settled", limit = "2m" }}
target = {{ url = {:?}, ca = {:?} }}
[tls]
{tls}
[[fleet]]
name = "phones"
family = "avaya-96xx"
count = {PHONES}
extension = "{{index+20000}}"
credentials = {{ user = "{{ext}}", password = "pw", realm = "Phones" }}
settings = {{ registration-delay = "0s" }}
[[phase]]
does = "power-up"
arrival = {{ constant = "100/s" }}
[[phase]]
name = "again"
at = "1s"
does = "resync"
arrival = {{ constant = "100/s" }}
"#,
        server.url(),
        ca.display().to_string(),
    )
}

/// nginx with these directives: it logs a line for each connection, for it keeps none.
fn nginx(versions: TlsVersions, home: &Path, directives: &str) -> (Server, PathBuf) {
    std::fs::set_permissions(home, Permissions::from_mode(0o777)).unwrap();
    let log = home.join("handshakes.log");
    let directives = format!("keepalive_timeout 0;\naccess_log {} handshakes;\n{directives}\n", log.display());
    let accounts = (0..PHONES).map(|n| ((20_000 + n).to_string(), "pw".to_owned()));
    let site = Site::new("Phones", accounts)
        .file("46xxsettings.txt", b"# END\n")
        .file("96x1Hupgrade.txt", b"GET 46xxsettings.txt\n")
        .directives(&directives);
    (Server::start(Program::Nginx, Some(versions), &site), log)
}

/// One handshake as nginx logged it, in the ledger's words.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Logged {
    reused: bool,
    version: &'static str,
    suite: String,
    group: String,
    verified: bool,
}

fn logged(path: &Path) -> Vec<Logged> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| {
        let [reused, protocol, cipher, curve, verified] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("a line of another form: {line:?}");
        };
        let (version, suite) = match protocol {
            "TLSv1.3" => ("1.3", cipher.to_owned()),
            "TLSv1.2" => ("1.2", format!("TLS_{}", cipher.replace('-', "_").replace("ECDSA_AES", "ECDSA_WITH_AES"))),
            other => panic!("{other}"),
        };
        let suite =
            if version == "1.2" { suite.replace("AES256", "AES_256").replace("AES128", "AES_128") } else { suite };
        let group = match curve {
            "prime256v1" => "secp256r1".to_owned(),
            other => other.to_lowercase(),
        };
        Logged { reused: reused == "r", version, suite, group, verified: verified == "SUCCESS" }
    });
    lines.collect()
}

fn counted<T: Ord>(of: impl IntoIterator<Item = T>) -> BTreeMap<T, u64> {
    of.into_iter().fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name).or_default() += 1;
        counts
    })
}

fn named(value: &Value) -> BTreeMap<String, u64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn n(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

/// Runs the phones against nginx and compares: the lines `first` and `again` of the ledger are all there are, and hold
/// what nginx logged as new and as reused sessions.
fn agrees(
    versions: TlsVersions,
    directives: &str,
    tls: &str,
    first: &str,
    again: Option<&str>,
) -> (Value, Vec<Logged>) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("device-ca");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    DeviceCa::kept_in(&folder).unwrap();
    let folder = folder.display().to_string();
    let (server, log) = nginx(versions, home.path(), &directives.replace("DEVICES", &folder));
    let summary = runs::summary(home.path(), &workload(&server, &tls.replace("DEVICES", &folder)));
    server.stop_with_its_log_whole();
    let log = logged(&log);
    let (t, e) = (&summary["tls"], &summary["exchanges"]);
    assert!(n(&e["total"]) >= u64::from(4 * PHONES) && n(&e["failed"]) == 0, "{e}");
    assert_eq!(n(&e["total"]), log.len() as u64, "a connection for each exchange");
    assert_eq!(n(&e["connections"]["opened"]), log.len() as u64);

    let lines: Vec<&str> = t["ledger"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected: Vec<_> = [first].into_iter().chain(again).collect();
    expected.sort_unstable();
    assert_eq!(lines, expected, "{}", t["ledger"]);
    let of = |reused: bool| log.iter().filter(move |line| line.reused == reused);
    for (name, reused) in [(Some(first), false), (again, true)] {
        let Some(line) = name.map(|name| &t["ledger"][name]) else { continue };
        assert_eq!(n(&line["count"]), of(reused).count() as u64, "{name:?}");
        assert_eq!(named(&line["versions"]), counted(of(reused).map(|line| line.version.to_owned())), "{name:?}");
        assert_eq!(named(&line["suites"]), counted(of(reused).map(|line| line.suite.clone())), "{name:?}");
        for samples in [&line["handshake_ms"], &line["client_cpu_us"], &line["phases_ms"]["finish"]] {
            assert_eq!(samples["samples"], line["count"], "{name:?}");
        }
    }
    let line = &t["ledger"][first];
    assert_eq!(named(&line["groups"]), counted(of(false).map(|line| line.group.clone())));
    // The key is on P-256. In TLS 1.3 that settles the hash too; in TLS 1.2 OpenSSL takes the phones' favourite.
    let signature = if versions == TlsVersions::Only12 { "ecdsa_sha384" } else { "ecdsa_secp256r1_sha256" };
    assert_eq!(named(&line["signatures"]), [(signature.to_owned(), n(&line["count"]))].into());
    assert_eq!(named(&line["chain_lengths"]), [("1".to_owned(), n(&line["count"]))].into());
    // The four kinds of the contract add up to the lines.
    let kinds = ["full", "resumed", "hello_retry", "failed"].map(|kind| n(&t["handshakes"][kind]));
    assert_eq!(kinds.iter().sum::<u64>(), log.len() as u64);
    (summary.clone(), log)
}

const NEVER: &str = "resumption = \"never\"";
const PER_PHONE: &str = "resumption = \"per-phone\"";

#[test]
fn full_handshakes_are_those_the_server_counts() {
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let (summary, _) = agrees(versions, "", NEVER, "full", None);
        let line = &summary["tls"]["ledger"]["full"];
        // TLS 1.2: hello, key exchange, change of cipher, finished; all the server's messages before its own last two may
        // share records. TLS 1.3: hello, change of cipher, finished, and the server's flight in one piece or several.
        let (least, most) = if versions == TlsVersions::Only12 { (4.0, 4.0) } else { (3.0, 3.0) };
        let sent = line["records_out_each"].as_f64().unwrap();
        assert!((least..=most).contains(&sent), "{line}");
        assert!(line["records_in_each"].as_f64().unwrap() >= 3.0, "{line}");
    }
}

#[test]
fn tickets_of_both_versions_are_told_from_session_ids() {
    let tickets = "ssl_session_cache none; ssl_session_tickets on;";
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let (_, log) = agrees(versions, tickets, PER_PHONE, "full", Some("resumed-ticket"));
        assert!(log.iter().filter(|line| line.reused).count() >= 3 * PHONES as usize);
    }
    let sessions = "ssl_session_tickets off; ssl_session_cache shared:ledger:2m;";
    let (summary, log) = agrees(TlsVersions::Only12, sessions, PER_PHONE, "full", Some("resumed-session"));
    assert!(log.iter().filter(|line| line.reused).count() >= 3 * PHONES as usize);
    assert_eq!(summary["tls"]["ledger"]["resumed-session"]["kind"], "resumed");
    // In TLS 1.3 even a session the server keeps goes by a ticket.
    agrees(TlsVersions::Only13, sessions, PER_PHONE, "full", Some("resumed-ticket"));
}

#[test]
fn a_group_the_phones_did_not_offer_at_once_is_a_hello_retry() {
    let (summary, log) = agrees(TlsVersions::Only13, "ssl_ecdh_curve secp384r1;", NEVER, "hello-retry", None);
    assert!(log.iter().all(|line| line.group == "secp384r1"));
    let line = &summary["tls"]["ledger"]["hello-retry"];
    assert_eq!((&line["retried"], &summary["tls"]["handshakes"]["hello_retry"]), (&line["count"], &line["count"]));
}

#[test]
fn client_certificates_have_lines_of_their_own() {
    let demanding = "ssl_client_certificate DEVICES/device-ca.pem; ssl_verify_client on;";
    let certified = "device-certificates = { derived-by = \"DEVICES\" }";
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let name = "full-client-certificate";
        let tls = format!("{NEVER}\n{certified}");
        let (summary, log) = agrees(versions, demanding, &tls, name, None);
        assert!(log.iter().all(|line| line.verified));
        assert_eq!(summary["tls"]["ledger"][name]["client_certificate"], true);
        // Who resumes shows nothing again, and is known all the same.
        let tls = format!("{PER_PHONE}\n{certified}");
        let (_, log) = agrees(versions, demanding, &tls, name, Some("resumed-ticket"));
        assert!(log.iter().all(|line| line.verified));
    }
    // Asked, without one: nothing is presented.
    agrees(TlsVersions::Only13, "ssl_verify_client optional_no_ca;", NEVER, "full", None);
}

/// One exchange of these versions that fails, and what is told of its handshake.
fn failed(server: &Server, versions: TlsVersions, trust: Trust) -> (Failure, HandshakeFacts) {
    net::run(async {
        let origin = Arc::new(Origin { tls: true, host: "127.0.0.1".into(), port: server.port() });
        let mut settings = net::settings(&[&origin]).await;
        settings.tls.trust = trust;
        settings.tls.plan = TlsPlan::same(TlsSetup { versions, ..TlsSetup::default() });
        let done = Connector::new(&settings).unwrap().exchange(0, None, &net::get(&origin, "/46xxsettings.txt")).await;
        (done.answer.unwrap_err(), *done.facts.handshake.unwrap())
    })
}

fn trust(server: &Server) -> Trust {
    Trust::from_files(&[server.ca_pem_path().unwrap()]).unwrap()
}

/// The server's error log below its own folder, once it has stopped.
fn errors(home: &Path) -> String {
    std::fs::read_to_string(home.join("errors.log")).unwrap()
}

#[test]
fn failures_are_filed_under_the_alert_both_sides_know() {
    let home = tempfile::tempdir().unwrap();
    let told = format!("error_log {}/errors.log info;", home.path().display());
    let (server, _) = nginx(TlsVersions::Only13, home.path(), &told);
    let (failure, facts) = failed(&server, TlsVersions::Only12, trust(&server));
    assert_eq!((failure, facts.alert_received, facts.alert_sent), (Failure::TlsIncompatible, Some(70), None));
    assert_eq!(HandshakeKey::of(&facts).name(), "failed-alert-protocol-version");
    // Another CA: it is we who refuse, and the server reads why.
    let other = net::ca::Authority::new("Other CA");
    let (failure, facts) = failed(&server, TlsVersions::Only13, other.trust());
    assert_eq!((failure, facts.alert_received, facts.alert_sent), (Failure::TlsUnknownCa, None, Some(48)));
    assert_eq!(HandshakeKey::of(&facts).name(), "failed-tls-unknown-ca");
    assert!(facts.chain_length == 1 && facts.signature.is_none(), "{facts:?}");
    server.stop_with_its_log_whole();
    let errors = errors(home.path());
    assert!(errors.contains("unsupported protocol"), "{errors}");
    assert!(errors.contains("alert unknown ca") && errors.contains("SSL alert number 48"), "{errors}");
}

/// In TLS 1.3 the client is through before the server misses its certificate: it is a failed handshake all the same.
#[test]
fn a_certificate_demanded_and_absent_is_an_alert_of_the_server() {
    for (versions, alert, name) in [
        (TlsVersions::Only12, 40, "failed-alert-handshake-failure"),
        (TlsVersions::Only13, 116, "failed-alert-certificate-required"),
    ] {
        let home = tempfile::tempdir().unwrap();
        std::fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
        DeviceCa::kept_in(home.path()).unwrap();
        let home = home.path();
        let directives = format!(
            "SSLCACertificateFile {0}/device-ca.pem\nSSLVerifyClient require\nErrorLog {0}/errors.log\nLogLevel ssl:info\n",
            home.display()
        );
        let site = Site::new("Phones", []).file("46xxsettings.txt", b"# END\n").directives(&directives);
        let server = Server::start(Program::Apache, Some(versions), &site);
        let (failure, facts) = failed(&server, versions, trust(&server));
        assert_eq!((failure, facts.alert_received), (Failure::TlsAlert, Some(alert)), "{facts:?}");
        assert_eq!((HandshakeKey::of(&facts).name().as_str(), facts.client_certificate), (name, false));
        server.stop_with_its_log_whole();
        let errors = errors(home);
        assert!(errors.contains("peer did not return a certificate"), "{errors}");
    }
}
