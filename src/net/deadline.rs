//! How long an exchange may still take.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::phone::Failure;

/// The end of an exchange, and with it of every phase in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// `limit` from now.
    pub(super) fn after(limit: Duration) -> Deadline {
        Deadline(Instant::now() + limit)
    }

    /// `limit` from this moment.
    pub(super) fn at(start: std::time::Instant, limit: Duration) -> Deadline {
        Deadline(Instant::from_std(start) + limit)
    }

    /// The moment itself.
    pub(super) fn moment(self) -> Instant {
        self.0
    }

    /// The sooner of `limit` from now and the end of the exchange, and how running into it is called:
    /// `late` for the phase's own limit, else [`Failure::TimeoutExchange`].
    pub(super) fn within(self, limit: Duration, late: Failure) -> (Instant, Failure) {
        let own = Instant::now() + limit;
        if own <= self.0 { (own, late) } else { (self.0, Failure::TimeoutExchange) }
    }

    /// The same, from this moment instead of now.
    pub(super) fn after_that(self, moment: std::time::Instant, limit: Duration, late: Failure) -> (Instant, Failure) {
        let own = Instant::from_std(moment) + limit;
        if own <= self.0 { (own, late) } else { (self.0, Failure::TimeoutExchange) }
    }

    /// Waits for `phase` no longer than `limit`.
    pub(super) async fn wait<T>(
        self,
        limit: Duration,
        late: Failure,
        phase: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let (moment, name) = self.within(limit, late);
        timeout_at(moment, phase).await.map_err(|_| name)
    }
}
