//! A test bench for one phone: virtual time, a scripted server, a readable log.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{
    Account, Action, Answer, BodyFacts, Chance, Context, FAMILIES, Fleet, Identities, Input, Moment, Origin, People,
    Phone, Request, SizeRange, Standing, Template, Trigger,
};
use crate::auth::{Commons, Credentials};

/// A phone, the world around it, and what it did.
pub(super) struct Bench {
    pub(super) fleet: Fleet,
    pub(super) origin: Arc<Origin>,
    pub(super) fallback: Option<Arc<Origin>>,
    pub(super) phone: Phone,
    pub(super) now: Moment,
    pub(super) actions: Vec<Action>,
    chance: Chance,
    commons: Commons,
}

/// A fleet of `family` with one phone of extension 2001, user `2001`, password `right`, realm `files`.
pub(super) fn fleet(family: &str, settings: &str) -> Fleet {
    let registration = FAMILIES.iter().find(|f| f.name == family).unwrap();
    let template = |t: &str| Template::parse(t).unwrap();
    Fleet {
        name: "test".into(),
        family: (registration.read)(&settings.parse().unwrap()).unwrap(),
        first: 0,
        count: 1,
        identities: Identities::Derived {
            extension: template("{number+2001}"),
            mac: template("00562b04{number+1:04x}"),
            serial: template("FCH{number:04}"),
        },
        account: Account {
            user: template("{ext}"),
            password: template("right"),
            realm: "files".into(),
            null: 0.0,
            wrong: 0.0,
            stale_realm: 0.0,
        },
        people: People::default(),
        backup_size: SizeRange { min: 1_000, max: 1_000 },
        starts_on: false,
    }
}

impl Bench {
    pub(super) fn new(fleet: Fleet) -> Bench {
        let chance = Chance::new(1);
        let phone = Phone::new(0, &fleet, &chance);
        let origin = Arc::new(Origin { tls: true, host: "server".into(), port: 443 });
        Bench {
            fleet,
            origin,
            fallback: None,
            phone,
            now: Moment::ZERO,
            actions: Vec::new(),
            chance,
            commons: Commons::default(),
        }
    }

    /// Gives an input; the request it leads to, if any.
    pub(super) fn give(&mut self, input: Input<'_>) -> Option<Request> {
        let ctx = Context {
            fleet: &self.fleet,
            chance: &self.chance,
            origin: &self.origin,
            base: "",
            fallback: self.fallback.as_ref(),
            commons: &self.commons,
        };
        let mut out = Vec::new();
        self.phone.handle(self.now, input, &ctx, &mut out);
        let request = match out.last() {
            Some(Action::Send(request)) => Some(request.as_ref().clone()),
            _ => None,
        };
        let sends = out.iter().filter(|a| matches!(a, Action::Send(_))).count();
        assert!(sends == usize::from(request.is_some()), "one request at most, and last: {out:?}");
        self.actions.extend(out);
        request
    }

    /// Plays until nothing is due before `until`; `server` answers every request in no time.
    pub(super) fn play(&mut self, input: Input<'_>, until: Moment, mut server: impl FnMut(&Request) -> Answer) {
        let mut request = self.give(input);
        loop {
            if let Some(sent) = request.take() {
                let answer = server(&sent);
                request = self.give(Input::Answered(&answer));
            } else if self.phone.next_due() < until {
                self.now = self.phone.next_due();
                request = self.give(Input::Due);
            } else {
                return;
            }
        }
    }

    /// Powers up and plays ten minutes.
    pub(super) fn boot(&mut self, server: impl FnMut(&Request) -> Answer) {
        let until = self.now + std::time::Duration::from_secs(600);
        self.play(Input::Trigger(Trigger::PowerUp), until, server);
    }

    pub(super) fn standing(&self) -> Standing {
        self.phone.standing()
    }

    /// The actions worth reading, one word or two each.
    pub(super) fn story(&self) -> Vec<String> {
        self.actions
            .iter()
            .filter_map(|action| {
                Some(match action {
                    Action::Send(r) => format!("{} {}{}", r.method, r.path, authorization(r)),
                    Action::Finished(operation, outcome) => format!("{operation}: {outcome}"),
                    Action::Challenged(kind) => format!("challenge {}", kind.name()),
                    Action::Prompt(screen) => format!("screen {}", screen.name()),
                    Action::Typed { right } => format!("typed {}", if *right { "right" } else { "wrong" }),
                    Action::Stored => "stored".into(),
                    Action::Dropped(operation, cause) => format!("{operation} dropped: {}", cause.name()),
                    Action::Provisioned => "provisioned".into(),
                    _ => return None,
                })
            })
            .collect()
    }

    /// Checks the ledger of everything the phone said: planned = started + dropped, started = finished.
    pub(super) fn assert_ledger(&self) {
        let count = |f: &dyn Fn(&Action) -> bool| self.actions.iter().filter(|a| f(a)).count();
        let planned = count(&|a| matches!(a, Action::Planned(_)));
        let started = count(&|a| matches!(a, Action::Started { .. }));
        let dropped = count(&|a| matches!(a, Action::Dropped(..)));
        let finished = count(&|a| matches!(a, Action::Finished(..)));
        assert_eq!((planned, started), (started + dropped, finished), "{:#?}", self.story());
    }
}

fn authorization(request: &Request) -> String {
    match credentials(request) {
        Some(c) => format!(" as {}:{}", c.user(), c.password()),
        None => String::new(),
    }
}

/// The Basic credentials a request carries.
pub(super) fn credentials(request: &Request) -> Option<Credentials> {
    let value = request.headers.iter().find(|(name, _)| name == header::AUTHORIZATION)?.1.to_str().unwrap();
    Some(crate::auth::basic::decode(value.strip_prefix("Basic ")?).unwrap())
}

/// An answer of this status.
pub(super) fn status(code: u16) -> Answer {
    Answer { status: StatusCode::from_u16(code).unwrap(), headers: HeaderMap::new().into(), body: BodyFacts::default() }
}

/// 401 with these challenges.
pub(super) fn challenge(values: &[&str]) -> Answer {
    let mut answer = status(401);
    for value in values {
        answer.headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap());
    }
    answer
}

/// A server that wants `user` and `password` (Basic, realm as given) for paths that hold `part`, and has
/// every file.
pub(super) fn guarded(part: &'static str, realm: &str, user: &str, password: &str) -> impl FnMut(&Request) -> Answer {
    let right = Credentials::new(user, password);
    let wanted = format!("Basic realm=\"{realm}\"");
    move |request| {
        if request.path.contains(part) && credentials(request).as_ref() != Some(&right) {
            challenge(&[&wanted])
        } else {
            let mut answer = status(200);
            answer.body = BodyFacts::of(&Bytes::new());
            answer
        }
    }
}
