//! 2,000 phones against real servers, through the whole program: what it counts must be what the server's own log says.
//!
//! Two runs against each server. First the phones, up already, back up and read back what they stored; then the power
//! returns to all of them. Every backup on disk must be what the phone sent, and every exchange must stand in the log.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod support;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bootstorm::phone::{Chance, Identity, Purpose, SizeRange, Upload, backup};
use bootstorm::workload::TlsVersions;
use serde_json::{Value, json};
use support::runs;
use support::servers::{LogLine, Program, Server, Site, by_status};

const PHONES: u32 = 2_000;
/// From which the phones' backups follow.
const SEED: u64 = 7;
const REALM: &str = "Phone backups";

/// Two fleets at once would measure each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn fleet_on_nginx_with_basic_over_tls_1_3() {
    fleet_is_served(Program::Nginx, Some(TlsVersions::Only13), "basic");
}

#[test]
fn fleet_on_nginx_with_basic_over_tls_1_2() {
    fleet_is_served(Program::Nginx, Some(TlsVersions::Only12), "basic");
}

#[test]
fn fleet_on_apache_with_digest_md5() {
    fleet_is_served(Program::Apache, None, "digest-md5");
}

#[test]
fn fleet_on_lighttpd_with_digest_sha_256() {
    fleet_is_served(Program::Lighttpd, None, "digest-sha-256");
}

/// The realm renamed, as when a server moves: every phone stands at a prompt, and none has shown its password.
#[test]
fn a_renamed_realm_strands_the_whole_fleet() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(Program::Nginx, None, &site());
    let fleet = Fleet { realm: "The old server", ..Fleet::default() };
    let summary = run(&server, &fleet, &[("power-up", "0s")]);
    assert_phones(&summary, &fleet, "prompting");
    assert_outcomes(&summary, "restore", json!({ "prompt-authentication": PHONES }));
    let log = requests(server, 1);
    assert_eq!(counted(&[&summary]), by_status(&log));
    assert_eq!(log.iter().filter(|line| line.status == 401).count(), PHONES as usize, "asked once each");
    assert_eq!(log.iter().find(|line| line.user.is_some()), None, "no credentials for another realm");
}

/// One phone in ten has a wrong password: each is refused once by the real server, and stands at a prompt.
#[test]
fn wrong_passwords_are_refused_once_each() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(Program::Apache, None, &site());
    let fleet = Fleet { wrong: 0.1, starts_on: true, ..Fleet::default() };
    let summary = run(&server, &fleet, &[("backup", "0s")]);
    let wrong = count(&summary["auth"]["prompts"]["authentication-failure"]);
    assert!((150..250).contains(&wrong), "a tenth of {PHONES}: {wrong}");
    assert_outcomes(
        &summary,
        "backup",
        json!({ "ok": u64::from(PHONES) - wrong, "prompt-authentication-failure": wrong }),
    );
    assert_eq!(count(&summary["auth"]["challenges"]["rejected"]), wrong);
    let log = requests(server, 1);
    assert_eq!(counted(&[&summary]), by_status(&log));
    let refused = log.iter().filter(|line| line.status == 401 && line.user.is_some()).count();
    assert_eq!(refused as u64, wrong, "as Apache saw it");
}

/// Nonces that live two seconds: what the phones kept is stale by the time they read back, and nobody is asked.
#[test]
fn stale_nonces_cost_an_exchange_and_no_prompt() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let short_lived = "<LocationMatch \"^/backup/\">\nAuthDigestNonceLifetime 2\n</LocationMatch>\n";
    let server = Server::start(Program::Apache, None, &site().directives(short_lived));
    let fleet = Fleet { phones: 400, starts_on: true, ..Fleet::default() };
    let summary = run(&server, &fleet, &[("backup", "0s"), ("restore", "4s")]);
    assert_phones(&summary, &fleet, "provisioned");
    assert_outcomes(&summary, "restore", json!({ "ok": fleet.phones }));
    assert_challenges(&summary, [fleet.phones, fleet.phones, 0, 0]);
    assert_eq!(counted(&[&summary]), by_status(&requests(server, 1)));
}

