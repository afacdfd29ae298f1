//! Quantiles of the normal and of Student's t distribution (from `statrs`), held to the printed tables by tests.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The value below which Student's t with `degrees` degrees of freedom lies with probability `p` (0 to 1).
/// Infinite where there are no degrees of freedom.
pub fn student_t_quantile(p: f64, degrees: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees).map_or(f64::INFINITY, |t| t.inverse_cdf(p))
}

/// The value below which a standard normal draw lies with probability `p` (0 to 1).
pub fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// The probability that a standard normal draw is at least as far from zero as `z`.
pub fn two_sided_p(z: f64) -> f64 {
    2.0 * Normal::standard().sf(z.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_tables_of_student() {
        for (p, degrees, printed) in [
            (0.975, 1.0, 12.706),
            (0.975, 4.0, 2.776),
            (0.975, 19.0, 2.093),
            (0.975, 99.0, 1.984),
            (0.995, 9.0, 3.250),
            (0.95, 29.0, 1.699),
        ] {
            let found = student_t_quantile(p, degrees);
            assert!((found - printed).abs() < 6e-4, "t({p}, {degrees}) = {found}, printed {printed}");
            assert!(
                (student_t_quantile(1.0 - p, degrees) + printed).abs() < 6e-4,
                "the other side of t({p}, {degrees})"
            );
        }
        assert_eq!(student_t_quantile(0.975, 0.0), f64::INFINITY);
    }

    #[test]
    fn the_printed_tables_of_the_normal() {
        for (p, printed) in [(0.5, 0.0), (0.9, 1.28155), (0.975, 1.95996), (0.995, 2.57583), (0.9995, 3.29053)] {
            assert!((normal_quantile(p) - printed).abs() < 1e-5, "z({p})");
            assert!((two_sided_p(printed) - 2.0 * (1.0 - p)).abs() < 1e-5, "p of {printed}");
        }
    }
}
