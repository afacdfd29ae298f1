//! One shard: its phones, its connections, one loop on one thread.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::task::unconstrained;
use tokio::time::Instant;

use crate::metrics::{Distribution, Slice, SnapshotCell};
use crate::net::Connector;
use crate::phone::{DropCause, Moment};
use crate::workload::{End, Plan};

use super::control::{Bell, Stop};
use super::keeper::{Passed, Pen};
use super::lines::Lines;
use super::ports::Connections;
use super::timer::Timer;
use super::{Control, Handicap, Pace, Roster, RunError, Wish};

/// How often a shard tells where it stands. Slices end at such moments.
const PUBLISH: Duration = Duration::from_millis(100);
const _: () = assert!(Slice::WIDTH.as_millis().is_multiple_of(PUBLISH.as_millis()));

/// Most phones that are told in one turn of the loop that their time has come. When it comes for thousands at once,
/// sockets are served in between; that the others wait is lateness, and counted as such.
const TOLD_AT_ONCE: usize = 256;

/// One shard at work.
pub(super) struct Shard {
    pub(super) plan: Arc<Plan>,
    pub(super) roster: Roster,
    pub(super) connector: Connector,
    /// Most connections open at once, in flight and idle together.
    pub(super) max_connections: usize,
    pub(super) control: Control,
    pub(super) snapshot: Arc<SnapshotCell>,
    pub(super) pen: Pen,
    pub(super) handicap: Handicap,
}

/// What a shard brings home.
pub(super) struct ShardResult {
    pub(super) ended: Duration,
    pub(super) peak_connections: usize,
}

impl Shard {
    /// Runs to the end of the run.
    async fn run(mut self, began: Instant) -> Result<ShardResult, RunError> {
        let pace = Pace::new(self.plan.compression);
        let mut bell = Bell::new(self.control.watch());
        let mut lines = Lines::new(self.connector.clone(), self.max_connections, self.plan.network.idle, began);
        let mut timer = Timer::new().map_err(RunError::Runtime)?;
        let mut lag = Lag::default();
        let mut wishes = Vec::new();
        let (mut tick, mut slice, mut stalls) = (PUBLISH, 0, 0);
        let (mut settled, mut draining) = (false, Stop::Not);
        let end = match self.plan.end {
            End::After(phone_time) | End::Settled { limit: phone_time } => pace.real_time(Moment::ZERO + phone_time),
        };
        let until_settled = matches!(self.plan.end, End::Settled { .. });
        self.pen.runs_here();
        // Before that no time passes, and what is sent at once would be over in none.
        timer.until(began).await.map_err(RunError::Runtime)?;
        let cpu_before = crate::net::thread_cpu();
        loop {
            self.handicap.stall(|| began.elapsed(), &mut stalls);
            lag.woke(|| began.elapsed());
            lines.serve();
            let now = began.elapsed();
            // What has ended comes before what is due: a phone that loses its power now must not get its answer after.
            lines.collect(now, &mut self.roster, &mut wishes);
            let mut more = false;
            if draining == Stop::Not {
                more = self.roster.advance_some(now, TOLD_AT_ONCE, &mut wishes);
            }
            more |= lines.grant(&mut wishes, &mut self.roster);
            lines.close_idle(began + now);

            let asked = bell.asked();
            if asked > draining {
                draining = asked;
                self.stop(now, asked, &mut wishes);
                continue;
            }
            if draining != Stop::Not && lines.is_quiet() {
                break;
            }
            let mut due = Duration::MAX;
            if draining == Stop::Not {
                due = pace.real_time(self.roster.next_due());
                // What was due before the end is told before it, however late.
                if now >= end && due > end {
                    self.control.over();
                    continue;
                }
                due = due.min(end);
                let is_settled = until_settled && self.roster.is_settled();
                if is_settled != settled {
                    settled = is_settled;
                    self.control.settled(settled);
                    continue;
                }
            }
            if now >= tick {
                tick = next_multiple(now, PUBLISH);
                self.snapshot.publish(self.roster.recorder().snapshot());
                let number = Slice::number_at(now);
                if number > slice {
                    slice = number;
                    self.roster.upkeep(crate::net::take_upkeep());
                    let slices = self.roster.take_slices(now);
                    self.pass(number, slices, &mut lag, cpu_before, &lines);
                }
            }
            // What is overdue already waits for the turn that is due now.
            let wake = due.min(tick).max(now);
            lag.sleeps_until(wake);
            if more {
                // Sockets are served, then the next begin.
                tokio::task::yield_now().await;
                continue;
            }
            let wake = began + self.handicap.comes(wake);
            poll_fn(|cx| {
                if lines.poll_news(cx).is_ready() || bell.poll(cx).is_ready() {
                    return Poll::Ready(Ok(()));
                }
                timer.poll_until(wake, cx)
            })
            .await
            .map_err(RunError::Runtime)?;
        }
        let ended = began.elapsed();
        self.snapshot.publish(self.roster.recorder().snapshot());
        self.roster.upkeep(crate::net::take_upkeep());
        let slices = self.roster.finish_slices(ended);
        self.pass(u64::MAX, slices, &mut lag, cpu_before, &lines);
        Ok(ShardResult { ended, peak_connections: lines.peak() })
    }

