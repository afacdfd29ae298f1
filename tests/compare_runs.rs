//! Runs made in virtual time, saved as journals and compared: what a person and a program get to read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::path::{Path, PathBuf};
use std::slice::from_ref;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bootstorm::metrics::journal::{Closing, Entry, Header, Writer};
use bootstorm::metrics::{GeneratorFacts, PlanFacts};
use bootstorm::phone::{Chance, Moment, Origin};
use bootstorm::report::compare::{Answer, Comparison, Question, Refusal, Row, Run, Spread};
use bootstorm::report::{Circumstances, Manifest, Saved};
use bootstorm::simulate::{Latencies, simulate_into};
use bootstorm::target::{Served, Site};
use bootstorm::workload::{Overrides, Plan, Target, parse};
use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Phones that are up fetch their profile at random moments: independent starts at a steady rate, one exchange each.
const WORKLOAD: &str = r#"
seed = 5
[run]
duration = "20m"
[target.embedded]
tls = false
auth = { offers = [] }
work = { service = "10ms..40ms", workers = 1 }
[[fleet]]
name = "desks"
family = "cisco-mpp"
count = 500
starts-on = true
mac = "00562b{number:06x}"
[fleet.credentials]
realm = "Digest"
[fleet.settings]
resync-periodic = "0s"
[[phase]]
name = "resyncs"
does = "resync"
arrival = { poisson = { rate = "8/s", over = "20m" } }
"#;

/// A server that is never quite the same: each run has its own luck, which moves all its answers by up to 2 %, and each
/// answer its own, of up to 10 ms.
struct Luck {
    run: f64,
    draws: std::cell::RefCell<Pcg64Mcg>,
}

impl Luck {
    fn of(seed: u64) -> Luck {
        let mut draws = Pcg64Mcg::seed_from_u64(seed);
        let run = 1.0 + 0.04 * (share(&mut draws) - 0.5);
        Luck { run, draws: draws.into() }
    }

    fn of_answer(&self) -> Duration {
        Duration::from_millis(10).mul_f64(share(&mut self.draws.borrow_mut()))
    }
}

fn share(draws: &mut Pcg64Mcg) -> f64 {
    f64::from(draws.next_u32()) / f64::from(u32::MAX)
}

fn plan(sets: &[&str]) -> Arc<Plan> {
    let overrides = Overrides { sets: sets.iter().map(|set| (*set).to_owned()).collect(), ..Overrides::default() };
    Arc::new(parse(WORKLOAD, "steady.toml", Path::new("."), &overrides).unwrap_or_else(|e| panic!("{e}")))
}

/// The plan carried out in virtual time by a server that is `slower` (1: as it is), saved and read again.
fn run(name: &str, plan: &Arc<Plan>, luck: u64, slower: f64) -> Run {
    let Target::Embedded(config) = &plan.target else { panic!("it has its own") };
    let site = Site::for_fleets(config, &plan.fleets, Chance::new(plan.seed)).unwrap();
    let origin = Arc::new(Origin { tls: false, host: "127.0.0.1".into(), port: 80 });
    let luck = Luck::of(luck);
    let server = |now: Moment, request: &http::Request<bytes::Bytes>| {
        let served = site.serve(now, request);
        let worked = served.at.map_or(Duration::ZERO, |at| at.since(now)) + luck.of_answer();
        Served { at: Some(now + worked.mul_f64(slower * luck.run)), ..served }
    };
    let facts = PlanFacts::of(plan);
    let started_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_293_834);
    let manifest = Manifest::of(
        &facts,
        started_at,
        Circumstances { effective: plan.effective.clone(), ..Circumstances::default() },
    );
    let header = Header { plan: facts, manifest: manifest.to_text(), ..Header::default() };
    let mut journal = Writer::begin(Vec::new()).unwrap();
    journal.put(&Entry::Header(header)).unwrap();
    let wall = simulate_into(plan, &origin, "", Latencies::default(), server, &mut |slice| {
        journal.put(&Entry::Slice(slice)).unwrap();
    });
    let generator = GeneratorFacts { shards: 1, ..GeneratorFacts::default() };
    let closing = Closing { wall_us: wall.as_micros() as u64, generator, ..Closing::default() };
    journal.put(&Entry::Closing(closing)).unwrap();
    let folder = PathBuf::from(format!("results/{name}"));
    let saved = Saved::read(&journal.into_inner()[..], &folder).unwrap();
    Run { folder, saved }
}

fn answered<'c>(comparison: &'c Comparison, key: &str) -> &'c Row {
    comparison.figures.iter().find(|row| row.key == key).unwrap_or_else(|| panic!("{key}: {comparison:#?}"))
}

const P99: &str = "operations.resync.response_ms.p99";
const MEAN: &str = "operations.resync.response_ms.mean";

