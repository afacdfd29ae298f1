//! The driver on real sockets: bounds, power lost in mid-exchange, timeouts, interruption, addresses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod support;

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bootstorm::driver::{self, Durable, Handicap};
use bootstorm::metrics::Totals;
use bootstorm::metrics::journal::{Entry, How, Reader, Replay};
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

/// Two connections for sixty phones, each of which keeps one for two answers of 20 ms: thirty turns, one after another.
#[test]
fn waiting_for_a_connection_is_part_of_the_response_time_and_told_apart() {
    let work = "[target.embedded.work]\nservice = \"20ms\"";
    let driven = live::run(&plan(60, "", work), 1, 2);
    let totals = &driven.tally.totals;
    assert_eq!((outcomes(totals, Outcome::Ok), driven.peak_connections), (60, 2));
    let resyncs = totals.operation(Operation::Resync);
    let turn = 40_000;
    assert!(resyncs.service.mean_us().unwrap() >= turn as f64);
    assert!(resyncs.response.max_us().unwrap() >= 30 * turn, "the last is answered after everybody else");
    assert!(resyncs.lateness.max_us().unwrap() >= 29 * turn, "it began when all others were through");
    assert!(totals.exchanges.phases.waited.max_us().unwrap() >= 29 * turn - 20_000, "and what it waited for is told");
    // In turn: the n-th two wait for n turns at least, so that on average it is half of all.
    assert!(resyncs.lateness.mean_us().unwrap() >= 14.5 * turn as f64);
    let [response, lateness, service] =
        [&resyncs.response, &resyncs.lateness, &resyncs.service].map(|times| times.mean_us().unwrap());
    assert!((response - lateness - service).abs() < 5.0, "{response} is {lateness} and {service}");
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

/// A journal in memory, which can be read while it is written.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Durable for Paper {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn content(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    /// Whether there is such an entry by now.
    fn has(&self, is_it: impl Fn(&Entry) -> bool) -> bool {
        let content = self.content();
        Reader::begin(content.as_slice()).is_ok_and(|mut reader| reader.any(|entry| is_it(&entry.unwrap())))
    }
}

#[test]
fn the_journal_of_a_run_tells_what_the_run_did() {
    let again = "[[phase]]\nname = \"again\"\nat = \"1100ms\"\ndoes = \"resync\"\narrival = \"at-once\"";
    let plan = plan(60, "", again);
    let running = live::serve(&plan);
    let paper = Paper::default();
    let setting = driver::Setting {
        journal: Some(Box::new(paper.clone())),
        timer_floor: driver::timer_floor().unwrap(),
        ..live::setting(&plan, running.origin(), None, 2, 100)
    };
    let driven = driver::run(&plan, setting).unwrap();
    running.stop();
    assert!(driven.journal_error.is_none());
    let content = paper.content();
    let Replay { header, record, end } = Replay::of(Reader::begin(content.as_slice()).unwrap()).unwrap();
    assert_eq!(end.how, How::Closed);
    assert_eq!(record.tally.totals, driven.tally.totals);
    assert_eq!((record.generator, record.marks), (driven.generator.clone(), driven.marks));
    assert_eq!(outcomes(&record.tally.totals, Outcome::Ok), 120);
    assert_books_close(&record.tally.totals);
    assert_eq!(record.wall.as_micros(), driven.wall.as_micros());
    assert!(header.generator.timer_floor.quantile_us(0.99).is_some() && header.started_at_ms > 0);
    let g = &driven.generator;
    assert_eq!((g.shards, g.max_connections), (2, 100));
    assert!(g.cpu_seconds > 0.0 && g.cpu_busy_max >= g.cpu_busy && g.loop_lag.count() > 0, "{g:?}");
    assert!(g.open_files > driven.peak_connections as u64 && g.rss_bytes > 0, "{g:?}");
}

/// Who is killed leaves what happened by then: it is written while the run is on, the header before the first phone
/// starts.
#[test]
fn the_journal_is_written_while_the_run_is_on() {
    let plan = plan(20, "", "");
    let (origin, sources) = silent_server();
    let paper = Paper::default();
    let setting =
        driver::Setting { journal: Some(Box::new(paper.clone())), ..live::setting(&plan, origin, None, 2, 100) };
    let (control, live) = (setting.control.clone(), setting.live.clone());
    let driven = thread::scope(|scope| {
        let run = scope.spawn(|| driver::run(&plan, setting).unwrap());
        while sources.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        let begun = paper.content();
        assert!(Reader::begin(begun.as_slice()).is_ok(), "a phone has started, and the header is there");
        let tells_of_phones = |entry: &Entry| matches!(entry, Entry::Slice(s) if s.totals.exchanges.sent == 20);
        let tells_of_the_machine = |entry: &Entry| match entry {
            Entry::Machine(sample) => sample.shards.len() == 2 && !sample.cores.is_empty() && sample.open_files >= 20,
            _ => false,
        };
        while !(paper.has(tells_of_phones) && paper.has(tells_of_the_machine)) {
            assert!(!run.is_finished(), "it waits for a server that never answers");
            thread::sleep(Duration::from_millis(10));
        }
        {
            let known = live.known();
            assert_eq!((known.tally.totals.exchanges.sent, known.tally.totals.phones), (20, 20));
            assert!(known.machine.is_some() && known.generator.cpu_seconds > 0.0);
        }
        control.interrupt();
        control.interrupt();
        run.join().unwrap()
    });
    assert!(driven.marks.partial);
    assert_books_close(&driven.tally.totals);
}

/// What the verdict must find can be planted: noise only makes it worse.
#[test]
fn a_handicap_shows() {
    let run = |handicap| {
        let text = plan(60, "", "").effective.replace("\"at-once\"", "{ constant = \"100/s\" }");
        let plan = Arc::new(
            parse(&text, "even.toml", Path::new("."), &Overrides::default()).unwrap_or_else(|e| panic!("{e}")),
        );
        let running = live::serve(&plan);
        let setting = driver::Setting { handicap, ..live::setting(&plan, running.origin(), None, 1, 100) };
        let driven = driver::run(&plan, setting).unwrap();
        assert_eq!(outcomes(&driven.tally.totals, Outcome::Ok), 60);
        running.stop();
        driven
    };
    let ticks = run(Handicap::Ticks(Duration::from_millis(40)));
    let late = ticks.tally.totals.pace.mean_us().unwrap();
    assert!(late > 10_000.0, "only what ends an exchange wakes it in between: {late} µs");
    let stalls = run(Handicap::Stalls { every: Duration::from_millis(200), lasting: Duration::from_millis(60) });
    let lag = stalls.generator.loop_lag.max_us().unwrap();
    assert!(lag >= 45_000, "what was due 10 ms into a stall waits for its end: {lag} µs");
}
