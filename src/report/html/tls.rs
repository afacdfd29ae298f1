//! What the TLS handshakes were and what they cost.

use super::chart::{legend, ranges};
use super::markup::Markup;
use super::phases::{range, row};
use super::table::{Cell, table};
use super::{Run, facts, lead, nothing, share};
use crate::report::number::{UNKNOWN, bytes, count, figure};
use crate::report::summary::{Figures, Handshakes, Named, Tls};
use crate::report::text::few;

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let t = &run.summary.tls;
    let h = &t.handshakes;
    let completed = h.full + h.resumed + h.hello_retry;
    let all = completed + h.failed;
    if all == 0 {
        return nothing(m, "There was no TLS handshake: the phones spoke plain HTTP, or never reached the server.");
    }
    let each = bytes(t.bytes_out.checked_div(all).unwrap_or(0));
    let back = bytes(t.bytes_in.checked_div(all).unwrap_or(0));
    lead(m, &format!("{} handshakes; on average {each} sent and {back} received in each.", count(all)));
    let (wall, cpu) = (&t.handshake_by_kind_ms, &t.client_cpu_by_kind_us);
    let kinds: Vec<(&str, &'static str, &Figures, &Figures)> = [
        ("full", "s-network", &wall.full, &cpu.full),
        ("resumed", "s-network", &wall.resumed, &cpu.resumed),
        ("hello-retry", "s-network", &wall.hello_retry, &cpu.hello_retry),
        ("failed", "s-failed", &wall.failed, &cpu.failed),
    ]
    .into_iter()
    .filter(|(_, _, wall, _)| wall.samples > 0)
    .collect();
    legend(m, "", &[("dot-p50", "p50"), ("dot-p90", "p90"), ("dot-p99", "p99")]);
    let steps = [
        ("server flight", "s-server", &t.phases_ms.server_flight),
        ("verification", "s-waited", &t.phases_ms.verify),
        ("finish", "s-waited", &t.phases_ms.finish),
    ];
    let rows: Vec<_> = kinds
        .iter()
        .flat_map(|(kind, class, wall, cpu)| {
            let cpu = range(&format!("{kind}: client CPU"), "s-waited", cpu, 1.0);
            [range(&format!("{kind}: wall time"), class, wall, 1e3), cpu]
        })
        .chain(steps.into_iter().filter(|(_, _, f)| f.samples > 0).map(|(name, class, f)| range(name, class, f, 1e3)))
        .collect();
    let spoken = "The same figures are in the table below.";
    ranges(m, "tls-ranges", "TLS handshakes: p50, p90 and p99 of wall time and CPU time", spoken, &rows);
    let mut rows = Vec::new();
    for (kind, _, wall, cpu) in &kinds {
        rows.push(row(&format!("{kind}, ms"), wall));
        rows.push(row(&format!("{kind}, client CPU µs"), cpu));
    }
    rows.extend(steps.iter().filter(|(_, _, f)| f.samples > 0).map(|(name, _, f)| row(&format!("{name}, ms"), f)));
    let columns = ["handshake", "#p50", "#p90", "#p99", "#p99.9", "#max", "#samples"];
    table(m, "", "Handshakes", &columns, &rows);
    ledger(m, t);
    let lengths: Named = t.chain_lengths.iter().map(|(n, times)| (certificates(n), *times)).collect();
    let groups = [
        ("version", &t.versions),
        ("suite", &t.suites),
        ("group", &t.groups),
        ("signature", &t.signatures),
        ("chain", &lengths),
    ];
    let rows: Vec<_> = groups.into_iter().flat_map(|(what, names)| agreed(what, names)).collect();
    if !rows.is_empty() {
        table(m, "ledger", "What was agreed on", &["what", "name", "#handshakes", "#share", "="], &rows);
    }
    let longest = (t.chain_bytes_max > 0).then(|| ("longest chain", bytes(u64::from(t.chain_bytes_max))));
    let wire = [("sent in handshakes", bytes(t.bytes_out)), ("received in handshakes", bytes(t.bytes_in))];
    facts(m, wire.into_iter().chain(longest));
}

