//! A search on a terminal: what was found first, then why, then the curve. At most 100 columns.

use std::path::Path;

use super::{Document, Point, words};
use crate::report::number::{UNKNOWN, figure, seconds};
use crate::report::table::{Align, Table};
use crate::report::text::wrap;

/// Width of a fact's name.
const NAME: usize = 13;
/// Width of what is told beside it.
const WIDTH: usize = 100 - NAME;

/// The search as text, ready to print. `folder`: where it was saved.
pub fn render(d: &Document, folder: Option<&Path>) -> String {
    let mut out = String::new();
    let (headline, found) = words::found(d);
    let target = if d.in_virtual_time { format!("{}, in virtual time", d.target) } else { d.target.clone() };
    out.push_str(&format!("Capacity of {}: {headline}\n\n", d.workload.name));
    fact(&mut out, "sought", &words::asked(d));
    fact(&mut out, "against", &target);
    for (i, sentence) in found.iter().enumerate() {
        fact(&mut out, if i == 0 { "knee" } else { "" }, sentence);
    }
    if let Some(bound) = &d.bound {
        bound.reasons.iter().for_each(|reason| fact(&mut out, "", reason));
    }
    if let Some(broke) = &d.broke {
        let crossed = broke.crossed.join(", ");
        fact(&mut out, "broke first", &format!("{crossed}, at {} (probe {})", d.told(broke.load), broke.probe));
        fact(&mut out, "whose fault", &format!("{}: {}", broke.whose.told(), broke.words));
    }
    if let Some((judgement, why)) = words::recovery(d) {
        fact(&mut out, "beyond it", &format!("{judgement}: {why}"));
    }
    for (i, sentence) in words::advice(d).iter().enumerate() {
        fact(&mut out, if i == 0 { "what to do" } else { "" }, sentence);
    }
    for (i, sentence) in words::scalability(d).iter().enumerate() {
        fact(&mut out, if i == 0 { "scalability" } else { "" }, sentence);
    }
    fact(&mut out, "measured", &format!("{}, {}; seed {}", words::probes(d), seconds(Some(d.wall_s)), d.seed));
    if d.is_degraded() {
        fact(&mut out, "", "in some of them part of the figures may tell of the generator: see their folders");
    }
    if !d.curve.is_empty() {
        out.push('\n');
        curve(d).lines().for_each(|line| out.push_str(&format!("{line}\n")));
        let of_storm = d.curve.iter().any(|point| point.drain_s.is_some());
        let drain = if of_storm { "; drain: until the last phone is provisioned" } else { "" };
        let words = format!("Medians of the probes at each load; failed: operations, by the load's fault{drain}.");
        out.push('\n');
        wrap(&words, NAME + WIDTH).iter().for_each(|line| out.push_str(&format!("{line}\n")));
    }
    if let Some(folder) = folder {
        out.push_str(&format!("\nSaved in {}\n", folder.display()));
    }
    out
}

fn fact(out: &mut String, name: &str, told: &str) {
    for (i, line) in wrap(told, WIDTH).iter().enumerate() {
        let name = if i == 0 { name } else { "" };
        out.push_str(format!("{name:<NAME$}{line}").trim_end());
        out.push('\n');
    }
}

fn curve(d: &Document) -> Table {
    let of_storm = d.curve.iter().any(|point| point.drain_s.is_some());
    let mut columns = vec![(Align::Right, 0), (Align::Left, 0)];
    columns.extend([(Align::Right, 8); 5]);
    let mut table = Table::new(&columns);
    let mut head = vec!["load", "thresholds", "p50 ms", "p99 ms", "failed", "ok per s"];
    if of_storm {
        head.push("drain");
    }
    table.row(head);
    for point in &d.curve {
        let mut row = vec![
            d.told(point.load),
            thresholds(point),
            figure(point.response_p50_ms),
            figure(point.response_p99_ms),
            failed_share(point.failed_share),
            figure(point.throughput_per_s),
        ];
        if of_storm {
            row.push(seconds(point.drain_s));
        }
        table.row(row);
    }
    table
}

/// The share of the operations that failed, if it is known.
pub(in crate::report) fn failed_share(share: Option<f64>) -> String {
    share.map_or_else(|| UNKNOWN.to_owned(), failed)
}

/// A share in percent; what is something is never told as nothing.
fn failed(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        percent if percent < 0.1 => "< 0.1 %".to_owned(),
        percent if percent < 10.0 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// `met`, `missed 2 of 3`, with what did not count.
pub(in crate::report) fn thresholds(point: &Point) -> String {
    let all = point.met + point.missed;
    let mut words = match (point.met, point.missed) {
        (0, 0) => "not known".to_owned(),
        (1, 0) => "met".to_owned(),
        (0, 1) => "missed".to_owned(),
        (met, 0) => format!("met {met} of {met}"),
        (met, missed) if met > missed => format!("met {met} of {all}"),
        (_, missed) => format!("missed {missed} of {all}"),
    };
    if point.not_counted > 0 {
        words += &format!(", {} not counted", point.not_counted);
    }
    words
}
