//! Facts and figures: counters, histograms, intervals, the storm's curve.
mod distribution;
mod facts;
mod generator;
mod interval;
mod ledger;
mod record;
mod recorder;
mod snapshot;
mod standing;
mod storm;
mod tally;
mod totals;
mod verdict;

pub use distribution::Distribution;
pub use facts::{ExchangeFacts, HandshakeFacts, HandshakeKind};
pub use generator::GeneratorFacts;
pub use interval::{Interval, Intervals, Level};
pub use ledger::{LedgerFault, unbalanced};
pub use record::{Marks, PlanFacts, Record, ThresholdResult};
pub use recorder::Recorder;
pub use snapshot::{Snapshot, SnapshotCell};
pub use standing::Standings;
pub use storm::{Provisioning, Storm};
pub use tally::Tally;
pub use totals::{AuthTotals, Counts, ExchangeTotals, HandshakeTotals, OperationTotals, Phases, TlsTotals, Totals};
pub use verdict::{Validity, Verdict};
