//! A connection's one timer.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::time::{Instant, Sleep, sleep_until};

/// Comes at a moment that is said anew each time it is asked.
///
/// Deadlines are far away and exchanges short: hardly any deadline is ever met. So the runtime's timer is not set for
/// each, only for one that is sooner than all before it; if it comes and the deadline has moved on, it is set again.
#[derive(Default)]
pub(super) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whom the timer wakes, once it was asked.
    wakes: Option<Waker>,
}

impl Alarm {
    /// Ready once it is `until`, or later.
    pub(super) fn poll(&mut self, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if sleep.deadline() > until {
            sleep.as_mut().reset(until);
            self.wakes = None;
        }
        loop {
            let knows = self.wakes.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
            if knows && !sleep.is_elapsed() {
                return Poll::Pending;
            }
            if sleep.as_mut().poll(cx).is_pending() {
                self.wakes = Some(cx.waker().clone());
                return Poll::Pending;
            }
            if Instant::now() >= until {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(until);
            self.wakes = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_comes_in_time_for_deadlines_that_move_either_way() {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let ms = Duration::from_millis;
            let begun = Instant::now();
            let mut alarm = Alarm::default();
            // An hour ahead, then sooner, then later than that: the timer set for the sooner one comes first.
            let far = poll_fn(|cx| Poll::Ready(alarm.poll(begun + ms(3_600_000), cx))).await;
            assert!(far.is_pending());
            for ahead in [10, 30, 40, 35] {
                let until = begun + ms(ahead);
                poll_fn(|cx| alarm.poll(until, cx)).await;
                assert!(Instant::now() >= until);
            }
        });
    }
}
