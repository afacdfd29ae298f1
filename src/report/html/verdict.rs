//! The first screen: whether the figures can be trusted, and what they come to.

use super::markup::Markup;
use super::{Run, plural, share};
use crate::metrics::Validity;
use crate::report::number::{count, figure, seconds, value};
use crate::report::summary::{Figures, Operation};

/// What was run, in a line.
pub(super) fn header(m: &mut Markup, run: &Run) {
    let s = run.summary;
    m.leaf("p", &[("class", "brand")], "bootstorm report");
    m.leaf("h1", &[], &s.workload.name);
    let compressed = if s.compression == 1.0 {
        String::new()
    } else {
        format!(" · one second stands for {} s of the phones' time", value(s.compression))
    };
    let phones = plural(s.phones.total, "phone", "phones");
    let wall = seconds(Some(s.wall_s));
    m.leaf("p", &[("class", "about")], &format!("{phones} against {} · {wall}{compressed}", run.manifest.target));
    m.leaf("p", &[("class", "about")], &format!("{} · seed {} · bootstorm {}", s.started_at, s.seed, s.version));
}

/// The verdict, what must be known with every figure, and the headlines.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let s = run.summary;
    m.within("section", &[("id", "verdict"), ("aria-labelledby", "verdict-heading")], |m| {
        marks(m, run);
        let state = s.verdict.state;
        let (sign, words) = match state {
            Validity::Valid => ("✓", "These figures tell of the server and the phones."),
            Validity::Degraded => ("!", "Part of these figures may tell of the generator and not of the server:"),
            Validity::Invalid => ("✕", "Do not quote these figures: they do not tell of the server, or do not add up."),
        };
        m.within("div", &[("class", &format!("verdict {}", state.name()))], |m| {
            m.within("h2", &[("id", "verdict-heading")], |m| {
                m.leaf("span", &[("class", "sign"), ("aria-hidden", "true")], sign);
                m.text(&format!("Measurement {}", state.name()));
            });
            m.leaf("p", &[], words);
            if !s.verdict.reasons.is_empty() {
                m.within("ul", &[], |m| s.verdict.reasons.iter().for_each(|reason| m.leaf("li", &[], reason)));
            }
        });
        m.within("div", &[("class", "headlines")], |m| {
            [desks(run), people(run), exchanges(run), pace(run)].into_iter().flatten().for_each(|card| card.write(m));
        });
    });
}

/// Where the page comes from.
pub(super) fn footer(m: &mut Markup, run: &Run) {
    m.leaf(
        "p",
        &[],
        &format!(
            "Made by bootstorm {} from the journal of this run. The same figures for programs: summary.json, \
             operations.csv, intervals.csv and histograms.hlog beside this file. This page holds no script and asks no \
             server for anything.",
            run.summary.version
        ),
    );
}

fn marks(m: &mut Markup, run: &Run) {
    let marks = &run.record.marks;
    let mut mark = |name: &str, words: &str| {
        m.within("p", &[("class", "mark")], |m| {
            m.leaf("strong", &[], name);
            m.text(&format!(" {words}"));
        });
    };
    if marks.partial {
        mark("PARTIAL", "The run was interrupted: these are the figures of a part of it.");
    }
    if let Some(ms) = marks.ends_at_ms {
        let at = seconds(Some(ms as f64 / 1e3));
        mark(
            "ENDS EARLY",
            &format!("The journal ends after {at} without an ending: what happened later is not known."),
        );
    }
    if marks.tls_not_verified {
        mark("TLS NOT VERIFIED", "Certificates were not checked: nothing here tells whether phones would trust them.");
    }
    if marks.accepted_invalid {
        mark("INVALID ACCEPTED", "Whoever ran this accepted an invalid measurement beforehand.");
    }
}

/// One headline.
struct Card {
    class: &'static str,
    value: String,
    name: String,
    more: Vec<String>,
}

impl Card {
    fn write(&self, m: &mut Markup) {
        m.within("div", &[("class", &format!("card {}", self.class))], |m| {
            m.within("p", &[("class", "headline")], |m| {
                m.leaf("span", &[("class", "value")], &tied(&self.value));
                m.leaf("span", &[("class", "name")], &tied(&self.name));
            });
            self.more.iter().for_each(|line| m.leaf("p", &[("class", "more")], &tied(line)));
        });
    }
}

