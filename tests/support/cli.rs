//! The program as a shell sees it: arguments in; stdout, stderr and an exit code out.
#![allow(dead_code, reason = "every test binary compiles all of this and uses its own part")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// Twelve desks that boot in a tenth of a second.
pub(crate) const TINY: &str = include_str!("../data/cli/tiny.toml");

/// A folder of its own to work in, which goes with the test.
pub(crate) struct Home(TempDir);

impl Home {
    /// With `tiny.toml` in it.
    pub(crate) fn new() -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        home.write("tiny.toml", TINY);
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    /// Names of what is there.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        fs::read_dir(self.0.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The program, to be run here, with nothing of this process's environment that concerns it.
    pub(crate) fn bootstorm(&self) -> Command {
        self.command(cargo_bin("bootstorm"))
    }

    /// Any program, to be run the same way.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.0.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BOOTSTORM_")) {
            command.env_remove(name);
        }
        command.env_remove("NO_COLOR").env_remove("RUST_BACKTRACE");
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&self.bootstorm().args(arguments).output().unwrap())
    }
}

/// How a program ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Ended {
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        Ended { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// `bootstorm serve tiny.toml` in a process of its own; ended with the test, however that ends.
pub(crate) struct Served {
    child: Child,
    facts: Vec<(String, String)>,
}

impl Served {
    pub(crate) fn start(home: &Home, arguments: &[&str]) -> Served {
        let mut command = home.bootstorm();
        command.args(["serve", "tiny.toml", "--listen", "127.0.0.1:0"]).args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut facts = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let (name, value) = line.split_once(": ").unwrap();
            facts.push((name.to_owned(), value.to_owned()));
            // The last line of all: after it there is nothing to wait for.
            if name == "uploads" {
                break;
            }
        }
        Served { child, facts }
    }

    fn fact(&self, name: &str) -> &str {
        self.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap()
    }

    /// Its URL, without the last slash.
    pub(crate) fn url(&self) -> &str {
        self.fact("url").trim_end_matches('/')
    }

    pub(crate) fn port(&self) -> &str {
        self.url().rsplit(':').next().unwrap()
    }

    /// The process's number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn ca(&self) -> &Path {
        Path::new(self.fact("ca"))
    }

    #[allow(clippy::disallowed_methods, reason = "a process that is stopped keeps no virtual time")]
    /// Stops the whole process for so long; says how long it really was.
    pub(crate) fn freeze(&self, how_long: Duration) -> Duration {
        signal(&self.child, Signal::SIGSTOP);
        let since = Instant::now();
        std::thread::sleep(how_long);
        let frozen = since.elapsed();
        signal(&self.child, Signal::SIGCONT);
        frozen
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        signal(&self.child, Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}
