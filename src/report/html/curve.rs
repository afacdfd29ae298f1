//! The curve of a search for capacity: load by load, what the thresholds ask for, response time, failures, throughput.

use super::chart::{Chart, End, Flag, Scale, Tick, axis, ends, flags, line, percent, px};
use super::markup::Markup;
use super::table::{Cell, table};
use super::{lead, nothing};
use crate::capacity::{Found, Harder, Knee};
use crate::report::capacity::{Document, Point, failed_share, thresholds};
use crate::report::compare::median;
use crate::report::number::{figure, seconds, unit, value};

/// So many thresholds have a chart of their own.
const GOALS: usize = 3;
/// From this ratio of the largest to the smallest time on, an axis goes by powers of ten.
const WIDE: f64 = 20.0;

/// One chart: what it shows, and a value for each load that has one.
struct Series {
    id: String,
    class: &'static str,
    name: String,
    unit: String,
    /// Load, value, and whether the load met the thresholds.
    points: Vec<(f64, f64, bool)>,
    /// What a threshold allows.
    limit: Option<f64>,
}

/// The section.
pub(super) fn write(m: &mut Markup, d: &Document) {
    if d.curve.is_empty() {
        return nothing(m, "No probe was made.");
    }
    let words = "Each dot is a load: the median of its probes that count. Full dots met the thresholds, hollow ones missed \
                 one. The shaded strip is where the knee lies.";
    lead(m, words);
    let series: Vec<Series> = goals(d).into_iter().chain(usual(d)).collect();
    m.within("div", &[("class", "panels")], |m| {
        for series in &series {
            m.within("figure", &[], |m| {
                m.leaf("figcaption", &[], &series.name);
                chart(m, d, series);
            });
        }
    });
    if !series.iter().any(|series| series.id == "failed") {
        m.leaf("p", &[("class", "note")], "At no load did an operation fail by the load's fault.");
    }
    loads(m, d);
}

/// What the thresholds ask for, where it changes with the load: each with its limit.
fn goals(d: &Document) -> Vec<Series> {
    let told = |n: usize, text: &String| {
        let mut of = None;
        let at = |point: &Point| {
            let probes = d.probes.iter().filter(|probe| probe.load == point.load && probe.counts());
            let checked = probes.filter_map(|p| p.figures.as_ref()?.thresholds.iter().find(|t| t.text == *text));
            let mut values: Vec<f64> =
                checked.inspect(|t| of = Some((t.limit, &t.unit))).filter_map(|t| t.value).collect();
            values.sort_by(f64::total_cmp);
            Some((point.load, median(&values)?, point.is_met() == Some(true)))
        };
        let points: Vec<_> = d.curve.iter().filter_map(at).collect();
        let (limit, told) = of?;
        let changes = points.iter().any(|point| Some(point.1) != points.first().map(|first| first.1));
        let (id, unit) = (format!("goal-{n}"), told.clone());
        changes.then(|| Series { id, class: "s-response", name: text.clone(), unit, points, limit })
    };
    d.thresholds.iter().enumerate().filter_map(|(n, text)| told(n, text)).take(GOALS).collect()
}

/// What any server is told by.
fn usual(d: &Document) -> Vec<Series> {
    let series = |id: &str, class, name: &str, unit: &str, of: fn(&Point) -> Option<f64>| {
        let point = |point: &Point| Some((point.load, of(point)?, point.is_met() == Some(true)));
        let points: Vec<_> = d.curve.iter().filter_map(point).collect();
        Series { id: id.to_owned(), class, name: name.to_owned(), unit: unit.to_owned(), points, limit: None }
    };
    let all = [
        series("p99", "s-response", "Response time, 99 % of the operations took less", "ms", |p| p.response_p99_ms),
        series("p50", "s-response", "Response time, half of the operations took less", "ms", |p| p.response_p50_ms),
        series("failed", "s-failed", "Operations that failed", "%", |p| Some(p.failed_share? * 100.0)),
        series("throughput", "s-provisioned", "ok operations per second", "per s", |p| p.throughput_per_s),
        series("drain", "s-flight", "Drain: until the last phone is provisioned", "s", |p| p.drain_s),
    ];
    // Where there is a p99 it says more, unless a threshold has said it already.
    let has_p99 = all[0].points.len() > 1;
    let asked = |quantile: &str| d.thresholds.iter().any(|text| text.contains(&format!("response_ms.{quantile}")));
    let told = |series: &Series| match series.id.as_str() {
        "p99" => has_p99 && !asked("p99"),
        "p50" => !has_p99 && !asked("p50"),
        "failed" => series.points.iter().any(|point| point.1 > 0.0),
        _ => !series.points.is_empty(),
    };
    all.into_iter().filter(told).collect()
}

