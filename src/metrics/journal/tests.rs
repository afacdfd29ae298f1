//! Journals written, cut, spoilt and read again.

mod kept;

use std::io;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::metrics::{Recorder, Tally};
use crate::phone::{Action, Moment, Operation, Outcome, Standing, Trigger};
use crate::workload::Start;

/// What shard `shard` of `shards` saw: every phone of it reports once, `gap` apart, and takes some time for it.
fn shard(phones: u32, shard: u32, shards: u32, gap: Duration) -> Recorder {
    let mine = (0..phones).filter(|phone| phone % shards == shard);
    let mut recorder = Recorder::new(mine.clone().count(), 1.0);
    let mut events = Vec::new();
    for phone in mine {
        let at = gap * phone;
        events.push((at, phone, false));
        events.push((at + Duration::from_micros(700 + u64::from(phone) * 7_919 % 90_000), phone, true));
    }
    events.sort_unstable();
    for (at, phone, done) in events {
        let intended = Moment::from_micros((gap * phone).as_micros() as u64);
        if done {
            recorder.action(at, phone, &Action::Finished(Operation::Report, Outcome::Ok));
            recorder.action(at, phone, &Action::Provisioned);
            recorder.standing(at, phone, Standing::Booting, Standing::Provisioned);
        } else {
            recorder.start(at, &Start { at: intended, phone, trigger: Trigger::PowerUp, phase: (phone % 3) as u16 });
            recorder.standing(at, phone, Standing::Off, Standing::Booting);
            recorder.action(at, phone, &Action::Planned(Operation::Report));
            recorder.action(at, phone, &Action::Started { operation: Operation::Report, intended });
        }
    }
    recorder
}

const WALL: Duration = Duration::from_millis(7_300);

fn slices(shards: u32) -> Vec<Slice> {
    let mut whole: Vec<Slice> = Vec::new();
    for n in 0..shards {
        for slice in shard(40, n, shards, Duration::from_millis(173)).finish_slices(WALL) {
            match whole.binary_search_by_key(&slice.number, |s| s.number) {
                Ok(at) => whole[at].beside(&slice),
                Err(at) => whole.insert(at, slice),
            }
        }
    }
    whole
}

fn header() -> Header {
    Header {
        version: "0.1.0".into(),
        started_at_ms: 1_795_293_834_125,
        plan: PlanFacts { name: "mass-reboot".into(), phones: 40, compression: 1.0, ..PlanFacts::default() },
        thresholds: vec![("phones.prompting".into(), "== 0".into())],
        manifest: "{}".into(),
        marks: Marks { tls_not_verified: true, ..Marks::default() },
        generator: GeneratorFacts { shards: 2, ..GeneratorFacts::default() },
    }
}

fn closing() -> Closing {
    Closing { wall_us: WALL.as_micros() as u64, ..Closing::default() }
}

fn entries() -> Vec<Entry> {
    let mut entries = vec![Entry::Header(header())];
    for slice in slices(2) {
        let look = MachineSample { at_ms: slice.ends().as_millis() as u64, rss_bytes: 5, ..MachineSample::default() };
        let second = slice.number % 2 == 1;
        entries.push(Entry::Slice(slice));
        if second {
            entries.push(Entry::Machine(look));
        }
    }
    entries.push(Entry::Closing(closing()));
    entries
}

/// The same, shorter: for what is done to each of its octets.
fn few_entries() -> Vec<Entry> {
    let mut entries = entries();
    entries.drain(6..entries.len() - 1);
    entries
}

fn written(entries: &[Entry]) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new()).unwrap();
    entries.iter().for_each(|entry| writer.put(entry).unwrap());
    writer.into_inner()
}

fn read(octets: &[u8]) -> Result<(Vec<Entry>, End), Unreadable> {
    let mut reader = Reader::begin(octets)?;
    let mut entries = vec![Entry::Header(reader.header().clone())];
    for entry in reader.by_ref() {
        entries.push(entry?);
    }
    Ok((entries, reader.end()))
}

#[test]
fn what_is_written_is_read() {
    let entries = entries();
    let octets = written(&entries);
    let (again, end) = read(&octets).unwrap();
    assert_eq!(again, entries);
    assert_eq!(end, End { how: How::Closed, offset: octets.len() as u64, known_until: WALL });
}

/// Every prefix tells what lies wholly before the cut, and where that was.
#[test]
fn cut_at_any_octet_it_tells_what_came_before() {
    let entries = few_entries();
    let mut whole_at = vec![MAGIC.len()];
    whole_at.extend(entries.iter().scan(MAGIC.len(), |at, entry| {
        *at += written(std::slice::from_ref(entry)).len() - MAGIC.len();
        Some(*at)
    }));
    let octets = written(&entries);
    assert_eq!(whole_at.last(), Some(&octets.len()));
    for cut in 0..octets.len() {
        let wholly_before = whole_at.iter().skip(1).filter(|at| **at <= cut).count();
        match read(&octets[..cut]) {
            Err(Unreadable::NoHeader) => assert_eq!(wholly_before, 0, "cut at {cut}"),
            Err(error) => panic!("cut at {cut}: {error}"),
            Ok((read, end)) => {
                assert_eq!(read, entries[..wholly_before], "cut at {cut}");
                assert_eq!((end.how, end.offset), (How::Cut, whole_at[wholly_before] as u64), "cut at {cut}");
                let last = read.iter().rev().find_map(|entry| match entry {
                    Entry::Slice(slice) => Some(slice.ends()),
                    _ => None,
                });
                assert_eq!(end.known_until, last.unwrap_or_default(), "cut at {cut}");
            }
        }
    }
}

