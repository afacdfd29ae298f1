//! A run that is watched by a real Prometheus, and whose metrics `promtool` takes.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::Duration;

use cli::{Home, signal};
use nix::sys::signal::Signal;
use serde_json::Value;

/// Said when it is not there. A test must fail then: skipping would look like passing.
const INSTALL: &str = "run scripts/install-servers, it installs prometheus and promtool";
/// How long something that must happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// A process that ends with the test, however that ends.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A run whose phones come one by one until somebody interrupts it.
struct Watched {
    child: Ends,
    stderr: BufReader<ChildStderr>,
    /// `127.0.0.1:PORT`.
    address: String,
}

impl Watched {
    fn start(home: &Home) -> Watched {
        let mut command = home.bootstorm();
        command.args(["run", "tiny.toml", "--phones", "2k", "--set", "phase.0.arrival.constant=20/s"]);
        command.args(["--set", "run.limit=10m", "--out", "out", "--prometheus", "0"]);
        let mut child = Ends(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
        let mut stderr = BufReader::new(child.0.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let address = line.strip_prefix("metrics: http://").and_then(|rest| rest.strip_suffix("/metrics\n"));
        let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
        Watched { child, stderr, address }
    }

    /// Interrupts it, twice, and waits for its end.
    fn stop(mut self) {
        signal(&self.child.0, Signal::SIGINT);
        signal(&self.child.0, Signal::SIGINT);
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        assert_eq!(self.child.0.wait().unwrap().code(), Some(130), "{rest}");
    }
}

/// What a GET at this address brings: the head and the body.
fn get(address: &str, path: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}

/// Asks until there is an answer.
#[track_caller]
fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
        if let Some(answer) = ask() {
            return answer;
        }
        thread::sleep(PAUSE);
    }
    panic!("in {PATIENCE:?} there was never {what}");
}

/// What `promtool check metrics` has to say; nothing if all is well.
fn promtool(metrics: &str) -> String {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect(INSTALL);
    child.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|octets| String::from_utf8(octets).unwrap()).concat();
    if output.status.success() { said } else { format!("{}: {said}", output.status) }
}

#[test]
fn promtool_takes_a_finished_run_and_would_notice() {
    let home = Home::new();
    let ended = home.run(&["run", "tiny.toml", "--out", "out", "--format", "prometheus"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(promtool(&ended.stdout), "", "{}", ended.stdout);
    assert!(ended.stdout.contains("bootstorm_run_verdict{state=\"valid\"} 1\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("bootstorm_operation_response_seconds{operation=\"restore\",quantile=\"0.5\"} 0."));
    assert!(promtool("x_milliseconds 1\n").contains("x_milliseconds"), "it does look");
}

#[test]
fn a_real_prometheus_watches_a_run() {
    let home = Home::new();
    let run = Watched::start(&home);

    let (head, page) = eventually("a page with restores", || {
        get(&run.address, "/metrics").filter(|(_, page)| page.contains("operation=\"restore\",outcome=\"ok\""))
    });
    assert!(head.starts_with("HTTP/1.0 200") || head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert_eq!(promtool(&page), "", "{page}");
    assert!(!page.contains("bootstorm_run_verdict"), "only an end can tell: {page}");

    let prometheus = Prometheus::start(&home, &run.address);
    let provisioned = eventually("a sample of provisioned phones", || {
        prometheus.value("bootstorm_phones{standing=\"provisioned\"}").filter(|n| *n > 0.0)
    });
    let later = eventually("more of them", || {
        prometheus.value("bootstorm_phones{standing=\"provisioned\"}").filter(|n| *n > provisioned)
    });
    assert!(later <= 2_000.0);
    assert_eq!(prometheus.value("bootstorm_run_info{workload=\"tiny\",seed=\"11\"}"), Some(1.0));
    assert!(prometheus.value("sum(bootstorm_exchanges_answered_total)") > Some(0.0));
    assert_eq!(prometheus.value("up{job=\"bootstorm\"}"), Some(1.0));
    let middle = "histogram_quantile(0.5, bootstorm_operation_response_time_seconds_bucket{operation=\"restore\"})";
    assert!(prometheus.value(middle) > Some(0.0));
    run.stop();
}

#[test]
fn a_port_that_is_taken_is_said_before_anything_is_sent() {
    let home = Home::new();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = home.run(&["run", "tiny.toml", "--out", "out", "--prometheus", &port]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("somebody listens there"), "{}", ended.stderr);
    assert!(!home.path("out").exists(), "no run, no folder");
}

/// A Prometheus of its own, on a port of its own.
struct Prometheus {
    _child: Ends,
    address: String,
}

impl Prometheus {
    fn start(home: &Home, target: &str) -> Prometheus {
        home.write(
            "prometheus.yml",
            &format!(
                "global: {{ scrape_interval: 250ms }}\nscrape_configs:\n  - job_name: bootstorm\n    \
                 static_configs: [{{ targets: ['{target}'] }}]\n"
            ),
        );
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let log = std::fs::File::create(home.path("prometheus.log")).unwrap();
        let mut command = home.command("prometheus");
        command.arg(format!("--web.listen-address={free}"));
        command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"]);
        let child = Ends(command.stdout(Stdio::null()).stderr(log).spawn().expect(INSTALL));
        let prometheus = Prometheus { _child: child, address: free.to_string() };
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            if get(&prometheus.address, "/-/ready").is_some_and(|(head, _)| head.contains(" 200 ")) {
                return prometheus;
            }
            thread::sleep(PAUSE);
        }
        panic!("it never got ready: {}", std::fs::read_to_string(home.path("prometheus.log")).unwrap_or_default());
    }

    /// The one value of a query, if there is one.
    fn value(&self, query: &str) -> Option<f64> {
        let query: String = query.bytes().map(|b| format!("%{b:02x}")).collect();
        let (_, body) = get(&self.address, &format!("/api/v1/query?query={query}"))?;
        let answer: Value = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {body}"));
        assert_eq!(answer["status"], "success", "{answer}");
        answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }
}
