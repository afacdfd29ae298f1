//! Every key of `[tls]`, `[fleet.tls]` and `[target.embedded.tls]` does as told, on the embedded target.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bootstorm::driver;
use bootstorm::metrics::{HandshakeKind, TlsTotals, Totals};
use bootstorm::phone::Failure;
use bootstorm::target::{self, Stats};
use bootstorm::workload::{KeyKind, Overrides, Plan, TlsVersions, parse};
use support::live;

/// Phones of each fleet.
const PHONES: u64 = 8;

/// Fleets of Avaya phones, each with a TLS of its own, that do these things one after another (the first second by second
/// apart): every backup is one exchange, for nobody asks for credentials; every boot is three.
fn workload(target: &str, all: &str, fleets: &[&str], phases: &[&str]) -> String {
    let mut text = format!(
        "seed = 11\nrun = {{ until = \"settled\", limit = \"5m\" }}\n[target.embedded]\nprefilled = true\n\
         auth = {{ offers = [] }}\n{target}\n[tls]\n{all}\n"
    );
    for (n, tls) in fleets.iter().enumerate() {
        text += &format!(
            "[[fleet]]\nname = \"fleet-{n}\"\nfamily = \"avaya-96xx\"\ncount = {PHONES}\nextension = \
             \"{{index+20000}}\"\nstarts-on = true\nsettings = {{ registration-delay = \"0s\" }}\n[fleet.tls]\n{tls}\n"
        );
    }
    for (n, does) in phases.iter().enumerate() {
        text += &format!("[[phase]]\nname = \"phase-{n}\"\ndoes = \"{does}\"\nat = \"{n}s\"\narrival = \"at-once\"\n");
    }
    text
}

fn read(text: &str) -> Arc<Plan> {
    Arc::new(parse(text, "w.toml", Path::new(""), &Overrides::default()).unwrap_or_else(|e| panic!("{e}\n{text}")))
}

/// What the phones counted, and what the target did.
fn play(text: &str) -> (Totals, Stats) {
    let plan = read(text);
    let running = live::serve(&plan);
    let setting = live::setting(&plan, running.origin(), running.ca_pem(), 2, 1_000);
    let driven = driver::run(&plan, setting).unwrap();
    let stats = running.stop();
    let totals = driven.tally.totals;
    let tls = &totals.tls;
    // Both sides saw the same, whatever it was.
    assert_eq!(stats.handshakes_resumed, tls.count(HandshakeKind::Resumed), "{stats:?}");
    assert_eq!(stats.handshakes_retried, tls.count(HandshakeKind::HelloRetry), "{stats:?}");
    assert_eq!(
        stats.handshakes_full,
        tls.count(HandshakeKind::Full) + tls.count(HandshakeKind::HelloRetry),
        "{stats:?}"
    );
    (totals, stats)
}

fn named<K: ToString>(counts: &BTreeMap<K, u64>) -> BTreeMap<String, u64> {
    counts.iter().map(|(name, count)| (name.to_string(), *count)).collect()
}

fn counts(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    expected.iter().map(|(name, fleets)| ((*name).to_owned(), fleets * PHONES)).collect()
}

/// Full, resumed and after a hello-retry.
fn kinds(tls: &TlsTotals) -> [u64; 3] {
    [tls.count(HandshakeKind::Full), tls.count(HandshakeKind::Resumed), tls.count(HandshakeKind::HelloRetry)]
}

