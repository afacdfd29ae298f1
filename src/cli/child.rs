//! A run in a process of its own: just what `bootstorm run` alone would be, with nothing of a run before it.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::task::Poll;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::runtime::Runtime;
use tokio::signal::unix::{self, SignalKind};

use super::{Ended, Exit, machine};

/// How such a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// It was made; thresholds may have been crossed.
    Made { crossed: bool },
    /// Its measurement is invalid.
    Invalid,
    /// It was interrupted.
    Interrupted,
}

/// Makes runs one after another, and hands on to them what would interrupt this process.
pub(super) struct Children<'r> {
    program: PathBuf,
    runtime: &'r Runtime,
    signals: Vec<(Signal, unix::Signal)>,
}

impl Children<'_> {
    /// Begins to watch for signals: what comes between two runs is handed to the next.
    pub(super) fn new(runtime: &Runtime) -> Result<Children<'_>, Ended> {
        let program = std::env::current_exe().map_err(Ended::undone)?;
        let within = runtime.enter();
        let signals = signals().map_err(Ended::undone)?;
        drop(within);
        Ok(Children { program, runtime, signals })
    }

    /// Makes one run, which messages call `name`. Its results are in its folder; what it says goes to `stderr`.
    pub(super) fn run(&mut self, name: &str, arguments: &[OsString], stderr: Stdio) -> Result<Finish, Ended> {
        let mut command = Command::new(&self.program);
        // A group of its own: a Ctrl-C comes here alone and is handed on once.
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).process_group(0);
        let child = command.spawn().map_err(Ended::undone)?;
        let status = self.runtime.block_on(wait(child, &mut self.signals)).map_err(Ended::undone)?;
        finish(status, name)
    }

    /// Waits; says whether nobody interrupted it.
    pub(super) fn rest(&mut self, time: Duration) -> bool {
        let signals = &mut self.signals;
        self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(time) => true,
                _ = next(signals) => false,
            }
        })
    }
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

/// The command line without these flags, each of which has a value.
pub(super) fn without(arguments: &[OsString], flags: &[&str]) -> Vec<OsString> {
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
    use super::*;

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
