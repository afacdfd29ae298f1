//! The phones a person will ask about, by extension: those that never came up, and the slowest operations.

use super::markup::Markup;
use super::{Run, lead, nothing, words};
use crate::metrics::{Notable, Notables, Step};
use crate::phone::Operation;
use crate::report::number::{figure, seconds};

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let notables = &run.record.tally.notables;
    if notables.slowest.is_empty() && notables.stranded.is_empty() {
        return nothing(m, "This run did not keep single phones' stories.");
    }
    lead(m, "By extension, each with its last exchanges. Times count from the beginning of the run.");
    m.leaf("h3", &[], "Phones that did not come up");
    if notables.stranded.is_empty() {
        nothing(m, "None: every phone that began to boot came through, or had power cut before it could.");
    } else {
        let more = (notables.stranded.len() >= Notables::STRANDED)
            .then(|| format!("The first {}; there may be more.", Notables::STRANDED));
        more.iter().for_each(|more| m.leaf("p", &[("class", "note")], more));
        list(m, &notables.stranded);
    }
    for operation in Operation::ALL {
        let slowest: Vec<Notable> = notables.slowest.iter().filter(|n| n.operation == operation).cloned().collect();
        if !slowest.is_empty() {
            m.leaf("h3", &[], &format!("The slowest: {operation}"));
            list(m, &slowest);
        }
    }
}

/// So many are seen at first.
const SEEN: usize = 12;

fn list(m: &mut Markup, notables: &[Notable]) {
    let (seen, folded) = notables.split_at(SEEN.min(notables.len()));
    m.within("div", &[("class", "stories")], |m| {
        seen.iter().for_each(|notable| story(m, notable));
        if !folded.is_empty() {
            m.within("details", &[("class", "more-stories")], |m| {
                m.leaf("summary", &[], &format!("{} more", folded.len()));
                folded.iter().for_each(|notable| story(m, notable));
            });
        }
    });
}

fn story(m: &mut Markup, n: &Notable) {
    m.within("details", &[("class", "story")], |m| {
        m.within("summary", &[], |m| {
            m.leaf("span", &[("class", "who")], &who(n));
            m.leaf("span", &[("class", "what")], n.operation.name());
            m.leaf("span", &[("class", "long")], &duration(n.response_us));
            let ended = n.outcome.map_or_else(|| "not ended".to_owned(), |outcome| outcome.name().into_owned());
            let class = if n.outcome.is_some_and(|o| o.is_success()) { "chip good" } else { "chip bad" };
            m.leaf("span", &[("class", class)], &ended);
        });
        let began = duration(n.intended_us);
        let why = n.outcome.map_or("the run ended first", |outcome| words::outcome(&outcome.name()));
        m.leaf("p", &[], &format!("Meant to begin at {began}; {why}."));
        if n.left_out > 0 {
            let left_out = super::plural(n.left_out.into(), "exchange", "exchanges");
            m.leaf("p", &[("class", "note")], &format!("{left_out} before these are left out."));
        }
        if n.steps.is_empty() {
            return m.leaf("p", &[("class", "note")], "It never sent a request.");
        }
        m.within("ol", &[("class", "steps")], |m| n.steps.iter().for_each(|s| step(m, s)));
    });
}

fn who(n: &Notable) -> String {
    if n.extension.is_empty() { format!("phone {}", n.phone) } else { n.extension.clone() }
}

fn step(m: &mut Markup, step: &Step) {
    m.within("li", &[], |m| {
        m.leaf("span", &[("class", "at")], &duration(step.at_us));
        m.within("span", &[("class", "request")], |m| {
            m.leaf("code", &[], &format!("{} {}", step.method, step.path));
        });
        let (class, answer) = match (step.status, step.failure) {
            (_, Some(failure)) => ("bad", failure.name().to_owned()),
            (Some(401), None) => ("asked", "401".to_owned()),
            (Some(status), None) => (if status < 400 { "good" } else { "bad" }, status.to_string()),
            (None, None) => ("", "no answer yet".to_owned()),
        };
        m.leaf("span", &[("class", &format!("answer {class}"))], &answer);
        let took = step.took_us.map_or_else(|| "not ended".to_owned(), duration);
        m.leaf("span", &[("class", "took")], &took);
    });
}

fn duration(us: u64) -> String {
    if us < 1_000_000 { format!("{} ms", figure(Some(us as f64 / 1e3))) } else { seconds(Some(us as f64 / 1e6)) }
}
