//! Cisco 8800 series, multiplatform firmware (`cisco-mpp`).
//!
//! Sources: the seed text on profile authentication (its rows are quoted in the tests), the vendor's
//! provisioning guide where a line says \[doc\]; everything marked \[assumed\] is a setting.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cisco_rule::ProfileRule;
use super::family::{Challenged, Decision, Family, Learns, Registration, SettingsError, Stage, Step, Task};
use super::settings::{self, header_value};
use super::{Attribute, AttributeKind};
use super::{Delay, Identity, Operation, Outcome, Purpose, Screen, Template, Trigger, backup};
use crate::auth::{Algorithm, AnswerScheme, ChoiceRule, Credentials, Preference, SchemeSet};

/// The register's entry.
pub(crate) const REGISTRATION: Registration = Registration {
    name: "cisco-mpp",
    about: "Cisco 8800 multiplatform desk phones: profile resync with retry timers; report after a change",
    read: |table| Ok(Arc::new(Cisco::new(settings::read::<Settings>(table)?)?)),
    schema: || schemars::schema_for!(Settings),
};

/// Settings of a `cisco-mpp` fleet, named as the phone's own web page names them.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Settings {
    /// `Profile_Rule`: `[--uid U --pwd P] /path/$MA.xml`; a leading `#` disables it [doc].
    profile_rule: String,
    /// `Profile_Rule_B`, run after the first [doc].
    profile_rule_b: String,
    /// `Profile_Rule_C` [doc].
    profile_rule_c: String,
    /// `Profile_Rule_D` [doc].
    profile_rule_d: String,
    /// `Profile_Authentication_Type`: `basic-http-authentication` (default), `xsi-authentication`, or
    /// `disabled`, with which no setup screen is ever shown [seed].
    profile_authentication_type: AuthenticationType,
    /// Whether the screen's three conditions must all hold [assumed]; false: an empty profile account and no
    /// credentials in the rule are enough, at any resync.
    setup_screen_needs_all: bool,
    /// User name for the macro `$SA`; a template.
    sa: String,
    /// Password for the macro `$SB`; a template.
    sb: String,
    /// `Report_Rule`: where the configuration report goes; empty: no reports [doc].
    report_rule: String,
    /// `HTTP_Report_Method` [doc].
    http_report_method: ReportMethod,
    /// `Content-Type` of the report [assumed].
    report_content_type: String,
    /// Time from a local change to its report [doc: 60 s].
    #[schemars(with = "String")]
    report_delay: Delay,
    /// `Resync_Random_Delay`: uniform from zero to this before the first attempt after boot [doc: 2, in a
    /// unit the vendor's texts dispute; here 2 × 10 s].
    #[serde(with = "settings::duration")]
    #[schemars(with = "String")]
    resync_random_delay: Duration,
    /// `Resync_Periodic`: armed after the first success; `0s` is off [doc].
    #[serde(with = "settings::duration")]
    #[schemars(with = "String")]
    resync_periodic: Duration,
    /// `Resync_Error_Retry_Delay`: seconds, a list whose last entry repeats; `a+b` adds a random 0..b [doc].
    resync_error_retry_delay: String,
    /// `Resync_Fails_On_FNF`: whether a 404 is a failure [doc].
    resync_fails_on_fnf: bool,
    /// Model, as `$PN` and in `User-Agent`.
    model: String,
    /// Firmware version, as `$SWVER` and in `User-Agent`.
    firmware: String,
    /// Whether Digest with SHA-256 is answered [assumed: no].
    digest_sha256: bool,
    /// Whether an answered protection space is used without a new challenge; the first request of a resync
    /// carries no credentials [doc].
    preemptive: bool,
    /// Whether the connection is kept for the next request [assumed].
    keep_alive: bool,
}

/// `Profile_Authentication_Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum AuthenticationType {
    /// No setup screen.
    Disabled,
    /// The default; the server's challenge still decides between Basic and Digest.
    BasicHttpAuthentication,
    /// The same exchange with the credentials of XSI [doc].
    XsiAuthentication,
}

