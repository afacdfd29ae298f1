//! A run's values second by second, arranged so that every question about a quantile is one walk from the top.

/// One value of one second, and how often it was seen there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    value: u32,
    second: u32,
    count: u32,
}

/// The values of a run, one sparse histogram a second. Empty seconds count as seconds.
///
/// Values are those of histogram buckets: the lowest value (µs) stands for its bucket, so whatever is said of a
/// quantile is true to the histogram's precision.
#[derive(Clone, Debug, Default)]
pub struct Seconds {
    /// From the highest value to the lowest.
    entries: Vec<Entry>,
    /// How many values each second holds.
    totals: Vec<f64>,
    total: u64,
}

impl Seconds {
    /// From one histogram a second: pairs of (value in µs, count), in any order; pairs with a count of 0 are ignored.
    /// Takes 12 bytes a pair.
    pub fn new<'a>(seconds: impl IntoIterator<Item = &'a [(u32, u32)]>) -> Self {
        let mut all = Self::default();
        for (second, histogram) in seconds.into_iter().enumerate() {
            let second = u32::try_from(second).unwrap_or(u32::MAX);
            let seen = histogram.iter().filter(|(_, count)| *count > 0);
            all.entries.extend(seen.map(|&(value, count)| Entry { value, second, count }));
            let total: u64 = histogram.iter().map(|&(_, count)| u64::from(count)).sum();
            all.totals.push(total as f64);
            all.total += total;
        }
        all.entries.sort_unstable_by(|a, b| b.cmp(a));
        all
    }

    /// The number of seconds, empty ones included.
    pub fn len(&self) -> usize {
        self.totals.len()
    }

    /// Whether there is not one second.
    pub fn is_empty(&self) -> bool {
        self.totals.is_empty()
    }

    /// The number of values in all seconds.
    pub fn samples(&self) -> u64 {
        self.total
    }

    /// The smallest value (µs) that at least the share `p` (0 to 1) of all values do not exceed; `None` without values.
    /// It says nothing about whether there are enough values to carry it: see [`super::samples_needed`].
    pub fn quantile(&self, p: f64) -> Option<u32> {
        let above = self.total - ((p * self.total as f64).ceil() as u64).clamp(u64::from(self.total > 0), self.total);
        let mut seen = 0;
        self.entries.iter().find_map(|entry| {
            seen += u64::from(entry.count);
            (seen > above).then_some(entry.value)
        })
    }

    /// How many values of each second exceed `value`.
    pub(super) fn exceeding(&self, value: u32) -> Vec<f64> {
        let mut counts = vec![0.0; self.len()];
        for entry in self.entries.iter().take_while(|entry| entry.value > value) {
            counts[entry.second as usize] += f64::from(entry.count);
        }
        counts
    }

    /// How many values each second holds.
    pub(super) fn totals(&self) -> &[f64] {
        &self.totals
    }

    /// All distinct values from the highest down, each with the (second, count) pairs that hold it.
    pub(super) fn descending(&self) -> impl Iterator<Item = (u32, impl Iterator<Item = (usize, f64)> + '_)> {
        self.entries
            .chunk_by(|a, b| a.value == b.value)
            .map(|equal| (equal[0].value, equal.iter().map(|entry| (entry.second as usize, f64::from(entry.count)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Seconds {
        Seconds::new([&[(10, 2), (30, 1)][..], &[], &[(20, 1), (30, 4), (40, 0)]])
    }

    #[test]
    fn quantiles_are_those_of_all_values_in_order() {
        // 10 10 20 30 30 30 30 30
        let seconds = three();
        assert_eq!((seconds.len(), seconds.samples()), (3, 8));
        for (p, value) in [(0.0, 10), (0.25, 10), (0.26, 20), (0.375, 20), (0.38, 30), (0.5, 30), (1.0, 30)] {
            assert_eq!(seconds.quantile(p), Some(value), "p {p}");
        }
        assert_eq!(Seconds::default().quantile(0.5), None);
    }

    #[test]
    fn what_exceeds_is_counted_by_second() {
        assert_eq!(three().exceeding(10), [1.0, 0.0, 5.0]);
        assert_eq!(three().exceeding(30), [0.0, 0.0, 0.0]);
        let values: Vec<u32> = three().descending().map(|(value, _)| value).collect();
        assert_eq!(values, [30, 20, 10]);
    }
}
