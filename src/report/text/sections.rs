//! The sections that are counts and words.

use super::Page;
use crate::report::number::{bytes, count, figure, percent, seconds};
use crate::report::summary::{Figures, Named, Summary};
use crate::report::table::{Align, Table};
use crate::workload::Judgement;

/// The order in which operations are told: as the boot chain has them.
pub(super) fn in_order(summary: &Summary) -> impl Iterator<Item = (&str, &crate::report::summary::Operation)> {
    crate::phone::Operation::ALL
        .into_iter()
        .filter_map(|operation| summary.operations.get_key_value(operation.name()).map(|(name, o)| (name.as_str(), o)))
}

pub(super) fn verdict(page: &mut Page, s: &Summary) {
    let state = page.style.verdict(s.verdict.state, &s.verdict.state.name().to_uppercase());
    let compressed =
        if s.compression == 1.0 { String::new() } else { format!(", {} × compressed", figure(Some(s.compression))) };
    page.line(&format!(
        "{state}  {}: {} phones in {}{compressed}  (seed {}, {})",
        s.workload.name,
        count(s.phones.total),
        seconds(Some(s.wall_s)),
        s.seed,
        s.started_at
    ));
    for reason in &s.verdict.reasons {
        for (i, line) in super::wrap(reason, super::COLUMNS - 4).into_iter().enumerate() {
            page.line(&format!("{}{line}", if i == 0 { "  - " } else { "    " }));
        }
    }
    for (mark, words) in s.marks.told(&s.verdict) {
        let styled = if mark == "PARTIAL" { page.style.warning(mark) } else { page.style.bad(mark) };
        page.line(&format!("{styled}  {words}"));
    }
}

pub(super) fn storm(page: &mut Page, s: &Summary) {
    let storm = &s.storm;
    if storm.phones == 0 {
        return;
    }
    page.heading("Storm", &format!("power returns to {} phones; times from its first return", count(storm.phones)));
    let reached =
        [("50 %", storm.provisioned_50_s), ("95 %", storm.provisioned_95_s), ("100 %", storm.provisioned_100_s)].map(
            |(share, at)| match at {
                Some(_) => format!("{share} after {}", seconds(at)),
                None => format!("{share} never"),
            },
        );
    page.fact("provisioned", &reached.join(" · "));
    if storm.drain_s.is_some() {
        let phones = format!("{} of {}", count(storm.provisioned), count(storm.phones));
        page.fact("drain", &format!("{} until the last phone that got through ({phones})", seconds(storm.drain_s)));
    }
    page.fact("in flight", &format!("at most {} exchanges at once", count(storm.peak_in_flight)));
    if storm.amplification.is_some() {
        let times = figure(storm.amplification);
        page.fact("amplification", &format!("{times} exchanges sent for each that a calm fleet needs"));
    }
}

pub(super) fn phones(page: &mut Page, s: &Summary) {
    let p = &s.phones;
    page.heading("Phones", &format!("{} in all, at the end", count(p.total)));
    for (name, n, words) in [
        ("provisioned", p.provisioned, String::new()),
        ("prompting", p.prompting, prompting_words(p.prompting, &s.auth.prompts)),
        ("failed", p.failed, failed_words(s)),
    ] {
        const COUNT: usize = 7;
        for (i, line) in super::wrap(&words, super::COLUMNS - super::NAME - COUNT - 4).into_iter().enumerate() {
            let (name, n) = if i == 0 { (name, count(n)) } else { ("", String::new()) };
            page.line(&format!("  {name:<width$}{n:>COUNT$}  {line}", width = super::NAME));
        }
    }
}

fn prompting_words(phones: u64, prompts: &Named) -> String {
    match phones {
        0 => String::new(),
        _ => format!("a person is needed at each · screens shown: {}", by_count(prompts, " ")),
    }
}

fn failed_words(s: &Summary) -> String {
    if s.phones.failed == 0 {
        return String::new();
    }
    let mut words = Vec::new();
    if s.phones.failed_off > 0 {
        words.push(format!("{} without power to the end", count(s.phones.failed_off)));
    }
    if s.phones.failed_booting > 0 {
        words.push(format!("{} still in the boot chain", count(s.phones.failed_booting)));
    }
    let mut causes = Named::new();
    for operation in s.operations.values() {
        for (outcome, n) in &operation.outcomes {
            if outcome != "ok" && !outcome.starts_with("prompt-") {
                *causes.entry(outcome.clone()).or_default() += n;
            }
        }
    }
    if !causes.is_empty() {
        words.push(format!("operations that failed in the run: {}", by_count(&causes, " ")));
    }
    words.join(" · ")
}

