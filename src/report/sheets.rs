//! The CSV files: one row for each operation, one for each second, one for each kind of handshake. Units are in the column names.

use std::io;

use super::summary::{Figures, Summary};
use crate::metrics::Intervals;

/// The names of the figures' columns, after the distribution's name.
const FIGURES: [&str; 7] = ["mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms", "max_ms"];

/// `operations.csv`: one row for each kind of operation. An unknown figure is an empty cell.
///
/// # Errors
/// Only those of the writer.
pub fn write_operations(summary: &Summary, to: impl io::Write) -> csv::Result<()> {
    let mut sheet = csv::Writer::from_writer(to);
    let counts = ["operation", "planned", "started", "dropped", "succeeded", "exchanges", "undispatched"];
    let distributions = ["response", "response_ok", "service", "lateness"];
    let figures = distributions.iter().flat_map(|name| FIGURES.iter().map(move |figure| format!("{name}_{figure}")));
    sheet.write_record(counts.iter().map(|&name| name.to_owned()).chain(figures))?;
    for operation in crate::phone::Operation::ALL {
        let Some(o) = summary.operations.get(operation.name()) else { continue };
        let counts = [o.planned, o.started, o.dropped, o.succeeded, o.exchanges, o.undispatched];
        let figures = [&o.response_ms, &o.response_ok_ms, &o.service_ms, &o.lateness_ms];
        let cells = counts.iter().map(u64::to_string).chain(figures.into_iter().flat_map(cells));
        sheet.write_record(std::iter::once(operation.name().to_owned()).chain(cells))?;
    }
    sheet.flush()?;
    Ok(())
}

fn cells(f: &Figures) -> impl Iterator<Item = String> + use<> {
    [f.mean, f.p50, f.p90, f.p95, f.p99, f.p99_9, f.max]
        .into_iter()
        .map(|figure| figure.map_or_else(String::new, |ms| format!("{ms:.3}")))
}

/// `handshakes.csv`: one row for each line of the ledger of TLS handshakes. An unknown figure is an empty cell; names and
/// their counts stand in one cell, `name:count` with spaces between.
///
/// # Errors
/// Only those of the writer.
pub fn write_handshakes(summary: &Summary, to: impl io::Write) -> csv::Result<()> {
    let mut sheet = csv::Writer::from_writer(to);
    sheet.write_record([
        "name",
        "kind",
        "client_certificate",
        "count",
        "retried",
        "handshake_mean_ms",
        "handshake_p50_ms",
        "handshake_p99_ms",
        "hello_mean_ms",
        "server_flight_mean_ms",
        "verify_mean_ms",
        "finish_mean_ms",
        "client_cpu_mean_us",
        "client_cpu_p50_us",
        "client_cpu_p99_us",
        "target_cpu_mean_us",
        "sent_bytes",
        "received_bytes",
        "sent_records",
        "received_records",
        "chain_mean_bytes",
        "versions",
        "suites",
        "groups",
        "signatures",
        "alerts_sent",
    ])?;
    for (name, line) in &summary.tls.ledger {
        let (wall, phases, cpu) = (&line.handshake_ms, &line.phases_ms, &line.client_cpu_us);
        let steps = [&phases.hello, &phases.server_flight, &phases.verify, &phases.finish].map(|f| f.mean);
        let ms = [wall.mean, wall.p50, wall.p99].into_iter().chain(steps);
        let us = [cpu.mean, cpu.p50, cpu.p99, line.target_cpu_us];
        let cell = |value: Option<f64>, digits: usize| value.map_or_else(String::new, |v| format!("{v:.digits$}"));
        let names = [&line.versions, &line.suites, &line.groups, &line.signatures, &line.alerts_sent];
        let cells = [name.clone(), line.kind.clone(), line.client_certificate.to_string()]
            .into_iter()
            .chain([line.count, line.retried].map(|n| n.to_string()))
            .chain(ms.map(|ms| cell(ms, 3)))
            .chain(us.map(|us| cell(us, 1)))
            .chain([line.bytes_out, line.bytes_in, line.records_out, line.records_in].map(|n| n.to_string()))
            .chain([cell(line.chain_bytes_each, 1)])
            .chain(names.map(|named| {
                let pairs: Vec<_> = named.iter().map(|(name, n)| format!("{name}:{n}")).collect();
                pairs.join(" ")
            }));
        sheet.write_record(cells)?;
    }
    sheet.flush()?;
    Ok(())
}