#[test]
fn a_cut_journal_makes_a_partial_record_of_what_it_has() {
    let entries = entries();
    let octets = written(&entries);
    let whole = Replay::of(Reader::begin(&octets[..]).unwrap()).unwrap();
    assert_eq!((whole.record.wall, whole.record.marks), (WALL, closing().marks));
    let cut = Replay::of(Reader::begin(&octets[..octets.len() - 1]).unwrap()).unwrap();
    let ends = slices(2).last().unwrap().ends();
    assert_eq!(cut.record.wall, ends);
    let marks = Marks { partial: true, ends_at_ms: Some(ends.as_millis() as u64), ..header().marks };
    assert_eq!(cut.record.marks, marks);
    assert_eq!((cut.record.generator.shards, cut.record.generator.rss_bytes), (2, 5));
    assert_eq!(cut.record.tally.totals, whole.record.tally.totals, "only the ending is lost");
    assert_eq!(cut.record.timeline.rows.len(), 8);
}

/// One octet wrong anywhere: what comes before its entry is used, and where it lies is told.
#[test]
fn one_wrong_octet_anywhere_is_found() {
    let entries = few_entries();
    let octets = written(&entries);
    for at in 0..octets.len() {
        let mut spoilt = octets.clone();
        spoilt[at] ^= 0x10;
        match read(&spoilt) {
            Err(Unreadable::NoJournal) => assert!(at < MAGIC.len() - 1, "{at}"),
            Err(Unreadable::OtherVersion(0x12)) => assert_eq!(at, MAGIC.len() - 1),
            Err(Unreadable::Damaged(_) | Unreadable::NoHeader) => assert!(at >= MAGIC.len(), "{at}"),
            Err(error) => panic!("{at}: {error}"),
            Ok((read, end)) => {
                assert_eq!(read, entries[..read.len()], "{at}");
                assert!(read.len() < entries.len() && end.how != How::Closed, "{at}");
                assert!(end.offset <= at as u64, "{at}: {end:?}");
            }
        }
    }
}

/// Something that announces the longest entry and never has it.
struct Endless(u64);

impl io::Read for Endless {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0 += to.len() as u64;
        to.fill(0xff);
        Ok(to.len())
    }
}

#[test]
fn an_absurd_length_is_refused_before_anything_is_read() {
    let mut octets = written(&entries()[..3]);
    let kept = octets.len() as u64;
    octets.extend([0xff; 8]);
    let mut endless = Endless(0);
    let mut reader = Reader::begin(io::Read::chain(&octets[..], &mut endless)).unwrap();
    assert_eq!(reader.by_ref().count(), 2);
    let end = reader.end();
    assert_eq!((end.how, end.offset), (How::Damaged(Damage::Length(u32::MAX)), kept));
    drop(reader);
    assert_eq!(endless.0, 0);
    // One that might be is taken up only as far as it is there.
    octets.truncate(kept as usize);
    octets.extend(LONGEST_ENTRY.to_le_bytes());
    octets.extend([0; 30]);
    assert_eq!(read(&octets).unwrap().1.how, How::Cut);
}

#[test]
fn what_is_no_journal_is_told_apart() {
    let with = |octets: &[u8]| read(octets).unwrap_err().to_string();
    let cases: [(&[u8], &str); 6] = [
        (b"", "it ends before it says what was run"),
        (b"bootst", "it ends before it says what was run"),
        (b"bootstorm\x02\x05\0\0", "it ends before it says what was run"),
        (b"bootstorm\x01 and more", "its form is version 1, this bootstorm reads version 2"),
        (b"{\"schema_version\": 1}", "this is no journal of bootstorm"),
        (b"bootstorm\x02\0\0\0\0\0\0\0\0", "its header is damaged (an entry of 0 octets cannot be)"),
    ];
    for (octets, words) in cases {
        assert!(with(octets).starts_with(words), "{}", with(octets));
    }
    let headless = written(&[Entry::Closing(closing())]);
    assert!(matches!(read(&headless), Err(Unreadable::Damaged(Damage::Order))));
}

#[test]
fn looks_at_the_machine_tell_that_a_quiet_run_was_still_on() {
    let look = |at_ms| Entry::Machine(MachineSample { at_ms, ..MachineSample::default() });
    let slice = Entry::Slice(Slice { number: 3, ..Slice::default() });
    let known = |entries: &[Entry]| read(&written(entries)).unwrap().1.known_until.as_millis();
    let header = Entry::Header(header());
    assert_eq!(known(&[header.clone(), look(400)]), 0);
    assert_eq!(known(&[header.clone(), slice.clone(), look(2_100)]), 2_000);
    assert_eq!(known(&[header, slice, look(2_100), look(9_100)]), 8_100);
}

