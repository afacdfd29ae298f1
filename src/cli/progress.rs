//! How far a run is: one line on stderr if that is a terminal, else a log line now and then.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::metrics::{Snapshot, SnapshotCell};
use crate::report::number::{count, seconds};

/// How often a log line is written where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);
/// How long a rate is taken over.
const RATE_OVER: Duration = Duration::from_secs(1);

/// The line a person watches while a run is on. Shown some times a second from the shards' snapshots.
#[derive(Debug)]
pub(super) struct Progress {
    phones: u64,
    began: Instant,
    line: Option<ProgressBar>,
    next_log: Duration,
    rate: Rate,
    ending: Ending,
}

/// Whether somebody interrupted the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ending {
    #[default]
    Not,
    Draining,
    AtOnce,
}

/// Exchanges per second over the last [`RATE_OVER`].
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    since: Duration,
    sent_before: u64,
    per_second: f64,
}

impl Progress {
    /// For a run of so many phones that begins now: a line on stderr if that is a terminal, and log lines at info
    /// level every ten seconds if not.
    pub(super) fn new(phones: u64) -> Progress {
        Progress::on(std::io::stderr().is_terminal(), phones)
    }

    fn on(terminal: bool, phones: u64) -> Progress {
        let line = terminal.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            bar.set_style(ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Progress { phones, began: now(), line, next_log: LOG_EVERY, rate: Rate::default(), ending: Ending::Not }
    }

    /// Shows where the run is: the sum of what its shards last published.
    pub(super) fn show(&mut self, shards: &[Arc<SnapshotCell>]) {
        let mut sum = Snapshot::default();
        shards.iter().for_each(|shard| sum += shard.read());
        sum.phones = self.phones;
        self.update(now().duration_since(self.began), &sum);
    }

    fn update(&mut self, at: Duration, snapshot: &Snapshot) {
        let rate = self.rate.update(at, snapshot.sent);
        match &self.line {
            Some(line) => line.set_message(words(at, snapshot, rate, self.ending)),
            None if at >= self.next_log => {
                self.next_log = at.saturating_add(LOG_EVERY);
                tracing::info!("{}", words(at, snapshot, rate, self.ending));
            }
            None => {}
        }
    }

    /// Somebody interrupted the run: it drains, or ends `at_once`.
    pub(super) fn interrupted(&mut self, at_once: bool) {
        self.ending = if at_once { Ending::AtOnce } else { Ending::Draining };
        if self.line.is_none() {
            tracing::warn!("{}", self.ending.words());
        }
    }

    /// Takes the line away.
    pub(super) fn end(self) {
        if let Some(line) = self.line {
            line.finish_and_clear();
        }
    }
}

impl Ending {
    const fn words(self) -> &'static str {
        match self {
            Ending::Not => "",
            Ending::Draining => "draining: what is under way may end, Ctrl-C again ends at once",
            Ending::AtOnce => "ending at once",
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a person watches in real time; no figure is made from it")]
fn now() -> Instant {
    Instant::now()
}

impl Rate {
    fn update(&mut self, at: Duration, sent: u64) -> f64 {
        let elapsed = at.saturating_sub(self.since);
        if elapsed >= RATE_OVER {
            self.per_second = sent.saturating_sub(self.sent_before) as f64 / elapsed.as_secs_f64();
            (self.since, self.sent_before) = (at, sent);
        }
        self.per_second
    }
}

fn words(at: Duration, now: &Snapshot, per_second: f64, ending: Ending) -> String {
    let mut words = vec![
        format!("{:.0} s", at.as_secs_f64()),
        format!("{} of {} phones provisioned", count(now.provisioned), count(now.phones)),
    ];
    if at >= Duration::from_secs(120) {
        words[0] = seconds(Some(at.as_secs_f64()));
    }
    for (n, standing) in [(now.booting, "booting"), (now.prompting, "prompting"), (now.failed, "failed")] {
        if n > 0 {
            words.push(format!("{} {standing}", count(n)));
        }
    }
    words.push(format!("{} exchanges/s", count(per_second.round() as u64)));
    words.push(format!("{} in flight", count(now.in_flight)));
    if now.unauthorized > 0 {
        words.push(format!("{} × 401", count(now.unauthorized)));
    }
    words.push(format!("{} operations ended", count(now.finished)));
    let others = now.finished.saturating_sub(now.succeeded);
    if others > 0 {
        words.push(format!("{} of them not ok", count(others)));
    }
    if ending != Ending::Not {
        words.insert(0, ending.words().to_owned());
    }
    words.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDWAY: Snapshot = Snapshot {
        phones: 2_000,
        booting: 750,
        provisioned: 1_235,
        prompting: 14,
        failed: 1,
        planned: 3_900,
        started: 3_100,
        finished: 3_000,
        succeeded: 2_985,
        dropped: 1,
        sent: 4_500,
        ended: 4_480,
        unauthorized: 1_500,
        failures: 1,
        in_flight: 20,
    };

    #[test]
    fn the_line_midway_and_at_rest() {
        assert_eq!(
            words(Duration::from_millis(3_200), &MIDWAY, 1496.6, Ending::Not),
            "3 s · 1,235 of 2,000 phones provisioned · 750 booting · 14 prompting · 1 failed · 1,497 exchanges/s · \
             20 in flight · 1,500 × 401 · 3,000 operations ended · 15 of them not ok"
        );
        let rest = Snapshot { phones: 5, ..Snapshot::default() };
        assert_eq!(
            words(Duration::from_secs(600), &rest, 0.0, Ending::Not),
            "10 min 00 s · 0 of 5 phones provisioned · 0 exchanges/s · 0 in flight · 0 operations ended"
        );
    }

    #[test]
    fn the_rate_is_that_of_the_last_second() {
        let mut rate = Rate::default();
        let table =
            [(500, 100, 0.0), (1_000, 300, 300.0), (1_900, 900, 300.0), (2_000, 1_300, 1_000.0), (4_000, 1_300, 0.0)];
        for (ms, sent, per_second) in table {
            assert_eq!(rate.update(Duration::from_millis(ms), sent), per_second, "at {ms} ms");
        }
    }

    #[test]
    fn without_a_terminal_there_is_no_line() {
        let mut progress = Progress::on(false, 2_000);
        assert!(progress.line.is_none());
        for s in 0..25 {
            progress.update(Duration::from_secs(s), &MIDWAY);
        }
        assert_eq!(progress.next_log, Duration::from_secs(30), "told at 10 s and 20 s");
        progress.show(&[Arc::new(SnapshotCell::new())]);
        progress.end();
    }

    #[test]
    fn an_interruption_is_told_first() {
        let mut progress = Progress::on(false, 2_000);
        progress.interrupted(false);
        assert!(words(Duration::ZERO, &MIDWAY, 0.0, progress.ending).starts_with("draining: "));
        progress.interrupted(true);
        assert!(words(Duration::ZERO, &MIDWAY, 0.0, progress.ending).starts_with("ending at once · 0 s"));
    }
}
