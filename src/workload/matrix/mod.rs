//! The matrix: one workload in several variants, each with other values of some of its keys.
//!
//! `axes` reads what is varied, `layout` puts it together, `combine` says which combinations there are, `names` what
//! they are called. A [`Variant`] is the same workload with its keys set as `--set` would set them, on the same seed.

mod axes;
mod combine;
mod layout;
mod names;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(super) use layout::Layout;

use crate::phone::{Chance, Purpose};

use super::shuffle::Shuffle;
use super::{Formula, Plan};

/// Most variants of one matrix.
pub const MOST_VARIANTS: usize = 200;
/// Most runs of one matrix.
pub const MOST_RUNS: usize = 1_000;

/// A workload's variants, and how they are to be played.
#[derive(Debug)]
pub struct Matrix {
    /// What is varied, in the order of the file.
    pub axes: Vec<Axis>,
    /// Whether each variant differs from the baseline in one axis at most; else all combinations are there.
    pub one_at_a_time: bool,
    /// The variants, in the order of the file: the last axis changes first.
    pub variants: Vec<Variant>,
    /// The variant (an index into `variants`) with which the others are compared.
    pub baseline: usize,
    /// How many runs of each.
    pub repeats: u32,
    /// Whether they are played in rounds, each in an order of its own.
    pub interleaved: bool,
    /// How long to rest between two runs.
    pub rest: Duration,
    /// What the table is to show; what goes with the workload, if empty.
    pub show: Vec<Formula>,
    /// From which the order of the rounds follows: the baseline's seed.
    pub seed: u64,
}

/// Something that is varied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// What it is called.
    pub name: String,
    /// What its values are called.
    pub values: Vec<String>,
    /// The keys any of them sets.
    pub keys: Vec<String>,
}

/// One combination of values.
#[derive(Debug)]
pub struct Variant {
    /// Its name where there is little room, and the name of its folder: letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// For each axis, which of its values.
    pub values: Vec<usize>,
    /// The keys it sets and their values, as TOML; secrets masked.
    pub sets: Vec<(String, String)>,
    /// The workload it is.
    pub plan: Plan,
}

/// One run of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Which round, from 1.
    pub round: u32,
    /// Which variant.
    pub variant: usize,
}

impl Matrix {
    /// The runs in the order in which they are played.
    pub fn turns(&self) -> Vec<Turn> {
        order(self.variants.len(), self.repeats, self.interleaved, self.seed)
    }
}

/// Round by round, each shuffled; or variant by variant, as they come.
fn order(variants: usize, repeats: u32, interleaved: bool, seed: u64) -> Vec<Turn> {
    if !interleaved {
        return (0..variants).flat_map(|variant| (1..=repeats).map(move |round| Turn { round, variant })).collect();
    }
    // There are at most [`MOST_VARIANTS`].
    let len = u32::try_from(variants).unwrap_or(u32::MAX);
    let round = |round: u32| {
        let shuffle = Shuffle::new(len, Chance::new(seed).draw(0, Purpose::MatrixOrder, round.into()));
        (0..len).map(move |at| Turn { round, variant: shuffle.at(at) as usize })
    };
    (1..=repeats).flat_map(round).collect()
}
