//! The page of a search for capacity: the knee first, then the curve, what broke, what became of it, and every probe.

use super::chart::{Chart, Flag, Scale, Tick, axis, flags, line};
use super::markup::Markup;
use super::table::{Cell, table};
use super::{Section, head, lead, nothing, write_sections};
use crate::capacity::{Found, Harder};
use crate::report::capacity::{Document, Point, words};
use crate::report::number::{UNKNOWN, count, figure, percent, seconds, value};

/// The sections, in order.
const SECTIONS: [Section<Document>; 6] = [
    Section { id: "curve", name: "The curve", write: curve },
    Section { id: "broke", name: "What broke first", write: broke },
    Section { id: "recovery", name: "Beyond the knee, and back", write: recovery },
    Section { id: "law", name: "Scalability", write: law },
    Section { id: "probes", name: "Every probe", write: probes },
    Section { id: "run", name: "What was sought", write: sought },
];

/// The page of a search.
pub fn capacity_page(document: &Document) -> String {
    let (headline, found) = words::found(document);
    let mut m = Markup::default();
    m.within("html", &[("xmlns", "http://www.w3.org/1999/xhtml"), ("lang", "en")], |m| {
        m.within("head", &[], |m| {
            head(m, &format!("{} ({headline}): bootstorm capacity", document.workload.name));
        });
        m.within("body", &[], |m| {
            m.leaf("a", &[("class", "skip"), ("href", "#main")], "Skip to the report");
            m.within("header", &[], |m| header(m, document));
            m.within("div", &[("class", "page")], |m| {
                m.within("nav", &[("aria-label", "Contents")], |m| super::contents(m, &SECTIONS));
                m.within("main", &[("id", "main")], |m| {
                    first(m, document, &headline, &found);
                    write_sections(m, &SECTIONS, document);
                });
            });
            m.within("footer", &[], |m| footer(m, document));
        });
    });
    m.finish()
}

fn header(m: &mut Markup, d: &Document) {
    m.leaf("p", &[("class", "brand")], "bootstorm capacity");
    m.leaf("h1", &[], &d.workload.name);
    let target = if d.in_virtual_time { format!("{}, in virtual time", d.target) } else { d.target.clone() };
    m.leaf("p", &[("class", "about")], &format!("{} · against {target}", words::asked(d)));
    let line = format!("{} · seed {} · {} · bootstorm {}", d.started_at, d.seed, words::probes(d), d.version);
    m.leaf("p", &[("class", "about")], &line);
}

fn footer(m: &mut Markup, d: &Document) {
    let words = format!(
        "Made by bootstorm {} from capacity.json. The same figures for programs: capacity.json and capacity.csv beside \
         this file; each probe's own report is in its folder. This page holds no script and asks no server for anything.",
        d.version
    );
    m.leaf("p", &[], &words);
}

/// What was found, and the headlines.
fn first(m: &mut Markup, d: &Document, headline: &str, found: &[String]) {
    m.within("section", &[("id", "verdict"), ("aria-labelledby", "verdict-heading")], |m| {
        let (class, sign) = match &d.found {
            Some(Found::Knee(knee)) if knee.contradicted.is_empty() && knee.tight => ("valid", "✓"),
            Some(Found::Met { .. }) => ("valid", "✓"),
            Some(Found::Knee(_) | Found::Missed { .. }) => ("degraded", "!"),
            Some(Found::Limited { .. }) | None => ("invalid", "✕"),
        };
        m.within("div", &[("class", &format!("verdict {class}"))], |m| {
            m.within("h2", &[("id", "verdict-heading")], |m| {
                m.leaf("span", &[("class", "sign"), ("aria-hidden", "true")], sign);
                m.text(&format!("{}: {headline}", d.sought.find));
            });
            m.within("ul", &[], |m| {
                let bound = d.bound.iter().flat_map(|bound| &bound.reasons);
                found.iter().chain(bound).for_each(|sentence| m.leaf("li", &[], sentence));
            });
        });
        m.within("div", &[("class", "headlines")], |m| cards(m, d));
    });
}

