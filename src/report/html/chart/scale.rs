//! Scales: where a value lies on an axis, and which values an axis names.

/// Where a value lies between the two ends of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::report::html) enum Scale {
    /// Evenly, from 0 to this.
    Linear(f64),
    /// By powers of ten, between these two (above 0).
    Log(f64, f64),
    /// Shares below 1 by how many nines they have, up to so many: 0 %, 90 %, 99 %, 99.9 %, …
    Nines(f64),
}

/// Seconds between the ticks of a time axis.
const TIME_STEPS: [f64; 22] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0,
    10_800.0, 21_600.0, 43_200.0, 86_400.0, 604_800.0,
];

impl Scale {
    /// From 0 to at least this, and a round number.
    pub(in crate::report::html) fn linear(most: f64) -> Scale {
        let step = nice_step(most, 4);
        Scale::Linear(((most / step).ceil() * step).max(step))
    }

    /// From one 1, 2 or 5 with zeroes to another, so that both values are within.
    pub(in crate::report::html) fn log(least: f64, most: f64) -> Scale {
        let (least, most) = (least.max(1e-9), most.max(least).max(1e-9));
        let mut from = 10_f64.powf(least.log10().floor());
        from = [5.0, 2.0].into_iter().map(|n| n * from).find(|n| *n <= least * 1.000_001).unwrap_or(from);
        let mut to = 10_f64.powf(most.log10().floor());
        to = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * to).find(|n| *n >= most * 0.999_999).unwrap_or(to * 10.0);
        if to <= from * 1.5 {
            (from, to) = (from / 2.0, from * 2.0);
        }
        Scale::Log(from, to)
    }

    /// Up to this share, at least to 99 %.
    pub(in crate::report::html) fn nines(most: f64) -> Scale {
        Scale::Nines(nines(most).max(2.0))
    }

    /// Where the value lies: 0 at one end, 1 at the other; never beyond.
    pub(in crate::report::html) fn at(self, value: f64) -> f64 {
        let at = match self {
            Scale::Linear(most) => value / most,
            Scale::Log(from, to) => (value.max(1e-12) / from).ln() / (to / from).ln(),
            Scale::Nines(most) => nines(value) / most,
        };
        if at.is_finite() { at.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The values to name: about so many at most, all of them round.
    pub(in crate::report::html) fn ticks(self, about: usize) -> Vec<f64> {
        match self {
            Scale::Linear(most) => steps(most, nice_step(most, about)),
            Scale::Log(from, to) => log_ticks(from, to, about),
            Scale::Nines(most) => {
                let shares = [0.0, 0.5, 0.9, 0.99, 0.999, 0.999_9, 0.999_99, 0.999_999];
                shares.into_iter().filter(|share| nines(*share) <= most + 1e-9).collect()
            }
        }
    }
}

/// Moments to name on an axis of so many seconds: at most about so many, at times people use.
pub(in crate::report::html) fn time_ticks(seconds: f64, about: usize) -> Vec<f64> {
    let fits = |step: &&f64| seconds / **step <= about as f64;
    let step = TIME_STEPS.iter().find(fits).copied().unwrap_or(seconds / about.max(1) as f64);
    steps(seconds, step)
}

/// A moment of an axis of so many seconds: `12 s`, `3 min`, `2:30`, `4 h`.
pub(in crate::report::html) fn time_label(at: f64, axis: f64) -> String {
    let whole = at.round() as u64;
    match () {
        () if at == 0.0 => "0".to_owned(),
        () if axis < 120.0 && at.fract() == 0.0 => format!("{at:.0} s"),
        () if axis < 120.0 => format!("{at:.1} s"),
        () if axis < 7_200.0 && whole.is_multiple_of(60) => format!("{} min", whole / 60),
        () if axis < 7_200.0 => format!("{}:{:02}", whole / 60, whole % 60),
        () if whole.is_multiple_of(3_600) => format!("{} h", whole / 3_600),
        () => format!("{}:{:02} h", whole / 3_600, whole / 60 % 60),
    }
}

/// A duration of this many microseconds, in few characters: `50 µs`, `2 ms`, `10 s`, `5 min`.
pub(in crate::report::html) fn duration_label(us: f64) -> String {
    let (n, unit) = match us {
        us if us < 1e3 => (us, "µs"),
        us if us < 1e6 => (us / 1e3, "ms"),
        us if us < 1e9 => (us / 1e6, "s"),
        us => (us / 60e6, "min"),
    };
    // Three digits are what a histogram has.
    let n = match n {
        n if n < 9.995 => format!("{n:.2}"),
        n if n < 99.95 => format!("{n:.1}"),
        n => return format!("{n:.0} {unit}"),
    };
    format!("{} {unit}", n.trim_end_matches('0').trim_end_matches('.'))
}

/// How many nines a share has: 0.9 → 1, 0.99 → 2, 0 → 0.
fn nines(share: f64) -> f64 {
    -(1.0 - share.clamp(0.0, 0.999_999_9)).log10()
}

/// 1, 2 or 5 with zeroes, so that `about` steps or fewer reach `most`.
fn nice_step(most: f64, about: usize) -> f64 {
    if !most.is_finite() || most <= 0.0 {
        return 1.0;
    }
    let least = most / about.max(1) as f64;
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= least * 0.999_999);
    step.unwrap_or(power * 10.0)
}

