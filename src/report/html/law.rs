//! The law of scalability on the page of a search for capacity: what it predicts, and how the loads lie on its curve.

use super::chart::{Chart, Scale, axis, line, percent, px};
use super::markup::Markup;
use super::{first_up, lead};
use crate::capacity::usl::Usl;
use crate::report::capacity::{Document, words};
use crate::report::number::{figure, value};

/// Points by which the law's curve is drawn.
const POINTS: usize = 80;

/// The section.
pub(super) fn write(m: &mut Markup, d: &Document) {
    let words = "The universal scalability law, fitted to operations under way at once against ok operations a second: a second \
                 opinion, from the loads below the knee as well as those beyond it.";
    lead(m, words);
    let told = words::scalability(d);
    m.within("ul", &[], |m| told.iter().for_each(|sentence| m.leaf("li", &[], &format!("{}.", first_up(sentence)))));
    if let Some(law) = &d.scalability {
        m.within("figure", &[], |m| {
            m.leaf(
                "figcaption",
                &[],
                "ok operations per second by operations under way at once: the loads, and dashed the law",
            );
            chart(m, d, law);
        });
    }
}

fn chart(m: &mut Markup, d: &Document, law: &Usl) {
    // The law is of real time, the curve of phone time.
    let rate = |n: f64| law.throughput(n) / d.compression;
    let of = |(n, x): (Option<f64>, Option<f64>)| Some((n?, x?)).filter(|(n, x)| *n > 0.0 && *x > 0.0);
    let points: Vec<(f64, f64)> = d.curve.iter().filter_map(|p| of((p.concurrency, p.throughput_per_s))).collect();
    let values = |of: fn(&(f64, f64)) -> f64| points.iter().map(of);
    let least = values(|p| p.0).fold(f64::INFINITY, f64::min);
    let (x, y) = (
        Scale::log(least, law.measured_to),
        Scale::linear(values(|p| p.1).chain(law.most.map(|most| most.value / d.compression)).fold(0.0, f64::max)),
    );
    let spoken: Vec<_> = points.iter().map(|(n, x)| format!("{} at {}", figure(Some(*x)), figure(Some(*n)))).collect();
    let chart = Chart {
        id: "law",
        class: "few low",
        title: "The law's curve and the loads",
        description: &format!("ok operations per second at so many at once: {}.", spoken.join(", ")),
        height: 220.0,
        x: axis(x, 6, value),
        y: axis(y, 4, value),
        unit: "per s",
    };
    // Of less than one operation at once the law says nothing.
    let from = least.max(1.0_f64.min(law.measured_to));
    let step = |i: usize| from * (law.measured_to / from).powf(i as f64 / POINTS as f64);
    let curve: Vec<(f64, f64)> = (0..=POINTS).map(step).map(|n| (x.at(n), y.at(rate(n)))).collect();
    chart.draw(
        m,
        |m, height| line(m, height, "s-intended", &curve),
        |m, height| {
            m.within("g", &[("class", "dots s-provisioned")], |m| {
                for (n, per_s) in &points {
                    let (cx, cy) = (percent(x.at(*n)), px((1.0 - y.at(*per_s)) * height));
                    m.within("circle", &[("class", "met"), ("cx", &cx), ("cy", &cy), ("r", "4.5")], |m| {
                        let words = format!("{} per s at {} at once", figure(Some(*per_s)), figure(Some(*n)));
                        m.leaf("title", &[], &words);
                    });
                }
            });
        },
    );
}
