//! Cisco 8800 series, multiplatform firmware (`cisco-mpp`).
//!
//! Sources: the seed text on profile authentication (its rows are quoted in the tests), the vendor's
//! provisioning guide where a line says \[doc\]; everything marked \[assumed\] is a setting.

mod evaluate;
mod macros;
mod parse;
mod profile;
mod request;
mod rule;
#[cfg(test)]
mod tests;
mod timers;
mod variable;
mod why;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use self::profile::{AuthenticationType, ReportToServer, Settings};
use self::request::NAMES;
use self::rule::ProfileRule;
use self::timers::{daily, retry_list, time_of_day};
use self::variable::templates;
use super::family::{
    ByMenu, Challenged, Decision, Deed, Family, InUse, Learns, Registration, SettingsError, Stage, Step, Task, Upload,
    Why,
};
use super::rule::Rule;
use super::settings::{self, header_value};
use super::{Attribute, AttributeKind};
use super::{Delay, Identity, Operation, Origin, Outcome, Purpose, Recurrence, Screen, Template, Trigger, redirect};
use crate::auth::{Algorithm, AnswerScheme, ChoiceRule, Credentials, Preference, SchemeSet};

/// The register's entry.
pub(crate) const REGISTRATION: Registration = Registration {
    name: "cisco-mpp",
    about: "Cisco 8800 multiplatform desk phones: profile resync with retry timers; report after a change",
    read: |table| Ok(Arc::new(Cisco::new(settings::read::<Settings>(table)?)?)),
    schema: || schemars::schema_for!(Settings),
};

/// The family, its settings checked. `Debug` shows none of them: there are passwords among them.
struct Cisco {
    settings: Settings,
    /// Rules A to D.
    profile_rules: [Option<ProfileRule>; 4],
    report_rule: Option<ProfileRule>,
    /// Macros that are templates, by name.
    templates: BTreeMap<String, Template>,
    xsi: Option<(Template, Template)>,
    periodic: Option<Recurrence>,
    retry: Vec<Delay>,
    content_type: HeaderValue,
    accept_encoding: Option<HeaderValue>,
    boot: Vec<Stage>,
    preference: Preference,
}

impl fmt::Debug for Cisco {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cisco").finish_non_exhaustive()
    }
}

impl Cisco {
    fn new(settings: Settings) -> Result<Cisco, SettingsError> {
        let wrong = |key: &str, message: String| SettingsError { key: Some(key.to_owned()), message };
        let rule = |key: &str, text: &str| ProfileRule::parse(text).map_err(|message| wrong(key, message));
        let profile_rules = [
            rule("profile-rule", &settings.profile_rule)?,
            rule("profile-rule-b", &settings.profile_rule_b)?,
            rule("profile-rule-c", &settings.profile_rule_c)?,
            rule("profile-rule-d", &settings.profile_rule_d)?,
        ];
        if profile_rules.iter().all(Option::is_none) && !settings.bare_ip {
            let message = "every profile rule is empty or disabled: there is nothing to resync";
            return Err(wrong("profile-rule", message.to_owned()));
        }
        if !(1..=usize::from(NAMES)).contains(&settings.bare_ip_names.len()) {
            return Err(wrong("bare-ip-names", format!("there are from 1 to {NAMES} names")));
        }
        if let Some(name) = settings.bare_ip_names.iter().find(|name| !name.starts_with('/')) {
            return Err(wrong("bare-ip-names", format!("`{name}` is no path; it begins with `/`")));
        }
        for (key, share) in [("setup-by-menu", settings.setup_by_menu), ("in-use", settings.in_use)] {
            if !(0.0..=1.0).contains(&share) {
                return Err(wrong(key, format!("{share} is no share; from 0 to 1")));
            }
        }
        // Checked once here, so that no request can have an unsendable agent.
        header_value("model", &settings.model)?;
        header_value("firmware", &settings.firmware)?;
        let boot = Stage {
            delay: Delay::up_to(settings.resync_random_delay.most(settings.resync_random_delay_unit)),
            purpose: Purpose::BootDelay,
            operation: Operation::Resync,
        };
        let accept_encoding = &settings.accept_encoding;
        Ok(Cisco {
            profile_rules,
            report_rule: rule("report-rule", &settings.report_rule)?,
            templates: templates(&settings)?,
            xsi: match settings.xsi_user.is_empty() {
                true => None,
                false => {
                    Some((template("xsi-user", &settings.xsi_user)?, template("xsi-password", &settings.xsi_password)?))
                }
            },
            periodic: periodic(&settings)?,
            retry: retry_list(&settings.resync_error_retry_delay)?,
            content_type: header_value("report-content-type", &settings.report_content_type)?,
            accept_encoding: match accept_encoding.is_empty() {
                true => None,
                false => Some(header_value("accept-encoding", accept_encoding)?),
            },
            boot: if settings.resync_on_reset { vec![boot] } else { Vec::new() },
            preference: preference(&settings),
            settings,
        })
    }
}

