//! `trace` as people read it: whole stories, with what differs from run to run masked.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::process::{Command, Output};

const WORKLOAD: &str = r#"
seed = 7
[target.embedded]
likeness = "iis"
prefilled = true
tls = false
auth = { offers = ["digest-md5-sess"], realm = "Digest" }
[[fleet]]
name = "avaya"
family = "avaya-96xx"
count = 1
credentials = { user = "{ext}", password = "secret-{ext}", realm = "Digest" }
settings = { registration-delay = "2s", backup-delay = "5s" }
[[fleet]]
name = "cisco"
family = "cisco-mpp"
count = 1
credentials = { user = "{ext}", password = "secret-{ext}", realm = "Digest" }
settings = { resync-random-delay = "0s" }
[[phase]]
does = "power-up"
arrival = "at-once"
"#;

fn trace(more: &[&str], password: Option<&str>) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("phones.toml");
    std::fs::write(&file, WORKLOAD).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootstorm"));
    command.arg("trace").arg(file).args(more).env_remove("BOOTSTORM_PASSWORD");
    if let Some(password) = password {
        command.env("BOOTSTORM_PASSWORD", password);
    }
    command.output().unwrap()
}

fn story(more: &[&str], password: Option<&str>) -> String {
    let out = trace(more, password);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(!text.contains("secret-"), "a password: {text}");
    masked(&text)
}

/// Ports, nonces, dates and what the clock measured, out of the way.
fn masked(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        for (mark, end) in [("nonce=\"", '"'), ("127.0.0.1:", ' '), ("Date: ", '\n')] {
            let mut from = 0;
            while let Some(at) = line[from..].find(mark).map(|at| from + at + mark.len()) {
                let to = line[at..].find(end).map_or(line.len(), |n| at + n);
                line.replace_range(at..to, "...");
                from = at + 3;
            }
        }
        let measured = line.trim_start();
        if measured.starts_with("first octet") || measured.starts_with("whole exchange") {
            line = "    (times)".to_owned();
        } else if let Some(at) = line.find("(connected in") {
            line.truncate(at);
            line.push_str("(times)");
        }
        // The phone's clock counts real milliseconds on top of its own seconds.
        if line.len() > 9 && line.as_bytes()[2] == b':' && line.as_bytes()[5] == b'.' {
            line.replace_range(5..9, ".mmm");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[test]
fn a_boot_and_a_change() {
    insta::assert_snapshot!(story(&["--phone", "0", "--does", "power-up,change"], None));
}

#[test]
fn the_realm_was_renamed_and_a_person_types() {
    insta::assert_snapshot!(story(
        &["--phone", "0", "--set", "target.embedded.auth.realm=Moved", "--type", "20000"],
        Some("secret-20000")
    ));
}

#[test]
fn a_wrong_account_on_a_cisco_phone() {
    insta::assert_snapshot!(story(&["--phone", "1", "--set", "fleet.cisco.credentials.wrong=1.0"], None));
}

/// The password may come from stdin; the JSON has every exchange, the reasons, and no secret.
#[test]
fn the_same_as_json() {
    let out = trace(&["--phone", "0", "--does", "power-up", "--json"], None);
    let text = String::from_utf8(out.stdout).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let events = value["events"].as_array().unwrap();
    let count = |name: &str| events.iter().filter(|e| e["event"] == name).count();
    assert_eq!((count("exchange"), count("why"), count("provisioned")), (4, 1, 1), "{text}");
    assert_eq!(value["after"]["standing"], "provisioned");
    assert!(!text.contains("secret-"), "{text}");
    let response = text.split("response=").nth(1).expect("a Digest answer");
    assert!(response.starts_with("\\\"***"), "{response}");
}

#[test]
fn wrong_words_are_told() {
    for (more, says) in [
        (&["--phone", "77777"][..], "by index they are 0 to 1"),
        (&["--does", "dance"], "power-up"),
        (&["--type", "u"], "BOOTSTORM_PASSWORD"),
    ] {
        let out = trace(more, None);
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(says), "{stderr}");
    }
}
