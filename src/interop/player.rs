//! One phone, played against a live server in fast-forwarded phone time, everything written down.
//!
//! The phone is the real machine ([`Phone`]); sockets are the storm's own ([`Connector`]). Only time is another:
//! nobody waits for think times, retry delays or a boot's random delay. The phone's clock jumps to whatever is due.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::transcript::{Event, Exchange, State, Transcript};
use crate::auth::{Commons, Credentials};
use crate::metrics::ExchangeFacts;
use crate::net::{Connection, Connector};
use crate::phone::{
    Action, Answer, BodyFacts, Chance, Context, Failure, Fleet, Input, Moment, Operation, Origin, Phone, Request,
    Trigger,
};

/// Most exchanges one phone is played for: a server that leads it round in circles ends there.
pub const MOST_EXCHANGES: usize = 60;

/// The server a phone is played against, and the way there.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    /// Runs the sockets. The player waits on it: call from outside any runtime.
    pub runtime: &'a Runtime,
    /// Makes the connections.
    pub connector: &'a Connector,
    /// The server.
    pub origin: &'a Arc<Origin>,
    /// Folder before every path; no trailing slash.
    pub base: &'a str,
    /// The plain HTTP server for phones that fall back to it; the connector must know it.
    pub fallback: Option<&'a Arc<Origin>>,
    /// All chance.
    pub chance: &'a Chance,
    /// What phones remember alike.
    pub commons: &'a Commons,
}

/// What is changed on the way between phone and server, to provoke what a server does only now and then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tamper {
    /// Changes a request before it is sent.
    pub request: Option<fn(&mut Request)>,
    /// Changes an answer before the phone sees it; told how many exchanges there were before.
    pub answer: Option<fn(&mut Answer, usize)>,
}

/// One phone being played.
#[derive(Debug)]
pub struct Player<'a> {
    stage: Stage<'a>,
    fleet: &'a Fleet,
    phone: Phone,
    now: Moment,
    connection: Option<Connection>,
    operation: Option<Operation>,
    tamper: Tamper,
    transcript: Transcript,
}

impl<'a> Player<'a> {
    /// Phone `index` of `fleet`, as it is when a run begins.
    pub fn new(stage: Stage<'a>, fleet: &'a Fleet, index: u32) -> Player<'a> {
        let phone = Phone::new(index, fleet, stage.chance);
        let now = Moment::ZERO;
        let mut player = Player {
            stage,
            fleet,
            phone,
            now,
            connection: None,
            operation: None,
            tamper: Tamper::default(),
            transcript: Transcript::default(),
        };
        player.transcript.before = player.state();
        player.transcript.after = player.transcript.before.clone();
        player
    }

    /// From now on, what passes is changed so.
    pub fn tamper(&mut self, tamper: Tamper) {
        self.tamper = tamper;
    }

    /// Does this to the phone and plays until it rests: nothing under way, nothing asked for, nobody to come.
    pub fn act(&mut self, trigger: Trigger) {
        self.note(Event::Asked(trigger));
        self.play(Input::Trigger(trigger));
    }

    /// A person types at the screen that waits. False if none does.
    pub fn types(&mut self, credentials: Credentials) -> bool {
        if self.phone.screen().is_none() {
            return false;
        }
        self.note(Event::Person { user: credentials.user().to_owned() });
        self.play(Input::Typed(credentials));
        true
    }

    /// Closes the phone's connection, as if it had been idle for too long.
    pub fn close_connection(&mut self) {
        if self.connection.take().is_some() {
            self.note(Event::Closed);
        }
    }

    /// Where the phone stands.
    pub fn state(&self) -> State {
        State::of(&self.phone, &self.context())
    }

    /// Everything that has happened so far.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Ends the play.
    pub fn into_transcript(self) -> Transcript {
        self.transcript
    }

    fn context(&self) -> Context<'a> {
        let Stage { origin, base, fallback, chance, commons, .. } = self.stage;
        Context { fleet: self.fleet, chance, origin, base, fallback, commons }
    }

    fn note(&mut self, event: Event) {
        self.transcript.events.push((self.now, event));
    }

    fn play(&mut self, input: Input<'_>) {
        let mut request = self.give(input);
        loop {
            if let Some(sent) = request.take() {
                if self.transcript.exchanges().count() >= MOST_EXCHANGES {
                    self.note(Event::GivenUp);
                    self.give(Input::Abort);
                    break;
                }
                let answer = self.exchange(*sent);
                request = match &answer {
                    Ok(answer) => self.give(Input::Answered(answer)),
                    Err(failure) => self.give(Input::Failed(*failure)),
                };
            } else if !self.phone.is_settled() && self.phone.next_due() != Moment::NEVER {
                let due = self.phone.next_due().max(self.now);
                if due > self.now {
                    self.note(Event::Waited(due.since(self.now)));
                }
                self.now = due;
                request = self.give(Input::Due);
            } else {
                break;
            }
        }
        self.transcript.after = self.state();
    }

    /// Gives an input to the phone and writes down what it says; the request it wants sent, if any.
    fn give(&mut self, input: Input<'_>) -> Option<Box<Request>> {
        let context = self.context();
        let mut actions = Vec::new();
        self.phone.handle(self.now, input, &context, &mut actions);
        let mut request = None;
        for action in actions {
            match action {
                Action::Send(sent) => request = Some(sent),
                Action::Timer(_) => {}
                Action::Hangup => {
                    self.close_connection();
                    self.stage.connector.forget(self.phone.index());
                }
                action => {
                    if let Action::Started { operation, .. } = action {
                        self.operation = Some(operation);
                    }
                    let stored = matches!(action, Action::Stored);
                    self.note(Event::Did(action));
                    if stored {
                        let state = self.state();
                        self.note(Event::Store(state));
                    }
                }
            }
        }
        request
    }

    fn exchange(&mut self, mut request: Request) -> Result<Answer, Failure> {
        if let Some(change) = self.tamper.request {
            change(&mut request);
        }
        let kept = self.connection.take();
        let (runtime, connector) = (self.stage.runtime, self.stage.connector);
        let mut done = runtime.block_on(connector.exchange(self.phone.index(), kept, &request));
        self.connection = done.connection.take();
        let number = self.transcript.exchanges().count() + 1;
        let exchange = Exchange::of(number, self.operation, &request, done.answer.as_ref().ok(), done.facts);
        let took = exchange.facts.total;
        self.note(Event::Exchange(Box::new(exchange)));
        self.now = self.now + took;
        if let (Ok(answer), Some(change)) = (&mut done.answer, self.tamper.answer) {
            change(answer, number - 1);
        }
        done.answer
    }
}