fn desks(run: &Run) -> Option<Card> {
    let (s, p) = (&run.summary.storm, &run.summary.phones);
    let mut more = Vec::new();
    if let Some(all) = s.provisioned_100_s {
        let half = seconds(s.provisioned_50_s);
        more.push(format!("half of them after {half}, 95 % after {}", seconds(s.provisioned_95_s)));
        if run.summary.compression != 1.0 {
            let theirs = seconds(Some(all * run.summary.compression));
            more.push(format!("these are the run's seconds; in the phones' time all work after {theirs}"));
        }
        if p.provisioned < p.total {
            more.push(format!("at the end {} of {} do", count(p.provisioned), count(p.total)));
        }
        let name = match s.phones == p.total {
            true => "until every desk works".to_owned(),
            false => format!("until each of the {} desks that lost power works", count(s.phones)),
        };
        return Some(Card { class: "good", value: seconds(Some(all)), name, more });
    }
    if s.phones > 0 {
        let [half, most] = [(s.provisioned_50_s, "half"), (s.provisioned_95_s, "95 %")].map(|(at, share)| match at {
            Some(_) => format!("{share} after {}", seconds(at)),
            None => format!("{share} never"),
        });
        more.push(format!("{half}, {most}, all never"));
        more.extend(s.drain_s.map(|at| format!("the last one that got through after {}", seconds(Some(at)))));
    }
    let all = p.provisioned == p.total;
    if p.failed > 0 {
        let shows = if p.failed == 1 { "shows" } else { "show" };
        more.push(format!("{} came up, and {shows} no screen", plural(p.failed, "phone never", "phones never")));
    }
    let class = if all { "good" } else { "bad" };
    let name = format!("of {} work at the end", plural(p.total, "desk", "desks"));
    (p.total > 0).then(|| Card { class, value: count(p.provisioned), name, more })
}

fn people(run: &Run) -> Option<Card> {
    let (p, a) = (&run.summary.phones, &run.summary.auth);
    let shown: u64 = a.prompts.values().sum();
    let mut more = Vec::new();
    if shown > 0 {
        let typed = a.typed.right + a.typed.wrong;
        more.push(format!("screens came up {} in the run", times(shown)));
        more.push(match typed {
            0 => "nobody typed anything".to_owned(),
            _ => format!("people typed {}, {} of them wrongly", times(typed), count(a.typed.wrong)),
        });
    } else {
        more.push("no phone ever showed a screen that asks for a password".to_owned());
    }
    let name = if p.prompting == 1 { "phone waits for a person" } else { "phones wait for a person" };
    let class = if p.prompting == 0 { "good" } else { "bad" };
    Some(Card { class, value: count(p.prompting), name: name.to_owned(), more })
}

/// Units stay on the line of their numbers.
fn tied(text: &str) -> String {
    let mut tied = String::with_capacity(text.len());
    for word in text.split_inclusive(' ') {
        let unit = matches!(word.trim_end_matches([' ', ',', ')']), "%" | "s" | "ms" | "min" | "h");
        if unit && tied.ends_with(' ') {
            tied.pop();
            tied.push('\u{a0}');
        }
        tied.push_str(word);
    }
    tied
}

fn times(n: u64) -> String {
    plural(n, "time", "times")
}

fn exchanges(run: &Run) -> Option<Card> {
    let e = &run.summary.exchanges;
    let refused = e.status.get("401").copied().unwrap_or(0);
    let mut more = vec![format!("{} answered with 401 ({})", count(refused), share(refused, e.answered))];
    if e.failed > 0 {
        more.push(format!("{} failed before an answer was complete", count(e.failed)));
    }
    if let Some(times) = run.summary.storm.amplification {
        more.push(format!("{} for each that a calm fleet needs", figure(Some(times))));
    }
    let name = "exchanges with the server".to_owned();
    (e.total > 0).then(|| Card { class: "", value: count(e.total), name, more })
}

/// The operation most of the run was about: the one with the most samples, a restore before all others.
fn pace(run: &Run) -> Option<Card> {
    let operations = &run.summary.operations;
    let key = |(name, o): &(&String, &Operation)| (name.as_str() == "restore", o.response_ok_ms.samples);
    let (name, o) = operations.iter().filter(|(_, o)| o.response_ok_ms.samples > 0).max_by_key(key)?;
    let (share, ms) = highest(&o.response_ok_ms)?;
    let mut more = Vec::new();
    if let Some(p50) = o.response_ok_ms.p50.filter(|_| share != "half") {
        more.push(format!("half of them within {}", milliseconds(p50)));
    }
    more.extend(o.response_ok_ms.max.map(|max| format!("the slowest took {}", milliseconds(max))));
    let succeed = if o.succeeded < o.started { "that succeed " } else { "" };
    let all = if share == "the slowest" { format!("{share} {name}") } else { format!("{share} of {name}s {succeed}") };
    let are = if share == "the slowest" { "is" } else { "are" };
    let name = format!("until {} {are} done", all.trim_end());
    Some(Card { class: "", value: milliseconds(ms), name, more })
}

/// The highest quantile that is known.
fn highest(f: &Figures) -> Option<(&'static str, f64)> {
    [("99 %", f.p99), ("90 %", f.p90), ("half", f.p50), ("the slowest", f.max)]
        .into_iter()
        .find_map(|(share, value)| Some((share, value?)))
}

fn milliseconds(ms: f64) -> String {
    if ms < 1_000.0 { format!("{} ms", figure(Some(ms))) } else { seconds(Some(ms / 1e3)) }
}
