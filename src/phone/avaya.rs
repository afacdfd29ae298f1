//! Avaya 9600 series, H.323 firmware (`avaya-96xx`).
//!
//! Sources: the seed text on backup and restore (quoted in the tests), vendor guides where a line says
//! \[doc\]; everything marked \[assumed\] is a setting with that default.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{Challenged, Decision, Family, Learns, Registration, SettingsError, Stage, Step, Task};
use super::rule::{Deed, Rule};
use super::settings::{self, header_value, path_setting};
use super::{Delay, Operation, Outcome, Purpose, Screen, Template, Trigger, backup};
use crate::auth::{AnswerScheme, ChoiceRule, Credentials, Lookup, Preference, SchemeSet};

/// The register's entry.
pub(crate) const REGISTRATION: Registration = Registration {
    name: "avaya-96xx",
    about: "Avaya 9600 series desk phones with H.323 firmware: settings, then restore; backup after a change",
    read: |table| Ok(Arc::new(Avaya::new(settings::read::<Settings>(table)?)?)),
    schema: || schemars::schema_for!(Settings),
};

/// Settings of an `avaya-96xx` fleet.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Settings {
    /// `BRURI`: folder of the backup files, below the target's base; `/` is added unless it ends in one [doc].
    bruri: String,
    /// Folder of the settings files, below the target's base.
    settings_path: String,
    /// Name of the upgrade file, fetched first (older firmware: `96xxupgrade.txt`) [doc].
    upgrade_file: String,
    /// Name of the settings file, fetched second [doc].
    settings_file: String,
    /// Time from power to the first request (boot time itself belongs to the arrival plan) [assumed].
    #[schemars(with = "String")]
    boot_delay: Delay,
    /// Time the registration with the call server takes, before the restore [assumed].
    #[schemars(with = "String")]
    registration_delay: Delay,
    /// Time from a user's change to its automatic backup; a later change begins it anew [assumed].
    #[schemars(with = "String")]
    backup_delay: Delay,
    /// Time to a new attempt when the settings could not be had [doc: about 15 minutes].
    #[schemars(with = "String")]
    settings_retry: Delay,
    /// `User-Agent` of every request [assumed].
    user_agent: String,
    /// Encoding of the backup file: `utf-8` [assumed], `utf-16le` [doc for a sister model].
    encoding: backup::Encoding,
    /// Whether Digest challenges are answered at all; Basic always is [assumed].
    digest: bool,
    /// Whether an answered protection space is used for the next request without a new challenge [assumed].
    preemptive: bool,
    /// Whether the connection is kept for the next request [assumed].
    keep_alive: bool,
    /// Whether certificates were downloaded (`TRUSTCERTS`). If not, registration credentials are always sent [seed].
    certificates_downloaded: bool,
    /// `BRAUTH`: whether registration credentials are sent when certificates were downloaded [doc].
    brauth: bool,
    /// Call server's IPv4 address, the first half of the registration credentials [seed].
    call_server: std::net::Ipv4Addr,
    /// Registration password, the second half; a template like the fleet's credentials [seed].
    registration_password: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            bruri: "/backup".into(),
            settings_path: "/".into(),
            upgrade_file: "96x1Hupgrade.txt".into(),
            settings_file: "46xxsettings.txt".into(),
            boot_delay: Delay::NONE,
            registration_delay: Delay { base: Duration::from_secs(2), spread: Duration::from_secs(6) },
            backup_delay: Delay { base: Duration::from_secs(5), spread: Duration::from_secs(25) },
            settings_retry: Delay::fixed(Duration::from_secs(15 * 60)),
            user_agent: "AVAYA".into(),
            encoding: backup::Encoding::Utf8,
            digest: true,
            preemptive: true,
            keep_alive: true,
            certificates_downloaded: true,
            brauth: false,
            call_server: std::net::Ipv4Addr::new(10, 1, 2, 3),
            registration_password: "{ext}".into(),
        }
    }
}

