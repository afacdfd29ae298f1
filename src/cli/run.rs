//! `bootstorm run`: from a workload to a report.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use clap::Args;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::bounds::Bounds;
use super::format::FormatArgs;
use super::generator::GeneratorArgs;
use super::monitor::{self, Monitor};
use super::progress::Progress;
use super::repeat::{self, Repeated, SeriesArgs};
use super::report::tell;
use super::server::{Server, find_server};
use super::workload::WorkloadArgs;
use super::{Ended, Exit, consent, machine, matrix, now, runtime};
use crate::driver::{self, Control, Driven, Handicap, Live, Processes, RunError, Setting, TargetGauge};
use crate::metrics::journal::{End, Header, How, Replay};
use crate::metrics::{Marks, PlanFacts, Record, SnapshotCell, ThresholdResult, Timeline, Verdict};
use crate::net::{NetError, Settings, limits, preflight};
use crate::phone::Origin;
use crate::report::{Circumstances, Folder, Manifest, Saved, Summary, number, prometheus};
use crate::workload::{Plan, Target};

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    workload: WorkloadArgs,
    /// Write the run's folder here instead of results/<UTC>-<workload>; it must not exist, or be empty
    #[arg(long, value_name = "DIR", env = "BOOTSTORM_OUT", hide_env_values = true, help_heading = "Results")]
    out: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArgs,
    /// While the run is on, serve its metrics to Prometheus at http://ADDR/metrics; a port alone is loopback's
    #[arg(long, value_name = "ADDR", env = "BOOTSTORM_PROMETHEUS", hide_env_values = true)]
    #[arg(value_parser = monitor::address, help_heading = "Results")]
    prometheus: Option<SocketAddr>,
    #[command(flatten)]
    series: SeriesArgs,
    #[command(flatten)]
    generator: GeneratorArgs,
    /// Do not end with 97 if the generator, and not the server, was the limit; stamped on every output
    #[arg(long, help_heading = "Generator")]
    accept_invalid: bool,
}

/// Carries the workload out.
pub(super) fn run(args: RunArgs) -> Result<Exit, Ended> {
    if let Some(matrix) = args.workload.matrix()? {
        let folder = |name: &str| folder(&args, name);
        return matrix::run(matrix, &args.series, args.format.chosen(), &folder, now());
    }
    let mut plan = args.workload.load()?;
    plan.tls.verify &= !args.generator.dangerously_skip_tls_verification;
    let plan = Arc::new(plan);
    let runtime = runtime()?;
    if args.series.wanted()? {
        let folder = || folder(&args, &plan.name);
        let repeated = Repeated { workload: &args.workload, folder: &folder, format: args.format.chosen() };
        return repeat::run(&args.series, &repeated, &plan, &runtime);
    }
    let watched = watched(&args.generator.watch_pid, &plan)?;
    limits::raise_open_files().map_err(Ended::net)?;
    let server = find_server(&plan)?;
    let gauge = match (&server.embedded, watched) {
        (Some(running), _) => Some(Box::new(running.gauge()) as TargetGauge),
        (None, Some(mut processes)) => Some(Box::new(move || processes.read()) as TargetGauge),
        (None, None) => None,
    };
    let (addresses, consent) = consent::obtain(&args.generator.consent, &runtime, &plan, &server)?;
    let settings = args.generator.settings(&plan, &server, addresses)?;
    let bounds = bound_connections(&plan, &server, &settings)?;
    if let Some(target) = &server.embedded {
        let left = bounds.limits.files_of_target(bounds.connections as u64, settings.shards);
        target.bound(usize::try_from(left).unwrap_or(usize::MAX));
    }
    runtime.block_on(probe(&settings, &server.origin, plan.fallback.as_deref())).map_err(Ended::net)?;
    let monitor = args.prometheus.map(Monitor::bind).transpose()?;
    if let Some(monitor) = &monitor {
        // With stderr gone there is nobody to tell.
        let _ = writeln!(io::stderr(), "metrics: {}", monitor.url());
    }
    let folder = folder(&args, &plan.name)?;

    let shards = u32::try_from(settings.shards).unwrap_or(1);
    let started_at = now();
    let circumstances = Circumstances {
        effective: plan.effective.clone(),
        overrides: args.workload.changes(),
        target: format!("{}{}", server.origin, server.base),
        consent,
        machine: machine::describe(),
        limits: bounds.as_limits(&plan),
    };
    let facts = PlanFacts::of(&plan);
    let manifest = Manifest::of(&facts, started_at, circumstances);
    let header = header(&plan, facts, &manifest, args.accept_invalid);
    let setting = Setting {
        origin: server.origin.clone(),
        base: server.base.clone(),
        net: settings,
        max_connections: bounds.connections,
        shards,
        embedded: server.embedded.is_some(),
        ports: Some(bounds.limits.connections_by_ports),
        timer_floor: driver::timer_floor().map_err(Ended::undone)?,
        control: Control::default(),
        snapshots: (0..shards).map(|_| Arc::new(SnapshotCell::new())).collect(),
        live: Live::default(),
        journal: Some(Box::new(folder.make_journal().map_err(Ended::folder)?)),
        header: header.clone(),
        target: gauge,
        handicap: Handicap::None,
    };
    if let Some(target) = &server.embedded {
        target.begin(plan.compression);
    }
    let watchers = monitor.map(|monitor| monitor.serve(live_metrics(&setting, started_at)));
    let driven = drive(&runtime, &plan, setting, watchers).map_err(|error| {
        if !matches!(error, RunError::Panic) {
            // Nothing happened: there is nothing to tell.
            folder.abandon();
        }
        Ended::undone(error)
    })?;
    drop(server.embedded);

    report(&args, &folder, header, driven)
}

