//! The run's judgement of itself: whether its figures tell of the server or of the generator.

use serde::{Deserialize, Serialize};

use super::record::Record;
use super::unbalanced;
use crate::phone::{Failure, Fault, Operation};

/// How far the figures can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validity {
    /// The figures tell of the server and the phones.
    #[default]
    Valid,
    /// Part of them may tell of the generator: read the reasons.
    Degraded,
    /// The generator, not the server, was the limit, or the counts do not add up.
    Invalid,
}

impl Validity {
    /// The word used in files and output.
    pub const fn name(self) -> &'static str {
        match self {
            Validity::Valid => "valid",
            Validity::Degraded => "degraded",
            Validity::Invalid => "invalid",
        }
    }
}

/// The run's judgement of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The worst that any rule found.
    pub state: Validity,
    /// Each a sentence with the figure that led to it; empty if valid.
    pub reasons: Vec<String>,
}

/// Above this share of its core, a shard has no room for a burst.
const BUSY: f64 = 0.8;
/// Above this share, what is measured is the queue before the shard.
const SATURATED: f64 = 0.9;
/// Lateness below this many microseconds never matters.
const LATENESS_FLOOR_US: u64 = 5_000;
/// Lateness may take this share of the response time that is reported.
const LATENESS_SHARE: f64 = 0.05;

impl Verdict {
    /// Judges a finished run.
    pub fn of(record: &Record) -> Verdict {
        let mut verdict = Verdict::default();
        verdict.judge_ledger(record);
        verdict.judge_content(record);
        verdict.judge_failures(record);
        verdict.judge_cpu(record);
        verdict.judge_lateness(record);
        verdict
    }

    /// Whether the figures do not tell of the server at all (exit code 97).
    pub fn is_invalid(&self) -> bool {
        self.state == Validity::Invalid
    }

    /// Adds a finding: the state never gets better.
    pub fn add(&mut self, state: Validity, reason: impl Into<String>) {
        self.state = self.state.max(state);
        self.reasons.push(reason.into());
    }

    fn judge_ledger(&mut self, record: &Record) {
        let totals = &record.tally.totals;
        if totals.phones != record.plan.phones {
            let reason = format!("the plan has {} phones, the shards had {}", record.plan.phones, totals.phones);
            self.add(Validity::Invalid, format!("the counts do not add up: {reason}"));
        }
        for reason in unbalanced(totals) {
            self.add(Validity::Invalid, format!("the counts do not add up: {reason}"));
        }
    }

    fn judge_content(&mut self, record: &Record) {
        if record.tally.totals.operations.iter().all(|o| o.started == 0) {
            self.add(Validity::Degraded, "no operation was started: nothing was measured");
        }
    }

    fn judge_failures(&mut self, record: &Record) {
        for (failure, n) in &record.tally.totals.exchanges.failures {
            if failure.fault() != Fault::Generator {
                continue;
            }
            let what = match failure {
                Failure::LocalPorts => "no local port was free: add source addresses or keep fewer connections",
                Failure::LocalFiles => "no file descriptor was free: raise the limit of open files",
                _ => "the generator failed",
            };
            self.add(Validity::Invalid, format!("{} in {n} exchanges, {what}", failure.name()));
        }
    }

    fn judge_cpu(&mut self, record: &Record) {
        let busy = record.generator.cpu_busy_max.max(record.generator.cpu_busy);
        let percent = busy * 100.0;
        if busy > SATURATED {
            self.add(
                Validity::Invalid,
                format!("the busiest shard's thread used {percent:.0} % of its core: the generator was the limit"),
            );
        } else if busy > BUSY {
            self.add(
                Validity::Degraded,
                format!("the busiest shard's thread used {percent:.0} % of its core: bursts may have waited for it"),
            );
        }
    }

    fn judge_lateness(&mut self, record: &Record) {
        let totals = &record.tally.totals;
        let waited = totals.exchanges.phases.waited.quantile_us(0.99).filter(|waited| *waited > LATENESS_FLOOR_US);
        for operation in Operation::ALL {
            let o = totals.operation(operation);
            let (Some(late), Some(response)) = (o.lateness.quantile_us(0.99), o.response.quantile_us(0.99)) else {
                continue;
            };
            if late > LATENESS_FLOOR_US && late as f64 > LATENESS_SHARE * response as f64 {
                let share = late as f64 / response.max(1) as f64 * 100.0;
                let (late, response) = (time(late), time(response));
                // What phones wait for, if it is not the shard's thread, is one of the connections there may be, if
                // there may not be one for each.
                let why = match waited {
                    Some(_) if record.generator.max_connections >= record.plan.phones => {
                        ": so many starts at one moment take the generator that long; the service time has the server's part"
                    }
                    Some(_) if record.generator.cpu_busy_max <= BUSY => {
                        ": phones waited for a connection, so allow more (network.max-connections, open files, sources)"
                    }
                    _ => "",
                };
                let reason = format!(
                    "{operation}: lateness p99 of {late} is {share:.0} % of the response time p99 of {response}"
                );
                self.add(Validity::Degraded, reason + why);
            }
        }
    }
}