fn cards(m: &mut Markup, d: &Document) {
    let mut card = |class: &str, value: &str, name: &str, more: &str| {
        m.within("div", &[("class", &format!("card {class}"))], |m| {
            m.within("p", &[("class", "headline")], |m| {
                m.leaf("span", &[("class", "value")], value);
                m.leaf("span", &[("class", "name")], name);
            });
            m.leaf("p", &[("class", "more")], more);
        });
    };
    if let Some(Found::Knee(knee)) = &d.found {
        card("", &d.told(knee.value), "the knee", &format!("between {}", words::interval(d, knee.low, knee.high)));
        if let Some(point) = d.curve.iter().find(|point| point.load == knee.met_at) {
            let more = format!("p99 {} ms, {} failed", figure(point.response_p99_ms), share(point.failed_share));
            card(
                "good",
                &format!("{}/s", figure(point.throughput_per_s)),
                "ok operations at the last load that was met",
                &more,
            );
        }
    }
    if let Some(broke) = &d.broke {
        card(
            "bad",
            broke.whose.told().split(':').next().unwrap_or_default(),
            "fault, at the first load that was missed",
            &broke.crossed.join(", "),
        );
    }
    if let Some(recovered) = &d.recovery {
        let [before, .., after] = &recovered.parts;
        let more = format!(
            "{} ok operations a second before, {} after",
            figure(Some(before.goodput_per_s)),
            figure(Some(after.goodput_per_s))
        );
        let class = if recovered.judgement == crate::capacity::Recovery::MetastableCollapse { "bad" } else { "" };
        card(class, recovered.judgement.name(), "when the load is taken away", &more);
    }
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| UNKNOWN.to_owned(), crate::report::capacity::failed)
}

/// One chart of the curve: what it shows, and a point's value.
struct Series {
    id: &'static str,
    class: &'static str,
    name: &'static str,
    unit: &'static str,
    of: fn(&Point) -> Option<f64>,
    is_log: bool,
}

const SERIES: [Series; 4] = [
    Series {
        id: "p99",
        class: "s-response",
        name: "Response time, p99",
        unit: "ms",
        of: |p| p.response_p99_ms,
        is_log: true,
    },
    Series {
        id: "failed",
        class: "s-failed",
        name: "Operations that failed",
        unit: "%",
        of: |p| Some(p.failed_share? * 100.0),
        is_log: false,
    },
    Series {
        id: "throughput",
        class: "s-provisioned",
        name: "ok operations per second",
        unit: "per s",
        of: |p| p.throughput_per_s,
        is_log: false,
    },
    Series {
        id: "drain",
        class: "s-flight",
        name: "Drain: until the last phone is provisioned",
        unit: "s",
        of: |p| p.drain_s,
        is_log: false,
    },
];

fn curve(m: &mut Markup, d: &Document) {
    if d.curve.is_empty() {
        return nothing(m, "No probe was made.");
    }
    lead(
        m,
        "Each dot is a load: the median of its probes that count. Full dots met the thresholds, hollow ones missed them.",
    );
    m.within("div", &[("class", "panels")], |m| {
        for series in &SERIES {
            let points: Vec<(&Point, f64)> =
                d.curve.iter().filter_map(|point| Some((point, (series.of)(point)?))).collect();
            if !points.is_empty() {
                m.within("figure", &[], |m| {
                    m.leaf("figcaption", &[], series.name);
                    chart(m, d, series, &points);
                });
            }
        }
    });
    let of_storm = d.curve.iter().any(|point| point.drain_s.is_some());
    let columns = ["load", "thresholds", "#p50, ms", "#p99, ms", "#failed", "#ok per s", "#drain"];
    let columns = if of_storm { &columns[..] } else { &columns[..6] };
    let rows: Vec<_> = d
        .curve
        .iter()
        .map(|point| {
            let mut row = vec![
                Cell::head(d.told(point.load)),
                Cell::words(crate::report::capacity::thresholds(point)),
                Cell::number(figure(point.response_p50_ms)),
                Cell::number(figure(point.response_p99_ms)),
                Cell::number(share(point.failed_share)),
                Cell::number(figure(point.throughput_per_s)),
            ];
            if of_storm {
                row.push(Cell::number(seconds(point.drain_s)));
            }
            row
        })
        .collect();
    table(m, "dense", "Load by load, from the easiest to the hardest", columns, &rows);
}

