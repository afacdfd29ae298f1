//! Rows of p50, p90 and p99 side by side on one logarithmic axis.

use super::super::markup::Markup;
use super::{Chart, Scale, axis, duration_label, percent, px};

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report::html) struct Range {
    /// What it is of.
    pub(in crate::report::html) name: String,
    /// Class of the series.
    pub(in crate::report::html) class: &'static str,
    /// Median, in microseconds; unknown: too few samples.
    pub(in crate::report::html) p50: Option<f64>,
    /// 90 % lie below.
    pub(in crate::report::html) p90: Option<f64>,
    /// 99 % lie below.
    pub(in crate::report::html) p99: Option<f64>,
    /// What the pointer reads.
    pub(in crate::report::html) words: String,
}

/// Height of a row, in pixels.
const ROW: f64 = 30.0;

/// Draws the rows from the top down: a bar to the median, then p90 and p99. Values below the axis lie at its beginning.
pub(in crate::report::html) fn ranges(m: &mut Markup, id: &str, title: &str, description: &str, rows: &[Range]) {
    let values = || rows.iter().flat_map(|r| [r.p50, r.p90, r.p99]).flatten().filter(|us| *us > 0.0);
    let least = values().fold(f64::INFINITY, f64::min);
    let most = values().fold(0.0, f64::max);
    if most == 0.0 {
        return;
    }
    // At least a decade, and no more than is needed to see the small ones beside the large.
    let x = Scale::log((least / 1.5).min(most / 10.0).max(most / 1e6), most);
    let chart = Chart {
        id,
        class: "named",
        title,
        description,
        height: ROW * rows.len() as f64,
        x: axis(x, 6, duration_label),
        y: Vec::new(),
        unit: "",
    };
    let lines = chart.x.iter().map(|tick| percent(tick.at)).collect::<Vec<_>>();
    chart.draw(
        m,
        |_, _| {},
        |m, height| {
            for at in &lines {
                m.empty("line", &[("class", "grid"), ("x1", at), ("x2", at), ("y1", "0"), ("y2", &px(height))]);
            }
            for (i, row) in rows.iter().enumerate() {
                draw(m, x, (i as f64 + 0.5) * ROW, row);
            }
        },
    );
}

fn draw(m: &mut Markup, x: Scale, y: f64, row: &Range) {
    let cy = px(y);
    m.within("g", &[("class", &format!("range {}", row.class))], |m| {
        m.leaf("title", &[], &row.words);
        m.leaf("text", &[("class", "y"), ("x", "0"), ("dx", "-10"), ("y", &cy), ("dy", ".32em")], &row.name);
        let place = |value: Option<f64>| value.map(|us| percent(x.at(us)));
        let (p50, p90, p99) = (place(row.p50), place(row.p90), place(row.p99));
        if let Some(p50) = &p50 {
            let y = px(y - 5.0);
            m.empty("rect", &[("class", "bar"), ("x", "0"), ("width", p50), ("y", &y), ("height", "10")]);
        }
        if let (Some(from), Some(to)) = (&p50, p99.as_ref().or(p90.as_ref())) {
            m.empty("line", &[("class", "reach"), ("x1", from), ("x2", to), ("y1", &cy), ("y2", &cy)]);
        }
        if row.p99.or(row.p90).or(row.p50) == Some(0.0) {
            m.leaf("text", &[("class", "zero"), ("x", "0"), ("dx", "6"), ("y", &cy), ("dy", ".32em")], "0");
            return;
        }
        for (at, class, r) in [(&p50, "p50", "5"), (&p90, "p90", "4.5"), (&p99, "p99", "4.5")] {
            if let Some(at) = at {
                m.empty("circle", &[("class", class), ("cx", at), ("cy", &cy), ("r", r)]);
            }
        }
    });
}
