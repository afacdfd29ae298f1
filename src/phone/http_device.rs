//! A generic device that fetches its configuration over HTTP (`http-device`): the template for new families.
//!
//! # How to write a family
//!
//! A family is data plus a little code. It is one file (or folder) here and one line in
//! [`FAMILIES`](super::FAMILIES); nothing else in the program knows it by name. This file is the smallest whole one:
//! copy it, then go through its four parts.
//!
//! 1. **[`REGISTRATION`]**: the name in workloads, one line about it, how its settings are read and their schema.
//! 2. **`Settings`**: a struct of everything that is not certain about the device, each field with a default and a
//!    sentence that says where it is from. It becomes `[fleet.settings]` of the workload and its manual.
//! 3. **`new`**: settings are checked once, when the workload is read, so that no request can go wrong later. An error
//!    names its key and says what would be right.
//! 4. **`impl Family`**: pure answers to the machine's questions. The ones that make a device what it is:
//!    [`boot`](Family::boot) (what it does when power comes), [`step`](Family::step) (which requests an operation
//!    takes, and where a missing file leads), [`answer`](Family::answer) (which credentials, or which screen),
//!    [`retry`](Family::retry) and [`periodic`](Family::periodic) (its timers), and
//!    [`on_trigger`](Family::on_trigger) (what a user's wish means to it). The rest has defaults.
//!
//! A family draws no numbers, reads no clock and keeps nothing: chance comes in with [`Delay`], what a phone knows with
//! the [`Task`]. Challenges, Digest, redirects, prompts, timers and the books are the machine's. Its invariants hold for
//! every registered family: the machine's property test takes each of them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{Challenged, Decision, Family, Learns, Registration, SettingsError, Stage, Step, Task};
use super::path::encoded;
use super::settings::{self, header_value};
use super::{Delay, Identity, Operation, Outcome, Purpose, Recurrence, Template, Trigger, backup};
use crate::auth::{Credentials, Preference};

/// The register's entry.
pub(crate) const REGISTRATION: Registration = Registration {
    name: "http-device",
    about: "any device that fetches a list of files in turn and may upload one; the template for new families",
    read: |table| Ok(Arc::new(HttpDevice::new(settings::read::<Settings>(table)?)?)),
    schema: || schemars::schema_for!(Settings),
};

/// Settings of an `http-device` fleet.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Settings {
    /// Paths asked for in turn until one is there, below the target's base; templates such as `/{mac}.cfg`.
    urls: Vec<String>,
    /// The statuses that lead on to the next path.
    next_on: Vec<u16>,
    /// User name; a template; empty: what the fleet's credentials have.
    user: String,
    /// Password; a template.
    password: String,
    /// Whether credentials are sent as Basic before any challenge.
    send_unasked: bool,
    /// `User-Agent` of every request; a template.
    user_agent: String,
    /// Where a change is uploaded to; a template; empty: nowhere.
    upload_path: String,
    /// The upload's method.
    upload_method: UploadMethod,
    /// Time from an upload the device made by itself, as a report, to its next; `0s`: it makes none.
    #[schemars(with = "String")]
    upload_every: Delay,
    /// Time from power to the first request.
    #[schemars(with = "String")]
    boot_delay: Delay,
    /// Time to a new attempt after a failure.
    #[schemars(with = "String")]
    retry: Delay,
    /// Time from a success to the next attempt; `0s`: none.
    #[schemars(with = "String")]
    periodic: Delay,
    /// Whether the connection is kept for the next request.
    keep_alive: bool,
}

/// How a file is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum UploadMethod {
    /// PUT.
    Put,
    /// POST.
    Post,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            urls: vec!["/{mac}.cfg".into(), "/default.cfg".into()],
            next_on: vec![404],
            user: String::new(),
            password: String::new(),
            send_unasked: false,
            user_agent: "http-device".into(),
            upload_path: String::new(),
            upload_method: UploadMethod::Put,
            upload_every: Delay::NONE,
            boot_delay: Delay::NONE,
            retry: Delay::fixed(Duration::from_secs(60)),
            periodic: Delay::NONE,
            keep_alive: true,
        }
    }
}

