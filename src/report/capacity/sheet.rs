//! `capacity.csv`: the curve, one row for each load.

use std::io;

use super::Document;

const COLUMNS: [&str; 11] = [
    "key",
    "load",
    "met",
    "missed",
    "not_counted",
    "response_p50_ms",
    "response_p99_ms",
    "failed_share",
    "drain_s",
    "throughput_per_s",
    "concurrency",
];

/// Writes the curve. An unknown figure is an empty cell. Loads are in the key's base unit: starts a second, seconds, octets.
///
/// # Errors
/// Only those of the writer.
pub fn write_curve(document: &Document, to: impl io::Write) -> csv::Result<()> {
    let mut sheet = csv::Writer::from_writer(to);
    sheet.write_record(COLUMNS)?;
    for point in &document.curve {
        let cell = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let row = [
            document.sought.find.clone(),
            point.load.to_string(),
            point.met.to_string(),
            point.missed.to_string(),
            point.not_counted.to_string(),
            cell(point.response_p50_ms),
            cell(point.response_p99_ms),
            cell(point.failed_share),
            cell(point.drain_s),
            cell(point.throughput_per_s),
            cell(point.concurrency),
        ];
        sheet.write_record(row)?;
    }
    sheet.flush()?;
    Ok(())
}
