//! Whole stories of a phone, and what is counted of them.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::auth::{Algorithm, AnswerScheme};
use crate::metrics::{Counts, HandshakeFacts, HandshakeKind, unbalanced};
use crate::phone::{ChallengeKind, DropCause, Origin, Reason, Screen, Trigger};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn moment(ms: u64) -> Moment {
    Moment::from_micros(ms * 1000)
}

fn send(reason: Reason) -> Action {
    Action::Send(Box::new(Request {
        origin: Arc::new(Origin { tls: true, host: "files.test".into(), port: 443 }),
        method: http::Method::GET,
        path: "/backup/2001_96xxdata.txt".into(),
        headers: vec![],
        body: Bytes::new(),
        reason,
        keep_alive: true,
    }))
}

fn answered(status: u16) -> ExchangeFacts {
    ExchangeFacts {
        status: Some(status),
        total: ms(8),
        first_byte: Some(ms(5)),
        bytes_out: 200,
        bytes_in: 900,
        ..ExchangeFacts::default()
    }
}

fn first(status: u16) -> ExchangeFacts {
    let handshake = HandshakeFacts {
        hello: ms(1),
        server_flight: Some(ms(2)),
        verify: Some(ms(1)),
        total: ms(4),
        cpu: Duration::from_micros(700),
        version: Some("1.3"),
        suite: Some("TLS_AES_256_GCM_SHA384"),
        group: Some("x25519"),
        chain_length: 2,
        chain_bytes: 1500,
        bytes_out: 400,
        bytes_in: 2000,
        ..HandshakeFacts::new(HandshakeKind::Full)
    };
    ExchangeFacts { connect: Some(ms(1)), handshake: Some(Box::new(handshake)), ..answered(status) }
}

/// A restore over TLS: challenged, answered, done. Intended at 1000 ms of phone time, begun at 1010 ms.
fn restore(r: &mut Recorder, phone: u32) {
    let actions = |r: &mut Recorder, at, list: &[Action]| list.iter().for_each(|a| r.action(at, phone, a));
    r.start(ms(903), &Start { at: moment(900), phone, trigger: Trigger::PowerUp, phase: 0 });
    r.standing(ms(950), phone, Standing::Off, Standing::Booting);
    let begin = Action::Started { operation: Operation::Restore, intended: moment(1000) };
    actions(r, ms(1010), &[Action::Planned(Operation::Restore), begin, send(Reason::First)]);
    r.dispatched(ms(1020), phone);
    r.exchange(ms(1040), phone, &first(401));
    let answer = AnswerScheme::Digest(Algorithm::Md5Sess);
    actions(r, ms(1040), &[Action::Challenged(ChallengeKind::First), Action::Answering(answer), send(Reason::Answer)]);
    r.dispatched(ms(1041), phone);
    r.exchange(ms(1060), phone, &ExchangeFacts { reused: true, ..answered(200) });
    let end = Action::Finished(Operation::Restore, Outcome::Ok);
    actions(r, ms(1060), &[Action::Stored, end, Action::Provisioned, Action::Timer(Moment::NEVER)]);
    r.standing(ms(1060), phone, Standing::Booting, Standing::Provisioned);
}