fn chart(m: &mut Markup, d: &Document, series: &Series, points: &[(&Point, f64)]) {
    let loads = || d.curve.iter().map(|point| point.load);
    let (least, most) = (loads().fold(f64::INFINITY, f64::min), loads().fold(0.0, f64::max));
    let is_mirrored = d.sought.harder == Harder::Smaller;
    let x = Scale::log(least, most);
    let at = |load: f64| if is_mirrored { 1.0 - x.at(load) } else { x.at(load) };
    let values = || points.iter().map(|(_, value)| *value);
    let top = values().fold(0.0, f64::max);
    let bottom = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
    let y = if series.is_log && bottom.is_finite() { Scale::log(bottom, top) } else { Scale::linear(top) };
    let mut ticks: Vec<Tick> = x.ticks(5).into_iter().map(|load| Tick { at: at(load), label: d.told(load) }).collect();
    ticks.sort_by(|a, b| a.at.total_cmp(&b.at));
    let spoken: Vec<_> =
        points.iter().map(|(point, value)| format!("{} at {}", figure(Some(*value)), d.told(point.load))).collect();
    let knee = match &d.found {
        Some(Found::Knee(knee)) => Some(knee),
        _ => None,
    };
    let chart = Chart {
        id: series.id,
        class: if knee.is_some() { "few phased-1" } else { "few low" },
        title: series.name,
        description: &format!("In {}: {}.", series.unit, spoken.join(", ")),
        height: 190.0,
        x: ticks,
        y: axis(y, 4, value),
        unit: series.unit,
    };
    let placed: Vec<(f64, f64)> = points.iter().map(|(point, value)| (at(point.load), y.at(*value))).collect();
    chart.draw(
        m,
        |m, height| line(m, height, series.class, &placed),
        |m, height| {
            if let Some(knee) = knee {
                flags(
                    m,
                    height,
                    "phase",
                    0,
                    &[Flag { at: at(knee.value), name: format!("knee {}", d.told(knee.value)) }],
                );
            }
            m.within("g", &[("class", &format!("dots {}", series.class))], |m| {
                for ((point, value), (x, up)) in points.iter().zip(&placed) {
                    let (cx, cy) = (super::chart::percent(*x), super::chart::px((1.0 - up) * height));
                    let class = if point.is_met() == Some(true) { "met" } else { "missed" };
                    m.within("circle", &[("class", class), ("cx", &cx), ("cy", &cy), ("r", "4.5")], |m| {
                        let words = format!("{}: {} {}", d.told(point.load), figure(Some(*value)), series.unit);
                        m.leaf("title", &[], &words);
                    });
                }
            });
        },
    );
}

fn broke(m: &mut Markup, d: &Document) {
    let Some(broke) = &d.broke else {
        return nothing(m, "No threshold was crossed at any load that was decided.");
    };
    lead(
        m,
        &format!(
            "At {}, in probe {}. {}: {}.",
            d.told(broke.load),
            broke.probe,
            first_up(broke.whose.told()),
            broke.words
        ),
    );
    m.within("ul", &[], |m| broke.crossed.iter().for_each(|crossed| m.leaf("li", &[], crossed)));
    let figures = d.probes.iter().find(|probe| probe.number == broke.probe).and_then(|probe| probe.figures.as_ref());
    if let Some(figures) = figures.filter(|figures| !figures.outcomes.is_empty()) {
        let rows: Vec<_> = figures
            .outcomes
            .iter()
            .map(|(outcome, n)| {
                let fault = figures.faults.get(outcome).cloned().unwrap_or_default();
                vec![
                    Cell::head(outcome),
                    Cell::number(count(*n)),
                    Cell::Share(*n as f64 / figures.started.max(1) as f64),
                    Cell::words(fault),
                ]
            })
            .collect();
        table(
            m,
            "",
            "How operations ended there, other than ok",
            &["outcome", "#operations", "=", "whose fault"],
            &rows,
        );
    }
}

