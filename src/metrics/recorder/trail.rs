//! What a shard keeps of operations a person may ask about, until the slice is closed and it is written down.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;

use crate::metrics::distribution::micros;
use crate::metrics::{ExchangeFacts, Notable, Notables, Step};
use crate::phone::{Failure, Operation, Outcome, Request};

/// The last exchanges of an operation under way: a ring whose places are used again, by the next operation too. Hardly
/// any is ever told, so keeping one must cost next to nothing.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// Exchanges in all.
    sent: u32,
    ring: Vec<Sent>,
}

/// One exchange, as it costs least to keep.
#[derive(Debug, Default)]
struct Sent {
    at_us: u64,
    took_us: Option<u64>,
    method: Method,
    path: String,
    status: Option<u16>,
    failure: Option<Failure>,
}

impl Trail {
    /// For another operation.
    pub(super) fn clear(&mut self) {
        self.sent = 0;
    }

    /// A request is sent.
    pub(super) fn sent(&mut self, at: Duration, request: &Request) {
        let place = self.sent as usize % Notable::STEPS;
        self.sent += 1;
        if place >= self.ring.len() {
            self.ring.push(Sent::default());
        }
        let step = &mut self.ring[place];
        (step.at_us, step.took_us, step.status, step.failure) = (micros(at), None, None, None);
        step.method = request.method.clone();
        step.path.clear();
        step.path.push_str(&request.path);
    }

    /// The last request's exchange ended.
    pub(super) fn ended(&mut self, at: Duration, facts: &ExchangeFacts) {
        let last = self.sent.checked_sub(1).map(|last| last as usize % Notable::STEPS);
        if let Some(last) = last.and_then(|place| self.ring.get_mut(place)) {
            last.took_us = Some(micros(at).saturating_sub(last.at_us));
            (last.status, last.failure) = (facts.status, facts.failure);
        }
    }

    /// Exchanges before those that are still known.
    fn left_out(&self) -> u32 {
        self.sent.saturating_sub(Notable::STEPS as u32)
    }

    /// The last ones, in order.
    fn steps(&self) -> impl Iterator<Item = &Sent> {
        (self.left_out()..self.sent).filter_map(|n| self.ring.get(n as usize % Notable::STEPS))
    }
}

/// An operation that may be told of.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) phone: u32,
    pub(super) operation: Operation,
    pub(super) outcome: Option<Outcome>,
    pub(super) intended_us: u64,
    pub(super) response_us: u64,
    pub(super) trail: Option<Box<Trail>>,
}

impl Told {
    fn notable(&self) -> Notable {
        let trail = self.trail.as_deref();
        let steps = trail.into_iter().flat_map(Trail::steps).map(|sent| Step {
            at_us: sent.at_us,
            took_us: sent.took_us,
            method: sent.method.to_string(),
            path: sent.path.clone(),
            status: sent.status,
            failure: sent.failure,
        });
        Notable {
            phone: self.phone,
            extension: String::new(),
            operation: self.operation,
            outcome: self.outcome,
            intended_us: self.intended_us,
            response_us: self.response_us,
            left_out: trail.map_or(0, Trail::left_out),
            steps: steps.collect(),
        }
    }
}

/// Who is worth telling of, in this slice and so far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Slowest response times told so far, by operation, rising.
    told: [Vec<u64>; Operation::ALL.len()],
    /// The slowest of this slice, by operation: those not slower than what was told already are not among them.
    slow: [Vec<Told>; Operation::ALL.len()],
    /// Phones never provisioned whose last operation went wrong.
    stranded: BTreeMap<u32, Told>,
    /// Of these, those of whom this slice has news.
    news: BTreeSet<u32>,
    recovered: Vec<u32>,
}

impl Watch {
    /// An operation ended. `up`: whether its phone stands provisioned. Hands back the trail nobody will ask for.
    pub(super) fn ended(&mut self, told: Told, up: bool) -> Option<Box<Trail>> {
        let is_success = told.outcome.is_some_and(|outcome| outcome.is_success());
        match up || is_success {
            true => self.rank(told),
            false => self.strand(told),
        }
    }

    /// The phone came through after all.
    pub(super) fn provisioned(&mut self, phone: u32) {
        if self.stranded.remove(&phone).is_some() {
            self.news.remove(&phone);
            self.recovered.push(phone);
        }
    }

    pub(super) fn strand(&mut self, told: Told) -> Option<Box<Trail>> {
        if self.stranded.len() >= Notables::STRANDED && !self.stranded.contains_key(&told.phone) {
            return told.trail;
        }
        self.news.insert(told.phone);
        self.stranded.insert(told.phone, told)?.trail
    }

    fn rank(&mut self, told: Told) -> Option<Box<Trail>> {
        let index = told.operation.index();
        let before = &self.told[index];
        if before.len() >= Notables::SLOWEST && before.first().is_some_and(|least| told.response_us <= *least) {
            return told.trail;
        }
        let slow = &mut self.slow[index];
        if slow.len() < Notables::SLOWEST {
            slow.push(told);
            return None;
        }
        match slow.iter_mut().min_by_key(|slow| slow.response_us) {
            Some(least) if told.response_us > least.response_us => std::mem::replace(least, told).trail,
            _ => told.trail,
        }
    }

    /// What this slice has to tell.
    pub(super) fn close(&mut self) -> Notables {
        let mut notables = Notables::default();
        for (slow, told) in self.slow.iter_mut().zip(&mut self.told) {
            if slow.is_empty() {
                continue;
            }
            told.extend(slow.iter().map(|slow| slow.response_us));
            told.sort_unstable();
            told.drain(..told.len().saturating_sub(Notables::SLOWEST));
            notables.slowest.extend(slow.drain(..).map(|slow| slow.notable()));
        }
        let news = std::mem::take(&mut self.news);
        notables.stranded = news.iter().filter_map(|phone| self.stranded.get(phone)).map(Told::notable).collect();
        notables.recovered = std::mem::take(&mut self.recovered);
        notables.recovered.sort_unstable();
        // Puts them in order.
        notables.merge(&Notables::default());
        notables
    }
}