pub(super) fn operations(page: &mut Page, s: &Summary) {
    if s.operations.is_empty() {
        return page.heading("Operations", "none was planned");
    }
    page.gap();
    let right = (Align::Right, 7);
    let mut table = Table::new(&[(Align::Left, super::NAME), right, right, right, right, (Align::Left, 0)]);
    table.row(["Operations", "planned", "started", "dropped", "ok", "otherwise (whose fault)"]);
    for (name, o) in in_order(s) {
        let mut others: Vec<_> = o.outcomes.iter().filter(|(outcome, _)| *outcome != "ok").collect();
        others.sort_by_key(|(outcome, n)| (std::cmp::Reverse(**n), (*outcome).clone()));
        let others = others.into_iter().map(|(outcome, n)| {
            let fault = o.faults.get(outcome).map_or("none", String::as_str);
            format!("{} {outcome} ({fault})", count(*n))
        });
        let dropped = o.dropped_causes.iter().map(|(cause, n)| format!("{} dropped: {cause}", count(*n)));
        let mut words = others.chain(dropped);
        let counts = [o.planned, o.started, o.dropped, o.succeeded].map(count);
        table.row([format!("  {name}")].into_iter().chain(counts).chain(words.next()));
        for more in words {
            table.row([const { String::new() }; 5].into_iter().chain([more]));
        }
    }
    titled(page, &table, "Operations");
}

/// A table whose first line begins with a heading.
pub(super) fn titled(page: &mut Page, table: &Table, heading: &str) {
    let lines: Vec<String> = table.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        match line.strip_prefix(heading) {
            Some(rest) if i == 0 => {
                let heading = page.style.strong(heading);
                page.line(&format!("{heading}{rest}"));
            }
            _ => page.line(line),
        }
    }
}

pub(super) fn auth(page: &mut Page, s: &Summary) {
    let a = &s.auth;
    let challenges: u64 = a.challenges.values().sum();
    let answers: u64 = a.answers.values().sum();
    if challenges + answers == 0 {
        return;
    }
    page.heading("Authentication", "");
    page.fact("challenges", &format!("{} · {}", count(challenges), by_count(&a.challenges, " ")));
    page.fact("answers", &format!("{} · {}", count(answers), by_count(&a.answers, " ")));
    page.fact("retry rate", &format!("{} exchanges sent again per operation started", figure(a.retry_rate)));
    let prompts: u64 = a.prompts.values().sum();
    if prompts > 0 {
        let typed = match (a.typed.right, a.typed.wrong) {
            (0, 0) => "nobody typed".to_owned(),
            (right, wrong) => format!("typed right {}, wrong {}", count(right), count(wrong)),
        };
        page.fact("prompts", &format!("{} · {} · {typed}", count(prompts), by_count(&a.prompts, " ")));
    }
    if a.stored > 0 {
        page.fact("stored anew", &count(a.stored));
    }
}

pub(super) fn exchanges(page: &mut Page, s: &Summary) {
    let e = &s.exchanges;
    page.heading("Exchanges", &format!("{} · {} per operation", count(e.total), figure(e.per_operation)));
    if e.answered > 0 {
        page.fact("by status", &by_count(&e.status, " × "));
    }
    if e.failed > 0 {
        let failures: Vec<String> = sorted(&e.failures)
            .map(|(failure, n)| {
                format!("{failure} {} ({})", count(n), e.faults.get(failure).map_or("none", String::as_str))
            })
            .collect();
        page.fact("failed", &format!("{} · {}", count(e.failed), failures.join(" · ")));
    }
    let c = &e.connections;
    let mut words =
        vec![format!("{} opened", count(c.opened)), format!("{} exchanges over a kept one", count(c.reused))];
    if c.reconnected > 0 {
        words.push(format!("{} found it dead", count(c.reconnected)));
    }
    page.fact("connections", &words.join(" · "));
    page.fact("on the wire", &format!("{} sent · {} received", bytes(e.bytes_out), bytes(e.bytes_in)));
}

