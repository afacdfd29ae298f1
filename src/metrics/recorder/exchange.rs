//! What an ended exchange adds to the counts.

use super::Recorder;
use crate::metrics::totals::count;
use crate::metrics::{ExchangeFacts, HandshakeKind};
use crate::phone::Failure;

impl Recorder {
    /// How the exchange ended and where its time went.
    pub(super) fn ended(&mut self, facts: &ExchangeFacts) {
        let e = &mut self.slice.totals.exchanges;
        let interval = &mut self.slice.interval;
        // An answer that broke off has both: it failed.
        match (facts.failure, facts.status) {
            (None, Some(status)) => {
                count(&mut e.statuses, status);
                interval.unauthorized += u32::from(status == 401);
                if let Some(class) = interval.statuses.get_mut(usize::from(status / 100).wrapping_sub(1)) {
                    *class += 1;
                }
            }
            (failure, _) => {
                count(&mut e.failures, failure.unwrap_or(Failure::Closed));
                interval.failures += 1;
            }
        }
        let p = &mut e.phases;
        p.waited.record(facts.waited);
        p.total.record(facts.total);
        let maybe = [
            (&mut p.connect, facts.connect),
            (&mut p.tls, facts.handshake.as_ref().map(|h| h.total)),
            (&mut p.send, facts.send),
            (&mut p.first_byte, facts.first_byte),
            (&mut p.receive, facts.receive),
        ];
        for (distribution, duration) in maybe {
            if let Some(duration) = duration {
                distribution.record(duration);
            }
        }
    }

    /// What went over the wire, whatever became of the exchange.
    pub(super) fn wire(&mut self, facts: &ExchangeFacts) {
        let e = &mut self.slice.totals.exchanges;
        let connected = facts.connect.is_some() && !facts.failure.is_some_and(is_before_connection);
        e.opened += u64::from(connected);
        e.reused += u64::from(facts.reused);
        e.reconnected += u64::from(facts.reconnected);
        e.bytes_out += facts.bytes_out;
        e.bytes_in += facts.bytes_in;
        let interval = &mut self.slice.interval;
        interval.bytes_out += facts.bytes_out;
        interval.bytes_in += facts.bytes_in;
        if let Some(handshake) = &facts.handshake {
            match handshake.kind {
                HandshakeKind::Failed => interval.handshakes_failed += 1,
                _ => interval.handshakes += 1,
            }
            self.slice.totals.tls.record(handshake);
        }
    }
}

fn is_before_connection(failure: Failure) -> bool {
    matches!(
        failure,
        Failure::ConnectRefused
            | Failure::ConnectTimeout
            | Failure::ConnectUnreachable
            | Failure::ConnectFailed
            | Failure::LocalPorts
            | Failure::LocalFiles
    )
}
