//! The sections that are tables of figures, all with the same columns.

use super::Page;
use super::sections::{by_count, in_order, titled};
use crate::report::number::{bytes, count, figure};
use crate::report::summary::{Figures, Summary};
use crate::report::sureness;
use crate::report::table::{Align, Table};

/// A table of figures with this heading.
fn table(heading: &str) -> Table {
    let right = (Align::Right, 7);
    let mut table =
        Table::new(&[(Align::Left, super::NAME), (Align::Left, 13), right, right, right, right, right, right]);
    table.row([heading, "", "p50", "p90", "p99", "p99.9", "max", "samples"]);
    table
}

/// One row: left out if there was no sample.
fn row(table: &mut Table, name: &str, what: &str, f: &Figures) {
    if f.samples > 0 {
        let figures = [f.p50, f.p90, f.p99, f.p99_9, f.max].map(figure);
        table.row([name.to_owned(), what.to_owned()].into_iter().chain(figures).chain([count(f.samples)]));
    }
}

pub(super) fn times(page: &mut Page, s: &Summary) {
    if s.operations.is_empty() {
        return;
    }
    let mut table = table("Times in ms");
    for (name, o) in in_order(s) {
        row(&mut table, &format!("  {name}"), "response time", &o.response_ms);
        if o.succeeded < o.started {
            row(&mut table, "", "  if ok", &o.response_ok_ms);
        }
        row(&mut table, "", "service time", &o.service_ms);
        row(&mut table, "", "lateness", &o.lateness_ms);
    }
    let p = &s.exchanges.phases_ms;
    row(&mut table, "  exchange", "total", &p.total);
    p.titled().for_each(|(what, figures)| row(&mut table, "", what, figures));
    page.gap();
    titled(page, &table, "Times in ms");
    intervals(page, s);
    let few = s.operations.values().any(|o| o.response_ms.samples > 0 && o.response_ms.p99_9.is_none());
    if few {
        page.line("  –  too few samples to tell: p50 takes 5, p90 29, p99 299, p99.9 2,995");
    }
}

/// How sure the response times are, an operation a line; what is said of all of them is said once.
fn intervals(page: &mut Page, s: &Summary) {
    for (n, (operation, words)) in sureness::told(s).into_iter().enumerate() {
        let words = match operation {
            Some(operation) => format!("{operation} {words}"),
            None => words,
        };
        page.fact(if n == 0 { sureness::NAME } else { "" }, &words);
    }
}

pub(super) fn tls(page: &mut Page, s: &Summary) {
    let t = &s.tls;
    let h = &t.handshakes;
    if h.full + h.resumed + h.hello_retry + h.failed == 0 {
        return;
    }
    let mut table = table("TLS");
    let (wall, cpu) = (&t.handshake_by_kind_ms, &t.client_cpu_by_kind_us);
    for (kind, wall, cpu) in [
        ("  full", &wall.full, &cpu.full),
        ("  resumed", &wall.resumed, &cpu.resumed),
        ("  hello-retry", &wall.hello_retry, &cpu.hello_retry),
        ("  failed", &wall.failed, &cpu.failed),
    ] {
        row(&mut table, kind, "ms", wall);
        row(&mut table, "", "client CPU µs", cpu);
    }
    row(&mut table, "  server flight", "ms", &t.phases_ms.server_flight);
    row(&mut table, "  verification", "ms", &t.phases_ms.verify);
    row(&mut table, "  finish", "ms", &t.phases_ms.finish);
    page.gap();
    titled(page, &table, "TLS");
    for (what, names) in
        [("versions", &t.versions), ("suites", &t.suites), ("groups", &t.groups), ("signatures", &t.signatures)]
    {
        if !names.is_empty() {
            page.fact(what, &by_count(names, " × "));
        }
    }
    if !t.chain_lengths.is_empty() {
        let named =
            |(n, times): (&String, &u64)| (format!("{n} certificate{}", if n == "1" { "" } else { "s" }), *times);
        let lengths = by_count(&t.chain_lengths.iter().map(named).collect(), " × ");
        page.fact("chains", &format!("{lengths} · at most {}", bytes(u64::from(t.chain_bytes_max))));
    }
    page.fact("on the wire", &format!("{} sent · {} received", bytes(t.bytes_out), bytes(t.bytes_in)));
}
