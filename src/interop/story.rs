//! A transcript as a person wants to read it, and as JSON.

use std::fmt::Write as _;

use http::StatusCode;
use serde_json::{Value, json};

use super::paint::{Paint, wrap};
use super::player::spoken;
use super::transcript::{Event, Exchange, State, Transcript};
use super::{advice, mask};
use crate::metrics::{HandshakeFacts, HandshakeKind};
use crate::phone::{Action, Identity, Moment, Reason, Screen};

/// Who played where.
#[derive(Clone, Debug)]
pub struct Cast {
    /// The family's name.
    pub family: String,
    /// The phone.
    pub who: Identity,
    /// The server: its URL, and what it is if it is ours.
    pub server: String,
}

/// Columns of running text.
const WIDTH: usize = 100;
const INDENT: &str = "    ";

/// The whole conversation as text.
pub fn tell(cast: &Cast, transcript: &Transcript, colour: bool) -> String {
    let mut teller = Teller { out: String::new(), paint: Paint::new(colour) };
    teller.head(cast, transcript);
    for (at, event) in &transcript.events {
        teller.event(*at, event);
    }
    teller.end(transcript);
    teller.out
}

struct Teller {
    out: String,
    paint: Paint,
}

impl Teller {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn head(&mut self, cast: &Cast, transcript: &Transcript) {
        let Identity { index, extension, mac, serial, .. } = &cast.who;
        let title = format!("Phone {index}, {}", cast.family);
        self.line(&format!("{}: extension {extension}, MAC {mac}, serial number {serial}", self.paint.strong(&title)));
        self.line(&format!("Server   {}", cast.server));
        self.line(&format!("Before   {}", in_words(&transcript.before)));
        self.line("");
        self.line(
            &self
                .paint
                .faint("Times are the phone's own; waits are skipped. Secrets show as ***. > is sent, < is received."),
        );
    }

    fn end(&mut self, transcript: &Transcript) {
        let sent = transcript.exchanges().count();
        let typed = transcript.events.iter().filter(|(_, e)| matches!(e, Event::Person { .. })).count();
        self.line("");
        self.line(&format!("After    {}", in_words(&transcript.after)));
        let typed = match typed {
            0 => "nobody typed anything".to_owned(),
            1 => "a person typed once".to_owned(),
            n => format!("a person typed {n} times"),
        };
        self.line(&format!("In all   {sent} exchange{}; {typed}", if sent == 1 { "" } else { "s" }));
    }

    fn event(&mut self, at: Moment, event: &Event) {
        match event {
            Event::Asked(trigger) => {
                let title = format!("== {} ", trigger.name());
                let rule = "=".repeat(WIDTH.saturating_sub(title.len()));
                self.line("");
                self.line(&self.paint.strong(&format!("{title}{rule}")));
            }
            Event::Person { user } => {
                let title = format!("== a person types user {user:?} and a password ");
                let rule = "=".repeat(WIDTH.saturating_sub(title.len()));
                self.line("");
                self.line(&self.paint.strong(&format!("{title}{rule}")));
            }
            Event::Waited(time) => self.aside(&format!("... {} pass on the phone's clock", spoken(*time))),
            Event::Closed => self.aside("the phone's connection is closed"),
            Event::GivenUp => self.aside("this goes on and on: the play ends here"),
            Event::Exchange(exchange) => self.exchange(at, exchange),
            Event::Store(state) => self.aside(&format!("stored now: {}", store_in_words(state))),
            Event::Did(action) => self.action(at, action),
        }
    }

    fn aside(&mut self, text: &str) {
        self.line(&format!("{INDENT}{}", self.paint.faint(text)));
    }

