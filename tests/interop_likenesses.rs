//! `interop` against every likeness of the embedded target, and against servers that offer nothing the phones speak.
//! Expectations are files in `tests/data/interop/`; `BOOTSTORM_WRITE_EXPECTATIONS=1` writes them anew.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::process::Command;

use serde_json::Value;

fn workload(likeness: &str, auth: &str) -> String {
    format!(
        "[target.embedded]\nlikeness = \"{likeness}\"\nprefilled = true\nauth = {{ {auth} }}\n\
         [[fleet]]\nname = \"avaya\"\nfamily = \"avaya-96xx\"\ncount = 1\ncredentials = {{ realm = \"Digest\" }}\n\
         [[fleet]]\nname = \"cisco\"\nfamily = \"cisco-mpp\"\ncount = 1\ncredentials = {{ realm = \"Digest\" }}\n\
         settings = {{ http-report-method = \"PUT\" }}\n\
         [[phase]]\ndoes = \"power-up\"\narrival = \"at-once\"\n"
    )
}

/// What `interop` prints of this target, its exit code, and what it says on stderr.
fn interop(workload: &str, more: &[&str]) -> (Value, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("phones.toml");
    std::fs::write(&file, workload).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_bootstorm"))
        .args(["interop", "--json", "--workload"])
        .arg(file)
        .args(more)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&out.stderr);
    (serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {stderr}")), out.status.code())
}

fn as_expected(likeness: &str) {
    let file = format!("{}/tests/data/interop/like-{likeness}.toml", env!("CARGO_MANIFEST_DIR"));
    let workload = workload(likeness, "realm = \"Digest\"");
    if std::env::var_os("BOOTSTORM_WRITE_EXPECTATIONS").is_some() {
        assert_eq!(interop(&workload, &["--write-expectation", &file]).1, Some(0));
    }
    let (printed, code) = interop(&workload, &["--expect", &file]);
    assert_eq!((&printed["differences"], code), (&serde_json::json!([]), Some(0)));
}

#[test]
fn iis_like_is_as_expected() {
    as_expected("iis");
}

#[test]
fn apache_like_is_as_expected() {
    as_expected("apache");
}

#[test]
fn nginx_like_is_as_expected() {
    as_expected("nginx");
}

#[test]
fn lighttpd_like_is_as_expected() {
    as_expected("lighttpd");
}

#[test]
fn strict_is_as_expected() {
    as_expected("strict");
}

fn cell<'v>(printed: &'v Value, family: &str, key: &str) -> &'v Value {
    let rows = printed["rows"].as_array().unwrap();
    &rows.iter().find(|row| row["key"] == key).unwrap()["cells"][family]
}

/// Windows authentication only: said by name, for both families, and never a loop.
#[test]
fn negotiate_and_ntlm_alone_are_no_usable_scheme() {
    let (printed, code) = interop(&workload("iis", "offers = [\"negotiate\", \"ntlm\"], realm = \"Digest\""), &[]);
    assert_eq!(code, Some(0));
    for family in ["avaya-96xx", "cisco-mpp"] {
        for key in ["challenge.usable", "sign-in.right", "sign-in.null", "files.first-upload"] {
            assert_eq!(cell(&printed, family, key)["why"], "no-usable-scheme", "{family} {key}");
        }
    }
    assert!(printed["summary"].to_string().contains("besides Negotiate and NTLM"));
}

/// IIS's own challenge: answered, gone on with (nc=2), and renewed when it has gone stale.
#[test]
fn md5_sess_as_iis_has_it_is_answered_reused_and_renewed() {
    let (printed, _) = interop(&workload("iis", "offers = [\"digest-md5-sess\"], realm = \"Digest\""), &[]);
    for key in
        ["challenge.digest-md5-sess", "sign-in.right", "digest.reuse", "digest.second-connection", "digest.stale"]
    {
        assert_eq!(cell(&printed, "avaya-96xx", key)["state"], "works", "{key}");
    }
}

/// An expectation that does not hold is told, cell by cell, with 98; a file that is none with 2.
#[test]
fn differences_end_with_98() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("expected.toml");
    let text = "[family.avaya-96xx]\nrealm = \"Digest\"\noffers = [\"digest-md5-sess\"]\n\
                [family.avaya-96xx.cells]\n\"sign-in.right\" = \"works, with a person (authentication)\"\n";
    std::fs::write(&file, text).unwrap();
    let (printed, code) = interop(&workload("iis", "realm = \"Digest\""), &["--expect", file.to_str().unwrap()]);
    assert_eq!(code, Some(98));
    let list = printed["differences"].as_array().unwrap();
    assert_eq!(list.len(), 1, "{list:?}");
    assert_eq!((&list[0]["what"], &list[0]["found"]), (&Value::from("sign-in.right"), &Value::from("works")));
    let out = Command::new(env!("CARGO_BIN_EXE_bootstorm"))
        .args(["interop", "https://127.0.0.1:1", "--user", "u", "--expect", "Cargo.lock"])
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(2), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Nothing listens there: one sentence says so, and nobody waits for long.
#[test]
fn nothing_listens() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let out = Command::new(env!("CARGO_BIN_EXE_bootstorm"))
        .args(["interop", &format!("http://127.0.0.1:{port}"), "--user", "u"])
        .env("BOOTSTORM_PASSWORD", "secret")
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(text.contains("No phone of any family gets as far as a request: connect-refused"), "{text}");
    assert!(text.contains("start the server"), "{text}");
}
