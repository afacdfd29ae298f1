//! The universal scalability law (N. J. Gunther): what is lost to queueing (σ) and to keeping in step (κ).
//!
//! `X(N) = λN / (1 + σ(N − 1) + κN(N − 1))`: throughput by concurrency. `N / X` is then a polynomial of the second degree
//! in `N`, `A + B·N + C·N²`, which least squares fit exactly, each point by its relative error. By Little's law `N / X` is
//! the response time, so the fit is also one of response time by concurrency. Below 0 none of the three makes sense: a
//! coefficient that would fall there is left out.

use serde::{Deserialize, Serialize};

use crate::statistics::critical;

/// Points of at least so many loads.
pub const FEWEST: usize = 6;

/// An estimate with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The most likely value.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The law, fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usl {
    /// λ: throughput of one alone.
    pub lambda: Estimate,
    /// σ: share of the work that queues.
    pub sigma: Estimate,
    /// κ: cost of keeping in step.
    pub kappa: Estimate,
    /// Most throughput there is by this law: its peak, or what it tends to if it has none. `None`: no limit in sight.
    pub most: Option<Estimate>,
    /// Concurrency at the peak; `None` if the throughput only levels off.
    pub peak_at: Option<f64>,
    /// Points it was fitted to.
    pub points: usize,
    /// Largest concurrency among them: what lies beyond is extrapolated.
    pub measured_to: f64,
    /// By how much the points lie off the curve, root mean square, as a share of their throughput.
    pub scatter: f64,
}

/// Why there is no fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum NoFit {
    /// Too few points.
    #[error("{points} loads were measured whose operations succeeded; it takes {FEWEST}")]
    TooFew {
        /// How many there are.
        points: usize,
    },
    /// The server was never at two things at once: the law says nothing of less than one.
    #[error("hardly ever was more than one operation under way at once")]
    Alone,
    /// The points do not tell the terms apart, or lie too far off any such curve.
    #[error("the points do not follow such a law")]
    NoLaw,
}

/// Beyond this scatter the points do not follow the law.
const SCATTER: f64 = 0.5;

/// The coefficients that are fitted, and what is known of their errors.
struct Fit {
    abc: [f64; 3],
    /// Of `abc`, in the same order; rows and columns of what was left out are 0.
    covariance: [[f64; 3]; 3],
    degrees: usize,
    scatter: f64,
}

impl Usl {
    /// Throughput at this concurrency.
    pub fn throughput(&self, n: f64) -> f64 {
        let (lambda, sigma, kappa) = (self.lambda.value, self.sigma.value, self.kappa.value);
        lambda * n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0))
    }
}

/// Fits the law to points of concurrency and throughput, both above 0.
///
/// # Errors
/// If there are fewer than [`FEWEST`], none is of more than one operation at once, or they follow no such law.
pub fn fit(points: &[(f64, f64)]) -> Result<Usl, NoFit> {
    let usable = |(n, x): &&(f64, f64)| n.is_finite() && x.is_finite() && *n > 0.0 && *x > 0.0;
    let points: Vec<(f64, f64)> = points.iter().filter(usable).copied().collect();
    if points.len() < FEWEST {
        return Err(NoFit::TooFew { points: points.len() });
    }
    let measured_to = points.iter().map(|(n, _)| *n).fold(0.0, f64::max);
    if measured_to <= 1.0 {
        return Err(NoFit::Alone);
    }
    // In units of the largest concurrency, so that all columns are alike in size.
    let scaled: Vec<(f64, f64)> = points.iter().map(|(n, x)| (n / measured_to, n / x)).collect();
    let mut fit = constrained(&scaled).ok_or(NoFit::NoLaw)?;
    if fit.scatter > SCATTER {
        return Err(NoFit::NoLaw);
    }
    let unit = [1.0, 1.0 / measured_to, 1.0 / (measured_to * measured_to)];
    for i in 0..3 {
        fit.abc[i] *= unit[i];
        for j in 0..3 {
            fit.covariance[i][j] *= unit[i] * unit[j];
        }
    }
    let [a, b, c] = fit.abc;
    let lambda = |[a, b, c]: [f64; 3]| 1.0 / (a + b + c);
    let most = |[a, b, c]: [f64; 3]| 1.0 / (b + 2.0 * (a.max(0.0) * c.max(0.0)).sqrt());
    let peaks = c > 0.0 && a > 0.0;
    let is_limited = b + 2.0 * (a * c).sqrt() > 1e-12 * a;
    Ok(Usl {
        lambda: fit.estimate(lambda),
        sigma: fit.estimate(|p| (p[1] + p[2]) * lambda(p)),
        kappa: fit.estimate(|p| p[2] * lambda(p)),
        most: (is_limited && (peaks || b > 0.0)).then(|| fit.estimate(most)),
        peak_at: peaks.then(|| (a / c).sqrt()),
        points: points.len(),
        measured_to,
        scatter: fit.scatter,
    })
}

