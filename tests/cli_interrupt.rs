//! Ctrl-C: the first drains and reports, the second ends at once; both leave a folder that accounts for everything.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use cli::{Home, signal};
use nix::sys::signal::Signal;
use serde_json::Value;

/// A server that lets every phone wait until it is told to answer.
struct Staller {
    url: String,
    /// One word for each request that waits.
    waiting: Receiver<Sender<()>>,
}

impl Staller {
    fn start() -> Staller {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, waiting) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let tell = tell.clone();
                thread::spawn(move || serve(&stream.unwrap(), &tell));
            }
        });
        Staller { url, waiting }
    }

    /// Answers all requests that wait, and all that come after.
    fn answer(self) {
        thread::spawn(move || self.waiting.iter().all(|go_on| go_on.send(()).is_ok()));
    }
}

/// One connection. The look at the target before the storm is a HEAD, and is answered.
fn serve(stream: &TcpStream, tell: &Sender<Sender<()>>) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(request)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        if !request.starts_with("HEAD ") {
            let (go_on, told) = mpsc::channel();
            let _ = tell.send(go_on);
            if told.recv().is_err() {
                return;
            }
        }
        let mut to = stream;
        if to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

/// A run under way.
struct Running {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Running {
    /// Twelve phones, one every fifth of a second, against `staller`; returns when a request waits there.
    fn against(staller: &Staller, home: &Home) -> (Running, Sender<()>) {
        let mut command = home.bootstorm();
        command.args(["run", "tiny.toml", "--out", "out", "--set", "phase.0.arrival.constant=5/s"]);
        command.args(["--json", "--target", &staller.url]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let running = Running { child, stderr };
        (running, staller.waiting.recv().unwrap())
    }

    /// Interrupts it and returns when it has said so.
    fn interrupt(&mut self, by: Signal, says: &str) {
        signal(&self.child, by);
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        assert!(line.contains(says), "{line}");
    }

    /// Waits for its end: what it said last on stderr, and the summary, which is the folder's too.
    fn end(mut self, home: &Home) -> (String, Value) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut stderr).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(130), "{stderr}");
        let summary: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(summary, home.json("out/summary.json"));
        for file in ["manifest.json", "operations.csv", "intervals.csv"] {
            assert!(home.path("out").join(file).is_file(), "{file}");
        }
        assert_eq!(home.json("out/manifest.json")["marks"]["partial"], true);
        assert_eq!(summary["marks"]["partial"], true);
        (stderr, summary)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, if all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every phone and every operation planned is accounted for; so many restores were dropped for the interruption.
#[track_caller]
fn accounts(summary: &Value) -> u64 {
    let n = |value: &Value| value.as_u64().unwrap();
    let phones = &summary["phones"];
    assert_eq!(n(&phones["provisioned"]) + n(&phones["prompting"]) + n(&phones["failed"]), 12);
    for (name, operation) in summary["operations"].as_object().unwrap() {
        assert_eq!(
            n(&operation["planned"]),
            n(&operation["started"]) + n(&operation["dropped"]),
            "{name}: {operation}"
        );
        let outcomes: u64 = operation["outcomes"].as_object().unwrap().values().map(n).sum();
        assert_eq!(outcomes, n(&operation["started"]), "{name}: {operation}");
    }
    n(&summary["operations"]["restore"]["dropped_causes"]["interrupted"])
}

#[test]
fn the_first_ctrl_c_lets_what_is_under_way_end() {
    let (home, staller) = (Home::new(), Staller::start());
    let (mut running, first) = Running::against(&staller, &home);
    running.interrupt(Signal::SIGINT, "draining: what is under way may end, Ctrl-C again ends at once");
    assert!(running.child.try_wait().unwrap().is_none(), "a phone still waits for its answer");
    first.send(()).unwrap();
    staller.answer();
    let (stderr, summary) = running.end(&home);
    assert_eq!(stderr, "bootstorm: interrupted: the report is of the part that was done\n");
    let resync = &summary["operations"]["resync"];
    assert!(resync["started"].as_u64() > Some(0) && resync["outcomes"]["ok"] == resync["started"], "{resync}");
    assert_eq!(accounts(&summary), summary["operations"]["restore"]["planned"].as_u64().unwrap(), "none began");
    assert!(summary["phones"]["failed_off"].as_u64() > Some(0), "nothing new began: {}", summary["phones"]);
}

#[test]
fn the_second_ctrl_c_ends_at_once() {
    let (home, staller) = (Home::new(), Staller::start());
    let (mut running, _first) = Running::against(&staller, &home);
    // A service manager's SIGTERM counts as well.
    running.interrupt(Signal::SIGTERM, "draining");
    running.interrupt(Signal::SIGINT, "ending at once");
    let (stderr, summary) = running.end(&home);
    assert_eq!(stderr, "bootstorm: interrupted: the report is of the part that was done\n");
    let resync = &summary["operations"]["resync"];
    assert!(resync["outcomes"]["aborted"] == resync["started"], "nobody was answered: {resync}");
    assert!(accounts(&summary) > 0);
    assert!(summary["wall_s"].as_f64().unwrap() < 20.0, "the phones' own timeouts were not waited for");
}