#[test]
fn entries_out_of_turn_are_damage() {
    let slice = |number| Entry::Slice(Slice { number, ..Slice::default() });
    let late = MachineSample { at_ms: u64::MAX, ..MachineSample::default() };
    let endless = Closing { wall_us: u64::MAX, ..Closing::default() };
    for (good, bad) in [
        (slice(3), slice(3)),
        (slice(3), slice(2)),
        (slice(3), slice(u64::MAX)),
        (slice(3), Entry::Header(header())),
        (slice(3), Entry::Machine(late)),
        (slice(3), Entry::Closing(endless)),
    ] {
        let before = written(&[Entry::Header(header()), good.clone()]).len() as u64;
        let (read, end) = read(&written(&[Entry::Header(header()), good, bad])).unwrap();
        assert_eq!(read.len(), 2);
        let known_until = Duration::from_secs(2);
        assert_eq!(end, End { how: How::Damaged(Damage::Order), offset: before, known_until });
    }
}

#[test]
fn an_entry_too_long_for_a_reader_is_not_written() {
    let header = Header { manifest: "x".repeat(LONGEST_ENTRY as usize), ..header() };
    let mut writer = Writer::begin(Vec::new()).unwrap();
    assert!(writer.put(&Entry::Header(header)).unwrap_err().to_string().contains("too long"));
    assert_eq!(writer.into_inner(), MAGIC);
}

/// A disk that fills up leaves a journal that is cut, and the writer says so.
#[test]
fn a_full_disk_is_told_and_what_was_written_is_read() {
    struct Disk(Vec<u8>, usize);
    impl io::Write for Disk {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let room = self.1.saturating_sub(self.0.len()).min(octets.len());
            if room == 0 && !octets.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.extend_from_slice(&octets[..room]);
            Ok(room)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let entries = entries();
    let all = written(&entries);
    for room in (MAGIC.len()..all.len()).step_by(97) {
        let mut writer = Writer::begin(Disk(Vec::new(), room)).unwrap();
        let put = entries.iter().take_while(|entry| writer.put(entry).is_ok()).count();
        assert!(put < entries.len());
        let left = writer.into_inner().0;
        assert_eq!(left, all[..room]);
        match read(&left) {
            Ok((read, end)) => assert_eq!((read.len(), end.how), (put, How::Cut)),
            Err(error) => assert!(put == 0 && matches!(error, Unreadable::NoHeader), "{error}"),
        }
    }
}

proptest! {
    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400), whole in 0usize..4) {
        let _ = read(&noise);
        let mut octets = written(&few_entries()[..whole]);
        octets.extend(&noise);
        let _ = read(&octets);
        // As the content of an entry whose length and checksum are right.
        let mut octets = written(&few_entries()[..whole.max(1)]);
        octets.extend((noise.len() as u32).to_le_bytes());
        octets.extend(crc32fast::hash(&noise).to_le_bytes());
        octets.extend(&noise);
        if let Ok(reader) = Reader::begin(&octets[..]) {
            let _ = Replay::of(reader);
        }
    }

    /// Whatever the shares and their order, slices put beside each other and summed up are what one recorder counts,
    /// bucket for bucket.
    #[test]
    fn slices_of_any_shards_in_any_order_add_to_one_recorders_counts(
        shards in 1u32..6,
        order in prop::collection::vec(any::<prop::sample::Index>(), 90),
        gap_ms in 1u64..400,
    ) {
        let gap = Duration::from_millis(gap_ms);
        let wall = gap * 40 + Duration::from_secs(1);
        let alone = shard(40, 0, 1, gap).finish(wall);
        let mut shares: Vec<_> = (0..shards).flat_map(|n| shard(40, n, shards, gap).finish_slices(wall)).collect();
        for (at, with) in order.iter().enumerate().take(shares.len()) {
            let with = with.index(shares.len());
            shares.swap(at, with);
        }
        let mut whole: Vec<Slice> = Vec::new();
        for share in &shares {
            match whole.binary_search_by_key(&share.number, |s| s.number) {
                Ok(at) => whole[at].beside(share),
                Err(at) => whole.insert(at, share.clone()),
            }
        }
        let mut tally = Tally::default();
        whole.iter().for_each(|slice| tally.add(slice));
        tally.until(wall);
        prop_assert_eq!(&tally.totals, &alone.totals);
        let (mine, alones): (Vec<_>, Vec<_>) = (tally.intervals.levels().collect(), alone.intervals.levels().collect());
        prop_assert_eq!(mine.len(), alones.len());
        for (mine, alones) in mine.iter().zip(&alones) {
            prop_assert_eq!(mine.standings, alones.standings);
            prop_assert_eq!(mine.interval.finished, alones.interval.finished);
        }
        // Totals do not depend on the order of the slices either.
        let mut any = crate::metrics::Totals::default();
        shares.iter().for_each(|share| any.merge(&share.totals));
        prop_assert_eq!(&any, &alone.totals);
    }
}