    fn action(&mut self, at: Moment, action: &Action) {
        match action {
            Action::Started { operation, .. } => {
                self.line("");
                self.line(&format!("{}  {} begins", clock(at), self.paint.strong(operation.name())));
            }
            Action::Finished(operation, outcome) => {
                let words = format!("{operation} ends: {outcome}");
                let painted = if outcome.is_success() {
                    self.paint.good(&words)
                } else if outcome.name().starts_with("prompt-") {
                    self.paint.warning(&words)
                } else {
                    self.paint.bad(&words)
                };
                self.line(&format!("{}  {painted}", clock(at)));
            }
            Action::Dropped(operation, cause) => {
                self.line(&format!("{}  {operation} never starts: {}", clock(at), cause.name()));
            }
            Action::Challenged(kind) => self.aside(&format!("to the phone this is a challenge, kind: {}", kind.name())),
            Action::Answering(scheme) => {
                self.aside(&format!("the next request carries credentials: {}", scheme.name()));
            }
            Action::Prompt(screen) => self.screen(*screen),
            Action::Typed { right } => {
                let what = if *right { "the account's own" } else { "other than the account's own" };
                self.aside(&format!("the credentials typed are {what}"));
            }
            Action::Provisioned => {
                self.line(&format!("{}  {}", clock(at), self.paint.good("the phone is provisioned")));
            }
            Action::Because(rule) => {
                let quote = wrap(&format!("\"{}\"", rule.quote), WIDTH - 9, "         ");
                self.line(&format!("{INDENT}why  {quote}"));
                self.line(&format!("         {}", self.paint.faint(&format!("[{}]", rule.source))));
            }
            Action::Stored => self.aside("the phone replaces what it has stored"),
            Action::Planned(_) | Action::Send(_) | Action::Timer(_) | Action::Hangup => {}
        }
    }

    fn screen(&mut self, screen: Screen) {
        let lines = screen_text(screen);
        let width = lines.iter().map(|l| l.chars().count()).max().unwrap_or(0).max(36);
        let bar = "-".repeat(width + 2);
        self.line(&format!("{INDENT}the phone's screen, until a person types:"));
        self.line(&format!("{INDENT}+{bar}+"));
        for line in lines {
            self.line(&format!("{INDENT}| {line:<width$} |"));
        }
        self.line(&format!("{INDENT}+{bar}+"));
    }

    fn exchange(&mut self, at: Moment, exchange: &Exchange) {
        let status = match exchange.status() {
            Some(status) => self.status(status),
            None => self.paint.bad(&exchange.ending()),
        };
        let why = sent_because(exchange.reason);
        self.line(&format!(
            "{}  {} {} {} -> {status}{}",
            clock(at),
            self.paint.strong(&format!("[{}]", exchange.number)),
            exchange.method,
            exchange.target,
            if why.is_empty() { String::new() } else { format!("   ({why})") },
        ));
        self.aside(&connection(exchange));
        self.line(&format!("{INDENT}> {} {} HTTP/1.1", exchange.method, exchange.target));
        for (name, value) in &exchange.request_headers {
            self.header('>', name, &mask::shown(name, value));
        }
        if exchange.request_body.len > 0 {
            let body = exchange.request_body;
            self.line(&format!("{INDENT}> ({} octets, content {:016x})", body.len, body.hash));
        }
        if let Some(answer) = &exchange.answer {
            let reason = answer.status.canonical_reason().unwrap_or_default();
            self.line(&format!("{INDENT}< HTTP/1.1 {} {reason}", answer.status.as_u16()));
            for (name, value) in answer.headers.iter() {
                self.header('<', name.as_str(), &mask::shown(name.as_str(), value));
            }
            if answer.body.len > 0 {
                self.line(&format!("{INDENT}< ({} octets, content {:016x})", answer.body.len, answer.body.hash));
            }
        }
        self.aside(&times(exchange));
        if let Some(failure) = exchange.failure() {
            let words =
                format!("{} ({}'s side): {}", failure.name(), failure.fault().name(), advice::of_failure(failure));
            self.line(&format!("{INDENT}{}", self.paint.bad(&wrap(&words, WIDTH - 4, INDENT))));
        }
    }

