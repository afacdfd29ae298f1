//! Workload files from end to end: the shipped ones, and every bad one with the very messages it earns.
//!
//! `BLESS=1 cargo test --test workload_files` writes the expected messages anew; read the difference before you
//! commit it.

use std::path::{Path, PathBuf};

use bootstorm::workload::{Overrides, Plan, WorkloadError, load};

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
    for (path, phones) in [("smoke", 40), ("mass-reboot", 2000), ("steady-day", 600)] {
        let path = PathBuf::from(format!("workloads/{path}.toml"));
        let plan = load(&path, &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(plan.phones(), phones, "{}", path.display());
        assert_eq!(plan.schedule_hash(1), plan.schedule_hash(7));
        let target = Some("http://127.0.0.1:8080/x".to_owned());
        let more = Overrides { target, phones: Some(3 * phones), seed: Some(9), sets: vec![] };
        let scaled = load(&path, &more).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((scaled.phones(), scaled.seed), (3 * phones, 9));
        assert_ne!((scaled.sha256, scaled.effective), (plan.sha256, plan.effective));
    }
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
