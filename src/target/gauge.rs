//! What the target's threads use: each has a clock of its own, which others of this process may read.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::stats::{Counters, sum};
use crate::metrics::TargetReading;

/// CPU time this thread has used; zero where the system does not say.
pub(crate) fn thread_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// An accept loop runs on this thread.
pub(crate) fn runs_here(counters: &Counters) {
    #[cfg(target_os = "linux")]
    counters.thread.store(nix::unistd::gettid().as_raw(), Ordering::Relaxed);
    #[cfg(not(target_os = "linux"))]
    let _ = counters;
}

/// Tells what the threads of these loops have used so far.
pub(crate) fn of(counters: Vec<Arc<Counters>>) -> impl FnMut() -> TargetReading + Send + 'static {
    let mut loops: Vec<_> = counters.into_iter().map(|counters| (counters, Duration::ZERO)).collect();
    move || {
        for (counters, cpu) in &mut loops {
            // A thread that has ended has no clock any more: what it told last stays.
            *cpu = clock_of(counters.thread.load(Ordering::Relaxed)).unwrap_or(*cpu);
        }
        let all: Vec<_> = loops.iter().map(|(counters, _)| Arc::clone(counters)).collect();
        TargetReading {
            cpu: loops.iter().map(|(_, cpu)| *cpu).sum(),
            handshakes: Some(sum(&all).handshakes),
            ..TargetReading::default()
        }
    }
}

/// The CPU clock of another thread of this process.
#[cfg(target_os = "linux")]
fn clock_of(thread: i32) -> Option<Duration> {
    // The system's own form of such a clock's number (clock_getres(2), "CPU-time clocks"): the thread's number
    // inverted, above three bits that say that it is a thread's, and that its running time is asked for.
    const OF_A_THREAD: i32 = 0b110;
    let clock = ClockId::from_raw((!thread << 3) | OF_A_THREAD);
    (thread > 0).then(|| clock_gettime(clock).ok().map(Duration::from)).flatten()
}

#[cfg(not(target_os = "linux"))]
fn clock_of(_: i32) -> Option<Duration> {
    None
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn another_threads_clock_is_read_and_stays_when_it_ends() {
        let counters = Counters::new();
        let (work, works) = mpsc::channel::<()>();
        let (told, tells) = mpsc::channel();
        let own = Arc::clone(&counters);
        let thread = std::thread::spawn(move || {
            runs_here(&own);
            while works.recv().is_ok() {
                let until = thread_cpu() + Duration::from_millis(3);
                while thread_cpu() < until {}
                told.send(thread_cpu()).unwrap();
            }
        });
        let mut gauge = of(vec![counters]);
        assert!(gauge().cpu < Duration::from_millis(3));
        work.send(()).unwrap();
        let used = tells.recv().unwrap();
        let seen = gauge().cpu;
        assert!(seen >= used, "{seen:?} of {used:?}");
        drop(work);
        thread.join().unwrap();
        assert!(gauge().cpu >= seen, "what it told last stays");
    }
}
