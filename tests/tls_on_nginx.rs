//! Fleets with TLS of different kinds on a real nginx with the target's certificates: what ours counted is what it logged.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use bootstorm::target::Authority;
use bootstorm::workload::{KeyKind, TargetTls, TlsVersions};
use serde_json::Value;
use support::runs;
use support::servers::{Program, Server, Site};

/// Phones of each fleet, and how often each backs up, on a connection of its own each time.
const PHONES: u64 = 10;
const ROUNDS: u64 = 3;

/// What nginx saw of a connection's handshake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shaken {
    version: String,
    suite: String,
    group: String,
    resumed: bool,
    name: Option<String>,
}

/// A fleet's TLS as told, and what of it nginx must see on each of its connections.
struct Case {
    tls: &'static str,
    version: &'static str,
    suite: &'static str,
    group: &'static str,
    /// Resumed connections of each phone.
    resumed: u64,
    named: bool,
    /// Whether each full handshake takes a second hello.
    retried: bool,
}

const FULL: Case = Case {
    tls: "",
    version: "TLSv1.3",
    suite: "TLS_AES_256_GCM_SHA384",
    group: "X25519",
    resumed: 0,
    named: true,
    retried: false,
};

/// nginx with such certificates, whatever else it is told.
fn nginx(home: &Path, tls: &TargetTls, directives: &str) -> Server {
    let folder = home.join("certificates");
    Authority::kept_in(&folder, tls, "127.0.0.1".parse().unwrap()).unwrap();
    let directives = format!("access_log {{{{run}}}}/handshakes.log settled;\n{directives}\n");
    // Nobody is asked for credentials: one exchange is one connection.
    let site = Site::new("Phones", [])
        .directives(&format!("{directives}location /open/ {{ dav_methods PUT; create_full_put_path on; }}\n"))
        .certificates(&folder);
    Server::start(Program::Nginx, Some(TlsVersions::Both), &site)
}

/// All fleets at once; the summary.
fn run(home: &Path, server: &Server, cases: &[Case]) -> Value {
    let ca = server.ca_pem_path().unwrap().display().to_string();
    let mut text = format!(
        "seed = 3\nrun = {{ until = \"settled\", limit = \"5m\" }}\ntarget = {{ url = \"https://localhost:{}\", ca = \
         {ca:?} }}\n[tls]\nconnections = \"per-exchange\"\n",
        server.port()
    );
    for (n, case) in cases.iter().enumerate() {
        text += &format!(
            "[[fleet]]\nname = \"fleet-{n}\"\nfamily = \"avaya-96xx\"\ncount = {PHONES}\nstarts-on = true\nextension = \
             \"{{number+{}}}\"\ncredentials = {{ realm = \"Phones\" }}\nsettings = {{ bruri = \"/open\" }}\n[fleet.tls]\n{}\n",
            1_000 * (n + 1),
            case.tls
        );
    }
    for round in 0..ROUNDS {
        text += &format!(
            "[[phase]]\nname = \"round-{round}\"\ndoes = \"backup\"\nat = \"{round}s\"\narrival = \"at-once\"\n"
        );
    }
    runs::summary(home, &text)
}

/// For each fleet, its connections; none is counted twice.
fn logged(log: &str) -> BTreeMap<usize, Vec<Shaken>> {
    let (mut fleets, mut connections) = (BTreeMap::<usize, Vec<Shaken>>::new(), BTreeSet::new());
    for line in log.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [uri, connection, version, suite, group, reused, name] = fields[..] else { panic!("{line}") };
        let extension = uri.strip_prefix("/open/").and_then(|file| file.strip_suffix("_96xxdata.txt"));
        let extension: usize = extension.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        assert!(connections.insert(connection.to_owned()), "a connection served twice: {line}");
        fleets.entry(extension / 1_000 - 1).or_default().push(Shaken {
            version: version.to_owned(),
            suite: suite.to_owned(),
            group: group.to_owned(),
            resumed: reused == "r",
            name: (name != "-").then(|| name.to_owned()),
        });
    }
    fleets
}

/// Plays the cases and holds what nginx logged against what each was told, and against the summary.
fn each_does_as_told(server: Server, home: &Path, cases: &[Case]) {
    let summary = run(home, &server, cases);
    let log = server.stop_and_read("handshakes.log");
    let fleets = logged(&log);
    assert_eq!(fleets.len(), cases.len());
    for (case, seen) in cases.iter().zip(fleets.values()) {
        let about = case.tls;
        assert_eq!(seen.len() as u64, PHONES * ROUNDS, "{about}");
        assert_eq!(seen.iter().filter(|s| s.resumed).count() as u64, PHONES * case.resumed, "{about}");
        for shaken in seen {
            assert_eq!((shaken.version.as_str(), shaken.suite.as_str()), (case.version, case.suite), "{about}");
            assert_eq!(shaken.name.as_deref(), case.named.then_some("localhost"), "{about}");
            // A session of TLS 1.2 is resumed without any.
            if !(shaken.resumed && case.version == "TLSv1.2") {
                assert_eq!(shaken.group, case.group, "{about}");
            }
        }
    }
    let tls = &summary["tls"];
    let (mut resumed, mut retried) = (0, 0);
    let mut versions = BTreeMap::<&str, u64>::new();
    for case in cases {
        resumed += PHONES * case.resumed;
        retried += if case.retried { PHONES * (ROUNDS - case.resumed) } else { 0 };
        *versions.entry(case.version.trim_start_matches("TLSv")).or_default() += PHONES * ROUNDS;
    }
    let all = cases.len() as u64 * PHONES * ROUNDS;
    let handshakes = &tls["handshakes"];
    let counted = ["full", "resumed", "hello_retry", "failed"].map(|kind| handshakes[kind].as_u64().unwrap());
    assert_eq!(counted, [all - resumed - retried, resumed, retried, 0], "{tls}");
    assert_eq!(tls["versions"], serde_json::to_value(versions).unwrap());
    let sum =
        |log: &BTreeMap<usize, Vec<Shaken>>, resumed| log.values().flatten().filter(|s| s.resumed == resumed).count();
    assert_eq!(sum(&fleets, true) as u64, handshakes["resumed"].as_u64().unwrap());
    assert_eq!(summary["exchanges"]["status"]["204"].as_u64().unwrap_or(0), all - PHONES * cases.len() as u64);
}

