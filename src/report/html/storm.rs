//! How the phones came back, or where they stood: the storm's curve, and the exchanges in flight under it.

use super::chart::{
    Chart, End, Flag, Scale, area, axis, duration_label, ends, flags, hover, legend, line, time_axis, time_label,
};
use super::columns::Column;
use super::markup::Markup;
use super::table::{Cell, behind};
use super::{Run, facts, lead, nothing};
use crate::metrics::Standings;
use crate::report::number::{count, figure, seconds, value};

/// A line of the curve.
struct Line {
    class: &'static str,
    name: &'static str,
    of: fn(&Standings) -> i64,
}

/// The lines, in the order they are drawn: the most important last, over the others.
const LINES: [Line; 4] = [
    Line { class: "s-power", name: "with power", of: |s| s.booting + s.provisioned + s.prompting + s.failed },
    Line { class: "s-failed", name: "failed", of: |s| s.failed },
    Line { class: "s-prompting", name: "prompting", of: |s| s.prompting },
    Line { class: "s-provisioned", name: "provisioned", of: |s| s.provisioned },
];

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let (s, storm) = (run.summary, &run.summary.storm);
    if run.columns.columns.is_empty() {
        return nothing(m, "Nothing was counted second by second.");
    }
    if storm.phones == 0 {
        lead(m, "The plan returns power to no phone, so there was no storm. This is where the phones stood.");
    } else {
        let phones = count(storm.phones);
        lead(m, &format!("Power returns to {phones} phones. Times count from its first intended return."));
        milestones(m, run);
    }
    curve(m, run);
    in_flight(m, run);
    let rows: Vec<_> = run.columns.columns.iter().enumerate().map(|(i, column)| row(run, i, column)).collect();
    let columns = [
        "from",
        "#starts",
        "#with power",
        "#provisioned",
        "#prompting",
        "#failed",
        "#exchanges sent",
        "#in flight, most",
    ];
    behind(m, &format!("Phones every {}", duration_label(run.columns.width_s * 1e6)), &columns, &rows);
    if s.compression != 1.0 {
        let note = format!("The axis is the run's own time: one second is {} s of the phones'.", value(s.compression));
        m.leaf("p", &[("class", "note")], &note);
    }
}

fn milestones(m: &mut Markup, run: &Run) {
    let s = &run.summary.storm;
    let reached = |at: Option<f64>| if at.is_some() { seconds(at) } else { "never".to_owned() };
    let drain = s.drain_s.map(|at| ("drain (until the last)", seconds(Some(at))));
    let times = s.amplification.map(|times| ("amplification", format!("{} ×", figure(Some(times)))));
    let shares = [
        ("50 % provisioned", reached(s.provisioned_50_s)),
        ("95 % provisioned", reached(s.provisioned_95_s)),
        ("100 % provisioned", reached(s.provisioned_100_s)),
    ];
    let peak = ("in flight at most", count(s.peak_in_flight));
    facts(m, shares.into_iter().chain(drain).chain([peak]).chain(times));
}

/// Starts of the plan by the end of each column, if each is a phone's power-up and nothing else.
fn intended(run: &Run) -> Option<Vec<u64>> {
    let mut sum = 0;
    let curve: Vec<u64> = run
        .columns
        .columns
        .iter()
        .map(|column| {
            sum += column.starts;
            sum
        })
        .collect();
    (sum > 0 && sum == run.summary.storm.phones).then_some(curve)
}

fn curve(m: &mut Markup, run: &Run) {
    let columns = &run.columns;
    let (n, all) = (columns.columns.len() as f64, run.summary.phones.total);
    let y = Scale::linear(all as f64);
    let intended = intended(run);
    let series: Vec<_> = LINES.iter().filter(|l| columns.columns.iter().any(|c| (l.of)(&c.standings) > 0)).collect();
    let before = before(run);
    let points = |of: fn(&Standings) -> i64| -> Vec<(f64, f64)> {
        let standings = std::iter::once(&before).chain(columns.columns.iter().map(|c| &c.standings));
        standings.enumerate().map(|(i, s)| (i as f64 / n, y.at(of(s).max(0) as f64))).collect()
    };
    let last = |line: &Line| columns.columns.last().map_or(0, |c| (line.of)(&c.standings).max(0) as u64);
    let mut names: Vec<(&str, &str)> = series.iter().map(|l| (l.class, l.name)).collect();
    let mut end: Vec<End> = series
        .iter()
        .map(|l| End { class: l.class, at: y.at(last(l) as f64), name: format!("{} {}", l.name, count(last(l))) })
        .collect();
    if let Some(curve) = &intended {
        names.insert(0, ("s-intended", "intended"));
        end.insert(0, End { class: "s-intended", at: y.at(last_of(curve) as f64), name: "intended".to_owned() });
    }
    let moments = moments(run);
    legend(m, "narrow", &names);
    let spoken = format!(
        "At the end {} of {} phones are provisioned and {} stand before a prompt.",
        count(run.summary.phones.provisioned),
        count(all),
        count(run.summary.phones.prompting)
    );
    let chart = Chart {
        id: "curve",
        class: match moments.len() {
            0 => "ends",
            _ => "ends flagged",
        },
        title: "Phones by where they stand, over time",
        description: &spoken,
        height: 280.0,
        x: time_axis(columns.span_s()),
        y: axis(y, 4, |n| count(n as u64)),
        unit: "phones",
    };
    chart.draw(
        m,
        |m, height| {
            if let Some(l) = series.iter().find(|l| l.class == "s-provisioned") {
                area(m, height, l.class, &points(l.of));
            }
            series.iter().for_each(|l| line(m, height, l.class, &points(l.of)));
            if let Some(curve) = &intended {
                let starts = std::iter::once(0).chain(curve.iter().copied());
                let points: Vec<_> = starts.enumerate().map(|(i, sum)| (i as f64 / n, y.at(sum as f64))).collect();
                line(m, height, "s-intended", &points);
            }
        },
        |m, height| {
            flags(m, height, "moment", 1, &moments);
            ends(m, height, &end);
            hover(m, height, columns.columns.len(), |i| read_out(run, i));
        },
    );
}