/// The family, its settings checked. `Debug` shows none of them: there are passwords among them.
struct Avaya {
    settings: Settings,
    user_agent: HeaderValue,
    registration_password: Template,
    boot: [Stage; 2],
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
        Ok(Avaya {
            user_agent: header_value("user-agent", &settings.user_agent)?,
            registration_password,
            boot: [
                Stage { delay: settings.boot_delay, purpose: Purpose::BootDelay, operation: Operation::Resync },
                Stage {
                    delay: settings.registration_delay,
                    purpose: Purpose::Registration,
                    operation: Operation::Restore,
                },
            ],
            preference: if settings.digest {
                Preference::default()
            } else {
                Preference::new(SchemeSet::NONE.with(AnswerScheme::Basic), ChoiceRule::Strongest)
            },
            settings,
        })
    }

    fn get(&self, path: String, missing_ok: bool) -> Step {
        Step {
            method: Method::GET,
            path,
            headers: self.headers(),
            body: bytes::Bytes::new(),
            missing_ok,
            keep_alive: self.settings.keep_alive,
        }
    }

    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        vec![(header::USER_AGENT, self.user_agent.clone())]
    }

    /// "The server gets the extension number of the phone from the backup or restore file name." [seed]
    fn backup_path(&self, task: &Task<'_>) -> String {
        format!("{}{}_96xxdata.txt", self.settings.bruri, task.who.extension)
    }
}

