//! The run as so many columns as a chart can show: neighbouring seconds put together.

use crate::metrics::{Level, Record, Row, Standings};

/// Most columns of a chart.
pub(super) const MOST: usize = 240;

/// The run in columns of equal width.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Columns {
    /// Seconds of real time in each.
    pub(super) width_s: f64,
    /// Where the phones stood before the first.
    pub(super) before: Standings,
    /// In order.
    pub(super) columns: Vec<Column>,
}

/// What happened in one column.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Column {
    /// Seconds it has of the run; the last may have fewer than the others.
    pub(super) seconds: f64,
    /// Starts of the plan.
    pub(super) starts: u64,
    /// Exchanges sent.
    pub(super) sent: u64,
    /// Exchanges that ended, by [`Kind`].
    pub(super) ended: [u64; Kind::ALL.len()],
    /// Most exchanges in flight at once.
    pub(super) in_flight: u64,
    /// Where the phones stood at its end.
    pub(super) standings: Standings,
}

/// How an exchange ended, as the charts tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// 2xx.
    Success,
    /// 401.
    Unauthorized,
    /// 1xx and 3xx.
    Other,
    /// 4xx but 401.
    Client,
    /// 5xx.
    Server,
    /// Below HTTP.
    Failure,
}

impl Kind {
    /// From the bottom of a stack to its top.
    pub(super) const ALL: [Kind; 6] =
        [Kind::Success, Kind::Unauthorized, Kind::Other, Kind::Client, Kind::Server, Kind::Failure];

    /// What it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Kind::Success => "2xx",
            Kind::Unauthorized => "401",
            Kind::Other => "1xx, 3xx",
            Kind::Client => "other 4xx",
            Kind::Server => "5xx",
            Kind::Failure => "failed below HTTP",
        }
    }

    /// Class of its series.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Kind::Success => "k-ok",
            Kind::Unauthorized => "k-401",
            Kind::Other => "k-other",
            Kind::Client => "k-4xx",
            Kind::Server => "k-5xx",
            Kind::Failure => "k-fail",
        }
    }
}

impl Columns {
    /// The run of this record.
    pub(super) fn of(record: &Record) -> Columns {
        let levels: Vec<Level> = record.tally.intervals.levels().collect();
        let width = f64::from(record.tally.intervals.width_s());
        let together = together(levels.len(), MOST);
        let before = levels.first().map_or_else(Standings::default, |level| {
            let (at, change) = (level.standings, level.interval.standings_change);
            Standings {
                off: at.off - change.off,
                booting: at.booting - change.booting,
                provisioned: at.provisioned - change.provisioned,
                prompting: at.prompting - change.prompting,
                failed: at.failed - change.failed,
            }
        });
        // What is counted in the moment the run ends belongs to what came before, not to a second of its own.
        let over = |level: &&Level| level.start_s as f64 > record.wall.as_secs_f64() - width / 20.0;
        let end = levels.last().filter(over).filter(|_| levels.len() > 1);
        let whole = &levels[..levels.len() - usize::from(end.is_some())];
        let mut columns: Vec<Column> = whole.chunks(together).map(|levels| Column::of(levels, width)).collect();
        if let (Some(column), Some(end)) = (columns.last_mut(), end) {
            column.add(end);
        }
        Columns { width_s: width * together as f64, before, columns }
    }

    /// Seconds from the first column's beginning to the last one's end.
    pub(super) fn span_s(&self) -> f64 {
        self.width_s * self.columns.len().max(1) as f64
    }

    /// When a column begins, in seconds since the run did.
    pub(super) fn begins_s(&self, column: usize) -> f64 {
        self.width_s * column as f64
    }

    /// All exchanges of a kind.
    pub(super) fn total(&self, kind: Kind) -> u64 {
        self.columns.iter().map(|column| column.ended[kind as usize]).sum()
    }
}

impl Column {
    fn of(levels: &[Level], width: f64) -> Column {
        let mut column = Column { seconds: width * levels.len() as f64, ..Column::default() };
        levels.iter().for_each(|level| column.add(level));
        column
    }

    fn add(&mut self, level: &Level) {
        let i = &level.interval;
        let [informed, ok, moved, refused, broken] = i.statuses.map(u64::from);
        let unauthorized = u64::from(i.unauthorized);
        self.starts += u64::from(i.starts);
        self.sent += u64::from(i.sent);
        let client = refused.saturating_sub(unauthorized);
        let ended = [ok, unauthorized, informed + moved, client, broken, u64::from(i.failures)];
        self.ended.iter_mut().zip(ended).for_each(|(sum, n)| *sum += n);
        self.in_flight = self.in_flight.max(level.in_flight_peak);
        self.standings = level.standings;
    }

    /// Exchanges of a kind that ended in it, per second.
    pub(super) fn rate(&self, kind: Kind) -> f64 {
        self.ended[kind as usize] as f64 / self.seconds.max(1e-9)
    }

    /// All exchanges that ended in it, per second.
    pub(super) fn rate_of_all(&self) -> f64 {
        self.ended.iter().sum::<u64>() as f64 / self.seconds.max(1e-9)
    }
}

/// How many of `n` neighbours go together so that there are at most `most`: 1, 2, 3, 5, 6, 10 … as clocks divide.
pub(super) fn together(n: usize, most: usize) -> usize {
    const CLOCK: [usize; 16] = [1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60, 120, 300, 600, 1_800, 3_600];
    let least = n.div_ceil(most).max(1);
    CLOCK.into_iter().find(|step| *step >= least).unwrap_or(least)
}

/// The timeline's rows put together to at most so many columns, and the seconds in each.
pub(super) fn rows(record: &Record, most: usize) -> (f64, impl Iterator<Item = &[Row]>) {
    let timeline = &record.timeline;
    let empty = |row: &Row| row.machine.is_none() && row.response.iter().all(|buckets| buckets.count() == 0);
    let over = timeline.rows.len() as f64 * f64::from(timeline.width_s) >= record.wall.as_secs_f64() + 0.95;
    let end = timeline.rows.last().is_some_and(|row| over && empty(row));
    let rows = &timeline.rows[..timeline.rows.len() - usize::from(end)];
    let together = together(rows.len(), most);
    (f64::from(timeline.width_s) * together as f64, rows.chunks(together))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::mass_reboot;

    #[test]
    fn an_hour_becomes_columns_of_fifteen_seconds() {
        let table = [(0, 1), (1, 1), (240, 1), (241, 2), (600, 3), (3_600, 15), (7_200, 30), (86_400, 600)];
        for (n, step) in table {
            assert_eq!(together(n, MOST), step, "{n}");
        }
        assert_eq!(together(1_000_000_000, MOST), 4_166_667);
    }

    #[test]
    fn columns_hold_all_that_was_counted() {
        let record = mass_reboot();
        let columns = Columns::of(&record);
        let e = &record.tally.totals.exchanges;
        let all: u64 = Kind::ALL.into_iter().map(|kind| columns.total(kind)).sum();
        assert_eq!(all, e.answered() + e.failed());
        assert_eq!(columns.total(Kind::Unauthorized), e.statuses[&401]);
        assert_eq!(columns.columns.iter().map(|c| c.sent).sum::<u64>(), e.sent);
        assert_eq!(columns.before.off, 2_000);
        assert_eq!(columns.columns.last().unwrap().standings, record.tally.totals.standings);
    }
}
