//! A run made by hand, for the tests of all reports: 2,000 Avaya phones come back, 10 of them to a prompt.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::auth::{Algorithm, AnswerScheme};
use crate::metrics::{
    CpuSum, Distribution, Due, ExchangeFacts, GeneratorFacts, HandshakeFacts, HandshakeKind, Marks, PlanFacts, Record,
    Recorder, Tally, TargetHandshakes, TargetUse, ThresholdResult, Timeline,
};
use crate::phone::{
    Action, ChallengeKind, Failure, Moment, Operation, Origin, Outcome, Reason, Request, Screen, Standing, Trigger,
};
use crate::workload::{Judgement, Start};

const PHONES: u32 = 2_000;

/// One phone's boot: settings over a fresh connection, then its restore, challenged once.
struct Boot<'e> {
    events: &'e mut Vec<(Duration, u32, Event)>,
    phone: u32,
    now: Duration,
}

/// What the recorder is told.
enum Event {
    Start,
    Action(Action),
    Dispatched,
    Exchange(Box<ExchangeFacts>),
    Standing(Standing, Standing),
}

impl Event {
    fn tell(&self, recorder: &mut Recorder, at: Duration, phone: u32) {
        match self {
            Event::Start => {
                let intended = Moment::from_micros(at.as_micros() as u64 - 20);
                recorder.start(at, &Start { at: intended, phone, trigger: Trigger::PowerUp, phase: 0 });
            }
            Event::Action(action) => recorder.action(at, phone, action),
            Event::Dispatched => recorder.dispatched(at, phone),
            Event::Exchange(facts) => recorder.exchange(at, phone, facts),
            Event::Standing(from, to) => recorder.standing(at, phone, *from, *to),
        }
    }
}

const fn us(n: u64) -> Duration {
    Duration::from_micros(n)
}

impl Boot<'_> {
    fn tell(&mut self, event: Event) {
        self.events.push((self.now, self.phone, event));
    }

    fn act(&mut self, action: Action) {
        self.tell(Event::Action(action));
    }

    fn send(&mut self, reason: Reason) {
        self.act(Action::Send(Box::new(Request {
            origin: Arc::new(Origin { tls: true, host: "files.example".into(), port: 443 }),
            method: http::Method::GET,
            path: "/".into(),
            headers: vec![],
            body: Bytes::new(),
            reason,
            keep_alive: true,
        })));
    }

    fn begin(&mut self, operation: Operation) {
        let intended = Moment::from_micros(self.now.as_micros() as u64);
        self.act(Action::Started { operation, intended });
        self.send(Reason::First);
        self.now += us(u64::from(self.phone % 7) * 90);
        self.tell(Event::Dispatched);
    }

    fn exchange(&mut self, status: Option<u16>, fresh: bool) {
        let n = u64::from(self.phone);
        let handshake = HandshakeFacts {
            hello: us(180),
            server_flight: Some(us(900 + n % 300)),
            verify: Some(us(210)),
            total: us(2_100 + n),
            cpu: us(640 + n % 80),
            version: Some("1.3"),
            suite: Some("TLS_AES_256_GCM_SHA384"),
            group: Some("X25519MLKEM768"),
            chain_length: 2,
            chain_bytes: 1_412,
            bytes_out: 1_630,
            bytes_in: 3_105,
            records_out: 4,
            records_in: 6,
            signature: Some("ecdsa_secp256r1_sha256"),
            ..HandshakeFacts::new(HandshakeKind::Full)
        };
        let total = us(3_000 + 4 * n + if fresh { 2_300 + n } else { 0 });
        self.now += total;
        let facts = ExchangeFacts {
            connect: fresh.then_some(us(150)),
            handshake: fresh.then_some(Box::new(handshake)),
            send: Some(us(40)),
            first_byte: status.map(|_| us(2_000 + 3 * n)),
            receive: status.map(|_| us(960 + n)),
            total,
            status,
            failure: status.is_none().then_some(Failure::Reset),
            reused: !fresh,
            bytes_out: 420,
            bytes_in: 2_048,
            ..ExchangeFacts::default()
        };
        self.tell(Event::Exchange(Box::new(facts)));
    }

    fn stand(&mut self, from: Standing, to: Standing) {
        self.tell(Event::Standing(from, to));
    }

    fn run(mut self) {
        self.tell(Event::Start);
        self.stand(Standing::Off, Standing::Booting);
        self.act(Action::Planned(Operation::Resync));
        self.act(Action::Planned(Operation::Restore));
        self.begin(Operation::Resync);
        if self.phone == 77 {
            self.exchange(None, true);
            self.act(Action::Finished(Operation::Resync, Outcome::Failed(Failure::Reset)));
            self.act(Action::Dropped(Operation::Restore, crate::phone::DropCause::BootIncomplete));
            return self.stand(Standing::Booting, Standing::Failed);
        }
        self.exchange(Some(200), true);
        self.act(Action::Finished(Operation::Resync, Outcome::Ok));

        self.begin(Operation::Restore);
        self.exchange(Some(401), false);
        self.act(Action::Challenged(ChallengeKind::First));
        self.act(Action::Answering(AnswerScheme::Digest(Algorithm::Md5Sess)));
        self.send(Reason::Answer);
        self.tell(Event::Dispatched);
        if self.phone.is_multiple_of(200) {
            self.exchange(Some(401), false);
            self.act(Action::Challenged(ChallengeKind::Rejected));
            self.act(Action::Prompt(Screen::AuthenticationFailure));
            self.act(Action::Finished(Operation::Restore, Outcome::Prompt(Screen::AuthenticationFailure)));
            return self.stand(Standing::Booting, Standing::Prompting);
        }
        self.exchange(Some(200), false);
        self.act(Action::Finished(Operation::Restore, Outcome::Ok));
        self.act(Action::Provisioned);
        self.stand(Standing::Booting, Standing::Provisioned);
    }
}

