//! Load on another machine takes consent: a name, or a file on the server. Played in a network namespace of its own, in which
//! an address that is not loopback is this machine's too: nothing can leave it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use cli::Home;

/// Set where the test plays within the namespace.
const INSIDE: &str = "CONSENT_TEST_INSIDE";
const ADDRESS: &str = "198.51.100.1";

/// A server at the other address that has what is in `files`, and asks for credentials.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(home: &Home) -> Served {
        let listen = format!("{ADDRESS}:8080");
        let digest =
            "tls = false\n\n[target.embedded.auth]\noffers = [\"digest-md5-sess\"]\nprotects = \"everything\"\n";
        home.write("closed.toml", &cli::TINY.replacen("tls = false\n", digest, 1));
        let mut command = home.bootstorm();
        command.args(["serve", "closed.toml", "--listen", &listen, "--folder", "files"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        // The last line of all: after it there is nothing to wait for.
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.into_iter().any(|line| line.starts_with("uploads")), "the server did not start");
        Served { child, url: format!("http://{listen}") }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn load_on_another_machine_takes_consent() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let own = std::env::current_exe().unwrap();
    let network = format!("ip link set lo up && ip address add {ADDRESS}/32 dev lo && exec \"$@\"");
    let unshared = |program: &[&std::ffi::OsStr]| {
        let mut command = Command::new("unshare");
        command.args(["-rn", "sh", "-c", &network, "sh"]).args(program).env(INSIDE, "1");
        command.output()
    };
    match unshared(&["true".as_ref()]) {
        Ok(output) if output.status.success() => {}
        told => {
            eprintln!("skipped: no network namespace can be made here ({told:?})");
            return;
        }
    }
    let output = unshared(&[own.as_os_str(), "--exact".as_ref(), "load_on_another_machine_takes_consent".as_ref()]);
    let output = output.unwrap();
    let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn inside() {
    let home = Home::new();
    std::fs::create_dir(home.path("files")).unwrap();
    let served = Served::start(&home);
    let (url, phones) = (served.url.as_str(), "12");
    let token = |text: &str| home.write("files/bootstorm-consent.txt", text);
    let run = |out: &str, flags: &[&str]| {
        home.run(
            &[&["run", "tiny.toml", "--accept-invalid", "--target", url, "--out", out, "--phones", phones], flags]
                .concat(),
        )
    };

    let refused = run("without", &[]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("--authorised-by"), "{}", refused.stderr);

    let missing = run("missing", &["--ask-consent"]);
    assert_eq!(missing.code, Some(2), "{}", missing.stderr);
    assert!(missing.stderr.contains("the answer is 404"), "{}", missing.stderr);

    token("allow-load-from: 203.0.113.9\n");
    let other = run("other", &["--ask-consent"]);
    assert!(other.code == Some(2) && other.stderr.contains("does not allow load from"), "{}", other.stderr);

    token("allow-load-from: 198.51.100.0/24\nmax-phones: 5\n");
    let many = run("many", &["--ask-consent"]);
    assert!(many.code == Some(2) && many.stderr.contains("it allows 5 phones, and these are 12"), "{}", many.stderr);

    token("# the file servers' people\nallow-load-from: 198.51.100.0/24\nmax-phones: 50\n");
    let asked = run("asked", &["--ask-consent"]);
    assert_eq!(asked.code, Some(0), "{}", asked.stderr);
    let consent = &home.json("asked/manifest.json")["consent"];
    assert_eq!(consent["kind"], "token");
    assert_eq!(consent["by"], format!("{url}/bootstorm-consent.txt"));

    let authorised = run("authorised", &["--authorised-by", "J. Doe, file servers"]);
    assert_eq!(authorised.code, Some(0), "{}", authorised.stderr);
    let consent = &home.json("authorised/manifest.json")["consent"];
    assert_eq!((&consent["kind"], &consent["by"]), (&"authorised-by".into(), &"J. Doe, file servers".into()));

    let traced = home.run(&["trace", "tiny.toml", "--phone", "0", "--target", url]);
    assert!(traced.code == Some(2) && traced.stderr.contains("--authorised-by"), "{}", traced.stderr);
    let traced = home.run(&["trace", "tiny.toml", "--phone", "0", "--target", url, "--authorised-by", "J. Doe"]);
    assert_eq!(traced.code, Some(0), "{}", traced.stderr);
}
