//! The page of a matrix: the table, a few of its figures as bars, what was varied, and the way to each run's own page.

use super::markup::Markup;
use super::table::{Cell as TableCell, table};
use super::{head, plural};
use crate::report::compare::Answer;
use crate::report::matrix::{Cell, Change, PlayedAxis, Row, RunState, RunTold, SideBySide, Told};
use crate::report::number::{UNKNOWN, value as number};

/// So many figures are drawn.
const DRAWN: usize = 6;
/// From this ratio on, a difference can be seen in a bar.
const SEEN: f64 = 1.05;

/// The page of a matrix.
pub fn matrix_page(side: &SideBySide) -> String {
    let mut m = Markup::default();
    m.within("html", &[("xmlns", "http://www.w3.org/1999/xhtml"), ("lang", "en")], |m| {
        m.within("head", &[], |m| head(m, &format!("{} (matrix): bootstorm report", side.matrix.workload)));
        m.within("body", &[], |m| {
            m.leaf("a", &[("class", "skip"), ("href", "#main")], "Skip to the table");
            m.within("header", &[("class", "wide")], |m| header(m, side));
            m.within("div", &[("class", "page wide")], |m| {
                m.within("main", &[("id", "main")], |m| {
                    section(m, "table", "Side by side", |m| figures(m, side));
                    if !side.choices.is_empty() {
                        section(m, "choices", "What each choice changes", |m| choices(m, side));
                    }
                    section(m, "bars", "At a glance", |m| bars(m, side));
                    section(m, "notes", "To be known with all of this", |m| notes(m, side));
                    section(m, "runs", "The runs", |m| runs(m, side));
                    section(m, "varied", "What is varied", |m| varied(m, side));
                });
            });
            m.within("footer", &[], |m| {
                let version = &side.matrix.version;
                let words = "Made from the journals of the runs; the same for programs: matrix.json beside this file, and \
                             `bootstorm report DIR --format json`. This page holds no script and asks no server for anything.";
                m.leaf("p", &[], &format!("Made by bootstorm {version}. {words}"));
            });
        });
    });
    m.finish()
}

fn header(m: &mut Markup, side: &SideBySide) {
    let played = &side.matrix;
    m.leaf("p", &[("class", "brand")], "bootstorm matrix");
    m.leaf("h1", &[], &played.workload);
    let order = if played.interleaved { "in rounds, each in an order of its own" } else { "one variant after another" };
    let rest =
        if played.rest_s > 0.0 { format!(", {} of rest between two runs", rest(played.rest_s)) } else { String::new() };
    m.leaf("p", &[("class", "about")], &format!("{} · played {order}{rest}", side.extent()));
    let about = format!("{} · seed {} · bootstorm {}", played.started_at, played.seed, played.version);
    m.leaf("p", &[("class", "about")], &about);
}

/// A time as a person would type it: `0.5 s`.
fn rest(seconds: f64) -> String {
    format!("{} s", number((seconds * 1e3).round() / 1e3).trim_end_matches('0').trim_end_matches('.'))
}

fn section(m: &mut Markup, id: &'static str, name: &str, write: impl FnOnce(&mut Markup)) {
    let heading = format!("{id}-heading");
    m.within("section", &[("id", id), ("aria-labelledby", &heading)], |m| {
        m.leaf("h2", &[("id", &heading)], name);
        write(m);
    });
}

fn notes(m: &mut Markup, side: &SideBySide) {
    if side.notes.is_empty() {
        return super::nothing(m, "Nothing.");
    }
    m.within("ul", &[], |m| side.notes.iter().for_each(|note| m.leaf("li", &[], note)));
}

/// How many of the runs are worth what.
fn worth(side: &SideBySide) -> String {
    let all: Vec<_> = side.rows.iter().flat_map(|row| &row.runs).collect();
    let number = |which: &dyn Fn(&RunTold) -> bool| all.iter().filter(|run| which(run)).count() as u64;
    let valid = number(&|run| run.state == RunState::Valid);
    let crossed = match number(&|run| run.crossed) {
        0 => "No threshold was crossed.".to_owned(),
        n => format!("In {n} a threshold was crossed."),
    };
    format!(
        "{} made, {valid} of them valid; {} are in the figures. {crossed}",
        plural(all.len() as u64, "run", "runs"),
        number(&RunTold::counts),
    )
}