#[test]
fn the_story_of_one_restore() {
    let mut r = Recorder::new(1, 1.0);
    restore(&mut r, 0);
    assert_eq!(
        r.snapshot(),
        Snapshot {
            phones: 1,
            provisioned: 1,
            planned: 1,
            started: 1,
            finished: 1,
            succeeded: 1,
            sent: 2,
            ended: 2,
            unauthorized: 1,
            ..Snapshot::default()
        }
    );
    let Tally { totals, intervals, .. } = r.finish(ms(2500));
    assert_eq!(unbalanced(&totals), Vec::<String>::new());

    let o = totals.operation(Operation::Restore);
    assert_eq!((o.planned, o.started, o.dropped(), o.succeeded(), o.exchanges, o.undispatched), (1, 1, 0, 1, 2, 0));
    assert_eq!(o.response.max_us(), Some(60_000), "from the intended start");
    assert_eq!(o.service.max_us(), Some(40_000), "from the first attempt");
    assert_eq!(o.lateness.max_us(), Some(20_000), "the first attempt after the intended start; told once");
    assert_eq!(o.lateness.count(), 1);

    let e = &totals.exchanges;
    assert_eq!((e.sent, e.calm, e.auth_retries, e.opened, e.reused), (2, 2, 1, 1, 1));
    assert_eq!(e.statuses, Counts::from([(200, 1), (401, 1)]));
    assert_eq!((e.bytes_out, e.bytes_in), (400, 1800));
    assert_eq!((e.phases.connect.count(), e.phases.tls.count(), e.phases.first_byte.count()), (1, 1, 2));
    assert_eq!(e.amplification(), Some(1.0));

    assert_eq!(totals.auth.challenges, Counts::from([(ChallengeKind::First, 1)]));
    assert_eq!(totals.auth.stored, 1);
    assert_eq!(totals.tls.kind(HandshakeKind::Full).cpu.max_us(), Some(700));
    assert_eq!(totals.tls.agreed(|line| &line.versions).get("1.3"), Some(&1));
    assert_eq!((totals.tls.chain_bytes_max(), totals.tls.chain_lengths().get(&2)), (1500, Some(&1)));
    assert_eq!(totals.provisioning.drain(), Some(ms(160)), "from the intended power-up");
    assert_eq!(totals.pace.max_us(), Some(3_000));

    let levels: Vec<_> = intervals.levels().collect();
    assert_eq!(levels.len(), 3, "up to the end, quiet seconds too");
    assert_eq!(
        (levels[0].standings.booting, levels[1].standings.provisioned, levels[2].standings.provisioned),
        (1, 1, 1)
    );
    assert_eq!((levels[1].in_flight_peak, levels[1].in_flight, levels[1].interval.unauthorized), (1, 0, 1));
    assert_eq!(levels[1].interval.statuses, [0, 1, 0, 1, 0]);
}

#[test]
fn a_phone_that_does_something_takes_little_and_one_that_rests_nothing() {
    assert!(size_of::<(u32, UnderWay)>() <= 40);
    let mut r = Recorder::new(1_000, 1.0);
    (0..1_000).for_each(|phone| restore(&mut r, phone));
    assert!(r.under_way.is_empty());
}

#[test]
fn intended_starts_are_phone_time() {
    let mut r = Recorder::new(1, 10.0);
    r.start(ms(500), &Start { at: moment(5_000), phone: 0, trigger: Trigger::PowerUp, phase: 0 });
    r.action(ms(1010), 0, &Action::Started { operation: Operation::Backup, intended: moment(10_000) });
    r.dispatched(ms(1015), 0);
    r.action(ms(1030), 0, &Action::Finished(Operation::Backup, Outcome::NotFound));
    r.action(ms(1030), 0, &Action::Provisioned);
    let totals = r.finish(ms(2000)).totals;
    let o = totals.operation(Operation::Backup);
    assert_eq!((o.lateness.max_us(), o.response.max_us()), (Some(15_000), Some(30_000)));
    assert_eq!(o.response_ok.count(), 0, "it did not end well");
    assert_eq!(totals.provisioning.drain(), Some(ms(530)));
}

#[test]
fn without_an_attempt_service_time_counts_from_the_start() {
    let mut r = Recorder::new(1, 1.0);
    r.action(ms(10), 0, &Action::Started { operation: Operation::Resync, intended: moment(5) });
    r.action(ms(30), 0, &Action::Finished(Operation::Resync, Outcome::Failed(Failure::LocalPorts)));
    let totals = r.finish(ms(30)).totals;
    let o = totals.operation(Operation::Resync);
    assert_eq!((o.service.max_us(), o.response.max_us(), o.undispatched), (Some(20_000), Some(25_000), 1));
    assert_eq!(o.lateness.count(), 0);
}

#[test]
fn a_hangup_ends_the_exchange_under_way_once() {
    let aborted = ExchangeFacts { failure: Some(Failure::Aborted), bytes_out: 5, ..ExchangeFacts::default() };
    for reported in [false, true] {
        let mut r = Recorder::new(1, 1.0);
        r.action(ms(1), 0, &Action::Planned(Operation::Restore));
        r.action(ms(1), 0, &Action::Started { operation: Operation::Restore, intended: moment(1) });
        r.action(ms(1), 0, &send(Reason::First));
        assert_eq!(r.snapshot().in_flight, 0, "it waits for its turn");
        r.dispatched(ms(1), 0);
        r.dispatched(ms(1), 0);
        assert_eq!(r.snapshot().in_flight, 1);
        r.action(ms(2), 0, &Action::Hangup);
        r.action(ms(2), 0, &Action::Finished(Operation::Restore, Outcome::Failed(Failure::Aborted)));
        if reported {
            r.exchange(ms(3), 0, &aborted);
        }
        assert_eq!(r.snapshot().in_flight, 0);
        let totals = r.finish(ms(3)).totals;
        assert_eq!(unbalanced(&totals), Vec::<String>::new());
        assert_eq!(totals.exchanges.failures, Counts::from([(Failure::Aborted, 1)]));
        assert_eq!(totals.exchanges.bytes_out, if reported { 5 } else { 0 });
    }
}