fn fleet_is_served(program: Program, tls: Option<TlsVersions>, scheme: &str) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(program, tls, &site());

    let up = Fleet { starts_on: true, ..Fleet::default() };
    let backed_up = run(&server, &up, &[("backup", "0s"), ("restore", "2s")]);
    assert_outcomes(&backed_up, "backup", json!({ "ok": PHONES }));
    // A phone compares what it reads with what it stored: `content-mismatch` if one octet differs.
    assert_outcomes(&backed_up, "restore", json!({ "ok": PHONES }));
    for number in 0..PHONES {
        assert_stored_as_sent(&server, number);
    }

    let rebooted = run(&server, &Fleet::default(), &[("power-up", "0s")]);
    assert_outcomes(&rebooted, "resync", json!({ "ok": PHONES }));
    assert_outcomes(&rebooted, "restore", json!({ "ok": PHONES }));

    for summary in [&backed_up, &rebooted] {
        assert_phones(summary, &up, "provisioned");
        // One challenge a phone opens its protection space; nothing is refused, stale or asked of a person.
        assert_challenges(summary, [PHONES, 0, 0, 0]);
        assert!(count(&summary["auth"]["answers"][scheme]) >= u64::from(PHONES), "{}", summary["auth"]);
        assert_tls(&summary["tls"], tls);
    }

    let log = requests(server, if tls.is_none() { 2 } else { 0 });
    assert_each_phone_used_its_own_account(&log);
    assert_eq!(counted(&[&backed_up, &rebooted]), by_status(&log), "ours and the server's count of each status");
    // Backup: 401, 201. Read back: 200. Power returns: two files, 401, 200.
    let phones = u64::from(PHONES);
    assert_eq!(by_status(&log), BTreeMap::from([(200, 4 * phones), (201, phones), (401, 2 * phones)]));
}

/// What differs from one run to the next.
struct Fleet {
    phones: u32,
    /// Under which the phones have stored their credentials.
    realm: &'static str,
    /// Share of phones with a wrong password.
    wrong: f64,
    /// Whether they are up when the run begins.
    starts_on: bool,
}

impl Default for Fleet {
    fn default() -> Self {
        Fleet { phones: PHONES, realm: REALM, wrong: 0.0, starts_on: false }
    }
}

/// The settings every phone asks for, and an account with its own password for each.
fn site() -> Site {
    Site::new(REALM, (0..PHONES).map(|number| (extension(number), format!("secret-{}", extension(number)))))
        .file("96x1Hupgrade.txt", b"SET APPNAME S96x1_UKR_V34r35_B34r35.tar\n")
        .file("46xxsettings.txt", b"SET BRURI /backup\n")
}

fn extension(number: u32) -> String {
    (20_000 + number).to_string()
}

/// One run of the whole program; its `summary.json`.
fn run(server: &Server, fleet: &Fleet, phases: &[(&str, &str)]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    runs::summary(folder.path(), &workload_text(server, fleet, phases))
}

fn workload_text(server: &Server, fleet: &Fleet, phases: &[(&str, &str)]) -> String {
    let url = server.url();
    let ca = server.ca_pem_path().map_or_else(String::new, |ca| format!(", ca = {:?}", ca.display().to_string()));
    let Fleet { phones, realm, wrong, starts_on } = fleet;
    let mut text = format!(
        r#"
seed = {SEED}
run = {{ until = "settled", limit = "10m" }}
target = {{ url = "{url}"{ca} }}

[[fleet]]
family = "avaya-96xx"
count = {phones}
extension = "{{number+20000}}"
starts-on = {starts_on}
credentials = {{ user = "{{ext}}", password = "secret-{{ext}}", realm = "{realm}", wrong = {wrong:?} }}
settings = {{ bruri = "/backup", registration-delay = "0s..1s" }}
"#
    );
    for (does, at) in phases {
        let rate = phones;
        text.push_str(&format!(
            "\n[[phase]]\ndoes = \"{does}\"\nat = \"{at}\"\narrival = {{ constant = \"{rate}/s\" }}\n"
        ));
    }
    text
}