/// Leaves out what would be below 0, the highest power first.
fn constrained(points: &[(f64, f64)]) -> Option<Fit> {
    let mut kept = [true; 3];
    loop {
        let fit = least_squares(points, kept)?;
        let wrong = (0..3).rev().find(|i| kept[*i] && fit.abc[*i] < 0.0);
        match wrong {
            None => return Some(fit),
            Some(i) => kept[i] = false,
        }
    }
}

/// Weighted least squares of `y = a + b·n + c·n²` with what is kept of the three; the weight of each point is such that
/// relative errors count.
fn least_squares(points: &[(f64, f64)], kept: [bool; 3]) -> Option<Fit> {
    let columns: Vec<usize> = (0..3).filter(|i| kept[*i]).collect();
    let size = columns.len();
    let degrees = points.len().checked_sub(size).filter(|d| *d > 0)?;
    let row = |(n, y): (f64, f64)| -> Vec<f64> { columns.iter().map(|i| n.powi(*i as i32) / y).collect() };
    let mut normal = vec![vec![0.0; size]; size];
    let mut right = vec![0.0; size];
    for point in points {
        let row = row(*point);
        for i in 0..size {
            right[i] += row[i];
            for j in 0..size {
                normal[i][j] += row[i] * row[j];
            }
        }
    }
    let inverse = inverse(normal)?;
    let solved: Vec<f64> = inverse.iter().map(|row| row.iter().zip(&right).map(|(a, b)| a * b).sum()).collect();
    let residual = |point: &(f64, f64)| row(*point).iter().zip(&solved).map(|(a, b)| a * b).sum::<f64>() - 1.0;
    let squares: f64 = points.iter().map(|point| residual(point).powi(2)).sum();
    let variance = squares / degrees as f64;
    let mut fit =
        Fit { abc: [0.0; 3], covariance: [[0.0; 3]; 3], degrees, scatter: (squares / points.len() as f64).sqrt() };
    for (i, at) in columns.iter().enumerate() {
        fit.abc[*at] = solved[i];
        for (j, other) in columns.iter().enumerate() {
            fit.covariance[*at][*other] = variance * inverse[i][j];
        }
    }
    Some(fit)
}

/// By Gauss and Jordan, with the largest pivot; `None` if there is none worth the name.
fn inverse(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let size = matrix.len();
    let mut inverse: Vec<Vec<f64>> =
        (0..size).map(|i| (0..size).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let largest = matrix.iter().flatten().fold(0.0, |a: f64, b| a.max(b.abs()));
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))?;
        if matrix[pivot][column].abs() <= 1e-13 * largest {
            return None;
        }
        matrix.swap(column, pivot);
        inverse.swap(column, pivot);
        let by = matrix[column][column];
        for j in 0..size {
            matrix[column][j] /= by;
            inverse[column][j] /= by;
        }
        for i in (0..size).filter(|i| *i != column) {
            let times = matrix[i][column];
            for j in 0..size {
                matrix[i][j] -= times * matrix[column][j];
                inverse[i][j] -= times * inverse[column][j];
            }
        }
    }
    Some(inverse)
}

impl Fit {
    /// What follows from the coefficients, with the error that follows from theirs (delta method).
    fn estimate(&self, of: impl Fn([f64; 3]) -> f64) -> Estimate {
        let value = of(self.abc);
        let gradient: Vec<f64> = (0..3)
            .map(|i| {
                let step = 1e-5 * self.abc[i].abs().max(f64::MIN_POSITIVE);
                let moved = |by: f64| {
                    let mut abc = self.abc;
                    abc[i] += by;
                    of(abc)
                };
                // What was left out has no error, and may not be moved below 0.
                if self.covariance[i][i] == 0.0 { 0.0 } else { (moved(step) - moved(-step)) / (2.0 * step) }
            })
            .collect();
        let mut variance = 0.0;
        for i in 0..3 {
            for j in 0..3 {
                variance += gradient[i] * self.covariance[i][j] * gradient[j];
            }
        }
        let error = critical::student_t_quantile(0.975, self.degrees as f64) * variance.max(0.0).sqrt();
        Estimate { value, low: value - error, high: value + error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(lambda: f64, sigma: f64, kappa: f64, n: f64) -> f64 {
        lambda * n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0))
    }