#[test]
fn an_exchange_that_waits_for_its_turn_is_not_in_flight() {
    let mut r = Recorder::new(3, 1.0);
    for phone in 0..3 {
        r.action(ms(1), phone, &Action::Started { operation: Operation::Resync, intended: moment(1) });
        r.action(ms(1), phone, &send(Reason::First));
    }
    for phone in 0..3 {
        r.dispatched(ms(10 * u64::from(phone) + 10), phone);
        r.exchange(ms(10 * u64::from(phone) + 15), phone, &answered(200));
    }
    assert_eq!(r.finish(ms(100)).intervals.peak_in_flight(), 1);
}

#[test]
fn an_answer_that_breaks_off_has_failed() {
    let mut r = Recorder::new(1, 1.0);
    r.action(ms(1), 0, &Action::Started { operation: Operation::Restore, intended: moment(1) });
    r.action(ms(1), 0, &send(Reason::First));
    r.exchange(ms(2), 0, &ExchangeFacts { failure: Some(Failure::Reset), ..answered(200) });
    let totals = r.finish(ms(3)).totals;
    assert_eq!((totals.exchanges.answered(), totals.exchanges.failed()), (0, 1));
}

#[test]
fn a_connection_that_never_came_about_is_not_opened() {
    for (failure, opened) in [(Failure::ConnectRefused, 0), (Failure::LocalPorts, 0), (Failure::TlsAlert, 1)] {
        let mut r = Recorder::new(1, 1.0);
        let facts = ExchangeFacts { connect: Some(ms(1)), failure: Some(failure), ..ExchangeFacts::default() };
        r.action(ms(1), 0, &send(Reason::First));
        r.exchange(ms(2), 0, &facts);
        assert_eq!(r.finish(ms(2)).totals.exchanges.opened, opened, "{failure:?}");
    }
}

#[test]
fn what_cannot_be_is_counted_and_nothing_panics() {
    let finish = |operation| Action::Finished(operation, Outcome::Ok);
    let start = |operation| Action::Started { operation, intended: moment(0) };
    let (backup, restore) = (Operation::Backup, Operation::Restore);
    let table: [(&str, Vec<Action>, LedgerFault); 5] = [
        ("finish", vec![finish(restore)], LedgerFault::FinishedWithoutStart),
        ("finish another", vec![start(restore), finish(backup)], LedgerFault::FinishedAnother),
        ("start twice", vec![start(restore), start(backup)], LedgerFault::StartedTwice),
        ("send", vec![send(Reason::First)], LedgerFault::SentWithoutOperation),
        ("send twice", vec![start(backup), send(Reason::First), send(Reason::First)], LedgerFault::SentTwice),
    ];
    for (name, actions, fault) in table {
        let mut r = Recorder::new(1, 1.0);
        actions.iter().for_each(|a| r.action(ms(1), 0, a));
        assert_eq!(r.finish(ms(1)).totals.ledger_faults, Counts::from([(fault, 1)]), "{name}");
    }
    let mut r = Recorder::new(1, f64::NAN);
    r.dispatched(ms(1), 0);
    r.exchange(ms(1), 0, &answered(999));
    let faults = r.finish(ms(1)).totals.ledger_faults;
    let expected = [(LedgerFault::DispatchedWithoutOperation, 1), (LedgerFault::ExchangeWithoutRequest, 1)];
    assert_eq!(faults, Counts::from(expected));
}

#[test]
fn only_the_first_time_a_phone_is_provisioned_counts() {
    let mut r = Recorder::new(200, 1.0);
    for phone in [0, 63, 64, 130, 64, 0] {
        r.action(ms(u64::from(phone)), phone, &Action::Provisioned);
    }
    assert_eq!(r.finish(ms(9)).totals.provisioning.phones(), 4);
}

