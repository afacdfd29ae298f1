//! A shard's one timer, which knows fractions of a millisecond; the runtime's own rounds up to whole ones.

use std::io;
use std::time::Duration;

use tokio::task::LocalSet;
use tokio::time::Instant;

use super::RunError;
use crate::metrics::Distribution;

#[cfg(target_os = "linux")]
pub(super) use precise::Timer;
#[cfg(not(target_os = "linux"))]
pub(super) use runtimes::Timer;

/// How often the floor is measured, and how far ahead the timer is set each time: 160 ms in all. A p99 takes 299.
const FLOOR_SAMPLES: u32 = 320;
const FLOOR_AHEAD: Duration = Duration::from_micros(500);

/// By how much a shard's timer comes late on this machine when nothing else is done: measured on a thread and runtime
/// like a shard's, in some 160 ms.
///
/// # Errors
/// If there are no threads or files left.
pub fn timer_floor() -> Result<Distribution, RunError> {
    let measure = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, async {
            let mut timer = Timer::new()?;
            let mut late = Distribution::new();
            for _ in 0..FLOOR_SAMPLES {
                let due = Instant::now() + FLOOR_AHEAD;
                timer.until(due).await?;
                late.record(due.elapsed());
            }
            io::Result::Ok(late)
        })
    };
    let thread = std::thread::Builder::new().name("timer-floor".into()).spawn(measure).map_err(RunError::Runtime)?;
    thread.join().map_err(|_| RunError::Panic)?.map_err(RunError::Runtime)
}

#[cfg(target_os = "linux")]
mod precise {
    use std::future::poll_fn;
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, RawFd};
    use std::task::{Context, Poll};
    use std::time::Duration;

    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use nix::time::{ClockId as Clock, clock_gettime};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    use tokio::time::Instant;

    /// A timer of the system's own, among the sockets of the runtime it was made in.
    ///
    /// It does not spin: there is nothing to be gained. On a small virtual machine (two cores, Linux 6.18) it comes 8 µs
    /// late at the median and 25 µs at p99 when nothing else is done. Where others have the cores, p99 is some
    /// milliseconds, which no spinning shortens; the median in a run is still 6 to 14 µs, at 200 starts a second as at
    /// 1,500 (with the runtime's timer it was 1,040 µs and 940 µs).
    pub(in super::super) struct Timer {
        fd: AsyncFd<Fd>,
        /// For when it is set.
        set: Option<Instant>,
        /// One moment by both clocks: the loop's, and the timer's.
        zero: (Instant, Duration),
    }

    struct Fd(TimerFd);

    impl AsRawFd for Fd {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    impl Timer {
        /// A timer that is not set. Must be called within a runtime.
        pub(in super::super) fn new() -> io::Result<Timer> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let fd = Fd(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?);
            #[allow(deprecated, reason = "what follows it is unsafe: here the descriptor is the timer's own, always")]
            let fd = AsyncFd::with_interest(fd, Interest::READABLE)?;
            Ok(Timer { fd, set: None, zero: zero()? })
        }

        /// Until the deadline; never returns before it. May be given up and asked again for any other.
        pub(in super::super) async fn until(&mut self, deadline: Instant) -> io::Result<()> {
            poll_fn(|cx| self.poll_until(deadline, cx)).await
        }

        /// The same, for one who waits for other things as well. Where the timer is set for this deadline already, no
        /// clock is read.
        pub(in super::super) fn poll_until(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            loop {
                if self.set != Some(deadline) {
                    if Instant::now() >= deadline {
                        return Poll::Ready(Ok(()));
                    }
                    self.set(deadline)?;
                }
                // What it tells may be of an earlier deadline that nobody waited for any more; then it is set once more.
                // It need not be read: setting it does away with what it had to tell.
                match self.fd.poll_read_ready(cx)? {
                    Poll::Ready(mut told) => told.clear_ready(),
                    Poll::Pending => return Poll::Pending,
                }
                self.set = None;
            }
        }

        fn set(&mut self, deadline: Instant) -> io::Result<()> {
            let (loops, timers) = self.zero;
            let at = TimeSpec::from_duration(timers + deadline.duration_since(loops));
            self.fd.get_ref().0.set(Expiration::OneShot(at), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
            self.set = Some(deadline);
            Ok(())
        }
    }

    /// The best of a few tries: between the two readings the thread may have been put aside. What is left makes the
    /// timer late, never early.
    fn zero() -> io::Result<(Instant, Duration)> {
        let mut best: Option<(Duration, (Instant, Duration))> = None;
        for _ in 0..8 {
            let before = Instant::now();
            let timers = Duration::from(clock_gettime(Clock::CLOCK_MONOTONIC)?);
            let apart = before.elapsed();
            if best.is_none_or(|(least, _)| apart < least) {
                best = Some((apart, (before, timers)));
            }
        }
        best.map(|(_, zero)| zero).ok_or_else(|| io::ErrorKind::Other.into())
    }
}