fn template(key: &str, text: &str) -> Result<Template, SettingsError> {
    Template::parse(text).map_err(|e| SettingsError { key: Some(key.to_owned()), message: e.to_string() })
}

/// `Resync_At` wins over `Resync_Periodic` [doc].
fn periodic(settings: &Settings) -> Result<Option<Recurrence>, SettingsError> {
    let begins = time_of_day("run-begins-at", &settings.run_begins_at)?;
    if !settings.resync_at.is_empty() {
        let at = time_of_day("resync-at", &settings.resync_at)?;
        return Ok(Some(daily(at, begins, settings.resync_at_random_delay)));
    }
    let period = settings.resync_periodic;
    Ok((!period.is_zero()).then_some(Recurrence::Every(Delay::fixed(period))))
}

/// Basic and the MD5 algorithms [assumed]; SHA-256 behind its switch.
fn preference(settings: &Settings) -> Preference {
    let mut allowed = SchemeSet::NONE.with(AnswerScheme::Basic);
    if settings.digest {
        allowed = allowed.with(AnswerScheme::Digest(Algorithm::Md5)).with(AnswerScheme::Digest(Algorithm::Md5Sess));
    }
    if settings.digest && settings.digest_sha256 {
        allowed =
            allowed.with(AnswerScheme::Digest(Algorithm::Sha256)).with(AnswerScheme::Digest(Algorithm::Sha256Sess));
    }
    Preference::new(allowed, ChoiceRule::Strongest)
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
        match task.operation {
            Operation::Resync => self.resync_step(number, task),
            Operation::Report if number == 0 => self.report_step(task),
            _ => None,
        }
    }

    /// "The username and password in the Profile Rule field have a higher priority than the profile
    /// account." [seed] What is in the rule is all that is tried; the account only when the rule has none.
    fn answer(&self, challenged: &Challenged<'_>) -> Decision {
        let task = &challenged.task;
        if challenged.refused {
            return Decision::Fail(Outcome::CredentialsRejected);
        }
        if let Some(in_rule) = self.in_rule(challenged.step, task) {
            return Decision::Answer(in_rule);
        }
        let kind = self.settings.profile_authentication_type;
        if let (AuthenticationType::XsiAuthentication, Some((user, password))) = (kind, &self.xsi) {
            return Decision::Answer(Credentials::new(user.fill(task.who), password.fill(task.who)));
        }
        if let Some(account) = challenged.store.credentials() {
            return Decision::Answer(account.clone());
        }
        let situation = challenged.booting || !self.settings.setup_screen_needs_all;
        if task.operation == Operation::Resync && kind != AuthenticationType::Disabled && situation {
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
        self.settings.max_redirects
    }

    fn answers_proxies(&self) -> bool {
        true
    }

    fn learns(&self) -> Learns {
        Learns::AtOnce
    }

    /// "If the Profile account setup screen is missed or ignored, the user can also access the setup screen through
    /// the phone screen menu, or the Setup softkey" [seed]; so where the profile account is wrong.
    fn by_menu(&self, operation: Operation, outcome: Outcome) -> Option<ByMenu> {
        let screen = Screen::ProfileAccount;
        let helps = outcome == Outcome::Prompt(screen)
            || matches!(outcome, Outcome::CredentialsRejected | Outcome::NoCredentials);
        let shown = self.settings.profile_authentication_type != AuthenticationType::Disabled;
        let Settings { setup_by_menu: share, setup_by_menu_after: after, .. } = self.settings;
        (operation == Operation::Resync && helps && shown && share > 0.0).then_some(ByMenu { screen, share, after })
    }

    /// A rule that holds a whole URL must name a server of the workload's, and a path below its folder.
    fn fits(&self, servers: &[Origin], base: &str) -> Result<(), SettingsError> {
        let keys = ["profile-rule", "profile-rule-b", "profile-rule-c", "profile-rule-d", "report-rule"];
        let rules = self.profile_rules.iter().chain([&self.report_rule]);
        let Some(origin) = servers.first() else { return Ok(()) };
        let resources = keys.iter().zip(rules).flat_map(|(key, rule)| {
            let alternatives = rule.iter().flat_map(|rule| &rule.alternatives);
            alternatives.filter_map(move |a| Some((key, a.resource.as_ref()?)))
        });
        for (key, resource) in resources {
            for sample in ["0", "1"] {
                let mac = sample.repeat(12);
                let who = Identity { index: 0, number: 0, extension: sample.into(), serial: sample.into(), mac };
                let (operation, upload) = (Operation::Resync, Upload::default());
                let task = Task { who: &who, operation, why: Why::PowerUp, origin, base, upload };
                let url = macros::expand(&resource.url, &|name| self.value(name, &task));
                let Some((scheme, rest)) = url.split_once("://") else { continue };
                let host = &rest[..rest.find('/').unwrap_or(rest.len())];
                let named = Origin::parse(scheme, host).filter(|named| named == origin);
                if named.is_none_or(|named| redirect::path_within(&url, &named, base, "").is_none()) {
                    let message = format!(
                        "the rule asks `{scheme}://{host}`, but the phones may only talk to {origin}{base}; write the                          path alone, or change the target"
                    );
                    return Err(SettingsError { key: Some((*key).to_owned()), message });
                }
            }
        }
        Ok(())
    }

    fn continues(&self, _operation: Operation, outcome: Outcome) -> bool {
        outcome.is_success()
    }

    fn retry(&self, operation: Operation, _outcome: Outcome, failures: u8) -> Option<Delay> {
        if operation != Operation::Resync {
            return None;
        }
        let nth = usize::from(failures.saturating_sub(1)).min(self.retry.len().saturating_sub(1));
        self.retry.get(nth).copied()
    }

    fn again(&self, operation: Operation, _outcome: Outcome, failures: u8) -> Option<Delay> {
        let Settings { report_attempts, report_retry, .. } = self.settings;
        (operation == Operation::Report && failures < report_attempts).then_some(report_retry)
    }

    fn heeds_retry_after(&self) -> bool {
        self.settings.retry_after
    }

    fn periodic(&self) -> Option<Recurrence> {
        self.periodic
    }

    fn periodic_report(&self) -> Option<Delay> {
        let Settings { report_to_server, report_periodic, .. } = self.settings;
        let wanted = report_to_server == ReportToServer::Periodically && self.report_rule.is_some();
        (wanted && report_periodic > Duration::ZERO).then_some(Delay::fixed(report_periodic))
    }

    fn in_use(&self) -> Option<InUse> {
        let Settings { in_use: share, in_use_for: wait, forced_resync_delay: most, .. } = self.settings;
        (share > 0.0).then_some(InUse { share, wait, most })
    }

    fn on_trigger(&self, trigger: Trigger) -> Option<(Operation, Delay)> {
        let report = self.report_rule.is_some().then_some(Operation::Report);
        let on_change = self.settings.report_to_server == ReportToServer::OnLocalChange;
        match trigger {
            Trigger::PowerUp | Trigger::Delete => None,
            Trigger::Change if on_change => report.map(|r| (r, self.settings.report_delay)),
            Trigger::Change => None,
            // A report goes "as part of shutdown or restart" [doc].
            Trigger::Backup | Trigger::Restart => report.map(|r| (r, Delay::NONE)),
            Trigger::Restore | Trigger::Resync => Some((Operation::Resync, Delay::NONE)),
        }
    }

    fn rule(&self, deed: &Deed<'_>) -> Option<Rule> {
        why::rule(deed, |challenged| self.in_rule(challenged.step, &challenged.task).is_some())
    }

    /// TLS 1.2 at most [assumed].
    fn speaks_tls_1_3(&self) -> bool {
        self.settings.tls_1_3
    }
}
