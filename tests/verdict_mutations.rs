//! Faults planted into the generator and its machine: each must get the right verdict for the right reason, and a slow
//! server must not be taken for one.
//!
//! Runs on sockets and clocks, beside whatever else this machine does: so plants are generous, and what noise could hide
//! or feign is proven on records made by hand (`metrics::verdict::tests`).
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;
#[path = "support/live.rs"]
#[allow(dead_code, reason = "these tests make their own settings")]
mod live;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bootstorm::driver::{self, Handicap};
use bootstorm::metrics::journal::Header;
use bootstorm::metrics::{Distribution, PlanFacts, Record, Validity, Verdict};
use bootstorm::report::{Circumstances, Manifest, Saved};
use bootstorm::workload::{Overrides, Plan, SourceRange, parse};
use cli::{Ended, Home, Served};
use serde_json::Value;

/// One run at a time: they are each other's noise.
fn alone() -> MutexGuard<'static, ()> {
    static RUNS: Mutex<()> = Mutex::new(());
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cisco phones that boot at an even rate and fetch their profiles over plain HTTP: a millisecond each.
fn workload(phones: u32, per_second: u32, more: &str) -> String {
    format!(
        r#"
seed = 3
[run]
until = "settled"
limit = "1m"
[target.embedded]
tls = false
{more}
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
resync-periodic = "0s"
report-rule = ""
[[phase]]
name = "power"
does = "power-up"
arrival = {{ constant = "{per_second}/s" }}
"#
    )
}

fn plan(phones: u32, per_second: u32) -> Arc<Plan> {
    let text = workload(phones, per_second, "");
    Arc::new(parse(&text, "verdict.toml", Path::new("."), &Overrides::default()).unwrap_or_else(|e| panic!("{e}")))
}

/// The plan carried out with this fault, as its journal tells it.
fn run(plan: &Arc<Plan>, handicap: Handicap, floor: Distribution, sources: &[SourceRange]) -> Record {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(Saved::JOURNAL);
    // Judged as if the server were elsewhere: with an embedded one, the generator is forgiven for giving way to it.
    let facts = PlanFacts { embedded: false, ..PlanFacts::of(plan) };
    let manifest = Manifest::of(&facts, SystemTime::UNIX_EPOCH, Circumstances::default()).to_text();
    let running = live::serve(plan);
    let mut setting = live::setting(plan, running.origin(), None, 1, plan.phones() as usize);
    setting.journal = Some(Box::new(std::fs::File::create_new(&path).unwrap()));
    setting.header = Header { plan: facts, manifest, ..Header::default() };
    setting.timer_floor = floor;
    setting.handicap = handicap;
    setting.net.network.sources = sources.to_vec();
    driver::run(plan, setting).unwrap();
    running.stop();
    Saved::open(folder.path()).unwrap().record
}

/// The floor of a machine that has nothing else to do: what is planted lies above it wherever the tests run.
fn quiet() -> Distribution {
    let mut floor = Distribution::new();
    (0..300).for_each(|_| floor.record(Duration::from_micros(20)));
    floor
}

#[track_caller]
fn assert_says(verdict: &Verdict, state: Validity, words: &str) {
    assert_eq!(verdict.state, state, "{:?}", verdict.reasons);
    assert!(verdict.reasons.iter().any(|reason| reason.contains(words)), "{words}: {:?}", verdict.reasons);
}

#[test]
fn ticks_of_a_millisecond_are_found() {
    let _alone = alone();
    let verdict = run(&plan(600, 300), Handicap::Ticks(Duration::from_millis(1)), quiet(), &[]).verdict();
    // Invalid by the p99; where others make the tail longer still, degraded by the median.
    assert_ne!(verdict.state, Validity::Valid);
    assert!(verdict.reasons.iter().any(|r| r.contains("resync: lateness p")), "{verdict:?}");
}

#[test]
fn stalls_of_50_ms_every_5_s_are_found() {
    let _alone = alone();
    let stalls = Handicap::Stalls { every: Duration::from_secs(5), lasting: Duration::from_millis(50) };
    let verdict = run(&plan(3_150, 300), stalls, quiet(), &[]).verdict();
    // A hundredth of the operations begin in a stall: by chance a few more or fewer.
    assert_ne!(verdict.state, Validity::Valid);
    let reasons = verdict.reasons.join("\n");
    assert!(reasons.contains("too long for the law") && reasons.contains("resync: lateness p99"), "{reasons}");
}

#[test]
fn stalls_that_touch_one_operation_in_ten_make_it_invalid() {
    let _alone = alone();
    let stalls = Handicap::Stalls { every: Duration::from_millis(500), lasting: Duration::from_millis(50) };
    let record = run(&plan(600, 300), stalls, quiet(), &[]);
    assert_says(&record.verdict(), Validity::Invalid, "resync: lateness p99 of");
}

#[test]
fn ports_that_run_out_are_the_generators() {
    let _alone = alone();
    // What the system says when an address has no port left, it also says of an address that is not here.
    let nowhere = [SourceRange { first: "192.0.2.1".parse().unwrap(), count: 1 }];
    let record = run(&plan(40, 100), Handicap::None, quiet(), &nowhere);
    let verdict = record.verdict();
    assert_says(&verdict, Validity::Invalid, "no local port was free on the generator's machine");
}

/// `bootstorm run` in a process of its own.
struct Generator {
    home: Home,
}

impl Generator {
    fn new(workload: &str) -> Generator {
        let home = Home::new();
        home.write("verdict.toml", workload);
        Generator { home }
    }

