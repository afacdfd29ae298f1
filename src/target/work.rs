//! Workers and the queue before them, as arithmetic: when a request comes, it is known when it will be done.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use crate::phone::Moment;
use crate::workload::Work;

/// The workers of a target. First come, first served; a request given up by its client is worked on all the same
/// \[assumed\].
#[derive(Debug)]
pub(crate) struct Workbench {
    workers: usize,
    queue: usize,
    /// When each worker that has ever worked is free.
    free: BinaryHeap<Reverse<Moment>>,
    /// When those that wait will be taken up, in order.
    waiting: VecDeque<Moment>,
    /// Requests come from several threads, whose clocks may be a hair apart.
    last: Moment,
}

impl Workbench {
    /// Idle workers; none if requests take no time.
    pub(crate) fn new(work: &Work) -> Option<Workbench> {
        let (workers, queue) = (work.workers.unwrap_or(usize::MAX), work.queue.unwrap_or(usize::MAX));
        let bench = Workbench { workers, queue, free: BinaryHeap::new(), waiting: VecDeque::new(), last: Moment::ZERO };
        (!work.service.1.is_zero()).then_some(bench)
    }

    /// A request that comes `now` and takes `service`: when it will be done; none if the queue is full.
    pub(crate) fn admit(&mut self, now: Moment, service: Duration) -> Option<Moment> {
        let now = now.max(self.last);
        self.last = now;
        while self.waiting.front().is_some_and(|start| *start <= now) {
            self.waiting.pop_front();
        }
        let first_free = self.free.peek().map(|Reverse(at)| *at);
        let start = match first_free {
            Some(free) if free <= now => {
                self.free.pop();
                now
            }
            Some(free) if self.free.len() >= self.workers => {
                if self.waiting.len() >= self.queue {
                    return None;
                }
                self.free.pop();
                self.waiting.push_back(free);
                free
            }
            _ => now,
        };
        let done = start + service;
        self.free.push(Reverse(done));
        Some(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Overload;

    const SECOND: Duration = Duration::from_secs(1);

    fn bench(workers: Option<usize>, queue: Option<usize>) -> Workbench {
        Workbench::new(&Work { service: (SECOND, SECOND), workers, queue, overload: Overload::Reset }).unwrap()
    }

    fn at(seconds: u64) -> Moment {
        Moment::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn what_takes_no_time_needs_no_bench() {
        let service = (Duration::ZERO, Duration::ZERO);
        assert!(Workbench::new(&Work { service, workers: Some(1), queue: None, overload: Overload::Reset }).is_none());
    }

    #[test]
    fn two_workers_and_two_places() {
        let mut bench = bench(Some(2), Some(2));
        let done: Vec<_> = (0..5).map(|_| bench.admit(at(0), SECOND)).collect();
        assert_eq!(done, [Some(at(1)), Some(at(1)), Some(at(2)), Some(at(2)), None]);
        // One second later both that waited are worked on, and there is room again.
        let done: Vec<_> = (0..3).map(|_| bench.admit(at(1), SECOND)).collect();
        assert_eq!(done, [Some(at(3)), Some(at(3)), None]);
        assert_eq!(bench.admit(at(60), SECOND), Some(at(61)), "a rested bench");
    }

    #[test]
    fn without_bounds_everybody_is_served_at_once() {
        let mut bench = bench(None, Some(0));
        for _ in 0..1000 {
            assert_eq!(bench.admit(at(5), SECOND), Some(at(6)));
        }
    }

    #[test]
    fn a_queue_of_none_takes_what_a_worker_can_take() {
        let mut bench = bench(Some(1), Some(0));
        assert_eq!(bench.admit(at(0), SECOND), Some(at(1)));
        assert_eq!(bench.admit(at(0), SECOND), None);
        assert_eq!(bench.admit(at(1), SECOND), Some(at(2)));
    }
}
