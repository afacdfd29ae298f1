//! How long a series remembers: the integrated autocorrelation time.
//!
//! Source: A. D. Sokal, *Monte Carlo Methods in Statistical Mechanics* (1989), section 3: the sum of the
//! autocorrelations is cut at the first lag that is at least five times the sum so far. N neighbouring values that
//! remember for a time tau are worth N / tau independent ones.

/// The window is closed at this many autocorrelation times (Sokal's self-consistent cut).
const WINDOW: f64 = 5.0;

/// `1 + 2 (r1 + r2 + …)` of a series, in steps of the series; at least 1, and 1 for a series that does not vary.
/// Lags beyond a quarter of the series are never read: they rest on too few pairs.
pub fn autocorrelation_time(series: &[f64]) -> f64 {
    let n = series.len();
    let mean = series.iter().sum::<f64>() / n.max(1) as f64;
    let centred: Vec<f64> = series.iter().map(|x| x - mean).collect();
    let variance: f64 = centred.iter().map(|x| x * x).sum();
    if variance <= 0.0 {
        return 1.0;
    }
    let mut time = 1.0;
    for lag in 1..n / 4 {
        let product: f64 = centred.iter().zip(&centred[lag..]).map(|(a, b)| a * b).sum();
        time += 2.0 * product / variance;
        if lag as f64 >= WINDOW * f64::max(time, 1.0) {
            break;
        }
    }
    time.max(1.0)
}

#[cfg(test)]
mod tests {
    use rand::{RngCore, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    #[test]
    fn an_autoregression_has_the_time_of_the_books() {
        // x' = phi x + noise remembers for (1 + phi) / (1 - phi) steps.
        for (phi, tolerance) in [(0.0, 0.1), (0.5, 0.3), (0.8, 1.0)] {
            let mut random = Pcg64Mcg::seed_from_u64(7);
            let mut x = 0.0;
            let series: Vec<f64> = (0..50_000)
                .map(|_| {
                    x = phi * x + (random.next_u32() as f64 / u32::MAX as f64 - 0.5);
                    x
                })
                .collect();
            let expected = (1.0 + phi) / (1.0 - phi);
            let found = autocorrelation_time(&series);
            assert!((found - expected).abs() < tolerance, "phi {phi}: {found}, expected {expected}");
        }
    }

    #[test]
    fn nothing_varies_or_nothing_is_there() {
        assert_eq!(autocorrelation_time(&[]), 1.0);
        assert_eq!(autocorrelation_time(&[3.0]), 1.0);
        assert_eq!(autocorrelation_time(&[3.0; 100]), 1.0);
    }

    #[test]
    fn a_series_that_swings_back_is_worth_no_more_than_its_length() {
        let series: Vec<f64> = (0..100).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert_eq!(autocorrelation_time(&series), 1.0);
    }
}