/// The columns of `intervals.csv`.
const INTERVAL: [&str; 28] = [
    "start_s",
    "width_s",
    "starts",
    "operations_planned",
    "operations_started",
    "operations_finished",
    "operations_ok",
    "operations_dropped",
    "exchanges_sent",
    "status_1xx",
    "status_2xx",
    "status_3xx",
    "status_4xx",
    "status_5xx",
    "status_401",
    "failures",
    "handshakes",
    "handshakes_failed",
    "prompts",
    "sent_bytes",
    "received_bytes",
    "in_flight",
    "in_flight_peak",
    "phones_off",
    "phones_booting",
    "phones_provisioned",
    "phones_prompting",
    "phones_failed",
];

/// `intervals.csv`: one row for each second of the run (of very long runs, for each `width_s` seconds).
/// Levels (`in_flight`, `phones_…`) are those at the row's end.
///
/// # Errors
/// Only those of the writer.
pub fn write_intervals(intervals: &Intervals, to: impl io::Write) -> csv::Result<()> {
    let mut sheet = csv::Writer::from_writer(to);
    sheet.write_record(INTERVAL)?;
    for level in intervals.levels() {
        let i = level.interval;
        let counts = [i.starts, i.planned, i.started, i.finished, i.succeeded, i.dropped, i.sent];
        let after = [i.unauthorized, i.failures, i.handshakes, i.handshakes_failed, i.prompts];
        let s = level.standings;
        let phones = [s.off, s.booting, s.provisioned, s.prompting, s.failed];
        let cells = [level.start_s, u64::from(intervals.width_s())]
            .into_iter()
            .chain(counts.into_iter().chain(i.statuses).chain(after).map(u64::from))
            .chain([i.bytes_out, i.bytes_in, level.in_flight, level.in_flight_peak])
            .map(|n| n.to_string())
            .chain(phones.into_iter().map(|n| n.to_string()));
        sheet.write_record(cells)?;
    }
    sheet.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::mass_reboot;

    fn text(write: impl FnOnce(&mut Vec<u8>) -> csv::Result<()>) -> String {
        let mut sheet = Vec::new();
        write(&mut sheet).unwrap();
        String::from_utf8(sheet).unwrap()
    }

    #[test]
    fn one_row_for_each_operation() {
        let summary = Summary::of(&mass_reboot());
        insta::assert_snapshot!(text(|sheet| write_operations(&summary, sheet)));
    }

    #[test]
    fn one_row_for_each_line_of_the_ledger() {
        let summary = Summary::of(&mass_reboot());
        insta::assert_snapshot!(text(|sheet| write_handshakes(&summary, sheet)));
    }

    #[test]
    fn one_row_for_each_second() {
        let record = mass_reboot();
        insta::assert_snapshot!(text(|sheet| write_intervals(&record.tally.intervals, sheet)));
    }

    #[test]
    fn the_columns_add_up_to_the_summary() {
        let record = mass_reboot();
        let summary = Summary::of(&record);
        let sheet = text(|sheet| write_intervals(&record.tally.intervals, sheet));
        let mut rows = csv::Reader::from_reader(sheet.as_bytes());
        let names = rows.headers().unwrap().clone();
        let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
        let column = |name| names.iter().position(|n| n == name).unwrap();
        let sum = |name| rows.iter().map(|row| row[column(name)].parse::<u64>().unwrap()).sum::<u64>();
        assert_eq!(sum("exchanges_sent"), summary.exchanges.total);
        assert_eq!(sum("status_401"), summary.exchanges.status["401"]);
        assert_eq!(sum("status_2xx"), summary.exchanges.status["200"]);
        assert_eq!(sum("received_bytes"), summary.exchanges.bytes_in);
        assert_eq!(sum("handshakes"), summary.tls.handshakes.full);
        assert_eq!(sum("starts"), 2_000);
        let last = |name| rows.last().unwrap()[column(name)].parse::<u64>().unwrap();
        assert_eq!(last("phones_provisioned"), summary.phones.provisioned);
        assert_eq!((last("phones_prompting"), last("phones_failed"), last("phones_off")), (10, 1, 0));
        let peak = rows.iter().map(|row| row[column("in_flight_peak")].parse::<u64>().unwrap()).max();
        assert_eq!(peak, Some(summary.storm.peak_in_flight));
    }
}
