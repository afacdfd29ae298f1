//! What two runs are compared by, and what of it a run tells second by second.

use crate::metrics::{Buckets, Distribution, OperationTotals, Record, Timeline};
use crate::phone::Operation;
use crate::report::Saved;

/// What a figure counts, and in which direction it gets worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// A time: less is faster.
    Time,
    /// How much is done in a second: more is faster.
    Speed,
    /// Something of which less is better and which is no time.
    Amount,
}

impl Sense {
    /// The words for less and for more of it.
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            Sense::Time => ["faster", "slower"],
            Sense::Speed => ["slower", "faster"],
            Sense::Amount => ["less", "more"],
        }
    }

    /// Whether more of it is worse.
    pub const fn more_is_worse(self) -> bool {
        !matches!(self, Sense::Speed)
    }
}

/// A figure of one run.
#[derive(Clone, Debug)]
pub struct Figure<'r> {
    /// As in `summary.json`, or `per_second.…` for what is made of it.
    pub key: String,
    /// As a person reads it, with the unit.
    pub name: String,
    /// Its direction.
    pub sense: Sense,
    /// Its value; `None` if there are too few samples to tell.
    pub value: Option<f64>,
    /// The same second by second.
    pub seconds: Seconds<'r>,
}

/// What a single run tells of how much a figure varies.
#[derive(Clone, Debug)]
pub enum Seconds<'r> {
    /// A quantile of what the seconds' histograms hold.
    Quantile {
        /// One histogram (µs) for each row of the timeline.
        rows: Vec<&'r Buckets>,
        /// Which: above 0, below 1.
        p: f64,
    },
    /// The sum of the first ÷ the sum of the second, each by row.
    Ratio(Vec<f64>, Vec<f64>),
    /// It is one number of a whole run: only repeated runs tell how much it varies.
    One,
}

/// The figures of a run, always in the same order. What was never planned is not there.
pub fn figures(saved: &Saved) -> Vec<Figure<'_>> {
    let record = &saved.record;
    let mut figures = Vec::new();
    for operation in Operation::ALL {
        let totals = record.tally.totals.operation(operation);
        if totals.planned + totals.started > 0 {
            of_operation(&mut figures, record, operation, totals);
        }
    }
    storm(&mut figures, record);
    whole_run(&mut figures, record);
    figures
}

fn of_operation<'r>(
    figures: &mut Vec<Figure<'r>>,
    record: &'r Record,
    operation: Operation,
    totals: &'r OperationTotals,
) {
    let name = operation.name();
    let rows = || record.timeline.response(operation).collect::<Vec<_>>();
    let mean = rows().into_iter().map(sum_and_count).unzip();
    figures.push(Figure {
        key: format!("operations.{name}.response_ms.mean"),
        name: format!("{name} response time mean, ms"),
        sense: Sense::Time,
        value: totals.response.mean_us().map(|us| us / 1e3),
        seconds: by_second(&record.timeline, Seconds::Ratio(mean.0, mean.1)),
    });
    for (p, words) in [(0.5, "p50"), (0.9, "p90"), (0.99, "p99")] {
        figures.push(Figure {
            key: format!("operations.{name}.response_ms.{words}"),
            name: format!("{name} response time {words}, ms"),
            sense: Sense::Time,
            value: ms(&totals.response, p),
            seconds: by_second(&record.timeline, Seconds::Quantile { rows: rows(), p }),
        });
    }
    let not_ok = totals.finished() - totals.succeeded() + totals.dropped();
    figures.push(Figure {
        key: format!("not_ok.{name}"),
        name: format!("{name} not ok or dropped, % of planned"),
        sense: Sense::Amount,
        value: share(not_ok, totals.planned).map(|share| share * 100.0),
        seconds: Seconds::One,
    });
}

fn storm(figures: &mut Vec<Figure<'_>>, record: &Record) {
    let storm = record.storm();
    if storm.phones == 0 {
        return;
    }
    for (share, at) in [(50, storm.provisioned_50), (95, storm.provisioned_95), (100, storm.provisioned_100)] {
        figures.push(Figure {
            key: format!("storm.provisioned_{share}_s"),
            name: format!("{share} % provisioned after, s"),
            sense: Sense::Time,
            value: at.map(|at| at.as_secs_f64()),
            seconds: Seconds::One,
        });
    }
}

fn whole_run<'r>(figures: &mut Vec<Figure<'r>>, record: &'r Record) {
    let totals = &record.tally.totals;
    let wall = record.wall.as_secs_f64();
    let one = |key: &str, name: &str, sense, value| Figure {
        key: key.to_owned(),
        name: name.to_owned(),
        sense,
        value,
        seconds: Seconds::One,
    };
    let answered: Vec<f64> = record.timeline.rows.iter().map(|row| answered(&row.interval.statuses)).collect();
    let widths = vec![f64::from(record.timeline.width_s); answered.len()];
    figures.push(Figure {
        seconds: by_second(&record.timeline, Seconds::Ratio(answered, widths)),
        ..one(
            "per_second.exchanges",
            "exchanges answered a second",
            Sense::Speed,
            (wall > 0.0).then(|| totals.exchanges.answered() as f64 / wall),
        )
    });
    let failed: Vec<f64> = record.timeline.rows.iter().map(|row| f64::from(row.interval.failures)).collect();
    let sent: Vec<f64> = record.timeline.rows.iter().map(|row| f64::from(row.interval.sent)).collect();
    figures.push(Figure {
        seconds: by_second(&record.timeline, Seconds::Ratio(failed, sent)),
        ..one(
            "exchanges.failed",
            "exchanges failed below HTTP, %",
            Sense::Amount,
            share(totals.exchanges.failed(), totals.exchanges.sent).map(|share| share * 100.0),
        )
    });
    let handshakes = totals.tls.completed();
    if handshakes.count() > 0 {
        let name = "TLS handshake p50, ms";
        figures.push(one("tls.handshake_ms.p50", name, Sense::Time, ms(&handshakes.wall, 0.5)));
        let cpu = handshakes.cpu.mean_us();
        let name = "client CPU a TLS handshake, µs";
        figures.push(one("tls.client_cpu_us.mean", name, Sense::Amount, cpu));
    }
    let cpu = record.generator.cpu_seconds;
    let per_exchange = (totals.exchanges.sent > 0 && cpu > 0.0).then(|| cpu * 1e6 / totals.exchanges.sent as f64);
    let name = "client CPU an exchange, µs";
    figures.push(one("per_exchange.client_cpu_us", name, Sense::Amount, per_exchange));
}

/// Without a timeline there are no seconds.
fn by_second<'r>(timeline: &Timeline, seconds: Seconds<'r>) -> Seconds<'r> {
    if timeline.rows.is_empty() { Seconds::One } else { seconds }
}

/// Of a second's histogram: the sum in ms (each value its bucket's lowest: to three digits) and the count.
fn sum_and_count(row: &Buckets) -> (f64, f64) {
    row.iter()
        .fold((0.0, 0.0), |(sum, count), (us, n)| (sum + f64::from(us) / 1e3 * f64::from(n), count + f64::from(n)))
}

fn answered(statuses: &[u32]) -> f64 {
    statuses.iter().copied().map(f64::from).sum()
}

fn ms(distribution: &Distribution, p: f64) -> Option<f64> {
    distribution.quantile_us(p).map(|us| us as f64 / 1e3)
}

fn share(n: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| n as f64 / of as f64)
}
