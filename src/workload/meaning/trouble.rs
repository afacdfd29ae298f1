//! What makes the embedded server slow, faulty or different: `work`, `faults`, `event`.

use http::StatusCode;

use super::Meaning;
use crate::phone::Moment;
use crate::workload::file::{EventSection, FaultsSection, WorkSection};
use crate::workload::locate::KeyPath;
use crate::workload::quantity::Count;
use crate::workload::{Befalls, Faults, TargetEvent, Work};

/// The keys of an event, of which it has one.
const EVENTS: &str = "rename-realm, down-for, rotate-ticket-keys, swap-certificate or password-change";

impl Meaning<'_> {
    pub(super) fn work(&mut self, typed: &WorkSection, at: &KeyPath) -> Work {
        let count = |count: Count| usize::try_from(count.0).unwrap_or(usize::MAX);
        let workers = typed.workers.map(count);
        if workers == Some(0) {
            self.say(&at.then("workers"), "nobody would work", "leave it out for as many as there are requests");
        }
        if workers.is_some() && typed.service.1.is_zero() {
            let right = "give the service a time, for example \"20ms\"";
            self.say(&at.then("workers"), "requests that take no time never wait for a worker", right);
        }
        let service = (typed.service.0, typed.service.1);
        Work { service, workers, queue: typed.queue.map(count), overload: typed.overload }
    }

    pub(super) fn faults(&mut self, typed: &FaultsSection, at: &KeyPath) -> Faults {
        let mut share = |key: &str, share: f64| self.share(&at.then(key), share);
        let stall = share("stall", typed.stall.0);
        let cut = share("cut", typed.cut.0);
        let reset = share("reset", typed.reset.0);
        let status = share("status", typed.status.0);
        let sum = stall + cut + reset + status;
        if sum > 1.0 && [stall, cut, reset, status].iter().all(|s| (0.0..=1.0).contains(s)) {
            self.say(at, format!("the shares add up to {sum}"), "an answer goes wrong in one way: at most 1 together");
        }
        let code = StatusCode::from_u16(typed.status_code).ok().filter(|c| c.is_client_error() || c.is_server_error());
        let status_code = code.unwrap_or_else(|| {
            let what = format!("{} is no status of a fault", typed.status_code);
            self.say(&at.then("status-code"), what, "from 400 to 599");
            StatusCode::INTERNAL_SERVER_ERROR
        });
        Faults { stall, cut, reset, status, status_code }
    }

    /// The events, in order of time.
    pub(super) fn events(&mut self, typed: &[EventSection], at: &KeyPath, tls: bool) -> Vec<TargetEvent> {
        let mut events = Vec::new();
        for (n, typed) in typed.iter().enumerate() {
            let path = at.then(n);
            let befalls = self.befalls(typed, &path, tls);
            let Some(when) = typed.at else {
                self.say(&path.then("at"), "is missing", "write when, for example at = \"60s\"");
                continue;
            };
            events.extend(befalls.map(|what| TargetEvent { at: Moment::ZERO + when.0, what }));
        }
        events.sort_by_key(|event| event.at);
        events
    }

    fn befalls(&mut self, typed: &EventSection, at: &KeyPath, tls: bool) -> Option<Befalls> {
        let mut found = Vec::new();
        if let Some(realm) = &typed.rename_realm {
            if realm.chars().any(char::is_control) {
                self.say(&at.then("rename-realm"), "has control characters", "a realm is printable text");
            }
            found.push(Befalls::RenameRealm(realm.clone()));
        }
        if let Some(time) = typed.down_for {
            if time.0.is_zero() {
                self.say(&at.then("down-for"), "it would not be down at all", "for example \"90s\"");
            }
            found.push(Befalls::Down(time.0));
        }
        if typed.rotate_ticket_keys == Some(true) {
            found.push(Befalls::RotateTicketKeys);
        }
        found.extend(typed.swap_certificate.map(Befalls::SwapCertificate));
        if let Some(share) = typed.password_change {
            found.push(Befalls::ChangePasswords(self.share(&at.then("password-change"), share.0)));
        }
        let of_tls = matches!(found.first(), Some(Befalls::RotateTicketKeys | Befalls::SwapCertificate(_)));
        if of_tls && !tls {
            self.say(at, "this server speaks no TLS", "leave the event out, or set target.embedded.tls");
        }
        if found.len() != 1 {
            let what = if found.is_empty() { "nothing happens" } else { "several things happen" };
            self.say(at, what, format!("an event has exactly one of {EVENTS}"));
        }
        found.pop()
    }
}
