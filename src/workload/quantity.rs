//! Quantities as people write them: durations, counts, sizes, rates, shares.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use bytesize::ByteSize;
use serde::de::{self, Visitor};

/// A value written as a short text (some also as a number).
pub(crate) trait Quantity: Sized {
    /// What it is, for messages: `a duration such as "90s"`.
    const WHAT: &'static str;
    /// The value of a text.
    fn read(text: &str) -> Option<Self>;
    /// The value of a bare number, where that is allowed.
    fn read_number(number: f64) -> Option<Self>;
    /// The text, so that `read` gives the value back.
    fn write(&self) -> String;
}

/// Reads any [`Quantity`].
pub(crate) struct QuantityVisitor<T>(pub(crate) PhantomData<T>);

impl<T: Quantity> Visitor<'_> for QuantityVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::read(text.trim()).ok_or_else(|| E::custom(format_args!("`{text}` is not {}", T::WHAT)))
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<T, E> {
        // Counts and sizes beyond 2^53 are refused later as too large anyway.
        T::read_number(n as f64).ok_or_else(|| E::custom(format_args!("`{n}` is not {}", T::WHAT)))
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<T, E> {
        T::read_number(n as f64).ok_or_else(|| E::custom(format_args!("`{n}` is not {}", T::WHAT)))
    }

    fn visit_f64<E: de::Error>(self, n: f64) -> Result<T, E> {
        T::read_number(n).ok_or_else(|| E::custom(format_args!("`{n}` is not {}", T::WHAT)))
    }
}

/// Serde and schema for a [`Quantity`].
macro_rules! quantity {
    ($type:ident, $schema:tt) => {
        $crate::workload::quantity::quantity!($type, $schema, |q, s| s
            .serialize_str(&$crate::workload::quantity::Quantity::write(q)));
    };
    ($type:ident, $schema:tt, |$q:ident, $s:ident| $write:expr) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                d.deserialize_any($crate::workload::quantity::QuantityVisitor(std::marker::PhantomData))
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, $s: S) -> Result<S::Ok, S::Error> {
                let $q = self;
                $write
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
pub(crate) use quantity;

/// A duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Duration);

impl Quantity for Time {
    const WHAT: &'static str = "a duration such as \"90s\" or \"1h30m\"";

    fn read(text: &str) -> Option<Self> {
        humantime::parse_duration(text).ok().map(Time)
    }

    fn read_number(_: f64) -> Option<Self> {
        None
    }

    fn write(&self) -> String {
        humantime::format_duration(self.0).to_string().replace(' ', "")
    }
}
quantity!(Time, { "type": "string", "format": "duration" });

impl Time {
    /// This many seconds.
    pub(crate) const fn secs(secs: u64) -> Time {
        Time(Duration::from_secs(secs))
    }
}

/// From one duration to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeRange(pub(crate) Duration, pub(crate) Duration);

impl Quantity for TimeRange {
    const WHAT: &'static str = "a duration such as \"30s\" or a range such as \"30s..5m\"";

    fn read(text: &str) -> Option<Self> {
        let (low, high) = both_ends(text, |t| Time::read(t).map(|t| t.0))?;
        Some(TimeRange(low, high))
    }

    fn read_number(_: f64) -> Option<Self> {
        None
    }

    fn write(&self) -> String {
        write_range(self.0, self.1, |d| Time(d).write())
    }
}
quantity!(TimeRange, { "type": "string", "format": "duration range" });

/// A count: `1000`, `"20k"`, `"1.5M"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u64);

impl Quantity for Count {
    const WHAT: &'static str = "a count such as 1000 or \"20k\"";

    fn read(text: &str) -> Option<Self> {
        plain_number(text).and_then(Self::read_number)
    }

    fn read_number(number: f64) -> Option<Self> {
        let whole = number.round();
        ((number - whole).abs() < 1e-6 && (0.0..9.0e15).contains(&whole)).then_some(Count(whole as u64))
    }

    fn write(&self) -> String {
        self.0.to_string()
    }
}
quantity!(Count, { "type": ["integer", "string"], "format": "count" }, |q, s| s.serialize_u64(q.0));

/// From one size to another, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeSpan(pub(crate) u64, pub(crate) u64);

impl Quantity for SizeSpan {
    const WHAT: &'static str = "a size such as \"8KB\" or a range such as \"1KB..40KB\"";

    fn read(text: &str) -> Option<Self> {
        let (low, high) = both_ends(text, |t| Size::read(t).map(|s| s.0))?;
        Some(SizeSpan(low, high))
    }

    fn read_number(number: f64) -> Option<Self> {
        Size::read_number(number).map(|s| SizeSpan(s.0, s.0))
    }

    fn write(&self) -> String {
        write_range(self.0, self.1, |n| Size(n).write())
    }
}
quantity!(SizeSpan, { "type": ["integer", "string"], "format": "size range" });

/// A size in octets: `40000`, `"40KB"`, `"1MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl Quantity for Size {
    const WHAT: &'static str = "a size such as \"40KB\" or \"1MiB\"";

    fn read(text: &str) -> Option<Self> {
        text.parse::<ByteSize>().ok().map(|b| Size(b.as_u64()))
    }

    fn read_number(number: f64) -> Option<Self> {
        Count::read_number(number).map(|c| Size(c.0))
    }

    fn write(&self) -> String {
        match self.0 {
            n if n >= 1_000_000 && n.is_multiple_of(1_000_000) => format!("{}MB", n / 1_000_000),
            n if n >= 1_000 && n.is_multiple_of(1_000) => format!("{}KB", n / 1_000),
            n => format!("{n}B"),
        }
    }
}
quantity!(Size, { "type": ["integer", "string"], "format": "size" });