#[test]
fn each_fleet_offers_what_it_is_told_and_inherits_the_rest() {
    let fleets = [
        "versions = \"1.2\"\nsuites = [\"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\"]",
        "versions = \"1.3\"\ngroups = [\"x25519mlkem768\"]",
        "suites = [\"TLS_AES_128_GCM_SHA256\", \"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256\"]\n\
         groups = [\"secp256r1\", \"x25519\"]",
        "",
    ];
    let all = "suites = [\"TLS_CHACHA20_POLY1305_SHA256\", \"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\"]\n\
               groups = [\"secp384r1\"]";
    let (totals, _) = play(&workload("", all, &fleets, &["backup"]));
    assert_eq!(named(&totals.tls.agreed(|line| &line.versions)), counts(&[("1.2", 1), ("1.3", 3)]));
    assert_eq!(
        named(&totals.tls.agreed(|line| &line.suites)),
        counts(&[
            ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 1),
            ("TLS_AES_128_GCM_SHA256", 1),
            ("TLS_CHACHA20_POLY1305_SHA256", 2),
        ])
    );
    let groups: BTreeMap<_, _> = named(&totals.tls.agreed(|line| &line.groups))
        .into_iter()
        .map(|(name, count)| (name.to_lowercase(), count))
        .collect();
    assert_eq!(groups, counts(&[("secp384r1", 2), ("x25519mlkem768", 1), ("secp256r1", 1)]));
    assert_eq!(kinds(&totals.tls), [4 * PHONES, 0, 0]);
}

/// The first group gets the key share: where the server takes only a later one, the phones come again.
#[test]
fn a_hello_retry_is_provoked_by_the_groups_of_both_sides() {
    let fleets = ["groups = [\"x25519\", \"secp384r1\"]", "groups = [\"secp384r1\", \"x25519\"]"];
    let target = "tls = { groups = [\"secp384r1\", \"secp256r1\"] }";
    let (totals, _) = play(&workload(target, "", &fleets, &["backup"]));
    assert_eq!(kinds(&totals.tls), [PHONES, 0, PHONES]);
    assert_eq!(named(&totals.tls.agreed(|line| &line.groups)).values().sum::<u64>(), 2 * PHONES);
    // The hybrid group brings its classical half along, if that is offered too: no second hello.
    let fleets = ["groups = [\"x25519mlkem768\", \"x25519\"]", "groups = [\"x25519mlkem768\", \"secp256r1\"]"];
    let target = "tls = { groups = [\"x25519\", \"secp256r1\"] }";
    let (totals, _) = play(&workload(target, "", &fleets, &["backup"]));
    assert_eq!(kinds(&totals.tls), [PHONES, 0, PHONES]);
}

#[test]
fn what_has_nothing_in_common_fails_and_others_do_not() {
    let fleets = ["versions = \"1.3\"", "versions = \"1.2\"", "groups = [\"x25519\"]"];
    let target = "tls = { versions = \"1.2\", groups = [\"secp256r1\"] }";
    let text =
        workload(target, "", &fleets, &["backup"]).replace("until = \"settled\", limit = \"5m\"", "duration = \"2s\"");
    let (totals, stats) = play(&text);
    assert_eq!((kinds(&totals.tls), totals.tls.count(HandshakeKind::Failed)), ([PHONES, 0, 0], 2 * PHONES));
    assert_eq!((stats.total(), stats.handshakes_failed), (PHONES, 2 * PHONES), "{stats:?}");
}

const EACH: &str = "connections = \"per-exchange\"";
const RESUMING: &str = "connections = \"per-exchange\"\nresumption = \"per-phone\"";
const BACKUPS: [&str; 3] = ["backup", "backup", "backup"];

#[test]
fn connections_are_kept_or_not_as_told() {
    let fleets = [EACH, "connections = \"kept\"", ""];
    let (totals, stats) = play(&workload("", "", &fleets, &BACKUPS));
    assert_eq!(stats.total(), 9 * PHONES);
    // One connection each, but for those who may not keep it.
    assert_eq!((stats.connections, kinds(&totals.tls)), (5 * PHONES, [5 * PHONES, 0, 0]));
    // A family's own wish is overridden both ways.
    let text = workload("", "", &["connections = \"kept\"", ""], &BACKUPS);
    let text = text.replace("registration-delay = \"0s\"", "registration-delay = \"0s\", keep-alive = false");
    let (_, stats) = play(&text);
    assert_eq!(stats.connections, 4 * PHONES);
    // Plain HTTP as well.
    let (_, stats) = play(&workload("tls = false", "", &fleets, &BACKUPS));
    assert_eq!((stats.total(), stats.connections), (9 * PHONES, 5 * PHONES));
}