/// The family, its settings checked. `Debug` shows none of them: there are passwords among them.
struct HttpDevice {
    settings: Settings,
    urls: Vec<Template>,
    credentials: Option<(Template, Template)>,
    user_agent: Template,
    /// The same, filled once, where all phones have the same.
    agent: Option<HeaderValue>,
    upload_path: Option<Template>,
    boot: [Stage; 1],
    preference: Preference,
}

impl fmt::Debug for HttpDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpDevice").finish_non_exhaustive()
    }
}

impl HttpDevice {
    fn new(settings: Settings) -> Result<HttpDevice, SettingsError> {
        let wrong = |key: &str, message: String| SettingsError { key: Some(key.to_owned()), message };
        let template = |key: &str, text: &str| Template::parse(text).map_err(|e| wrong(key, e.to_string()));
        // What a phone's own strings put in is digits and letters: one phone's path stands for all.
        let somebody = Identity { index: 0, number: 0, extension: "1".into(), mac: "0".repeat(12), serial: "1".into() };
        let path = |key: &str, text: &str| {
            let template = template(key, text)?;
            let path = template.fill(&somebody);
            if !path.starts_with('/') || settings::unsendable(&path).is_some() {
                return Err(wrong(key, format!("`{text}` is no path; write for example \"/{{mac}}.cfg\"")));
            }
            Ok(template)
        };
        if !(1..=200).contains(&settings.urls.len()) {
            return Err(wrong("urls", format!("{} paths; from 1 to 200", settings.urls.len())));
        }
        if settings.send_unasked && settings.user.is_empty() {
            return Err(wrong("send-unasked", "there is nothing to send; give `user` and `password`".into()));
        }
        if settings.upload_every != Delay::NONE && settings.upload_path.is_empty() {
            return Err(wrong("upload-every", "there is nowhere to upload to; give `upload-path`".into()));
        }
        header_value("user-agent", &settings.user_agent)?;
        let user_agent = template("user-agent", &settings.user_agent)?;
        let agent = user_agent.is_constant().then(|| HeaderValue::try_from(user_agent.fill(&somebody)).ok()).flatten();
        let boot = Stage { delay: settings.boot_delay, purpose: Purpose::BootDelay, operation: Operation::Resync };
        Ok(HttpDevice {
            urls: settings.urls.iter().map(|url| path("urls", url)).collect::<Result<_, _>>()?,
            credentials: match settings.user.is_empty() {
                true => None,
                false => Some((template("user", &settings.user)?, template("password", &settings.password)?)),
            },
            user_agent,
            agent,
            upload_path: match settings.upload_path.is_empty() {
                true => None,
                false => Some(path("upload-path", &settings.upload_path)?),
            },
            boot: [boot],
            preference: Preference::default(),
            settings,
        })
    }

    fn own(&self, task: &Task<'_>) -> Option<Credentials> {
        let (user, password) = self.credentials.as_ref()?;
        Some(Credentials::new(user.fill(task.who), password.fill(task.who)))
    }

    fn request(&self, method: Method, path: &Template, task: &Task<'_>) -> Step {
        let agent = self.agent.clone().or_else(|| HeaderValue::try_from(self.user_agent.fill(task.who)).ok());
        Step {
            method,
            path: encoded(path.fill(task.who)),
            headers: agent.map_or_else(Vec::new, |agent| vec![(header::USER_AGENT, agent)]),
            body: bytes::Bytes::new(),
            then: u8::MAX,
            instead: None,
            keep_alive: self.settings.keep_alive,
        }
    }
}

