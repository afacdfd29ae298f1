//! Blocks of seconds, long enough that one hardly knows of the next.

use super::autocorrelation::autocorrelation_time;
use super::drift::drift;
use super::interval::Refusal;

/// Fewer blocks than this cannot show how much they vary.
pub(super) const MIN_BLOCKS: usize = 20;
/// More blocks than this add nothing to Student's t, and longer blocks forget better.
const MAX_BLOCKS: usize = 100;
/// A block is this many times as long as what the autocorrelation time has beyond a series without memory. What the
/// end of one block still tells of the next then biases the variance by 5 to 10 %, and the interval by half of that.
const TIMES: f64 = 8.0;
/// A drift as strong as this comes by chance once in 200 steady runs.
const DRIFT_LEVEL: f64 = 0.005;

/// A run cut into blocks of (nearly) equal numbers of whole seconds; no second is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Blocks {
    seconds: usize,
    /// How many there are; 0 for no seconds.
    pub(super) count: usize,
}

impl Blocks {
    /// Blocks that suit a series' own memory: at least [`MIN_BLOCKS`], or the run is too short for them.
    pub(super) fn that_suit(series: &[f64]) -> Self {
        let memory = 1.0 + (TIMES * (autocorrelation_time(series) - 1.0)).ceil();
        let length = memory.max((series.len() as f64 / MAX_BLOCKS as f64).ceil());
        Self { seconds: series.len(), count: (series.len() as f64 / length) as usize }
    }

    /// `count` blocks, or one a second where there are fewer seconds.
    pub(super) fn coarse(seconds: usize, count: usize) -> Self {
        Self { seconds, count: count.min(seconds) }
    }

    /// The mean length of a block in seconds.
    pub(super) fn length_s(self) -> f64 {
        self.seconds as f64 / self.count.max(1) as f64
    }

    /// The block that a second lies in.
    pub(super) fn of(self, second: usize) -> usize {
        second * self.count / self.seconds
    }

    /// The sum of a per-second series in each block.
    pub(super) fn sums(self, series: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.count];
        for (second, value) in series.iter().enumerate() {
            sums[self.of(second)] += value;
        }
        sums
    }
}

/// Blocks that suit a per-second series, or that the run is too short for enough of them.
pub(super) fn suitable(series: &[f64]) -> Result<Blocks, Refusal> {
    let blocks = Blocks::that_suit(series);
    if blocks.count < MIN_BLOCKS {
        return Err(Refusal::TooFewBlocks { blocks: blocks.count, needed: MIN_BLOCKS, block_s: blocks.length_s() });
    }
    Ok(blocks)
}

/// Refuses a per-second series that does not stay where it is, judged on [`MIN_BLOCKS`] long blocks. One that is too
/// short for these is too short altogether, and [`suitable`] says so.
pub(super) fn refuse_drift(series: &[f64], seed: u64) -> Result<(), Refusal> {
    let coarse = Blocks::coarse(series.len(), MIN_BLOCKS);
    match drift(&coarse.sums(series), seed) {
        Some(found) if coarse.count == MIN_BLOCKS && found.p_value <= DRIFT_LEVEL => Err(Refusal::Drifts {
            at_s: (found.at as f64 * coarse.length_s()).round() as usize,
            rises: found.after > found.before,
            p_value: found.p_value,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_lies_in_one_block_and_blocks_differ_by_one_second_at_most() {
        for (seconds, count) in [(100, 20), (101, 20), (59, 20), (20, 20), (7, 20)] {
            let blocks = Blocks::coarse(seconds, count);
            let sizes = blocks.sums(&vec![1.0; seconds]);
            assert_eq!(sizes.iter().sum::<f64>(), seconds as f64);
            let (least, most) = sizes.iter().fold((f64::MAX, 0.0f64), |(a, b), &x| (a.min(x), b.max(x)));
            assert!(least > 0.0 && most - least <= 1.0, "{seconds} in {count}: {sizes:?}");
        }
    }

    #[test]
    fn memory_makes_blocks_longer() {
        let alternating: Vec<f64> = (0..60).map(|i| f64::from(i % 2)).collect();
        assert_eq!(Blocks::that_suit(&alternating).count, 60);
        let hour: Vec<f64> = (0..3600).map(|i| f64::from(i % 2)).collect();
        assert_eq!(Blocks::that_suit(&hour).count, 100);
        let slow: Vec<f64> = (0..600).map(|i| (i as f64 / 40.0).sin()).collect();
        assert!(Blocks::that_suit(&slow).count < MIN_BLOCKS);
    }
}
