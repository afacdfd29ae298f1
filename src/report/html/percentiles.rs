//! Response against service time by percentile, each nine as wide as the one before it.

use super::Run;
use super::chart::{Chart, End, Scale, axis, duration_label, ends, hover, legend, line};
use super::markup::Markup;
use super::table::{Cell, behind};
use crate::metrics::Distribution;
use crate::phone::Operation;
use crate::report::number::figure;

/// Points on each nine.
const POINTS: u32 = 24;
/// Most nines.
const NINES: u32 = 6;

/// One curve: shares and microseconds, rising, as far as there are samples to tell.
type Curve = Vec<(f64, f64)>;

/// Writes a chart for each operation that has enough samples.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let curves: Vec<(Operation, Curve, Curve)> = Operation::ALL
        .into_iter()
        .map(|operation| {
            let o = run.record.tally.totals.operation(operation);
            (operation, curve(&o.response), curve(&o.service))
        })
        .filter(|(_, response, _)| response.len() > 1)
        .collect();
    if curves.is_empty() {
        return;
    }
    m.leaf("h3", &[], "By percentile");
    legend(m, "", &[("s-response", "response time"), ("s-service", "service time")]);
    m.within("div", &[("class", "panels")], |m| {
        for (operation, response, service) in &curves {
            m.within("figure", &[], |m| {
                m.leaf("figcaption", &[], operation.name());
                chart(m, operation.name(), response, service);
            });
        }
    });
    figures(m, run, &curves);
}

fn curve(d: &Distribution) -> Curve {
    let nines = (1..=POINTS * NINES).map(|n| 1.0 - 10_f64.powf(-f64::from(n) / f64::from(POINTS)));
    std::iter::once(0.01).chain(nines).map_while(|q| Some((q, d.quantile_us(q)?.max(1) as f64))).collect()
}

fn chart(m: &mut Markup, name: &str, response: &Curve, service: &Curve) {
    let values = || response.iter().chain(service).map(|(_, us)| *us);
    let y = Scale::log(values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let most = response.last().map_or(0.99, |(q, _)| *q);
    let x = Scale::nines(most);
    let title = format!("{name}: response and service time by percentile");
    let told = |curve: &Curve| curve.last().map_or_else(String::new, |(_, us)| duration_label(*us));
    let spoken = format!(
        "Up to the highest percentile that can be told, {} %: response time {}, service time {}.",
        percentage(most),
        told(response),
        told(service)
    );
    let chart = Chart {
        id: &format!("percentiles-{name}"),
        class: "ends few",
        title: &title,
        description: &spoken,
        height: 200.0,
        x: axis(x, 9, |q| format!("{} %", percentage(q))),
        y: axis(y, 5, duration_label),
        unit: "",
    };
    let points = |curve: &Curve| curve.iter().map(|(q, us)| (x.at(*q), y.at(*us))).collect::<Vec<_>>();
    chart.draw(
        m,
        |m, height| {
            line(m, height, "s-response", &points(response));
            line(m, height, "s-service", &points(service));
        },
        |m, height| {
            let end = |class, curve: &Curve| {
                curve.last().map(|(_, us)| End { class, at: y.at(*us), name: duration_label(*us) })
            };
            let names: Vec<_> =
                [end("s-response", response), end("s-service", service)].into_iter().flatten().collect();
            // One value once: two of the same would only push each other away.
            let same = names.len() == 2 && names[0].name == names[1].name;
            ends(m, height, if same { &names[..1] } else { &names });
            read_outs(m, height, x, response, service);
        },
    );
}

/// Columns of equal width, each with the figures of its left edge.
fn read_outs(m: &mut Markup, height: f64, x: Scale, response: &Curve, service: &Curve) {
    const COLUMNS: usize = 40;
    let nearest =
        |curve: &Curve, at: f64| curve.iter().find(|(q, _)| x.at(*q) >= at).map(|(q, us)| (*q, duration_label(*us)));
    hover(m, height, COLUMNS, |i| {
        let at = (i as f64 + 0.5) / COLUMNS as f64;
        match (nearest(response, at), nearest(service, at)) {
            (Some((q, response)), Some((_, service))) => {
                format!("{} %: response time {response}, service time {service}", percentage(q))
            }
            _ => "too few samples to tell".to_owned(),
        }
    });
}

fn figures(m: &mut Markup, run: &Run, curves: &[(Operation, Curve, Curve)]) {
    let mut rows = Vec::new();
    for (operation, ..) in curves {
        let o = run.record.tally.totals.operation(*operation);
        for share in [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.999_9, 0.999_99] {
            let at = |d: &Distribution| d.quantile_us(share).map(|us| us as f64 / 1e3);
            if let Some(ms) = at(&o.response) {
                rows.push(vec![
                    Cell::head(operation.name()),
                    Cell::number(format!("{} %", percentage(share))),
                    Cell::number(figure(Some(ms))),
                    Cell::number(figure(at(&o.service))),
                ]);
            }
        }
    }
    let columns = ["operation", "#percentile", "#response time, ms", "#service time, ms"];
    behind(m, "Response and service time by percentile", &columns, &rows);
}

/// A share in percent, with as many nines as it has.
fn percentage(q: f64) -> String {
    let percent = q * 100.0;
    let decimals = if percent <= 99.0 { 1 } else { (-(1.0 - q).log10()).ceil().max(2.0) as usize - 1 };
    let text = format!("{percent:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_curve_ends_where_samples_do() {
        let mut d = Distribution::new();
        (1..=300).for_each(|ms| d.record(Duration::from_millis(ms)));
        let curve = curve(&d);
        let (q, us) = *curve.last().unwrap();
        assert!((0.985..=0.9901).contains(&q) && (us - 297e3).abs() < 1e3, "{q} {us}");
        assert!(curve.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1));
    }

    #[test]
    fn percentiles_have_as_many_nines_as_they_have() {
        let told = [0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999].map(percentage);
        assert_eq!(told, ["0", "50", "90", "95", "99", "99.9", "99.99"]);
    }
}
