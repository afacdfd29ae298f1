//! The studentised mean of a handful of block sums, corrected for their skewness.
//!
//! Sums of rare bursts are skewed: few bursts seen means a low mean *and* a small spread, so a plain t promises too
//! much from one side. P. Hall, *On the removal of skewness by transformation*, J. R. Statist. Soc. B 54 (1992),
//! gives the monotone cubic that takes the skewness out to the second order:
//! `sqrt(n) (w + g w²/3 + g² w³/27 + g/(6n))` with `w` = mean / spread and `g` the skewness. On the queue runs of
//! `docs/statistics.md` the plain t held 75 to 95 %, this one 94 to 96 %.

/// The running sums of block values, kept up as single values change.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    blocks: f64,
    first: f64,
    second: f64,
    third: f64,
}

impl Sums {
    pub(super) fn of(values: &[f64]) -> Self {
        let mut sums = Self { blocks: values.len() as f64, first: 0.0, second: 0.0, third: 0.0 };
        values.iter().for_each(|&value| sums.change(0.0, value));
        sums
    }

    /// One block's value goes from `old` to `new`.
    pub(super) fn change(&mut self, old: f64, new: f64) {
        self.first += new - old;
        self.second += new * new - old * old;
        self.third += new * new * new - old * old * old;
    }

    /// The variance of the sum of all blocks.
    pub(super) fn variance_of_sum(&self) -> f64 {
        let mean = self.first / self.blocks;
        (self.second - self.blocks * mean * mean).max(0.0) * self.blocks / (self.blocks - 1.0)
    }

    /// How far the mean is from zero in units of its own error, skewness taken out: to be held against Student's t
    /// with one degree of freedom less than there are blocks. Infinite where nothing varies and the mean is not zero.
    pub(super) fn t(&self) -> f64 {
        let n = self.blocks;
        let mean = self.first / n;
        let variance = self.second / n - mean * mean;
        // Below the rounding of the sums there is no spread to speak of.
        if variance <= 1e-12 * (self.second / n).max(f64::MIN_POSITIVE) {
            return if mean.abs() <= 1e-9 * (self.second / n).sqrt() { 0.0 } else { mean.signum() * f64::INFINITY };
        }
        let third = self.third / n - 3.0 * mean * self.second / n + 2.0 * mean * mean * mean;
        let skew = third / variance.powf(1.5);
        let w = mean / (variance * n / (n - 1.0)).sqrt();
        n.sqrt() * (w + skew * w * w / 3.0 + skew * skew * w * w * w / 27.0 + skew / (6.0 * n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_skewness_it_is_students_t() {
        let values = [-1.0, 0.0, 1.0, 2.0, 3.0];
        // Mean 1, deviation sqrt(2.5), five values.
        let expected = 1.0 / (2.5f64 / 5.0).sqrt();
        assert!((Sums::of(&values).t() - expected).abs() < 1e-12);
    }

    #[test]
    fn skewness_moves_it_the_way_the_bursts_point() {
        let bursts = [-1.0, -1.0, -1.0, -1.0, 4.0];
        let mirrored = bursts.map(|x| -x);
        // The mean is zero, so the plain t is zero; a burst may have been missed, so the truth may well lie above.
        assert!(Sums::of(&bursts).t() > 0.0);
        assert!((Sums::of(&bursts).t() + Sums::of(&mirrored).t()).abs() < 1e-12);
    }

    #[test]
    fn changes_one_by_one_are_the_sums_of_the_end() {
        let mut values = [5.0, -3.0, 2.5, 7.0];
        let mut sums = Sums::of(&values);
        sums.change(values[1], 11.0);
        values[1] = 11.0;
        assert!((sums.t() - Sums::of(&values).t()).abs() < 1e-12);
        assert!((sums.variance_of_sum() - Sums::of(&values).variance_of_sum()).abs() < 1e-9);
    }

    #[test]
    fn nothing_varies() {
        assert_eq!(Sums::of(&[0.0; 5]).t(), 0.0);
        assert_eq!(Sums::of(&[2.0; 5]).t(), f64::INFINITY);
        assert_eq!(Sums::of(&[-0.3; 5]).t(), f64::NEG_INFINITY);
    }
}
