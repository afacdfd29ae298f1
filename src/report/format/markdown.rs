//! A run in Markdown, for a pull request or a wiki: the verdict first, then tables.

use std::fmt::Write as _;

use crate::metrics::Validity;
use crate::phone;
use crate::report::number::{bytes, count, figure, percent, seconds};
use crate::report::summary::{Figures, Summary};
use crate::report::sureness;
use crate::report::text::watched;
use crate::report::{Manifest, summary};
use crate::workload::Judgement;

/// The run as GitHub-flavoured Markdown.
pub(super) fn render(s: &Summary, manifest: Option<&Manifest>) -> String {
    let mut page = String::new();
    verdict(&mut page, s);
    thresholds(&mut page, s);
    phones(&mut page, s);
    operations(&mut page, s);
    times(&mut page, s);
    auth_and_tls(&mut page, s);
    ledger(&mut page, s);
    what_was_run(&mut page, s, manifest);
    page
}

fn line(page: &mut String, line: &str) {
    page.push_str(line);
    page.push('\n');
}

/// A table: `---:` for columns of numbers. Cells are escaped here.
fn table<const N: usize>(
    page: &mut String,
    head: [&str; N],
    words: usize,
    rows: impl IntoIterator<Item = [String; N]>,
) {
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    line(page, &row(head.iter().map(|cell| escaped(cell)).collect()));
    line(page, &row((0..N).map(|i| if i < words { "---".into() } else { "---:".into() }).collect()));
    rows.into_iter().for_each(|cells| line(page, &row(cells.iter().map(|cell| escaped(cell)).collect())));
    page.push('\n');
}

/// Nothing in it has a meaning for Markdown any more, and it is one line.
pub(in crate::report) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

fn verdict(page: &mut String, s: &Summary) {
    let mark = match s.verdict.state {
        Validity::Valid => "✅",
        Validity::Degraded => "⚠️",
        Validity::Invalid => "❌",
    };
    // A string takes whatever is written to it.
    let _ = writeln!(page, "# {mark} {}: {}\n", s.verdict.state.name(), escaped(&s.workload.name));
    let crossed = s.thresholds.iter().filter(|t| t.crossed()).count();
    let thresholds = match (crossed, s.thresholds.len()) {
        (_, 0) => String::new(),
        _ if s.thresholds.iter().all(|t| t.judgement == Judgement::NotJudged) => " Thresholds were not judged.".into(),
        (0, n) => format!(" All {n} thresholds hold."),
        (crossed, n) => format!(" **{crossed} of {n} thresholds crossed.**"),
    };
    let phones = count(s.phones.total);
    let _ = writeln!(page, "{phones} phones in {}, seed {}.{thresholds}\n", seconds(Some(s.wall_s)), s.seed);
    let mut remarks: Vec<_> = s.verdict.reasons.iter().map(|reason| escaped(reason)).collect();
    remarks.extend(s.marks.told(&s.verdict).into_iter().map(|(mark, words)| format!("**{mark}**: {words}")));
    remarks.iter().for_each(|remark| line(page, &format!("- {remark}")));
    if !remarks.is_empty() {
        page.push('\n');
    }
}

fn thresholds(page: &mut String, s: &Summary) {
    if s.thresholds.is_empty() {
        return;
    }
    line(page, "## Thresholds\n");
    let rows = s.thresholds.iter().map(|t| {
        let mark = match t.judgement {
            Judgement::NotJudged => "not judged",
            _ if t.pass => "✅ pass",
            _ => "❌ FAIL",
        };
        [mark.into(), t.text.clone(), t.told()]
    });
    table(page, ["", "threshold", "value"], 2, rows);
}

