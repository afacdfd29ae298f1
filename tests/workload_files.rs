//! Workload files from end to end: the shipped ones, and every bad one with the very messages it earns.
//!
//! `BLESS=1 cargo test --test workload_files` writes the expected messages anew; read the difference before you
//! commit it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::path::{Path, PathBuf};

use bootstorm::workload::{Overrides, Plan, WorkloadError, load, load_matrix};

/// Paths in messages must not depend on where the repository lies; cargo runs tests in its root.
const BAD: &str = "tests/data/workload/bad";
const GOOD: &str = "tests/data/workload/good";

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}

/// Flags are written in the file's first lines: `# --set fleet.0.count=5`.
fn overrides(path: &Path) -> Overrides {
    let mut overrides = Overrides::default();
    for line in String::from_utf8_lossy(&std::fs::read(path).unwrap()).lines() {
        match line.strip_prefix("# --").and_then(|flag| flag.split_once(' ')) {
            Some(("set", set)) => overrides.sets.push(set.to_owned()),
            Some(("target", url)) => overrides.target = Some(url.to_owned()),
            Some(("phones", n)) => overrides.phones = Some(n.parse().unwrap()),
            Some(("seed", n)) => overrides.seed = Some(n.parse().unwrap()),
            Some((flag, _)) => panic!("{}: no flag --{flag}", path.display()),
            None => {}
        }
    }
    overrides
}

fn loaded(path: &Path) -> Result<Plan, WorkloadError> {
    load(path, &overrides(path))
}

fn compare(expected: &Path, got: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(expected, got).unwrap();
    }
    let wanted = std::fs::read_to_string(expected).unwrap_or_default();
    assert_eq!(got, wanted, "{} (BLESS=1 writes it anew)", expected.display());
}

#[test]
fn every_bad_file_earns_its_messages() {
    for path in files(BAD) {
        let error = loaded(&path).map(|plan| plan.name).expect_err(&path.display().to_string());
        compare(&path.with_extension("err"), &format!("{error}\n"));
    }
}

#[test]
fn every_good_file_means_what_it_should() {
    for path in files(GOOD) {
        let plan = loaded(&path).unwrap_or_else(|e| panic!("{e}"));
        compare(&path.with_extension("effective"), &plan.effective);
        // The effective workload, read again, is the same workload, but for masked secrets and CSV files' places.
        let again = bootstorm::workload::parse(&plan.effective, "again.toml", Path::new(GOOD), &Overrides::default());
        let again = again.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(again.effective, plan.effective);
        assert_eq!(again.schedule_hash(1), plan.schedule_hash(3), "{}", path.display());
    }
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let told = |path: &str| load(Path::new(path), &Overrides::default()).map(|p| p.name).unwrap_err().to_string();
    assert!(told("nowhere.toml").starts_with("nowhere.toml: there is no such file; "));
    assert!(told("tests").starts_with("tests: is a folder; "));
}

