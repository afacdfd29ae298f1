//! Whether operations began when they were due, or so late that the response times tell of the generator.
//!
//! Response time counts from the intended start, so it holds all lateness: where that is a good part of it, the figure
//! is the generator's. A slow server makes no lateness: a phone whose turn has come is attempted whatever the others
//! wait for, unless there is no connection left for it, or it is still at its own operation before.

use super::load;
use super::words::{percent, quantile, time};
use super::{Findings, Validity};
use crate::metrics::{Distribution, Law, OperationTotals, Record};
use crate::phone::Operation;

/// Lateness may take this share of a response time that is reported.
const SHARE: f64 = 0.05;
/// Far out in the tail, a figure is the generator's only if this share of it is lateness ...
const TAIL_SHARE: f64 = 0.5;
/// ... which is so many times what the machine's timer alone makes of it.
const TAIL_FLOORS: u64 = 10;
/// Lateness below this many microseconds never matters, where the machine's own floor was not measured.
pub(super) const UNKNOWN_FLOOR_US: u64 = 5_000;
/// So many starts fall together now and then, and each waits until the thread is through with those before it ...
const TOGETHER: u64 = 2;
/// ... which takes at least so many microseconds each.
const PIECE_US: u64 = 100;
/// The timers of a machine that has nothing else to do are no later than this.
const SOUND_FLOOR_US: u64 = 2_000;
/// A few slices of the scheduler: by so much a server on the same cores makes the generator late.
const SLICES_US: u64 = 10_000;
/// So many starts within a millisecond are begun one after another on any machine.
const BURST: u32 = 64;

/// A quantile of which too much is lateness.
struct Late {
    state: Validity,
    q: f64,
    late_us: u64,
    response_us: u64,
    /// Whether it moved the figure: the service time is smaller by more than its share.
    shows: bool,
}

impl Late {
    fn share(&self) -> f64 {
        self.late_us as f64 / self.response_us.max(1) as f64
    }
}

pub(super) fn judge(record: &Record, findings: &mut Findings) {
    let measured_us = record.generator.timer_floor.quantile_us(0.99);
    let floor_us = measured_us.map_or(UNKNOWN_FLOOR_US, |timer_us| timer_us + TOGETHER * piece_us(record));
    for operation in Operation::ALL {
        let totals = record.tally.totals.operation(operation);
        let Some(late) = worst(totals, floor_us) else {
            let blind = measured_us.and_then(|floor_us| blind(operation, totals, floor_us));
            findings.extend(blind.map(|reason| (Validity::Degraded, reason)));
            continue;
        };
        let cause = cause(record, &late);
        let q = quantile(late.q);
        let reason = format!(
            "{operation}: lateness {q} of {} is {} of the response time {q} of {} (this machine's own floor is {}): {}",
            time(late.late_us),
            percent(late.share()),
            time(late.response_us),
            time(floor_us),
            cause.words(record),
        );
        let shared = record.plan.embedded
            && (matches!(cause, Cause::Others) || matches!(cause, Cause::Generator) && late.late_us <= SLICES_US);
        let (state, but) = match () {
            () if cause.is_asked_for() => (Validity::Degraded, ""),
            // A loop that comes late makes service times longer as well: then they prove nothing.
            () if !late.shows && !matches!(cause, Cause::Others) && !load::lag_matters(record) => {
                (Validity::Degraded, "; the service time is much the same, so it hardly shows")
            }
            () if shared => {
                let but = "; the embedded server runs on the same cores: what takes milliseconds is told rightly by a \
                           server elsewhere only";
                (Validity::Degraded, but)
            }
            () => (late.state, ""),
        };
        findings.push((state, reason + but));
    }
}

/// What a thread does in one piece, in microseconds of CPU: a handshake, where there are any.
fn piece_us(record: &Record) -> u64 {
    let handshakes = record.tally.totals.tls.completed().cpu;
    handshakes.quantile_us(0.99).or(handshakes.max_us()).unwrap_or(0).max(PIECE_US)
}

/// The quantile that says most: p99 if it is too late, else whichever other that is told is worst. Too few operations for
/// a p99 are too few to be judged by: one hiccup of the machine would do.
fn worst(totals: &OperationTotals, floor_us: u64) -> Option<Late> {
    totals.response.quantile_us(0.99)?;
    let at = |q: f64| {
        let (late_us, response_us) = (totals.lateness.quantile_us(q)?, totals.response.quantile_us(q)?);
        let (state, share, floor_us) = match q {
            q if q > 0.99 => (Validity::Degraded, TAIL_SHARE, TAIL_FLOORS.saturating_mul(floor_us)),
            0.99 => (Validity::Invalid, SHARE, floor_us),
            _ => (Validity::Degraded, SHARE, floor_us),
        };
        let service = totals.service.quantile_us(q);
        let shows = service.is_none_or(|us| response_us.saturating_sub(us) as f64 > SHARE * response_us as f64);
        let late = Late { state, q, late_us, response_us, shows };
        (late_us > floor_us && late.share() > share).then_some(late)
    };
    at(0.99).or_else(|| {
        let others = [0.5, 0.9, 0.95, 0.999, 0.9999].into_iter().filter_map(at);
        others.max_by(|a, b| a.share().total_cmp(&b.share()))
    })
}

