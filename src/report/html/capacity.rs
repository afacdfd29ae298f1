//! The page of a search for capacity: the knee first, then the curve, what broke, what became of it, and every probe.

use super::markup::Markup;
use super::table::{Cell, table};
use super::{Section, curve, first_up, head, law, lead, nothing, write_sections};
use crate::capacity::{Found, Recovery};
use crate::report::capacity::{Document, Probe, failed_share, words};
use crate::report::number::{UNKNOWN, count, figure, percent, seconds};

/// The sections, in order.
const SECTIONS: [Section<Document>; 7] = [
    Section { id: "curve", name: "The curve", write: curve::write },
    Section { id: "broke", name: "What broke first", write: broke },
    Section { id: "do", name: "What to do", write: advice },
    Section { id: "recovery", name: "Beyond the knee, and back", write: recovery },
    Section { id: "law", name: "Scalability", write: law::write },
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
                m.text(&match &d.found {
                    Some(Found::Knee(_)) => format!("The knee: {headline}"),
                    _ => format!("{}: {headline}", d.sought.find),
                });
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
        let between = format!("{}, {}", d.sought.find, words::interval(d, knee.low, knee.high));
        card("", &d.told(knee.value), "the knee", &between);
        if let Some(point) = d.curve.iter().find(|point| point.load == knee.met_at) {
            let more = format!("p99 {} ms, {} failed", figure(point.response_p99_ms), failed_share(point.failed_share));
            card(
                "good",
                &format!("{}/s", figure(point.throughput_per_s)),
                "ok operations at the hardest load that met the thresholds",
                &more,
            );
        }
    }
    if let Some(broke) = &d.broke {
        card(
            "bad",
            broke.whose.name(),
            "is what broke first",
            &format!("at {}: {}", d.told(broke.load), broke.crossed.join(", ")),
        );
    }
    if let Some(recovered) = &d.recovery {
        let [before, .., after] = &recovered.parts;
        let more = format!(
            "{} ok operations a second before, {} after",
            figure(Some(before.goodput_per_s)),
            figure(Some(after.goodput_per_s))
        );
        let class = if recovered.judgement == Recovery::MetastableCollapse { "bad" } else { "" };
        card(class, recovered.judgement.name(), "when the load is taken away", &more);
    }
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

fn advice(m: &mut Markup, d: &Document) {
    m.within("ul", &[], |m| {
        words::advice(d).iter().for_each(|what| m.leaf("li", &[], &format!("{}.", first_up(what))))
    });
}

fn recovery(m: &mut Markup, d: &Document) {
    let Some((judgement, why)) = words::recovery(d) else {
        return nothing(m, "The server was not pushed beyond its knee.");
    };
    lead(m, &format!("{}: {why}.", first_up(&judgement)));
    let Some(recovered) = &d.recovery else { return };
    let loads = [recovered.base, recovered.beyond, recovered.base, recovered.base];
    let names = ["before", "beyond the knee", "taken away", "after"];
    let most = recovered.parts.iter().map(|part| part.goodput_per_s).fold(f64::MIN_POSITIVE, f64::max);
    let rows: Vec<_> = names
        .iter()
        .zip(loads)
        .zip(&recovered.parts)
        .map(|((name, load), part)| {
            vec![
                Cell::head(*name),
                Cell::number(d.told(load)),
                Cell::number(figure(Some(part.goodput_per_s))),
                Cell::Share(part.goodput_per_s / most),
                Cell::number(figure(Some(part.sent_per_s))),
                Cell::number(failed_share(Some(part.failed()))),
                Cell::number(figure(part.response_p50_ms)),
                Cell::number(format!("{} to {}", seconds(Some(part.from_s)), seconds(Some(part.to_s)))),
            ]
        })
        .collect();
    let columns = ["part", "#load", "#ok per s", "=", "#exchanges per s", "#failed", "#p50, ms", "#when"];
    table(m, "", "The four parts of one run", &columns, &rows);
}

fn probes(m: &mut Markup, d: &Document) {
    let kept = d.probes.iter().any(|probe| probe.folder.is_some());
    let row = |probe: &Probe| {
        let f = probe.figures.as_ref();
        let why = probe.verdict.reasons.first().cloned().unwrap_or_default();
        let what = if probe.counts() { probe.crossed.join(", ") } else { why };
        let number = match &probe.folder {
            Some(folder) => Cell::Link(folder.clone(), format!("{folder}/report.html")),
            None => Cell::head(probe.number.to_string()),
        };
        vec![
            number,
            Cell::number(d.told(probe.load)),
            Cell::words(probe.answer.replace('-', " ")),
            Cell::number(f.map_or_else(|| UNKNOWN.to_owned(), |f| count(f.started))),
            Cell::number(figure(f.and_then(|f| f.response_p50_ms))),
            Cell::number(figure(f.and_then(|f| f.response_p99_ms))),
            Cell::number(failed_share(f.and_then(|f| f.failed_share))),
            Cell::words(what),
        ]
    };
    if kept {
        lead(m, "Each probe is a run with a report of its own.");
    }
    let rows: Vec<_> = d.probes.iter().map(row).collect();
    let columns = [
        "probe",
        "#load",
        "thresholds",
        "#operations",
        "#p50, ms",
        "#p99, ms",
        "#failed",
        "crossed, or why not counted",
    ];
    table(m, "dense", "In the order they were made", &columns, &rows);
    if let Some(folder) = d.recovery.as_ref().and_then(|recovered| recovered.folder.as_ref()) {
        m.within("p", &[("class", "note")], |m| {
            m.text("The run that was pushed beyond the knee: ");
            m.leaf("a", &[("href", &format!("{folder}/report.html"))], folder);
        });
    }
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
            "The knee: 96.8/s",
            "the server carries about 96.8 starts a second (phase load)",
            "What to do",
            "href=\"probe-03/report.html\"",
            "answers contradict each other at 95.76/s",
            "metastable collapse",
            "The curve",
            "knee 96.8/s",
            "Predicts at most",
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
