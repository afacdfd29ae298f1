//! Avaya 9600 series, H.323 firmware (`avaya-96xx`).
//!
//! Sources: the seed text on backup and restore (quoted in the tests), vendor guides where a line says
//! \[doc\]; everything marked \[assumed\] is a setting with that default.

mod file;
mod profile;
#[cfg(test)]
mod tests;
mod why;

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Method, header};

pub use self::file::{FileError, read_file};
use self::profile::Settings;
use super::family::{Challenged, Decision, Deed, Family, Learns, Registration, SettingsError, Stage, Step, Task};
use super::path::encoded;
use super::rule::Rule;
use super::settings::{self, file_setting, header_value, path_setting};
use super::{Delay, Failure, Operation, Outcome, Purpose, Screen, Template, Trigger, backup};
use crate::auth::{AnswerScheme, ChoiceRule, Credentials, Lookup, Preference, SchemeSet};

/// What a person types to mean any realm.
const ANY_REALM: &str = "*";

/// The register's entry.
pub(crate) const REGISTRATION: Registration = Registration {
    name: "avaya-96xx",
    about: "Avaya 9600 series desk phones with H.323 firmware: settings, then restore; backup after a change",
    read: |table| Ok(Arc::new(Avaya::new(settings::read::<Settings>(table)?)?)),
    schema: || schemars::schema_for!(Settings),
};

/// The family, its settings checked. `Debug` shows none of them: there are passwords among them.
struct Avaya {
    settings: Settings,
    user_agent: HeaderValue,
    registration_password: Template,
    boot: Vec<Stage>,
    /// What a resync fetches, in order, and whether a missing file is passed over.
    files: Vec<(String, bool)>,
    preference: Preference,
}

impl fmt::Debug for Avaya {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Avaya").finish_non_exhaustive()
    }
}

impl Avaya {
    fn new(mut settings: Settings) -> Result<Avaya, SettingsError> {
        settings.bruri = path_setting("bruri", &settings.bruri)?;
        settings.settings_path = path_setting("settings-path", &settings.settings_path)?;
        let registration_password = Template::parse(&settings.registration_password)
            .map_err(|e| SettingsError { key: Some("registration-password".into()), message: e.to_string() })?;
        if !settings.firmware_file.is_empty() {
            file_setting("firmware-file", &settings.firmware_file)?;
        }
        let preference = if settings.digest {
            Preference::default()
        } else {
            Preference::new(SchemeSet::NONE.with(AnswerScheme::Basic), ChoiceRule::Strongest)
        };
        Ok(Avaya {
            user_agent: header_value("user-agent", &settings.user_agent)?,
            registration_password,
            boot: boot(&settings),
            files: files(&settings)?,
            preference,
            settings,
        })
    }

    fn request(&self, method: Method, path: String) -> Step {
        Step {
            method,
            path,
            headers: vec![(header::USER_AGENT, self.user_agent.clone())],
            body: bytes::Bytes::new(),
            then: 1,
            instead: None,
            keep_alive: self.settings.keep_alive,
        }
    }

    fn download(&self, number: u8) -> Option<Step> {
        let (file, missing_ok) = self.files.get(usize::from(number))?;
        let then = number.checked_add(1)?;
        let path = format!("{}{file}", self.settings.settings_path);
        Some(Step { then, instead: missing_ok.then_some(then), ..self.request(Method::GET, path) })
    }

    /// "The server gets the extension number of the phone from the backup or restore file name." [seed]
    fn backup_path(&self, task: &Task<'_>) -> String {
        format!("{}{}_96xxdata.txt", self.settings.bruri, encoded(&task.who.extension))
    }

    fn put(&self, task: &Task<'_>) -> Step {
        let mut step = self.request(Method::PUT, self.backup_path(task));
        if self.settings.expect_continue {
            step.headers.push((header::EXPECT, HeaderValue::from_static("100-continue")));
        }
        step.body = backup::avaya_file(task.who, task.upload, self.settings.encoding);
        step
    }

