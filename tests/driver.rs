//! The driver on real sockets: bounds, power lost in mid-exchange, timeouts, interruption, addresses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod support;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use bootstorm::driver;
use bootstorm::metrics::Totals;
use bootstorm::phone::{DropCause, Failure, Operation, Origin, Outcome};
use bootstorm::workload::{Overrides, Plan, parse};
use support::live;

/// Cisco phones that boot at once; `more` is added to the workload, top keys of `[run]` first.
fn plan(phones: u32, run: &str, more: &str) -> Arc<Plan> {
    let text = format!(
        r#"
seed = 3
[run]
{run}
[target.embedded]
tls = false
[target.embedded.auth]
offers = ["digest-md5"]
realm = "Digest"
[[fleet]]
name = "cisco"
family = "cisco-mpp"
count = {phones}
[fleet.credentials]
realm = "Digest"
[fleet.settings]
resync-random-delay = "0s"
[[phase]]
name = "power"
does = "power-up"
arrival = "at-once"
{more}
"#
    );
    Arc::new(parse(&text, "driver.toml", Path::new("."), &Overrides::default()).unwrap_or_else(|e| panic!("{e}")))
}

fn outcomes(totals: &Totals, outcome: Outcome) -> u64 {
    totals.operation(Operation::Resync).outcomes.get(&outcome).copied().unwrap_or(0)
}

fn assert_books_close(totals: &Totals) {
    for operation in Operation::ALL {
        let o = totals.operation(operation);
        assert_eq!(o.planned, o.started + o.dropped.values().sum::<u64>(), "{operation}");
        assert_eq!(o.started, o.outcomes.values().sum::<u64>(), "{operation}");
    }
    assert!(totals.ledger_faults.is_empty(), "{:?}", totals.ledger_faults);
}

#[test]
fn connections_stay_within_their_bound_and_everybody_gets_a_turn() {
    let driven = live::run(&plan(200, "", ""), 2, 6);
    let totals = &driven.tally.totals;
    assert_eq!(outcomes(totals, Outcome::Ok), 200);
    assert!(driven.peak_connections <= 6, "{}", driven.peak_connections);
    assert!(totals.exchanges.opened >= 194, "a line is closed for the next phone: {}", totals.exchanges.opened);
    assert_books_close(totals);
}

#[test]
fn a_bound_below_the_number_of_shards_is_kept_too() {
    let driven = live::run(&plan(20, "", ""), 4, 1);
    assert_eq!((driven.peak_connections, driven.generator.shards), (1, 1));
    assert_eq!(outcomes(&driven.tally.totals, Outcome::Ok), 20);
    let driven = live::run(&plan(20, "", ""), 2, 3);
    assert!(driven.peak_connections <= 3);
    assert_books_close(&driven.tally.totals);
}

/// A server that takes requests and never answers. Returns its origin and the sources of its connections.
fn silent_server() -> (Origin, Arc<Mutex<BTreeSet<std::net::IpAddr>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sources = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = sources.clone();
    thread::spawn(move || {
        let mut kept = Vec::new();
        while let Ok((stream, peer)) = listener.accept() {
            seen.lock().unwrap().insert(peer.ip());
            kept.push(stream);
        }
    });
    (Origin { tls: false, host: "127.0.0.1".into(), port }, sources)
}

#[test]
fn an_answer_that_never_comes_is_a_timeout_of_its_own_name() {
    let plan = plan(20, "", "[timeouts]\nfirst-byte = \"100ms\"");
    let (origin, _) = silent_server();
    let driven = driver::run(&plan, live::setting(&plan, origin, None, 1, 100)).unwrap();
    let totals = &driven.tally.totals;
    assert_eq!(outcomes(totals, Outcome::Failed(Failure::TimeoutFirstByte)), 20);
    assert_eq!(totals.standings.failed, 20);
    assert_books_close(totals);
}

#[test]
fn power_that_goes_and_returns_in_mid_exchange_ends_the_operation_and_boots_anew() {
    let again = "[[phase]]\nname = \"again\"\nat = \"200ms\"\ndoes = \"power-up\"\narrival = \"at-once\"\n\
                 [timeouts]\nfirst-byte = \"500ms\"";
    let plan = plan(10, "", again);
    let (origin, _) = silent_server();
    let driven = driver::run(&plan, live::setting(&plan, origin, None, 1, 100)).unwrap();
    let totals = &driven.tally.totals;
    assert_eq!(outcomes(totals, Outcome::Failed(Failure::Aborted)), 10);
    assert_eq!(outcomes(totals, Outcome::Failed(Failure::TimeoutFirstByte)), 10);
    assert_books_close(totals);
}

