//! Facts and figures: counters, histograms, intervals, the storm's curve, the verdict.
//!
//! Each shard feeds its own [`Recorder`] and publishes a [`Snapshot`] now and then. At the end each gives a [`Tally`]
//! ([`Totals`] and [`Intervals`]); tallies add exactly, in any order. With what is known of plan and generator, the sum
//! is a [`Record`], which can tell its [`Storm`] and its [`Verdict`]. Reports are made from that.
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