/// A line a kind, in means: unlike quantiles, these add up. What was agreed on in each stands in a table of its own.
fn ledger(m: &mut Markup, t: &Tls) {
    let mut lines: Vec<(&String, &Handshakes)> = t.ledger.iter().collect();
    lines.sort_by_key(|(name, line)| (line.kind == "failed", std::cmp::Reverse(line.count), *name));
    let rows: Vec<_> = lines
        .iter()
        .map(|(name, line)| {
            let p = &line.phases_ms;
            let times = [&line.handshake_ms, &p.hello, &p.server_flight, &p.verify, &p.finish, &line.client_cpu_us];
            let wire = |octets, records| format!("{} ({})", figure(octets), few(records));
            let figures = std::iter::once(count(line.count))
                .chain(times.map(|f| figure(f.mean)))
                .chain([figure(line.target_cpu_us)])
                .chain([
                    wire(line.bytes_out_each, line.records_out_each),
                    wire(line.bytes_in_each, line.records_in_each),
                ]);
            std::iter::once(Cell::head(name.as_str())).chain(figures.map(Cell::number)).collect()
        })
        .collect();
    let columns = [
        "kind",
        "#handshakes",
        "#the whole, ms",
        "#hello, ms",
        "#server flight, ms",
        "#verification, ms",
        "#finish, ms",
        "#client CPU, µs",
        "#target CPU, µs",
        "#octets (records) sent",
        "#octets (records) received",
    ];
    table(m, "kinds", "The ledger: each handshake stands in one line; means", &columns, &rows);
    let words = "hello, server flight, verification and finish add up to the whole: until the phone's hello was written, until \
                 the first octet came back, inside the check of the certificates, and the rest.";
    m.leaf("p", &[("class", "note")], words);
    let rows: Vec<_> = lines
        .iter()
        .map(|(name, line)| {
            let chain = Cell::number(figure(line.chain_bytes_each));
            vec![Cell::head(name.as_str()), Cell::words(agreed_on(line)), chain]
        })
        .collect();
    let columns = ["kind", "version, suite, group, signature", "#octets of the chain"];
    table(m, "", "What most handshakes of each line were", &columns, &rows);
}

/// What most handshakes of a line agreed on, and how many did not.
fn agreed_on(line: &Handshakes) -> String {
    let most = |named: &Named| {
        let (name, n) = named.iter().max_by_key(|(_, n)| **n)?;
        let others: u64 = named.values().sum::<u64>() - n;
        Some(if others == 0 { name.clone() } else { format!("{name} (and {} others)", count(others)) })
    };
    let named = [&line.versions, &line.suites, &line.groups, &line.signatures];
    let mut words: Vec<String> = named.into_iter().filter_map(most).collect();
    words.extend(most(&line.alerts_sent).map(|alert| format!("alert sent: {alert}")));
    if words.is_empty() { UNKNOWN.to_owned() } else { words.join(", ") }
}

fn certificates(n: &str) -> String {
    format!("{n} certificate{}", if n == "1" { "" } else { "s" })
}

fn agreed(what: &str, names: &Named) -> Vec<Vec<Cell>> {
    let all: u64 = names.values().sum();
    let mut sorted: Vec<_> = names.iter().filter(|(_, n)| **n > 0).collect();
    sorted.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), *name));
    let group = |i: usize| (i == 0).then(|| Cell::Group(what.to_owned(), sorted.len()));
    sorted
        .iter()
        .enumerate()
        .map(|(i, (name, n))| {
            let bar = Cell::Share(**n as f64 / all.max(1) as f64);
            let figures = [Cell::number(count(**n)), Cell::number(share(**n, all)), bar];
            group(i).into_iter().chain([Cell::head(name.as_str())]).chain(figures).collect()
        })
        .collect()
}