impl Family for Avaya {
    fn name(&self) -> &'static str {
        REGISTRATION.name
    }

    fn boot(&self) -> &[Stage] {
        &self.boot
    }

    fn step(&self, number: u8, task: &Task<'_>) -> Option<Step> {
        let folder = &self.settings.settings_path;
        match (task.operation, number) {
            (Operation::Resync, 0) => Some(self.get(format!("{folder}{}", self.settings.upgrade_file), false)),
            (Operation::Resync, 1) => Some(self.get(format!("{folder}{}", self.settings.settings_file), false)),
            (Operation::Restore, 0) => Some(self.get(self.backup_path(task), false)),
            (Operation::Backup, 0) => Some(Step {
                method: Method::PUT,
                body: backup::avaya_file(task.who, task.upload, self.settings.encoding),
                ..self.get(self.backup_path(task), false)
            }),
            _ => None,
        }
    }

    /// The heart of the seed: stored credentials answer a matching realm without a prompt; null, another
    /// realm, or a refusal leads to an interrupt screen.
    fn answer(&self, challenged: &Challenged<'_>) -> Decision {
        if !matches!(challenged.task.operation, Operation::Restore | Operation::Backup) {
            // Settings downloads carry no credentials [assumed]: nothing to answer with, no screen either.
            return Decision::Fail(Outcome::NoCredentials);
        }
        if challenged.refused {
            return Decision::Prompt(Screen::AuthenticationFailure);
        }
        if let Some(typed) = challenged.typed {
            return Decision::Answer(typed.clone());
        }
        match challenged.store.lookup(challenged.realm) {
            Lookup::Match(credentials) => Decision::Answer(credentials.clone()),
            Lookup::Null | Lookup::OtherRealm => Decision::Prompt(Screen::Authentication),
        }
    }

    fn preference(&self) -> &Preference {
        &self.preference
    }

    /// Registration credentials, over TLS only [assumed]: always when no certificates were downloaded
    /// [seed], else when BRAUTH is 1 [doc]. Call server address first, colon, registration password [seed].
    fn unasked(&self, task: &Task<'_>) -> Option<Credentials> {
        let backup = matches!(task.operation, Operation::Restore | Operation::Backup);
        let wanted = !self.settings.certificates_downloaded || self.settings.brauth;
        (task.tls && backup && wanted)
            .then(|| Credentials::new(self.settings.call_server.to_string(), self.registration_password.fill(task.who)))
    }

    fn preemptive(&self) -> bool {
        self.settings.preemptive
    }

    fn max_answers(&self) -> u8 {
        // The stored credentials, and once more should the nonce be stale by then.
        2
    }

    fn learns(&self) -> Learns {
        Learns::OnSuccess
    }

    fn continues(&self, operation: Operation, outcome: Outcome) -> bool {
        // A restore that finds no file leaves the phone with its settings: it works [doc, sister model].
        outcome.is_success() || (operation, outcome) == (Operation::Restore, Outcome::NotFound)
    }

    fn retry(&self, operation: Operation, _outcome: Outcome, _failures: u8) -> Option<Delay> {
        // "One attempt per request; whoever asked retries": only the settings are fetched anew.
        (operation == Operation::Resync).then_some(self.settings.settings_retry)
    }

    fn on_trigger(&self, trigger: Trigger) -> Option<(Operation, Delay)> {
        match trigger {
            Trigger::PowerUp => None,
            Trigger::Change => Some((Operation::Backup, self.settings.backup_delay)),
            Trigger::Backup => Some((Operation::Backup, Delay::NONE)),
            Trigger::Restore => Some((Operation::Restore, Delay::NONE)),
            Trigger::Resync => Some((Operation::Resync, Delay::NONE)),
        }
    }

    fn rule(&self, deed: &Deed<'_>) -> Option<Rule> {
        super::avaya_rules::rule(deed, self.settings.certificates_downloaded)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, challenge, credentials, fleet, guarded, status};
    use super::super::{Account, Input, Moment, People, Standing};
    use super::*;

    const QUICK: &str = "registration-delay = \"1s\"\nbackup-delay = \"5s\"";

    fn bench(change: impl FnOnce(&mut Account)) -> Bench {
        let mut fleet = fleet("avaya-96xx", QUICK);
        change(&mut fleet.account);
        Bench::new(fleet)
    }

    #[test]
    fn the_boot_chain_in_order() {
        let mut bench = bench(|_| ());
        bench.boot(guarded("/backup", "files", "2001", "right"));
        assert_eq!(
            bench.story(),
            [
                "GET /96x1Hupgrade.txt",
                "GET /46xxsettings.txt",
                "resync: ok",
                "GET /backup/2001_96xxdata.txt",
                "challenge first",
                "GET /backup/2001_96xxdata.txt as 2001:right",
                "restore: ok",
                "provisioned",
            ]
        );
        assert_eq!(bench.standing(), Standing::Provisioned);
        bench.assert_ledger();
    }

    /// Each row quotes the seed; `stored` is what the phone has, `server` what the server wants.
    #[test]
    fn the_three_answers_to_a_challenge() {
        struct Row {
            quote: &'static str,
            set: fn(&mut Account),
            realm: &'static str,
            ends: &'static [&'static str],
            standing: Standing,
        }
        let rows = [
            Row {
                quote: "the realm in the challenge matches the stored realm, the phone uses the stored credentials \
                        to respond to the challenge without prompting the user",
                set: |_| (),
                realm: "files",
                ends: &["challenge first", "GET /backup/2001_96xxdata.txt as 2001:right", "restore: ok", "provisioned"],
                standing: Standing::Provisioned,
            },
            Row {
                quote: "if the stored credentials are null ... display an HTTP Authentication ... interrupt screen",
                set: |a| a.null = 1.0,
                realm: "files",
                ends: &["challenge first", "restore: prompt-authentication", "screen authentication"],
                standing: Standing::Prompting,
            },
            Row {
                quote: "or if the realms do not match",
                set: |a| a.stale_realm = 1.0,
                realm: "files",
                ends: &["challenge first", "restore: prompt-authentication", "screen authentication"],
                standing: Standing::Prompting,
            },
            Row {
                quote: "or if the realms do not match (the server's realm was renamed)",
                set: |_| (),
                realm: "renamed",
                ends: &["challenge first", "restore: prompt-authentication", "screen authentication"],
                standing: Standing::Prompting,
            },
            Row {
                quote: "or if an authentication attempt using the stored credentials fails ... HTTP Authentication \
                        Failure interrupt screen",
                set: |a| a.wrong = 1.0,
                realm: "files",
                ends: &[
                    "challenge first",
                    "GET /backup/2001_96xxdata.txt as 2001:not-right",
                    "challenge rejected",
                    "restore: prompt-authentication-failure",
                    "screen authentication-failure",
                ],
                standing: Standing::Prompting,
            },
        ];
        for row in rows {
            let mut bench = bench(row.set);
            bench.boot(guarded("/backup", row.realm, "2001", "right"));
            let story = bench.story();
            assert!(
                story.ends_with(&row.ends.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()),
                "{}: {story:#?}",
                row.quote
            );
            assert_eq!(bench.standing(), row.standing, "{}", row.quote);
            bench.assert_ledger();
        }
    }

    fn with_person(right: f64, attempts: u32, set: impl FnOnce(&mut Account)) -> Bench {
        let mut fleet = fleet("avaya-96xx", QUICK);
        set(&mut fleet.account);
        let think = (Duration::from_secs(30), Duration::from_secs(60));
        fleet.people = People { come: 1.0, think, right, attempts };
        Bench::new(fleet)
    }

    /// "New values replace the stored authentication and realm values: When HTTP authentication for backup or
    /// restore succeeds; If the userid, password, or realm used differs from those values that are stored in
    /// the phone"
    #[test]
    fn typed_credentials_that_succeed_are_stored_and_survive_a_reboot() {
        for (set, realm) in
            [((|a| a.null = 1.0) as fn(&mut Account), "files"), (|_| (), "renamed"), (|a| a.wrong = 1.0, "files")]
        {
            let mut bench = with_person(1.0, 3, set);
            bench.boot(guarded("/backup", realm, "2001", "right"));
            let story = bench.story();
            let end = [
                "typed right",
                "GET /backup/2001_96xxdata.txt",
                "challenge first",
                "GET /backup/2001_96xxdata.txt as 2001:right",
                "stored",
                "restore: ok",
                "provisioned",
            ];
            assert!(story.ends_with(&end.map(String::from)), "{story:#?}");
            assert_eq!(bench.standing(), Standing::Provisioned);
            bench.assert_ledger();

            bench.actions.clear();
            bench.boot(guarded("/backup", realm, "2001", "right"));
            assert!(!bench.story().iter().any(|s| s.starts_with("screen") || s == "stored"), "{:#?}", bench.story());
        }
    }

    /// "If HTTP authentication fails, the user is prompted to enter new credentials."
    #[test]
    fn typed_credentials_that_fail_are_not_stored_and_the_user_is_prompted_again() {
        let mut bench = with_person(0.0, 2, |a| a.null = 1.0);
        bench.boot(guarded("/backup", "files", "2001", "right"));
        let screens: Vec<_> = bench
            .story()
            .into_iter()
            .filter(|s| s.starts_with("screen") || s.starts_with("typed") || s == "stored")
            .collect();
        assert_eq!(
            screens,
            [
                "screen authentication",
                "typed wrong",
                "screen authentication-failure",
                "typed wrong",
                "screen authentication-failure"
            ]
        );
        assert_eq!(bench.standing(), Standing::Prompting);
        assert!(bench.phone.is_settled(), "the person gave up after two attempts");
        bench.assert_ledger();
    }

    /// "The phone sends the registration credentials without regard to the BRAUTH setting if no certificates are
    /// downloaded." The address first, a colon, then the registration password.
    #[test]
    fn registration_credentials_are_sent_unasked() {
        for (downloaded, brauth, sent) in
            [(false, false, true), (false, true, true), (true, true, true), (true, false, false)]
        {
            for tls in [true, false] {
                let settings = format!(
                    "{QUICK}\ncertificates-downloaded = {downloaded}\nbrauth = {brauth}\nregistration-password = \"123456\""
                );
                let mut bench = Bench::new(fleet("avaya-96xx", &settings));
                bench.origin = Arc::new(super::super::Origin { tls, ..(*bench.origin).clone() });
                let mut carried = None;
                bench.boot(|request| {
                    if request.path.contains("/backup") {
                        carried = credentials(request);
                    } else {
                        assert_eq!(credentials(request), None);
                    }
                    status(200)
                });
                let expected = (sent && tls).then(|| Credentials::new("10.1.2.3", "123456"));
                assert_eq!(carried, expected, "downloaded {downloaded}, BRAUTH {brauth}, TLS {tls}");
            }
        }
    }

    /// Unasked credentials that the server does not want do not stand in the way of the stored ones.
    #[test]
    fn refused_registration_credentials_give_way_to_the_stored_ones() {
        let mut bench = Bench::new(fleet("avaya-96xx", &format!("{QUICK}\ncertificates-downloaded = false")));
        bench.boot(guarded("/backup", "files", "2001", "right"));
        let story = bench.story();
        assert!(story.contains(&"challenge unsolicited".to_owned()), "{story:#?}");
        assert_eq!(bench.standing(), Standing::Provisioned);
    }

    #[test]
    fn a_restore_that_finds_no_file_leaves_the_phone_with_its_settings() {
        let mut bench = bench(|_| ());
        bench.boot(|r| status(if r.path.contains("/backup") { 404 } else { 200 }));
        assert!(bench.story().ends_with(&["restore: not-found".to_owned(), "provisioned".to_owned()]));
        assert_eq!(bench.standing(), Standing::Provisioned);
    }

    #[test]
    fn a_change_is_backed_up_after_its_delay_and_several_changes_once() {
        let mut bench = bench(|_| ());
        bench.boot(guarded("/backup", "files", "2001", "right"));
        bench.actions.clear();
        bench.give(Input::Trigger(Trigger::Change));
        bench.now = bench.now + Duration::from_secs(3);
        let until = Moment::NEVER;
        bench.play(Input::Trigger(Trigger::Change), until, guarded("/backup", "files", "2001", "right"));
        // The protection space is known since the restore: no challenge.
        assert_eq!(bench.story(), ["PUT /backup/2001_96xxdata.txt as 2001:right", "backup: ok"]);
        bench.assert_ledger();
    }

    #[test]
    fn only_unusable_schemes_end_the_restore_in_a_word_of_its_own() {
        for challenges in [&["Negotiate", "NTLM"][..], &["NTLM TlRMTVNTUAAC"]] {
            let mut bench = bench(|_| ());
            bench.boot(|r| if r.path.contains("/backup") { challenge(challenges) } else { status(200) });
            assert!(bench.story().contains(&"restore: no-usable-scheme".to_owned()));
            assert_eq!(bench.standing(), Standing::Failed);
            bench.assert_ledger();
        }
    }

    #[test]
    fn settings_that_cannot_be_had_are_tried_again_after_a_quarter_of_an_hour() {
        let mut bench = bench(|_| ());
        bench.boot(|_| status(500));
        assert_eq!(bench.story(), ["GET /96x1Hupgrade.txt", "resync: http-500", "restore dropped: boot-incomplete"]);
        assert_eq!(bench.standing(), Standing::Failed);
        assert_eq!(bench.phone.next_due(), Moment::ZERO + Duration::from_secs(900));
        bench.assert_ledger();
        bench.now = bench.phone.next_due();
        bench.play(Input::Due, bench.now + Duration::from_secs(60), guarded("/backup", "files", "2001", "right"));
        assert_eq!(bench.standing(), Standing::Provisioned);
        bench.assert_ledger();
    }

    #[test]
    fn power_lost_in_the_middle_ends_the_operation_and_boots_anew() {
        let mut bench = bench(|_| ());
        assert!(bench.give(Input::Trigger(Trigger::PowerUp)).is_some());
        assert!(bench.give(Input::Trigger(Trigger::PowerUp)).is_some());
        assert_eq!(
            bench.story(),
            ["GET /96x1Hupgrade.txt", "resync: aborted", "restore dropped: powered-off", "GET /96x1Hupgrade.txt"]
        );
        bench.play(Input::Answered(&status(200)), Moment::NEVER, guarded("/backup", "files", "2001", "right"));
        assert_eq!(bench.standing(), Standing::Provisioned);
        bench.assert_ledger();
    }
}
