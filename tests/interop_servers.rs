//! `interop` against nginx, Apache and lighttpd: what it prints is what is expected of them, and what their own logs
//! say. Expectations are files in `tests/data/interop/`; `BOOTSTORM_WRITE_EXPECTATIONS=1` writes them anew.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bootstorm::workload::TlsVersions;
use serde_json::Value;
use support::servers::{LogLine, Program, Server, Site};

const REALM: &str = "Phone backups";
const USER: &str = "tester";
const PASSWORD: &str = "s3cret {of} the test";
const AVAYA: &str = "avaya-96xx";
const CISCO: &str = "cisco-mpp";

fn site(realm: &str) -> Site {
    Site::new(realm, [(USER.to_owned(), PASSWORD.to_owned())])
        .file("96x1Hupgrade.txt", b"SET APPNAME S96x1_UKR_V34r35_B34r35.tar\n")
        .file("46xxsettings.txt", b"SET BRURI /backup\n")
}

/// Two fleets whose phones have stored [`REALM`].
fn workload(folder: &Path, url: &str) -> PathBuf {
    let fleet = |family: &str, settings: &str| {
        format!(
            "[[fleet]]\nname = \"{family}\"\nfamily = \"{family}\"\ncount = 1\n\
             credentials = {{ user = \"{USER}\", password = \"s3cret {{{{of}}}} the test\", realm = \"{REALM}\" }}\n\
             settings = {{ {settings} }}\n"
        )
    };
    let text = format!(
        "target = {{ url = \"{url}\" }}\n{}{}[[phase]]\ndoes = \"power-up\"\narrival = \"at-once\"\n",
        fleet(AVAYA, "bruri = \"/backup\""),
        fleet(CISCO, "profile-rule = \"/profile/$MA.xml\", report-rule = \"/report/$MA.xml\""),
    );
    let file = folder.join("phones.toml");
    std::fs::write(&file, text).unwrap();
    file
}

fn interop(server: &Server, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = workload(folder.path(), &server.url());
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootstorm"));
    command.args(["interop", &server.url(), "--json", "--workload"]).arg(file);
    if let Some(ca) = server.ca_pem_path() {
        command.arg("--ca").arg(ca);
    }
    command.args(more).output().unwrap()
}

/// What was printed, and the exit code.
fn played(server: &Server, more: &[&str]) -> (Value, i32) {
    let out = interop(server, more);
    let stderr = String::from_utf8_lossy(&out.stderr);
    let value = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {stderr}"));
    (value, out.status.code().unwrap())
}

fn expectation(name: &str) -> String {
    format!("{}/tests/data/interop/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Family and scenario of every difference.
fn differences(printed: &Value) -> Vec<String> {
    let list = printed["differences"].as_array().expect("what was expected is compared");
    let named = |d: &Value| {
        let word = |key: &str| d[key].as_str().unwrap().to_owned();
        format!("{} {}: {}", word("family"), word("what"), word("found"))
    };
    list.iter().map(named).collect()
}

fn cell<'v>(printed: &'v Value, family: &str, key: &str) -> &'v Value {
    let rows = printed["rows"].as_array().unwrap();
    &rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("no row {key}"))["cells"][family]
}

fn works(printed: &Value, family: &str, key: &str) -> bool {
    cell(printed, family, key)["state"] == "works"
}

fn fails_with(printed: &Value, family: &str, key: &str) -> Option<String> {
    cell(printed, family, key)["why"].as_str().map(str::to_owned)
}

/// What the log must say for the cells to be true.
fn assert_true(printed: &Value, log: &[LogLine]) {
    let has = |method: &str, part: &str, status: u16| {
        log.iter().any(|l| l.method == method && l.path.contains(part) && l.status == status)
    };
    let own = "/backup/9999999_96xxdata.txt";
    assert_eq!(works(printed, AVAYA, "files.first-upload"), has("PUT", own, 201));
    assert_eq!(works(printed, AVAYA, "files.overwrite"), has("PUT", own, 204));
    assert_eq!(works(printed, AVAYA, "files.restore"), has("GET", own, 200));
    assert_eq!(works(printed, AVAYA, "files.nothing"), has("GET", own, 404));
    assert_eq!(works(printed, AVAYA, "http.delete"), has("DELETE", own, 204));
    assert_eq!(works(printed, AVAYA, "files.wrong-url"), has("GET", "no-such-folder", 404));
    assert_eq!(works(printed, AVAYA, "files.missing-folder"), has("PUT", "/bootstorm-interop-9999999/", 201));
    assert_eq!(works(printed, CISCO, "files.put"), has("PUT", "/report/02b0057e5700.xml", 201));
    for (family, key, method, part) in [
        (AVAYA, "files.large", "PUT", own),
        (AVAYA, "files.missing-folder", "PUT", "bootstorm-interop"),
        (AVAYA, "files.first-upload", "PUT", own),
        (CISCO, "files.first-upload", "POST", "/report/"),
    ] {
        if let Some(status) = fails_with(printed, family, key).and_then(|w| w.strip_prefix("http-")?.parse().ok()) {
            assert!(has(method, part, status), "{family} {key}: {status}");
        }
    }
    // Right, wrong, null: whoever was let in with credentials is in the log, and so is who was not.
    assert!(log.iter().any(|l| l.user.as_deref() == Some(USER) && l.status != 401));
    assert!(log.iter().filter(|l| l.status == 401).count() > 10);
    // Nothing outside names of our own is ever written.
    for line in log.iter().filter(|l| !matches!(l.method.as_str(), "GET" | "HEAD" | "OPTIONS")) {
        assert!(line.path.contains("9999999") || line.path.contains("02b0057e5700"), "{line}");
    }
}

