//! The shipped workloads tell what they promise: each in virtual time, with the target's own account of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bootstorm::metrics::Tally;
use bootstorm::phone::{ChallengeKind, Chance, Moment, Operation, Origin, Outcome, Screen};
use bootstorm::simulate::{Latencies, simulate};
use bootstorm::target::{Mishap, Site};
use bootstorm::workload::{Overrides, Plan, Target, load};
use http::Method;

/// One request as the target saw it.
struct Seen {
    at: Moment,
    method: Method,
    path: String,
    agent: String,
    authorization: Option<String>,
    body: usize,
    /// The status it gave; none where nothing was sent.
    status: Option<u16>,
}

impl Seen {
    fn is_avaya(&self) -> bool {
        self.agent == "AVAYA"
    }

    /// The user whom credentials for this realm name.
    fn user_of(&self, realm: &str) -> Option<&str> {
        let line = self.authorization.as_deref()?;
        let (_, rest) = line.split_once("username=\"")?;
        line.contains(&format!("realm=\"{realm}\"")).then(|| rest.split('"').next().unwrap())
    }
}

/// The workload with these changes, in virtual time: what was counted, and what the target saw.
fn play(name: &str, sets: &[&str]) -> (Tally, Vec<Seen>) {
    let sets = sets.iter().map(|s| (*s).to_owned()).collect();
    let file = PathBuf::from(format!("workloads/{name}.toml"));
    let plan: Arc<Plan> =
        Arc::new(load(&file, &Overrides { sets, ..Overrides::default() }).unwrap_or_else(|e| panic!("{e}")));
    let Target::Embedded(config) = &plan.target else { panic!("{name} brings its own target") };
    let site = Site::for_fleets(config, &plan.fleets, Chance::new(plan.seed)).unwrap();
    let origin = Arc::new(Origin { tls: config.tls.is_some(), host: "127.0.0.1".into(), port: 8443 });
    let seen = RefCell::new(Vec::new());
    let (tally, _) = simulate(&plan, &origin, "", Latencies::default(), |now, request| {
        let served = site.serve(now, request);
        let header = |name: &str| request.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        seen.borrow_mut().push(Seen {
            at: now,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            agent: header("user-agent").unwrap_or_default(),
            authorization: header("authorization"),
            body: request.body().len(),
            status: served.mishap.is_none().then(|| served.response.status().as_u16()),
        });
        served
    });
    assert!(tally.totals.ledger_faults.is_empty(), "{:?}", tally.totals.ledger_faults);
    (tally, seen.into_inner())
}

fn at(seconds: u64) -> Moment {
    Moment::ZERO + Duration::from_secs(seconds)
}

fn count<K: Ord>(counts: &BTreeMap<K, u64>, key: K) -> u64 {
    counts.get(&key).copied().unwrap_or_default()
}

fn outcome(tally: &Tally, operation: Operation, outcome: Outcome) -> u64 {
    count(&tally.totals.operation(operation).outcomes, outcome)
}

const RENAMED: &str = "FILES-02";
/// When the realm is renamed.
const MOVE: u64 = 8 * 60;

/// "If the realms do not match", the phone prompts: with nobody there, all of them, and none shows its old password to
/// the new realm.
#[test]
fn realm_rename_with_nobody_at_a_desk_strands_every_avaya_phone() {
    let (tally, seen) = play("realm-rename", &[]);
    let totals = &tally.totals;
    assert_eq!((totals.standings.prompting, totals.standings.provisioned, totals.standings.failed), (200, 50, 0));
    assert_eq!(count(&totals.auth.prompts, Screen::Authentication), 200);
    assert_eq!(count(&totals.auth.prompts, Screen::AuthenticationFailure), 0);
    assert_eq!((totals.auth.typed_right, totals.auth.typed_wrong), (0, 0));
    assert_eq!(outcome(&tally, Operation::Backup, Outcome::Ok), 200, "those before the move");
    assert_eq!(outcome(&tally, Operation::Backup, Outcome::Prompt(Screen::Authentication)), 200, "those after it");

    let after: Vec<_> = seen.iter().filter(|s| s.at >= at(MOVE)).collect();
    assert!(after.iter().any(|s| s.is_avaya() && s.status == Some(401)));
    assert_eq!(after.iter().filter(|s| s.is_avaya() && s.user_of(RENAMED).is_some()).count(), 0);
    assert!(
        after.iter().filter(|s| s.is_avaya()).all(|s| s.status == Some(401)),
        "not one of them got anything stored"
    );
    // The Cisco phones answered the new realm with their account, and never noticed.
    assert!(after.iter().any(|s| !s.is_avaya() && s.user_of(RENAMED).is_some() && s.status == Some(200)));
}

