//! Beyond the knee and back: one run more, in which the load is laid on and taken away.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use super::player::{Played, Wanted};
use super::probe::Prober;
use crate::capacity::{Knee, Recovery as Judgement};
use crate::cli::Ended;
use crate::metrics::Record;
use crate::phone::{Failure, Outcome, Trigger};
use crate::report::capacity::{Document, Recovered, stretch};
use crate::workload::Recovery;

const NAME: &str = "recovery";
/// Longest part, in real time, that follows from a probe alone: who wants to watch longer says so.
const LONGEST: Duration = Duration::from_secs(60);

/// Pushes the server over its knee and watches it; what came of it is in the document. Says whether nobody interrupted it.
pub(super) fn watch(prober: &mut Prober<'_>, document: &mut Document, knee: &Knee) -> Result<bool, Ended> {
    let Some(push) = prober.capacity.recovery else {
        document.no_recovery = Some("the workload, or --no-recovery, says so".to_owned());
        return Ok(true);
    };
    let overrides = prober.capacity.at(knee.met_at, &prober.overrides);
    let plan = prober.workload.load_with(&overrides)?;
    let wall = document.probes.iter().filter(|p| p.load == knee.met_at).filter_map(|p| p.figures.as_ref());
    let wall = wall.map(|figures| figures.wall_s).fold(1.0, f64::max).min(LONGEST.as_secs_f64());
    let part = Duration::from_secs_f64((wall * plan.compression).ceil());
    let recovery = match Recovery::of(&plan, prober.capacity, &push, knee.value, part, &prober.overrides) {
        Ok(recovery) => recovery,
        Err(why) => {
            document.no_recovery = Some(why);
            return Ok(true);
        }
    };
    let plan = match prober.workload.load_with(&recovery.overrides) {
        Ok(plan) => Arc::new(plan),
        Err(ended) => {
            document.no_recovery = Some(format!("the workload cannot be made into one of recovery: {}", ended.message));
            return Ok(true);
        }
    };
    if !prober.player.rest(prober.capacity.rest) {
        return Ok(false);
    }
    let told = |load| document.told(load);
    // With stderr gone there is nobody to tell.
    let _ = writeln!(
        io::stderr(),
        "recovery: {} at {}, then {}, then {} again",
        document.sought.find,
        told(recovery.base),
        told(recovery.beyond),
        told(recovery.base)
    );
    let compression = plan.compression;
    // A steady load leaves off at its end only.
    let reboots = plan.phases.iter().any(|phase| matches!(phase.trigger, Trigger::PowerUp | Trigger::Restart));
    let wanted = Wanted { name: NAME, plan, base: &prober.overrides, overrides: &recovery.overrides };
    let record = match prober.player.play(&wanted)? {
        Played::Interrupted => return Ok(false),
        Played::Refused(bound) => {
            document.no_recovery = Some(bound.reasons.join("; "));
            return Ok(true);
        }
        Played::Made(record) => record,
    };
    let verdict = prober.player.judge(&record);
    if verdict.is_invalid() {
        document.no_recovery = Some(format!("its measurement is invalid: {}", verdict.reasons.join("; ")));
        return Ok(true);
    }
    let parts = [0, 1, 2, 3].map(|part| stretch(&record, recovery.seconds(part, compression)));
    let [before, during, _, after] = &parts;
    let left_off = if reboots { left_off(&record) } else { 0 };
    document.recovery = Some(Recovered {
        judgement: Judgement::of(before, during, after, left_off > 0),
        left_off,
        base: recovery.base,
        beyond: recovery.beyond,
        parts,
        folder: prober.player.kept(NAME),
        verdict,
    });
    Ok(true)
}

/// Operations that phones left off: power returned to them, or the run ended.
fn left_off(record: &Record) -> u64 {
    let operations = &record.tally.totals.operations;
    operations.iter().filter_map(|o| o.outcomes.get(&Outcome::Failed(Failure::Aborted))).sum()
}