/// Milliseconds with three digits, and from ten seconds on seconds.
fn time(us: u64) -> String {
    match us as f64 / 1e3 {
        ms if ms < 9.995 => format!("{ms:.2} ms"),
        ms if ms < 99.95 => format!("{ms:.1} ms"),
        ms if ms < 10_000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::record::tests::closed;
    use std::time::Duration;

    fn judged(change: impl FnOnce(&mut Record)) -> Verdict {
        let mut record = closed();
        change(&mut record);
        Verdict::of(&record)
    }

    #[test]
    fn a_run_whose_books_close_and_whose_generator_kept_up_is_valid() {
        assert_eq!(judged(|_| ()), Verdict { state: Validity::Valid, reasons: vec![] });
    }

    type Change = fn(&mut Record);

    #[test]
    fn books_that_do_not_close_make_it_invalid() {
        let cases: [(&str, Change); 5] = [
            ("restore: 1 planned, but 0 started and 0 dropped", |r| r.tally.totals.operations[1].planned += 1),
            ("restore: 1 started, but 0 outcomes", |r| {
                r.tally.totals.operations[1].planned += 1;
                r.tally.totals.operations[1].started += 1;
            }),
            ("exchanges: 1 sent, but 0 answered and 0 failed", |r| r.tally.totals.exchanges.sent += 1),
            ("the plan has 8 phones, the shards had 7", |r| r.plan.phones += 1),
            ("phones: 7 in all, but 6 off", |r| r.tally.totals.standings.off -= 1),
        ];
        for (words, change) in cases {
            let verdict = judged(change);
            assert_eq!(verdict.state, Validity::Invalid, "{words}");
            assert!(verdict.reasons.iter().any(|r| r.contains(words)), "{words}: {:?}", verdict.reasons);
        }
    }

    #[test]
    fn the_generators_own_limits_make_it_invalid_and_the_servers_do_not() {
        for failure in Failure::ALL {
            let verdict = judged(|r| {
                r.tally.totals.exchanges.sent += 3;
                r.tally.totals.exchanges.failures.insert(failure, 3);
            });
            let generators = matches!(failure, Failure::LocalPorts | Failure::LocalFiles);
            assert_eq!(verdict.state == Validity::Invalid, generators, "{failure:?}");
            assert_eq!(verdict.reasons.iter().any(|r| r.contains(failure.name())), generators);
        }
    }

    #[test]
    fn an_empty_run_does_not_pass_for_a_measurement() {
        let verdict = judged(|r| r.tally = crate::metrics::Recorder::new(7, 1.0).finish(Duration::ZERO));
        assert_eq!(verdict.state, Validity::Degraded);
    }

    #[test]
    fn a_busy_shard_degrades_and_a_saturated_one_invalidates() {
        for (busy, state) in
            [(0.8, Validity::Valid), (0.81, Validity::Degraded), (0.9, Validity::Degraded), (0.91, Validity::Invalid)]
        {
            assert_eq!(judged(|r| r.generator.cpu_busy_max = busy).state, state, "{busy}");
        }
    }

    #[test]
    fn lateness_matters_when_it_is_both_long_and_a_good_part_of_the_response_time() {
        for (late_ms, response_ms, state) in [
            (4, 10, Validity::Valid),
            (6, 200, Validity::Valid),
            (6, 100, Validity::Degraded),
            (20, 100, Validity::Degraded),
        ] {
            let verdict = judged(|r| {
                let o = &mut r.tally.totals.operations[1];
                for _ in 0..300 {
                    o.lateness.record(Duration::from_millis(late_ms));
                    o.response.record(Duration::from_millis(response_ms));
                }
            });
            assert_eq!(verdict.state, state, "{late_ms} of {response_ms}");
            assert_eq!(verdict.reasons.iter().any(|r| r.contains("lateness p99 of")), state == Validity::Degraded);
        }
    }

    #[test]
    fn who_had_to_wait_for_a_connection_is_told_what_to_allow() {
        let (some, one_each) = (5, 7);
        let rows =
            [(900, 0.1, some, true), (0, 0.1, some, false), (900, 0.85, some, false), (900, 0.1, one_each, false)];
        for (waited_ms, busy, max_connections, told) in rows {
            let verdict = judged(|r| {
                let totals = &mut r.tally.totals;
                for _ in 0..300 {
                    totals.operations[1].lateness.record(Duration::from_millis(12_345));
                    totals.operations[1].response.record(Duration::from_millis(60_000));
                    totals.exchanges.phases.waited.record(Duration::from_millis(waited_ms));
                }
                r.generator.cpu_busy_max = busy;
                r.generator.max_connections = max_connections;
            });
            let reason = verdict.reasons.last().unwrap();
            assert!(reason.contains("lateness p99 of 12.3 s is 21 % of the response time p99 of 60.0 s"), "{reason}");
            assert_eq!(reason.contains("network.max-connections"), told, "{reason}");
            assert_eq!(reason.contains("starts at one moment"), max_connections == one_each, "{reason}");
        }
    }
}