/// Something a phone could tell, in any order at all.
fn any_action() -> impl Strategy<Value = Action> {
    let operation = prop::sample::select(Operation::ALL.to_vec());
    let outcome = prop::sample::select(vec![
        Outcome::Ok,
        Outcome::Prompt(Screen::AuthenticationFailure),
        Outcome::Http(500),
        Outcome::Failed(Failure::Reset),
    ]);
    prop_oneof![
        operation.clone().prop_map(Action::Planned),
        (operation.clone(), 0u64..5_000)
            .prop_map(|(operation, at)| Action::Started { operation, intended: moment(at) }),
        (operation.clone(), outcome).prop_map(|(operation, outcome)| Action::Finished(operation, outcome)),
        operation.prop_map(|operation| Action::Dropped(operation, DropCause::RunEnded)),
        Just(send(Reason::First)),
        Just(send(Reason::Stale)),
        Just(Action::Hangup),
        Just(Action::Prompt(Screen::Authentication)),
        Just(Action::Challenged(ChallengeKind::Stale)),
        Just(Action::Answering(AnswerScheme::Basic)),
        Just(Action::Typed { right: true }),
        Just(Action::Provisioned),
    ]
}

#[derive(Clone, Debug)]
enum Event {
    Action(Action),
    Dispatched,
    Exchange(Box<ExchangeFacts>),
    Standing(Standing, Standing),
}

fn any_event() -> impl Strategy<Value = Event> {
    let standing = prop::sample::select(vec![Standing::Off, Standing::Booting, Standing::Provisioned]);
    prop_oneof![
        6 => any_action().prop_map(Event::Action),
        1 => Just(Event::Dispatched),
        2 => prop_oneof![Just(first(401)), Just(answered(200))].prop_map(|facts| Event::Exchange(Box::new(facts))),
        1 => (standing.clone(), standing).prop_map(|(from, to)| Event::Standing(from, to)),
    ]
}

fn tally(shard: &[(u64, u32, Event)]) -> Tally {
    let mut shard = shard.to_vec();
    shard.sort_by_key(|(at, ..)| *at);
    let mut r = Recorder::new(4, 1.0);
    for (at, phone, event) in &shard {
        match event {
            Event::Action(action) => r.action(ms(*at), *phone, action),
            Event::Dispatched => r.dispatched(ms(*at), *phone),
            Event::Exchange(facts) => r.exchange(ms(*at), *phone, facts),
            Event::Standing(from, to) => r.standing(ms(*at), *phone, *from, *to),
        }
    }
    r.finish(ms(6_000))
}

