//! Units of figures and of what is typed, and which of them go together.

/// The unit of a figure, a number or an expression: powers of its kinds, and how large one of it is.
///
/// Inside, times are microseconds and sizes octets; `one` is how many of these (of their product, in the powers given)
/// one of the unit is. `None` where several units meet: a bare number beside it would mean nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Unit {
    time: i8,
    size: i8,
    /// Counted things: phones, exchanges. They go with pure numbers, only a percentage does not.
    things: i8,
    percent: bool,
    one: Option<f64>,
}

impl Unit {
    /// A count of things.
    pub(crate) const COUNT: Unit = Unit { things: 1, ..Unit::PURE };
    /// A ratio of like things, a share.
    pub(crate) const PURE: Unit = Unit { time: 0, size: 0, things: 0, percent: false, one: Some(1.0) };
    /// Hundredths of the whole.
    const PERCENT: Unit = Unit { percent: true, one: Some(0.01), ..Unit::PURE };
    pub(crate) const MICROSECONDS: Unit = Unit::of_time(1.0);
    pub(crate) const MILLISECONDS: Unit = Unit::of_time(1e3);
    pub(crate) const SECONDS: Unit = Unit::of_time(1e6);
    pub(crate) const BYTES: Unit = Unit::of_size(1.0);

    const fn of_time(one: f64) -> Unit {
        Unit { time: 1, one: Some(one), ..Unit::PURE }
    }

    const fn of_size(one: f64) -> Unit {
        Unit { size: 1, one: Some(one), ..Unit::PURE }
    }

    /// As typed after a number, with the factor that is no unit: `k` and `M` are thousands and millions.
    pub(super) fn typed(word: &str) -> Option<Unit> {
        Some(match word {
            "us" | "µs" | "μs" => Unit::MICROSECONDS,
            "ms" => Unit::MILLISECONDS,
            "s" | "sec" => Unit::SECONDS,
            "m" | "min" => Unit::of_time(60e6),
            "h" => Unit::of_time(3600e6),
            "B" | "byte" | "bytes" => Unit::BYTES,
            "KB" | "kB" => Unit::of_size(1e3),
            "MB" => Unit::of_size(1e6),
            "GB" => Unit::of_size(1e9),
            "KiB" => Unit::of_size(1024.0),
            "MiB" => Unit::of_size(1024.0 * 1024.0),
            "GiB" => Unit::of_size(1024.0 * 1024.0 * 1024.0),
            "%" => Unit::PERCENT,
            _ => return None,
        })
    }

    /// How many of the inner unit one of this is; `None` where several units meet.
    pub(super) const fn one(&self) -> Option<f64> {
        self.one
    }

    pub(super) const fn is_time(&self) -> bool {
        self.time == 1 && self.size == 0
    }

    /// The unit of a sum, a difference, a comparison; `None` if these two do not go together.
    pub(super) fn with(self, other: Unit) -> Option<Unit> {
        let counts = |unit: Unit| unit.things != 0 && unit.time == 0 && unit.size == 0;
        if (self.time, self.size) != (other.time, other.size)
            || (self.percent && counts(other))
            || (other.percent && counts(self))
        {
            return None;
        }
        let one = if self.one == other.one || (self.time, self.size) == (0, 0) { self.one } else { None };
        Some(Unit { one, percent: self.percent && other.percent, ..self }.plain())
    }

    pub(crate) fn times(self, other: Unit) -> Unit {
        Unit {
            time: self.time.saturating_add(other.time),
            size: self.size.saturating_add(other.size),
            things: self.things.saturating_add(other.things),
            percent: false,
            one: self.one.zip(other.one).map(|(a, b)| a * b),
        }
        .plain()
    }

    pub(crate) fn per(self, other: Unit) -> Unit {
        let inverse = Unit {
            time: other.time.saturating_neg(),
            size: other.size.saturating_neg(),
            things: other.things.saturating_neg(),
            percent: false,
            one: other.one.map(|one| 1.0 / one),
        };
        self.times(inverse)
    }

    /// Where neither time nor size is left, one is one.
    fn plain(self) -> Unit {
        let one = if (self.time, self.size, self.percent) == (0, 0, false) { Some(1.0) } else { self.one };
        Unit { one, ..self }
    }

    /// In which a value of this kind is told: this very unit if it has a name, else seconds and octets.
    pub(super) fn shown(self) -> Unit {
        if self.one.is_some() && self.named().is_some() {
            return self;
        }
        let one = 1e6_f64.powi(self.time.into());
        Unit { one: Some(one), percent: false, ..self }
    }

    /// Its name after a number; empty for counts and ratios.
    pub(super) fn name(self) -> String {
        self.named().unwrap_or_else(|| {
            let power = |name: &str, n: i8| match n {
                0 => String::new(),
                1 => name.to_owned(),
                n => format!("{name}^{n}"),
            };
            [power("bytes", self.size), power("s", self.time)]
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join("·")
        })
    }

    fn named(self) -> Option<String> {
        const TIMES: [(f64, &str); 5] = [(1.0, "µs"), (1e3, "ms"), (1e6, "s"), (60e6, "min"), (3600e6, "h")];
        const SIZES: [(f64, &str); 7] = [
            (1.0, "bytes"),
            (1e3, "KB"),
            (1e6, "MB"),
            (1e9, "GB"),
            (1024.0, "KiB"),
            (1024.0 * 1024.0, "MiB"),
            (1024.0 * 1024.0 * 1024.0, "GiB"),
        ];
        let one = self.one?;
        let of = |names: &[(f64, &'static str)], one: f64| names.iter().find(|(n, _)| *n == one).map(|(_, name)| *name);
        // A rate: what one second (or whatever was typed) has of it.
        let per_second = (one * 1e6 - 1.0).abs() < 1e-9;
        match (self.time, self.size) {
            (0, 0) => Some(if self.percent { "%" } else { "" }.to_owned()),
            (1, 0) => of(&TIMES, one).map(str::to_owned),
            (0, 1) => of(&SIZES, one).map(str::to_owned),
            (-1, 0) if per_second => Some("/s".to_owned()),
            (-1, 1) => of(&SIZES, (one * 1e6).round()).map(|size| format!("{size}/s")),
            _ => None,
        }
    }

    /// What it is, for messages: `a time (ms)`.
    pub(super) fn what(self) -> String {
        match (self.time, self.size) {
            (0, 0) if self.percent => "a percentage".to_owned(),
            (0, 0) if self.things != 0 => "a count".to_owned(),
            (0, 0) => "a ratio".to_owned(),
            (1, 0) => "a time".to_owned(),
            (0, 1) => "a size".to_owned(),
            (-1, 0) => "a rate".to_owned(),
            (-1, 1) => "octets per time".to_owned(),
            _ => "of no usual unit".to_owned(),
        }
    }

    /// What to write beside a value of this unit.
    pub(super) fn advice(self) -> &'static str {
        match (self.time, self.size) {
            (0, 0) if self.things != 0 => {
                "write a bare number such as 3 or 20k, or divide by another count to get a share: a / b < 1%"
            }
            (0, 0) => "write a bare number such as 0.02, or a percentage such as 2%",
            (1, 0) => "write a time such as 500ms, 2s or 1m30s",
            (0, 1) => "write a size such as 40KB or 1MiB",
            _ => "write a figure or a number of the same unit",
        }
    }
}
