//! `histograms.hlog`: every distribution of a run, interval by interval, for HdrHistogram's own tools.
//!
//! The interval log of HdrHistogram, its histograms in the compressed V2 encoding. One line for each distribution, told
//! apart by its tag, and each interval in which it has samples. Values are microseconds; the column of maxima is in
//! milliseconds. Lines of one tag add up to the run's distribution, bucket for bucket.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use super::Saved;
use crate::metrics::journal::{Entry, Reader};
use crate::metrics::{Distribution, HandshakeKind, Record, Slice, TlsTotals, Totals};
use crate::phone::Operation;

/// Most intervals: ten minutes of seconds. Those of longer runs are a power of two of seconds.
const INTERVALS: u64 = 600;

/// Writes the run that is saved in this folder: from its journal, if it has one to read.
///
/// # Errors
/// If the journal cannot be read again, and those of the writer.
pub(super) fn write_saved(saved: &Saved, folder: &Path, to: impl Write) -> io::Result<()> {
    if saved.end.is_none() {
        return write_hlog(&saved.record, None::<[io::Result<Slice>; 0]>, to);
    }
    let file = File::open(folder.join(Saved::JOURNAL))?;
    let reader = Reader::begin(BufReader::new(file)).map_err(io::Error::other)?;
    let slices = reader.filter_map(|entry| match entry {
        Ok(Entry::Slice(slice)) => Some(Ok(slice)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    write_hlog(&saved.record, Some(slices), to)
}

/// Writes a run slice by slice (they come in order), or where there are none, all of it as one interval.
///
/// # Errors
/// Those of the slices' source, and of the writer.
pub fn write_hlog(
    record: &Record,
    slices: Option<impl IntoIterator<Item = io::Result<Slice>>>,
    mut to: impl Write,
) -> io::Result<()> {
    let mut serializer = V2DeflateSerializer::new();
    let (wall, started_at) = (record.wall, record.started_at);
    let width = if slices.is_some() { width(wall) } else { wall };
    let mut log = IntervalLogWriterBuilder::new()
        .with_max_value_divisor(1e3)
        .add_comment(concat!(
            "bootstorm ",
            env!("CARGO_PKG_VERSION"),
            ": values in microseconds, maxima in milliseconds"
        ))
        .with_start_time(started_at)
        .with_base_time(started_at)
        .begin_log_with(&mut to, &mut serializer)?;
    let mut line = |begins: Duration, totals: &Totals| -> io::Result<()> {
        let lasts = width.min(wall.saturating_sub(begins));
        for (tag, distribution) in distributions(totals) {
            let (Some(histogram), Some(tag)) = (distribution.to_histogram(), Tag::new(&tag)) else { continue };
            log.write_histogram(&histogram, begins, lasts, Some(tag)).map_err(|e| io::Error::other(e.to_string()))?;
        }
        Ok(())
    };
    let Some(slices) = slices else { return line(Duration::ZERO, &record.tally.totals) };
    let mut sum = (Duration::ZERO, Totals::default());
    for slice in slices {
        let slice = slice?;
        let begins = width * u32::try_from(slice.begins().as_secs() / width.as_secs()).unwrap_or(u32::MAX);
        if begins != sum.0 {
            line(sum.0, &sum.1)?;
            sum = (begins, Totals::default());
        }
        sum.1.merge(&slice.totals);
    }
    line(sum.0, &sum.1)
}

/// How long an interval of such a run is: whole seconds, at most [`INTERVALS`] of them.
fn width(wall: Duration) -> Duration {
    Duration::from_secs(wall.as_secs().div_ceil(INTERVALS).max(1).next_power_of_two())
}

/// Every distribution, with its tag.
fn distributions(totals: &Totals) -> impl Iterator<Item = (String, Cow<'_, Distribution>)> {
    let operations = Operation::ALL.into_iter().flat_map(|operation| {
        let o = totals.operation(operation);
        [("response", &o.response), ("response-ok", &o.response_ok), ("service", &o.service), ("lateness", &o.lateness)]
            .map(|(what, distribution)| (format!("{operation}.{what}"), Cow::Borrowed(distribution)))
    });
    let phases = totals.exchanges.phases.named();
    let phases = phases.map(|(name, phase)| (format!("exchange.{}", name.replace('_', "-")), Cow::Borrowed(phase)));
    let pace = ("pace".to_owned(), Cow::Borrowed(&totals.pace));
    operations.chain(phases).chain([pace]).chain(of_handshakes(&totals.tls))
}

/// The handshakes' distributions: summed over the ledger's lines.
fn of_handshakes(tls: &TlsTotals) -> impl Iterator<Item = (String, Cow<'_, Distribution>)> {
    use HandshakeKind::{Failed, Full, HelloRetry, Resumed};
    let kinds = [("full", Full), ("resumed", Resumed), ("hello-retry", HelloRetry), ("failed", Failed)];
    let kinds = kinds.into_iter().flat_map(|(name, kind)| {
        let times = tls.kind(kind);
        [(format!("handshake.{name}"), times.wall), (format!("client-cpu.{name}"), times.cpu)]
    });
    let phases = [
        ("handshake-phase.hello", tls.whole(|line| &line.hello)),
        ("handshake-phase.server-flight", tls.whole(|line| &line.server_flight)),
        ("handshake-phase.verify", tls.whole(|line| &line.verify)),
        ("handshake-phase.finish", tls.whole(|line| &line.finish)),
    ];
    let phases = phases.into_iter().map(|(tag, distribution)| (tag.to_owned(), distribution));
    kinds.chain(phases).map(|(tag, distribution)| (tag, Cow::Owned(distribution)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::report::fixture::mass_reboot;
    use base64::Engine as _;

    fn slice(number: u64, us: &[u64]) -> io::Result<Slice> {
        let mut slice = Slice { number, ..Slice::default() };
        for us in us {
            slice.totals.operations[0].response.record(Duration::from_micros(*us));
            slice.totals.exchanges.phases.total.record(Duration::from_micros(us / 2));
        }
        Ok(slice)
    }

    fn lasting(wall: Duration) -> Record {
        let started_at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_293_834_125);
        Record { wall, started_at, ..mass_reboot() }
    }

    /// The intervals of a tag (begin and length in seconds), and the sum of their histograms.
    type Tagged = (Vec<(u64, f64)>, Histogram<u64>);

    fn read(log: &[u8]) -> BTreeMap<String, Tagged> {
        let mut tags = BTreeMap::new();
        for entry in IntervalLogIterator::new(log) {
            let LogEntry::Interval(line) = entry.unwrap() else { continue };
            let octets = base64::engine::general_purpose::STANDARD.decode(line.encoded_histogram()).unwrap();
            let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut &octets[..]).unwrap();
            let tag = line.tag().unwrap().as_str().to_owned();
            let new = || (Vec::new(), Histogram::new_from(&histogram));
            let (spans, sum) = tags.entry(tag).or_insert_with(new);
            spans.push((line.start_timestamp().as_secs(), line.duration().as_secs_f64()));
            sum.add(&histogram).unwrap();
        }
        tags
    }

    #[test]
    fn each_second_has_a_line_for_each_distribution_that_has_samples() {
        let slices = [slice(0, &[100, 200]), slice(1, &[300]), slice(2, &[]), slice(7, &[5_000_000])];
        let mut log = Vec::new();
        write_hlog(&lasting(Duration::from_millis(3_700)), Some(slices), &mut log).unwrap();
        let tags = read(&log);
        assert_eq!(tags.keys().collect::<Vec<_>>(), ["exchange.total", "resync.response"]);
        let (spans, sum) = &tags["resync.response"];
        assert_eq!(spans, &[(0, 1.0), (3, 0.7)]);
        assert_eq!((sum.len(), sum.count_at(100), sum.max()), (4, 1, sum.highest_equivalent(5_000_000)));
        let head = String::from_utf8(log).unwrap();
        assert!(head.contains("#[StartTime: 1795293834.125 "), "{head}");
        assert!(head.contains("values in microseconds"), "{head}");
    }

    #[test]
    fn a_long_run_has_longer_intervals() {
        for (wall_s, width_s) in [(0, 1), (1, 1), (600, 1), (601, 2), (3_600, 8), (86_400, 256)] {
            assert_eq!(width(Duration::from_secs(wall_s)).as_secs(), width_s, "{wall_s}");
        }
        let slices = (0..2 * 3_600).map(|number| slice(number, &[number]));
        let mut log = Vec::new();
        write_hlog(&lasting(Duration::from_secs(3_600)), Some(slices), &mut log).unwrap();
        let (spans, sum) = &read(&log)["resync.response"];
        assert_eq!((spans.len(), sum.len()), (450, 7_200));
    }

    #[test]
    fn without_slices_the_run_is_one_interval() {
        let (record, mut log) = (mass_reboot(), Vec::new());
        write_hlog(&record, None::<[io::Result<Slice>; 0]>, &mut log).unwrap();
        let tags = read(&log);
        let (spans, sum) = &tags["restore.response"];
        assert_eq!((spans.as_slice(), sum.len()), (&[(0, 5.25)][..], 1_999));
        assert!(tags["handshake.full"].1.len() == 2_000 && tags.contains_key("pace"));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let broken = [slice(0, &[1]), Err(io::Error::other("gone"))];
        let told = write_hlog(&lasting(Duration::from_secs(1)), Some(broken), Vec::new());
        assert_eq!(told.unwrap_err().to_string(), "gone");
    }
}
