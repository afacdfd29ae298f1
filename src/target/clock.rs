//! The target's clock: phone time since the run began.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::metered::now;
use crate::phone::Moment;

/// When phone time began, and how fast it passes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Epoch {
    /// Its zero; none while it has not begun.
    pub(crate) began: Option<Instant>,
    /// Phone seconds per real second; above zero.
    pub(crate) compression: f64,
}

/// Tells phone time to whoever holds a clone.
#[derive(Clone, Debug)]
pub(crate) struct Clock(pub(crate) watch::Receiver<Epoch>);

impl Clock {
    /// Phone time now; it stands at zero until it begins.
    pub(crate) fn moment(&self) -> Moment {
        let Epoch { began, compression } = *self.0.borrow();
        let Some(began) = began else { return Moment::ZERO };
        let real = now().saturating_duration_since(began);
        match compression {
            1.0 => Moment::ZERO + real,
            factor => Moment::from_micros((real.as_nanos() as f64 * factor / 1e3) as u64),
        }
    }

    /// Whether phone time has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.0.borrow().began.is_some()
    }

    /// Until this moment has come. Never, if the clock's owner is gone before it begins.
    pub(crate) async fn until(mut self, moment: Moment) {
        let Ok(Epoch { began: Some(began), compression }) = self.0.wait_for(|e| e.began.is_some()).await.map(|e| *e)
        else {
            return std::future::pending().await;
        };
        let real = Duration::try_from_secs_f64(moment.as_secs_f64() / compression);
        match real.ok().and_then(|real| began.checked_add(real)) {
            Some(at) => sleep_until(at).await,
            // Later than any clock can tell.
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_until_it_begins_and_runs_at_its_pace() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (begin, epoch) = watch::channel(Epoch { began: None, compression: 1.0 });
            let clock = Clock(epoch);
            assert_eq!(clock.moment(), Moment::ZERO);
            let minute = Moment::ZERO + Duration::from_secs(60);
            let waiting = tokio::spawn(clock.clone().until(minute));
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished() && clock.moment() == Moment::ZERO);
            // A minute in ten milliseconds.
            begin.send_replace(Epoch { began: Some(now()), compression: 6_000.0 });
            waiting.await.unwrap();
            assert!(clock.moment() >= minute);
            drop(begin);
            assert!(clock.moment() >= minute, "time goes on when its owner is gone");
        });
    }
}
