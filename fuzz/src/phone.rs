//! The phone machine, against a plan, a server and a person that do anything.

use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use bootstorm::auth::{Commons, Credentials};
use bootstorm::phone::{
    Account, Action, Answer, BodyFacts, Chance, Context, DropCause, FAMILIES, Failure, Fleet, Identities, Input,
    Moment, Origin, People, Phone, SizeRange, Template, Trigger,
};
use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// A phone and all that happens to it.
#[derive(Debug, Arbitrary)]
struct Life<'a> {
    family: u8,
    null: bool,
    wrong: bool,
    stale_realm: bool,
    people_come: bool,
    people_right: bool,
    starts_on: bool,
    /// Changes of the family's settings, as TOML.
    settings: &'a str,
    events: Vec<Event<'a>>,
}

/// Anything that may come next.
#[derive(Debug, Arbitrary)]
enum Event<'a> {
    PowerUp,
    Change,
    Backup,
    Restore,
    Resync,
    /// Time passes, but no further than to what is due.
    Wait(u16),
    /// Time passes up to what is due.
    Due,
    /// A timer that did not ask for it.
    Spurious,
    Found(&'a [u8]),
    Missing,
    Challenge(Ask),
    /// Challenged in these words.
    Ask(&'a [u8]),
    Redirect(&'a str),
    Status(u16, &'a [u8]),
    Fail,
    Type(bool),
    Drain,
}

/// The usual challenges.
#[derive(Clone, Copy, Debug, Arbitrary)]
enum Ask {
    Digest,
    Stale,
    OtherRealm,
    Basic,
    Negotiate,
}

impl Ask {
    const fn words(self) -> &'static str {
        match self {
            Ask::Digest => r#"Digest realm="files", nonce="n", qop="auth", algorithm=MD5-sess"#,
            Ask::Stale => r#"Digest realm="files", nonce="m", qop="auth", algorithm=MD5-sess, stale=true"#,
            Ask::OtherRealm => r#"Digest realm="other", nonce="n", domain="/backup""#,
            Ask::Basic => r#"Basic realm="files""#,
            Ask::Negotiate => "Negotiate",
        }
    }
}

/// Whatever happens: one exchange at a time, and in the end every operation planned was started or dropped, and
/// every one started has ended, once.
pub fn phone(data: &[u8]) {
    let Ok(life) = Life::arbitrary(&mut Unstructured::new(data)) else { return };
    let Some(fleet) = fleet(&life) else { return };
    let mut desk = Desk::new(&fleet);
    for event in &life.events {
        desk.happens(event);
    }
    desk.give(Input::Drain(DropCause::RunEnded));
    desk.give(Input::Abort);
    assert_eq!(desk.phone.operation(), None);
    assert_eq!(desk.phone.next_due(), Moment::NEVER);
    desk.ledger.assert_closed();
}

fn fleet(life: &Life<'_>) -> Option<Fleet> {
    let registration = FAMILIES.get(usize::from(life.family) % FAMILIES.len())?;
    let settings = life.settings.parse().ok()?;
    let template = |text| Template::parse(text).unwrap();
    Some(Fleet {
        name: "fuzz".into(),
        family: (registration.read)(&settings).ok()?,
        first: 0,
        count: 1,
        identities: Identities::Derived {
            extension: template("2001"),
            mac: template("00562b043615"),
            serial: template("FCH2001"),
        },
        account: Account {
            user: template("{ext}"),
            password: template("right"),
            realm: "files".into(),
            null: f64::from(u8::from(life.null)),
            wrong: f64::from(u8::from(life.wrong)),
            stale_realm: f64::from(u8::from(life.stale_realm)),
        },
        people: People {
            come: f64::from(u8::from(life.people_come)),
            right: f64::from(u8::from(life.people_right)),
            ..People::default()
        },
        backup_size: SizeRange { min: 100, max: 1_000 },
        starts_on: life.starts_on,
        keep_alive: None,
    })
}

/// One phone and its surroundings.
struct Desk<'f> {
    fleet: &'f Fleet,
    chance: Chance,
    commons: Commons,
    origin: Arc<Origin>,
    phone: Phone,
    now: Moment,
    exchanging: bool,
    ledger: Ledger,
}

impl Desk<'_> {
    fn new(fleet: &Fleet) -> Desk<'_> {
        let chance = Chance::new(1);
        Desk {
            fleet,
            chance,
            commons: Commons::default(),
            origin: Arc::new(Origin { tls: false, host: "server".into(), port: 80 }),
            phone: Phone::new(0, fleet, &chance),
            now: Moment::ZERO,
            exchanging: false,
            ledger: Ledger::default(),
        }
    }

    fn happens(&mut self, event: &Event<'_>) {
        match event {
            Event::PowerUp => self.give(Input::Trigger(Trigger::PowerUp)),
            Event::Change => self.give(Input::Trigger(Trigger::Change)),
            Event::Backup => self.give(Input::Trigger(Trigger::Backup)),
            Event::Restore => self.give(Input::Trigger(Trigger::Restore)),
            Event::Resync => self.give(Input::Trigger(Trigger::Resync)),
            Event::Wait(seconds) => {
                let until = self.now + Duration::from_secs(u64::from(*seconds));
                self.now = until.min(self.phone.next_due()).max(self.now);
            }
            Event::Due if self.phone.next_due() != Moment::NEVER => {
                self.now = self.phone.next_due().max(self.now);
                self.give(Input::Due);
            }
            Event::Due | Event::Spurious => self.give(Input::Due),
            Event::Found(body) => self.answered(200, HeaderMap::new(), body),
            Event::Missing => self.answered(404, HeaderMap::new(), b""),
            Event::Challenge(ask) => self.answered(401, challenge(ask.words().as_bytes()), b""),
            Event::Ask(words) => self.answered(401, challenge(words), b""),
            Event::Redirect(to) => {
                let headers = HeaderValue::try_from(*to).map(|to| HeaderMap::from_iter([(LOCATION, to)]));
                self.answered(302, headers.unwrap_or_default(), b"");
            }
            Event::Status(status, body) => self.answered(100 + status % 500, HeaderMap::new(), body),
            Event::Fail => self.give(Input::Failed(Failure::Closed)),
            Event::Type(right) => {
                self.give(Input::Typed(Credentials::new("2001", if *right { "right" } else { "guess" })));
            }
            Event::Drain => self.give(Input::Drain(DropCause::RunEnded)),
        }
    }

    fn answered(&mut self, status: u16, headers: HeaderMap, body: &[u8]) {
        let status = StatusCode::from_u16(status).unwrap();
        self.give(Input::Answered(&Answer {
            status,
            headers: headers.into(),
            body: BodyFacts::of(&Bytes::copy_from_slice(body)),
        }));
    }

    fn give(&mut self, input: Input<'_>) {
        let ends =
            matches!(input, Input::Answered(_) | Input::Failed(_) | Input::Abort | Input::Trigger(Trigger::PowerUp));
        let ctx = Context {
            fleet: self.fleet,
            chance: &self.chance,
            origin: &self.origin,
            base: "",
            fallback: None,
            commons: &self.commons,
        };
        let mut actions = Vec::new();
        self.phone.handle(self.now, input, &ctx, &mut actions);
        let sends = actions.iter().filter(|action| matches!(action, Action::Send(_))).count();
        let asked = matches!(actions.last(), Some(Action::Send(_)));
        assert_eq!(sends, usize::from(asked), "one request at most, and last: {actions:?}");
        assert!(!asked || ends || !self.exchanging, "a second exchange beside the first: {actions:?}");
        self.exchanging = asked || (self.exchanging && !ends);
        assert_eq!(self.phone.operation().is_some(), self.exchanging, "an operation always has an exchange");
        assert!(!self.exchanging || self.phone.next_due() == Moment::NEVER, "a timer during an exchange");
        let _ = (self.phone.standing(), self.phone.awaits(), self.phone.is_settled(), self.phone.store(&ctx));
        for action in &actions {
            self.ledger.enter(action);
        }
    }
}