/// With people, exactly those whose person came have typed, once and rightly, and are back.
#[test]
fn realm_rename_with_half_the_people_brings_half_of_them_back() {
    let (tally, seen) = play("realm-rename", &["fleet.avaya.people.come=50%"]);
    let totals = &tally.totals;
    let typed = totals.auth.typed_right;
    assert!((70..130).contains(&typed), "about half of 200: {typed}");
    assert_eq!(totals.auth.typed_wrong, 0);
    assert_eq!(totals.standings.prompting as u64, 200 - typed);
    assert_eq!(totals.standings.provisioned as u64, 50 + typed);
    assert_eq!(count(&totals.auth.prompts, Screen::Authentication), 200);
    assert_eq!(count(&totals.auth.challenges, ChallengeKind::Rejected), 0);
    assert_eq!(totals.auth.stored, typed, "new values replace the stored ones, the realm among them");
    // As many users as typed have sent credentials to the new realm, and each after its think time: 30 s to 2 min.
    let mut first_asked = BTreeMap::new();
    let mut came = BTreeSet::new();
    for s in seen.iter().filter(|s| s.at >= at(MOVE) && s.is_avaya()) {
        let asked = *first_asked.entry(s.path.clone()).or_insert(s.at);
        if let Some(user) = s.user_of(RENAMED)
            && came.insert(user.to_owned())
        {
            let think = s.at - asked;
            assert!((Duration::from_secs(30)..Duration::from_secs(122)).contains(&think), "{user}: {think:?}");
        }
    }
    assert_eq!(came.len() as u64, typed);
}

#[test]
fn basic_hides_a_renamed_realm() {
    let (tally, _) = play("realm-rename", &["target.embedded.auth.offers=[\"basic\"]"]);
    assert_eq!((tally.totals.standings.prompting, tally.totals.standings.provisioned), (0, 250));
}

/// "IIS 7.0 and later require authentication for PUT requests."
#[test]
fn iis_put_auth_asks_on_uploads_alone() {
    let (tally, seen) = play("iis-put-auth", &[]);
    for s in &seen {
        let is_write = s.method == Method::PUT;
        assert!(is_write || s.status != Some(401), "{} {}", s.method, s.path);
        assert!(!is_write || s.authorization.is_some() || s.status == Some(401), "{} {}", s.method, s.path);
    }
    let totals = &tally.totals;
    assert_eq!((totals.standings.provisioned, totals.standings.prompting), (200, 0));
    let prompts = totals.auth.prompts.values().sum::<u64>();
    assert!(prompts > 0 && totals.auth.typed_right == prompts, "{prompts}");
    assert_eq!(outcome(&tally, Operation::Report, Outcome::Ok), 50);
}

/// Without WebDAV: 405 to every upload, with what IIS says it allows. With Windows authentication alone: no usable
/// scheme, one request each, no loop.
#[test]
fn iis_put_auth_without_webdav_and_with_windows_authentication_alone() {
    let (tally, seen) = play(
        "iis-put-auth",
        &["target.embedded.webdav=false", "fleet.avaya.credentials.null=0", "fleet.avaya.credentials.wrong=0"],
    );
    let refused = seen.iter().filter(|s| s.status == Some(405)).count();
    assert_eq!(refused, 200, "each tries once");
    assert_eq!(outcome(&tally, Operation::Backup, Outcome::Ok), 0);
    let (tally, seen) = play("iis-put-auth", &["target.embedded.auth.offers=[\"negotiate\", \"ntlm\"]"]);
    assert_eq!(outcome(&tally, Operation::Backup, Outcome::NoUsableScheme), 150);
    assert_eq!(outcome(&tally, Operation::Report, Outcome::NoUsableScheme), 50);
    assert_eq!(seen.iter().filter(|s| s.status == Some(401)).count(), 200);
    assert!(seen.iter().all(|s| s.authorization.is_none()));
}

/// Resyncs begun in each stretch of 20 s of phone time, as the rows of `intervals.csv` have them.
fn rows(tally: &Tally) -> Vec<u32> {
    tally.intervals.levels().map(|level| level.interval.started).collect()
}

