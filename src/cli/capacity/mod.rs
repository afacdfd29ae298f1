//! `bootstorm capacity`: the hardest load at which a server still meets the workload's thresholds.
//!
//! The search itself is in [`crate::capacity`] and knows nothing of runs; here each of its probes is made: by a run in a
//! process of its own, just as `bootstorm run` would make it, or in virtual time.

mod ask;
mod player;
mod probe;
mod recover;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use self::ask::AskArgs;
use self::player::{Player, Processes, Virtual};
use self::probe::{Answered, Prober};
use super::child::Children;
use super::generator::GeneratorArgs;
use super::workload::WorkloadArgs;
use super::{Ended, Exit, now, runtime};
use crate::capacity::{Found, Rules, Search, Step};
use crate::report::capacity::{self, Bound, Broke, Document, Point, Sought};
use crate::report::summary::{SCHEMA_VERSION, Workload};
use crate::report::{Folder, number};
use crate::workload::{Capacity, Matrix, Plan, Target};

/// Arguments of `capacity`.
#[derive(Debug, Args)]
pub(super) struct CapacityArgs {
    #[command(flatten)]
    workload: WorkloadArgs,
    #[command(flatten)]
    ask: AskArgs,
    /// Compute every probe in virtual time against the embedded target's own law: no socket, no waiting, no noise
    #[arg(long = "virtual", help_heading = "Search")]
    in_virtual_time: bool,
    /// Write the search's folder here instead of results/<UTC>-<workload>; it must not exist, or be empty
    #[arg(long, value_name = "DIR", env = "BOOTSTORM_OUT", hide_env_values = true, help_heading = "Results")]
    out: Option<PathBuf>,
    /// Print JSON (capacity.json) instead of text
    #[arg(long, help_heading = "Results")]
    json: bool,
    #[command(flatten)]
    generator: GeneratorArgs,
}

/// Checks what is asked, searches, and tells what was found.
pub(super) fn run(args: CapacityArgs) -> Result<Exit, Ended> {
    if let Some(matrix) = args.workload.matrix()? {
        return Err(several(&args.workload, &matrix));
    }
    let workload = args.workload.changed(&args.ask.assignments());
    let plan = workload.load().map_err(|ended| args.ask.named(ended))?;
    let capacity = asked(&workload, &plan)?;
    let runtime = runtime()?;
    let folder = folder(&args, &plan)?;
    let overrides = workload.overrides();
    let player: Box<dyn Player + '_> = match (args.in_virtual_time, &plan.target) {
        (true, Target::Embedded(_)) => Box::new(Virtual),
        (true, Target::Url { .. }) => {
            folder.abandon();
            return Err(Ended::usage(
                "--virtual: only the embedded target's law can be computed; leave target.url out",
            ));
        }
        (false, _) => Box::new(Processes::new(Children::new(&runtime)?, &folder, &args.generator, &args.ask)),
    };
    let rules = Rules {
        tolerance: capacity.tolerance,
        // The same seed and no noise: the same load always gives the same answer.
        repeats: if args.in_virtual_time { 1 } else { capacity.repeats },
    };
    let mut prober = Prober { workload: &workload, overrides, capacity: &capacity, player };
    let mut document = document(&plan, &capacity, rules, args.in_virtual_time);
    let began = clock();
    let searched = search(&mut prober, &mut document, rules, &folder, began);
    document.wall_s = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    if let Err(ended) = searched {
        if document.probes.is_empty() {
            folder.abandon();
        }
        return Err(ended);
    }
    document.partial = document.found.is_none();
    let written = capacity::write(&folder, &document);
    tell(&document, written.is_ok().then_some(folder.path()), args.json)?;
    written.map_err(Ended::folder)?;
    end(&document)
}

/// A search has one workload: of several, one must be named.
fn several(workload: &WorkloadArgs, matrix: &Matrix) -> Ended {
    let variants = &matrix.variants;
    let first = variants.get(matrix.baseline).map_or("NAME", |baseline| &baseline.id);
    Ended::usage(format!(
        "{}: matrix: there are {} variants, and a search is of one: name it, for example --variant {first} (`bootstorm plan` \
         lists them all), or take [matrix] out",
        workload.file().display(),
        variants.len(),
    ))
}

/// What the workload asks for, if it can be searched.
fn asked(workload: &WorkloadArgs, plan: &Plan) -> Result<Capacity, Ended> {
    let file = workload.file().display();
    if plan.thresholds.is_empty() {
        return Err(Ended::usage(format!(
            "{file}: thresholds: there are none, so nothing says what the server is to do under load; add for example \
             [thresholds] with operations.resync.response_ms.p99 = \"< 500ms\" and phones.failed = \"== 0\""
        )));
    }
    let capacity = plan.capacity.clone().ok_or_else(|| {
        Ended::usage(format!(
            "{file}: capacity: is missing; add [capacity] with find, from and to, or use --find, --from and --to: for \
             example --find phones --from 100 --to 10k"
        ))
    })?;
    // What is wrong with either end is said before anything is sent.
    for end in [capacity.axis.easiest(), capacity.axis.hardest()] {
        workload.load_with(&capacity.at(end, &workload.overrides()))?;
    }
    Ok(capacity)
}

fn folder(args: &CapacityArgs, plan: &Plan) -> Result<Folder, Ended> {
    match &args.out {
        Some(path) => Folder::named(path),
        None => Folder::under(Path::new("results"), now(), &format!("{}-capacity", plan.name)),
    }
    .map_err(Ended::folder)
}