    fn header(&mut self, mark: char, name: &str, value: &str) {
        self.line(&format!("{INDENT}{mark} {}: {value}", title_case(name)));
    }

    fn status(&self, status: StatusCode) -> String {
        let words = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
        let words = words.trim_end();
        if status.is_success() {
            self.paint.good(words)
        } else if status == StatusCode::UNAUTHORIZED {
            self.paint.warning(words)
        } else {
            self.paint.bad(words)
        }
    }
}

/// `00:12.345`, with hours if there are any.
fn clock(at: Moment) -> String {
    let millis = at.as_micros() / 1_000;
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let hours = if minutes >= 60 { format!("{}:", minutes / 60) } else { String::new() };
    format!("{hours}{:02}:{:02}.{:03}", minutes % 60, rest / 1_000, rest % 1_000)
}

fn in_words(state: &State) -> String {
    let screen = state.screen.map_or_else(String::new, |s| format!(", screen {s}"));
    format!("{}{screen}, awaits {}; stored: {}", state.standing, state.awaits, store_in_words(state))
}

fn store_in_words(state: &State) -> String {
    match (&state.stored_user, &state.stored_realm) {
        (None, _) => "nothing (null)".to_owned(),
        (Some(user), Some(realm)) => format!("user {user:?}, password ***, realm {realm:?}"),
        (Some(user), None) => format!("user {user:?}, password ***"),
    }
}

/// What stands on a screen.
pub(crate) fn screen_text(screen: Screen) -> Vec<&'static str> {
    vec![screen.title(), screen.text()]
}

fn sent_because(reason: Reason) -> &'static str {
    match reason {
        Reason::First => "",
        Reason::Answer => "the same again, with credentials",
        Reason::Stale => "the same again, with a new nonce",
        Reason::Again => "the same again, with other credentials",
        Reason::Retry => "tried again",
        Reason::Redirect => "where the redirect led",
    }
}

/// New or kept connection, TLS.
fn connection(exchange: &Exchange) -> String {
    let facts = &exchange.facts;
    if facts.reused {
        return "on the connection kept from before".to_owned();
    }
    let kept = if facts.reconnected { "the kept connection was dead; " } else { "" };
    let tcp = facts.connect.map_or_else(String::new, |t| format!(" (connected in {})", spoken(t)));
    let tls = facts.handshake.as_ref().map_or_else(|| ", no TLS".to_owned(), |h| format!(", {}", handshake(h)));
    format!("{kept}new connection{tcp}{tls}")
}

fn handshake(facts: &HandshakeFacts) -> String {
    let kind = match facts.kind {
        HandshakeKind::Full => "full handshake",
        HandshakeKind::Resumed => "session resumed",
        HandshakeKind::HelloRetry => "full handshake after a hello-retry",
        HandshakeKind::Failed => return format!("TLS handshake failed after {}", spoken(facts.total)),
    };
    let mut text = format!("TLS {}", facts.version.unwrap_or("?"));
    for part in [facts.suite, facts.group].into_iter().flatten() {
        let _ = write!(text, " {part}");
    }
    let _ = write!(text, ", {kind} in {}", spoken(facts.total));
    if facts.chain_length > 0 {
        let _ = write!(text, ", {} certificate(s) of {} octets", facts.chain_length, facts.chain_bytes);
    }
    text
}

fn times(exchange: &Exchange) -> String {
    let facts = &exchange.facts;
    let first = facts.first_byte.map_or_else(String::new, |t| format!("first octet after {}, ", spoken(t)));
    format!("{first}whole exchange {}; {} octets out, {} in", spoken(facts.total), facts.bytes_out, facts.bytes_in)
}