    /// By way of this program and its arguments.
    fn by(&self, program: &str, arguments: &[&str]) -> Command {
        let bootstorm = assert_cmd::cargo::cargo_bin("bootstorm");
        let mut command = self.home.command(program);
        command.args(arguments).arg(bootstorm);
        command.args(["run", "verdict.toml", "--shards", "1", "--out", "out", "--json"]);
        command
    }
}

/// Ended with the test, however that ends.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn reasons(summary: &Value) -> String {
    let reasons = summary["verdict"]["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| reason.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The first core this process may use.
fn a_core() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    cores.trim().split([',', '-']).next().unwrap().to_owned()
}

#[test]
fn a_hog_on_the_generators_core_is_found() {
    let _alone = alone();
    let core = a_core();
    let pinned = |program: &str, arguments: &[&str]| {
        let mut command = Command::new("taskset");
        command.args(["-c", &core, program]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    if !pinned("true", &[]).status().is_ok_and(|status| status.success()) {
        eprintln!("no taskset here: nothing is shown");
        return;
    }
    let generator = Generator::new(&workload(900, 300, ""));
    let served = Served::start(&generator.home, &["--no-tls"]);
    let mut child = generator.by("taskset", &["-c", &core, "nice", "-n", "10"]);
    child.args(["--target", served.url()]);
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The floor has been measured by the time there is a journal: the hogs come after it.
    let journal = generator.home.path("out/journal.bin");
    while !journal.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let hog = || Ending(pinned("sh", &["-c", "while :; do :; done"]).spawn().unwrap());
    let _hogs = [hog(), hog(), hog()];
    let ended = Ended::of(&child.wait_with_output().unwrap());
    let summary = ended.json();
    assert_eq!((ended.code, &summary["verdict"]["state"]), (Some(97), &Value::from("invalid")), "{}", ended.stderr);
    assert!(
        reasons(&summary).contains("something else on the generator's machine held the core"),
        "{}",
        reasons(&summary)
    );
}

/// And whoever accepts that is told so everywhere.
#[test]
fn files_that_run_out_are_the_generators() {
    let _alone = alone();
    // 50 requests a second where 200 phones come: ever more of them are under way.
    let slow = "[target.embedded.work]\nservice = \"20ms\"\nworkers = 1\nqueue = 2000";
    let generator = Generator::new(&workload(300, 200, slow));
    let mut limited = generator.by("sh", &["-c", "ulimit -n 120; exec \"$@\"", "sh"]);
    let ended = Ended::of(&limited.arg("--accept-invalid").output().unwrap());
    let summary = ended.json();
    assert_eq!(summary["verdict"]["state"], "invalid");
    assert!(reasons(&summary).contains("the generator's machine allows only"), "{}", reasons(&summary));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("accepted, as --accept-invalid says"), "{}", ended.stderr);
    assert_eq!(summary["marks"]["accepted_invalid"], true);
    assert_eq!(generator.home.json("out/manifest.json")["marks"]["accepted_invalid"], true);
    let told = generator.home.run(&["report", "out"]);
    assert!(told.stdout.contains("INVALID ACCEPTED"), "{}", told.stdout);
}

#[test]
fn a_slow_server_is_not_blamed_on_the_generator() {
    let _alone = alone();
    let slow = "[target.embedded.work]\nservice = \"10ms\"\nworkers = 1\nqueue = 2000";
    let generator = Generator::new(&workload(300, 200, slow));
    let ended = Ended::of(&generator.by("env", &[]).output().unwrap());
    let summary = ended.json();
    let resync = &summary["operations"]["resync"];
    assert!(resync["response_ms"]["p99"].as_f64().unwrap() > 1_000.0, "it was slow: {resync}");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // Unless something else on this machine really holds its cores.
    if summary["generator"]["shard_waited_max"].as_f64().unwrap() < 0.05 {
        assert_eq!(summary["verdict"], serde_json::json!({ "state": "valid", "reasons": [] }));
    }
}

/// How many of so many clean runs raise an alarm, though their machine was sound. A machine that others keep busy is
/// found out rightly: its runs are no false alarms.
fn false_alarms(runs: u32) -> Vec<String> {
    let mut alarms = Vec::new();
    for _ in 0..runs {
        let floor = driver::timer_floor().unwrap();
        let sound = floor.quantile_us(0.99).is_some_and(|us| us < 1_000);
        let record = run(&plan(400, 200), Handicap::None, floor, &[]);
        let looks: Vec<_> = record.timeline.rows.iter().filter_map(|row| row.machine.as_ref()).collect();
        let waited = looks.iter().flat_map(|look| &look.shards).map(|shard| shard.waited).fold(0.0, f32::max);
        let stolen = looks.iter().flat_map(|look| &look.cores).map(|core| core.steal).fold(0.0, f32::max);
        let verdict = record.verdict();
        if verdict.state != Validity::Valid && sound && waited < 0.02 && stolen < 0.02 {
            alarms.push(verdict.reasons.join("; "));
        }
    }
    alarms
}

#[test]
fn clean_runs_raise_no_alarm() {
    let _alone = alone();
    let alarms = false_alarms(2);
    assert!(alarms.len() <= 1, "{alarms:?}");
}

/// At most one in twenty. Takes minutes; `cargo test --test verdict_mutations -- --ignored`.
#[test]
#[ignore = "takes minutes"]
fn at_most_one_clean_run_in_twenty_raises_an_alarm() {
    let _alone = alone();
    let alarms = false_alarms(60);
    eprintln!("{} of 60: {alarms:#?}", alarms.len());
    assert!(alarms.len() <= 3, "{alarms:?}");
}