fn phones(page: &mut String, s: &Summary) {
    line(page, "## Phones\n");
    let p = &s.phones;
    let mut rows: Vec<[String; 2]> =
        [("provisioned", p.provisioned), ("prompting: a person is needed", p.prompting), ("failed", p.failed)]
            .map(|(standing, n)| [standing.into(), count(n)])
            .into();
    let storm = &s.storm;
    if storm.phones > 0 {
        for (share, at) in
            [("50 %", storm.provisioned_50_s), ("95 %", storm.provisioned_95_s), ("100 %", storm.provisioned_100_s)]
        {
            let at = at.map_or_else(|| "never".into(), |at| seconds(Some(at)));
            rows.push([format!("{share} provisioned after"), at]);
        }
        rows.push(["most exchanges in flight".into(), count(storm.peak_in_flight)]);
        rows.push(["amplification".into(), figure(storm.amplification)]);
    }
    table(page, ["at the end", ""], 1, rows);
}

fn in_order(s: &Summary) -> impl Iterator<Item = (&str, &summary::Operation)> {
    phone::Operation::ALL
        .iter()
        .filter_map(|o| s.operations.get_key_value(o.name()))
        .map(|(name, figures)| (name.as_str(), figures))
}

fn operations(page: &mut String, s: &Summary) {
    if s.operations.is_empty() {
        return;
    }
    line(page, "## Operations\n");
    let rows = in_order(s).map(|(name, o)| {
        let others = o.outcomes.iter().filter(|(outcome, _)| *outcome != "ok").map(|(outcome, n)| {
            format!("{} {outcome} ({})", count(*n), o.faults.get(outcome).map_or("none", String::as_str))
        });
        let dropped = o.dropped_causes.iter().map(|(cause, n)| format!("{} dropped: {cause}", count(*n)));
        let others: Vec<_> = others.chain(dropped).collect();
        [name.into(), others.join(", "), count(o.planned), count(o.started), count(o.dropped), count(o.succeeded)]
    });
    table(page, ["operation", "otherwise (whose fault)", "planned", "started", "dropped", "ok"], 2, rows);
}

fn figures(name: &str, f: &Figures) -> Option<[String; 8]> {
    let row = [f.mean, f.p50, f.p90, f.p99, f.p99_9, f.max].map(figure);
    let [mean, p50, p90, p99, p99_9, max] = row;
    (f.samples > 0).then(|| [name.into(), mean, p50, p90, p99, p99_9, max, count(f.samples)])
}

fn times(page: &mut String, s: &Summary) {
    let p = &s.exchanges.phases_ms;
    let of_operations = in_order(s).flat_map(|(name, o)| {
        [
            (format!("{name}: response time"), &o.response_ms),
            (format!("{name}: service time"), &o.service_ms),
            (format!("{name}: lateness"), &o.lateness_ms),
        ]
    });
    let of_exchanges = [
        ("exchange: TCP connect", &p.connect),
        ("exchange: TLS handshake", &p.tls),
        ("exchange: first byte", &p.first_byte),
        ("exchange: total", &p.total),
    ];
    let of_exchanges = of_exchanges.map(|(name, figures)| (name.to_owned(), figures));
    let rows: Vec<_> = of_operations.chain(of_exchanges).filter_map(|(name, f)| figures(&name, f)).collect();
    if !rows.is_empty() {
        line(page, "## Times in milliseconds\n");
        table(page, ["", "mean", "p50", "p90", "p99", "p99.9", "max", "samples"], 1, rows);
        line(page, "A dash: too few samples to tell.\n");
        for (operation, words) in sureness::told(s) {
            let of = operation.map_or(String::new(), |operation| format!(" of {operation}, in ms"));
            line(page, &format!("{}{of}: {words}.\n", sureness::NAME));
        }
    }
}

