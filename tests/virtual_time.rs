//! The same fleet in virtual time and in real time: equal counters, because the phones are the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bootstorm::metrics::Totals;
use bootstorm::phone::Origin;
use bootstorm::simulate::{Latencies, simulate};
use bootstorm::workload::{Overrides, Plan, parse};
use support::live;

/// A thousand phones of both families, some with wrong, missing or stale credentials, people at some desks;
/// they boot, then a part of them has something to back up or report.
const WORKLOAD: &str = r#"
seed = 11
[run]
compression = 10
limit = "10m"

[target.embedded]
tls = false
likeness = "iis"
prefilled = true
[target.embedded.auth]
offers = ["digest-md5-sess"]
realm = "Digest"
protects = "all-but-settings"

[[fleet]]
name = "avaya"
family = "avaya-96xx"
count = 500
extension = "{index+20000}"
mac = "001b4f{number:06x}"
backup-size = "1KB..4KB"
[fleet.credentials]
user = "{ext}"
password = "pw-{ext}"
realm = "Digest"
null = "5%"
wrong = "5%"
stale-realm = "5%"
[fleet.people]
come = "50%"
think = "3s..10s"
right = "50%"
[fleet.settings]
registration-delay = "1s..4s"
backup-delay = "1s..2s"

[[fleet]]
name = "cisco"
family = "cisco-mpp"
count = 500
extension = "{index+20000}"
mac = "00562b{number:06x}"
backup-size = "4KB"
[fleet.credentials]
realm = "Digest"
null = "5%"
wrong = "5%"
[fleet.people]
come = "50%"
think = "3s..10s"
right = "50%"
[fleet.settings]
resync-random-delay = "5s"
report-delay = "1s"

[[phase]]
name = "power"
does = "power-up"
arrival = { constant = "100/s" }

[[phase]]
name = "changes"
at = "80s"
does = "change"
share = "50%"
arrival = { constant = "100/s" }
"#;

fn plan(overrides: &Overrides) -> Arc<Plan> {
    Arc::new(parse(WORKLOAD, "virtual-time.toml", Path::new("."), overrides).unwrap())
}

fn in_virtual_time(plan: &Arc<Plan>) -> Totals {
    let origin = Arc::new(Origin { tls: false, host: "127.0.0.1".into(), port: 80 });
    let site = live::site(plan);
    let (tally, _) = simulate(plan, &origin, "", Latencies::default(), |now, request| site.respond(now, request));
    tally.totals
}

/// Every counter that does not depend on how long things took.
fn counters(totals: &Totals) -> BTreeMap<String, String> {
    let mut counters = BTreeMap::new();
    let mut put = |name: &str, value: String| counters.insert(name.to_owned(), value);
    for operation in bootstorm::phone::Operation::ALL {
        let o = totals.operation(operation);
        put(&format!("{operation} planned"), o.planned.to_string());
        put(&format!("{operation} started"), o.started.to_string());
        put(&format!("{operation} dropped"), format!("{:?}", o.dropped));
        put(&format!("{operation} outcomes"), format!("{:?}", o.outcomes));
    }
    put("sent", totals.exchanges.sent.to_string());
    put("calm", totals.exchanges.calm.to_string());
    put("auth retries", totals.exchanges.auth_retries.to_string());
    put("statuses", format!("{:?}", totals.exchanges.statuses));
    put("failures", format!("{:?}", totals.exchanges.failures));
    put("challenges", format!("{:?}", totals.auth.challenges));
    put("answers", format!("{:?}", totals.auth.answers));
    put("prompts", format!("{:?}", totals.auth.prompts));
    put("typed", format!("{} right, {} wrong", totals.auth.typed_right, totals.auth.typed_wrong));
    put("stored", totals.auth.stored.to_string());
    put("standings", format!("{:?}", totals.standings));
    put("ledger faults", format!("{:?}", totals.ledger_faults));
    counters
}

/// Where no connection is kept, none is in either time.
#[test]
fn a_connection_for_each_exchange_is_one_in_both_times() {
    let sets = vec!["tls.connections=per-exchange".to_owned()];
    let plan = plan(&Overrides { phones: Some(100), sets, ..Overrides::default() });
    let real_time = live::run(&plan, 2, 500).tally.totals;
    let virtual_time = in_virtual_time(&plan);
    assert_eq!(counters(&virtual_time), counters(&real_time));
    for totals in [virtual_time, real_time] {
        assert_eq!((totals.exchanges.reused, totals.exchanges.opened), (0, totals.exchanges.sent));
    }
}

