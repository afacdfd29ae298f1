//! The shipped matrix of TLS setups on real nginx servers that show the target's certificates, one server for each: what
//! our runs counted is what nginx logged, run by run.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use bootstorm::target::Authority;
use bootstorm::workload::{KeyKind, TargetTls, TlsVersions};
use cli::Home;
use serde_json::Value;
use support::servers::{Program, Server, Site};

/// Each fetches its file twice, over a connection of its own each time: before the storm, and in it.
const PHONES: usize = 20;

/// nginx with such a certificate, and a file for every phone.
fn nginx(certificates: &Path, key: KeyKind) -> Server {
    let tls = TargetTls { key, ..TargetTls::default() };
    Authority::kept_in(certificates, &tls, "127.0.0.1".parse().unwrap()).unwrap();
    let directives = "access_log {{run}}/setups.log kinds;\nssl_verify_client optional_no_ca;\n\
                      location ~ \\.xml$ { return 200 \"<flat-profile></flat-profile>\"; }\n";
    let site = Site::new("Phones", []).directives(directives).certificates(certificates);
    Server::start(Program::Nginx, Some(TlsVersions::Both), &site)
}

/// What a connection's handshake was, in our words.
#[derive(Debug)]
struct Logged {
    version: String,
    suite: String,
    group: String,
    resumed: bool,
    certificate: bool,
}

impl Logged {
    fn read(line: &str) -> Logged {
        let [reused, protocol, cipher, curve, verified] = line.splitn(5, ' ').collect::<Vec<_>>()[..] else {
            panic!("a line of another form: {line:?}");
        };
        // OpenSSL has names of its own for the suites of TLS 1.2: ECDHE-RSA-AES256-GCM-SHA384.
        let suite = match protocol {
            "TLSv1.3" => cipher.to_owned(),
            _ => {
                let words = cipher.replace("AES", "WITH_AES_").replace("CHACHA20", "WITH_CHACHA20");
                format!("TLS_{}", words.replace('-', "_"))
            }
        };
        Logged {
            version: protocol.strip_prefix("TLSv").unwrap().to_owned(),
            suite,
            group: if curve == "prime256v1" { "secp256r1".to_owned() } else { curve.to_lowercase() },
            resumed: reused == "r",
            certificate: verified != "NONE",
        }
    }

    /// A session of TLS 1.2 is resumed without a key exchange.
    fn has_group(&self) -> bool {
        !(self.resumed && self.version == "1.2")
    }
}

fn counted(of: impl IntoIterator<Item = String>) -> BTreeMap<String, u64> {
    of.into_iter().fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name).or_default() += 1;
        counts
    })
}

fn named(counts: &Value) -> BTreeMap<String, u64> {
    let counts: BTreeMap<String, u64> = serde_json::from_value(counts.clone()).unwrap();
    counts.into_iter().map(|(name, n)| (name.to_lowercase(), n)).collect()
}

