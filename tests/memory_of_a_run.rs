//! A run's memory does not grow with its length: an hour in virtual time needs no more than a minute.
//!
//! The journal of each is written (to nowhere) as it goes. What is alive is counted octet by octet, by the allocator,
//! every half second: the same figures each time, on every machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::alloc::System;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bootstorm::metrics::journal::{Entry, Header, Writer};
use bootstorm::metrics::{PlanFacts, Slice};
use bootstorm::phone::{Chance, Origin};
use bootstorm::simulate::{Latencies, simulate_into};
use bootstorm::target::Site;
use bootstorm::workload::{Overrides, Target, parse};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Forty phones that boot in the first two seconds, at which people change something now and then: the same rate, however long.
const WORKLOAD: &str = r#"
seed = 5
[run]
duration = "DURATION"

[target.embedded]
tls = false
likeness = "iis"
prefilled = true
[target.embedded.auth]
offers = ["digest-md5-sess"]

[[fleet]]
name = "desks"
family = "avaya-96xx"
count = 40
extension = "{index+20000}"
backup-size = "1KB"
[fleet.credentials]
user = "{ext}"
password = "pw-{ext}"
realm = "Digest"
[fleet.settings]
backup-delay = "1s..2s"

[[phase]]
name = "power"
does = "power-up"
arrival = { constant = "20/s" }

[[phase]]
name = "changes"
does = "change"
arrival = { poisson = { rate = "3/s", over = "DURATION" } }

[[phase]]
name = "restores"
does = "restore"
arrival = { poisson = { rate = "1/s", over = "DURATION" } }
"#;

/// Octets alive now.
fn alive() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// What the run and its journal took at most, beside what was there before, and how many operations it had.
fn most_alive(duration: &str) -> (usize, u64) {
    let workload = WORKLOAD.replace("DURATION", duration);
    let plan = Arc::new(parse(&workload, "memory.toml", Path::new("."), &Overrides::default()).unwrap());
    let Target::Embedded(config) = &plan.target else { panic!("the workload has its own target") };
    let site = Site::for_fleets(config, &plan.fleets, Chance::new(plan.seed)).unwrap();
    let origin = Arc::new(Origin { tls: false, host: "127.0.0.1".into(), port: 80 });
    let mut journal = Writer::begin(io::sink()).unwrap();
    journal.put(&Entry::Header(Header { plan: PlanFacts::of(&plan), ..Header::default() })).unwrap();
    let (before, mut most, mut operations) = (alive(), 0, 0);
    let mut take = |slice: Slice| {
        operations += slice.totals.operations.iter().map(|o| o.finished()).sum::<u64>();
        journal.put(&Entry::Slice(slice)).unwrap();
        most = most.max(alive() - before);
    };
    let ended =
        simulate_into(&plan, &origin, "", Latencies::default(), |now, request| site.respond(now, request), &mut take);
    assert!(ended >= Duration::from_secs(60), "{ended:?}");
    (most, operations)
}

#[test]
fn an_hour_takes_no_more_memory_than_a_minute() {
    // What is made once and stays, such as tables, is made before anything is counted.
    most_alive("1m");
    let (minute, few) = most_alive("1m");
    let (hour, many) = most_alive("1h");
    println!("at most {minute} octets alive in a minute ({few} operations), {hour} in an hour ({many} operations)");
    assert!(many > 10 * few, "{few} operations in a minute, {many} in an hour");
    // More of the same phones have been busy at once in an hour than in a minute, which is no growth.
    assert!(hour < minute + minute / 4, "{minute} octets in a minute, {hour} in an hour");
}