/// Nothing of ours lies there any more.
fn assert_clean(server: &Server, printed: &Value) {
    for file in ["backup/9999999_96xxdata.txt", "report/02b0057e5700.xml", "profile/02b0057e5700.xml"] {
        assert!(server.stored(file).is_none(), "{file}");
    }
    assert_eq!(printed["left_on_server"], serde_json::json!([]));
    for folder in ["backup", "report", "profile"] {
        let left: Vec<_> =
            std::fs::read_dir(server.docroot().join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
        let ours = |path: &PathBuf| path.to_string_lossy().contains("bootstorm-interop");
        assert!(!left.iter().any(ours), "{left:?}");
    }
}

fn as_expected(program: Program, tls: Option<TlsVersions>) {
    let server = Server::start(program, tls, &site(REALM));
    let file = expectation(program.name());
    if std::env::var_os("BOOTSTORM_WRITE_EXPECTATIONS").is_some() {
        let (_, code) = played(&server, &["--write-expectation", &file]);
        assert_eq!(code, 0);
    }
    let (printed, code) = played(&server, &["--expect", &file]);
    assert_eq!((differences(&printed), code), (Vec::new(), 0));
    assert_clean(&server, &printed);
    assert_true(&printed, &server.stop_and_read_log());
}

#[test]
fn nginx_is_as_expected() {
    as_expected(Program::Nginx, Some(TlsVersions::Both));
}

#[test]
fn apache_is_as_expected() {
    as_expected(Program::Apache, Some(TlsVersions::Both));
}

#[test]
fn lighttpd_is_as_expected() {
    as_expected(Program::Lighttpd, None);
}

/// The realm renamed: Avaya phones ask their users, Cisco phones do not care; nothing else changes.
#[test]
fn a_renamed_realm_turns_the_cells_that_are_about_it() {
    let server = Server::start(Program::Nginx, Some(TlsVersions::Both), &site("Moved"));
    let (printed, code) = played(&server, &["--expect", &expectation("nginx")]);
    assert_eq!(code, 98);
    assert_eq!(
        differences(&printed),
        [
            "avaya-96xx realm: \"Moved\"",
            "avaya-96xx sign-in.right: works, with a person (authentication)",
            "cisco-mpp realm: \"Moved\"",
        ]
    );
    let summary = printed["summary"].to_string();
    assert!(summary.contains("the phones have stored realm") && summary.contains("Moved"), "{summary}");
    assert_true(&printed, &server.stop_and_read_log());
}

/// The DAV module taken out: whatever is stored fails with 405, signing in and fetching do not.
#[test]
fn a_removed_dav_module_turns_the_cells_that_are_about_storing() {
    let server = Server::start(Program::Nginx, Some(TlsVersions::Both), &site(REALM).without_uploads());
    let (printed, code) = played(&server, &["--expect", &expectation("nginx")]);
    assert_eq!(code, 98);
    let turned = differences(&printed);
    let about_storing = |d: &String| {
        d.contains(" files.")
            || d.contains(" http.expect")
            || d.contains(" http.early-401")
            || d.contains(" http.delete")
    };
    assert!(turned.iter().all(about_storing), "{turned:#?}");
    for key in ["first-upload", "overwrite", "missing-folder"] {
        let wanted = format!("avaya-96xx files.{key}: fails (http-405; server)");
        assert!(turned.contains(&wanted), "{key}: {turned:#?}");
    }
    assert!(turned.contains(&"cisco-mpp files.put: fails (http-405; server)".to_owned()), "{turned:#?}");
    assert!(printed["summary"].to_string().contains("dav_methods"), "{}", printed["summary"]);
    assert_true(&printed, &server.stop_and_read_log());
}

/// A CA that is not the server's: everybody is told the one thing that is wrong, and nothing is sent.
#[test]
fn a_wrong_ca_is_the_only_thing_said() {
    let server = Server::start(Program::Nginx, Some(TlsVersions::Both), &site(REALM));
    let other = Server::start(Program::Nginx, Some(TlsVersions::Both), &site(REALM));
    let folder = tempfile::tempdir().unwrap();
    let file = workload(folder.path(), &server.url());
    let out = Command::new(env!("CARGO_BIN_EXE_bootstorm"))
        .args(["interop", &server.url(), "--workload"])
        .arg(file)
        .arg("--ca")
        .arg(other.ca_pem_path().unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(0));
    assert!(text.contains("fails (tls-unknown-ca; server)"), "{text}");
    assert!(text.contains("No phone of any family gets as far as a request: tls-unknown-ca"), "{text}");
    assert_eq!(server.stop_and_read_log(), []);
}

/// The same once more, as text, with the account by name: no password in it, nor in what `trace` says.
#[test]
fn a_user_by_name_and_no_password_shown() {
    let server = Server::start(Program::Apache, None, &site(REALM));
    let out = Command::new(env!("CARGO_BIN_EXE_bootstorm"))
        .args(["interop", &server.url(), "--user", USER, "--families", AVAYA, "--realm", "Another"])
        .env("BOOTSTORM_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(0), "{text}");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("everybody must type once"), "{text}");
    assert!(text.contains("the server's realm is \"Phone backups\""), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}