#[test]
fn each_setup_does_on_nginx_what_nginx_says_it_does() {
    let home = Home::new();
    let keys = [("ECDSA-P-256", KeyKind::EcdsaP256), ("RSA-2048", KeyKind::Rsa2048)];
    let servers = keys.map(|(name, key)| (name, nginx(&home.path(name), key)));
    // Each has a CA of its own, and the phones trust both.
    let cas = servers.each_ref().map(|(_, server)| std::fs::read_to_string(server.ca_pem_path().unwrap()).unwrap());
    home.write("ca.pem", &cas.concat());
    let values = servers.each_ref().map(|(name, server)| {
        format!("{{ name = \"{name}\", \"target.url\" = \"https://127.0.0.1:{}\" }}", server.port())
    });

    // As the head of the shipped file says; OpenSSL 3.0 knows no post-quantum group, so another takes its place.
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/workloads/tls-setups.toml");
    let sets = [
        format!("target.ca={}", home.path("ca.pem").display()),
        format!("matrix.axis.certificate.values=[{}]", values.join(", ")),
        "matrix.axis.group.values=[{ name = \"X25519\", \"tls.groups\" = [\"x25519\"] }, \
         { name = \"P-256\", \"tls.groups\" = [\"secp256r1\"] }]"
            .to_owned(),
        "matrix.leave-out=[{ version = \"1.2\", group = \"X25519\" }, \
         { version = \"1.3\", storm = \"full\", group = \"P-256\", client-certificate = \"without\" }, \
         { version = \"1.3\", storm = \"resumed\", group = \"P-256\" }, \
         { version = \"1.3\", storm = \"full\", group = \"X25519\", client-certificate = \"with\" }]"
            .to_owned(),
        "matrix.rest=0s".to_owned(),
        "phase.1.at=500ms".to_owned(),
    ];
    let phones = PHONES.to_string();
    let mut line = vec!["run", shipped, "--phones", &phones, "--accept-invalid", "--out", "out", "--json"];
    sets.iter().for_each(|set| line.extend(["--set", set]));
    let ended = home.run(&line);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let side = ended.json();

    let logs = servers.map(|(name, server)| (name, server.stop_and_read("setups.log")));
    let mut logs: BTreeMap<&str, _> = logs.iter().map(|(name, log)| (*name, log.lines().map(Logged::read))).collect();
    let played = home.json("out/matrix.json");
    let runs = played["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 16, "{played}");
    let mut resumed_in_all = 0;
    for run in runs {
        // Runs do not overlap: each server's log has them one after another, in the order in which they were played.
        let variant = run["variant"].as_str().unwrap();
        let log = logs.get_mut(variant.split('_').next().unwrap()).unwrap();
        let lines: Vec<Logged> = log.take(2 * PHONES).collect();
        assert_eq!(lines.len(), 2 * PHONES, "{variant}");
        let summary = home.json(&format!("out/{variant}/run-1/summary.json"));
        let tls = &summary["tls"];
        let of = |kind: &str| tls["handshakes"][kind].as_u64().unwrap() as usize;

        let resumed = lines.iter().filter(|line| line.resumed).count();
        assert_eq!(
            [of("full"), of("resumed"), of("hello_retry"), of("failed")],
            [2 * PHONES - resumed, resumed, 0, 0],
            "{variant}"
        );
        assert_eq!(resumed, if variant.contains("_resumed_") { PHONES } else { 0 }, "{variant}");
        resumed_in_all += resumed;
        assert_eq!(named(&tls["versions"]), counted(lines.iter().map(|l| l.version.clone())), "{variant}");
        assert_eq!(named(&tls["suites"]), counted(lines.iter().map(|l| l.suite.to_lowercase())), "{variant}");
        let groups = lines.iter().filter(|line| line.has_group());
        assert_eq!(named(&tls["groups"]), counted(groups.map(|l| l.group.clone())), "{variant}");
        // Who has a certificate shows it in each full handshake; a resumed one has it from the session.
        let certificates = lines.iter().filter(|line| line.certificate).count();
        assert_eq!(certificates, if variant.contains("_with_") { 2 * PHONES } else { 0 }, "{variant}");
        assert_eq!(summary["phones"]["provisioned"].as_u64(), Some(PHONES as u64), "{variant}");
    }
    assert!(logs.values_mut().all(|log| log.next().is_none()), "nginx saw no more than we did");
    assert!(resumed_in_all > 0);

    // The table has them: an RSA certificate makes the server say more than an ECDSA one.
    let columns = side["columns"].as_array().unwrap();
    let received = columns.iter().position(|c| c["key"] == "per_handshake.bytes_in").unwrap();
    let bytes = |folder: &str| {
        let row = side["rows"].as_array().unwrap().iter().find(|row| row["folder"] == folder).unwrap();
        row["cells"][received]["median"].as_f64().unwrap()
    };
    let [ecdsa, rsa] = ["ECDSA-P-256", "RSA-2048"].map(|key| bytes(&format!("{key}_1.3_full_without_X25519")));
    assert!(rsa > ecdsa + 300.0, "{ecdsa} and {rsa} octets");
}
