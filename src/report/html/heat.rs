//! Response time over the run as a heat map: when an operation ended, how long it took, how many did.

use super::chart::{Chart, Heat, LEVELS, Scale, axis, duration_label, hover, time_axis, time_label};
use super::columns::rows;
use super::markup::Markup;
use super::table::{Cell, behind};
use super::{Run, lead, nothing};
use crate::metrics::Buckets;
use crate::phone::Operation;
use crate::report::number::count;

/// Most columns of a map.
const COLUMNS: usize = 180;
/// Rows of a map.
const ROWS: usize = 24;
/// Most maps: those of the operations with the most samples.
const MAPS: usize = 3;

/// One map.
struct Map {
    operation: Operation,
    width_s: f64,
    columns: Vec<Buckets>,
}

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let mut maps: Vec<Map> = Operation::ALL.into_iter().filter_map(|operation| map(run, operation)).collect();
    if maps.is_empty() {
        return nothing(m, "There are no response times second by second: this run was saved without them.");
    }
    lead(
        m,
        "Each cell is a stretch of time and a range of response times; the stronger its colour, the more operations ended \
         there. Two bands are two kinds of ending, a slope is a queue.",
    );
    maps.sort_by_key(|map| (std::cmp::Reverse(map.samples()), map.operation));
    let left_out = maps.len().saturating_sub(MAPS);
    maps.truncate(MAPS);
    maps.sort_by_key(|map| map.operation);
    maps.iter().for_each(|map| draw(m, map));
    if left_out > 0 {
        m.leaf("p", &[("class", "note")], "Operations with fewer samples are left out here.");
    }
}

impl Map {
    fn samples(&self) -> u64 {
        self.columns.iter().map(Buckets::count).sum()
    }
}

fn map(run: &Run, operation: Operation) -> Option<Map> {
    let (width_s, rows) = rows(run.record, COLUMNS);
    let columns: Vec<Buckets> = rows
        .map(|rows| {
            let mut all = Buckets::default();
            rows.iter().for_each(|row| all.merge(&row.response[operation.index()]));
            all
        })
        .collect();
    let map = Map { operation, width_s, columns };
    (map.samples() > 0).then_some(map)
}

fn draw(m: &mut Markup, map: &Map) {
    let name = map.operation.name();
    let values = || map.columns.iter().flat_map(Buckets::iter).map(|(us, _)| f64::from(us.max(1)));
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let y = Scale::log(least, most);
    let mut heat = Heat { columns: vec![vec![0; ROWS]; map.columns.len()] };
    for (column, buckets) in heat.columns.iter_mut().zip(&map.columns) {
        for (us, n) in buckets.iter() {
            let row = (y.at(f64::from(us.max(1))) * ROWS as f64) as usize;
            column[row.min(ROWS - 1)] += u64::from(n);
        }
    }
    let span = map.width_s * map.columns.len() as f64;
    let title = format!("{name}: response times over time");
    let spoken = format!(
        "{} operations, from {} to {}.",
        count(map.samples()),
        duration_label(two_digits(least)),
        duration_label(two_digits(most))
    );
    m.within("figure", &[], |m| {
        m.within("figcaption", &[], |m| {
            m.text(name);
            key(m, heat.most());
        });
        let chart = Chart {
            id: &format!("heat-{name}"),
            class: "",
            title: &title,
            description: &spoken,
            height: 192.0,
            x: time_axis(span),
            y: axis(y, 6, duration_label),
            unit: "",
        };
        chart.draw(
            m,
            |m, _| heat.draw(m),
            |m, height| {
                hover(m, height, map.columns.len(), |i| {
                    let from = time_label(i as f64 * map.width_s, span);
                    format!("{from}: {}", told(&map.columns[i]))
                });
            },
        );
        figures(m, map, span);
    });
}

/// How many operations a shade stands for.
fn key(m: &mut Markup, most: u64) {
    m.within("span", &[("class", "shades")], |m| {
        m.text("1 ");
        for level in 1..=LEVELS {
            m.leaf("span", &[("class", &format!("h{level}")), ("aria-hidden", "true")], "");
        }
        m.text(&format!(" {} operations in a cell", count(most)));
    });
}

/// What a column holds: how many, the middle one and the longest.
fn told(buckets: &Buckets) -> String {
    let Some((middle, longest)) = middle_and_longest(buckets) else { return "none ended".to_owned() };
    let [middle, longest] = [middle, longest].map(|us| duration_label(two_digits(us)));
    format!("{} ended, the middle one took {middle}, the longest {longest}", count(buckets.count()))
}

/// In microseconds, as far as the buckets tell.
fn middle_and_longest(buckets: &Buckets) -> Option<(f64, f64)> {
    let half = buckets.count().div_ceil(2);
    let mut sum = 0;
    let middle = buckets.iter().find(|(_, n)| {
        sum += u64::from(*n);
        sum >= half
    });
    let longest = buckets.iter().last();
    Some((f64::from(middle?.0), f64::from(longest?.0)))
}

fn figures(m: &mut Markup, map: &Map, span: f64) {
    let rows: Vec<_> = map
        .columns
        .iter()
        .enumerate()
        .filter_map(|(i, buckets)| {
            let (middle, longest) = middle_and_longest(buckets)?;
            let [middle, longest] = [middle, longest].map(|us| Cell::number(duration_label(two_digits(us))));
            let from = Cell::head(time_label(i as f64 * map.width_s, span));
            Some(vec![from, Cell::number(count(buckets.count())), middle, longest])
        })
        .collect();
    let caption = format!("{} every {}", map.operation.name(), duration_label(map.width_s * 1e6));
    behind(m, &caption, &["from", "#ended", "#the middle one", "#the longest"], &rows);
}

/// A bucket is known to three digits; two are enough to read.
fn two_digits(us: f64) -> f64 {
    let power = 10_f64.powf(us.max(1.0).log10().floor() - 1.0).max(1.0);
    (us / power).round() * power
}
