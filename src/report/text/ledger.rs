//! The ledger of TLS handshakes, and what the target used.

use super::Page;
use super::sections::titled;
use crate::report::number::{bytes, count, figure, percent, seconds};
use crate::report::summary::{Handshakes, Summary, Target};
use crate::report::table::{Align, Table};

/// Longest name of a line that stands beside its figures.
const NAME: usize = 19;

/// A line a kind, in means: unlike quantiles, these add up.
pub(super) fn tls(page: &mut Page, s: &Summary) {
    if s.tls.ledger.is_empty() {
        return;
    }
    let right = (Align::Right, 0);
    let mut table = Table::new(&[(Align::Left, NAME), (Align::Right, 7), right, right, right, right, right, right]);
    table.row([
        "TLS ledger, means",
        "count",
        "ms",
        "verify ms",
        "client µs",
        "target µs",
        "B sent (rec.)",
        "B received",
    ]);
    let mut lines: Vec<(&String, &Handshakes)> = s.tls.ledger.iter().collect();
    lines.sort_by_key(|(name, line)| (line.kind == "failed", std::cmp::Reverse(line.count), *name));
    for (name, line) in lines {
        let mut name = format!("  {name}");
        if name.chars().count() > NAME {
            table.row([std::mem::take(&mut name)]);
        }
        let wire = |octets, records| format!("{} ({})", figure(octets), few(records));
        table.row([
            name,
            count(line.count),
            figure(line.handshake_ms.mean),
            figure(line.phases_ms.verify.mean),
            figure(line.client_cpu_us.mean),
            figure(line.target_cpu_us),
            wire(line.bytes_out_each, line.records_out_each),
            wire(line.bytes_in_each, line.records_in_each),
        ]);
    }
    page.gap();
    // A name that stands alone makes the column no wider.
    titled(page, &table, "TLS ledger");
    let c = &s.exchanges.connections;
    let beside = [("to open", c.opening_cpu_us), ("to close", c.closing_cpu_us)];
    let beside = beside.into_iter().filter(|(_, us)| us.is_some());
    let beside: Vec<_> = beside.map(|(what, us)| format!("{} µs {what}", figure(us))).collect();
    if !beside.is_empty() {
        page.fact("a connection", &format!("client CPU beside the handshake: {}", beside.join(", ")));
    }
}

/// A small number, without decimals if it has none.
pub(in crate::report) fn few(n: Option<f64>) -> String {
    n.map_or_else(|| figure(None), |n| if n.fract() == 0.0 { format!("{n:.0}") } else { format!("{n:.1}") })
}

/// What the target used of this machine.
pub(super) fn target(page: &mut Page, s: &Summary) {
    let Some(t) = &s.target else { return };
    page.heading("Target", &watched(t));
    let mut words = vec![format!("{} CPU s · {} of a core", figure(Some(t.cpu_s)), percent(t.cpu_busy))];
    let each = [("exchange", t.cpu_us_per_exchange), ("handshake", t.cpu_us_per_handshake)];
    words.extend(each.into_iter().filter(|(_, us)| us.is_some()).map(|(n, us)| format!("{} µs per {n}", figure(us))));
    page.fact("CPU", &format!("{}, all it did included", words.join(" · ")));
    let own = &t.handshake_cpu_us;
    let kinds =
        [("full", own.full), ("resumed", own.resumed), ("hello-retry", own.hello_retry), ("failed", own.failed)];
    let known = kinds.into_iter().filter(|(_, us)| us.is_some());
    let own: Vec<_> = known.map(|(kind, us)| format!("{kind} {} µs", figure(us))).collect();
    if !own.is_empty() {
        page.fact("in a handshake", &format!("{}, by its own clock", own.join(" · ")));
    }
    if let Some(rss) = t.rss_bytes {
        page.fact("memory", &format!("{} resident at most", bytes(rss)));
    }
    if t.gone > 0 {
        let end = seconds(Some(s.wall_s));
        page.fact(
            "ended",
            &format!("{} of the processes named ended before the run did ({end})", count(t.gone.into())),
        );
    }
}

/// What was watched.
pub(in crate::report) fn watched(t: &Target) -> String {
    match (t.watched.as_str(), t.processes) {
        ("threads", _) => "the embedded one's threads, on this machine's cores".to_owned(),
        (_, 1) => "1 process on this machine".to_owned(),
        (_, n) => format!("{} processes on this machine", count(n.into())),
    }
}