#[cfg(not(target_os = "linux"))]
mod runtimes {
    use std::future::poll_fn;
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::time::{Instant, Sleep, sleep_until};

    /// The runtime's own timer, which rounds up to whole milliseconds.
    pub(in super::super) struct Timer(Pin<Box<Sleep>>);

    impl Timer {
        pub(in super::super) fn new() -> io::Result<Timer> {
            Ok(Timer(Box::pin(sleep_until(Instant::now()))))
        }

        pub(in super::super) async fn until(&mut self, deadline: Instant) -> io::Result<()> {
            poll_fn(|cx| self.poll_until(deadline, cx)).await
        }

        pub(in super::super) fn poll_until(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.0.deadline() != deadline {
                self.0.as_mut().reset(deadline);
            }
            self.0.as_mut().poll(cx).map(Ok)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within_a_runtime<T>(test: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, test)
    }

    #[test]
    fn it_never_comes_early_whatever_was_asked_before() {
        within_a_runtime(async {
            let mut timer = Timer::new().unwrap();
            for n in 0..100_u64 {
                let now = Instant::now();
                let (soon, later) = (now + Duration::from_micros(n % 7 * 50), now + Duration::from_micros(700));
                // Given up for something else, after it was set and perhaps after it came, but before it was heard.
                tokio::select! {
                    biased;
                    () = tokio::task::yield_now() => {}
                    came = timer.until(if n % 2 == 0 { soon } else { later }) => came.unwrap(),
                }
                std::thread::sleep(Duration::from_micros(n % 5 * 100));
                timer.until(later).await.unwrap();
                assert!(Instant::now() >= later);
                // What is over needs no waiting.
                timer.until(soon).await.unwrap();
            }
        });
    }

    #[test]
    fn an_earlier_deadline_takes_the_place_of_a_later_one() {
        within_a_runtime(async {
            let mut timer = Timer::new().unwrap();
            let hour = Instant::now() + Duration::from_secs(3600);
            tokio::select! {
                biased;
                came = timer.until(hour) => panic!("{came:?}"),
                () = tokio::task::yield_now() => {}
            }
            timer.until(Instant::now() + Duration::from_micros(50)).await.unwrap();
            assert!(Instant::now() < hour);
        });
    }

    /// A timer that rounds up to whole milliseconds, from whatever zero, is always late by 750 µs or more for one of
    /// four moments spread evenly over one. This one comes in time sooner or later, however busy the machine is.
    #[cfg(target_os = "linux")]
    #[test]
    fn it_does_not_round_to_whole_milliseconds() {
        within_a_runtime(async {
            let mut timer = Timer::new().unwrap();
            let zero = Instant::now();
            for fraction in [0, 250, 500, 750].map(Duration::from_micros) {
                let mut in_time = false;
                for _ in 0..10_000 {
                    let ms = u64::try_from(zero.elapsed().as_millis()).unwrap() + 2;
                    let due = zero + Duration::from_millis(ms) + fraction;
                    timer.until(due).await.unwrap();
                    in_time = due.elapsed() < Duration::from_micros(500);
                    if in_time {
                        break;
                    }
                }
                assert!(in_time, "{fraction:?}");
            }
        });
    }

    #[test]
    fn the_floor_can_carry_a_p99() {
        let floor = timer_floor().unwrap();
        assert_eq!(floor.count(), u64::from(FLOOR_SAMPLES));
        assert!(floor.quantile_us(0.99).is_some());
    }
}