fn shard() -> impl Strategy<Value = Vec<(u64, u32, Event)>> {
    prop::collection::vec((0u64..5_000, 0u32..4, any_event()), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shards_add_in_any_order(a in shard(), b in shard(), c in shard()) {
        // A phone belongs to one shard.
        let apart = |shard: Vec<(u64, u32, Event)>, n: u32| -> Vec<_> { shard.into_iter().map(|(at, phone, e)| (at, phone + 4 * n, e)).collect() };
        let (a, b, c) = (tally(&a), tally(&apart(b, 1)), tally(&apart(c, 2)));
        let mut one = a.clone();
        one.merge(&b);
        one.merge(&c);
        let mut other = c;
        let mut ba = b;
        ba.merge(&a);
        other.merge(&ba);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn an_empty_tally_changes_nothing(a in shard()) {
        let a = tally(&a);
        let mut sum = Tally::default();
        sum.merge(&a);
        prop_assert_eq!(sum, a);
    }

    #[test]
    fn intervals_add_up_to_the_totals(a in shard(), b in shard()) {
        let mut sum = tally(&a);
        sum.merge(&tally(&b));
        let levels: Vec<_> = sum.intervals.levels().collect();
        let count = |f: fn(&crate::metrics::Interval) -> u32| levels.iter().map(|l| u64::from(f(&l.interval))).sum::<u64>();
        let totals = |f: fn(&crate::metrics::OperationTotals) -> u64| sum.totals.operations.iter().map(f).sum::<u64>();
        prop_assert_eq!(count(|i| i.planned), totals(|o| o.planned));
        prop_assert_eq!(count(|i| i.started), totals(|o| o.started));
        prop_assert_eq!(count(|i| i.finished), totals(|o| o.finished()));
        prop_assert_eq!(count(|i| i.succeeded), totals(|o| o.succeeded()));
        prop_assert_eq!(count(|i| i.dropped), totals(|o| o.dropped()));
        prop_assert_eq!(count(|i| i.sent), sum.totals.exchanges.sent);
        prop_assert_eq!(count(|i| i.failures), sum.totals.exchanges.failed());
        prop_assert_eq!(count(|i| i.statuses.iter().sum()), sum.totals.exchanges.answered());
        prop_assert_eq!(levels.last().map(|l| l.standings), Some(sum.totals.standings));
        prop_assert!(levels.iter().all(|l| l.in_flight_peak >= l.in_flight && l.in_flight <= 8), "at most one a phone");
    }
}

/// One operation from its intended start (in ms of real time) until its end.
fn operation(r: &mut Recorder, phone: u32, from: u64, to: u64, outcome: Outcome) {
    let begin = Action::Started { operation: Operation::Resync, intended: moment(from) };
    for action in [Action::Planned(Operation::Resync), begin, send(Reason::First)] {
        r.action(ms(from), phone, &action);
    }
    r.dispatched(ms(from), phone);
    r.exchange(ms(to), phone, &answered(if outcome.is_success() { 200 } else { 404 }));
    r.action(ms(to), phone, &Action::Finished(Operation::Resync, outcome));
}

#[test]
fn slices_add_up_to_the_whole_and_leave_out_where_nothing_happened() {
    let (mut sliced, mut whole) = (Recorder::new(2, 1.0), Recorder::new(2, 1.0));
    let mut slices = Vec::new();
    for r in [&mut sliced, &mut whole] {
        operation(r, 0, 100, 450, Outcome::Ok);
        operation(r, 1, 499, 2_700, Outcome::NotFound);
    }
    sliced.roll(ms(2_900));
    assert!(sliced.take_slices().iter().map(|s| s.number).eq([0]), "the sixth is not over");
    slices.extend(Recorder::finish_slices(&mut sliced, ms(3_000)));
    assert!(slices.iter().map(|s| s.number).eq([5, 6]));
    assert_eq!(sliced.snapshot().finished, 2);
    let whole = whole.finish(ms(3_000));
    assert_eq!(whole.totals.operation(Operation::Resync).finished(), 2);
    assert_eq!(slices[0].totals.operation(Operation::Resync).finished(), 1);
}

#[test]
fn the_slowest_are_told_with_their_last_exchanges() {
    let mut r = Recorder::new(100, 1.0);
    for phone in 0..100 {
        r.standing(ms(0), phone, Standing::Off, Standing::Provisioned);
        operation(&mut r, phone, 10, 100 + u64::from(phone * 37 % 100), Outcome::Ok);
    }
    let slowest = r.finish(ms(400)).notables.slowest;
    let response: Vec<_> = slowest.iter().map(|n| n.response_us / 1_000).collect();
    assert_eq!(response, [189, 188, 187, 186, 185, 184, 183, 182, 181, 180]);
    let step = &slowest[0].steps[0];
    assert_eq!((slowest[0].outcome, step.status, step.took_us), (Some(Outcome::Ok), Some(200), Some(189_000)));
    assert_eq!((step.method.as_str(), step.at_us), ("GET", 10_000));
}

#[test]
fn the_stranded_are_told_until_they_recover() {
    let mut r = Recorder::new(100, 1.0);
    let mut tally = Tally::default();
    for phone in 0..3 {
        operation(&mut r, phone, 10, 20, Outcome::NotFound);
    }
    r.roll(ms(600));
    r.take_slices().iter().for_each(|slice| tally.add(slice));
    let stranded = |tally: &Tally| tally.notables.stranded.iter().map(|n| n.phone).collect::<Vec<_>>();
    assert_eq!(stranded(&tally), [0, 1, 2]);
    operation(&mut r, 1, 700, 800, Outcome::Ok);
    r.standing(ms(800), 1, Standing::Off, Standing::Provisioned);
    // One who comes through keeps what went wrong before, one under way at the end is told of as well.
    r.action(ms(810), 7, &Action::Started { operation: Operation::Resync, intended: moment(805) });
    r.finish_slices(ms(900)).iter().for_each(|slice| tally.add(slice));
    assert_eq!(stranded(&tally), [0, 2, 7]);
    assert_eq!(tally.notables.stranded[2].outcome, None);
}

#[test]
fn long_operations_keep_their_last_exchanges() {
    let mut r = Recorder::new(1, 1.0);
    r.action(ms(0), 0, &Action::Started { operation: Operation::Resync, intended: moment(0) });
    for n in 0..9 {
        r.action(ms(n), 0, &send(Reason::First));
        r.exchange(ms(n), 0, &answered(401));
    }
    r.action(ms(9), 0, &Action::Finished(Operation::Resync, Outcome::CredentialsRejected));
    let stranded = &r.finish(ms(9)).notables.stranded[0];
    assert_eq!((stranded.left_out, stranded.steps.len(), stranded.steps[0].at_us), (3, 6, 3_000));
}
