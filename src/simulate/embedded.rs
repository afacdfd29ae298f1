//! A whole run in virtual time against the embedded target's own core: what would this law do?

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Latencies, simulate_into};
use crate::metrics::{GeneratorFacts, Marks, PlanFacts, Record, Tally, Timeline};
use crate::phone::{Chance, Origin};
use crate::target::{Site, TargetError};
use crate::workload::{EmbeddedTarget, Plan};

/// Carries the plan out in virtual time against `target`, and tells it as a run on sockets is told. The same plan gives the
/// same record, whatever the machine: there is no generator that could be the limit, and nothing a network would add but
/// `latencies`. Thresholds are not checked yet; the date is that of the epoch.
///
/// # Errors
/// If the target cannot be made: its folder cannot be used.
pub fn run_embedded(plan: &Arc<Plan>, target: &EmbeddedTarget, latencies: Latencies) -> Result<Record, TargetError> {
    let site = Site::for_fleets(target, &plan.fleets, Chance::new(plan.seed))?;
    let origin = Arc::new(Origin {
        tls: target.tls.is_some(),
        host: target.listen.ip().to_string(),
        port: target.listen.port(),
    });
    let (mut tally, mut timeline) = (Tally::default(), Timeline::default());
    let wall: Duration =
        simulate_into(plan, &origin, "", latencies, |now, request| site.serve(now, request), &mut |slice| {
            timeline.add(&slice);
            tally.add(&slice);
        });
    tally.until(wall);
    timeline.until(wall);
    Ok(Record {
        plan: PlanFacts::of(plan),
        started_at: SystemTime::UNIX_EPOCH,
        wall,
        tally,
        timeline,
        generator: GeneratorFacts::default(),
        marks: Marks::default(),
        target: None,
        thresholds: Vec::new(),
    })
}