/// `content-length` as it goes out.
fn title_case(name: &str) -> String {
    if name.eq_ignore_ascii_case("www-authenticate") {
        return "WWW-Authenticate".to_owned();
    }
    let mut up = true;
    name.chars()
        .map(|c| {
            let c2 = if up { c.to_ascii_uppercase() } else { c };
            up = c == '-';
            c2
        })
        .collect()
}

/// The whole conversation as JSON.
pub fn as_json(cast: &Cast, transcript: &Transcript) -> Value {
    let events = transcript.events.iter().filter_map(|(at, event)| {
        let mut value = event_json(event)?;
        value["at_s"] = json!(at.as_secs_f64());
        Some(value)
    });
    json!({
        "schema_version": 1,
        "phone": { "index": cast.who.index, "family": cast.family, "extension": cast.who.extension, "mac": cast.who.mac },
        "server": cast.server,
        "before": transcript.before,
        "events": events.collect::<Vec<_>>(),
        "after": transcript.after,
    })
}

fn event_json(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Asked(trigger) => json!({ "event": "asked", "trigger": trigger.name() }),
        Event::Person { user } => json!({ "event": "typed", "user": user }),
        Event::Waited(time) => json!({ "event": "waited", "phone_s": time.as_secs_f64() }),
        Event::Closed => json!({ "event": "connection-closed" }),
        Event::GivenUp => json!({ "event": "given-up" }),
        Event::Store(state) => json!({ "event": "stored", "user": state.stored_user, "realm": state.stored_realm }),
        Event::Exchange(exchange) => exchange_json(exchange),
        Event::Did(action) => match action {
            Action::Started { operation, .. } => json!({ "event": "started", "operation": operation.name() }),
            Action::Finished(operation, outcome) => {
                json!({ "event": "finished", "operation": operation.name(), "outcome": outcome.name() })
            }
            Action::Dropped(operation, cause) => {
                json!({ "event": "dropped", "operation": operation.name(), "cause": cause.name() })
            }
            Action::Challenged(kind) => json!({ "event": "challenged", "kind": kind.name() }),
            Action::Answering(scheme) => json!({ "event": "answering", "scheme": scheme.name() }),
            Action::Prompt(screen) => {
                json!({ "event": "prompt", "screen": screen.name(), "text": screen_text(*screen) })
            }
            Action::Typed { right } => json!({ "event": "tried", "right": right }),
            Action::Provisioned => json!({ "event": "provisioned" }),
            Action::Because(rule) => json!({ "event": "why", "quote": rule.quote, "source": rule.source }),
            _ => return None,
        },
    })
}

fn exchange_json(exchange: &Exchange) -> Value {
    let sent = exchange.request_headers.iter().map(|(n, v)| json!([n, mask::shown(n, v)]));
    let answer = exchange.answer.as_ref().map(|answer| {
        let headers = answer.headers.iter().map(|(n, v)| json!([n.as_str(), mask::shown(n.as_str(), v)]));
        json!({ "status": answer.status.as_u16(), "headers": headers.collect::<Vec<_>>(),
            "body": { "octets": answer.body.len, "content": format!("{:016x}", answer.body.hash) } })
    });
    let facts = &exchange.facts;
    let tls = facts.handshake.as_ref().map(|h| {
        json!({ "kind": format!("{:?}", h.kind).to_ascii_lowercase(), "version": h.version, "suite": h.suite,
            "group": h.group, "total_ms": h.total.as_secs_f64() * 1e3 })
    });
    json!({
        "event": "exchange", "number": exchange.number, "operation": exchange.operation.map(|o| o.name()),
        "request": { "method": exchange.method.as_str(), "target": exchange.target, "headers": sent.collect::<Vec<_>>(),
            "body": { "octets": exchange.request_body.len, "content": format!("{:016x}", exchange.request_body.hash) } },
        "answer": answer,
        "failure": exchange.failure().map(|f| f.name()),
        "connection": { "reused": facts.reused, "tls": tls },
        "total_ms": facts.total.as_secs_f64() * 1e3,
    })
}