fn first_up(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn recovery(m: &mut Markup, d: &Document) {
    let Some((judgement, why)) = words::recovery(d) else {
        return nothing(m, "The server was not pushed beyond its knee.");
    };
    lead(m, &format!("{}: {why}.", first_up(&judgement)));
    let Some(recovered) = &d.recovery else { return };
    let loads = [recovered.base, recovered.beyond, recovered.base, recovered.base];
    let names = ["before", "beyond the knee", "taken away", "after"];
    let rows: Vec<_> = names
        .iter()
        .zip(loads)
        .zip(&recovered.parts)
        .map(|((name, load), part)| {
            vec![
                Cell::head(*name),
                Cell::number(d.told(load)),
                Cell::number(figure(Some(part.goodput_per_s))),
                Cell::number(figure(Some(part.sent_per_s))),
                Cell::number(share(Some(part.failed()))),
                Cell::number(figure(part.response_p50_ms)),
                Cell::number(format!("{} to {}", seconds(Some(part.from_s)), seconds(Some(part.to_s)))),
            ]
        })
        .collect();
    let columns = ["part", "#load", "#ok per s", "#exchanges per s", "#failed", "#p50, ms", "#when"];
    table(m, "", "The four parts of one run", &columns, &rows);
}

fn law(m: &mut Markup, d: &Document) {
    let told = words::scalability(d);
    lead(m, "The universal scalability law, fitted to operations under way at once against ok operations a second.");
    m.within("ul", &[], |m| told.iter().for_each(|sentence| m.leaf("li", &[], &format!("{}.", first_up(sentence)))));
}

fn probes(m: &mut Markup, d: &Document) {
    let rows: Vec<_> = d
        .probes
        .iter()
        .map(|probe| {
            let f = probe.figures.as_ref();
            let folder = probe.folder.clone().unwrap_or_else(|| "none kept".to_owned());
            let why = probe.verdict.reasons.first().cloned().unwrap_or_default();
            let what = if probe.counts() { probe.crossed.join(", ") } else { why };
            vec![
                Cell::head(probe.number.to_string()),
                Cell::number(d.told(probe.load)),
                Cell::words(probe.answer.replace('-', " ")),
                Cell::number(f.map_or_else(|| UNKNOWN.to_owned(), |f| count(f.started))),
                Cell::number(figure(f.and_then(|f| f.response_p99_ms))),
                Cell::number(share(f.and_then(|f| f.failed_share))),
                Cell::words(folder),
                Cell::words(what),
            ]
        })
        .collect();
    let columns =
        ["probe", "#load", "thresholds", "#operations", "#p99, ms", "#failed", "folder", "crossed, or why not counted"];
    table(m, "dense", "In the order they were made", &columns, &rows);
}

fn sought(m: &mut Markup, d: &Document) {
    let s = &d.sought;
    let rows = [
        ("key", s.find.clone()),
        ("easiest load of the range", d.told(s.easiest)),
        ("hardest load of the range", d.told(s.hardest)),
        ("tolerance", percent(s.tolerance)),
        ("probes that decide", count(s.repeats.into())),
        ("rest between two probes", seconds(Some(s.rest_s))),
        ("took", seconds(Some(d.wall_s))),
        ("SHA-256 of the workload", d.workload.sha256.clone()),
    ];
    m.within("dl", &[("class", "provenance")], |m| {
        for (name, value) in rows {
            m.within("div", &[], |m| {
                m.leaf("dt", &[], name);
                m.leaf("dd", &[], &value);
            });
        }
    });
    m.leaf("h3", &[], "Thresholds");
    m.within("ul", &[], |m| d.thresholds.iter().for_each(|threshold| m.leaf("li", &[], threshold)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::capacity::tests::document;

    #[test]
    fn the_page_says_what_was_found_and_draws_the_curve() {
        let page = capacity_page(&document());
        for words in [
            "phase.load.rate: 96.8/s",
            "answers contradict each other at 95.76/s",
            "metastable collapse",
            "The curve",
            "knee 96.8/s",
            "Predicts at most",
            "probe-03",
        ] {
            assert!(page.contains(words), "{words}");
        }
        // A dot for each load in each of the three charts, and none for a drain that was not.
        assert_eq!(page.matches("<circle").count(), 3 * document().curve.len());
        assert!(!page.contains("id=\"drain-title\"") && !page.contains("<script"));
    }

    #[test]
    fn whatever_was_found_has_a_page() {
        for found in [
            None,
            Some(Found::Met { at: 800.0 }),
            Some(Found::Limited { at_least: None, blind_at: 25.0, missed_at: None }),
        ] {
            let document =
                Document { found, curve: Vec::new(), probes: Vec::new(), broke: None, recovery: None, ..document() };
            let page = capacity_page(&document);
            assert!(page.contains("No probe was made.") && page.ends_with("</html>\n"), "{page}");
        }
    }

    /// What a workload says comes in as text.
    #[test]
    fn nothing_becomes_markup() {
        let mut document = document();
        document.workload.name = "<script>alert(1)</script>".into();
        document.sought.find = "<b>".into();
        let page = capacity_page(&document);
        assert!(!page.contains("<script>") && !page.contains("<b>"));
    }
}
