//! The axis a search moves on: values of one key, from the easiest for the server to the hardest.

/// Which way is harder for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Harder {
    /// More phones, a higher rate.
    Larger,
    /// A narrower storm, a shorter patience.
    Smaller,
}

/// Values of one key between two ends, both above 0. Steps are ratios: what is twice as hard is one step up, wherever it
/// lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    easiest: f64,
    hardest: f64,
    harder: Harder,
    whole: bool,
}

impl Axis {
    /// Digits a value is rounded to, so that it can be read and typed again.
    const DIGITS: i32 = 4;

    /// Between these two, whichever of them is the harder one.
    pub fn new(from: f64, to: f64, harder: Harder) -> Axis {
        let (least, most) = (from.min(to), from.max(to));
        let (easiest, hardest) = match harder {
            Harder::Larger => (least, most),
            Harder::Smaller => (most, least),
        };
        Axis { easiest, hardest, harder, whole: false }
    }

    /// The same for values that are whole numbers.
    pub fn whole(self) -> Axis {
        Axis { whole: true, ..self }
    }

    /// The end that is easiest for the server.
    pub fn easiest(&self) -> f64 {
        self.easiest
    }

    /// The end that is hardest for it.
    pub fn hardest(&self) -> f64 {
        self.hardest
    }

    /// Which way is harder.
    pub fn harder(&self) -> Harder {
        self.harder
    }

    /// Whether `a` is harder than `b`.
    pub fn is_harder(&self, a: f64, b: f64) -> bool {
        self.ratio(b, a) > 1.0
    }

    /// How many times as hard as `from` is `to`.
    pub fn ratio(&self, from: f64, to: f64) -> f64 {
        match self.harder {
            Harder::Larger => to / from,
            Harder::Smaller => from / to,
        }
    }

    /// Twice as hard, or the hardest end if that is nearer.
    pub(super) fn up(&self, from: f64) -> f64 {
        let doubled = match self.harder {
            Harder::Larger => from * 2.0,
            Harder::Smaller => from / 2.0,
        };
        // Not one step more for the sake of a few per cent.
        if self.ratio(doubled, self.hardest) < 1.2 { self.hardest } else { self.rounded(doubled) }
    }

    /// In the middle of two loads, by ratio; `None` if there is nothing between them that could be typed.
    pub(super) fn between(&self, easier: f64, harder: f64) -> Option<f64> {
        let middle = self.rounded((easier * harder).sqrt());
        (self.is_harder(middle, easier) && self.is_harder(harder, middle)).then_some(middle)
    }

    /// To a whole number, or to a few digits.
    pub fn rounded(&self, value: f64) -> f64 {
        if self.whole {
            return value.round();
        }
        let magnitude = value.abs().log10().floor() as i32;
        let power = Axis::DIGITS - 1 - magnitude;
        // Powers of ten above 0 are exact as floats, those below are not.
        match power {
            power if power >= 0 => (value * 10_f64.powi(power)).round() / 10_f64.powi(power),
            power => (value / 10_f64.powi(-power)).round() * 10_f64.powi(-power),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_easy_end_follows_from_the_direction() {
        for (from, to) in [(10.0, 80.0), (80.0, 10.0)] {
            let larger = Axis::new(from, to, Harder::Larger);
            assert_eq!((larger.easiest(), larger.hardest()), (10.0, 80.0));
            let smaller = Axis::new(from, to, Harder::Smaller);
            assert_eq!((smaller.easiest(), smaller.hardest()), (80.0, 10.0));
            assert!(smaller.is_harder(10.0, 11.0) && larger.is_harder(11.0, 10.0));
        }
    }

    #[test]
    fn steps_are_ratios() {
        let axis = Axis::new(10.0, 100.0, Harder::Larger);
        assert_eq!(axis.up(10.0), 20.0);
        assert_eq!(axis.up(45.0), 100.0, "90 is next to the end");
        assert_eq!(axis.up(80.0), 100.0);
        assert_eq!(axis.between(20.0, 80.0), Some(40.0));
        let narrower = Axis::new(10.0, 100.0, Harder::Smaller);
        assert_eq!(narrower.up(100.0), 50.0);
        assert_eq!(narrower.between(80.0, 20.0), Some(40.0));
        assert_eq!(narrower.ratio(80.0, 20.0), 4.0);
    }

    #[test]
    fn values_can_be_typed() {
        let axis = Axis::new(0.001, 1e6, Harder::Larger);
        for (value, want) in [(1.0 / 3.0, 0.3333), (123_456.0, 123_500.0), (0.012_345_67, 0.012_35), (70.0, 70.0)] {
            assert_eq!(axis.rounded(value).to_string(), f64::to_string(&want));
        }
        let phones = Axis::new(1.0, 100.0, Harder::Larger).whole();
        assert_eq!(phones.between(5.0, 6.0), None);
        assert_eq!(phones.between(5.0, 7.0), Some(6.0));
    }
}