/// `HTTP_Report_Method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum ReportMethod {
    /// POST, the default.
    Post,
    /// PUT.
    Put,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            profile_rule: "/$MA.xml".into(),
            profile_rule_b: String::new(),
            profile_rule_c: String::new(),
            profile_rule_d: String::new(),
            profile_authentication_type: AuthenticationType::BasicHttpAuthentication,
            setup_screen_needs_all: true,
            sa: String::new(),
            sb: String::new(),
            report_rule: "/reports/$MA.xml".into(),
            http_report_method: ReportMethod::Post,
            report_content_type: "application/xml".into(),
            report_delay: Delay::fixed(Duration::from_secs(60)),
            resync_random_delay: Duration::from_secs(20),
            resync_periodic: Duration::from_secs(3600),
            resync_error_retry_delay: "60,120,240,480,960,1920,3840,7680,15360,30720,61440,86400".into(),
            resync_fails_on_fnf: true,
            model: "CP-8841-3PCC".into(),
            firmware: "11.0".into(),
            digest_sha256: false,
            preemptive: false,
            keep_alive: true,
        }
    }
}

/// The family, its settings checked. `Debug` shows none of them: there are passwords among them.
struct Cisco {
    settings: Settings,
    profile_rules: Vec<ProfileRule>,
    report_rule: Option<ProfileRule>,
    sa: Template,
    sb: Template,
    retry: Vec<Delay>,
    content_type: HeaderValue,
    boot: [Stage; 1],
    preference: Preference,
}

impl fmt::Debug for Cisco {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cisco").finish_non_exhaustive()
    }
}

impl Cisco {
    fn new(settings: Settings) -> Result<Cisco, SettingsError> {
        let rule = |key: &str, text: &str| {
            ProfileRule::parse(text).map_err(|message| SettingsError { key: Some(key.to_owned()), message })
        };
        let template = |key: &str, text: &str| {
            Template::parse(text).map_err(|e| SettingsError { key: Some(key.to_owned()), message: e.to_string() })
        };
        let mut profile_rules = Vec::new();
        for (key, text) in [
            ("profile-rule", &settings.profile_rule),
            ("profile-rule-b", &settings.profile_rule_b),
            ("profile-rule-c", &settings.profile_rule_c),
            ("profile-rule-d", &settings.profile_rule_d),
        ] {
            profile_rules.extend(rule(key, text)?);
        }
        if profile_rules.is_empty() {
            return Err(SettingsError {
                key: Some("profile-rule".into()),
                message: "every profile rule is empty or disabled: there is nothing to resync".into(),
            });
        }
        // Checked once here, so that no request can have an unsendable agent.
        header_value("model", &settings.model)?;
        header_value("firmware", &settings.firmware)?;
        Ok(Cisco {
            profile_rules,
            report_rule: rule("report-rule", &settings.report_rule)?,
            sa: template("sa", &settings.sa)?,
            sb: template("sb", &settings.sb)?,
            retry: retry_list(&settings.resync_error_retry_delay)?,
            content_type: header_value("report-content-type", &settings.report_content_type)?,
            boot: [Stage {
                delay: Delay::up_to(settings.resync_random_delay),
                purpose: Purpose::BootDelay,
                operation: Operation::Resync,
            }],
            preference: preference(settings.digest_sha256),
            settings,
        })
    }

    /// The rule of step `number` of an operation.
    fn rule(&self, operation: Operation, number: u8) -> Option<&ProfileRule> {
        match operation {
            Operation::Resync => self.profile_rules.get(usize::from(number)),
            Operation::Report if number == 0 => self.report_rule.as_ref(),
            _ => None,
        }
    }

    /// A rule's macros for this phone [doc]; unknown names stay as they are.
    fn expand(&self, text: &str, who: &Identity) -> String {
        super::cisco_rule::expand(text, |name| {
            Some(match name {
                "MA" => who.mac.clone(),
                "MAU" => who.mac.to_uppercase(),
                "PN" => self.settings.model.clone(),
                "PSN" => self.settings.model.trim_start_matches("CP-").to_owned(),
                "SN" => who.serial.clone(),
                "SWVER" => self.settings.firmware.clone(),
                "SA" => self.sa.fill(who),
                "SB" => self.sb.fill(who),
                _ => return None,
            })
        })
    }

    /// Credentials in the rule, macros expanded.
    fn in_rule(&self, operation: Operation, number: u8, who: &Identity) -> Option<Credentials> {
        let (user, password) = self.rule(operation, number)?.credentials()?;
        Some(Credentials::new(self.expand(user, who), self.expand(password, who)))
    }