fn challenge(words: &[u8]) -> HeaderMap {
    let lines = words.split(|octet| *octet == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    lines.fold(HeaderMap::new(), |mut headers, line| {
        headers.append(WWW_AUTHENTICATE, line);
        headers
    })
}

/// What a phone said it did.
#[derive(Debug, Default)]
struct Ledger {
    planned: u32,
    started: u32,
    dropped: u32,
    finished: u32,
}

impl Ledger {
    fn enter(&mut self, action: &Action) {
        match action {
            Action::Planned(_) => self.planned += 1,
            Action::Started { .. } => self.started += 1,
            Action::Dropped(..) => self.dropped += 1,
            Action::Finished(..) => self.finished += 1,
            Action::Send(request) => {
                assert_eq!(request.origin.host, "server", "a request for another server");
                assert!(request.path.starts_with('/'), "{:?}", request.path);
                let twice = |name: HeaderName| request.headers.iter().filter(|(n, _)| *n == name).count() > 1;
                assert!(!twice(AUTHORIZATION), "{:?}", request.headers);
            }
            _ => {}
        }
        assert!(self.finished <= self.started && self.started + self.dropped <= self.planned, "{self:?}");
        assert!(self.started - self.finished <= 1, "two operations at once: {self:?}");
    }

    fn assert_closed(&self) {
        assert_eq!((self.planned, self.started), (self.started + self.dropped, self.finished), "{self:?}");
    }
}