/// The table: a row for each variant.
fn figures(m: &mut Markup, side: &SideBySide) {
    super::lead(m, &worth(side));
    if let Some(baseline) = side.baseline().filter(|_| side.matrix.repeated()) {
        let words = format!(
            "The median of each variant's runs, the lowest and the highest, and what it is compared with {}.",
            baseline.name
        );
        super::lead(m, &words);
    }
    let region =
        [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Figures of each variant")];
    m.within("div", &region, |m| {
        m.within("table", &[("class", "matrix")], |m| {
            m.leaf("caption", &[], "Figures of each variant");
            m.within("thead", &[], |m| {
                m.within("tr", &[], |m| {
                    side.heads().iter().for_each(|name| m.leaf("th", &[("scope", "col")], name));
                    side.columns
                        .iter()
                        .for_each(|c| m.leaf("th", &[("scope", "col"), ("class", "n"), ("title", &c.key)], &c.name));
                });
            });
            m.within("tbody", &[], |m| {
                let above = std::iter::once(None).chain(side.rows.iter().map(Some));
                side.rows.iter().zip(above).for_each(|(row, above)| variant(m, side, row, above));
            });
        });
    });
}

/// What each value of each axis changes.
fn choices(m: &mut Markup, side: &SideBySide) {
    let words = "The middle of all pairs of variants that differ in nothing else, and below it the lowest and the highest pair. \
                 ×1 is no change. Where all pairs agree, what is cheaper or faster is green, what is dearer or slower is brown.";
    super::lead(m, words);
    let region =
        [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", "What each choice changes")];
    m.within("div", &region, |m| {
        m.within("table", &[("class", "matrix")], |m| {
            m.leaf("caption", &[], "What each choice changes");
            m.within("thead", &[], |m| {
                m.within("tr", &[], |m| {
                    ["axis", "choice", "instead of"].iter().for_each(|name| m.leaf("th", &[("scope", "col")], name));
                    m.leaf("th", &[("scope", "col"), ("class", "n")], "pairs");
                    side.columns.iter().for_each(|c| m.leaf("th", &[("scope", "col"), ("class", "n")], c.plain()));
                });
            });
            m.within("tbody", &[], |m| {
                for choice in &side.choices {
                    m.within("tr", &[], |m| {
                        m.leaf("td", &[], &choice.axis);
                        m.leaf("th", &[("scope", "row")], &choice.value);
                        m.leaf("td", &[], &choice.instead_of);
                        let pairs = choice.changes.iter().flatten().map(|change| change.pairs).max().unwrap_or(0);
                        m.leaf("td", &[("class", "n")], &pairs.to_string());
                        for (change, column) in choice.changes.iter().zip(&side.columns) {
                            m.within("td", &[("class", "n")], |m| changed(m, change.as_ref(), column));
                        }
                    });
                }
            });
        });
    });
}

fn changed(m: &mut Markup, change: Option<&Change>, column: &Told) {
    let Some(change) = change else { return m.text(UNKNOWN) };
    match change.is_better(column.sense) {
        Some(true) => m.leaf("span", &[("class", "change good")], &change.told()),
        Some(false) => m.leaf("span", &[("class", "change warn")], &change.told()),
        None => m.text(&change.told()),
    }
    if let Some(spread) = change.spread() {
        m.leaf("span", &[("class", "spread")], &spread);
    }
}

fn variant(m: &mut Markup, side: &SideBySide, row: &Row, above: Option<&Row>) {
    let places = side.place(row);
    // What is as in the row above is told more quietly, so that the eye finds what changes.
    let again =
        above.map_or(0, |above| places.iter().zip(side.place(above)).take_while(|(own, above)| *own == above).count());
    let class = match (row.baseline, again) {
        (true, _) => "baseline",
        (false, 0) if above.is_some() => "begins",
        (false, _) => "",
    };
    let attributes = [("class", class)];
    m.within("tr", if class.is_empty() { &[] } else { &attributes }, |m| {
        for (n, place) in places.into_iter().enumerate() {
            let quiet = [("scope", "row"), ("class", "again")];
            m.within("th", if n < again { &quiet } else { &quiet[..1] }, |m| {
                match row.runs.first().filter(|_| n == 0) {
                    Some(run) => m.leaf("a", &[("href", &format!("{}/report.html", run.folder))], place),
                    None => m.text(place),
                }
                let last = n + 1 == side.place(row).len();
                let remark = row.remark(side.matrix.repeats);
                if last && row.baseline {
                    m.leaf("span", &[("class", "said")], "baseline");
                }
                if last && !remark.is_empty() {
                    m.leaf("span", &[("class", "said bad")], &remark);
                }
            });
        }
        let cells = row.cells.iter().zip(&side.columns);
        cells.for_each(|(cell, column)| m.within("td", &[("class", "n")], |m| value(m, cell, column)));
    });
}

fn value(m: &mut Markup, cell: &Cell, column: &Told) {
    m.text(&column.figure(cell.median));
    if let Some(spread) = column.spread(cell) {
        m.leaf("span", &[("class", "spread")], &spread);
    }
    if let (Some(answer), Some(words)) = (cell.answer, &cell.words) {
        let said = [("class", tone(answer)), ("title", cell.why.as_deref().unwrap_or_default())];
        m.leaf("span", if cell.why.is_some() { &said } else { &said[..1] }, words);
    }
}

const fn tone(answer: Answer) -> &'static str {
    match answer {
        Answer::Faster | Answer::Less => "said good",
        Answer::Slower | Answer::More => "said warn",
        Answer::Same | Answer::CannotTell => "said",
    }
}

/// The first figures that differ, as bars from zero.
fn bars(m: &mut Markup, side: &SideBySide) {
    let differs = |n: &usize| {
        let values = || side.rows.iter().filter_map(|row| row.cells.get(*n)?.median);
        values().fold(0.0, f64::max) > values().fold(f64::INFINITY, f64::min) * SEEN
    };
    let drawn: Vec<usize> = (0..side.columns.len()).filter(differs).take(DRAWN).collect();
    if drawn.is_empty() {
        return super::nothing(m, "No figure differs so much from one variant to another that it could be seen.");
    }
    super::lead(m, "Bars begin at zero. A fine line reaches from the lowest to the highest run of a variant.");
    m.within("div", &[("class", "panels")], |m| drawn.into_iter().for_each(|n| panel(m, side, n)));
}

fn panel(m: &mut Markup, side: &SideBySide, n: usize) {
    let name = &side.columns[n].name;
    let most = side.rows.iter().filter_map(|row| row.cells[n].highest).fold(0.0, f64::max);
    m.within("figure", &[], |m| {
        m.within("table", &[("class", "bars")], |m| {
            m.leaf("caption", &[], name);
            m.within("tbody", &[], |m| {
                for row in &side.rows {
                    m.within("tr", if row.baseline { &[("class", "baseline")] } else { &[] }, |m| {
                        m.leaf("th", &[("scope", "row")], &row.name);
                        m.within("td", &[("class", "bar")], |m| bar(m, &row.cells[n], most));
                        m.leaf("td", &[("class", "n")], &side.columns[n].figure(row.cells[n].median));
                    });
                }
            });
        });
    });
}

fn bar(m: &mut Markup, cell: &Cell, most: f64) {
    let Some(median) = cell.median.filter(|_| most > 0.0) else { return m.text(UNKNOWN) };
    let share = |value: f64| format!("{:.1}%", value / most * 100.0);
    let svg = [("xmlns", "http://www.w3.org/2000/svg"), ("aria-hidden", "true"), ("width", "100%"), ("height", "14")];
    m.within("svg", &svg, |m| {
        m.empty("rect", &[("width", &share(median)), ("y", "2"), ("height", "10"), ("rx", "2")]);
        if let Some((low, high)) = cell.lowest.zip(cell.highest).filter(|(low, high)| low != high) {
            m.empty("line", &[("x1", &share(low)), ("x2", &share(high)), ("y1", "7"), ("y2", "7")]);
        }
    });
}

/// Every run, with its own page.
fn runs(m: &mut Markup, side: &SideBySide) {
    let region = [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Runs of each variant")];
    m.within("div", &region, |m| {
        m.within("table", &[], |m| {
            m.leaf("caption", &[], "Runs of each variant");
            m.within("thead", &[], |m| {
                m.within("tr", &[], |m| {
                    ["variant", "runs", "what it sets"].iter().for_each(|name| m.leaf("th", &[("scope", "col")], name));
                });
            });
            m.within("tbody", &[], |m| {
                for (row, variant) in side.rows.iter().zip(&side.matrix.variants) {
                    m.within("tr", &[], |m| {
                        m.leaf("th", &[("scope", "row")], &row.name);
                        m.within("td", &[("class", "links")], |m| row.runs.iter().for_each(|run| link(m, run)));
                        m.within("td", &[], |m| {
                            variant.sets.iter().for_each(|set| m.within("div", &[], |m| m.leaf("code", &[], set)));
                        });
                    });
                }
            });
        });
    });
}

fn link(m: &mut Markup, run: &RunTold) {
    m.leaf("a", &[("href", &format!("{}/report.html", run.folder))], &format!("run {}", run.round));
    let crossed = if run.crossed { ", threshold crossed" } else { "" };
    let state = if run.state == RunState::Valid { "" } else { run.state.words() };
    match format!("{state}{crossed}").trim_start_matches(", ") {
        "" => m.text(" "),
        words => m.text(&format!(" ({words}) ")),
    }
}

fn varied(m: &mut Markup, side: &SideBySide) {
    let played = &side.matrix;
    let row = |axis: &PlayedAxis| {
        vec![
            TableCell::head(&axis.name),
            TableCell::words(axis.values.join(" · ")),
            TableCell::words(axis.keys.join(", ")),
        ]
    };
    let rows: Vec<_> = played.axes.iter().map(row).collect();
    table(m, "", "Axes", &["axis", "values", "keys"], &rows);
    let words = match played.one_at_a_time {
        true => "Each variant differs from the baseline in one axis.",
        false => "Every combination of these values is a variant, but for those that the workload leaves out.",
    };
    m.leaf("p", &[("class", "note")], words);
}