    /// Stored credentials, if their realm is the challenge's, or `*` where that means any.
    fn stored<'c>(&self, challenged: &'c Challenged<'_>) -> Option<&'c Credentials> {
        let store = challenged.store;
        match store.lookup(challenged.realm) {
            Lookup::Match(credentials) => Some(credentials),
            Lookup::OtherRealm if self.settings.realm_star && store.realm() == Some(ANY_REALM) => store.credentials(),
            Lookup::Null | Lookup::OtherRealm => None,
        }
    }
}

/// Power, settings, firmware if there is any, registration, restore.
fn boot(settings: &Settings) -> Vec<Stage> {
    let stage = |delay, purpose, operation| Stage { delay, purpose, operation };
    let mut stages = vec![stage(settings.boot_delay, Purpose::BootDelay, Operation::Resync)];
    if !settings.firmware_file.is_empty() {
        stages.push(stage(Delay::NONE, Purpose::BootDelay, Operation::Firmware));
    }
    stages.push(stage(settings.registration_delay, Purpose::Registration, Operation::Restore));
    stages
}

/// The settings chain: upgrade file, settings file, its twin, language files, certificates.
fn files(settings: &Settings) -> Result<Vec<(String, bool)>, SettingsError> {
    let mut files = vec![
        (file_setting("upgrade-file", &settings.upgrade_file)?, false),
        (file_setting("settings-file", &settings.settings_file)?, false),
    ];
    if settings.scr_twin {
        let stem = settings.settings_file.rsplit_once('.').map_or(&*settings.settings_file, |(stem, _)| stem);
        files.push((format!("{stem}.scr"), true));
    }
    for (key, names) in
        [("language-files", &settings.language_files), ("certificate-files", &settings.certificate_files)]
    {
        for name in names {
            files.push((file_setting(key, name)?, true));
        }
    }
    if files.len() > 200 {
        let message = "more than 200 files; no phone fetches as many".to_owned();
        return Err(SettingsError { key: Some("language-files".into()), message });
    }
    Ok(files)
}

/// Whether an operation concerns the phone's own file, and so takes the user's credentials.
fn is_transfer(operation: Operation) -> bool {
    matches!(operation, Operation::Restore | Operation::Backup | Operation::Delete)
}

