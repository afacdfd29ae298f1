//! Timers as the phone's web page writes them: retry lists, times of day, a number in a disputed unit.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::phone::{Delay, Recurrence, SettingsError};

/// A delay as a number of units, or as a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnitDelay {
    Units(u32),
    Time(Duration),
}

impl UnitDelay {
    pub(super) fn most(self, unit: Duration) -> Duration {
        match self {
            UnitDelay::Units(units) => unit.saturating_mul(units),
            UnitDelay::Time(time) => time,
        }
    }
}

impl Serialize for UnitDelay {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            UnitDelay::Units(units) => s.collect_str(units),
            UnitDelay::Time(time) => s.collect_str(&humantime::format_duration(*time)),
        }
    }
}

impl<'de> Deserialize<'de> for UnitDelay {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<UnitDelay, D::Error> {
        struct Either;

        impl de::Visitor<'_> for Either {
            type Value = UnitDelay;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of units such as 2, or a duration such as \"20s\"")
            }

            fn visit_i64<E: de::Error>(self, units: i64) -> Result<UnitDelay, E> {
                let fits = u32::try_from(units).map(UnitDelay::Units);
                fits.map_err(|_| E::invalid_value(de::Unexpected::Signed(units), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<UnitDelay, E> {
                let units = text.trim().parse().map(UnitDelay::Units);
                let time = || humantime::parse_duration(text).map(UnitDelay::Time);
                units.or_else(|_| time()).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        d.deserialize_any(Either)
    }
}

/// `60,120,240+30,…` in seconds.
pub(super) fn retry_list(text: &str) -> Result<Vec<Delay>, SettingsError> {
    let wrong = |part: &str| SettingsError {
        key: Some("resync-error-retry-delay".into()),
        message: format!(
            "`{part}` is no entry of a retry list; write seconds, or `a+b` for a random 0..b on top: 60,120,240+30"
        ),
    };
    let seconds = |part: &str, whole: &str| {
        part.trim().parse::<u32>().map(|s| Duration::from_secs(s.into())).map_err(|_| wrong(whole))
    };
    text.split(',')
        .map(|entry| match entry.split_once('+') {
            Some((base, spread)) => Ok(Delay { base: seconds(base, entry)?, spread: seconds(spread, entry)? }),
            None => Ok(Delay::fixed(seconds(entry, entry)?)),
        })
        .collect()
}

/// `HHmm`, as the time since midnight.
pub(super) fn time_of_day(key: &str, text: &str) -> Result<Duration, SettingsError> {
    let number = |from: usize, below: u64| {
        let digits = text.get(from..from + 2).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<u64>().ok().filter(|n| *n < below)
    };
    match (text.len(), number(0, 24), number(2, 60)) {
        (4, Some(hours), Some(minutes)) => Ok(Duration::from_secs(hours * 3_600 + minutes * 60)),
        _ => Err(SettingsError {
            key: Some(key.to_owned()),
            message: format!("`{text}` is no time of day; write HHmm, for example 0330"),
        }),
    }
}

/// The time of day `at` again and again, in a run that begins at the time of day `begins`.
pub(super) fn daily(at: Duration, begins: Duration, spread: Duration) -> Recurrence {
    const DAY: Duration = Duration::from_secs(86_400);
    let first = if at >= begins { at - begins } else { at + DAY - begins };
    Recurrence::Daily { first, spread }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    /// `1800+300,3600+600`: "30 minutes (plus up to five minutes more)", then "an additional hour (plus up to 10
    /// minutes)" [doc].
    #[test]
    fn a_retry_list_may_have_jitter() {
        let list = retry_list("1800+300, 3600+600").unwrap();
        assert_eq!(list[0], Delay { base: seconds(1800), spread: seconds(300) });
        assert_eq!(list[1], Delay { base: seconds(3600), spread: seconds(600) });
        assert!(retry_list("60,soon").unwrap_err().message.contains("`soon`"));
        assert!(retry_list("").is_err());
    }

    #[test]
    fn times_of_day_read() {
        let at = |text| time_of_day("resync-at", text);
        assert_eq!(at("0000"), Ok(Duration::ZERO));
        assert_eq!(at("0330"), Ok(seconds(12_600)));
        assert_eq!(at("2359"), Ok(seconds(86_340)));
        for wrong in ["", "2400", "0360", "330", "03:30", "+330", "3 30", "033\u{e9}"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_daily_time_counts_from_the_beginning_of_the_run() {
        let first = |at, begins| match daily(seconds(at), seconds(begins), Duration::ZERO) {
            Recurrence::Daily { first, .. } => first.as_secs(),
            Recurrence::Every(_) => unreachable!(),
        };
        assert_eq!(first(12_600, 3_600), 9_000);
        assert_eq!(first(3_600, 12_600), 77_400);
        assert_eq!(first(3_600, 3_600), 0);
    }

    /// "unit disputed in the vendor's own texts: 20 s (default here) or 1 s": 2 × 10 s, or 2 × 1 s.
    #[test]
    fn a_delay_is_a_number_of_units_or_a_duration() {
        #[derive(Deserialize)]
        struct One {
            delay: UnitDelay,
        }
        for (text, unit, most) in [("2", 10, 20), ("\"2\"", 1, 2), ("\"5s\"", 10, 5), ("\"1m\"", 1, 60), ("0", 10, 0)] {
            let one: One = toml::from_str(&format!("delay = {text}")).unwrap();
            assert_eq!(one.delay.most(seconds(unit)), seconds(most), "{text}");
        }
        for wrong in ["-1", "\"soon\"", "true"] {
            assert!(toml::from_str::<One>(&format!("delay = {wrong}")).is_err(), "{wrong}");
        }
    }
}
