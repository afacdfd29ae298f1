//! What arrivals are held against.

/// The law that a phase's arrivals claim to follow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law<'a> {
    /// Independent of each other, at a mean rate.
    Poisson {
        /// Arrivals a second, above 0.
        rate_per_s: f64,
    },
    /// Evenly spaced.
    Constant {
        /// Arrivals a second, above 0.
        rate_per_s: f64,
    },
    /// At given times, whatever made them.
    Given {
        /// The intended times in µs, sorted.
        intended_us: &'a [u64],
    },
}

/// The stretch of time that is judged, in µs on the clock of the arrivals: from `start_us` up to, not including, `end_us`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first µs.
    pub start_us: u64,
    /// The µs after the last.
    pub end_us: u64,
}

impl Window {
    pub(super) fn seconds(self) -> f64 {
        self.end_us.saturating_sub(self.start_us) as f64 / 1e6
    }

    /// Where in the window a time lies, 0 to 1.
    pub(super) fn position(self, at_us: u64) -> f64 {
        at_us.saturating_sub(self.start_us) as f64 / 1e6 / self.seconds()
    }
}