impl Family for Avaya {
    fn name(&self) -> &'static str {
        REGISTRATION.name
    }

    fn boot(&self) -> &[Stage] {
        &self.boot
    }

    fn step(&self, number: u8, task: &Task<'_>) -> Option<Step> {
        match (task.operation, number) {
            (Operation::Resync, _) => self.download(number),
            (Operation::Firmware, 0) => {
                let Settings { settings_path, firmware_file, .. } = &self.settings;
                Some(self.request(Method::GET, format!("{settings_path}{firmware_file}")))
            }
            (Operation::Restore, 0) => Some(self.request(Method::GET, self.backup_path(task))),
            (Operation::Backup, 0) => Some(self.put(task)),
            (Operation::Delete, 0) => Some(self.request(Method::DELETE, self.backup_path(task))),
            _ => None,
        }
    }

    /// The heart of the seed: stored credentials answer a matching realm without a prompt; null, another
    /// realm, or a refusal leads to an interrupt screen.
    fn answer(&self, challenged: &Challenged<'_>) -> Decision {
        if !is_transfer(challenged.task.operation) {
            // Settings downloads carry no credentials [assumed], and no screen asks for any either.
            return match self.stored(challenged) {
                Some(_) if challenged.refused => Decision::Fail(Outcome::CredentialsRejected),
                Some(credentials) if self.settings.settings_credentials => Decision::Answer(credentials.clone()),
                _ => Decision::Fail(Outcome::NoCredentials),
            };
        }
        if challenged.refused {
            return Decision::Prompt(Screen::AuthenticationFailure);
        }
        if let Some(typed) = challenged.typed {
            return Decision::Answer(typed.clone());
        }
        match self.stored(challenged) {
            Some(credentials) => Decision::Answer(credentials.clone()),
            None => Decision::Prompt(Screen::Authentication),
        }
    }

    fn preference(&self) -> &Preference {
        &self.preference
    }

    /// Registration credentials, over TLS only [assumed]: always when no certificates were downloaded
    /// [seed], else when BRAUTH is 1 [doc]. Call server address first, colon, registration password [seed].
    fn unasked(&self, task: &Task<'_>) -> Option<Credentials> {
        let wanted = !self.settings.certificates_downloaded || self.settings.brauth;
        let safe = task.origin.tls || self.settings.registration_over_http;
        (safe && is_transfer(task.operation) && wanted)
            .then(|| Credentials::new(self.settings.call_server.to_string(), self.registration_password.fill(task.who)))
    }

    fn preemptive(&self) -> bool {
        self.settings.preemptive
    }

    fn max_answers(&self) -> u8 {
        // The stored credentials, and once more should the nonce be stale by then.
        2
    }

    /// "HTTPS first, then the same request over HTTP if that cannot connect" [doc, sister product]: at boot, not for
    /// the backup file, whose URI names its scheme [assumed].
    fn falls_back(&self, operation: Operation, failure: Failure) -> bool {
        use Failure::{ConnectFailed, ConnectRefused, ConnectTimeout, ConnectUnreachable};
        let unconnected = [ConnectRefused, ConnectTimeout, ConnectUnreachable, ConnectFailed].contains(&failure);
        let unshaken = self.settings.http_after_tls_failure && failure.name().starts_with("tls-");
        let concerned = !is_transfer(operation) || self.settings.transfers_fall_back;
        concerned && (unconnected || unshaken)
    }

    fn learns(&self) -> Learns {
        Learns::OnSuccess
    }

    fn realm_kept(&self, typed: bool, stored: Option<&str>, challenged: &str) -> String {
        let star = self.settings.realm_star && (typed || stored == Some(ANY_REALM));
        if star { ANY_REALM.to_owned() } else { challenged.to_owned() }
    }

    fn says(&self, operation: Operation, outcome: Outcome) -> Option<&'static str> {
        // [doc, sister model]
        ((operation, outcome) == (Operation::Restore, Outcome::NotFound)).then_some("Retrieval failed")
    }

    fn continues(&self, operation: Operation, outcome: Outcome) -> bool {
        // A restore that finds no file leaves the phone with its settings: it works [doc, sister model].
        let with_what_it_has = match operation {
            Operation::Restore => outcome == Outcome::NotFound,
            Operation::Firmware => outcome != Outcome::Failed(Failure::Aborted),
            _ => false,
        };
        outcome.is_success() || with_what_it_has
    }

    fn retry(&self, operation: Operation, _outcome: Outcome, _failures: u8) -> Option<Delay> {
        // "One attempt per request; whoever asked retries": only the settings are fetched anew.
        (operation == Operation::Resync).then_some(self.settings.settings_retry)
    }

    /// "One attempt per request; whoever asked retries" [doc, sister model], unless the setting says more. A missing file
    /// is no failure to try again.
    fn again(&self, operation: Operation, outcome: Outcome, failures: u8) -> Option<Delay> {
        let Settings { transfer_attempts, transfer_retry, .. } = self.settings;
        let worth_it = is_transfer(operation) && outcome != Outcome::NotFound;
        (worth_it && failures < transfer_attempts).then_some(transfer_retry)
    }

    fn on_trigger(&self, trigger: Trigger) -> Option<(Operation, Delay)> {
        match trigger {
            Trigger::PowerUp => None,
            Trigger::Change => Some((Operation::Backup, self.settings.backup_delay)),
            Trigger::Backup => Some((Operation::Backup, Delay::NONE)),
            Trigger::Restore => Some((Operation::Restore, Delay::NONE)),
            Trigger::Resync => Some((Operation::Resync, Delay::NONE)),
            Trigger::Delete => Some((Operation::Delete, Delay::NONE)),
            Trigger::Restart => self.settings.backup_at_restart.then_some((Operation::Backup, Delay::NONE)),
        }
    }

    fn rule(&self, deed: &Deed<'_>) -> Option<Rule> {
        why::rule(deed, self.settings.certificates_downloaded)
    }
}
