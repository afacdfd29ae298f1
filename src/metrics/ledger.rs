//! The ledger: sequences of events that cannot be, and whether a run's counts add up.

use super::Totals;
use crate::phone::Operation;

/// A sequence of events that cannot be if phone and driver keep to their contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum LedgerFault {
    /// An operation ended that had not begun.
    FinishedWithoutStart,
    /// An operation ended while another was under way.
    FinishedAnother,
    /// An operation began while one was under way.
    StartedTwice,
    /// A first attempt was made for no operation.
    DispatchedWithoutOperation,
    /// A request was sent for no operation.
    SentWithoutOperation,
    /// A request was sent while another was under way.
    SentTwice,
    /// An exchange ended that no request had begun.
    ExchangeWithoutRequest,
}

impl LedgerFault {
    /// What happened, in words that follow a count.
    pub const fn words(self) -> &'static str {
        match self {
            LedgerFault::FinishedWithoutStart => "operations ended that had not begun",
            LedgerFault::FinishedAnother => "operations ended while another was under way",
            LedgerFault::StartedTwice => "operations began while one was under way",
            LedgerFault::DispatchedWithoutOperation => "first attempts for no operation",
            LedgerFault::SentWithoutOperation => "requests for no operation",
            LedgerFault::SentTwice => "requests while another was under way",
            LedgerFault::ExchangeWithoutRequest => "exchanges ended that no request had begun",
        }
    }
}

/// What does not add up in these totals, each a sentence; empty if the ledger is closed.
///
/// Closed means: planned = started + dropped and started = sum of outcomes for each operation, every exchange
/// sent was answered or failed, each phone stands in one place, and no event came out of turn.
pub fn unbalanced(totals: &Totals) -> Vec<String> {
    let mut faults = Vec::new();
    for operation in Operation::ALL {
        let o = totals.operation(operation);
        let (dropped, finished) = (o.dropped(), o.finished());
        if o.planned != o.started + dropped {
            faults.push(format!("{operation}: {} planned, but {} started and {dropped} dropped", o.planned, o.started));
        }
        if o.started != finished {
            faults.push(format!("{operation}: {} started, but {finished} outcomes", o.started));
        }
    }
    let e = &totals.exchanges;
    let (answered, failed) = (e.answered(), e.failed());
    if e.sent != answered + failed {
        faults.push(format!("exchanges: {} sent, but {answered} answered and {failed} failed", e.sent));
    }
    let s = &totals.standings;
    if s.any_negative() || i64::try_from(totals.phones) != Ok(s.total()) {
        faults.push(format!(
            "phones: {} in all, but {} off, {} booting, {} provisioned, {} prompting, {} failed",
            totals.phones, s.off, s.booting, s.provisioned, s.prompting, s.failed
        ));
    }
    faults.extend(totals.ledger_faults.iter().map(|(fault, n)| format!("{n} {}", fault.words())));
    faults
}