/// One exchange that no phone machine asked for, on a connection of its own or on `kept`.
pub fn exchange_once(
    stage: &Stage<'_>,
    phone: u32,
    kept: Option<Connection>,
    request: &Request,
) -> (Exchange, Option<Connection>) {
    let done = stage.runtime.block_on(stage.connector.exchange(phone, kept, request));
    (Exchange::of(1, None, request, done.answer.as_ref().ok(), done.facts), done.connection)
}

impl Exchange {
    fn of(
        number: usize,
        operation: Option<Operation>,
        request: &Request,
        answer: Option<&Answer>,
        facts: ExchangeFacts,
    ) -> Exchange {
        Exchange {
            number,
            operation,
            reason: request.reason,
            method: request.method.clone(),
            target: request.path.clone(),
            request_headers: sent_headers(request),
            request_body: BodyFacts::of(&request.body),
            answer: answer.cloned(),
            facts,
        }
    }
}

/// The headers as they went out: what the sender adds is added here too, in the same places.
fn sent_headers(request: &Request) -> Vec<(String, http::HeaderValue)> {
    let own = |name: &str| request.headers.iter().any(|(n, _)| n.as_str() == name);
    let mut out = Vec::new();
    let mut add = |name: &str, value: String| {
        if let Ok(value) = http::HeaderValue::try_from(value) {
            out.push((name.to_owned(), value));
        }
    };
    if !own("host") {
        add("host", request.origin.authority());
    }
    let mut rest = request.headers.iter().map(|(n, v)| (n.as_str().to_owned(), v.clone())).collect::<Vec<_>>();
    let says = matches!(request.method, http::Method::PUT | http::Method::POST | http::Method::PATCH);
    let mut tail = Vec::new();
    if !own("content-length") && !own("transfer-encoding") && (says || !request.body.is_empty()) {
        tail.push(("content-length".to_owned(), http::HeaderValue::from(request.body.len())));
    }
    if !request.keep_alive && !own("connection") {
        tail.push(("connection".to_owned(), http::HeaderValue::from_static("close")));
    }
    out.append(&mut rest);
    out.append(&mut tail);
    out
}

/// Durations people read: `0 s` is nothing, `4.2 ms`, `15 min`.
pub(crate) fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 0.0995 {
        format!("{:.1} ms", seconds * 1_000.0)
    } else if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1_000.0)
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        let whole = Duration::from_secs(duration.as_secs());
        humantime::format_duration(whole).to_string()
    }
}
