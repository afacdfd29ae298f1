//! What was found, in sentences: the same in text and page.

use super::Document;
use crate::capacity::usl::{Estimate, Usl};
use crate::capacity::{Found, Harder, Recovery};
use crate::report::number::{count, figure, percent, value};

/// What was found: a headline of a few words, and sentences that say what it means.
pub(in crate::report) fn found(d: &Document) -> (String, Vec<String>) {
    let find = &d.sought.find;
    let Some(found) = &d.found else {
        let words = "the search was interrupted: the probes that were made are told, and nothing follows from them";
        return ("not found".to_owned(), vec![words.to_owned()]);
    };
    match found {
        Found::Knee(knee) => {
            let ends = format!("{} met the thresholds, {} missed them", d.told(knee.met_at), d.told(knee.missed_at));
            let mut words = vec![ends];
            if !knee.contradicted.is_empty() {
                let at: Vec<_> = knee.contradicted.iter().map(|load| d.told(*load)).collect();
                words.push(format!(
                    "answers contradict each other at {}, so the interval is widened to {}",
                    at.join(", "),
                    interval(d, knee.low, knee.high)
                ));
            }
            if !knee.tight {
                words.push("the search was given up before the interval was as close as asked".to_owned());
            }
            (d.told(knee.value), words)
        }
        Found::Met { at } => {
            let words =
                format!("the thresholds are met over the whole range, up to {find} = {}: no knee in it", d.told(*at));
            (format!("none up to {}", d.told(*at)), vec![words])
        }
        Found::Missed { at } => {
            let words =
                format!("the thresholds are missed at {find} = {} already, the easiest load of the range", d.told(*at));
            (
                format!("{} {}", if d.sought.harder == Harder::Larger { "below" } else { "above" }, d.told(*at)),
                vec![words],
            )
        }
        Found::Limited { at_least, blind_at, missed_at } => limited(d, *at_least, *blind_at, *missed_at),
    }
}

fn limited(d: &Document, at_least: Option<f64>, blind_at: f64, missed_at: Option<f64>) -> (String, Vec<String>) {
    let bound = d.bound.as_ref().map_or_else(String::new, |bound| format!(" ({})", bound.what));
    let Some(met) = at_least else {
        let words = format!("not even {} could be measured: the generator was the limit{bound}", d.told(blind_at));
        return ("no knee within what this generator can do".to_owned(), vec![words]);
    };
    let most = if d.sought.harder == Harder::Larger { "at least" } else { "at most" };
    let mut words = vec![format!(
        "no knee within what this generator can do: {most} {}; from {} on the generator was the limit{bound}",
        d.told(met),
        d.told(blind_at)
    )];
    if let Some(missed) = missed_at {
        words.push(format!("{} was measured and missed the thresholds", d.told(missed)));
    }
    (format!("{most} {}", d.told(met)), words)
}

/// The interval around the knee.
pub(in crate::report) fn interval(d: &Document, low: f64, high: f64) -> String {
    format!("{} to {}", d.told(low), d.told(high))
}

/// What was asked, in a line.
pub(in crate::report) fn asked(d: &Document) -> String {
    let s = &d.sought;
    let harder = match s.harder {
        Harder::Larger => "larger is harder",
        Harder::Smaller => "smaller is harder",
    };
    format!(
        "{} from {} to {} ({harder}), within {}",
        s.find,
        d.told(s.easiest),
        d.told(s.hardest),
        tolerance(s.tolerance)
    )
}

fn tolerance(share: f64) -> String {
    format!("{} %", value((share * 1e4).round() / 100.0))
}

/// How many probes there were.
pub(in crate::report) fn probes(d: &Document) -> String {
    let all = d.probes.len();
    let how = if d.in_virtual_time { "in virtual time" } else { "on the same seed" };
    let mut words = format!("{all} probe{} {how}", if all == 1 { "" } else { "s" });
    match d.not_counted() {
        0 => {}
        n => words += &format!(", {n} of them invalid and not counted"),
    }
    words
}

/// What the law of scalability says.
pub(in crate::report) fn scalability(d: &Document) -> Vec<String> {
    let Some(law) = &d.scalability else {
        return d.no_scalability.iter().map(|why| format!("no law of scalability is fitted: {why}")).collect();
    };
    vec![prediction(d, law), parameters(law)]
}

fn prediction(d: &Document, law: &Usl) -> String {
    // The law is of real time, the curve of phone time.
    let rate = |value: f64| figure(Some(value / d.compression));
    let Some(most) = law.most else {
        return format!("no limit in sight up to {} operations at once", figure(Some(law.measured_to)));
    };
    let Estimate { value, low, high } = most;
    let error = format!("{} to {}", rate(low.max(0.0)), rate(high));
    let (how, beyond) = match law.peak_at {
        Some(at) => {
            (format!("at {} operations at once, and less beyond", figure(Some(at))), at > 2.0 * law.measured_to)
        }
        None => ("and levels off there".to_owned(), false),
    };
    let warning = if beyond { "; far beyond what was measured, so take it as a guess" } else { "" };
    format!("predicts at most {} ok operations a second (95 %: {error}) {how}{warning}", rate(value))
}

fn parameters(law: &Usl) -> String {
    let told = |name: &str, e: &Estimate| format!("{name} {} (± {})", short(e.value), short((e.high - e.value).abs()));
    format!(
        "{}, {}, {}; {} loads, which lie {} off the curve",
        told("λ", &law.lambda),
        told("σ", &law.sigma),
        told("κ", &law.kappa),
        law.points,
        tolerance(law.scatter)
    )
}

/// Three digits, however small.
fn short(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        v if v.abs() < 1e-3 => format!("{v:.2e}"),
        v if v < 0.0 => format!("−{}", figure(Some(-v))),
        v => figure(Some(v)),
    }
}

/// What became of the server beyond its knee: the judgement, and why.
pub(in crate::report) fn recovery(d: &Document) -> Option<(String, String)> {
    let Some(r) = &d.recovery else {
        return d.no_recovery.as_ref().map(|why| ("not watched".to_owned(), why.clone()));
    };
    let [before, during, _, after] = &r.parts;
    let rate = |value: f64| figure(Some(value));
    let how = format!(
        "{} before, {} beyond the knee, and {} again: ok operations a second {} before, {} beyond it, {} after; failed {}, {}, {}",
        d.told(r.base),
        d.told(r.beyond),
        d.told(r.base),
        rate(before.goodput_per_s),
        rate(during.goodput_per_s),
        rate(after.goodput_per_s),
        percent(before.failed()),
        percent(during.failed()),
        percent(after.failed()),
    );
    let words = match r.judgement {
        Recovery::Overload => format!("when the load is gone, the server does as before. {how}"),
        Recovery::MetastableCollapse => format!(
            "the load is gone and the server does not come back: the phones' own retries ({} exchanges a second, {} \
             before) and work for phones that no longer wait keep it down. {how}",
            rate(after.sent_per_s),
            rate(before.sent_per_s)
        ),
        Recovery::CannotTell if before.succeeded < Recovery::FEWEST => {
            format!(
                "only {} operations ended ok before the load: too few to compare with. {how}",
                count(before.succeeded)
            )
        }
        Recovery::CannotTell => format!("the load beyond the knee did no harm that could pass. {how}"),
    };
    Some((r.judgement.name().to_owned(), words))
}