    fn near(got: f64, want: f64, share: f64) -> bool {
        (got - want).abs() <= share * want.abs()
    }

    /// The classic table of Gunther's book comes with these: λ 995, σ 0.0267, κ 0.000769.
    #[test]
    fn exact_points_give_the_parameters_back() {
        for (lambda, sigma, kappa) in
            [(995.65, 0.02671, 0.000_769), (40.0, 0.5, 0.01), (10.0, 0.9, 0.0), (10.0, 0.5, 0.0)]
        {
            let ns = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 48.0];
            let points: Vec<_> = ns.iter().map(|n| (*n, law(lambda, sigma, kappa, *n))).collect();
            let usl = fit(&points).unwrap();
            assert!(near(usl.lambda.value, lambda, 1e-6) && near(usl.sigma.value, sigma, 1e-6), "{usl:?}");
            assert!((usl.kappa.value - kappa).abs() < 1e-8 && usl.scatter < 1e-6, "{usl:?}");
            assert!(near(usl.throughput(10.0), law(lambda, sigma, kappa, 10.0), 1e-6));
            if kappa > 0.001 || sigma < 0.1 {
                let at = ((1.0 - sigma) / kappa).sqrt();
                assert!(near(usl.peak_at.unwrap(), at, 1e-4), "{usl:?}");
                assert!(near(usl.most.unwrap().value, law(lambda, sigma, kappa, at), 1e-5), "{usl:?}");
            }
        }
    }

    /// A server that serves one at a time with random service times: X = µN/(1 + N), which levels off at µ.
    #[test]
    fn a_single_server_levels_off_at_its_rate() {
        let points: Vec<_> = [0.1, 0.3, 1.0, 2.0, 5.0, 9.0, 30.0].iter().map(|n| (*n, 50.0 * n / (1.0 + n))).collect();
        let usl = fit(&points).unwrap();
        assert!(near(usl.most.unwrap().value, 50.0, 1e-3), "{usl:?}");
    }

    #[test]
    fn what_scales_without_loss_has_no_limit_in_sight() {
        let points: Vec<_> = (1..=8).map(|n| (f64::from(n), 7.0 * f64::from(n))).collect();
        let usl = fit(&points).unwrap();
        assert!(usl.most.is_none() || usl.most.unwrap().value > 1e6, "{usl:?}");
        assert!(near(usl.lambda.value, 7.0, 1e-6) && usl.sigma.value.abs() < 1e-6);
    }

    #[test]
    fn too_few_or_lawless_points_are_refused() {
        assert_eq!(fit(&[(1.0, 1.0); 5]), Err(NoFit::TooFew { points: 5 }));
        assert_eq!(fit(&[(2.0, 1.0); 3].repeat(2)).map(|u| u.points), Err(NoFit::NoLaw), "one and the same load");
        assert_eq!(fit(&[(0.01, 20.0), (0.03, 50.0)].repeat(3)), Err(NoFit::Alone), "nothing queues that could tell");
        assert_eq!(fit(&[(1.0, 1.0), (0.0, 5.0), (2.0, f64::NAN)].repeat(3)), Err(NoFit::TooFew { points: 3 }));
    }

    /// Over many fits of noisy points, the intervals hold the truth about as often as they say.
    #[test]
    fn the_errors_are_as_large_as_they_say() {
        use rand::{RngCore, SeedableRng};
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(6);
        let mut noise = move || {
            let sum: f64 = (0..12).map(|_| (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64).sum();
            sum - 6.0
        };
        let (lambda, sigma, kappa) = (50.0, 0.2, 0.004);
        let peak = law(lambda, sigma, kappa, ((1.0_f64 - sigma) / kappa).sqrt());
        let mut held = 0;
        for _ in 0..400 {
            let ns = [1.0, 2.0, 4.0, 7.0, 12.0, 20.0, 30.0];
            let points: Vec<_> =
                ns.iter().map(|n| (*n, law(lambda, sigma, kappa, *n) * (1.0 + 0.03 * noise()))).collect();
            let most = fit(&points).unwrap().most.unwrap();
            held += u32::from(most.low <= peak && peak <= most.high);
        }
        assert!((360..=396).contains(&held), "{held} of 400");
    }
}