    /// Hands what is closed to the keeper.
    fn pass(&self, until: u64, slices: Vec<Slice>, lag: &mut Lag, cpu_before: Duration, lines: &Lines) {
        self.pen.passed(Passed {
            until,
            slices,
            lag: std::mem::take(&mut lag.lags),
            cpu: crate::net::thread_cpu().saturating_sub(cpu_before),
            connections: Connections { open: lines.open() as u64, opened: lines.opened() },
        });
    }

    fn stop(&mut self, now: Duration, stop: Stop, wishes: &mut Vec<Wish>) {
        match stop {
            Stop::Not => {}
            Stop::Over => self.roster.drain(now, DropCause::RunEnded, wishes),
            Stop::Interrupted => self.roster.drain(now, DropCause::Interrupted, wishes),
            Stop::Now => self.roster.abort(now, wishes),
        }
    }
}

/// The first multiple of `step` after `now`.
fn next_multiple(now: Duration, step: Duration) -> Duration {
    let steps = now.as_micros() / step.as_micros() + 1;
    step * u32::try_from(steps).unwrap_or(u32::MAX)
}

/// By how much the loop came back later than it meant to, whatever kept it or woke it.
#[derive(Default)]
struct Lag {
    lags: Distribution,
    wake: Option<Duration>,
}

impl Lag {
    fn sleeps_until(&mut self, wake: Duration) {
        self.wake = Some(wake);
    }

    fn woke(&mut self, now: impl FnOnce() -> Duration) {
        if let Some(wake) = self.wake.take()
            && let Some(lag) = now().checked_sub(wake)
        {
            self.lags.record(lag);
        }
    }
}

/// Runs one shard on a thread and runtime of its own. The shard is made at once; `began` tells when the run begins, or
/// is given up if it never does. However a shard ends, the run ends for all of them.
pub(super) fn on_own_runtime(
    make: impl FnOnce() -> Result<Shard, RunError>,
    control: Control,
    began: impl FnOnce() -> Option<Instant>,
) -> Result<Option<ShardResult>, RunError> {
    let _ends_for_all = EndsForAll(control);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RunError::Runtime)?;
    // There is nobody else on this runtime whom the shard would have to give way to.
    runtime.block_on(unconstrained(async move {
        let shard = make()?;
        match began() {
            Some(began) => shard.run(began).await.map(Some),
            None => Ok(None),
        }
    }))
}

/// Without its phones the run is none any more: the others must not go on alone, perhaps for hours.
struct EndsForAll(Control);

impl Drop for EndsForAll {
    fn drop(&mut self) {
        self.0.over();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_that_cannot_be_made_or_panics_ends_the_run_for_all() {
        let control = Control::default();
        let watch = control.watch();
        let failed = on_own_runtime(|| Err(RunError::Panic), control, || panic!("never asked"));
        assert!(failed.is_err());
        assert_eq!(*watch.borrow(), Stop::Over);

        let control = Control::default();
        let watch = control.watch();
        let thread = std::thread::spawn(move || on_own_runtime(|| panic!("on purpose"), control, || None).is_ok());
        assert!(thread.join().is_err());
        assert_eq!(*watch.borrow(), Stop::Over);
    }

    #[test]
    fn lag_counts_once_whatever_woke_the_loop() {
        let ms = Duration::from_millis;
        let mut lag = Lag::default();
        lag.woke(|| ms(1));
        lag.sleeps_until(ms(10));
        lag.woke(|| ms(5));
        assert_eq!(lag.lags.count(), 0, "something happened before");
        lag.sleeps_until(ms(10));
        lag.woke(|| ms(17));
        lag.woke(|| ms(18));
        assert_eq!((lag.lags.count(), lag.lags.max_us()), (1, Some(7_000)));
    }
}
