//! The workload: the file as typed, the plan as meant.
mod arrival;
mod csv;
mod defaults;
mod document;
mod effective;
mod error;
mod figure;
mod file;
mod identities;
mod keys;
mod load;
mod locate;
mod meaning;
mod plan;
mod population;
mod quantity;
mod reference;
mod scale;
mod schedule;
mod shuffle;
mod threshold;

pub use error::{Place, Problem, WorkloadError};
pub use file::schema;
pub use load::{Overrides, load, load_with, parse, parse_with};
pub use plan::*;
pub use reference::reference;
pub use threshold::{Comparison, Judgement, Threshold, ThresholdError, Verdict};