/// The processes that were named, if any.
fn watched(pids: &[i32], plan: &Plan) -> Result<Option<Processes>, Ended> {
    match &plan.target {
        _ if pids.is_empty() => Ok(None),
        Target::Embedded(_) => {
            Err(Ended::usage("--watch-pid: the embedded target is part of this process, and is watched without"))
        }
        Target::Url { .. } => match Processes::watch(pids) {
            Ok(processes) => Ok(Some(processes)),
            Err(error) => Err(Ended::usage(format!("--watch-pid: {error}"))),
        },
    }
}

/// What the journal begins with.
fn header(plan: &Plan, facts: PlanFacts, manifest: &Manifest, accepted_invalid: bool) -> Header {
    Header {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: facts,
        thresholds: plan.thresholds.iter().map(|t| (t.figure().to_owned(), t.typed().to_owned())).collect(),
        manifest: manifest.to_text(),
        marks: Marks { tls_not_verified: !plan.tls.verify, accepted_invalid, ..Marks::default() },
        ..Header::default()
    }
}

/// Where the run is written. Made before the storm, so that a disk that takes nothing is known then.
fn folder(args: &RunArgs, workload: &str) -> Result<Folder, Ended> {
    match &args.out {
        Some(path) => Folder::named(path),
        None => Folder::under(Path::new("results"), now(), workload),
    }
    .map_err(Ended::folder)
}

/// Runs the shards, shows progress, and hands Ctrl-C (or a terminal that closed) on: the first drains, the second ends
/// at once.
fn drive(
    runtime: &Runtime,
    plan: &Arc<Plan>,
    setting: Setting,
    watchers: Option<impl Future<Output = ()>>,
) -> Result<Driven, RunError> {
    let (control, snapshots) = (setting.control.clone(), setting.snapshots.clone());
    let mut progress = Progress::new(plan.phones().into());
    // Before the first phone: who interrupts early gets a report as well.
    let within = runtime.enter();
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    // What was ignored from the start stays so: `nohup`, or a script's job in the background.
    let heeded = kinds.into_iter().filter(|kind| !machine::ignores(kind.as_raw_value()));
    let signals = heeded.map(signal).collect::<io::Result<Vec<_>>>();
    drop(within);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| driver::run(plan, setting));
        let watched = async {
            let mut signals = signals?;
            let mut tick = tokio::time::interval(Duration::from_millis(100));
            while !run.is_finished() {
                tokio::select! {
                    _ = tick.tick() => progress.show(&snapshots),
                    () = any_of(&mut signals) => progress.interrupted(control.interrupt()),
                }
            }
            io::Result::Ok(())
        };
        let served = async {
            match watchers {
                Some(watchers) => watchers.await,
                None => std::future::pending().await,
            }
        };
        let watched = runtime.block_on(async {
            tokio::select! {
                watched = watched => watched,
                // It never ends.
                () = served => Ok(()),
            }
        });
        if let Err(error) = watched {
            tracing::warn!("signals cannot be watched ({error}): Ctrl-C will end the run without a report");
        }
        let ended = run.join().unwrap_or(Err(RunError::Panic));
        progress.end();
        ended
    })
}

/// What is told to whoever asks while the run is on.
fn live_metrics(setting: &Setting, started_at: SystemTime) -> impl Fn() -> String + 'static {
    let (facts, marks) = (setting.header.plan.clone(), setting.header.marks);
    let (live, snapshots) = (setting.live.clone(), setting.snapshots.clone());
    move || {
        let in_flight = snapshots.iter().map(|shard| shard.read().in_flight).sum();
        let known = live.known().clone();
        let record = Record {
            plan: facts.clone(),
            started_at,
            wall: known.until,
            tally: known.tally,
            timeline: Timeline::default(),
            generator: known.generator,
            target: known.machine.and_then(|sample| sample.target),
            marks,
            thresholds: Vec::new(),
        };
        prometheus::live(&record, in_flight)
    }
}

