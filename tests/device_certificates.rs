//! One certificate per phone: servers that ask see as many subjects as there are phones.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod support;

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use bootstorm::driver;
use bootstorm::metrics::Totals;
use bootstorm::net::DeviceCa;
use bootstorm::target::{self, AccessLog, Stats};
use bootstorm::workload::{Overrides, Plan, TlsVersions, parse};
use rcgen::{CertificateParams, DnType, KeyPair};
use support::live;
use support::runs;
use support::servers::{Program, Server, Site};

/// Phones of both families, half and half.
const PHONES: u32 = 200;

/// `target` and `tls` as a workload has them; the realm and the accounts of the real server.
fn workload(target: &str, tls: &str) -> String {
    let each = PHONES / 2;
    format!(
        r#"
seed = 5
run = {{ until = "settled", limit = "5m" }}
{target}
[tls]
{tls}
[[fleet]]
name = "avaya"
family = "avaya-96xx"
count = {each}
extension = "{{index+20000}}"
serial = "AV{{number:04}}"
credentials = {{ user = "{{ext}}", password = "pw", realm = "Phones" }}
settings = {{ registration-delay = "0s..1s" }}
[[fleet]]
name = "cisco"
family = "cisco-mpp"
count = {each}
extension = "{{index+20000}}"
mac = "00562b{{number:06x}}"
serial = "FCH{{number:04}}"
credentials = {{ user = "{{ext}}", password = "pw", realm = "Phones" }}
settings = {{ resync-random-delay = "1s", profile-rule = "/profile/$MA.xml" }}
[[phase]]
does = "power-up"
arrival = {{ constant = "200/s" }}
"#
    )
}

/// The subjects that such phones should have, as `label=value` joined by `separator` in the order of the certificate.
fn expected(separator: &str, reversed: bool) -> BTreeSet<String> {
    let avaya = (0..PHONES / 2).map(|n| vec![format!("CN=AV{n:04}")]);
    let cisco = (0..PHONES / 2).map(|n| {
        let mut parts = vec!["OU=CP-8841-3PCC".to_owned(), format!("L=FCH{n:04}"), format!("SN=00562b{n:06x}")];
        if reversed {
            parts.reverse();
        }
        parts
    });
    avaya.chain(cisco).map(|parts| parts.join(separator)).collect()
}

/// nginx demands a certificate of the device CA and logs whose it was: N distinct subjects for N phones.
#[test]
fn a_real_server_logs_as_many_subjects_as_there_are_phones() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("device-ca");
    std::fs::create_dir(&folder).unwrap();
    // The server runs as nobody: it reads the CA and writes its log here.
    for open in [home.path(), &folder] {
        std::fs::set_permissions(open, Permissions::from_mode(0o777)).unwrap();
    }
    DeviceCa::kept_in(&folder).unwrap();
    let log = home.path().join("subjects.log");
    let directives = format!(
        "ssl_client_certificate {}/device-ca.pem;\nssl_verify_client on;\naccess_log {} subjects;\n",
        folder.display(),
        log.display()
    );
    let accounts = (0..PHONES).map(|n| ((20_000 + n).to_string(), "pw".to_owned()));
    let mut site = Site::new("Phones", accounts).directives(&directives).file("46xxsettings.txt", b"# END\n");
    site = site.file("96x1Hupgrade.txt", b"GET 46xxsettings.txt\n");
    let server = Server::start(Program::Nginx, Some(TlsVersions::Both), &site);
    for n in 0..PHONES {
        let (file, content) = if n < PHONES / 2 {
            (format!("backup/{}_96xxdata.txt", 20_000 + n), "LOGACTIVE=1\n")
        } else {
            (format!("profile/00562b{:06x}.xml", n - PHONES / 2), "<flat-profile></flat-profile>\n")
        };
        let file = server.docroot().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, content).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    }
    let ca = server.ca_pem_path().unwrap();
    let target = format!("target = {{ url = {:?}, ca = {:?} }}", server.url(), ca.display().to_string());
    let tls = format!("device-certificates = {{ derived-by = {:?} }}", folder.display().to_string());
    let summary = runs::summary(home.path(), &workload(&target, &tls));
    assert_eq!(summary["phones"]["provisioned"], PHONES, "{summary}");
    assert_eq!(summary["tls"]["handshakes"]["failed"], 0);
    server.stop_with_its_log_whole();

    let log = std::fs::read_to_string(log).unwrap();
    let subjects: BTreeSet<_> = log.lines().map(|line| line.strip_prefix("SUCCESS ").expect(line).to_owned()).collect();
    // RFC 2253 writes the last attribute first.
    assert_eq!(subjects, expected(",", true));
}