pub(super) fn generator(page: &mut Page, s: &Summary) {
    let g = &s.generator;
    let plural = if g.shards == 1 { "shard" } else { "shards" };
    page.heading("Generator", &format!("{} {plural}", g.shards));
    let busiest = if g.shards > 1 { format!(", the busiest {}", percent(g.cpu_busy_max)) } else { String::new() };
    page.fact("CPU", &format!("{} of their cores{busiest} · {} CPU s", percent(g.cpu_busy), figure(Some(g.cpu_s))));
    let a = &g.cpu_account;
    if a.opening_s + a.handshakes_s > 0.0 {
        let parts = [("opening", a.opening_s), ("handshakes", a.handshakes_s), ("closing", a.closing_s)];
        let parts =
            parts.into_iter().filter(|(_, s)| *s > 0.0).map(|(what, s)| format!("{what} {} s", figure(Some(s))));
        let parts: Vec<_> = parts.collect();
        let rest = format!("the rest {} s, {} µs per exchange", figure(Some(a.rest_s)), figure(a.rest_us_per_exchange));
        page.fact("of that", &format!("{} · {rest}", parts.join(" · ")));
    }
    let mut worst: Vec<String> = [("of a core wanted", g.shard_demand_max), ("waited for it", g.shard_waited_max)]
        .into_iter()
        .filter_map(|(what, share)| share.map(|share| format!("{} {what}", percent(share))))
        .collect();
    worst.extend(g.core_busy_max.iter().map(|(core, busy)| format!("core {core} {} busy", percent(*busy))));
    worst.extend(g.steal_max.filter(|steal| *steal > 0.0).map(|steal| format!("{} stolen", percent(steal))));
    if !worst.is_empty() {
        page.fact("worst second", &worst.join(" · "));
    }
    let mut words = vec![format!("{} resident", bytes(g.rss_bytes))];
    words.extend(g.rss_per_phone_bytes.map(|n| format!("{} B a phone at rest", count(n))));
    words.push(format!("at most {} files open{}", count(g.open_files), of(g.open_files_limit)));
    words.extend(g.ports_max.map(|n| format!("{} ports taken{}", count(n), of(g.ports_limit))));
    page.fact("memory", &words.join(" · "));
    let late = |f: &Figures| format!("p99 {} ms, max {} ms", figure(f.p99), figure(f.max));
    page.fact("loop lag", &late(&g.loop_lag_ms));
    if g.timer_floor_ms.samples > 0 {
        let floor = late(&g.timer_floor_ms);
        page.fact("timer floor", &format!("{floor}, measured before the run: lateness below its p99 means nothing"));
    }
    if g.pace_ms.samples > 0 {
        page.fact("plan kept", &format!("{} behind the intended moment", late(&g.pace_ms)));
    }
}

/// ` of 1,024`, if that is known.
fn of(limit: Option<u64>) -> String {
    limit.map_or_else(String::new, |limit| format!(" of {}", count(limit)))
}

pub(super) fn thresholds(page: &mut Page, s: &Summary) {
    if s.thresholds.is_empty() {
        return;
    }
    let crossed = s.thresholds.iter().filter(|t| t.crossed()).count();
    let judged = s.thresholds.iter().any(|t| t.judgement != Judgement::NotJudged);
    let about = match crossed {
        _ if !judged => "not judged: the run did not come to its end".to_owned(),
        0 => format!("all {} hold", s.thresholds.len()),
        n => format!("{n} of {} crossed", s.thresholds.len()),
    };
    page.heading("Thresholds", &about);
    let widest = s.thresholds.iter().map(|t| t.text.chars().count() + t.told().chars().count()).max().unwrap_or(0);
    let mut table = Table::new(&[(Align::Left, 0), (Align::Right, 0)]);
    s.thresholds.iter().for_each(|t| table.row([t.text.clone(), t.told()]));
    let lines: Vec<String> = table.lines().collect();
    for (threshold, line) in s.thresholds.iter().zip(&lines) {
        let mark = match threshold.judgement {
            Judgement::NotJudged => "  – ".to_owned(),
            _ if threshold.pass => page.style.good("pass"),
            _ => page.style.bad("FAIL"),
        };
        if widest + 10 <= super::COLUMNS {
            page.line(&format!("  {mark}  {line}"));
            continue;
        }
        // Too long for a column of values: the value stands below.
        for (i, part) in super::wrap(&threshold.text, super::COLUMNS - 8).into_iter().enumerate() {
            if i == 0 {
                page.line(&format!("  {mark}  {part}"));
            } else {
                page.line(&format!("        {part}"));
            }
        }
        page.line(&format!("          {}", threshold.told()));
    }
}

/// Those that are not zero, most first: `first 2,000 · rejected 10`.
pub(super) fn by_count(named: &Named, between: &str) -> String {
    let words: Vec<String> = sorted(named).map(|(name, n)| format!("{name}{between}{}", count(n))).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(" · ") }
}

fn sorted(named: &Named) -> impl Iterator<Item = (&String, u64)> {
    let mut entries: Vec<_> = named.iter().filter(|(_, n)| **n > 0).map(|(name, n)| (name, *n)).collect();
    entries.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), *name));
    entries.into_iter()
}