/// Starts per second, written with their unit of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate(pub(crate) f64);

impl Quantity for Rate {
    const WHAT: &'static str = "a rate such as \"200/s\", \"12/min\" or \"3k/h\"";

    fn read(text: &str) -> Option<Self> {
        let (number, unit) = text.split_once('/')?;
        let per = match unit.trim() {
            "s" | "sec" | "second" => 1.0,
            "m" | "min" | "minute" => 60.0,
            "h" | "hour" => 3600.0,
            _ => return None,
        };
        plain_number(number.trim()).map(|n| Rate(n / per))
    }

    fn read_number(_: f64) -> Option<Self> {
        None
    }

    fn write(&self) -> String {
        let hourly = self.0 * 3600.0;
        // Whatever reads best and gives the very same value back.
        [(self.0, "s"), (self.0 * 60.0, "min"), (hourly, "h")]
            .into_iter()
            .map(|(n, unit)| (n, format!("{}/{unit}", n.round())))
            .find(|(n, text)| n.fract() == 0.0 && Rate::read(text) == Some(*self))
            .map_or_else(|| format!("{}/s", self.0), |(_, text)| text)
    }
}
quantity!(Rate, { "type": "string", "format": "rate" });

/// A part of the whole: `0.02` or `"2%"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share(pub(crate) f64);

impl Quantity for Share {
    const WHAT: &'static str = "a share such as 0.02 or \"2%\"";

    fn read(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(hundredths) => plain_number(hundredths.trim()).map(|n| Share(n / 100.0)),
            None => plain_number(text).map(Share),
        }
    }

    fn read_number(number: f64) -> Option<Self> {
        number.is_finite().then_some(Share(number))
    }

    fn write(&self) -> String {
        self.0.to_string()
    }
}
quantity!(Share, { "type": ["number", "string"], "format": "share" }, |q, s| s.serialize_f64(q.0));

/// A finite number with an optional `k` or `M`.
fn plain_number(text: &str) -> Option<f64> {
    let (digits, factor) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1e3),
        None => match text.strip_suffix('M') {
            Some(digits) => (digits, 1e6),
            None => (text, 1.0),
        },
    };
    let digits = digits.trim().replace('_', "");
    if !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-') {
        return None;
    }
    digits.parse::<f64>().ok().map(|n| n * factor).filter(|n| n.is_finite())
}