impl Family for HttpDevice {
    fn name(&self) -> &'static str {
        REGISTRATION.name
    }

    fn boot(&self) -> &[Stage] {
        &self.boot
    }

    /// A resync is through with the first file that is there; a missing one leads to the next.
    fn step(&self, number: u8, task: &Task<'_>) -> Option<Step> {
        match task.operation {
            Operation::Resync => {
                let url = self.urls.get(usize::from(number))?;
                let next = number.checked_add(1).filter(|next| usize::from(*next) < self.urls.len());
                Some(Step { instead: next, ..self.request(Method::GET, url, task) })
            }
            Operation::Backup | Operation::Report if number == 0 => {
                let method = match self.settings.upload_method {
                    UploadMethod::Put => Method::PUT,
                    UploadMethod::Post => Method::POST,
                };
                let body = backup::avaya_file(task.who, task.upload, backup::Encoding::Utf8);
                Some(Step { body, ..self.request(method, self.upload_path.as_ref()?, task) })
            }
            _ => None,
        }
    }

    fn falls_through(&self, status: StatusCode) -> bool {
        self.settings.next_on.contains(&status.as_u16())
    }

    /// Its own credentials, or the fleet's; refused ones are not tried twice, and there is no screen.
    fn answer(&self, challenged: &Challenged<'_>) -> Decision {
        let stored = || challenged.store.credentials().cloned();
        match self.own(&challenged.task).or_else(stored) {
            Some(_) if challenged.refused => Decision::Fail(Outcome::CredentialsRejected),
            Some(credentials) => Decision::Answer(credentials),
            None => Decision::Fail(Outcome::NoCredentials),
        }
    }

    fn preference(&self) -> &Preference {
        &self.preference
    }

    fn unasked(&self, task: &Task<'_>) -> Option<Credentials> {
        if self.settings.send_unasked { self.own(task) } else { None }
    }

    fn preemptive(&self) -> bool {
        true
    }

    fn max_answers(&self) -> u8 {
        2
    }

    fn max_redirects(&self) -> u8 {
        5
    }

    fn learns(&self) -> Learns {
        Learns::OnSuccess
    }

    fn continues(&self, _operation: Operation, outcome: Outcome) -> bool {
        outcome.is_success()
    }

    fn retry(&self, operation: Operation, _outcome: Outcome, _failures: u8) -> Option<Delay> {
        (operation == Operation::Resync).then_some(self.settings.retry)
    }

    fn periodic(&self) -> Option<Recurrence> {
        (self.settings.periodic != Delay::NONE).then_some(Recurrence::Every(self.settings.periodic))
    }

    fn periodic_report(&self) -> Option<Delay> {
        (self.settings.upload_every != Delay::NONE).then_some(self.settings.upload_every)
    }

    fn on_trigger(&self, trigger: Trigger) -> Option<(Operation, Delay)> {
        let upload = self.upload_path.is_some().then_some((Operation::Backup, Delay::NONE));
        match trigger {
            Trigger::PowerUp | Trigger::Delete => None,
            Trigger::Change | Trigger::Backup | Trigger::Restart => upload,
            Trigger::Restore | Trigger::Resync => Some((Operation::Resync, Delay::NONE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, challenge, credentials, fleet, guarded, status};
    use super::super::{Input, Moment, Standing};
    use super::*;

    fn bench(settings: &str) -> Bench {
        Bench::new(fleet("http-device", settings))
    }

    /// An ordered URL list with fall-through by status.
    #[test]
    fn it_takes_the_first_file_that_is_there() {
        for (next_on, answers, story, standing) in [
            (
                "[404]",
                [404, 200, 200],
                "GET /00562b040001.cfg, GET /b.cfg, resync: ok, provisioned",
                Standing::Provisioned,
            ),
            (
                "[404]",
                [404, 404, 404],
                "GET /00562b040001.cfg, GET /b.cfg, GET /c.cfg, resync: not-found",
                Standing::Failed,
            ),
            ("[404]", [403, 200, 200], "GET /00562b040001.cfg, resync: http-403", Standing::Failed),
            (
                "[403, 404]",
                [403, 200, 200],
                "GET /00562b040001.cfg, GET /b.cfg, resync: ok, provisioned",
                Standing::Provisioned,
            ),
        ] {
            let mut bench = bench(&format!("urls = [\"/{{mac}}.cfg\", \"/b.cfg\", \"/c.cfg\"]\nnext-on = {next_on}"));
            let mut answers = answers.into_iter();
            bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(1), |_| status(answers.next().unwrap()));
            assert_eq!(bench.story().join(", "), story);
            assert_eq!(bench.standing(), standing);
            bench.assert_ledger();
        }
    }

    #[test]
    fn credentials_answer_a_challenge_or_go_unasked() {
        let own = "user = \"u{ext}\"\npassword = \"p\"";
        let mut asked = bench(own);
        asked.boot(guarded("/", "any", "u2001", "p"));
        assert_eq!(asked.standing(), Standing::Provisioned);
        let mut unasked = bench(&format!("{own}\nsend-unasked = true"));
        unasked.boot(|request| {
            assert_eq!(credentials(request), Some(Credentials::new("u2001", "p")));
            status(200)
        });
        let mut fleets = bench("");
        fleets.boot(guarded("/", "any", "2001", "right"));
        assert_eq!(fleets.standing(), Standing::Provisioned);
        let mut wrong = bench(own);
        wrong.boot(|_| challenge(&["Basic realm=\"any\""]));
        assert!(wrong.story().contains(&"resync: credentials-rejected".to_owned()), "{:?}", wrong.story());
    }

    #[test]
    fn it_uploads_tries_again_and_comes_back() {
        let settings = "upload-path = \"/{mac}.log\"\nupload-method = \"POST\"\nretry = \"30s\"\nperiodic = \"1h\"";
        let mut bench = bench(settings);
        bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(1), |_| status(500));
        assert_eq!(bench.phone.next_due(), Moment::ZERO + Duration::from_secs(30));
        bench.play(Input::Due, Moment::from_micros(40_000_000), |_| status(200));
        assert_eq!(bench.phone.next_due(), Moment::ZERO + Duration::from_secs(3_630));
        bench.actions.clear();
        bench.play(Input::Trigger(Trigger::Change), bench.now, |_| status(201));
        bench.play(Input::Due, bench.now + Duration::from_secs(1), |_| status(201));
        assert_eq!(bench.story(), ["POST /00562b040001.log", "backup: ok"]);
        bench.assert_ledger();
    }

    #[test]
    fn it_uploads_by_itself() {
        let mut bench = bench("upload-path = \"/{mac}.log\"\nupload-every = \"10s\"");
        bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(1), |_| status(200));
        let due = bench.phone.next_due();
        bench.actions.clear();
        bench.play(Input::Due, due + Duration::from_secs(1), |_| status(201));
        assert_eq!(bench.story(), ["PUT /00562b040001.log", "report: ok"]);
        assert_eq!(bench.phone.next_due(), due + Duration::from_secs(10));
        bench.assert_ledger();
    }

    #[test]
    fn its_agent_and_connection_are_settings() {
        let mut bench = bench("user-agent = \"Device/{serial}\"\nkeep-alive = false");
        let request = bench.give(Input::Trigger(Trigger::PowerUp)).unwrap();
        assert_eq!(request.headers, [(header::USER_AGENT, HeaderValue::from_static("Device/FCH0000"))]);
        assert!(!request.keep_alive);
    }

    #[test]
    fn wrong_settings_are_told() {
        let read = |text: &str| (REGISTRATION.read)(&text.parse().unwrap()).unwrap_err();
        for (text, key) in [
            ("urls = []", "urls"),
            ("urls = [\"mac.cfg\"]", "urls"),
            ("send-unasked = true", "send-unasked"),
            ("upload-path = \"/{nobody}\"", "upload-path"),
            ("upload-every = \"10s\"", "upload-every"),
        ] {
            assert_eq!(read(text).key.as_deref(), Some(key), "{text}");
        }
    }
}
