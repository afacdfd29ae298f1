//! Whole runs of the program, for the sake of what they count.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Runs a workload of this text in the folder `home`, with its results there too; its `summary.json`.
#[track_caller]
pub(crate) fn summary(home: &Path, text: &str) -> Value {
    let (file, results) = (home.join("workload.toml"), home.join("results"));
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootstorm"));
    let out = command.arg("run").arg(&file).arg("--out").arg(&results).output().unwrap();
    let said = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    // 97: this machine was too slow for a measurement. It is none: counts must be right all the same.
    assert!(matches!(out.status.code(), Some(0 | 97)), "{}\n{}\n{}", out.status, said(&out.stdout), said(&out.stderr));
    serde_json::from_str(&std::fs::read_to_string(results.join("summary.json")).unwrap()).unwrap()
}
