//! Is the second run faster or slower than the first, the same within a margin, or can nobody tell?
//!
//! One pair of runs: [`compare_pair`] on two intervals. Five runs of each side or more, interleaved (A B A B …) so that
//! what changes with the hour falls on both: [`compare_pairs`]. Several figures of the same runs: [`holm`] after either.

mod answer;
mod holm;
mod mann_whitney;
mod pair;
mod pairs;

pub use answer::{Answer, Better, Comparison, Doubt, Ratio, Terms};
pub use holm::{holm, holm_adjusted};
pub use mann_whitney::exact_cumulative;
pub use pair::compare_pair;
pub use pairs::{MIN_PAIRS, compare_pairs};