fn auth_and_tls(page: &mut String, s: &Summary) {
    line(page, "## Exchanges, authentication, TLS\n");
    let (e, t) = (&s.exchanges, &s.tls);
    let named = |named: &summary::Named, of: &str| -> Vec<[String; 2]> {
        let known = named.iter().filter(|(_, n)| **n > 0);
        known.map(|(name, n)| [format!("{of}{name}"), count(*n)]).collect()
    };
    let mut rows = vec![["exchanges sent".into(), count(e.total)]];
    rows.extend(named(&e.status, "answered "));
    rows.extend(named(&e.failures, "failed: "));
    rows.extend(named(&s.auth.challenges, "challenges: "));
    rows.extend(named(&s.auth.answers, "answers: "));
    rows.extend(named(&s.auth.prompts, "prompts: "));
    let h = &t.handshakes;
    let kinds = [("full", h.full), ("resumed", h.resumed), ("hello-retry", h.hello_retry), ("failed", h.failed)];
    rows.extend(kinds.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| [format!("TLS handshakes: {kind}"), count(*n)]));
    rows.extend(named(&t.versions, "TLS "));
    rows.extend(named(&t.suites, "suite "));
    rows.extend(named(&t.groups, "group "));
    rows.push(["octets sent".into(), bytes(e.bytes_out)]);
    rows.push(["octets received".into(), bytes(e.bytes_in)]);
    table(page, ["", "count"], 1, rows);
}

/// What each kind of handshake cost, in means, and what the target used.
fn ledger(page: &mut String, s: &Summary) {
    if !s.tls.ledger.is_empty() {
        line(page, "## TLS handshakes, in means\n");
        let rows = s.tls.ledger.iter().map(|(name, l)| {
            let times = [l.handshake_ms.mean, l.phases_ms.verify.mean, l.client_cpu_us.mean, l.target_cpu_us];
            let [ms, verify, client, target] = times.map(figure);
            [
                name.clone(),
                count(l.count),
                ms,
                verify,
                client,
                target,
                figure(l.bytes_out_each),
                figure(l.bytes_in_each),
            ]
        });
        let head = ["", "count", "ms", "verification", "client CPU µs", "target CPU µs", "octets sent", "received"];
        table(page, head, 1, rows);
    }
    if let Some(t) = &s.target {
        line(page, "## The target\n");
        let mut rows = vec![["watched".into(), watched(t)], ["CPU s".into(), figure(Some(t.cpu_s))]];
        rows.extend(t.cpu_us_per_exchange.map(|us| ["CPU µs per exchange".into(), figure(Some(us))]));
        rows.extend(t.cpu_us_per_handshake.map(|us| ["CPU µs per handshake".into(), figure(Some(us))]));
        rows.extend(t.rss_bytes.map(|rss| ["resident memory, most".into(), bytes(rss)]));
        rows.extend((t.gone > 0).then(|| ["named processes that ended before the run".into(), count(t.gone.into())]));
        table(page, ["", ""], 1, rows);
    }
}

fn what_was_run(page: &mut String, s: &Summary, manifest: Option<&Manifest>) {
    line(page, "## What was run\n");
    let mut rows = vec![["workload".into(), format!("{} ({:.12}…)", s.workload.name, s.workload.sha256)]];
    rows.push(["started".into(), s.started_at.clone()]);
    if s.compression != 1.0 {
        rows.push(["compressed".into(), format!("{} ×", figure(Some(s.compression)))]);
    }
    if let Some(m) = manifest {
        rows.push(["target".into(), m.target.clone()]);
        rows.extend(m.overrides.iter().map(|change| ["changed".into(), change.clone()]));
        let cpu = m.machine.cpu_model.as_deref().unwrap_or("unknown processor");
        rows.push(["machine".into(), format!("{} × {cpu}, {}", m.machine.cores, m.machine.kernel)]);
    }
    let g = &s.generator;
    let busy =
        format!("{} of {} shards' cores, the busiest {}", percent(g.cpu_busy), g.shards, percent(g.cpu_busy_max));
    rows.push(["generator's CPU".into(), busy]);
    rows.push(["generator's memory".into(), bytes(g.rss_bytes)]);
    rows.push(["bootstorm".into(), s.version.clone()]);
    table(page, ["", ""], 2, rows);
    // One line's end at the end.
    page.truncate(page.trim_end().len());
    page.push('\n');
}