#[test]
fn versions_suites_groups_names_and_tickets_are_as_told() {
    let home = tempfile::tempdir().unwrap();
    let tls = TargetTls { chain_depth: 3, ..TargetTls::default() };
    let server = nginx(home.path(), &tls, "ssl_session_timeout 1h;");
    let cases = [
        FULL,
        Case { tls: "sni = false", named: false, ..FULL },
        Case { tls: "groups = [\"secp384r1\"]", group: "secp384r1", ..FULL },
        // nginx's OpenSSL knows no hybrid group: it takes the classical half that was offered along with it …
        Case { tls: "groups = [\"x25519mlkem768\", \"x25519\"]", ..FULL },
        // … or asks for another.
        Case { tls: "groups = [\"x25519mlkem768\", \"secp256r1\"]", group: "prime256v1", retried: true, ..FULL },
        Case {
            tls: "suites = [\"TLS_CHACHA20_POLY1305_SHA256\"]\nversions = \"1.3\"",
            suite: "TLS_CHACHA20_POLY1305_SHA256",
            ..FULL
        },
        Case { tls: "resumption = \"per-phone\"", resumed: 2, ..FULL },
        Case { tls: "versions = \"1.2\"", version: "TLSv1.2", suite: "ECDHE-ECDSA-AES256-GCM-SHA384", ..FULL },
        Case {
            tls: "versions = \"1.2\"\nresumption = \"per-phone\"\ngroups = [\"secp256r1\"]\n\
                  suites = [\"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\"]",
            version: "TLSv1.2",
            suite: "ECDHE-ECDSA-AES128-GCM-SHA256",
            group: "prime256v1",
            resumed: 2,
            ..FULL
        },
    ];
    each_does_as_told(server, home.path(), &cases);
}

/// Without tickets, nginx's own table of sessions resumes those of TLS 1.2 by their id; RSA, and a chain of two.
#[test]
fn sessions_are_resumed_by_id() {
    let home = tempfile::tempdir().unwrap();
    let tls = TargetTls { chain_depth: 2, key: KeyKind::Rsa2048, ..TargetTls::default() };
    let directives = "ssl_session_tickets off;\nssl_session_cache shared:phones:1m;\nssl_session_timeout 1h;";
    let server = nginx(home.path(), &tls, directives);
    let rsa = Case { version: "TLSv1.2", suite: "ECDHE-RSA-AES256-GCM-SHA384", ..FULL };
    let cases = [
        Case { tls: "versions = \"1.2\"\nresumption = \"per-phone\"", resumed: 2, ..rsa },
        Case { tls: "versions = \"1.2\"", ..rsa },
    ];
    each_does_as_told(server, home.path(), &cases);
}

/// The chain file is in nginx's form, and nginx staples the response that lies beside it.
#[test]
fn nginx_shows_the_chain_and_staples_the_response() {
    for (key, chain_depth) in [(KeyKind::EcdsaP256, 1), (KeyKind::EcdsaP384, 3), (KeyKind::Rsa3072, 2)] {
        let home = tempfile::tempdir().unwrap();
        let tls = TargetTls { chain_depth, key, ..TargetTls::default() };
        let server = nginx(home.path(), &tls, "ssl_stapling on;\nssl_stapling_file {{run}}/ocsp.der;");
        let address = ([127, 0, 0, 1], server.port()).into();
        for version in ["-tls1_2", "-tls1_3"] {
            let said = support::openssl::look(address, &server.ca_pem_path().unwrap(), &[version]);
            assert!(said.contains("Verify return code: 0 (ok)"), "{key:?} {version}: {said}");
            assert_eq!(said.matches("BEGIN CERTIFICATE").count(), chain_depth as usize, "{key:?} {version}");
            assert!(said.contains("OCSP Response Status: successful (0x0)"), "{key:?} {version}: {said}");
            assert!(said.contains("Cert Status: good"), "{key:?} {version}: {said}");
        }
        // OpenSSL judges the response itself, too: by the CA that issued the certificate.
        let folder = home.path().join("certificates");
        let chain = std::fs::read_to_string(folder.join("cert.pem")).unwrap()
            + &std::fs::read_to_string(folder.join("ca.pem")).unwrap();
        let issuer = chain.split_inclusive("-----END CERTIFICATE-----\n").nth(1).unwrap();
        std::fs::write(folder.join("issuer.pem"), issuer).unwrap();
        let out = Command::new("openssl")
            .current_dir(&folder)
            .args(["ocsp", "-no_nonce", "-respin", "ocsp.der", "-issuer", "issuer.pem", "-cert", "cert.pem"])
            .args(["-CAfile", "ca.pem", "-verify_other", "issuer.pem"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        assert!(said.contains("Response verify OK") && said.contains("cert.pem: good"), "{key:?}: {said}");
    }
}
