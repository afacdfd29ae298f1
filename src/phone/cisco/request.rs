//! From rules to requests: which one an operation makes next, with which headers and which credentials.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};

use super::evaluate::{RuleRequest, assigned};
use super::profile::ReportMethod;
use super::{Cisco, macros};
use crate::auth::Credentials;
use crate::phone::family::{Step, Task};
use crate::phone::path::encoded;
use crate::phone::{Identity, Operation, backup};

/// Step numbers of one rule: a rule is one step, or one for each name that bare-IP provisioning tries.
pub(super) const NAMES: u8 = 32;

impl Cisco {
    /// What the rule of step `number` comes to: of the rules from there on the first that is not skipped, and its
    /// position. Rules before it count for what they assign.
    pub(super) fn resync(&self, number: u8, task: &Task<'_>) -> Option<(u8, RuleRequest)> {
        let mut assigns = Vec::new();
        for (rule, n) in self.profile_rules.iter().zip(0u8..) {
            let Some(rule) = rule else { continue };
            let evaluated = rule.evaluate(&|name| assigned(&assigns, name).or_else(|| self.value(name, task)));
            assigns.extend(evaluated.assigns);
            match evaluated.request {
                Some(request) if n >= number / NAMES => return Some((n, request)),
                _ => {}
            }
        }
        None
    }

    fn report(&self, task: &Task<'_>) -> Option<RuleRequest> {
        self.report_rule.as_ref()?.evaluate(&|name| self.value(name, task)).request
    }

    /// Credentials in the rule, macros expanded.
    pub(super) fn in_rule(&self, number: u8, task: &Task<'_>) -> Option<Credentials> {
        match task.operation {
            Operation::Resync if self.tries_names(number) => None,
            Operation::Resync => self.resync(number, task)?.1.credentials,
            Operation::Report => self.report(task)?.credentials,
            _ => None,
        }
    }

    fn tries_names(&self, number: u8) -> bool {
        self.settings.bare_ip && number < NAMES
    }

    pub(super) fn resync_step(&self, number: u8, task: &Task<'_>) -> Option<Step> {
        let missing_ok = |then: u8| (!self.settings.resync_fails_on_fnf).then_some(then);
        if self.tries_names(number) {
            let names = &self.settings.bare_ip_names;
            let path = encoded(macros::expand(names.get(usize::from(number))?, &|name| self.value(name, task)));
            let next = (usize::from(number) + 1 < names.len()).then_some(number + 1);
            return Some(Step { instead: next.or(missing_ok(NAMES)), ..self.get(path, NAMES, task) });
        }
        let (rule, request) = self.resync(number, task)?;
        let then = (rule + 1) * NAMES;
        let mut step = self.get(path_of(&request.url, task.base), then, task);
        step.instead = missing_ok(then);
        if let Some(post) = request.post {
            step.method = Method::POST;
            step.body = Bytes::from(post);
        }
        Some(step)
    }

    pub(super) fn report_step(&self, task: &Task<'_>) -> Option<Step> {
        let request = self.report(task)?;
        let mut step = self.get(path_of(&request.url, task.base), 1, task);
        step.headers.push((header::CONTENT_TYPE, self.content_type.clone()));
        step.method = match self.settings.http_report_method {
            ReportMethod::Post => Method::POST,
            ReportMethod::Put => Method::PUT,
        };
        // The first report is always whole: there is nothing yet it could differ from [assumed].
        let upload = task.upload;
        step.body = match request.delta && upload.version > 1 {
            true => backup::cisco_delta(task.who, &self.settings.model, upload),
            false => backup::cisco_report(task.who, &self.settings.model, upload),
        };
        Some(step)
    }

    fn get(&self, path: String, then: u8, task: &Task<'_>) -> Step {
        Step {
            method: Method::GET,
            path,
            headers: self.headers(task.who),
            body: Bytes::new(),
            then,
            instead: None,
            keep_alive: self.settings.keep_alive,
        }
    }

    fn headers(&self, who: &Identity) -> Vec<(HeaderName, HeaderValue)> {
        // `Cisco-CP-8841-3PCC/11.0 (00562b043615)` [doc]. A MAC is hex digits: the value is always sendable.
        let agent = format!("Cisco-{}/{} ({})", self.settings.model, self.settings.firmware, who.mac);
        let agent = HeaderValue::from_str(&agent).ok().map(|value| (header::USER_AGENT, value));
        let encoding = self.accept_encoding.clone().map(|value| (header::ACCEPT_ENCODING, value));
        agent.into_iter().chain(encoding).collect()
    }
}

/// The path a rule's URL names below the base. A whole URL has been held against the target when the settings were
/// read (`fits`).
pub(super) fn path_of(url: &str, base: &str) -> String {
    let path = match url.split_once("://") {
        Some((_, rest)) => {
            let path = rest.find('/').map_or("/", |at| &rest[at..]);
            path.strip_prefix(base).filter(|below| below.starts_with('/')).unwrap_or(path)
        }
        None => url,
    };
    // What macros bring in may be anything.
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{slash}{}", encoded(path))
}