/// Tickets of 1.2 and 1.3, sessions by their id, or nothing: as the target offers it.
#[test]
fn sessions_are_resumed_by_ticket_or_by_id() {
    for (target, versions, resumed) in [
        ("tls = {}", "1.2", 2),
        ("tls = {}", "1.3", 2),
        ("tls = { tickets = false }", "1.2", 0),
        ("tls = { tickets = false }", "1.3", 0),
        ("tls = { tickets = false, sessions = true }", "1.2", 2),
        ("tls = { tickets = false, sessions = true }", "1.3", 0),
        ("tls = { sessions = true }", "1.2", 2),
    ] {
        let fleets = [RESUMING, EACH];
        let (totals, _) = play(&workload(target, &format!("versions = \"{versions}\""), &fleets, &BACKUPS));
        let kinds = kinds(&totals.tls);
        assert_eq!(kinds, [(6 - resumed) * PHONES, resumed * PHONES, 0], "{target}, {versions}");
    }
}

/// Keys of tickets are renewed, the table of sessions stays; with another certificate both are gone.
#[test]
fn sessions_by_id_outlive_the_ticket_keys() {
    for (tls, event, resumed) in [
        ("tickets = false, sessions = true", "rotate-ticket-keys = true", 2),
        ("", "rotate-ticket-keys = true", 1),
        ("tickets = false, sessions = true", "swap-certificate = \"renewed\"", 1),
    ] {
        let target = format!("tls = {{ {tls} }}\nevent = [{{ at = \"500ms\", {event} }}]");
        let (totals, _) = play(&workload(&target, "versions = \"1.2\"", &[RESUMING], &BACKUPS));
        assert_eq!(kinds(&totals.tls), [(3 - resumed) * PHONES, resumed * PHONES, 0], "{tls}, {event}");
    }
}

#[test]
fn a_share_of_the_phones_resumes() {
    let text = workload("", "resumption-share = 0.5", &[RESUMING, RESUMING, RESUMING], &BACKUPS);
    let plan = read(&text);
    let resuming = (0..plan.phones()).filter(|phone| plan.tls.resumes(*phone)).count() as u64;
    assert!(resuming > 0 && resuming < 3 * PHONES, "{resuming}");
    let (totals, _) = play(&text);
    assert_eq!(kinds(&totals.tls), [9 * PHONES - 2 * resuming, 2 * resuming, 0]);
}

/// Power is lost twice, with backups in between: who keeps sessions makes one full handshake in all.
#[test]
fn sessions_are_lost_with_the_power_or_kept() {
    let kept = format!("{RESUMING}\nsessions-lost-at-reboot = false");
    let phases = ["backup", "power-up", "backup", "power-up"];
    let exchanges = 2 + 2 * 3;
    let (totals, stats) = play(&workload("", "", &[&kept], &phases));
    assert_eq!((stats.total(), kinds(&totals.tls)), (exchanges * PHONES, [PHONES, (exchanges - 1) * PHONES, 0]));
    let (totals, stats) = play(&workload("", "", &[RESUMING], &phases));
    assert_eq!((stats.total(), kinds(&totals.tls)), (exchanges * PHONES, [3 * PHONES, (exchanges - 3) * PHONES, 0]));
}

#[test]
fn device_certificates_are_per_fleet() {
    let fleets = ["device-certificates = \"derived\"", "", "device-certificates = \"none\""];
    let target = "tls = { client-certificates = \"asked\" }";
    let (totals, stats) = play(&workload(target, "", &fleets, &["backup"]));
    assert_eq!((stats.client_certificates, kinds(&totals.tls)), (PHONES, [3 * PHONES, 0, 0]));
    let (_, stats) = play(&workload(target, "device-certificates = \"derived\"", &fleets, &["backup"]));
    assert_eq!(stats.client_certificates, 2 * PHONES);
}

