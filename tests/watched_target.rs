//! The target's CPU time and memory in a run: the embedded one's threads, a process that is named, and all it started.
#![cfg(all(feature = "live", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;
mod support;

use std::io::Write;
use std::process::{Command, Stdio};

use bootstorm::report::Saved;
use cli::{Ended, Home, Served, TINY};
use serde_json::Value;
use support::servers::{Program, Server, Site};

/// A run of at least two seconds.
fn lasting() -> String {
    format!("{TINY}\n[[phase]]\nname = \"later\"\nat = \"2s\"\ndoes = \"resync\"\narrival = \"at-once\"\n")
}

fn made(ended: &Ended) {
    // 97: this machine was too slow for a measurement. It is none: what is told must be right all the same.
    assert!(matches!(ended.code, Some(0 | 97)), "{ended:?}");
}

#[test]
fn what_cannot_be_watched_is_refused_before_the_run() {
    let home = Home::new();
    let served = Served::start(&home, &[]);
    let cases: [(&[&str], &str); 4] = [
        (&["--target", served.url(), "--watch-pid", "2147483647"], "--watch-pid: there is no process 2147483647"),
        (&["--watch-pid", "1"], "--watch-pid: the embedded target is part of this process"),
        (&["--target", served.url(), "--watch-pid", "0"], "0 is not in 1.."),
        (&["--target", served.url(), "--watch-pid", "nginx"], "invalid value 'nginx'"),
    ];
    for (arguments, words) in cases {
        let ended = home.run(&[&["run", "tiny.toml", "--out", "out"], arguments].concat());
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
        assert!(!home.names().contains("out"), "nothing was begun");
    }
}

#[test]
fn a_process_that_is_named_is_told_of_in_every_report() {
    let home = Home::new();
    let served = Served::start(&home, &[]);
    let pid = served.pid().to_string();
    let ended = home.run(&[
        "run",
        "tiny.toml",
        "--target",
        served.url(),
        "--watch-pid",
        &pid,
        "--watch-pid",
        &pid,
        "--out",
        "out",
    ]);
    made(&ended);
    assert!(ended.stdout.contains("\nTarget           1 process on this machine\n"), "{}", ended.stdout);
    let summary = home.json("out/summary.json");
    let t = &summary["target"];
    assert_eq!((&t["watched"], &t["processes"], &t["gone"]), (&"processes".into(), &1.into(), &0.into()));
    assert!(t["cpu_s"].as_f64().unwrap() > 0.0 && t["rss_bytes"].as_u64().unwrap() > 1_000_000, "{t}");
    let each = t["cpu_us_per_exchange"].as_f64().unwrap() * summary["exchanges"]["total"].as_f64().unwrap();
    assert!((each / 1e6 - t["cpu_s"].as_f64().unwrap()).abs() < 1e-3, "{t}");
    // There was no handshake, so nothing can be told of one, and the target's own clock is its own.
    assert_eq!((&t["cpu_us_per_handshake"], &t["handshakes"]), (&Value::Null, &Value::Null));
    assert!(
        std::fs::read_to_string(home.path("out/report.html")).unwrap().contains("Watched: 1 process on this machine.")
    );
    // The journal has it.
    let record = Saved::open(&home.path("out")).unwrap().record;
    assert!(record.target.is_some_and(|target| target.cpu_us > 0));
}

#[test]
fn the_workers_of_a_real_server_are_watched_with_it() {
    let home = Home::new();
    let site = Site::new("Phones", []).file("46xxsettings.txt", b"# END\n");
    let server = Server::start(Program::Nginx, None, &site);
    let pid = server.pid().to_string();
    made(&home.run(&["run", "tiny.toml", "--target", &server.url(), "--watch-pid", &pid, "--out", "out"]));
    let summary = home.json("out/summary.json");
    // The master and two workers: the master alone does nothing while the workers serve.
    assert_eq!(summary["target"]["processes"], 3, "{}", summary["target"]);
    assert!(summary["target"]["cpu_s"].as_f64().unwrap() > 0.0, "{}", summary["target"]);
}