/// `a..b`, or `a` for both ends; the ends in order.
fn both_ends<T: PartialOrd + Copy>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<(T, T)> {
    match text.split_once("..") {
        Some((low, high)) => {
            let (low, high) = (read(low.trim())?, read(high.trim())?);
            (low <= high).then_some((low, high))
        }
        None => read(text).map(|one| (one, one)),
    }
}

fn write_range<T: PartialEq>(low: T, high: T, write: impl Fn(T) -> String) -> String {
    if low == high { write(low) } else { format!("{}..{}", write(low), write(high)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let s = Duration::from_secs;
        for (text, want) in [("90s", Some(s(90))), ("1h30m", Some(s(5400))), ("0s", Some(s(0))), ("250ms", None)] {
            let want = want.or(Some(Duration::from_millis(250)));
            assert_eq!(Time::read(text).map(|t| t.0), want, "{text}");
        }
        for bad in ["", "5", "-5s", "5 bananas", "s"] {
            assert_eq!(Time::read(bad), None, "{bad}");
        }
        assert_eq!(TimeRange::read("5s..30s"), Some(TimeRange(s(5), s(30))));
        assert_eq!(TimeRange::read("5s"), Some(TimeRange(s(5), s(5))));
        assert_eq!(TimeRange::read("30s..5s"), None);
    }

    #[test]
    fn counts_and_shares() {
        for (text, want) in [("20k", 20_000), ("1.5M", 1_500_000), ("7", 7), ("20_000", 20_000), ("0", 0)] {
            assert_eq!(Count::read(text), Some(Count(want)), "{text}");
        }
        for bad in ["-1", "1.5", "k", "", "1e3", "nan", "inf", "20 phones"] {
            assert_eq!(Count::read(bad), None, "{bad}");
        }
        assert_eq!(Share::read("2%"), Some(Share(0.02)));
        assert_eq!(Share::read("0.5"), Some(Share(0.5)));
    }

    #[test]
    fn sizes() {
        for (text, low, high) in
            [("40KB", 40_000, 40_000), ("1KiB..2KiB", 1024, 2048), ("12", 12, 12), ("1KB .. 40KB", 1000, 40_000)]
        {
            assert_eq!(SizeSpan::read(text), Some(SizeSpan(low, high)), "{text}");
        }
        assert_eq!(SizeSpan::read("40KB..1KB"), None);
    }

    #[test]
    fn rates() {
        for (text, want) in [("200/s", 200.0), ("12/min", 0.2), ("3.6k/h", 1.0), ("0.5/s", 0.5)] {
            assert_eq!(Rate::read(text), Some(Rate(want)), "{text}");
        }
        for bad in ["200", "200/day", "/s", "many/s"] {
            assert_eq!(Rate::read(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(us in 0u64..10_000_000_000_000, n in 0u64..1 << 50, rate in 1e-6f64..1e9, share in 0.0f64..=1.0) {
            let t = Time(Duration::from_micros(us));
            proptest::prop_assert_eq!(Time::read(&t.write()), Some(t));
            proptest::prop_assert_eq!(Count::read(&Count(n).write()), Some(Count(n)));
            proptest::prop_assert_eq!(Size::read(&Size(n).write()), Some(Size(n)));
            proptest::prop_assert_eq!(SizeSpan::read(&SizeSpan(n / 2, n).write()), Some(SizeSpan(n / 2, n)));
            proptest::prop_assert_eq!(Rate::read(&Rate(rate).write()), Some(Rate(rate)));
            proptest::prop_assert_eq!(Share::read(&Share(share).write()), Some(Share(share)));
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC*") {
            let _ = (Time::read(&text), TimeRange::read(&text), Count::read(&text), SizeSpan::read(&text), Rate::read(&text));
        }
    }
}
