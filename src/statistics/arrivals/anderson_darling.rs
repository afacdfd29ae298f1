//! The Anderson–Darling test against a law that is known in full.
//!
//! Sources: T. W. Anderson and D. A. Darling, *A test of goodness of fit*, JASA 49 (1954); for the p-value
//! G. and J. Marsaglia, *Evaluating the Anderson-Darling distribution*, J. Stat. Softw. 9 (2004), the limit of many samples.

/// The statistic A² of values that are uniform between 0 and 1 if the law holds, sorted. Values at the very ends are moved
/// in by `1e-12`: a clock of whole µs puts some there.
pub fn anderson_darling(uniform: &[f64]) -> f64 {
    let n = uniform.len() as f64;
    let inside = |u: f64| u.clamp(1e-12, 1.0 - 1e-12);
    let terms = uniform.iter().zip(uniform.iter().rev()).enumerate();
    let sum: f64 =
        terms.map(|(i, (&low, &high))| (2.0 * i as f64 + 1.0) * (inside(low).ln() + (1.0 - inside(high)).ln())).sum();
    -n - sum / n
}

/// How often the statistic is at least `a2` if the law holds, for many samples (more than a few dozen); good to five digits.
pub fn anderson_darling_p(a2: f64) -> f64 {
    // Beyond this the formula's polynomial leaves the range it was fitted on, and the tail falls like exp(-a2).
    const FITTED_TO: f64 = 8.0;
    if a2 <= 0.0 {
        return 1.0;
    }
    if a2 > FITTED_TO {
        return anderson_darling_p(FITTED_TO) * (FITTED_TO - a2).exp();
    }
    let polynomial = |c: [f64; 6]| c.iter().rev().fold(0.0, |sum, c| sum * a2 + c);
    if a2 < 2.0 {
        let p = polynomial([2.00012, 0.247105, -0.0649821, 0.0347962, -0.011672, 0.00168691]);
        1.0 - (-1.2337141 / a2).exp() / a2.sqrt() * p
    } else {
        let p = polynomial([1.0776, -2.30695, 0.43424, -0.082433, 0.008056, -0.0003146]);
        -(-p.exp()).exp_m1()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_percentage_points() {
        // D'Agostino and Stephens, Goodness-of-Fit Techniques (1986), table 4.2, case 0.
        for (a2, p) in [
            (0.775, 0.50),
            (1.248, 0.25),
            (1.610, 0.15),
            (1.933, 0.10),
            (2.492, 0.05),
            (3.070, 0.025),
            (3.880, 0.01),
            (4.500, 0.005),
            (6.000, 0.001),
        ] {
            let found = anderson_darling_p(a2);
            assert!((found / p - 1.0).abs() < 0.06, "A² {a2}: {found}, printed {p}");
        }
        assert!(anderson_darling_p(1e6) < 1e-9 && anderson_darling_p(0.0) == 1.0);
        assert!((anderson_darling_p(2.0 - 1e-9) - anderson_darling_p(2.0 + 1e-9)).abs() < 1e-4);
    }

    #[test]
    fn a_statistic_worked_by_hand() {
        // n = 2, u = 1/4 and 3/4: -2 - (1/2)[1·(ln 1/4 + ln 1/4) + 3·(ln 3/4 + ln 3/4)].
        let expected = -2.0 - 0.5 * (2.0 * 0.25f64.ln() + 6.0 * 0.75f64.ln());
        assert!((anderson_darling(&[0.25, 0.75]) - expected).abs() < 1e-12);
        assert!(anderson_darling(&[0.0, 1.0]).is_finite());
    }
}