#[test]
fn a_process_that_ends_before_the_run_is_stated() {
    let home = Home::new();
    home.write("lasting.toml", &lasting());
    let served = Served::start(&home, &[]);
    let mut other = Command::new("sh").args(["-c", "read x"]).stdin(Stdio::piped()).spawn().unwrap();
    let pids = [served.pid().to_string(), other.id().to_string()];
    let arguments = ["run", "lasting.toml", "--target", served.url(), "--out", "out"];
    let watch = pids.iter().flat_map(|pid| ["--watch-pid", pid]);
    let run =
        home.bootstorm().args(arguments).args(watch).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The journal is there before the first phone starts, and after the processes were looked up.
    while !home.path("out/journal.bin").exists() {
        std::thread::yield_now();
    }
    other.stdin.take().unwrap().write_all(b"x\n").unwrap();
    other.wait().unwrap();
    let ended = Ended::of(&run.wait_with_output().unwrap());
    made(&ended);
    assert_eq!(home.json("out/summary.json")["target"]["gone"], 1, "{}", home.json("out/summary.json")["target"]);
    assert!(ended.stdout.contains("1 of the processes named ended before the run did"), "{}", ended.stdout);
}

/// The embedded target's own count of handshakes is the phones'; what it took for them is a part of what its threads used.
#[test]
fn the_embedded_target_tells_its_handshakes_by_kind() {
    let home = Home::new();
    home.write("lasting.toml", &lasting().replace("tls = false", "tls = true"));
    made(&home.run(&["run", "lasting.toml", "--out", "out"]));
    let summary = home.json("out/summary.json");
    let t = &summary["target"];
    assert_eq!((&t["watched"], &t["processes"], &t["rss_bytes"]), (&"threads".into(), &0.into(), &Value::Null));
    assert_eq!(t["handshakes"], summary["tls"]["handshakes"], "{t}");
    let full = t["handshake_cpu_us"]["full"].as_f64().unwrap();
    let all = t["cpu_s"].as_f64().unwrap() * 1e6;
    let inside = full * t["handshakes"]["full"].as_f64().unwrap();
    assert!(inside > 0.0 && inside < all, "{inside} of {all}: {t}");
    assert_eq!(summary["tls"]["ledger"]["full"]["target_cpu_us"], t["handshake_cpu_us"]["full"]);
    assert_eq!(t["cpu_us_per_handshake"], Value::Null, "most exchanges went over a kept connection");
    // The parts of the generator's account add up to the whole.
    let g = &summary["generator"];
    let parts =
        ["opening_s", "handshakes_s", "closing_s", "rest_s"].map(|part| g["cpu_account"][part].as_f64().unwrap());
    assert!((parts.iter().sum::<f64>() - g["cpu_s"].as_f64().unwrap()).abs() < 1e-3, "{g}");
    assert!(parts[..2].iter().all(|part| *part > 0.0), "{g}");
}

/// Phones without certificates before a target that demands them: each handshake fails on both sides, though the phones'
/// side of TLS 1.3 is through before the target says so.
#[test]
fn handshakes_the_embedded_target_refuses_are_failed_ones_on_both_sides() {
    let home = Home::new();
    let line = "failed-alert-certificate-required";
    for versions in ["1.3", "1.2+"] {
        let tls = format!("tls = {{ client-certificates = \"demanded\", versions = \"{versions}\" }}");
        let text = TINY.replace("tls = false", &tls).replace("\"30s\"", "\"3s\"");
        home.write("refused.toml", &text);
        let out = format!("out-{versions}");
        made(&home.run(&["run", "refused.toml", "--out", &out]));
        let summary = home.json(&format!("{out}/summary.json"));
        let (t, target) = (&summary["tls"], &summary["target"]);
        assert_eq!(t["ledger"].as_object().unwrap().keys().collect::<Vec<_>>(), [line], "{}", t["ledger"]);
        assert_eq!(t["handshakes"], target["handshakes"], "{versions}");
        assert!(t["handshakes"]["failed"].as_u64().unwrap() >= 12, "{t}");
        assert_eq!(t["ledger"][line]["target_cpu_us"], target["handshake_cpu_us"]["failed"]);
    }
}