    fn headers(&self, who: &Identity) -> Vec<(HeaderName, HeaderValue)> {
        // `Cisco-CP-8841-3PCC/11.0 (00562b043615)` [doc]. A MAC is hex digits: the value is always sendable.
        let agent = format!("Cisco-{}/{} ({})", self.settings.model, self.settings.firmware, who.mac);
        HeaderValue::from_str(&agent).map(|value| vec![(header::USER_AGENT, value)]).unwrap_or_default()
    }
}

/// Basic and the MD5 algorithms [assumed]; SHA-256 behind its switch.
fn preference(sha256: bool) -> Preference {
    let md5 = SchemeSet::NONE
        .with(AnswerScheme::Basic)
        .with(AnswerScheme::Digest(Algorithm::Md5))
        .with(AnswerScheme::Digest(Algorithm::Md5Sess));
    let allowed = if sha256 {
        md5.with(AnswerScheme::Digest(Algorithm::Sha256)).with(AnswerScheme::Digest(Algorithm::Sha256Sess))
    } else {
        md5
    };
    Preference::new(allowed, ChoiceRule::Strongest)
}

/// `60,120,240+30,…` in seconds.
fn retry_list(text: &str) -> Result<Vec<Delay>, SettingsError> {
    let wrong = |part: &str| SettingsError {
        key: Some("resync-error-retry-delay".into()),
        message: format!(
            "`{part}` is no entry of a retry list; write seconds, or `a+b` for a random 0..b on top: 60,120,240+30"
        ),
    };
    let seconds = |part: &str, whole: &str| {
        part.trim().parse::<u32>().map(|s| Duration::from_secs(s.into())).map_err(|_| wrong(whole))
    };
    text.split(',')
        .map(|entry| match entry.split_once('+') {
            Some((base, spread)) => Ok(Delay { base: seconds(base, entry)?, spread: seconds(spread, entry)? }),
            None => Ok(Delay::fixed(seconds(entry, entry)?)),
        })
        .collect()
}