/// What is known before the first probe.
fn document(plan: &Plan, capacity: &Capacity, rules: Rules, in_virtual_time: bool) -> Document {
    Document {
        schema_version: SCHEMA_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        workload: Workload { name: plan.name.clone(), sha256: plan.sha256.clone() },
        seed: plan.seed,
        started_at: humantime::format_rfc3339_seconds(now()).to_string(),
        wall_s: 0.0,
        target: super::plan::target(plan),
        in_virtual_time,
        partial: true,
        compression: plan.compression,
        sought: Sought {
            find: capacity.find.clone(),
            measure: capacity.measure,
            easiest: capacity.axis.easiest(),
            hardest: capacity.axis.hardest(),
            harder: capacity.harder(),
            tolerance: rules.tolerance,
            repeats: rules.repeats,
            rest_s: if in_virtual_time { 0.0 } else { capacity.rest.as_secs_f64() },
        },
        thresholds: plan.thresholds.iter().map(ToString::to_string).collect(),
        found: None,
        bound: None,
        broke: None,
        recovery: None,
        no_recovery: None,
        scalability: None,
        no_scalability: None,
        curve: Vec::new(),
        probes: Vec::new(),
    }
}

/// Makes probe after probe until the search has found what there is, and watches the server come back from beyond it.
/// What was found so far is in `document` whatever happens; if it was interrupted, nothing is found.
fn search(
    prober: &mut Prober<'_>,
    document: &mut Document,
    rules: Rules,
    folder: &Folder,
    began: Instant,
) -> Result<(), Ended> {
    let mut search = Search::new(prober.capacity.axis, rules);
    let found = loop {
        let load = match search.next() {
            Step::Done(found) => break found,
            Step::Probe(load) => load,
        };
        if !document.probes.is_empty() && !prober.player.rest(prober.capacity.rest) {
            return Ok(());
        }
        let number = document.probes.len() as u32 + 1;
        let Answered { probe, answer, bound } = match prober.probe(number, load)? {
            Some(answered) => answered,
            None => return Ok(()),
        };
        search.tell(load, answer);
        note(document, &probe);
        document.bound = bound.or_else(|| document.bound.take());
        document.probes.push(probe);
        document.curve = Point::curve(&document.probes, document.sought.harder);
        document.wall_s = began.elapsed().as_secs_f64();
        // Killed in the middle, it leaves what it knew.
        capacity::write(folder, document).map_err(Ended::folder)?;
    };
    if !matches!(found, Found::Limited { .. }) {
        document.bound = None;
    }
    let embedded = matches!(prober.workload.load()?.target, Target::Embedded(_));
    document.found = Some(found);
    document.broke = Broke::of(document, embedded);
    document.fit();
    if let Some(Found::Knee(knee)) = document.found.clone()
        && !recover::watch(prober, document, &knee)?
    {
        document.no_recovery = Some("it was interrupted".to_owned());
    }
    Ok(())
}

/// A line on stderr for who waits.
fn note(document: &Document, probe: &capacity::Probe) {
    let figures = probe.figures.as_ref();
    // Few operations have no p99.
    let (quantile, ms) = match figures.and_then(|f| f.response_p99_ms) {
        Some(p99) => ("p99", Some(p99)),
        None => ("p50", figures.and_then(|f| f.response_p50_ms)),
    };
    let ms = number::figure(ms);
    let failed = figures.and_then(|f| f.failed_share).map_or_else(|| "–".to_owned(), number::percent);
    let (answer, find) = (probe.answer.replace('-', " "), &document.sought.find);
    // Who waits wants to know at once why nothing comes of it.
    let said = match probe.verdict.reasons.first().filter(|_| !probe.counts()) {
        Some(why) => why.clone(),
        None => format!("{quantile} {ms} ms, {failed} failed"),
    };
    // With stderr gone there is nobody to tell.
    let _ = writeln!(io::stderr(), "probe {}: {find} = {}: {answer} ({said})", probe.number, document.told(probe.load));
}

/// Prints the search.
pub(super) fn tell(document: &Document, folder: Option<&Path>, json: bool) -> Result<(), Ended> {
    let text = match json {
        true => serde_json::to_string_pretty(document).map_err(Ended::undone)? + "\n",
        false => capacity::render(document, folder),
    };
    super::print(&text)
}

/// How it ends: what a script must know is said on stderr too.
fn end(document: &Document) -> Result<Exit, Ended> {
    let told = |load: f64| format!("{} = {}", document.sought.find, document.told(load));
    let (exit, message) = match &document.found {
        None => (Exit::Interrupted, "interrupted: the report is of the probes that were made".to_owned()),
        Some(Found::Knee(_) | Found::Met { .. }) => return Ok(Exit::Passed),
        Some(Found::Missed { at }) => (Exit::Threshold, format!("the thresholds are missed at {} already", told(*at))),
        Some(Found::Limited { at_least, blind_at, .. }) => {
            let bound = document.bound.as_ref().map_or("the generator", |bound: &Bound| bound.what.as_str());
            let met = at_least.map_or_else(String::new, |met| format!("at least {}; ", told(met)));
            let words = format!(
                "no knee within what this generator can do: {met}at {} it was the limit ({bound})",
                told(*blind_at)
            );
            (Exit::Invalid, words)
        }
    };
    Err(Ended { exit, message })
}

#[allow(clippy::disallowed_methods, reason = "how long a search took is part of what it tells")]
fn clock() -> Instant {
    Instant::now()
}

/// Plans are shared by the shards of a run in virtual time as on sockets.
type Shared = Arc<Plan>;
