//! How a run ends when its surroundings do: a terminal that closes, a full disk; and goals that fit any fleet.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn bootstorm(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootstorm"));
    command.args(arguments).arg("--out").arg(folder.join("out")).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("out/summary.json")).unwrap()).unwrap()
}

/// Whether the process handles this signal by now.
fn handles(child: &Child, signal: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
    u64::from_str_radix(mask, 16).unwrap() >> (signal - 1) & 1 == 1
}

/// A terminal that closes (an SSH session that drops) is like Ctrl-C: the figures so far are not lost.
#[test]
fn a_hangup_drains_and_reports() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let folder = tempfile::tempdir().unwrap();
    let run = ["run", "workloads/mass-reboot.toml", "--phones", "2", "--set", "phase.0.at=5m"];
    let mut child = bootstorm(&run, folder.path()).spawn().unwrap();
    while !handles(&child, Signal::SIGHUP as i32) {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        std::thread::yield_now();
    }
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGHUP).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("draining") && stderr.contains("interrupted"), "{stderr}");
    assert_eq!(summary(folder.path())["marks"]["partial"], true);
}

#[test]
fn a_full_disk_at_standard_output_is_told_and_the_folder_written_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = bootstorm(&["run", "workloads/smoke.toml", "--json"], folder.path()).stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("standard output"), "{stderr}");
    assert_eq!(summary(folder.path())["phones"]["provisioned"], 40);
}

/// Who tries the storm with a tenth of its phones is not told that a threshold was crossed.
#[test]
fn the_goals_of_the_mass_reboot_hold_for_fewer_phones_too() {
    let folder = tempfile::tempdir().unwrap();
    let run = ["run", "workloads/mass-reboot.toml", "--phones", "80", "--set", "phase.0.arrival=\"at-once\""];
    let output = bootstorm(&run, folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let thresholds = summary(folder.path())["thresholds"].as_array().unwrap().clone();
    assert!(thresholds.len() >= 4 && thresholds.iter().all(|t| t["pass"] == true), "{thresholds:?}");
}