fn threshold(text: &str, value: Option<f64>, limit: Option<f64>, unit: &str, judgement: Judgement) -> ThresholdResult {
    ThresholdResult { text: text.into(), value, limit, unit: unit.into(), judgement }
}

/// The run: one shard, valid.
pub(super) fn mass_reboot() -> Record {
    let mut events = Vec::new();
    for phone in 0..PHONES {
        let now = Duration::from_millis(500 + 2 * u64::from(phone));
        Boot { events: &mut events, phone, now }.run();
    }
    events.sort_by_key(|(at, ..)| *at);
    let mut recorder = Recorder::new(PHONES as usize, 1.0);
    events.iter().for_each(|(at, phone, event)| event.tell(&mut recorder, *at, *phone));
    let wall = Duration::from_millis(5_250);
    let (mut tally, mut timeline) = (Tally::default(), Timeline::default());
    for slice in recorder.finish_slices(wall) {
        tally.add(&slice);
        timeline.add(&slice);
    }
    timeline.until(wall);
    let mut loop_lag = Distribution::new();
    (0..500).for_each(|n| loop_lag.record(us(300 + 2 * n)));
    Record {
        plan: PlanFacts {
            name: "mass-reboot".into(),
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
            seed: 42,
            phones: u64::from(PHONES),
            storm_phones: None,
            compression: 1.0,
            phases: Vec::new(),
            connections_bounded: false,
            embedded: true,
            due: Due::default(),
        },
        started_at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_293_834),
        wall,
        tally,
        timeline,
        generator: GeneratorFacts {
            max_connections: 0,
            shards: 2,
            cpu_busy: 0.4137,
            cpu_busy_max: 0.4519,
            cpu_seconds: 4.344,
            loop_lag,
            timer_floor: Distribution::new(),
            open_files: 2_031,
            rss_bytes: 61_341_696,
            rss_per_phone: Some(308),
        },
        target: Some(TargetUse {
            cpu_us: 3_214_000,
            busy: 0.6,
            handshakes: Some(TargetHandshakes {
                full: CpuSum { count: 2_000, ns: 1_040_000_000 },
                ..TargetHandshakes::default()
            }),
            ..TargetUse::default()
        }),
        marks: Marks::default(),
        thresholds: vec![
            threshold("operations.restore.response_ms.p99 < 2s", Some(0.0257), Some(2.0), "s", Judgement::Pass),
            threshold("phones.prompting <= 5", Some(10.0), Some(5.0), "", Judgement::Fail),
            threshold("operations.backup.response_ms.p99_9 < 5s", None, Some(5.0), "s", Judgement::Null),
        ],
    }
}
