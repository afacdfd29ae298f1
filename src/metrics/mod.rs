//! Facts and figures: counters, histograms, the journal, intervals, the storm's curve, the verdict.
//!
//! Each shard feeds its own [`Recorder`], which hands on a [`Slice`] every half second, and publishes a [`Snapshot`] now
//! and then. Slices of all shards are put beside each other and written to the [`journal`]: nothing grows with the length
//! of a run. Read back, slices add up to a [`Tally`] ([`Totals`], [`Intervals`], [`Notables`]) and lie side by side in a
//! [`Timeline`]. With what is known of plan and generator, that is a [`Record`], which can tell its [`Storm`] and its
//! [`Verdict`]. Reports are made from that.
mod bucket;
mod distribution;
mod due;
mod facts;
mod generator;
mod histogram;
mod interval;
pub mod journal;
mod ledger;
mod machine;
mod moments;
mod notable;
mod phases;
mod record;
mod recorder;
mod response;
mod slice;
mod snapshot;
mod standing;
mod steady;
mod storm;
mod tally;
mod target;
mod timeline;
mod tls;
mod totals;
mod verdict;

pub use bucket::Buckets;
pub use distribution::Distribution;
pub use due::Due;
pub use facts::{ExchangeFacts, HandshakeFacts, HandshakeKind};
pub use generator::GeneratorFacts;
pub use interval::{Interval, Intervals, Level};
pub use ledger::{LedgerFault, unbalanced};
pub use machine::{CoreSample, MachineSample, ThreadSample};
pub use notable::{Notable, Notables, Step};
pub use phases::Phases;
pub use record::{Law, Marks, PhaseFacts, PlanFacts, Record, ThresholdResult};
pub use recorder::Recorder;
pub use response::ResponseIntervals;
pub use slice::{Arrivals, Slice};
pub use snapshot::{Snapshot, SnapshotCell};
pub use standing::Standings;
pub use storm::{Provisioning, Storm};
pub use tally::Tally;
pub use target::{CpuSum, TargetHandshakes, TargetReading, TargetUse, TargetWatch};
pub use timeline::{Row, Timeline};
pub use tls::{HandshakeKey, HandshakeLine, HandshakeSort, HandshakeTotals, TlsTotals, alert_name};
pub use totals::{AuthTotals, Counts, ExchangeTotals, OperationTotals, Totals, Upkeep};
pub use verdict::{Validity, Verdict};
