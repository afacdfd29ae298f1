use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};

use super::*;
use crate::metrics::Tally;
use crate::metrics::journal::{How, Reader, Replay};

/// A disk that takes so many octets and no more.
#[derive(Clone)]
struct Disk {
    octets: Arc<Mutex<Vec<u8>>>,
    room: usize,
    syncs: Arc<Mutex<Vec<usize>>>,
}

impl Disk {
    fn with_room(room: usize) -> Disk {
        Disk { octets: Arc::default(), room, syncs: Arc::default() }
    }

    fn content(&self) -> Vec<u8> {
        self.octets.lock().unwrap().clone()
    }
}

impl Write for Disk {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut taken = self.octets.lock().unwrap();
        let fits = octets.len().min(self.room - taken.len());
        taken.extend_from_slice(&octets[..fits]);
        if fits == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(fits) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Durable for Disk {
    fn sync(&mut self) -> io::Result<()> {
        self.syncs.lock().unwrap().push(self.content().len());
        Ok(())
    }
}

const WALL: Duration = Duration::from_millis(1_400);

fn slice(number: u64, sent: u64) -> Slice {
    let mut slice = Slice { number, ..Slice::default() };
    slice.totals.exchanges.sent = sent;
    slice
}

/// Two shards run and end; the second says nothing in the first half second, and ends before the first.
fn keep(disk: Option<&Disk>) -> (Live, Kept) {
    let circumstances = Circumstances { shards: 2, embedded: true, targets: [None; 2], ports: Some(28_000) };
    let journal = disk.map(|disk| Box::new(disk.clone()) as Box<dyn Durable>);
    let generator = GeneratorFacts { shards: 2, max_connections: 50, ..GeneratorFacts::default() };
    let marks = Marks { tls_not_verified: true, ..Marks::default() };
    let header = Header { version: "0".into(), started_at_ms: 7, generator, marks, ..Header::default() };
    let live = Live::default();
    let keeper = Keeper::begin(circumstances, journal, header, live.clone(), None);
    let (pens, told) = mpsc::channel();
    let [first, second] = [0, 1].map(|shard| Pen::new(shard, pens.clone()));
    drop(pens);
    let mut lag = Distribution::new();
    lag.record(Duration::from_micros(60));
    let passed = |until, slices, cpu| {
        let cpu = Duration::from_millis(cpu);
        Passed { until, slices, lag: lag.clone(), cpu, connections: Connections { open: 3, opened: 4 } }
    };
    first.runs_here();
    first.passed(passed(1, vec![slice(0, 1)], 100));
    second.passed(passed(2, vec![slice(1, 20)], 200));
    drop(second);
    first.passed(passed(u64::MAX, vec![slice(1, 300), slice(2, 4_000)], 700));
    drop(first);
    (live, keeper.keep(Instant::now(), &told).close(WALL, true, 40))
}

fn replay(octets: &[u8]) -> Replay {
    Replay::of(Reader::begin(octets).unwrap()).unwrap()
}

fn assert_all_is_known(live: &Live) {
    let known = live.known();
    assert_eq!((known.tally.totals.exchanges.sent, known.until), (4_321, WALL));
    let generator = &known.generator;
    assert_eq!((generator.shards, generator.max_connections, generator.loop_lag.count()), (2, 50, 3));
    assert!((generator.cpu_seconds - 0.9).abs() < 1e-9 && (generator.cpu_busy_max - 0.5).abs() < 1e-9, "{generator:?}");
    assert!(generator.open_files >= 80, "both ends of forty connections: {}", generator.open_files);
}

#[test]
fn a_run_too_short_for_a_look_has_its_ports_and_files_counted() {
    let (live, _) = keep(None);
    let known = live.known();
    let sample = known.machine.as_ref().unwrap();
    assert_eq!((sample.ports, sample.ports_limit), (Some(8), Some(28_000)), "four of each shard");
    assert!(sample.open_files > 0 && sample.cores.is_empty() && sample.shards.is_empty(), "{sample:?}");
}

#[test]
fn a_journal_tells_what_is_known() {
    let disk = Disk::with_room(usize::MAX);
    let (live, kept) = keep(Some(&disk));
    assert_all_is_known(&live);
    assert!(kept.error.is_none());
    assert_eq!(kept.marks, Marks { partial: true, tls_not_verified: true, ..Marks::default() });

    let content = disk.content();
    assert_eq!(*disk.syncs.lock().unwrap(), [content.len()], "once, at the end");
    let Replay { header, record, end } = replay(&content);
    assert_eq!((end.how, end.offset), (How::Closed, content.len() as u64));
    assert_eq!((header.version.as_str(), header.started_at_ms, header.generator.shards), ("0", 7, 2));
    let known = live.known();
    assert_eq!(record.tally.totals, known.tally.totals);
    assert_eq!((record.generator, record.marks, record.wall), (known.generator.clone(), kept.marks, WALL));
}

#[test]
fn without_a_journal_all_is_known_as_well() {
    let (live, kept) = keep(None);
    assert_all_is_known(&live);
    assert!(kept.error.is_none());
}

/// However little the disk takes: the run goes on, what was written is whole up to there, and the fault is told.
#[test]
fn a_full_disk_costs_the_journal_and_not_the_run() {
    let whole = Disk::with_room(usize::MAX);
    keep(Some(&whole));
    let length = whole.content().len();
    let mut before = 0;
    for room in (0..length).step_by(7) {
        let disk = Disk::with_room(room);
        let (live, kept) = keep(Some(&disk));
        assert_all_is_known(&live);
        let error = kept.error.unwrap();
        assert_eq!(error.reason.kind(), io::ErrorKind::StorageFull, "{room}");
        assert!(error.to_string().starts_with("the journal could not be written any further"), "{error}");
        let content = disk.content();
        assert_eq!(content.len(), room, "nothing is written after what did not fit");
        if let Ok(reader) = Reader::begin(content.as_slice()) {
            let Replay { record, end, .. } = Replay::of(reader).unwrap();
            assert_eq!(end.how, How::Cut, "{room}");
            let sent = record.tally.totals.exchanges.sent;
            assert!([0, 1, 321, 4_321].contains(&sent) && sent >= before, "{room}: {sent}");
            before = sent;
        }
    }
    assert_eq!(before, 4_321, "all was written but the closing");
}

#[test]
fn a_journal_that_cannot_be_begun_is_told_as_well() {
    let path = Path::new("/dev/full");
    if !path.exists() {
        return;
    }
    let circumstances = Circumstances { shards: 1, embedded: false, targets: [None; 2], ports: None };
    let full = std::fs::File::options().write(true).open(path).unwrap();
    let keeper = Keeper::begin(circumstances, Some(Box::new(full)), Header::default(), Live::default(), None);
    let error = keeper.close(Duration::ZERO, false, 0).error.unwrap();
    assert_eq!((error.reason.kind(), error.after), (io::ErrorKind::StorageFull, Duration::ZERO));
}

/// What is known does not grow with the run; the counts stay exact.
#[test]
fn a_day_takes_no_more_room_than_a_quarter_of_an_hour() {
    let live = Live::default();
    for number in 0..2 * 24 * 3600 {
        live.known().tally.add(&slice(number, 1));
    }
    let Tally { totals, intervals, .. } = live.known().tally.clone();
    assert_eq!(totals.exchanges.sent, 2 * 24 * 3600);
    assert!(intervals.levels().count() <= 1024 && intervals.width_s() == 128, "{}", intervals.width_s());
}