/// Until one of the signals comes.
async fn any_of(signals: &mut [Signal]) {
    std::future::poll_fn(|cx| match signals.iter_mut().any(|signal| signal.poll_recv(cx).is_ready()) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// The run as its journal has it; and if that does not have all of it, as this process knows it, and why.
fn read_back(folder: &Folder, header: Header, driven: Driven) -> Result<(Saved, Option<String>), Ended> {
    let told = match &driven.journal_error {
        Some(error) => error.to_string(),
        None => match Saved::open(folder.path()) {
            Ok(saved) => match saved.caveat() {
                None => return Ok((saved, None)),
                Some(caveat) => caveat,
            },
            Err(error) => error.to_string(),
        },
    };
    let end = End { how: How::Cut, offset: 0, known_until: driven.wall };
    let record = Record {
        plan: header.plan.clone(),
        started_at: driven.started_at,
        wall: driven.wall,
        tally: driven.tally,
        timeline: Timeline::default(),
        generator: driven.generator,
        target: driven.target,
        marks: driven.marks,
        thresholds: Vec::new(),
    };
    let saved = Saved::of(Replay { header, record, end }).map_err(Ended::undone)?;
    Ok((Saved { end: None, ..saved }, Some(told)))
}

/// Writes the folder, prints the summary, and says how it all ends.
fn report(args: &RunArgs, folder: &Folder, header: Header, driven: Driven) -> Result<Exit, Ended> {
    let (saved, lost) = read_back(folder, header, driven)?;
    let written = folder.write(&saved);
    let summary = Summary::of(&saved.record);
    let printed = tell(args.format, &saved, &summary, written.is_ok().then_some(folder.path()));
    // A disk that filled up meanwhile does not take the figures from the person who waited for them.
    written.map_err(Ended::folder)?;
    printed?;
    if let Some(lost) = lost {
        folder.set_journal_aside().map_err(Ended::folder)?;
        return Err(Ended::undone(format!("{lost}; the report is of the whole run, made from memory")));
    }
    end(&saved.record, &summary.verdict)
}

/// How a finished run ends: what a script must know is said on stderr too, whatever stdout holds.
fn end(record: &Record, verdict: &Verdict) -> Result<Exit, Ended> {
    if record.marks.partial {
        let message = "interrupted: the report is of the part that was done".to_owned();
        return Err(Ended { exit: Exit::Interrupted, message });
    }
    if verdict.is_invalid() {
        let message = format!("the measurement is invalid: {}", verdict.reasons.join("; "));
        if !record.marks.accepted_invalid {
            return Err(Ended { exit: Exit::Invalid, message });
        }
        tracing::warn!("{message}; accepted, as --accept-invalid says");
    }
    let crossed: Vec<_> = record.thresholds.iter().filter(|t| t.judgement.failed()).map(crossed).collect();
    if crossed.is_empty() {
        return Ok(Exit::Passed);
    }
    let (n, all) = (crossed.len(), record.thresholds.len());
    let message = format!("{n} of {all} thresholds crossed: {}", crossed.join(", "));
    Err(Ended { exit: Exit::Threshold, message })
}

fn crossed(threshold: &ThresholdResult) -> String {
    let unit = number::unit(&threshold.unit);
    match (threshold.judgement.why_unknown(), threshold.value) {
        (Some(why), _) => format!("{} (no figure: {why})", threshold.text),
        (None, Some(value)) => format!("{} (it is {}{unit})", threshold.text, number::value(value)),
        (None, None) => threshold.text.clone(),
    }
}

/// How many connections may be open at once: as the workload says, if the machine can; else as many as it can.
fn bound_connections(plan: &Plan, server: &Server, settings: &Settings) -> Result<Bounds, Ended> {
    let Some(target) = settings.addresses.of(&server.origin).and_then(<[_]>::first) else {
        return Err(Ended::undone(format!("{} has no address", server.origin)));
    };
    let bounds = Bounds::of(plan, target.ip(), settings.shards).map_err(Ended::net)?;
    bounds.notes(plan, bounds.connections as u64).iter().for_each(|note| tracing::warn!("{note}"));
    Ok(bounds)
}

/// One look at the server before the run; where phones may do without TLS, at the plain one if that fails.
async fn probe(settings: &Settings, origin: &Origin, fallback: Option<&Origin>) -> Result<(), NetError> {
    match (preflight::probe(settings, origin).await, fallback) {
        (Err(_), Some(fallback)) => preflight::probe(settings, fallback).await,
        (probed, _) => probed,
    }
}
