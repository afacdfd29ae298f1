//! Figures within sentences.

/// Milliseconds with three digits, and from ten seconds on seconds.
pub(super) fn time(us: u64) -> String {
    match us as f64 / 1e3 {
        ms if ms < 9.995 => format!("{ms:.2} ms"),
        ms if ms < 99.95 => format!("{ms:.1} ms"),
        ms if ms < 10_000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1e3),
    }
}

/// A share in percent; small ones with a decimal.
pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// A quantile's name: `p99.9`.
pub(super) fn quantile(q: f64) -> String {
    // 99.9 as a float has dust behind it.
    format!("p{}", (q * 1e6).round() / 1e4)
}
