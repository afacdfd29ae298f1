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
            let mut words =
                vec![meaning(find, &d.told(knee.value)).map_or(ends.clone(), |what| format!("{what}: {ends}"))];
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

/// What the knee means for the server; `None` if the key is not a usual one.
fn meaning(find: &str, knee: &str) -> Option<String> {
    if find == "phones" {
        return Some(format!("the server carries about {knee} phones"));
    }
    let (phase, key) = find.strip_prefix("phase.")?.rsplit_once('.')?;
    match key {
        "rate" => {
            Some(format!("the server carries about {} starts a second (phase {phase})", knee.strip_suffix("/s")?))
        }
        "over" => Some(format!("the server stands a storm over {knee} and no narrower one (phase {phase})")),
        _ => None,
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
            // Where κ may be nothing, so may the loss beyond the peak.
            let less = if law.kappa.low > 0.0 { ", and less beyond" } else { ", and hardly more beyond" };
            (format!("at {} operations at once{less}", figure(Some(at))), at > 2.0 * law.measured_to)
        }
        None => ("and levels off there".to_owned(), false),
    };
    let warning = if beyond { "; far beyond what was measured, so take it as a guess" } else { "" };
    format!("predicts at most {} ok operations a second (95 %: {error}) {how}{warning}", rate(value))
}

fn parameters(law: &Usl) -> String {
    let told = |name: &str, e: &Estimate| format!("{name} {} (± {})", short(e.value), short((e.high - e.value).abs()));
    format!(
        "one operation alone: {} a second; {}: the part that queues; {}: the cost of keeping in step; {} loads, which lie {} \
         off the curve",
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

/// What to do about it, a sentence each.
pub(in crate::report) fn advice(d: &Document) -> Vec<String> {
    let mut told: Vec<String> = match &d.found {
        None => vec!["search again, and let it come to its end".to_owned()],
        Some(Found::Knee(knee)) => {
            let easier = if d.sought.harder == Harder::Larger { "less" } else { "more" };
            let mut told = vec![format!(
                "plan for {easier} than {}: this was one workload on one seed, and a server that did nothing else",
                d.told(knee.met_at)
            )];
            if !knee.contradicted.is_empty() || !knee.tight {
                told.push("to know it closer, let the phase last longer, or ask more often (--repeats)".to_owned());
            }
            told
        }
        Some(Found::Met { at }) => vec![format!("to find the knee, search beyond {} (--to)", d.told(*at))],
        Some(Found::Missed { at }) => vec![format!("to find the knee, begin before {} (--from)", d.told(*at))],
        Some(Found::Limited { .. }) => {
            let what = d.bound.as_ref().map_or("", |bound| bound.what.as_str());
            vec![match what {
                "ports" => "give the generator more local ports: more source addresses (network.sources)".to_owned(),
                "files" => "let the generator open more files (ulimit -n)".to_owned(),
                "memory" => "search on a machine with more memory".to_owned(),
                _ => "search from a machine with more cores, or one that has nothing else to do".to_owned(),
            }]
        }
    };
    if let Some(broke) = d.broke.as_ref().filter(|broke| !broke.remedy.is_empty()) {
        told.push(broke.remedy.clone());
    }
    if d.recovery.as_ref().is_some_and(|r| r.judgement == Recovery::MetastableCollapse) {
        told.push(
            "it will not come back by itself: let it turn away at once what it could not answer in time (a shorter queue), \
             and let phones wait longer, each for another time, before they ask again"
                .to_owned(),
        );
    }
    told
}

/// What became of the server beyond its knee: the judgement, and why.
pub(in crate::report) fn recovery(d: &Document) -> Option<(String, String)> {
    let Some(r) = &d.recovery else {
        return d.no_recovery.as_ref().map(|why| ("not watched".to_owned(), why.clone()));
    };
    let [before, during, _, after] = &r.parts;
    let rate = |value: f64| figure(Some(value));
    let at = |load: f64, part: &crate::capacity::Stretch| {
        format!("{} at {} ({} failed)", rate(part.goodput_per_s), d.told(load), percent(part.failed()))
    };
    let left_off = match r.left_off {
        0 => String::new(),
        n => format!(
            ". {} operations among those that failed were left off by phones whose power returned once more",
            count(n)
        ),
    };
    let how = format!(
        "Ok operations a second: {}, then {}, then {} again{left_off}",
        at(r.base, before),
        at(r.beyond, during),
        at(r.base, after)
    );
    let words = match r.judgement {
        Recovery::Overload if after.goodput_per_s > Recovery::MORE * before.goodput_per_s => {
            format!("the load is gone, and the server works off what it has left. {how}")
        }
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
