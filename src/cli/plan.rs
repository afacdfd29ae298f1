//! `bootstorm plan`: what a workload would do, without sending anything.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use clap::Args;
use serde_json::json;

use super::workload::WorkloadArgs;
use super::{Ended, Exit};
use crate::phone::Moment;
use crate::workload::{End, Phase, Plan, Target};

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    workload: WorkloadArgs,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    /// Make the schedule as this many shards would; its hash is the same for any number
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    shards: u32,
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

/// Prints what the workload would do.
pub(super) fn run(args: PlanArgs) -> Result<Exit, Ended> {
    let plan = args.workload.load()?;
    let phases: Vec<_> = (0..plan.phases.len()).map(|index| facts(&plan, index)).collect();
    let hash = plan.schedule_hash(args.shards);
    let text = if args.json { as_json(&plan, &phases, &hash, args.shards) } else { as_text(&plan, &phases, &hash) };
    // A reader that has gone is no failure of the plan.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(Exit::Passed)
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

fn as_json(plan: &Plan, phases: &[PhaseFacts<'_>], hash: &str, shards: u32) -> String {
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
        "schedule": { "hash": hash, "shards": shards },
    });
    format!("{value:#}\n")
}

fn as_text(plan: &Plan, phases: &[PhaseFacts<'_>], hash: &str) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(out, "{}: {} phones, seed {}", plan.name, plan.phones(), plan.seed);
    let _ = writeln!(out, "\ntarget    {}", target(plan));
    for fleet in &plan.fleets {
        let _ = writeln!(out, "fleet     {:<16} {:>8} {}", fleet.name, fleet.count, fleet.family.name());
    }
    for p in phases {
        let span = match (p.first, p.last) {
            (Some(first), Some(last)) => format!("from {first} to {last}, at most {} in a second", p.peak),
            _ => "no starts".to_owned(),
        };
        let _ = writeln!(out, "phase     {:<16} {:>8} × {}: {span}", p.phase.name, p.starts, p.phase.trigger.name());
    }
    let end = match plan.end {
        End::After(at) => format!("after {}", humantime::format_duration(at)),
        End::Settled { limit } => {
            format!("when all phones have settled, at most {}", humantime::format_duration(limit))
        }
    };
    let pace = if plan.compression == 1.0 { String::new() } else { format!(", time runs {}-fold", plan.compression) };
    let _ = writeln!(out, "ends      {end}{pace}");
    for threshold in &plan.thresholds {
        let _ = writeln!(out, "threshold {threshold}");
    }
    let _ = writeln!(out, "schedule  {hash}");
    out
}

fn target(plan: &Plan) -> String {
    match &plan.target {
        Target::Url { origin, base, .. } => format!("{origin}{base}"),
        Target::Embedded(config) => {
            let likeness = serde_json::to_value(config.likeness).ok();
            let likeness = likeness.as_ref().and_then(|l| l.as_str()).unwrap_or_default();
            format!("embedded, {likeness}-like, {}", if config.tls.is_some() { "TLS" } else { "plain HTTP" })
        }
    }
}
