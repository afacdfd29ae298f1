//! Load taken away: does the server come back?

use serde::{Deserialize, Serialize};

/// A stretch of a run under one load. Rates are per second of phone time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// When it begins: seconds of real time since the run began.
    pub from_s: f64,
    /// When it ends.
    pub to_s: f64,
    /// Operations that ended in it.
    pub finished: u64,
    /// Of these, those that ended `ok`.
    pub succeeded: u64,
    /// `ok` operations per second of phone time.
    pub goodput_per_s: f64,
    /// Exchanges sent per second of phone time: what the phones ask of the server, retries included.
    pub sent_per_s: f64,
    /// Median response time of the operations that ended in it, in milliseconds; `None` if there were none.
    pub response_p50_ms: Option<f64>,
}

/// What became of the server when the load beyond its knee was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recovery {
    /// It did as before: the failures were the load's.
    Overload,
    /// It did not, though the load was gone: retries and work for phones that have gone keep it down.
    MetastableCollapse,
    /// Even before there was hardly any operation to compare with, or the load beyond the knee did no harm.
    CannotTell,
}

impl Recovery {
    /// Afterwards at least this share of the goodput before must be there again.
    pub const GOODPUT: f64 = 0.8;
    /// Afterwards operations may fail by so much more of them than before.
    pub const FAILED: f64 = 0.05;
    /// With more than so many times the goodput before, a slow server is working off its queue.
    pub const MORE: f64 = 1.1;
    /// Fewer operations than this say nothing.
    pub const FEWEST: u64 = 20;

    /// Compares what was before the load with what was after it; `during` tells whether it did any harm at all. `left_off`:
    /// phones left off operations because power returned to them once more. Such count as finished and not as ok, so how
    /// many failed tells nothing then, and the goodput alone decides.
    pub fn of(before: &Stretch, during: &Stretch, after: &Stretch, left_off: bool) -> Recovery {
        if before.succeeded < Recovery::FEWEST {
            return Recovery::CannotTell;
        }
        if !after.is_as_good_as(before, left_off) {
            return Recovery::MetastableCollapse;
        }
        match during.failed() > before.failed() + Recovery::FAILED || is_slower(during, before) {
            true => Recovery::Overload,
            false => Recovery::CannotTell,
        }
    }

    /// The word of files and output.
    pub const fn name(self) -> &'static str {
        match self {
            Recovery::Overload => "overload",
            Recovery::MetastableCollapse => "metastable collapse",
            Recovery::CannotTell => "cannot tell",
        }
    }
}

impl Stretch {
    /// Share of the operations that ended otherwise than `ok`.
    pub fn failed(&self) -> f64 {
        match self.finished {
            0 => 0.0,
            finished => 1.0 - self.succeeded as f64 / finished as f64,
        }
    }

    fn is_as_good_as(&self, before: &Stretch, left_off: bool) -> bool {
        // Who is slow and does more than before is working off what the load has left.
        let works_off = self.goodput_per_s > Recovery::MORE * before.goodput_per_s;
        self.goodput_per_s >= Recovery::GOODPUT * before.goodput_per_s
            && (left_off || self.failed() <= before.failed() + Recovery::FAILED)
            && (works_off || !is_slower(self, before))
    }
}

/// Whether the median is of another kind: ten times as long, and by more than a tenth of a second.
fn is_slower(a: &Stretch, b: &Stretch) -> bool {
    let (Some(a), Some(b)) = (a.response_p50_ms, b.response_p50_ms) else { return false };
    a > 10.0 * b && a > b + 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(finished: u64, succeeded: u64, p50: f64) -> Stretch {
        Stretch {
            finished,
            succeeded,
            goodput_per_s: succeeded as f64 / 10.0,
            response_p50_ms: Some(p50),
            ..Stretch::default()
        }
    }

    #[test]
    fn what_is_bad_without_its_load_has_collapsed() {
        let before = stretch(200, 200, 20.0);
        let jammed = stretch(300, 90, 900.0);
        for (after, want) in [
            (stretch(200, 200, 21.0), Recovery::Overload),
            (stretch(200, 195, 60.0), Recovery::Overload),
            (stretch(170, 168, 30.0), Recovery::Overload),
            (stretch(800, 2, 1_000.0), Recovery::MetastableCollapse),
            (stretch(220, 200, 20.0), Recovery::MetastableCollapse),
            (stretch(100, 100, 20.0), Recovery::MetastableCollapse),
            (stretch(200, 200, 800.0), Recovery::MetastableCollapse),
            (stretch(380, 380, 2_800.0), Recovery::Overload),
            (stretch(0, 0, 0.0), Recovery::MetastableCollapse),
        ] {
            assert_eq!(Recovery::of(&before, &jammed, &after, false), want, "{after:?}");
        }
        // A fifth was left off by the phones themselves: what counts is what went well.
        let left_off = stretch(280, 220, 1_600.0);
        assert_eq!(Recovery::of(&before, &jammed, &left_off, false), Recovery::MetastableCollapse);
        assert_eq!(Recovery::of(&before, &jammed, &stretch(280, 225, 1_600.0), true), Recovery::Overload);
        assert_eq!(Recovery::of(&before, &jammed, &stretch(280, 20, 1_600.0), true), Recovery::MetastableCollapse);
        assert_eq!(
            Recovery::of(&before, &stretch(400, 400, 25.0), &before, false),
            Recovery::CannotTell,
            "no harm was done"
        );
        assert_eq!(Recovery::of(&stretch(9, 9, 1.0), &jammed, &before, false), Recovery::CannotTell);
    }
}
