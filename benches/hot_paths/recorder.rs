//! What counting costs.

use std::time::Duration;

use bootstorm::metrics::journal::{Entry, Writer};
use bootstorm::metrics::{ExchangeFacts, Recorder, Slice, Tally};
use bootstorm::phone::{Action, Moment, Operation, Outcome, Reason, Request};
use bytes::Bytes;
use http::Method;

use super::{HotPath, scene};

const PHONES: u32 = 1_000;
/// From one event to the next: 10,000 a second.
const BETWEEN: Duration = Duration::from_micros(100);

/// Counts for one phone after another.
struct Counting {
    recorder: Recorder,
    at: Duration,
    phone: u32,
}

impl Counting {
    fn new() -> Counting {
        Counting { recorder: Recorder::new(PHONES as usize, 1.0), at: Duration::ZERO, phone: 0 }
    }

    /// Every phone is in the middle of an operation.
    fn busy() -> Counting {
        let mut counting = Counting::new();
        for phone in 0..PHONES {
            let started = Action::Started { operation: Operation::Restore, intended: Moment::ZERO };
            counting.recorder.action(Duration::ZERO, phone, &Action::Planned(Operation::Restore));
            counting.recorder.action(Duration::ZERO, phone, &started);
        }
        counting
    }

    fn next(&mut self) {
        self.at += BETWEEN;
        self.phone = (self.phone + 1) % PHONES;
    }

    /// The books must close, or something else was measured.
    fn assert_sound(self) {
        let faults = self.recorder.finish(self.at).totals.ledger_faults;
        assert!(faults.is_empty(), "{faults:?}");
    }
}

/// One exchange on a new plain connection: sent, and answered.
pub(crate) fn exchange() -> HotPath<(), ()> {
    let send = Action::Send(Box::new(Request {
        origin: scene::origin(),
        method: Method::GET,
        path: "/46xxsettings.txt".into(),
        headers: Vec::new(),
        body: Bytes::new(),
        reason: Reason::First,
        keep_alive: true,
    }));
    let ms = Duration::from_millis;
    let facts = ExchangeFacts {
        connect: Some(ms(2)),
        send: Some(ms(1)),
        first_byte: Some(ms(7)),
        receive: Some(ms(3)),
        total: ms(13),
        status: Some(200),
        bytes_out: 180,
        bytes_in: 4_700,
        ..ExchangeFacts::default()
    };
    let record = move |counting: &mut Counting| {
        counting.next();
        let Counting { recorder, at, phone } = counting;
        recorder.action(*at, *phone, &send);
        recorder.exchange(*at, *phone, &facts);
    };
    checked(Counting::busy, record)
}

/// One operation without its exchanges: planned, started, dispatched, ended.
pub(crate) fn operation() -> HotPath<(), ()> {
    let record = |counting: &mut Counting| {
        counting.next();
        let Counting { recorder, at, phone } = counting;
        let intended = Moment::ZERO + *at;
        recorder.action(*at, *phone, &Action::Planned(Operation::Restore));
        recorder.action(*at, *phone, &Action::Started { operation: Operation::Restore, intended });
        recorder.dispatched(*at, *phone);
        recorder.action(*at, *phone, &Action::Finished(Operation::Restore, Outcome::Ok));
    };
    checked(Counting::new, record)
}

/// A slice of a busy shard: closed, put beside another's, added to the tally, and written to a journal that goes nowhere.
pub(crate) fn slice() -> HotPath<Recorder, ()> {
    let mut tally = Tally::default();
    let mut journal = Writer::begin(std::io::sink()).unwrap();
    HotPath::new(busy_slice, move |recorder| {
        let mut slices = recorder.finish_slices(Slice::WIDTH / 2);
        let mut slice = slices.remove(0);
        slice.beside(&Slice::default());
        tally.add(&slice);
        journal.put(&Entry::Slice(slice)).unwrap();
    })
}

/// Exchanges in the slice: a thousand a second.
pub(crate) const SLICE: u64 = 500;

/// A recorder that has seen half a second of answered exchanges, each an operation, none like the other.
fn busy_slice() -> Recorder {
    let mut recorder = Recorder::new(PHONES as usize, 1.0);
    for n in 0..SLICE {
        let (phone, at) = (n as u32 % PHONES, Duration::from_micros(n * 400));
        let us = |scale: u64| Some(Duration::from_micros(scale + n * n * 7_919 % (scale * 3)));
        let operation = Operation::Resync;
        let request = Request {
            origin: scene::origin(),
            method: Method::GET,
            path: "/00562b000001.xml".into(),
            headers: Vec::new(),
            body: Bytes::new(),
            reason: Reason::First,
            keep_alive: true,
        };
        recorder.action(at, phone, &Action::Planned(operation));
        recorder.action(at, phone, &Action::Started { operation, intended: Moment::ZERO + at });
        recorder.action(at, phone, &Action::Send(Box::new(request)));
        recorder.dispatched(at, phone);
        let facts = ExchangeFacts {
            connect: us(200),
            send: us(40),
            first_byte: us(1_500),
            receive: us(90),
            total: us(2_000).unwrap(),
            status: Some(200),
            ..ExchangeFacts::default()
        };
        recorder.exchange(at, phone, &facts);
        recorder.action(at, phone, &Action::Finished(operation, Outcome::Ok));
    }
    recorder
}

fn checked(fresh: fn() -> Counting, mut record: impl FnMut(&mut Counting) + 'static) -> HotPath<(), ()> {
    let mut trial = fresh();
    record(&mut trial);
    trial.assert_sound();
    let mut counting = fresh();
    HotPath::new(|| (), move |()| record(&mut counting))
}