/// The plan on the embedded target with an access log: what was counted, what the target saw, and which subjects.
fn on_embedded(home: &Path, text: &str) -> (Totals, Stats, BTreeSet<String>) {
    let plan: Arc<Plan> =
        Arc::new(parse(text, "w.toml", home, &Overrides::default()).unwrap_or_else(|e| panic!("{e}")));
    let log = home.join("access.log");
    let site = Arc::new(live::site(&plan));
    let access_log = Some(AccessLog::open(&log).unwrap());
    let running = target::start_logged(live::embedded(&plan), site, None, access_log).unwrap();
    let setting = live::setting(&plan, running.origin(), running.ca_pem(), 2, 500);
    let driven = driver::run(&plan, setting).unwrap();
    let stats = running.stop();
    let log = std::fs::read_to_string(log).unwrap();
    let subjects = log.lines().map(|line| line.rsplit('"').nth(1).unwrap().to_owned()).collect();
    (driven.tally.totals, stats, subjects)
}

const EMBEDDED: &str = "[target.embedded]\nprefilled = true\nauth = { realm = \"Phones\" }\n";

#[test]
fn the_embedded_target_logs_them_too_and_resumes_sessions_with_them() {
    let home = tempfile::tempdir().unwrap();
    for (demand, versions) in [("demanded", "1.3"), ("demanded", "1.2"), ("asked", "1.2+")] {
        let target = format!("{EMBEDDED}tls = {{ client-certificates = \"{demand}\", versions = \"{versions}\" }}\n");
        let tls = "device-certificates = \"derived\"\nresumption = \"per-phone\"\nversions = \"1.2+\"\n";
        let (totals, stats, subjects) = on_embedded(home.path(), &workload(&target, tls));
        assert_eq!(subjects, expected(", ", false), "{demand} {versions}");
        assert_eq!((stats.handshakes_failed, totals.standings.provisioned as u32), (0, PHONES), "{stats:?}");
        assert_eq!(stats.client_certificates, stats.handshakes_full + stats.handshakes_resumed, "{stats:?}");
        std::fs::remove_file(home.path().join("access.log")).unwrap();
    }
}

#[test]
fn without_a_certificate_asking_lets_in_and_demanding_does_not() {
    let home = tempfile::tempdir().unwrap();
    let target = |demand: &str| format!("{EMBEDDED}tls = {{ client-certificates = \"{demand}\" }}\n");
    let (totals, stats, subjects) = on_embedded(home.path(), &workload(&target("asked"), ""));
    assert_eq!((totals.standings.provisioned as u32, stats.client_certificates), (PHONES, 0));
    // The last quoted field is the user agent then.
    assert!(subjects.iter().all(|s| s == "AVAYA" || s.starts_with("Cisco-")), "{subjects:?}");
    std::fs::remove_file(home.path().join("access.log")).unwrap();
    let text = workload(&target("demanded"), "").replace("until = \"settled\", limit = \"5m\"", "duration = \"4s\"");
    let (totals, stats, _) = on_embedded(home.path(), &text);
    assert_eq!((totals.standings.provisioned, stats.total()), (0, 0));
    assert!(stats.handshakes_failed >= u64::from(PHONES), "{stats:?}");
}

/// From a folder: by MAC address or by extension; who has no file presents none.
#[test]
fn certificates_come_from_a_folder() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("certificates");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, subject: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, subject);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem() + &key.serialize_pem();
        std::fs::write(folder.join(name), pem).unwrap();
    };
    write("20000.pem", "by extension");
    write("00562b000001.pem", "by MAC address");
    write("20005.pem", "and another");
    std::fs::write(folder.join("20006.pem"), "rubbish").unwrap();
    let target = format!("{EMBEDDED}tls = {{ client-certificates = \"asked\" }}\n");
    let tls = format!("device-certificates = {{ folder = {:?} }}", folder.display().to_string());
    let (totals, stats, subjects) = on_embedded(home.path(), &workload(&target, &tls));
    let named: BTreeSet<_> = subjects.iter().filter(|s| *s != "AVAYA" && !s.starts_with("Cisco-")).cloned().collect();
    assert_eq!(named, ["CN=by extension", "CN=by MAC address", "CN=and another"].map(str::to_owned).into());
    assert_eq!(totals.standings.provisioned as u32, PHONES, "{stats:?}");
}

/// A server that knows the device CA lets its phones in, and nobody else's.
#[test]
fn a_target_can_insist_on_the_device_ca() {
    let home = tempfile::tempdir().unwrap();
    let (ours, theirs) = (home.path().join("ours"), home.path().join("theirs"));
    for folder in [&ours, &theirs] {
        DeviceCa::kept_in(folder).unwrap();
    }
    let target =
        format!("{EMBEDDED}tls = {{ client-certificates = \"demanded\", client-ca = \"ours/device-ca.pem\" }}\n");
    for (folder, let_in) in [("ours", PHONES), ("theirs", 0)] {
        let text = workload(&target, &format!("device-certificates = {{ derived-by = \"{folder}\" }}"));
        let text = text.replace("until = \"settled\", limit = \"5m\"", "duration = \"4s\"");
        let (totals, _, _) = on_embedded(home.path(), &text);
        assert_eq!(totals.standings.provisioned as u32, let_in, "{folder}");
        std::fs::remove_file(home.path().join("access.log")).unwrap();
    }
}
