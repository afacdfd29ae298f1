//! Facts and figures: counters, histograms, intervals, the storm's curve.
mod facts;

pub use facts::{ExchangeFacts, HandshakeFacts, HandshakeKind};
