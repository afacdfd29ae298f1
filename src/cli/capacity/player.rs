//! Who makes the runs: a process for each, or virtual time.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::ask::{AskArgs, BARE, WITH_VALUE};
use crate::cli::child::{Children, Finish, without};
use crate::cli::generator::GeneratorArgs;
use crate::cli::{Ended, Exit};
use crate::metrics::{Record, ThresholdResult, Validity, Verdict, unbalanced};
use crate::net::NetError;
use crate::report::capacity::Bound;
use crate::report::{Folder, Saved, Summary};
use crate::simulate::{Latencies, run_embedded};
use crate::workload::{Overrides, Target};

/// A run that is wanted.
#[derive(Debug)]
pub(super) struct Wanted<'w> {
    /// Its folder's name.
    pub(super) name: &'w str,
    /// Its plan.
    pub(super) plan: Shared,
    /// What every run is told over the workload's file.
    pub(super) base: &'w Overrides,
    /// What this one is told.
    pub(super) overrides: &'w Overrides,
}

/// How it went.
#[derive(Debug)]
pub(super) enum Played {
    /// It was made; whether its measurement is valid, its verdict says.
    Made(Box<Record>),
    /// This machine cannot make it.
    Refused(Bound),
    /// Somebody interrupted it.
    Interrupted,
}

/// Makes runs.
pub(super) trait Player {
    /// Makes one.
    ///
    /// # Errors
    /// If it could not be made, for another reason than this machine's limits.
    fn play(&mut self, wanted: &Wanted<'_>) -> Result<Played, Ended>;

    /// Waits between two runs; says whether nobody interrupted it.
    ///
    /// # Errors
    /// If it cannot wait.
    fn rest(&mut self, time: Duration) -> bool;

    /// A run's judgement of itself.
    fn judge(&self, record: &Record) -> Verdict {
        record.verdict()
    }

    /// The folder's name, if the run has one.
    fn kept(&self, name: &str) -> Option<String>;
}

/// Each run in a process of its own.
pub(super) struct Processes<'r> {
    children: Children<'r>,
    folder: PathBuf,
    generator: GeneratorArgs,
    shared: Vec<OsString>,
}

impl<'r> Processes<'r> {
    /// Runs in folders below this one.
    pub(super) fn new(
        children: Children<'r>,
        folder: &Folder,
        generator: &GeneratorArgs,
        ask: &AskArgs,
    ) -> Processes<'r> {
        let own: Vec<OsString> = std::env::args_os().skip(1).collect();
        let mut shared: Vec<OsString> = without(&own, &WITH_VALUE);
        shared.retain(|argument| !BARE.iter().any(|flag| argument == flag));
        // The verb is the first word that is no flag, and all flags before it are without a value.
        if let Some(verb) = shared.iter_mut().find(|argument| *argument == "capacity") {
            *verb = "run".into();
        }
        // A run does not search, but what the file says of it must hold for it too.
        shared.extend(ask.assignments().into_iter().flat_map(|set| ["--set".into(), set.into()]));
        Processes { children, folder: folder.path().to_owned(), generator: generator.clone(), shared }
    }

    /// The command line of one run.
    fn arguments(&self, wanted: &Wanted<'_>) -> Vec<OsString> {
        let (base, own) = (wanted.base, wanted.overrides);
        let mut arguments = match own.phones == base.phones {
            true => self.shared.clone(),
            false => without(&self.shared, &["--phones"]),
        };
        if own.phones != base.phones {
            arguments.extend(own.phones.map(|n| format!("--phones={n}").into()));
        }
        let sets = own.sets.iter().skip(base.sets.len());
        arguments.extend(sets.flat_map(|set| ["--set".into(), set.into()]));
        arguments.extend(["--out".into(), self.folder.join(wanted.name).into()]);
        arguments
    }
}

impl Player for Processes<'_> {
    fn play(&mut self, wanted: &Wanted<'_>) -> Result<Played, Ended> {
        if let Err(error) = self.generator.check_limits(&wanted.plan) {
            let what = match &error {
                NetError::Files { .. } => "files",
                NetError::Ports { .. } => "ports",
                NetError::Memory { .. } => "memory",
                _ => return Err(Ended::net(error)),
            };
            return Ok(Played::Refused(Bound { what: what.to_owned(), reasons: vec![error.to_string()] }));
        }
        let arguments = self.arguments(wanted);
        let log = self.folder.join(format!("{}.log", wanted.name));
        let stderr = File::create(&log).map_err(Ended::undone)?;
        let finish = self.children.run(wanted.name, &arguments, Stdio::from(stderr));
        let said = fs::read_to_string(&log).unwrap_or_default();
        let finish =
            finish.map_err(|ended| Ended { message: format!("{}: {}", ended.message, said.trim()), ..ended })?;
        // What it said is in its folder too, or on its way to the one who waits.
        let _ = fs::remove_file(&log);
        if finish == Finish::Interrupted {
            return Ok(Played::Interrupted);
        }
        let saved = Saved::open(&self.folder.join(wanted.name)).map_err(Ended::undone)?;
        match saved.caveat() {
            Some(caveat) => Err(Ended { exit: Exit::Undone, message: format!("{}: {caveat}", wanted.name) }),
            None => Ok(Played::Made(Box::new(saved.record))),
        }
    }

    fn rest(&mut self, time: Duration) -> bool {
        self.children.rest(time)
    }

    fn kept(&self, name: &str) -> Option<String> {
        Some(name.to_owned())
    }
}

/// Virtual time, against the embedded target's own core.
#[derive(Debug)]
pub(super) struct Virtual;

impl Player for Virtual {
    fn play(&mut self, wanted: &Wanted<'_>) -> Result<Played, Ended> {
        let Target::Embedded(target) = &wanted.plan.target else {
            return Err(Ended::usage("--virtual: only the embedded target's law can be computed"));
        };
        let mut record =
            run_embedded(&Arc::clone(&wanted.plan), target, Latencies::default()).map_err(Ended::undone)?;
        // A summary is plain data: it always becomes JSON.
        let figures = serde_json::to_value(Summary::of(&record)).map_err(Ended::undone)?;
        let check = |threshold| ThresholdResult::check(threshold, &figures, &record.marks);
        record.thresholds = wanted.plan.thresholds.iter().map(check).collect();
        Ok(Played::Made(Box::new(record)))
    }

    fn rest(&mut self, _: Duration) -> bool {
        true
    }

    /// There is no generator that could be the limit: all that can be wrong is the books.
    fn judge(&self, record: &Record) -> Verdict {
        let mut verdict = Verdict::default();
        for reason in unbalanced(&record.tally.totals) {
            verdict.add(Validity::Invalid, reason);
        }
        verdict
    }

    fn kept(&self, _: &str) -> Option<String> {
        None
    }
}