/// Where the machine's own timers come so late that lateness cannot be told from them, though it is a good part of what
/// is reported: nobody knows then whether the generator kept to its plan.
fn blind(operation: Operation, totals: &OperationTotals, floor_us: u64) -> Option<String> {
    let (late_us, response_us) = (totals.lateness.quantile_us(0.99)?, totals.response.quantile_us(0.99)?);
    let matters = floor_us > SOUND_FLOOR_US && late_us as f64 > SHARE * response_us as f64;
    (matters && late_us <= floor_us).then(|| {
        format!(
            "{operation}: lateness p99 of {} is {} of the response time p99 of {}, and no more than what this machine's own \
             timers do ({} late at p99, measured before the run): the machine was busy already; leave it alone and run \
             again",
            time(late_us),
            percent(late_us as f64 / response_us.max(1) as f64),
            time(response_us),
            time(floor_us)
        )
    })
}

/// Why operations began late.
enum Cause {
    /// The workload bounds the connections, and phones waited for one.
    Asked,
    /// This machine allows fewer connections than there are phones, and phones waited for one.
    Machine,
    /// More starts at one moment than anything can begin at one moment.
    Burst,
    /// Phones were still at their operation before when the next was due.
    Phones,
    /// Others held the cores.
    Others,
    /// Nothing better is known.
    Generator,
}

fn cause(record: &Record, late: &Late) -> Cause {
    let totals = &record.tally.totals;
    let generator = &record.generator;
    let waited = totals.exchanges.phases.waited.quantile_us(0.99).or(totals.exchanges.phases.waited.max_us());
    let waited_for_it = waited.is_some_and(|waited| waited.saturating_mul(2) >= late.late_us);
    let most = generator.max_connections;
    // With several shards each has its part of the bound: one may be at it before all are.
    let at_its_bound = most > 0 && record.tally.intervals.peak_in_flight().saturating_mul(10) >= most.saturating_mul(9);
    if waited_for_it && most < record.plan.phones && at_its_bound {
        return if record.plan.connections_bounded { Cause::Asked } else { Cause::Machine };
    }
    let due = &record.plan.due;
    if due.burst >= BURST && u64::from(due.burst).saturating_mul(100) >= due.total() {
        return Cause::Burst;
    }
    if phones_were_busy(record, late) {
        return Cause::Phones;
    }
    match load::average(record) {
        Some(demand) if demand.waited > demand.busy.max(0.1) => Cause::Others,
        _ => Cause::Generator,
    }
}

/// Whether it was the phones that made the next operation wait for the one before: the plan may ask the same phone more
/// than once, each was told in time, and neither a loop nor a connection kept it waiting.
fn phones_were_busy(record: &Record, late: &Late) -> bool {
    let totals = &record.tally.totals;
    let little = |d: &Distribution| d.quantile_us(0.99).or(d.max_us()).unwrap_or(0).saturating_mul(20) <= late.late_us;
    let plan = &record.plan;
    let asks_again = plan.due.total() > plan.phones || plan.phases.iter().any(|p| matches!(p.law, Law::Poisson { .. }));
    asks_again && little(&totals.pace) && little(&record.generator.loop_lag) && little(&totals.exchanges.phases.waited)
}

impl Cause {
    /// Whether the workload's own words lead to it.
    fn is_asked_for(&self) -> bool {
        matches!(self, Cause::Asked | Cause::Burst | Cause::Phones)
    }

    fn words(&self, record: &Record) -> String {
        let most = record.generator.max_connections;
        match self {
            Cause::Asked => format!(
                "phones waited for a connection, since the workload allows {most} at once (network.max-connections), \
                 which is part of what it asks for; the service time has the server's part"
            ),
            Cause::Machine => format!(
                "phones waited for a connection, since the generator's machine allows only {most} for {} phones: raise its \
                 limit of open files, name more addresses (network.sources), or say how many there are to be \
                 (network.max-connections)",
                record.plan.phones
            ),
            Cause::Burst => format!(
                "{} starts are due within one millisecond, and begin one after another on any machine; the service time \
                 has the server's part",
                record.plan.due.burst
            ),
            Cause::Phones => {
                "phones were told in time and still at their operation before: a phone does one at a time, and \
                              the server was slow; more phones would wait for each other less"
                    .to_owned()
            }
            Cause::Others => {
                let waited = load::average(record).map_or(0.0, |demand| demand.waited);
                format!(
                    "something else on the generator's machine held the core, a shard's thread waited for it {} of the \
                     time; stop it, or run the generator (or the server under test) elsewhere",
                    percent(waited)
                )
            }
            Cause::Generator => {
                let lag = record.generator.loop_lag.max_us().unwrap_or(0);
                format!(
                    "the generator did not keep to its plan (its loop came up to {} late); give it more cores or fewer \
                     phones, and leave its machine alone",
                    time(lag)
                )
            }
        }
    }
}