/// Where the phones stood when the run began. Those to which the plan returns no power were up before: the recorder
/// hears of them in the first moment, which is no rise.
fn before(run: &Run) -> Standings {
    let mut before = run.columns.before;
    let on = run.summary.phones.total.saturating_sub(run.summary.storm.phones) as i64;
    let soon = run.columns.columns.first().map_or(0, |c| c.standings.provisioned);
    if before.off >= on && soon >= on {
        before.off -= on;
        before.provisioned += on;
    }
    before
}

fn last_of(curve: &[u64]) -> u64 {
    curve.last().copied().unwrap_or(0)
}

/// When 50, 95 and 100 % of the storm's phones were provisioned.
fn moments(run: &Run) -> Vec<Flag> {
    let Some(start) = run.record.tally.totals.provisioning.start() else { return Vec::new() };
    let s = &run.summary.storm;
    [("50 %", s.provisioned_50_s), ("95 %", s.provisioned_95_s), ("100 %", s.provisioned_100_s)]
        .into_iter()
        .filter_map(|(share, at)| Some((share, at?)))
        .map(|(share, at)| Flag {
            at: ((start.as_secs_f64() + at) / run.columns.span_s()).min(1.0),
            name: format!("{share} after {}", seconds(Some(at))),
        })
        .collect()
}

fn in_flight(m: &mut Markup, run: &Run) {
    let columns = &run.columns.columns;
    let most = columns.iter().map(|c| c.in_flight).max().unwrap_or(0);
    if most == 0 {
        return;
    }
    let y = Scale::linear(most as f64);
    let spoken = format!("At most {} exchanges were in flight at once.", count(most));
    let chart = Chart {
        id: "in-flight",
        class: "ends low",
        title: "Exchanges in flight, the most at once in each column",
        description: &spoken,
        height: 90.0,
        x: time_axis(run.columns.span_s()),
        y: axis(y, 2, |n| count(n as u64)),
        unit: "in flight",
    };
    let wide = 1.0 / columns.len() as f64;
    let steps: Vec<_> = columns
        .iter()
        .enumerate()
        .flat_map(|(i, c)| [0.0, 1.0].map(|side| ((i as f64 + side) * wide, y.at(c.in_flight as f64))))
        .collect();
    chart.draw(
        m,
        |m, height| {
            area(m, height, "s-flight", &steps);
            line(m, height, "s-flight", &steps);
        },
        |m, height| {
            let name = format!("at most {}", count(most));
            ends(m, height, &[End { class: "s-flight", at: y.at(most as f64), name }]);
            hover(m, height, columns.len(), |i| read_out(run, i));
        },
    );
}

fn read_out(run: &Run, i: usize) -> String {
    let column = &run.columns.columns[i];
    let s = &column.standings;
    format!(
        "{}: {} provisioned, {} booting, {} prompting, {} failed, {} off; at most {} in flight",
        moment(run, i),
        count(s.provisioned.max(0) as u64),
        count(s.booting.max(0) as u64),
        count(s.prompting.max(0) as u64),
        count(s.failed.max(0) as u64),
        count(s.off.max(0) as u64),
        count(column.in_flight)
    )
}

/// When a column begins and ends.
pub(super) fn moment(run: &Run, i: usize) -> String {
    let (from, span) = (run.columns.begins_s(i), run.columns.span_s());
    format!("{} to {}", time_label(from, span), time_label(from + run.columns.width_s, span))
}

fn row(run: &Run, i: usize, column: &Column) -> Vec<Cell> {
    let s = &column.standings;
    let counts = [
        column.starts as i64,
        (LINES[0].of)(s),
        s.provisioned,
        s.prompting,
        s.failed,
        column.sent as i64,
        column.in_flight as i64,
    ];
    let from = time_label(run.columns.begins_s(i), run.columns.span_s());
    std::iter::once(Cell::head(from)).chain(counts.map(|n| Cell::number(count(n.max(0) as u64)))).collect()
}