impl Family for Cisco {
    fn name(&self) -> &'static str {
        REGISTRATION.name
    }

    /// `OU=<model>, L=<serial>, S=<mac>` [doc]; `S` is what mod_ssl calls the surname.
    fn subject(&self, who: &Identity) -> Vec<Attribute> {
        let attribute = |kind, value: &str| Attribute { kind, value: value.to_owned() };
        vec![
            attribute(AttributeKind::OrganizationalUnit, &self.settings.model),
            attribute(AttributeKind::Locality, &who.serial),
            attribute(AttributeKind::Surname, &who.mac),
        ]
    }

    fn boot(&self) -> &[Stage] {
        &self.boot
    }

    fn step(&self, number: u8, task: &Task<'_>) -> Option<Step> {
        let path = self.expand(self.rule(task.operation, number)?.path(), task.who);
        let mut headers = self.headers(task.who);
        let report = task.operation == Operation::Report;
        let (method, body) = if report {
            headers.push((header::CONTENT_TYPE, self.content_type.clone()));
            let method = match self.settings.http_report_method {
                ReportMethod::Post => Method::POST,
                ReportMethod::Put => Method::PUT,
            };
            (method, backup::cisco_report(task.who, &self.settings.model, task.upload))
        } else {
            (Method::GET, bytes::Bytes::new())
        };
        Some(Step {
            method,
            path,
            headers,
            body,
            missing_ok: !report && !self.settings.resync_fails_on_fnf,
            keep_alive: self.settings.keep_alive,
        })
    }

    /// "The username and password in the Profile Rule field have a higher priority than the profile
    /// account." [seed] What is in the rule is all that is tried; the account only when the rule has none.
    fn answer(&self, challenged: &Challenged<'_>) -> Decision {
        let task = &challenged.task;
        if challenged.refused {
            return Decision::Fail(Outcome::CredentialsRejected);
        }
        if let Some(in_rule) = self.in_rule(task.operation, challenged.step, task.who) {
            return Decision::Answer(in_rule);
        }
        if let Some(account) = challenged.store.credentials() {
            return Decision::Answer(account.clone());
        }
        let screen_allowed = self.settings.profile_authentication_type != AuthenticationType::Disabled;
        let situation = challenged.booting || !self.settings.setup_screen_needs_all;
        if task.operation == Operation::Resync && screen_allowed && situation {
            Decision::Prompt(Screen::ProfileAccount)
        } else {
            Decision::Fail(Outcome::NoCredentials)
        }
    }

    fn preference(&self) -> &Preference {
        &self.preference
    }

    fn preemptive(&self) -> bool {
        self.settings.preemptive
    }

    fn max_answers(&self) -> u8 {
        2
    }

    fn max_redirects(&self) -> u8 {
        // 301 and 302 are followed at once [doc]; where it stops is not said [assumed].
        5
    }

    fn learns(&self) -> Learns {
        Learns::AtOnce
    }

    fn continues(&self, _operation: Operation, outcome: Outcome) -> bool {
        outcome.is_success()
    }

    fn retry(&self, operation: Operation, _outcome: Outcome, failures: u8) -> Option<Delay> {
        if operation != Operation::Resync {
            return None; // One attempt for a report [assumed].
        }
        let nth = usize::from(failures.saturating_sub(1)).min(self.retry.len().saturating_sub(1));
        self.retry.get(nth).copied()
    }

    fn periodic(&self) -> Option<Delay> {
        (!self.settings.resync_periodic.is_zero()).then_some(Delay::fixed(self.settings.resync_periodic))
    }

    fn on_trigger(&self, trigger: Trigger) -> Option<(Operation, Delay)> {
        let report = self.report_rule.is_some().then_some(Operation::Report);
        match trigger {
            Trigger::PowerUp => None,
            Trigger::Change => report.map(|r| (r, self.settings.report_delay)),
            Trigger::Backup => report.map(|r| (r, Delay::NONE)),
            Trigger::Restore | Trigger::Resync => Some((Operation::Resync, Delay::NONE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, challenge, fleet, guarded, status};
    use super::super::{Input, Moment, People, Standing};
    use super::*;

    const QUICK: &str = "resync-random-delay = \"1s\"";

    /// The six rows of the table, each under the seed's own words. `rule` is what the profile rule holds.
    #[test]
    fn the_six_rows_of_profile_authentication() {
        struct Row {
            quote: &'static str,
            rule: &'static str,
            null: f64,
            wrong: f64,
            outcome: &'static str,
            screen: bool,
        }
        const RIGHT: &str = "[--uid 2001 --pwd right] /$MA.xml";
        const WRONG: &str = "[--uid 2001 --pwd wrong] /$MA.xml";
        let rows = [
            Row {
                quote: "When you provide an incorrect URL in the Profile Rule field, sign-in always fails.",
                rule: "/nowhere/$MA.xml",
                null: 0.0,
                wrong: 0.0,
                outcome: "not-found",
                screen: false,
            },
            Row {
                quote: "When the HTTP or HTTPs 401 authentication error occurs during first-time provisioning after \
                        the phone reboots; When the profile account username and password are empty; When there are \
                        no username and password in the Profile Rule",
                rule: "/$MA.xml",
                null: 1.0,
                wrong: 0.0,
                outcome: "prompt-profile-account",
                screen: true,
            },
            Row {
                quote: "With the correct profile account, authentication passes.",
                rule: "/$MA.xml",
                null: 0.0,
                wrong: 0.0,
                outcome: "ok",
                screen: false,
            },
            Row {
                quote: "With an incorrect profile account, authentication fails.",
                rule: "/$MA.xml",
                null: 0.0,
                wrong: 1.0,
                outcome: "credentials-rejected",
                screen: false,
            },
            Row {
                quote: "a correct URL ... with a correct username and password ... The profile account is not used \
                        for phone resynchronization. Sign-in is successful.",
                rule: RIGHT,
                null: 0.0,
                wrong: 1.0,
                outcome: "ok",
                screen: false,
            },
            Row {
                quote: "a correct URL ... with an incorrect username and password ... The profile account isn't used \
                        for phone resynchronization. Sign-in always fails.",
                rule: WRONG,
                null: 0.0,
                wrong: 0.0,
                outcome: "credentials-rejected",
                screen: false,
            },
        ];
        for row in rows {
            let mut fleet = fleet("cisco-mpp", &format!("{QUICK}\nprofile-rule = \"{}\"", row.rule));
            (fleet.account.null, fleet.account.wrong) = (row.null, row.wrong);
            let mut bench = Bench::new(fleet);
            let mut server = guarded("/", "files", "2001", "right");
            let until = Moment::from_micros(30_000_000);
            bench.play(Input::Trigger(Trigger::PowerUp), until, |r| {
                let answer = server(r);
                // Even a wrong URL may be challenged first; nothing is there all the same.
                if r.path.contains("nowhere") && answer.status == 200 { status(404) } else { answer }
            });
            let story = bench.story();
            assert!(story.contains(&format!("resync: {}", row.outcome)), "{}: {story:#?}", row.quote);
            assert_eq!(story.contains(&"screen profile-account".to_owned()), row.screen, "{}", row.quote);
            let used_account = story.iter().any(|s| s.ends_with(if row.wrong > 0.0 { "not-right" } else { ":right" }));
            if row.rule == RIGHT || row.rule == WRONG {
                assert_eq!(used_account, row.rule == RIGHT && row.wrong == 0.0, "{}: {story:#?}", row.quote);
            }
            bench.assert_ledger();
        }
    }

    /// "When you disable the feature, the Profile account setup screen doesn't display on the phone."
    #[test]
    fn no_screen_when_the_feature_is_disabled() {
        let mut fleet = fleet("cisco-mpp", &format!("{QUICK}\nprofile-authentication-type = \"disabled\""));
        fleet.account.null = 1.0;
        let mut bench = Bench::new(fleet);
        bench.play(
            Input::Trigger(Trigger::PowerUp),
            Moment::from_micros(30_000_000),
            guarded("/", "files", "2001", "right"),
        );
        assert!(bench.story().contains(&"resync: no-credentials".to_owned()));
        assert_eq!(bench.standing(), Standing::Failed);
    }

    /// The screen is for first-time provisioning after a reboot; later resyncs fail without one.
    #[test]
    fn no_screen_once_the_phone_was_provisioned() {
        let mut fleet = fleet("cisco-mpp", QUICK);
        fleet.account.null = 1.0;
        let mut bench = Bench::new(fleet);
        bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| status(200));
        assert_eq!(bench.standing(), Standing::Provisioned);
        bench.play(Input::Due, Moment::from_micros(5_000_000_000), guarded("/", "files", "2001", "right"));
        bench.actions.clear();
        bench.play(Input::Trigger(Trigger::Resync), bench.now, guarded("/", "files", "2001", "right"));
        assert!(bench.story().contains(&"resync: no-credentials".to_owned()), "{:?}", bench.story());
        assert_eq!(bench.standing(), Standing::Provisioned);
    }

    /// What is typed at the setup screen goes into the profile account, right or wrong.
    #[test]
    fn the_setup_screen_writes_the_profile_account() {
        for (right, outcome, standing) in
            [(1.0, "resync: ok", Standing::Provisioned), (0.0, "resync: credentials-rejected", Standing::Failed)]
        {
            let mut fleet = fleet("cisco-mpp", QUICK);
            fleet.account.null = 1.0;
            fleet.people =
                People { come: 1.0, think: (Duration::from_secs(5), Duration::from_secs(10)), right, attempts: 1 };
            let mut bench = Bench::new(fleet);
            bench.play(
                Input::Trigger(Trigger::PowerUp),
                Moment::from_micros(30_000_000),
                guarded("/", "files", "2001", "right"),
            );
            let story = bench.story();
            let typed = story.iter().position(|s| s.starts_with("typed")).unwrap();
            assert_eq!(story[typed + 1], "stored");
            assert!(story[typed..].contains(&outcome.to_owned()), "{story:#?}");
            assert_eq!(bench.standing(), standing);
            bench.assert_ledger();
        }
    }

    /// `Resync_Error_Retry_Delay`: 60, 120, 240 … without jitter; the last entry repeats; success ends it.
    #[test]
    fn the_retry_list_is_followed_to_the_second() {
        let mut bench =
            Bench::new(fleet("cisco-mpp", "resync-random-delay = \"0s\"\nresync-error-retry-delay = \"60,120,240\""));
        let mut at = Vec::new();
        bench.give(Input::Trigger(Trigger::PowerUp));
        for _ in 0..5 {
            bench.give(Input::Answered(&status(503)));
            bench.now = bench.phone.next_due();
            at.push(bench.now.as_micros() / 1_000_000);
            assert!(bench.give(Input::Due).is_some());
        }
        assert_eq!(at, [60, 180, 420, 660, 900]);
        bench.give(Input::Answered(&status(200)));
        assert_eq!(bench.standing(), Standing::Provisioned);
        assert_eq!(
            bench.phone.next_due(),
            bench.now + Duration::from_secs(3600),
            "periodic is armed after the first success"
        );
        bench.assert_ledger();
    }

    #[test]
    fn a_retry_list_may_have_jitter() {
        let list = retry_list("1800+300, 3600+600").unwrap();
        assert_eq!(list[0], Delay { base: Duration::from_secs(1800), spread: Duration::from_secs(300) });
        assert!(retry_list("60,soon").unwrap_err().message.contains("`soon`"));
        assert!(retry_list("").is_err());
    }

    #[test]
    fn rules_run_in_order_and_a_failure_aborts_the_sequence() {
        let settings =
            format!("{QUICK}\nprofile-rule = \"/a.xml\"\nprofile-rule-b = \"# /off.xml\"\nprofile-rule-c = \"/c.xml\"");
        let mut bench = Bench::new(fleet("cisco-mpp", &settings));
        bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| status(200));
        assert_eq!(bench.story(), ["GET /a.xml", "GET /c.xml", "resync: ok", "provisioned"]);
        let mut bench = Bench::new(fleet("cisco-mpp", &settings));
        bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| status(404));
        assert_eq!(bench.story(), ["GET /a.xml", "resync: not-found"]);
    }

    #[test]
    fn a_missing_file_is_a_success_when_the_phone_is_told_so() {
        let mut bench = Bench::new(fleet("cisco-mpp", &format!("{QUICK}\nresync-fails-on-fnf = false")));
        bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| status(404));
        assert_eq!(bench.standing(), Standing::Provisioned);
    }

    #[test]
    fn redirects_are_followed_at_once_and_never_elsewhere() {
        for (location, outcome) in [("/moved.xml", "resync: ok"), ("https://elsewhere/x", "resync: redirect-refused")] {
            let mut bench = Bench::new(fleet("cisco-mpp", QUICK));
            bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |r| {
                let mut answer = status(if r.path == "/moved.xml" { 200 } else { 302 });
                answer.headers.insert(header::LOCATION, HeaderValue::from_str(location).unwrap());
                answer
            });
            assert!(bench.story().contains(&outcome.to_owned()), "{:?}", bench.story());
        }
        let mut bench = Bench::new(fleet("cisco-mpp", QUICK));
        let mut asked = 0;
        bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| {
            asked += 1;
            let mut answer = status(301);
            answer.headers.insert(header::LOCATION, HeaderValue::from_static("/loop.xml"));
            answer
        });
        assert_eq!(asked, 6, "a loop ends");
    }

    #[test]
    fn a_change_is_reported_after_a_minute() {
        let mut fleet = fleet("cisco-mpp", QUICK);
        fleet.starts_on = true;
        let mut bench = Bench::new(fleet);
        bench.give(Input::Trigger(Trigger::Change));
        assert_eq!(bench.phone.next_due(), Moment::ZERO + Duration::from_secs(60));
        bench.play(Input::Due, Moment::from_micros(61_000_000), guarded("/", "files", "2001", "right"));
        let story = bench.story();
        assert_eq!(story[0], "POST /reports/00562b040001.xml");
        assert_eq!(story.last().unwrap(), "report: ok");
        bench.assert_ledger();
    }

    /// A server that calls every answer stale (as one that tests staleness before the password) is not asked for ever.
    #[test]
    fn stale_for_ever_ends() {
        let mut bench = Bench::new(fleet("cisco-mpp", QUICK));
        let mut asked = 0;
        bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| {
            asked += 1;
            challenge(&[&format!("Digest realm=\"files\", nonce=\"n{asked}\", qop=\"auth\", stale=TRUE")])
        });
        assert_eq!(asked, 3);
        assert!(bench.story().contains(&"resync: credentials-rejected".to_owned()), "{:?}", bench.story());
    }

    #[test]
    fn the_agent_is_the_documented_one() {
        let mut bench = Bench::new(fleet("cisco-mpp", "resync-random-delay = \"0s\""));
        let request = bench.give(Input::Trigger(Trigger::PowerUp)).unwrap();
        assert_eq!(request.headers[0].1, "Cisco-CP-8841-3PCC/11.0 (00562b040001)");
    }
}