#[test]
fn a_thousand_phones_count_the_same_in_virtual_and_in_real_time() {
    let plan = plan(&Overrides::default());
    let virtual_time = counters(&in_virtual_time(&plan));
    assert_eq!(virtual_time["sent"].parse::<u64>().unwrap() / 1000, 3, "{virtual_time:#?}");
    for shards in [1, 2] {
        assert_eq!(counters(&live::run(&plan, shards, 2_000).tally.totals), virtual_time, "{shards} shards");
    }
}

#[test]
fn virtual_time_is_the_same_every_time_and_needs_none() {
    let plan = plan(&Overrides::default());
    assert_eq!(counters(&in_virtual_time(&plan)), counters(&in_virtual_time(&plan)));
}

/// In virtual time things do happen in the same moment: here every answer comes when the power goes again.
#[test]
fn an_answer_and_a_power_cut_of_the_same_moment_close_the_books() {
    let again = r#"
[[phase]]
name = "again"
at = "3ms"
does = "power-up"
arrival = "at-once"
"#;
    let text = WORKLOAD
        .replace("compression = 10", "compression = 1")
        .replace("resync-random-delay = \"5s\"", "resync-random-delay = \"0s\"")
        .replace("{ constant = \"100/s\" }", "\"at-once\"");
    let plan = Arc::new(parse(&(text + again), "again.toml", Path::new("."), &Overrides::default()).unwrap());
    let totals = in_virtual_time(&plan);
    assert_eq!(bootstorm::metrics::unbalanced(&totals), Vec::<String>::new());
    assert!(totals.exchanges.failures.values().sum::<u64>() >= 500, "{:?}", totals.exchanges.failures);
}

/// However slow the server is, the phones do the same; only later.
#[test]
fn a_slow_server_changes_no_counter() {
    let plan = plan(&Overrides::default());
    let origin = Arc::new(Origin { tls: false, host: "127.0.0.1".into(), port: 80 });
    let site = live::site(&plan);
    let slow = Latencies { connect: Duration::from_millis(20), exchange: Duration::from_millis(30) };
    let (tally, _) = simulate(&plan, &origin, "", slow, |now, request| site.respond(now, request));
    assert_eq!(counters(&tally.totals), counters(&in_virtual_time(&plan)));
}

/// Phones of every family that are up and told to restart, as before planned work on a building's power.
const RESTART: &str = r#"
seed = 12
[run]
compression = 20
limit = "10m"

[target.embedded]
tls = false
likeness = "iis"
prefilled = true
[target.embedded.auth]
offers = ["digest-md5-sess"]
realm = "Digest"
protects = "all-but-settings"

[[fleet]]
name = "avaya"
family = "avaya-96xx"
count = 60
starts-on = true
extension = "{index+20000}"
backup-size = "1KB..4KB"

[[fleet]]
name = "cisco"
family = "cisco-mpp"
count = 60
starts-on = true
extension = "{index+20000}"
[fleet.settings]
resync-random-delay-unit = "1s"
http-report-method = "PUT"

[[fleet]]
name = "device"
family = "http-device"
count = 60
starts-on = true
extension = "{index+20000}"
[fleet.settings]
urls = ["/none/{mac}.cfg", "/{mac}.xml"]
next-on = [403, 404]
upload-path = "/logs/{mac}.log"

[[phase]]
name = "restart"
does = "restart"
arrival = { constant = "100/s" }
"#;

/// "a planned mass reboot emits an upload burst before the download burst": one upload a phone, then its boot chain; in
/// virtual time as on sockets.
#[test]
fn a_planned_restart_uploads_first_and_counts_the_same() {
    let plan = Arc::new(parse(RESTART, "restart.toml", Path::new("."), &Overrides::default()).unwrap());
    let totals = in_virtual_time(&plan);
    let virtual_time = counters(&totals);
    for (operation, count) in [("backup", 120), ("report", 60), ("resync", 180), ("restore", 60)] {
        assert_eq!(virtual_time[&format!("{operation} started")], count.to_string(), "{virtual_time:#?}");
    }
    assert_eq!(totals.standings.provisioned, 180, "{virtual_time:#?}");
    assert_eq!(counters(&live::run(&plan, 2, 2_000).tally.totals), virtual_time);
}
