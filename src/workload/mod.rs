//! The workload: the file as typed, the plan as meant.
mod plan;

pub use plan::*;

/// A goal that can fail the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold;