/// The family says what a phone offers that was told nothing: Cisco's speak 1.2 at most, unless their setting says more.
#[test]
fn a_family_has_versions_of_its_own() {
    let versions = |all: &str, settings: &str| {
        let text = format!(
            "[tls]\n{all}\n[target.embedded]\n[[fleet]]\nfamily = \"cisco-mpp\"\ncount = 1\nsettings = {{ {settings} \
             }}\n[[fleet]]\nfamily = \"avaya-96xx\"\ncount = 1\nextension = \"9{{number}}\"\n[[phase]]\ndoes = \"power-up\"\n"
        );
        let plan = read(&text);
        plan.tls.fleets.iter().map(|(_, setup)| setup.versions).collect::<Vec<_>>()
    };
    use TlsVersions::{Both, Only12, Only13};
    assert_eq!(versions("", ""), [Only12, Both]);
    assert_eq!(versions("", "tls-1-3 = true"), [Both, Both]);
    assert_eq!(versions("versions = \"1.3\"", ""), [Only13, Only13]);
    assert_eq!(versions("versions = \"both\"", ""), [Both, Both]);
}

/// Chains of every length and kind of key are shown whole and verified; a longer one is more octets.
#[test]
fn chains_are_as_long_as_told() {
    let mut sizes = BTreeMap::new();
    for (key, depth) in [
        (KeyKind::EcdsaP256, 1),
        (KeyKind::EcdsaP256, 2),
        (KeyKind::EcdsaP256, 3),
        (KeyKind::EcdsaP384, 2),
        (KeyKind::Rsa2048, 1),
        (KeyKind::Rsa2048, 3),
        (KeyKind::Rsa3072, 1),
    ] {
        let target = format!("tls = {{ key = \"{}\", chain-depth = {depth} }}", key.name());
        // Both versions: their suites differ by the kind of key.
        let fleets = ["versions = \"1.2\"", "versions = \"1.3\""];
        let (totals, _) = play(&workload(&target, "", &fleets, &["backup"]));
        let tls = &totals.tls;
        assert_eq!((kinds(tls), tls.count(HandshakeKind::Failed)), ([2 * PHONES, 0, 0], 0), "{target}");
        assert_eq!(named(&tls.chain_lengths()), counts(&[(&depth.to_string(), 2)]), "{target}");
        let authenticated = if key.is_rsa() { "TLS_ECDHE_RSA_" } else { "TLS_ECDHE_ECDSA_" };
        let suites = tls.agreed(|line| &line.suites);
        assert!(suites.keys().any(|suite| suite.starts_with(authenticated)), "{suites:?}");
        sizes.insert((key.name(), depth), tls.chain_bytes_max());
    }
    for (less, more) in [
        (("ecdsa-p256", 1), ("ecdsa-p256", 2)),
        (("ecdsa-p256", 2), ("ecdsa-p256", 3)),
        (("ecdsa-p256", 2), ("ecdsa-p384", 2)),
        (("ecdsa-p256", 1), ("rsa-2048", 1)),
        (("rsa-2048", 1), ("rsa-3072", 1)),
        (("rsa-3072", 1), ("rsa-2048", 3)),
    ] {
        assert!(sizes[&less] < sizes[&more], "{less:?}, {more:?}: {sizes:?}");
    }
}

/// A client that is not ours believes the stapled response, and the chain; without the key there is none.
#[test]
fn openssl_believes_chain_and_staple() {
    let home = tempfile::tempdir().unwrap();
    for (tls, stapled, certificates) in [
        ("key = \"ecdsa-p256\", chain-depth = 1, ocsp-staple = true", true, 1),
        ("key = \"ecdsa-p384\", chain-depth = 2, ocsp-staple = true", true, 2),
        ("key = \"rsa-2048\", chain-depth = 3, ocsp-staple = true", true, 3),
        ("key = \"ecdsa-p256\", chain-depth = 2", false, 2),
    ] {
        let plan = read(&workload(&format!("tls = {{ {tls} }}"), "", &[""], &["backup"]));
        let running = target::start(live::embedded(&plan), Arc::new(live::site(&plan)), None).unwrap();
        let ca = home.path().join("ca.pem");
        std::fs::write(&ca, running.ca_pem().unwrap()).unwrap();
        for version in ["-tls1_2", "-tls1_3"] {
            let said = support::openssl::look(running.address(), &ca, &[version]);
            assert!(said.contains("Verify return code: 0 (ok)"), "{tls} {version}: {said}");
            assert_eq!(said.matches("BEGIN CERTIFICATE").count(), certificates, "{tls} {version}");
            assert_eq!(said.contains("OCSP Response Status: successful (0x0)"), stapled, "{tls} {version}: {said}");
            assert_eq!(said.contains("Cert Status: good"), stapled, "{tls} {version}");
        }
        running.stop();
    }
}