fn steps(most: f64, step: f64) -> Vec<f64> {
    let last = (most / step + 1e-6).floor() as u32;
    (0..=last.min(1_000)).map(|n| f64::from(n) * step).collect()
}

fn log_ticks(from: f64, to: f64, about: usize) -> Vec<f64> {
    let (first, last) = (from.log10().floor() as i32, to.log10().ceil() as i32);
    let within = |value: &f64| *value >= from * 0.999_999 && *value <= to * 1.000_001;
    let of = |digits: &'static [f64], every: i32| -> Vec<f64> {
        let decades = (first..=last).filter(|n| n.rem_euclid(every) == 0);
        decades.flat_map(|n| digits.iter().map(move |d| d * 10_f64.powi(n))).filter(within).collect()
    };
    const FINE: &[f64] = &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    [(FINE, 1), (&[1.0, 2.0, 5.0][..], 1), (&[1.0][..], 1), (&[1.0][..], 2), (&[1.0][..], 3)]
        .into_iter()
        .map(|(digits, every)| of(digits, every))
        .find(|ticks| ticks.len() <= about.max(2))
        .unwrap_or_else(|| vec![from, to])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_axes_end_at_round_numbers_and_name_them() {
        for (most, end, ticks) in [
            (0.0, 1.0, vec![0.0, 0.5, 1.0]),
            (7.0, 8.0, vec![0.0, 2.0, 4.0, 6.0, 8.0]),
            (1_990.0, 2_000.0, vec![0.0, 500.0, 1_000.0, 1_500.0, 2_000.0]),
            (0.3, 0.3, vec![0.0, 0.1, 0.2, 0.3]),
        ] {
            let scale = Scale::linear(most);
            let Scale::Linear(to) = scale else { panic!() };
            assert!((to - end).abs() < 1e-9, "{most}: {to}");
            let told = scale.ticks(4);
            assert!(
                told.len() == ticks.len() && told.iter().zip(&ticks).all(|(a, b)| (a - b).abs() < 1e-9),
                "{told:?}"
            );
        }
    }

    #[test]
    fn log_axes_hold_both_ends() {
        for (least, most) in [(1.0, 1.0), (120.0, 130.0), (7.0, 4.2e6), (1e3, 1e4), (3.0, 3.0e9)] {
            let scale = Scale::log(least, most);
            let Scale::Log(from, to) = scale else { panic!() };
            assert!(from <= least && to >= most && to > from, "{least} {most}: {scale:?}");
            let ticks = scale.ticks(6);
            assert!(ticks.len() >= 2 && ticks.len() <= 6, "{least} {most}: {ticks:?}");
            assert!(ticks.iter().all(|t| (0.0..=1.0).contains(&scale.at(*t))));
        }
    }

    #[test]
    fn nines_are_evenly_apart() {
        let scale = Scale::nines(0.999);
        let at: Vec<_> = scale.ticks(9).into_iter().map(|q| (scale.at(q) * 1000.0).round()).collect();
        assert_eq!(at, [0.0, 100.0, 333.0, 667.0, 1000.0]);
    }

    #[test]
    fn moments_are_those_people_name() {
        for (seconds, labels) in [
            (0.8, "0 0.2 s 0.4 s 0.6 s 0.8 s"),
            (9.0, "0 2 s 4 s 6 s 8 s"),
            (24.0, "0 5 s 10 s 15 s 20 s"),
            (100.0, "0 30 s 60 s 90 s"),
            (150.0, "0 0:30 1 min 1:30 2 min 2:30"),
            (3_600.0, "0 15 min 30 min 45 min 60 min"),
            (9_000.0, "0 0:30 h 1 h 1:30 h 2 h 2:30 h"),
            (86_400.0, "0 6 h 12 h 18 h 24 h"),
        ] {
            let told: Vec<_> = time_ticks(seconds, 5).into_iter().map(|at| time_label(at, seconds)).collect();
            assert_eq!(told.join(" "), labels, "{seconds}");
        }
    }

    #[test]
    fn durations_are_short() {
        let told = [1.0, 50.0, 1e3, 2.5e3, 15_012.0, 234_567.0, 1e6, 6e7, 3.6e9].map(duration_label);
        assert_eq!(told, ["1 µs", "50 µs", "1 ms", "2.5 ms", "15 ms", "235 ms", "1 s", "60 s", "60 min"]);
    }
}