#[test]
fn the_shipped_workloads_load_and_scale() {
    for (path, phones) in [
        ("smoke", 40),
        ("mass-reboot", 2000),
        ("hundred-thousand", 100_000),
        ("steady-day", 600),
        ("realm-rename", 250),
        ("iis-put-auth", 200),
        ("planned-restart", 400),
        ("retry-convoy", 600),
        ("nat-site", 200),
        ("capacity", 5000),
        ("capacity-collapse", 1000),
        ("capacity-url", 500),
    ] {
        let path = PathBuf::from(format!("workloads/{path}.toml"));
        let plan = load(&path, &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(plan.phones(), phones, "{}", path.display());
        assert_eq!(plan.schedule_hash(1), plan.schedule_hash(7));
        let target = Some("http://127.0.0.1:8080/x".to_owned());
        let others = 3 * phones.min(5_000);
        let more = Overrides { target, phones: Some(others), seed: Some(9), sets: vec![] };
        let scaled = load(&path, &more).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((scaled.phones(), scaled.seed), (others, 9));
        assert_ne!((scaled.sha256, scaled.effective), (plan.sha256, plan.effective));
    }
}

/// Two certificates, two versions, full and resumed, with and without the phone's own, and where it makes sense two groups.
#[test]
fn the_shipped_matrix_has_each_setup_once() {
    let path = Path::new("workloads/tls-setups.toml");
    let matrix = load_matrix(path, &Overrides::default()).unwrap_or_else(|e| panic!("{e}")).unwrap();
    assert_eq!((matrix.axes.len(), matrix.variants.len(), matrix.baseline), (5, 24, 0));
    let plans: std::collections::BTreeSet<_> = matrix.variants.iter().map(|v| &v.plan.sha256).collect();
    assert_eq!(plans.len(), 24, "no two are the same workload");
    let schedules: std::collections::BTreeSet<_> = matrix.variants.iter().map(|v| v.plan.schedule_hash(1)).collect();
    assert_eq!(schedules.len(), 1, "the same phones do the same at the same moments");
    let sets = vec!["matrix.combine=one-at-a-time".to_owned()];
    let fewer = load_matrix(path, &Overrides { sets, phones: Some(50), ..Overrides::default() });
    let fewer = fewer.unwrap_or_else(|e| panic!("{e}")).unwrap();
    assert_eq!((fewer.variants.len(), fewer.variants[0].plan.phones()), (6, 50));
    assert_eq!(loaded(path).unwrap_or_else(|e| panic!("{e}")).sha256, matrix.variants[0].plan.sha256);
}

#[test]
fn no_password_is_ever_shown() {
    let path = Path::new(GOOD).join("everything.toml");
    let plan = loaded(&path).unwrap_or_else(|e| panic!("{e}"));
    let shown = format!("{} {plan:?}", plan.effective);
    assert!(!shown.contains("geheim"), "{shown}");
    for path in files(BAD) {
        let told = loaded(&path).map(|_| ()).unwrap_err();
        assert!(!format!("{told} {told:?}").contains("geheim"), "{}", path.display());
    }
}

/// What `--set` says is read by the kind of its key.
#[test]
fn flags_mean_what_they_say() {
    let smoke = |sets: &[&str]| {
        let overrides = Overrides { sets: sets.iter().map(|s| (*s).to_owned()).collect(), ..Overrides::default() };
        load(Path::new("workloads/smoke.toml"), &overrides).unwrap_or_else(|e| panic!("{e}"))
    };
    use bootstorm::workload::{Arrival, Target, TlsVersions};
    // A number where a text is wanted is that text.
    assert_eq!(smoke(&["tls.versions=1.2"]).tls.fleets[0].1.versions, TlsVersions::Only12);
    assert_eq!(smoke(&["name=7"]).name, "7");
    // Entries by name and by number; later flags win.
    let plan = smoke(&["fleet.avaya.count=5", "fleet.1.count=1k", "fleet.avaya.count = 6"]);
    assert_eq!(plan.fleets.iter().map(|f| f.count).collect::<Vec<_>>(), [6, 1000]);
    // Tables are made where there are none, and an arrival plan is replaced as a whole.
    let plan = smoke(&["network.max-connections=20k", "phase.0.arrival.constant=9/s"]);
    assert_eq!(plan.network.max_connections, Some(20_000));
    assert_eq!(plan.phases[0].arrival, Arrival::Constant { rate: 9.0 });
    let plan = smoke(&["phase.0.arrival.power-return.boot=1s", "phase.\"users change things\".arrival=at-once"]);
    assert!(matches!(plan.phases[0].arrival, Arrival::PowerReturn { .. }));
    assert_eq!(plan.phases[1].arrival, Arrival::AtOnce);
    // Lists and inline tables are TOML; a quoted text may hold anything.
    let plan = smoke(&["target.embedded.auth.offers=[\"basic\"]", "target.embedded.auth.realm=\"a = b\""]);
    let Target::Embedded(embedded) = &plan.target else { panic!("{:?}", plan.target) };
    assert_eq!((embedded.auth.offers.len(), embedded.auth.realm.as_str()), (1, "a = b"));
    assert_eq!(plan.fleets[0].account.realm, "Digest", "the file says the fleets' realm itself");
    let plan = smoke(&["thresholds.\"storm.drain_s\"=< 9", "thresholds.phones.failed=<= 2"]);
    let thresholds: Vec<String> = plan.thresholds.iter().map(ToString::to_string).collect();
    assert!(thresholds.contains(&"storm.drain_s < 9".to_owned()), "{thresholds:?}");
    assert!(thresholds.contains(&"phones.failed <= 2".to_owned()), "{thresholds:?}");
    let list = "thresholds.expressions=[\"storm.drain_s < 2m\", \"exchanges.failed / exchanges.total < 1%\"]";
    for set in [list, "thresholds.expressions=storm.drain_s < 2m", "thresholds.\"storm.drain_s - 1s\"=< 2m"] {
        let thresholds: Vec<String> = smoke(&[set]).thresholds.iter().map(ToString::to_string).collect();
        assert!(thresholds.iter().any(|t| t.starts_with("storm.drain_s") && t.ends_with("< 2m")), "{thresholds:?}");
    }
}

/// Comments, layout and the order of keys do not make another workload; anything else does.
#[test]
fn the_hash_is_of_what_is_meant() {
    let base = "seed = 3\n[target]\nembedded = true\n[[fleet]]\nfamily = \"avaya-96xx\"\ncount = 5\n[[phase]]\ndoes = \"power-up\"\n";
    let hash = |text: &str| {
        let plan = bootstorm::workload::parse(text, "w.toml", Path::new(""), &Overrides::default());
        plan.unwrap_or_else(|e| panic!("{e}")).sha256
    };
    let same = "# words\nseed = 3\n[[phase]]\ndoes = \"power-up\"\nshare = 1.0\n[[fleet]]\ncount = \"5\"\nfamily = \"avaya-96xx\"\n[target.embedded]\n";
    assert_eq!(hash(base), hash(same));
    for (from, to) in [
        ("seed = 3", "seed = 4"),
        ("count = 5", "count = 6"),
        ("[[phase]]", "credentials = { password = \"x\" }\n[[phase]]"),
    ] {
        assert_ne!(hash(base), hash(&base.replace(from, to)), "{to}");
    }
}

proptest::proptest! {
    /// Whatever a slip of the keyboard makes of a workload, it loads or is told, with a place in it.
    #[test]
    fn slips_never_panic(
        file in proptest::sample::select(&["smoke", "mass-reboot", "steady-day"][..]),
        slips in proptest::collection::vec((0usize..4000, "[\\[\\]{}\"=.,a-z0-9 \n-]{0,3}", 0usize..6), 1..4),
        set in "[a-z.0-9\"=-]{0,20}",
    ) {
        let mut text = std::fs::read_to_string(format!("workloads/{file}.toml")).unwrap();
        for (at, put, cut) in slips {
            let mut at = at % text.len();
            while !text.is_char_boundary(at) { at -= 1; }
            let mut end = (at + cut).min(text.len());
            while !text.is_char_boundary(end) { end += 1; }
            text.replace_range(at..end, &put);
        }
        let overrides = Overrides { sets: vec![set], ..Overrides::default() };
        if let Err(error) = bootstorm::workload::parse(&text, "w.toml", Path::new("workloads"), &overrides) {
            let lines = text.lines().count() + 1;
            for problem in error.problems() {
                let place = problem.place.to_string();
                let line = place.strip_prefix("w.toml:").map_or(Ok(1), str::parse::<usize>);
                proptest::prop_assert!(line.is_ok_and(|l| (1..=lines).contains(&l)), "{problem}");
                proptest::prop_assert!(!problem.what.is_empty());
            }
        }
    }
}