#[test]
fn an_interrupted_run_drains_and_a_second_interrupt_ends_it_at_once() {
    let plan = plan(
        40,
        "",
        "[[fleet]]\nname = \"later\"\nfamily = \"cisco-mpp\"\ncount = 10\n\
        extension = \"{index+30000}\"\nmac = \"00562c{number:06x}\"\n[fleet.credentials]\nrealm = \"Digest\"\n\
        [fleet.settings]\nresync-random-delay = \"1h\"",
    );
    let (origin, sources) = silent_server();
    let setting = live::setting(&plan, origin, None, 2, 100);
    let control = setting.control.clone();
    let driven = thread::scope(|scope| {
        let run = scope.spawn(|| driver::run(&plan, setting).unwrap());
        // The first requests hang at the server by the time it has seen a connection.
        while sources.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        assert!(!control.interrupt(), "the first drains");
        assert!(control.interrupt(), "the second ends at once");
        run.join().unwrap()
    });
    let totals = &driven.tally.totals;
    let resync = totals.operation(Operation::Resync);
    assert_eq!(resync.planned, 50);
    assert!(resync.dropped.get(&DropCause::Interrupted).copied().unwrap_or(0) >= 9, "{:?}", resync.dropped);
    assert_eq!(outcomes(totals, Outcome::Failed(Failure::Aborted)), resync.started);
    assert_books_close(totals);
}

/// Nothing vanishes: what the plan still had when the run was interrupted is planned, and dropped.
#[test]
fn the_rest_of_the_plan_is_dropped_when_a_run_is_interrupted() {
    let text = plan(60, "", "").effective.replace("\"at-once\"", "{ constant = \"1/min\" }");
    let plan =
        Arc::new(parse(&text, "slow.toml", Path::new("."), &Overrides::default()).unwrap_or_else(|e| panic!("{e}")));
    let (origin, sources) = silent_server();
    let setting = live::setting(&plan, origin, None, 2, 100);
    let control = setting.control.clone();
    let driven = thread::scope(|scope| {
        let run = scope.spawn(|| driver::run(&plan, setting).unwrap());
        while sources.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        control.interrupt();
        control.interrupt();
        run.join().unwrap()
    });
    let totals = &driven.tally.totals;
    let resync = totals.operation(Operation::Resync);
    assert_eq!((resync.planned, resync.started), (60, 1));
    assert_eq!(resync.dropped.get(&DropCause::Interrupted), Some(&59));
    assert_eq!(totals.standings.off, 59, "phones the power never reached are off");
    assert_books_close(totals);
}

#[test]
fn phones_come_from_the_named_sources_in_turn() {
    let plan = plan(64, "", "[network]\nsources = [\"127.0.7.1-127.0.7.16\"]\n[timeouts]\nfirst-byte = \"100ms\"");
    let (origin, sources) = silent_server();
    driver::run(&plan, live::setting(&plan, origin, None, 2, 100)).unwrap();
    let named: BTreeSet<std::net::IpAddr> = (1..=16).map(|n| format!("127.0.7.{n}").parse().unwrap()).collect();
    assert_eq!(*sources.lock().unwrap(), named);
}

#[test]
fn a_target_on_ipv6_is_a_target_like_any_other() {
    let text = plan(30, "", "").effective.replace("127.0.0.1:0", "[::1]:0");
    let plan =
        Arc::new(parse(&text, "v6.toml", Path::new("."), &Overrides::default()).unwrap_or_else(|e| panic!("{e}")));
    assert!(live::embedded(&plan).listen.is_ipv6(), "{}", plan.effective);
    let driven = live::run(&plan, 2, 100);
    assert_eq!(outcomes(&driven.tally.totals, Outcome::Ok), 30);
}

/// A server may answer and close without a word; phones of a family that keeps connections just open another.
#[test]
fn a_server_that_closes_after_each_answer_costs_connections_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut head = Vec::new();
            let mut buffer = [0; 1024];
            while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(n) if n > 0 => head.extend_from_slice(&buffer[..n]),
                    _ => break,
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let again = "[[phase]]\nname = \"again\"\nat = \"1s\"\ndoes = \"resync\"\narrival = \"at-once\"";
    let plan = plan(20, "", again);
    let origin = Origin { tls: false, host: "127.0.0.1".into(), port };
    let driven = driver::run(&plan, live::setting(&plan, origin, None, 1, 100)).unwrap();
    let totals = &driven.tally.totals;
    assert_eq!(outcomes(totals, Outcome::Ok), 40);
    assert_eq!((totals.exchanges.opened, totals.exchanges.reused), (40, 0));
    assert_books_close(totals);
}