fn chart(m: &mut Markup, d: &Document, series: &Series) {
    let loads = || d.curve.iter().map(|point| point.load);
    let (least, most) = (loads().fold(f64::INFINITY, f64::min), loads().fold(0.0, f64::max));
    let is_mirrored = d.sought.harder == Harder::Smaller;
    let x = Scale::log(least, most);
    let at = |load: f64| if is_mirrored { 1.0 - x.at(load) } else { x.at(load) };
    let values = || series.points.iter().map(|point| point.1).chain(series.limit);
    let (bottom, top) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let is_time = ["ms", "s", "µs"].contains(&series.unit.as_str());
    let is_wide = is_time && bottom > 0.0 && top > WIDE * bottom;
    let y = if is_wide { Scale::log(bottom, top) } else { Scale::linear(top) };
    let mut ticks: Vec<Tick> = x.ticks(5).into_iter().map(|load| Tick { at: at(load), label: d.told(load) }).collect();
    ticks.sort_by(|a, b| a.at.total_cmp(&b.at));
    let with_unit = |value: f64| format!("{}{}", figure(Some(value)), unit(&series.unit));
    let spoken: Vec<_> =
        series.points.iter().map(|(load, value, _)| format!("{} at {}", with_unit(*value), d.told(*load))).collect();
    let knee = match &d.found {
        Some(Found::Knee(knee)) => Some(knee),
        _ => None,
    };
    let chart = Chart {
        id: &series.id,
        class: if knee.is_some() { "few phased-1" } else { "few low" },
        title: &series.name,
        description: &format!("{}.", spoken.join(", ")),
        height: 190.0,
        x: ticks,
        y: axis(y, 4, value),
        unit: &series.unit,
    };
    let placed: Vec<(f64, f64)> = series.points.iter().map(|(load, value, _)| (at(*load), y.at(*value))).collect();
    chart.draw(
        m,
        |m, height| line(m, height, series.class, &placed),
        |m, height| {
            knee.iter().for_each(|knee| mark(m, height, d, knee, at));
            if let Some(limit) = series.limit {
                let (up, name) = (y.at(limit), with_unit(limit));
                let height_at = px((1.0 - up) * height);
                let ends_at = [("x1", "0"), ("x2", "100%"), ("y1", &height_at), ("y2", &height_at)];
                m.empty("line", &[&[("class", "flag limit")][..], &ends_at].concat());
                ends(m, height, &[End { class: "s-limit", at: up, name }]);
            }
            m.within("g", &[("class", &format!("dots {}", series.class))], |m| {
                for ((load, value, is_met), (x, up)) in series.points.iter().zip(&placed) {
                    let (cx, cy) = (percent(*x), px((1.0 - up) * height));
                    let class = if *is_met { "met" } else { "missed" };
                    m.within("circle", &[("class", class), ("cx", &cx), ("cy", &cy), ("r", "4.5")], |m| {
                        m.leaf("title", &[], &format!("{}: {}", d.told(*load), with_unit(*value)));
                    });
                }
            });
        },
    );
}

/// The knee, and the strip in which it lies.
fn mark(m: &mut Markup, height: f64, d: &Document, knee: &Knee, at: impl Fn(f64) -> f64) {
    let (from, to) = (at(knee.low).min(at(knee.high)), at(knee.low).max(at(knee.high)));
    let (x, wide, high) = (percent(from), percent(to - from), px(height));
    m.empty("rect", &[("class", "band"), ("x", &x), ("y", "0"), ("width", &wide), ("height", &high)]);
    let name = format!("knee {}", d.told(knee.value));
    flags(m, height, "phase", 0, &[Flag { at: at(knee.value), name }]);
}

/// The same as a table.
fn loads(m: &mut Markup, d: &Document) {
    let of_storm = d.curve.iter().any(|point| point.drain_s.is_some());
    let columns = ["load", "thresholds", "#p50, ms", "#p99, ms", "#failed", "#ok per s", "#drain"];
    let columns = if of_storm { &columns[..] } else { &columns[..6] };
    let row = |point: &Point| {
        let mut row = vec![
            Cell::head(d.told(point.load)),
            Cell::words(thresholds(point)),
            Cell::number(figure(point.response_p50_ms)),
            Cell::number(figure(point.response_p99_ms)),
            Cell::number(failed_share(point.failed_share)),
            Cell::number(figure(point.throughput_per_s)),
        ];
        if of_storm {
            row.push(Cell::number(seconds(point.drain_s)));
        }
        row
    };
    let rows: Vec<_> = d.curve.iter().map(row).collect();
    table(m, "dense", "Load by load, from the easiest to the hardest", columns, &rows);
}
