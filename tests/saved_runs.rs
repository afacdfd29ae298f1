//! A run's folder as a shell sees it: what `run` leaves, and what `bootstorm report` makes of it again.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;

use cli::{Ended, Home, TINY};

/// The files of a folder by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
    fs::read_dir(folder).unwrap().flatten().map(|e| (name(&e), fs::read(e.path()).unwrap())).collect()
}

/// A run of twelve desks, saved in `run`.
fn saved() -> (Home, Ended) {
    let home = Home::new();
    home.write("goal.toml", &format!("{TINY}\n[thresholds]\n\"phones.prompting\" = \"< 1\"\n"));
    let ended = home.run(&["run", "goal.toml", "--out", "run"]);
    assert_eq!(ended.code, Some(99), "{}", ended.stderr);
    (home, ended)
}

#[test]
fn a_report_rebuilds_what_the_run_itself_wrote_octet_for_octet() {
    let (home, ended) = saved();
    let before = files(&home.path("run"));
    assert_eq!(before.len(), 8, "{:?}", before.keys());
    let again = home.run(&["report", "run"]);
    assert_eq!((again.code, again.stdout.as_str(), again.stderr.as_str()), (Some(0), ended.stdout.as_str(), ""));
    assert_eq!(files(&home.path("run")), before);

    for name in before.keys().filter(|name| *name != "journal.bin") {
        fs::remove_file(home.path("run").join(name)).unwrap();
    }
    let again = home.run(&["report", "run"]);
    assert_eq!(again.stdout, ended.stdout);
    assert!(again.stderr.starts_with("bootstorm: rebuilt manifest.json, "), "{}", again.stderr);
    assert_eq!(files(&home.path("run")), before);

    home.write("run/summary.json", "{ half of");
    let again = home.run(&["report", "run", "--json"]);
    assert_eq!(again.stderr, "bootstorm: rebuilt summary.json\n");
    assert_eq!(again.stdout.as_bytes(), before["summary.json"]);
    assert_eq!(files(&home.path("run")), before);
    assert!(again.json()["thresholds"][0]["pass"] == false);
}

/// A short journal, cut here and there (every octet of one is cut in the library's own tests).
#[test]
fn a_cut_journal_is_told_as_far_as_it_goes() {
    let (home, _) = saved();
    let journal = fs::read(home.path("run/journal.bin")).unwrap();
    for cut in [journal.len() - 1, journal.len() - 150] {
        fs::write(home.path("run/journal.bin"), &journal[..cut]).unwrap();
        let told = home.run(&["report", "run"]);
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        assert!(told.stderr.contains("bootstorm: the journal ends 00:00:0"), "{}", told.stderr);
        assert!(told.stderr.contains("the run was killed or its disk was full (or it is still on)"), "{}", told.stderr);
        assert!(told.stdout.contains("\nPARTIAL  "), "{}", told.stdout);
        assert_eq!(home.json("run/manifest.json")["marks"]["partial"], true);
    }
    for (journal, words) in [
        (&journal[..40], "run/journal.bin: it ends before it says what was run: the run was killed as it began"),
        (b"something else", "run/journal.bin: this is no journal of bootstorm"),
    ] {
        let before = files(&home.path("run"));
        fs::write(home.path("run/journal.bin"), journal).unwrap();
        let refused = home.run(&["report", "run"]);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
        assert!(refused.stderr.starts_with(&format!("bootstorm: {words}")), "{}", refused.stderr);
        fs::write(home.path("run/journal.bin"), &before["journal.bin"]).unwrap();
        assert_eq!(files(&home.path("run")), before, "what is there stays");
    }
}

#[test]
fn what_is_no_saved_run_is_refused() {
    let home = Home::new();
    fs::create_dir(home.path("empty")).unwrap();
    for (folder, code, words) in [
        ("gone", 1, "gone: there is no such folder; name one that `bootstorm run` wrote"),
        ("tiny.toml", 1, "tiny.toml: there is no such folder; name one that `bootstorm run` wrote"),
        ("empty", 1, "empty: there is no journal.bin in this folder; name a folder that `bootstorm run` wrote"),
    ] {
        let refused = home.run(&["report", folder]);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(code), ""), "{folder}");
        assert_eq!(refused.stderr, format!("bootstorm: {words}\n"));
    }
    assert_eq!(home.run(&["report"]).code, Some(2));
}

