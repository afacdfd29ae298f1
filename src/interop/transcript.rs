//! Everything that passed between one phone and the server, in order.

use std::time::Duration;

use http::{HeaderValue, Method, StatusCode, header};

use crate::auth::{Challenge, MalformedChallenge, parse_challenges};
use crate::metrics::ExchangeFacts;
use crate::phone::{
    Action, Answer, Awaits, BodyFacts, Context, Failure, Moment, Operation, Outcome, Phone, Reason, Screen, Standing,
    Trigger,
};

/// Everything that happened to one phone, in order, and where it stood before and after.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// Before anything happened.
    pub before: State,
    /// What happened, with the phone's own time.
    pub events: Vec<(Moment, Event)>,
    /// When it rested.
    pub after: State,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// Somebody did this to the phone.
    Asked(Trigger),
    /// Somebody typed at its screen.
    Person {
        /// The user name typed.
        user: String,
    },
    /// It waited, in its own time; nobody waited in ours.
    Waited(Duration),
    /// One request and its answer.
    Exchange(Box<Exchange>),
    /// It did, or said, this. Never `Send`, `Timer` or `Hangup`.
    Did(Action),
    /// Its credential store changed; this is where it stands then.
    Store(State),
    /// Its connection was closed, by us.
    Closed,
    /// The play was ended after too many exchanges.
    GivenUp,
}

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// From 1.
    pub number: usize,
    /// The operation it belongs to.
    pub operation: Option<Operation>,
    /// Why it was sent.
    pub reason: Reason,
    /// Method.
    pub method: Method,
    /// Target on the request line.
    pub target: String,
    /// Headers as sent, in order, names in lower case. They hold secrets: show them through [`super::mask`] only.
    pub request_headers: Vec<(String, HeaderValue)>,
    /// The request's body.
    pub request_body: BodyFacts,
    /// The answer, if one was read whole.
    pub answer: Option<Answer>,
    /// What was measured.
    pub facts: ExchangeFacts,
}

/// Where a phone stands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct State {
    /// Its standing's name.
    pub standing: &'static str,
    /// What it awaits.
    pub awaits: &'static str,
    /// The screen that waits, by name.
    pub screen: Option<&'static str>,
    /// The user stored; none if null.
    pub stored_user: Option<String>,
    /// The realm stored with it.
    pub stored_realm: Option<String>,
}

impl Default for State {
    fn default() -> Self {
        let standing = Standing::Off.name();
        State { standing, awaits: "power", screen: None, stored_user: None, stored_realm: None }
    }
}

impl State {
    /// Where `phone` stands now.
    pub fn of(phone: &Phone, context: &Context<'_>) -> State {
        let store = phone.store(context);
        State {
            standing: phone.standing().name(),
            awaits: match phone.awaits() {
                Awaits::Power => "power",
                Awaits::BootDelay => "its boot chain's next stage",
                Awaits::Answer => "an answer",
                Awaits::ChallengeAnswer => "an answer to its credentials",
                Awaits::Person => "a person",
                Awaits::Retry => "the time to try again",
                Awaits::Rest => "nothing",
            },
            screen: phone.screen().map(Screen::name),
            stored_user: store.credentials().map(|c| c.user().to_owned()),
            stored_realm: store.realm().map(str::to_owned),
        }
    }
}

impl Transcript {
    /// The exchanges, in order.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.events.iter().filter_map(|(_, event)| match event {
            Event::Exchange(exchange) => Some(exchange.as_ref()),
            _ => None,
        })
    }

    /// What the phone did, in order.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.events.iter().filter_map(|(_, event)| match event {
            Event::Did(action) => Some(action),
            _ => None,
        })
    }

    /// How the operations of this kind ended, in order.
    pub fn outcomes(&self, wanted: Operation) -> impl Iterator<Item = Outcome> {
        self.actions().filter_map(move |action| match action {
            Action::Finished(operation, outcome) if *operation == wanted => Some(*outcome),
            _ => None,
        })
    }

    /// The screens shown, in order.
    pub fn screens(&self) -> impl Iterator<Item = Screen> {
        self.actions().filter_map(|action| match action {
            Action::Prompt(screen) => Some(*screen),
            _ => None,
        })
    }

    /// Whether a person had to type.
    pub fn needed_a_person(&self) -> bool {
        self.events.iter().any(|(_, event)| matches!(event, Event::Person { .. }))
    }
}

impl Exchange {
    /// The status, if there was an answer.
    pub fn status(&self) -> Option<StatusCode> {
        self.answer.as_ref().map(|a| a.status)
    }

    /// How it failed below HTTP, if it did.
    pub fn failure(&self) -> Option<Failure> {
        self.facts.failure
    }

    /// Whether it carried credentials.
    pub fn has_credentials(&self) -> bool {
        self.authorization().is_some()
    }

    /// The value of `Authorization`.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.request_headers.iter().find(|(name, _)| name == header::AUTHORIZATION.as_str()).map(|(_, value)| value)
    }

    /// Whether the server took credentials: it was sent some and did not ask for others.
    pub fn was_let_in(&self) -> bool {
        self.has_credentials()
            && self.status().is_some_and(|s| s != StatusCode::UNAUTHORIZED && s != StatusCode::FORBIDDEN)
    }

    /// The challenges of its answer; none if it is no 401.
    pub fn challenges(&self) -> Option<Result<Vec<Challenge>, MalformedChallenge>> {
        let answer = self.answer.as_ref().filter(|a| a.status == StatusCode::UNAUTHORIZED)?;
        let values = answer.headers.get_all(header::WWW_AUTHENTICATE).iter().map(HeaderValue::as_bytes);
        Some(parse_challenges(values))
    }

    /// Status or failure, in a word.
    pub fn ending(&self) -> String {
        match (self.status(), self.failure()) {
            (Some(status), _) => status.as_u16().to_string(),
            (None, Some(failure)) => failure.name().to_owned(),
            (None, None) => "no answer".to_owned(),
        }
    }
}