/// The retry list "carries no jitter: phones that fail together come back together at +60, +120, +240 s".
#[test]
fn retry_convoy_shows_its_peaks_at_their_seconds() {
    let (tally, seen) = play("retry-convoy", &[]);
    let rows = rows(&tally);
    // 20 s each: the storm at 0 s, and convoys at 60, 60 + 120 and 60 + 120 + 240 s. Each lasts as long as the storm.
    let convoys: BTreeSet<usize> = [0, 3, 9, 21].into();
    for (row, started) in rows.iter().enumerate() {
        let beside = convoys.contains(&row) || row.checked_sub(1).is_some_and(|before| convoys.contains(&before));
        assert!(beside || *started == 0, "row {row}: {started} of {rows:?}");
    }
    for (row, least) in [(0, 550), (3, 550), (9, 550), (21, 50)] {
        assert!(rows[row] >= least, "row {row}: {rows:?}");
    }
    // Nobody was there for the first two.
    assert_eq!(outcome(&tally, Operation::Resync, Outcome::Failed(bootstorm::phone::Failure::ConnectRefused)), 1200);
    assert!(seen.iter().all(|s| (s.at < at(90)) == s.status.is_none()));
    assert!(outcome(&tally, Operation::Resync, Outcome::Overload) > 0, "the third is too much for the queue");
    assert!(tally.totals.standings.provisioned >= 550);
}

/// "`a+b` adds a random 0..b": the same storm with jitter comes back as a trickle.
#[test]
fn retry_convoy_with_jitter_has_no_peaks() {
    let jitter = "fleet.cisco.settings.resync-error-retry-delay=60+240,120+240,240+240";
    let (tally, _) = play("retry-convoy", &[jitter]);
    let rows = rows(&tally);
    assert!(rows[0] >= 550, "the storm itself is as it was: {rows:?}");
    let most = rows.iter().skip(2).max().unwrap();
    assert!(*most < 100, "a convoy was 600: {rows:?}");
    assert_eq!(outcome(&tally, Operation::Resync, Outcome::Overload), 0);
    assert_eq!(tally.totals.standings.provisioned, 600);
}

/// "A planned mass reboot emits an upload burst before the download burst."
#[test]
fn planned_restart_uploads_before_it_downloads() {
    let (tally, seen) = play("planned-restart", &[]);
    assert_eq!((tally.totals.standings.provisioned, tally.totals.standings.failed), (400, 0));
    assert_eq!(outcome(&tally, Operation::Report, Outcome::Ok), 300);
    let mut uploaded = BTreeSet::new();
    let mut octets = 0;
    for s in seen.iter().filter(|s| !s.is_avaya() && s.status == Some(200) || s.status == Some(201)) {
        let mac = s.path.rsplit('/').next().unwrap().to_owned();
        if s.method == Method::PUT {
            octets += s.body;
            uploaded.insert(mac);
        } else if s.path.ends_with(".xml") {
            assert!(uploaded.contains(&mac), "{mac} came back before it had reported");
        }
    }
    assert_eq!(uploaded.iter().filter(|mac| mac.ends_with(".xml")).count(), 300);
    assert!(octets > 300 * 40_000, "about 56 KB a phone: {octets}");
    // Without the reports there is only the download burst.
    let (tally, _) = play("planned-restart", &["fleet.cisco.settings.report-rule=\"\""]);
    assert_eq!(tally.totals.operation(Operation::Report).planned, 0);
    assert_eq!(tally.totals.standings.provisioned, 400);
}

/// One address, 200 phones, at least one 401 for each, and a few that come back for more.
#[test]
fn nat_site_earns_its_address_a_401_for_each_phone() {
    let (tally, seen) = play("nat-site", &[]);
    let refused = seen.iter().filter(|s| s.status == Some(401)).count() as u64;
    assert_eq!(refused, count(&tally.totals.exchanges.statuses, 401));
    assert!((200..260).contains(&refused), "{refused}");
    // A filter that counts 401s in a minute, as they do, would ban the branch within its first minute.
    let first = seen.iter().find(|s| s.status == Some(401)).unwrap().at;
    let in_a_minute = seen.iter().filter(|s| s.status == Some(401) && s.at < first + Duration::from_secs(60)).count();
    assert!(in_a_minute > 100, "{in_a_minute}");
    assert!(seen.iter().all(|s| s.status.is_some()), "{:?}", Mishap::Refused);
}