#[test]
fn a_run_that_kept_no_journal_is_told_from_its_summary() {
    let (home, ended) = saved();
    fs::remove_file(home.path("run/journal.bin")).unwrap();
    let before = files(&home.path("run"));
    let told = home.run(&["report", "run"]);
    assert_eq!((told.code, told.stdout), (Some(0), ended.stdout));
    assert!(told.stderr.contains("there is no whole journal.bin of this run, only its summary"), "{}", told.stderr);
    assert_eq!(files(&home.path("run")), before);
}

#[test]
fn a_file_that_cannot_be_rebuilt_is_named_and_the_figures_are_told() {
    let (home, _) = saved();
    fs::remove_file(home.path("run/operations.csv")).unwrap();
    fs::create_dir(home.path("run/operations.csv")).unwrap();
    let told = home.run(&["report", "run", "--json"]);
    assert_eq!(told.code, Some(1));
    assert!(told.stderr.contains("run/operations.csv: cannot be written ("), "{}", told.stderr);
    assert_eq!(told.json()["phones"]["total"], 12);
    assert!(!files_are_half_done(&home.path("run")));
}

fn files_are_half_done(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().flatten().any(|e| e.file_name().to_string_lossy().ends_with(".part"))
}

/// A disk that takes so many KiB of any file: the system says "File too large" where a full one says "No space left".
fn run_with_room(home: &Home, workload: &str, kib: u32, out: &str) -> Ended {
    let mut command = home.command("bash");
    let line = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" run {workload} --json --out {out}");
    command.args(["-c", &line]).arg(assert_cmd::cargo::cargo_bin("bootstorm"));
    Ended::of(&command.output().unwrap())
}

#[test]
fn a_disk_that_fills_up_takes_no_figure_from_whoever_waited_for_them() {
    let home = Home::new();
    // No room for anything: the figures are printed, and no file is half there.
    let ended = run_with_room(&home, "tiny.toml", 1, "full");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("the journal could not be written any further"), "{}", ended.stderr);
    assert!(ended.stderr.contains("cannot be written (File too large (os error 27)); make room"), "{}", ended.stderr);
    assert_eq!(ended.json()["phones"]["total"], 12);
    assert!(!files_are_half_done(&home.path("full")));
    assert!(!home.path("full/summary.json").exists());
    let refused = home.run(&["report", "full"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("it ends before it says what was run"), "{}", refused.stderr);
}

#[test]
fn a_journal_that_could_not_be_finished_is_not_taken_for_the_run() {
    let home = Home::new();
    // A phone boots every 40 ms for six seconds, and the journal may have 8 KiB.
    let long = TINY
        .replace("count = 12", "count = 150")
        .replace("does = \"power-up\"", "does = \"power-up\"\narrival = { constant = \"25/s\" }");
    home.write("long.toml", &long);
    let mut command = home.command("bash");
    command.args(["-c", "trap '' XFSZ; ulimit -Sf 8; exec \"$0\" run long.toml --json --out cut"]);
    command.arg(assert_cmd::cargo::cargo_bin("bootstorm")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("the journal could not be written any further") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
    }
    // Somebody makes room while the run is on.
    let (pid, room) = (child.id().to_string(), "--fsize=unlimited:unlimited");
    assert!(home.command("prlimit").args(["--pid", &pid, room]).status().unwrap().success());
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    stderr.read_to_string(&mut said).unwrap();
    let ended = Ended { code: child.wait().unwrap().code(), stdout, stderr: said };
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("the journal could not be written any further"), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("; the report is of the whole run, made from memory\n"), "{}", ended.stderr);
    let summary = ended.json();
    assert_eq!((&summary["phones"]["total"], &summary["marks"]["partial"]), (&150.into(), &false.into()));
    assert_eq!(home.json("cut/summary.json"), summary);
    let names: Vec<_> = files(&home.path("cut")).into_keys().collect();
    assert!(names.contains(&"journal.cut.bin".to_owned()) && !names.contains(&"journal.bin".to_owned()), "{names:?}");
    let again = home.run(&["report", "cut", "--json"]);
    assert_eq!((again.code, again.json()), (Some(0), summary), "{}", again.stderr);
}
