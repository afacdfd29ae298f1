//! `bootstorm plan`: what a workload would do and take, without sending anything.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::forecast::Needs;
use super::workload::WorkloadArgs;
use super::{Ended, Exit, matrix};
use crate::phone::Moment;
use crate::report::number::{self, count};
use crate::workload::{End, Phase, Plan, Target};

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    workload: WorkloadArgs,
    /// Print JSON instead of text
    #[arg(long, help_heading = "Results")]
    json: bool,
    /// Make the schedule as a run with this many threads would, and reckon with them instead of one per core; the
    /// schedule's hash is the same for any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    #[arg(help_heading = "Generator")]
    shards: Option<u32>,
    /// Assume that a server given by its URL takes so long for an answer: nobody can know beforehand [default: 5ms]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Generator")]
    service_time: Option<Duration>,
}

/// What one phase comes to.
struct PhaseFacts<'p> {
    phase: &'p Phase,
    starts: u64,
    first: Option<Moment>,
    last: Option<Moment>,
    /// Most starts within one second of phone time.
    peak: u64,
}

/// Prints what the workload would do and take.
pub(super) fn run(args: PlanArgs) -> Result<Exit, Ended> {
    let matrix = args.workload.matrix()?;
    let plan = Arc::new(args.workload.load()?);
    if args.service_time.is_some() && matches!(plan.target, Target::Embedded(_)) {
        let right =
            "the embedded target's is target.embedded.work.service, as in --set target.embedded.work.service=5ms";
        return Err(Ended::usage(format!("--service-time: is for a server given by its URL; {right}")));
    }
    let phases: Vec<_> = (0..plan.phases.len()).map(|index| facts(&plan, index)).collect();
    let hash = plan.schedule_hash(args.shards.unwrap_or(1));
    let needs = Needs::of(&plan, args.shards, args.service_time)?;
    let text = match args.json {
        true => as_json(&plan, &phases, &hash, args.shards.unwrap_or(1), &needs),
        false => format!("{}{}", as_text(&plan, &phases, &hash), needs.as_text()),
    };
    let text = match &matrix {
        Some(matrix) => matrix::with_plan(matrix, &text, args.json).map_err(Ended::undone)?,
        None => text,
    };
    super::print(&text)?;
    match needs.refused {
        Some(refused) => Err(Ended::net(refused)),
        None => Ok(Exit::Passed),
    }
}

fn facts(plan: &Plan, index: usize) -> PhaseFacts<'_> {
    let mut facts = PhaseFacts { phase: &plan.phases[index], starts: 0, first: None, last: None, peak: 0 };
    let (mut second, mut within) = (u64::MAX, 0);
    for start in plan.starts_of_phase(index) {
        facts.starts += 1;
        facts.first.get_or_insert(start.at);
        facts.last = Some(start.at);
        let this = start.at.as_micros() / 1_000_000;
        within = if this == second { within + 1 } else { 1 };
        second = this;
        facts.peak = facts.peak.max(within);
    }
    facts
}

fn as_json(plan: &Plan, phases: &[PhaseFacts<'_>], hash: &str, shards: u32, needs: &Needs) -> String {
    let seconds = |m: Option<Moment>| m.map(Moment::as_secs_f64);
    let fleets = plan
        .fleets
        .iter()
        .map(|f| json!({ "name": f.name, "family": f.family.name(), "phones": f.count, "first_phone": f.first }));
    let phases = phases.iter().map(|p| {
        json!({ "name": p.phase.name, "does": p.phase.trigger.name(), "starts": p.starts,
            "first_s": seconds(p.first), "last_s": seconds(p.last), "peak_per_s": p.peak })
    });
    let value = json!({
        "schema_version": 1,
        "workload": { "name": plan.name, "sha256": plan.sha256 },
        "seed": plan.seed,
        "phones": plan.phones(),
        "fleets": fleets.collect::<Vec<_>>(),
        "target": target(plan),
        "phases": phases.collect::<Vec<_>>(),
        "compression": plan.compression,
        "capacity": plan.capacity.as_ref().map(|search| json!({ "find": search.find,
            "easiest": search.axis.easiest(), "hardest": search.axis.hardest() })),
        "schedule": { "hash": hash, "shards": shards },
        "needs": needs.as_json(),
        "refused": needs.refused.as_ref().map(ToString::to_string),
    });
    format!("{value:#}\n")
}

fn as_text(plan: &Plan, phases: &[PhaseFacts<'_>], hash: &str) -> String {
    let mut out = String::new();
    let seconds = |at: Moment| number::seconds(Some(at.as_secs_f64()));
    let names = plan.fleets.iter().map(|f| &f.name).chain(plan.phases.iter().map(|p| &p.name));
    let width = names.map(|name| name.chars().count()).max().unwrap_or_default();
    // Writing into a String cannot fail.
    let _ = writeln!(
        out,
        "{}: {} phone{}, seed {}",
        plan.name,
        count(plan.phones().into()),
        if plan.phones() == 1 { "" } else { "s" },
        plan.seed
    );
    let _ = writeln!(out, "\ntarget    {}", target(plan));
    for fleet in &plan.fleets {
        let _ =
            writeln!(out, "fleet     {:<width$}  {:>8} {}", fleet.name, count(fleet.count.into()), fleet.family.name());
    }
    for p in phases {
        let span = match (p.first, p.last) {
            (Some(first), Some(last)) => {
                let peak = count(p.peak);
                format!("from {} to {}, at most {peak} in a second", seconds(first), seconds(last))
            }
            _ => "no starts".to_owned(),
        };
        let (starts, does) = (count(p.starts), p.phase.trigger.name());
        let _ = writeln!(out, "phase     {:<width$}  {starts:>8} × {does}: {span}", p.phase.name);
    }
    let end = match plan.end {
        End::After(at) => format!("after {}", humantime::format_duration(at)),
        End::Settled { limit } => {
            format!("when all phones have settled, at most {} after the begin", humantime::format_duration(limit))
        }
    };
    let pace = if plan.compression == 1.0 {
        String::new()
    } else {
        format!(" of phone time, which runs {} times as fast as the clock", number::value(plan.compression))
    };
    let _ = writeln!(out, "ends      {end}{pace}");
    for threshold in &plan.thresholds {
        let _ = writeln!(out, "threshold {threshold}");
    }
    if let Some(search) = &plan.capacity {
        let (from, to) = (search.typed(search.axis.easiest()), search.typed(search.axis.hardest()));
        let _ = writeln!(
            out,
            "capacity  {} from {from} to {to}, for `bootstorm capacity`; what follows is one run as the file has it",
            search.find
        );
    }
    let _ = writeln!(out, "schedule  {hash}");
    out
}

pub(super) fn target(plan: &Plan) -> String {
    match &plan.target {
        Target::Url { origin, base, .. } => format!("{origin}{base}"),
        Target::Embedded(config) => {
            let likeness = serde_json::to_value(config.likeness).ok();
            let likeness = likeness.as_ref().and_then(|l| l.as_str()).unwrap_or_default();
            format!("embedded, {likeness}-like, {}", if config.tls.is_some() { "TLS" } else { "plain HTTP" })
        }
    }
}
