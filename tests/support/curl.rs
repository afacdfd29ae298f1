//! curl, the client that shares no code with ours: it proves the servers of the tests, and judges the embedded one.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// How curl authenticates itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Auth<'a> {
    /// Not at all.
    None,
    /// Basic with the first request: user, password.
    Basic(&'a str, &'a str),
    /// Digest, after the server's challenge (which names the algorithm): user, password.
    Digest(&'a str, &'a str),
}

/// What came back in the end, all challenges answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The headers of the last answer, a line each, names in lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

/// Sends one request with curl, with `body` if there is one; trusts `ca` alone if the URL is https.
///
/// Credentials go in over stdin, so that no process list shows them.
pub(crate) fn request(method: &str, url: &str, ca: Option<&Path>, auth: Auth<'_>, body: Option<&[u8]>) -> Reply {
    let folder = tempfile::tempdir().expect("a temporary folder for curl");
    let (answer, heads) = (folder.path().join("answer"), folder.path().join("heads"));
    let mut config = String::new();
    match auth {
        Auth::None => {}
        Auth::Basic(user, password) => config.push_str(&format!("basic\nuser = \"{user}:{password}\"\n")),
        Auth::Digest(user, password) => config.push_str(&format!("digest\nuser = \"{user}:{password}\"\n")),
    }
    let mut curl = Command::new("curl");
    curl.args(["--disable", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30", "--http1.1"])
        .args(["--request", method, "--write-out", "%{http_code}", "--config", "-", "--output"])
        .arg(&answer)
        .arg("--dump-header")
        .arg(&heads);
    if let Some(ca) = ca {
        curl.arg("--cacert").arg(ca);
    }
    if let Some(body) = body {
        let upload = folder.path().join("upload");
        std::fs::write(&upload, body).expect("the body for curl");
        // Without the empty Expect, curl waits for a 100 that not every server sends at once.
        curl.args(["--header", "Expect:", "--data-binary"]).arg(format!("@{}", upload.display()));
    }
    let mut child = curl
        .arg(url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{NOT_THERE} ({e})"));
    child.stdin.take().expect("stdin was piped").write_all(config.as_bytes()).expect("curl reads its config");
    let out = child.wait_with_output().expect("curl ends");
    assert!(out.status.success(), "curl {method} {url}: {}", String::from_utf8_lossy(&out.stderr).trim());
    let status = String::from_utf8_lossy(&out.stdout).trim().parse().expect("curl writes the status");
    let heads = std::fs::read(&heads).expect("curl writes the headers");
    Reply { status, headers: last_head(&heads), body: std::fs::read(&answer).unwrap_or_default() }
}

/// The headers of the last of several answers' heads, each ended by an empty line.
fn last_head(heads: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(heads).replace("\r\n", "\n");
    let last = text.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let lines = last.lines().skip(1).filter_map(|line| line.split_once(": "));
    lines.map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase())).collect()
}

/// Whether curl and the server can agree on exactly this TLS version (`1.2`, `1.3`).
pub(crate) fn speaks(url: &str, ca: &Path, version: &str) -> bool {
    Command::new("curl")
        .args(["--disable", "--silent", "--noproxy", "*", "--max-time", "30", "--output", "/dev/null"])
        .args(["--tls-max", version, &format!("--tlsv{version}")])
        .arg("--cacert")
        .arg(ca)
        .arg(url)
        .status()
        .unwrap_or_else(|e| panic!("{NOT_THERE} ({e})"))
        .success()
}

const NOT_THERE: &str = "curl cannot be started: run scripts/test, it installs it";
