//! Delays as settings write them: a fixed time, or a range chance picks from.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Draw;

/// How long a phone waits, drawn anew each time: uniform in `[base, base + spread)`.
///
/// Written `20s` (always that long) or `5s..30s` (anything between).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delay {
    /// The least.
    pub base: Duration,
    /// What chance may add.
    pub spread: Duration,
}

impl Delay {
    /// No delay at all.
    pub const NONE: Delay = Delay { base: Duration::ZERO, spread: Duration::ZERO };

    /// Always this long.
    pub const fn fixed(base: Duration) -> Delay {
        Delay { base, spread: Duration::ZERO }
    }

    /// Uniform from zero up to `most`.
    pub const fn up_to(most: Duration) -> Delay {
        Delay { base: Duration::ZERO, spread: most }
    }

    /// One delay, by chance.
    pub fn pick(self, draw: &mut Draw) -> Duration {
        if self.spread.is_zero() { self.base } else { draw.between(self.base, self.base + self.spread) }
    }
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(s: &str) -> Result<Delay, String> {
        let read = |part: &str| {
            humantime::parse_duration(part.trim())
                .map_err(|e| format!("`{s}` is no delay ({e}); write `20s`, or `5s..30s` for anything between"))
        };
        let (low, high) = match s.split_once("..") {
            Some((low, high)) => (read(low)?, read(high)?),
            None => (read(s)?, read(s)?),
        };
        if high < low {
            return Err(format!("`{s}` ends before it begins; write the shorter delay first"));
        }
        // A century is longer than any phone waits and still far from where microseconds overflow.
        if high > Duration::from_secs(100 * 365 * 86_400) {
            return Err(format!("`{s}` is longer than a century"));
        }
        Ok(Delay { base: low, spread: high - low })
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", humantime::format_duration(self.base))?;
        if !self.spread.is_zero() {
            write!(f, "..{}", humantime::format_duration(self.base + self.spread))?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Delay, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Delay {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Chance, Purpose};
    use super::*;

    #[test]
    fn delays_read_as_they_are_written() {
        for (text, base, spread) in [("20s", 20_000, 0), ("5s..30s", 5_000, 25_000), ("0s..250ms", 0, 250)] {
            let delay: Delay = text.parse().unwrap();
            assert_eq!(delay.base, Duration::from_millis(base));
            assert_eq!(delay.spread, Duration::from_millis(spread));
            assert_eq!(delay.to_string().parse::<Delay>().unwrap(), delay);
        }
        assert!("30s..5s".parse::<Delay>().unwrap_err().contains("shorter delay first"));
        assert!("soon".parse::<Delay>().unwrap_err().contains("`soon` is no delay"));
    }

    #[test]
    fn a_pick_stays_within_its_range() {
        let delay: Delay = "5s..30s".parse().unwrap();
        for phone in 0..1_000 {
            let picked = delay.pick(&mut Chance::new(1).draw(phone, Purpose::TimerJitter, 0));
            assert!(picked >= delay.base && picked < delay.base + delay.spread);
        }
    }
}
