#![cfg(feature = "live")]
//! `bootstorm serve` as another process sees it: its lines, its CA file, curl's answers, its end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use assert_cmd::cargo::cargo_bin;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A target in a process of its own; ended with the test, however that ends.
struct Served {
    child: Child,
    facts: BTreeMap<String, String>,
}

impl Served {
    fn start(arguments: &[&str]) -> Served {
        let mut command = Command::new(cargo_bin("bootstorm"));
        command.arg("serve").args(["--listen", "127.0.0.1:0"]).args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut facts = BTreeMap::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let (name, value) = line.split_once(": ").unwrap();
            facts.insert(name.to_owned(), value.to_owned());
            // The last line of all: after it there is nothing to wait for.
            if name == "uploads" {
                break;
            }
        }
        Served { child, facts }
    }

    fn stop(mut self, signal: Signal) -> ExitStatus {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
        self.child.wait().unwrap()
    }

    fn curl(&self, path: &str, options: &[&str]) -> String {
        let mut command = Command::new("curl");
        command.args(["-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20"]);
        if let Some(ca) = self.facts.get("ca") {
            command.args(["--cacert", ca]);
        }
        let output = command.args(options).arg(format!("{}{path}", self.facts["url"])).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Ended already, if all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn curl_authenticates_against_serve_with_basic_md5_and_sha_256() {
    let curl = Command::new("curl").arg("--version").output();
    assert!(curl.is_ok(), "curl cannot be started: run scripts/test, it installs it");
    let home = tempfile::tempdir().unwrap();
    let users = home.path().join("users.csv");
    std::fs::write(&users, "user,password\n2001,s3cret\n").unwrap();
    let users = users.to_str().unwrap();
    for (scheme, how) in [("basic", "--basic"), ("digest-md5", "--digest"), ("digest-sha-256", "--digest")] {
        for tls in ["--tls", "--no-tls"] {
            let served = Served::start(&["--users", users, "--auth", scheme, "--likeness", "strict", tls]);
            assert_eq!(served.facts["auth"], scheme);
            assert_eq!(served.facts["users"], "1");
            assert_eq!(served.facts.contains_key("ca"), tls == "--tls");
            assert_eq!(served.curl("backup/2001_96xxdata.txt", &[how, "-u", "2001:s3cret", "-T", users]), "201");
            assert_eq!(served.curl("backup/2001_96xxdata.txt", &[how, "-u", "2001:s3cret"]), "200");
            assert_eq!(served.curl("backup/2001_96xxdata.txt", &[how, "-u", "2001:wrong"]), "401");
            assert_eq!(served.curl("46xxsettings.txt", &[]), "200", "settings need no credentials");
            let ca = served.facts.get("ca").cloned();
            assert_eq!(served.stop(Signal::SIGTERM).code(), Some(0));
            assert!(ca.is_none_or(|file| !Path::new(&file).exists()), "the CA file goes with the target");
        }
    }
}

#[test]
fn what_is_kept_is_there_the_next_time() {
    let home = tempfile::tempdir().unwrap();
    let (tls, log) = (home.path().join("tls"), home.path().join("access.log"));
    let mut authorities = Vec::new();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let kept = ["--auth", "none", "--tls-dir", tls.to_str().unwrap(), "--access-log", log.to_str().unwrap()];
        let served = Served::start(&kept);
        assert_eq!(served.facts["ca"], tls.join("ca.pem").to_str().unwrap());
        assert_eq!(served.facts["auth"], "none");
        authorities.push(std::fs::read_to_string(&served.facts["ca"]).unwrap());
        assert_eq!(served.stop(signal).code(), Some(0));
    }
    assert_eq!(authorities[0], authorities[1]);
    assert!(log.exists());
}

#[test]
fn what_cannot_be_served_is_said_and_ends_with_its_code() {
    let home = tempfile::tempdir().unwrap();
    let users = home.path().join("users.csv");
    std::fs::write(&users, "2001,hidden,third\n").unwrap();
    let none = home.path().join("none");
    let table: [(&[&str], i32, &str); 5] = [
        (&[], 2, "nobody could log in"),
        (&["--users", users.to_str().unwrap()], 2, "users.csv, line 1"),
        (&["--auth", "digest-md4"], 2, "digest-md5"),
        (&["--auth", "none", "--folder", none.to_str().unwrap()], 1, "name a folder that exists"),
        (&["--auth", "none", "--realm", "a\nb"], 1, "realm"),
    ];
    for (arguments, code, said) in table {
        let mut command = Command::new(cargo_bin("bootstorm"));
        let output = command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(code), true), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said) && !stderr.contains("hidden"), "{arguments:?}: {stderr}");
    }
}