/// The name is compared or not; a CA that is not trusted is refused in any case.
#[test]
fn names_are_checked_as_told() {
    let fleets = ["name-check = true", "name-check = false"];
    let text = workload("listen = \"127.0.0.9:0\"", "", &fleets, &["backup"]);
    let text = text.replace("until = \"settled\", limit = \"5m\"", "duration = \"2s\"");
    let plan = read(&text);
    // Its certificate is for 127.0.0.9 and 127.0.0.1, and is asked for at 127.0.0.2.
    let (front, back) = (std::net::TcpListener::bind("127.0.0.2:0").unwrap(), live::serve(&plan));
    let mut origin = back.origin();
    origin.host = "127.0.0.2".to_owned();
    origin.port = front.local_addr().unwrap().port();
    let towards = back.address();
    std::thread::spawn(move || {
        for from in front.incoming().flatten() {
            let to = std::net::TcpStream::connect(towards).unwrap();
            for (mut from, mut to) in
                [(from.try_clone().unwrap(), to.try_clone().unwrap()), (to.try_clone().unwrap(), from)]
            {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
            drop(to);
        }
    });
    let ca = back.ca_pem().map(str::to_owned);
    let other = live::serve(&plan).ca_pem().map(str::to_owned);
    // The other CA has the same name, and another key.
    for (ca, done, failure) in [(&ca, PHONES, Failure::TlsWrongName), (&other, 0, Failure::TlsBadCertificate)] {
        let driven = driver::run(&plan, live::setting(&plan, origin.clone(), ca.as_deref(), 2, 1_000)).unwrap();
        let totals = driven.tally.totals;
        assert_eq!(kinds(&totals.tls), [done, 0, 0], "{failure:?}");
        assert_eq!(totals.exchanges.failures, BTreeMap::from([(failure, 2 * PHONES - done)]));
    }
}

/// RSA-4096 is slow to make, so once.
#[test]
fn the_longest_key_serves_too() {
    let (totals, _) = play(&workload("tls = { key = \"rsa-4096\" }", "", &["versions = \"1.2\""], &["backup"]));
    assert_eq!(kinds(&totals.tls), [PHONES, 0, 0]);
    assert!(totals.tls.chain_bytes_max() > 1_000, "a modulus of 512 octets, and a signature of 256");
}

/// `serve` writes what nginx reads, and remembers what it was asked for.
#[test]
fn a_folder_of_certificates_is_for_what_it_was_made() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("tls");
    let file = home.path().join("plain.toml");
    std::fs::write(&file, workload("tls = false", "", &[""], &["backup"])).unwrap();
    let serve = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bootstorm"));
        command.arg("serve").args(arguments).args(["--listen", "127.0.0.1:0", "--tls-dir"]).arg(&folder);
        let out = command.output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let tls = bootstorm::workload::TargetTls { chain_depth: 2, ..Default::default() };
    target::Authority::kept_in(&folder, &tls, "127.0.0.1".parse().unwrap()).unwrap();
    let (code, told) = serve(&["--auth", "none", "--key", "rsa-2048"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("chain-depth = 2, key = \"ecdsa-p256\"; asked for is chain-depth = 1, key = \"rsa-2048\""));
    assert!(told.contains("ask for the same, name another folder, or remove"), "{told}");
    // A workload without TLS stays one.
    let (code, told) = serve(&[file.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("--tls-dir: target.embedded.tls is false; add --tls, or leave --tls-dir out"), "{told}");
}