/// The server's log, without the looks: before a storm over plain HTTP the program asks once whether HTTP is spoken
/// there, and counts that for no phone.
fn requests(server: Server, looks: usize) -> Vec<LogLine> {
    let is_look = |line: &LogLine| (line.method.as_str(), line.path.as_str()) == ("HEAD", "/");
    let (seen, log): (Vec<_>, Vec<_>) = server.stop_and_read_log().into_iter().partition(is_look);
    assert_eq!(seen.len(), looks, "{seen:?}");
    log
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a count: {value}"))
}

/// All phones of the fleet stand there when the run ends.
fn assert_phones(summary: &Value, fleet: &Fleet, standing: &str) {
    assert_eq!(count(&summary["phones"]["total"]), u64::from(fleet.phones));
    assert_eq!(count(&summary["phones"][standing]), u64::from(fleet.phones), "{}", summary["phones"]);
}

/// Every phone planned and started the operation once, and they ended so.
fn assert_outcomes(summary: &Value, operation: &str, outcomes: Value) {
    let figures = &summary["operations"][operation];
    assert_eq!(figures["outcomes"], outcomes, "{operation}: {figures}");
    for key in ["planned", "started"] {
        assert_eq!(figures[key], summary["phones"]["total"], "{operation}: {figures}");
    }
}

/// So many challenges of each kind: first, stale, rejected, unsolicited.
fn assert_challenges(summary: &Value, expected: [u32; 4]) {
    let challenges = &summary["auth"]["challenges"];
    let counts = ["first", "stale", "rejected", "unsolicited"].map(|kind| count(&challenges[kind]));
    assert_eq!(counts, expected.map(u64::from), "{challenges}");
}

fn assert_tls(figures: &Value, tls: Option<TlsVersions>) {
    let Some(versions) = tls else { return };
    let version = if versions == TlsVersions::Only12 { "1.2" } else { "1.3" };
    let full = count(&figures["handshakes"]["full"]);
    assert!(full >= u64::from(PHONES), "every phone shakes hands: {figures}");
    assert_eq!(count(&figures["handshakes"]["failed"]), 0, "{figures}");
    assert_eq!(figures["versions"].as_object().map(|v| v.keys().collect::<Vec<_>>()), Some(vec![&version.to_owned()]));
}

/// What lies on disk is, octet for octet, what this phone's first upload is made of.
fn assert_stored_as_sent(server: &Server, number: u32) {
    let extension = extension(number);
    let stored = server.stored(&format!("/backup/{extension}_96xxdata.txt")).expect("every phone's backup is there");
    let who = Identity { index: number, number, extension, mac: String::new(), serial: String::new() };
    let size = SizeRange { min: 1_000, max: 40_000 }.at(Chance::new(SEED).draw(number, Purpose::Backup, 1).unit());
    let sent = backup::avaya_file(&who, Upload { version: 1, size }, backup::Encoding::Utf8);
    assert!(stored == sent, "{}: {} octets sent, {} others stored", who.extension, sent.len(), stored.len());
}

/// Exchanges by status, over several runs.
fn counted(summaries: &[&Value]) -> BTreeMap<u16, u64> {
    let mut counts = BTreeMap::new();
    for summary in summaries {
        for (status, n) in summary["exchanges"]["status"].as_object().expect("exchanges by status") {
            *counts.entry(status.parse().expect("a status is a number")).or_default() += count(n);
        }
    }
    counts
}

/// The user of each successful exchange with a backup file is the extension in its name.
fn assert_each_phone_used_its_own_account(log: &[LogLine]) {
    for line in log.iter().filter(|line| line.path.starts_with("/backup/") && line.status < 300) {
        let extension = line.path.trim_start_matches("/backup/").trim_end_matches("_96xxdata.txt");
        assert_eq!(line.user.as_deref(), Some(extension), "{line}");
    }
}