#[test]
fn one_pair_is_compared_by_its_seconds() {
    let plan = plan(&[]);
    let (a, b) = (run("monday", &plan, 1, 1.0), run("tuesday", &plan, 2, 1.3));
    let comparison = Comparison::of(from_ref(&a), from_ref(&b), &Question::default()).unwrap();
    let mean = answered(&comparison, MEAN);
    assert_eq!(mean.answer, Answer::Slower, "{mean:?}");
    // 1.3 times the work is more than 1.3 times nothing but the connect (2 ms) and the exchange (1 ms) of 45 ms.
    assert!(mean.ratio.is_some_and(|r| r.low < 1.28 && 1.28 < r.high), "{mean:?}");
    assert_eq!(answered(&comparison, P99).answer, Answer::Slower);
    assert_eq!(answered(&comparison, "exchanges.failed").words, "none in either");
    assert!(comparison.regressions(0.05).any(|row| row.key == P99));
    assert_eq!(comparison.regressions(5.0).count(), 0);
    insta::assert_snapshot!("one_pair", comparison.to_text());
    insta::assert_snapshot!("one_pair_json", serde_json::to_string_pretty(&comparison).unwrap());

    // The other way round it is faster, and no regression.
    let back = Comparison::of(&[b], &[a], &Question::default()).unwrap();
    assert_eq!(answered(&back, P99).answer, Answer::Faster);
    assert_eq!(back.regressions(0.0).count(), 0);
}

#[test]
fn a_run_is_the_same_as_another_of_the_same_server() {
    let plan = plan(&[]);
    let (a, b) = (run("monday", &plan, 3, 1.0), run("tuesday", &plan, 4, 1.0));
    let question = Question { margin: 0.2, ..Question::default() };
    let comparison = Comparison::of(&[a], &[b], &question).unwrap();
    for row in &comparison.figures {
        assert!(matches!(row.answer, Answer::Same | Answer::CannotTell), "{row:?}");
    }
    assert_eq!(answered(&comparison, MEAN).answer, Answer::Same, "{}", comparison.to_text());
    assert_eq!(answered(&comparison, MEAN).words, "the same within 20 %");
}

#[test]
fn pairs_are_compared_by_what_the_runs_show() {
    let plan = plan(&["run.duration=1m", "phase.0.arrival.poisson.over=1m"]);
    let side = |name: &str, luck: u64, slower: f64| -> Vec<Run> {
        let one = |n: u64| run(&format!("{name}-{n}"), &plan, luck + n, slower).without_seconds();
        (1..=7).map(one).collect()
    };
    let (a, b) = (side("a", 10, 1.0), side("b", 20, 1.2));
    let comparison = Comparison::of(&a, &b, &Question::default()).unwrap();
    let mean = answered(&comparison, MEAN);
    assert_eq!(mean.answer, Answer::Slower, "{}", comparison.to_text());
    assert!(mean.a_runs.len() == 7 && mean.why.is_none(), "{mean:?}");
    insta::assert_snapshot!("seven_pairs", comparison.to_text());

    // So few that they cannot: said, with what they show all the same.
    let few = Comparison::of(&a[..3], &b[..3], &Question::default()).unwrap();
    let mean = answered(&few, MEAN);
    assert_eq!(mean.words, "cannot tell; slower in each of 3 pairs");
    assert_eq!(few.regressions(0.0).count(), 0, "what cannot be told is no regression");
    insta::assert_snapshot!("three_pairs", few.to_text());

    let one = Question { figures: vec![MEAN.into()], ..Question::default() };
    let asked = Comparison::of(&a[..5], &b[..5], &one).unwrap();
    assert_eq!(asked.figures.len(), 1);
    assert_eq!(asked.figures[0].answer, Answer::Slower, "five pairs are enough for one figure");

    insta::assert_snapshot!("spread", Spread::of(&a, false).unwrap().to_text());
}

#[test]
fn what_must_not_be_compared_is_refused_with_the_reason() {
    let short = ["run.duration=10s", "phase.0.arrival.poisson.over=10s"];
    let made = |name: &str, more: &[&str]| run(name, &plan(&[&short[..], more].concat()), 1, 1.0);
    let a = made("a", &[]);
    let refusal = |b: &Run| Comparison::of(from_ref(&a), from_ref(b), &Question::default()).unwrap_err();

    let other = made("b", &["seed=6", "fleet.desks.count=400"]);
    let told = refusal(&other).to_string();
    insta::assert_snapshot!("another_workload", told);
    let allowed = Question { allow_different: true, ..Question::default() };
    assert_eq!(Comparison::of(from_ref(&a), &[other], &allowed).unwrap().differences.len(), 2);

    // Another server is what comparisons are for.
    let nginx = made("b", &["target.embedded.likeness=nginx"]);
    let comparison = Comparison::of(from_ref(&a), from_ref(&nginx), &Question::default()).unwrap();
    assert_eq!(comparison.differences[0].key, "target.embedded.likeness");

    // But not within one side.
    let mixed = Comparison::of(&[a.clone(), a.clone()], &[a.clone(), nginx], &Question::default()).unwrap_err();
    assert!(matches!(&mixed, Refusal::Mixed { side: 'B', .. }), "{mixed}");

    let mut invalid = made("b", &[]);
    invalid.saved.record.generator.cpu_busy_max = 0.97;
    let told = refusal(&invalid).to_string();
    assert!(told.starts_with("results/b: this measurement is invalid (") && told.contains("--allow-invalid"), "{told}");
    let allowed = Question { allow_invalid: true, ..Question::default() };
    let notes = Comparison::of(from_ref(&a), &[invalid], &allowed).unwrap().notes;
    assert!(notes.iter().any(|note| note.starts_with("results/b is invalid: ")), "{notes:?}");

    let mut partial = made("b", &[]);
    partial.saved.record.marks.partial = true;
    assert!(refusal(&partial).to_string().contains("only a part of this run is there (it was interrupted)"));
}
