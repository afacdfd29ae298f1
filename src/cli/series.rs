//! Several runs one after another, each a process of its own: none starts with a warm cache, used ports or grown memory
//! of the one before, and each is just what `bootstorm run` alone would be.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::task::Poll;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::runtime::Runtime;
use tokio::signal::unix::{self, SignalKind};

use super::{Ended, Exit, machine};

/// Runs that are made from this process's own command line.
pub(super) struct Series<'r> {
    program: PathBuf,
    /// What all runs are told.
    shared: Vec<OsString>,
    runtime: &'r Runtime,
    /// Once for all runs: what comes between two of them is handed to the next.
    signals: Vec<(Signal, unix::Signal)>,
    /// How many runs there will be.
    all: usize,
    begun: usize,
}

impl Series<'_> {
    /// A series of so many runs.
    pub(super) fn begin(runtime: &Runtime, all: usize) -> Result<Series<'_>, Ended> {
        let program = std::env::current_exe().map_err(Ended::undone)?;
        let own: Vec<OsString> = std::env::args_os().skip(1).collect();
        let shared = without(&own, &OF_SERIES).into_iter().filter(|argument| argument != "--json").collect();
        let within = runtime.enter();
        let signals = signals().map_err(Ended::undone)?;
        drop(within);
        Ok(Series { program, shared, runtime, signals, all, begun: 0 })
    }

    /// Makes one run with these arguments besides those of all, and waits for its end.
    pub(super) fn run(&mut self, name: &str, folder: &Path, more: &[OsString]) -> Result<Finish, Ended> {
        self.begun += 1;
        // With stderr gone there is nobody to tell.
        let _ = writeln!(io::stderr(), "run {} of {}: {name}", self.begun, self.all);
        let mut command = Command::new(&self.program);
        let replaced: &[&str] = if more.iter().any(|flag| flag == "--target") { &["--target"] } else { &[] };
        command.args(without(&self.shared, replaced)).arg("--out").arg(folder).args(more);
        // A group of its own: a Ctrl-C comes here alone and is handed on once.
        command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
        let child = command.spawn().map_err(Ended::undone)?;
        let status = self.runtime.block_on(wait(child, &mut self.signals)).map_err(Ended::undone)?;
        finish(status, name)
    }

    /// Waits for so long; says whether an interruption came meanwhile.
    pub(super) fn rest(&mut self, how_long: Duration) -> bool {
        let signals = &mut self.signals;
        self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(how_long) => false,
                _ = next(signals) => true,
            }
        })
    }
}

/// How a run of the series ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// It was made; thresholds may have been crossed.
    Made { crossed: bool },
    /// Its measurement is invalid.
    Invalid,
    /// It was interrupted.
    Interrupted,
}

/// What would interrupt a run. What was ignored from the start stays so, here and there.
fn signals() -> io::Result<Vec<(Signal, unix::Signal)>> {
    let kinds =
        [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].map(|signal| (signal, SignalKind::from_raw(signal as i32)));
    let heeded = kinds.into_iter().filter(|(_, kind)| !machine::ignores(kind.as_raw_value()));
    heeded.map(|(signal, kind)| Ok((signal, unix::signal(kind)?))).collect()
}

/// Waits for a run's end and hands on what would interrupt it.
async fn wait(mut child: Child, signals: &mut [(Signal, unix::Signal)]) -> io::Result<ExitStatus> {
    let run = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    loop {
        tokio::select! {
            // It may just have ended.
            signal = next(signals) => { let _ = kill(run, signal); }
            _ = tick.tick() => {
                if let Some(status) = child.try_wait()? {
                    return Ok(status);
                }
            }
        }
    }
}

/// The next signal that comes.
async fn next(signals: &mut [(Signal, unix::Signal)]) -> Signal {
    std::future::poll_fn(|cx| {
        let came = signals.iter_mut().find_map(|(kind, signal)| signal.poll_recv(cx).is_ready().then_some(*kind));
        came.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// What a run's end means for the series.
fn finish(status: ExitStatus, name: &str) -> Result<Finish, Ended> {
    let is = |exit: Exit| status.code() == Some(exit.code().into());
    for (exit, finish) in [
        (Exit::Passed, Finish::Made { crossed: false }),
        (Exit::Threshold, Finish::Made { crossed: true }),
        (Exit::Invalid, Finish::Invalid),
        (Exit::Interrupted, Finish::Interrupted),
    ] {
        if is(exit) {
            return Ok(finish);
        }
    }
    // Before it could heed what was handed on.
    let handed_on = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].map(|signal| Some(signal as i32));
    if handed_on.contains(&status.signal()) {
        return Ok(Finish::Interrupted);
    }
    let exit = if is(Exit::Usage) { Exit::Usage } else { Exit::Undone };
    let message = match status.signal() {
        Some(signal) => format!("{name} was killed by signal {signal}; the series ends"),
        None => format!("{name} could not be made; the series ends"),
    };
    Err(Ended { exit, message })
}

/// Flags with a value that a single run of a series is not told.
const OF_SERIES: [&str; 7] =
    ["--repeat", "--against", "--out", "--format", "--figures", "--same-within", "--fail-on-regression"];

/// The command line without these flags, each of which has a value.
fn without(arguments: &[OsString], flags: &[&str]) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.to_string_lossy();
        let flag = text.split('=').next().unwrap_or_default();
        if !flags.contains(&flag) {
            kept.push(argument.clone());
        } else if !text.contains('=') {
            rest.next();
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn what_makes_a_series_is_not_handed_on() {
        let line = "run w.toml --repeat 5 --against=a=1 --set b=2 --out x --format=json -v --seed 3";
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let kept = without(&arguments, &OF_SERIES);
        assert_eq!(kept.join(OsStr::new(" ")), "run w.toml --set b=2 -v --seed 3");
        assert_eq!(without(&kept, &["--seed"]).join(OsStr::new(" ")), "run w.toml --set b=2 -v");
    }

    #[test]
    fn how_a_run_ended_decides_about_the_series() {
        let ended = |code: i32| finish(ExitStatus::from_raw(code << 8), "a-1");
        assert_eq!(ended(0).unwrap(), Finish::Made { crossed: false });
        assert_eq!(ended(99).unwrap(), Finish::Made { crossed: true });
        assert_eq!(ended(97).unwrap(), Finish::Invalid);
        assert_eq!(ended(130).unwrap(), Finish::Interrupted);
        assert_eq!(finish(ExitStatus::from_raw(2), "a-1").unwrap(), Finish::Interrupted);
        assert_eq!(ended(2).unwrap_err().exit, Exit::Usage);
        assert_eq!(ended(1).unwrap_err().exit, Exit::Undone);
        let killed = finish(ExitStatus::from_raw(9), "a-1").unwrap_err();
        assert_eq!(
            (killed.exit, killed.message.as_str()),
            (Exit::Undone, "a-1 was killed by signal 9; the series ends")
        );
    }
}
