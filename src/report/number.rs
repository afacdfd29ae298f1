//! Numbers as a person reads them. What is not known is a dash, never a zero.

use bytesize::ByteSize;

/// What stands for a figure that is not known.
pub(crate) const UNKNOWN: &str = "–";

/// A count with its thousands apart: `12,345`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits, as the histograms have them: `0.412`, `4.12`, `41.2`, `412`, `4,120`.
pub(crate) fn figure(value: Option<f64>) -> String {
    match value {
        None => UNKNOWN.to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(v) if v < 0.999_5 => format!("{v:.3}"),
        Some(v) if v < 9.995 => format!("{v:.2}"),
        Some(v) if v < 99.95 => format!("{v:.1}"),
        Some(v) => count(v.round() as u64),
    }
}

/// A value of any kind: whole numbers as counts, others with three digits.
pub(crate) fn value(value: f64) -> String {
    if value >= 0.0 && value.fract() == 0.0 { count(value as u64) } else { figure(Some(value)) }
}

/// A unit as it stands behind a value: apart from it, and nothing if there is none.
pub(crate) fn unit(unit: &str) -> String {
    if unit.is_empty() || unit.starts_with('/') { unit.to_owned() } else { format!(" {unit}") }
}

/// A moment of a run, in seconds since it began: `00:00:42.5`.
pub(crate) fn moment(seconds: f64) -> String {
    let tenths = (seconds.max(0.0) * 10.0) as u64;
    let (seconds, tenths) = (tenths / 10, tenths % 10);
    format!("{:02}:{:02}:{:02}.{tenths}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Seconds: `0.412 s`, `41.2 s`, and from two minutes on `12 min 34 s`, `3 h 05 min`.
pub(crate) fn seconds(value: Option<f64>) -> String {
    match value {
        Some(s) if s >= 7200.0 => format!("{} h {:02} min", (s / 3600.0) as u64, (s / 60.0) as u64 % 60),
        Some(s) if s >= 120.0 => format!("{} min {:02} s", (s / 60.0) as u64, s as u64 % 60),
        Some(s) => format!("{} s", figure(Some(s))),
        None => UNKNOWN.to_owned(),
    }
}

/// Octets: `61.3 MB`.
pub(crate) fn bytes(n: u64) -> String {
    ByteSize::b(n).display().si().to_string()
}

/// A share of one in percent: `41 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_a_run() {
        let table = [(0.0, "00:00:00.0"), (42.5, "00:00:42.5"), (3_725.99, "01:02:05.9"), (400_000.0, "111:06:40.0")];
        for (seconds, words) in table {
            assert_eq!(moment(seconds), words);
        }
    }

    #[test]
    fn numbers_as_people_read_them() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")] {
            assert_eq!(count(n), text);
        }
        let table = [
            (None, "–"),
            (Some(0.0), "0"),
            (Some(0.0004), "0.000"),
            (Some(0.412), "0.412"),
            (Some(0.9996), "1.00"),
            (Some(4.126), "4.13"),
            (Some(9.996), "10.0"),
            (Some(41.23), "41.2"),
            (Some(99.96), "100"),
            (Some(4_126.4), "4,126"),
        ];
        for (value, text) in table {
            assert_eq!(figure(value), text);
        }
        let table = [
            (None, "–"),
            (Some(0.25), "0.250 s"),
            (Some(119.0), "119 s"),
            (Some(754.9), "12 min 34 s"),
            (Some(11_100.0), "3 h 05 min"),
        ];
        for (value, text) in table {
            assert_eq!(seconds(value), text);
        }
        assert_eq!((value(10.0), value(1_000.0), value(0.0257)), ("10".into(), "1,000".into(), "0.026".into()));
        assert_eq!(bytes(61_341_696), "61.3 MB");
        assert_eq!(percent(0.4137), "41 %");
    }
}
