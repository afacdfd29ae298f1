//! Settings of the family: whatever the seed and the vendor's texts do not fix.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::phone::{Delay, backup};

/// Settings of an `avaya-96xx` fleet.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Settings {
    /// `BRURI`: folder of the backup files, below the target's base; `/` is added unless it ends in one [doc].
    pub(super) bruri: String,
    /// Folder of the settings files, below the target's base.
    pub(super) settings_path: String,
    /// Name of the upgrade file, fetched first (older firmware: `96xxupgrade.txt`) [doc].
    pub(super) upgrade_file: String,
    /// Name of the settings file, fetched second [doc].
    pub(super) settings_file: String,
    /// Whether the settings file's `.scr` twin is asked for too, a routine 404 as a rule [doc: often].
    pub(super) scr_twin: bool,
    /// Language files fetched after the settings, by name; a missing one is passed over [doc; order assumed].
    pub(super) language_files: Vec<String>,
    /// Certificates (`TRUSTCERTS`) fetched after them, by name; a missing one is passed over [doc; order assumed].
    pub(super) certificate_files: Vec<String>,
    /// Firmware package fetched then, an operation of its own; empty: its name is what the phone has [doc; order
    /// assumed]. Whatever becomes of it, the phone goes on with the firmware it has [assumed].
    pub(super) firmware_file: String,
    /// Whether `target.http-fallback` is tried not only where HTTPS cannot connect [doc, sister product] but also
    /// where its handshake fails [assumed: no].
    pub(super) http_after_tls_failure: bool,
    /// Whether backup, restore and deletion fall back to it as well; `BRURI` names its scheme, so as a rule not
    /// [assumed].
    pub(super) transfers_fall_back: bool,
    /// Whether challenges to settings downloads are answered from what is stored [assumed: no].
    pub(super) settings_credentials: bool,
    /// Time from power to the first request (boot time itself belongs to the arrival plan) [assumed].
    #[schemars(with = "String")]
    pub(super) boot_delay: Delay,
    /// Time the registration with the call server takes, before the restore [assumed].
    #[schemars(with = "String")]
    pub(super) registration_delay: Delay,
    /// Time from a user's change to its automatic backup; a later change begins it anew [assumed].
    #[schemars(with = "String")]
    pub(super) backup_delay: Delay,
    /// Whether a planned restart sends a backup first [assumed].
    pub(super) backup_at_restart: bool,
    /// How many times a backup, restore or deletion is tried, 1 or more [doc, sister model: once].
    pub(super) transfer_attempts: u8,
    /// Time to the next of these tries [assumed].
    #[schemars(with = "String")]
    pub(super) transfer_retry: Delay,
    /// Time to a new attempt when the settings could not be had [doc: about 15 minutes].
    #[schemars(with = "String")]
    pub(super) settings_retry: Delay,
    /// `User-Agent` of every request [assumed].
    pub(super) user_agent: String,
    /// Encoding of the backup file: `utf-8` [assumed], `utf-16le` [doc for a sister model].
    pub(super) encoding: backup::Encoding,
    /// Whether a PUT carries `Expect: 100-continue`, as older firmware's libcurl of 2015 adds it [seen].
    pub(super) expect_continue: bool,
    /// Whether people type `*` for the realm, which is stored and matches any realm from then on [assumed: no].
    pub(super) realm_star: bool,
    /// Whether Digest challenges are answered at all; Basic always is [assumed].
    pub(super) digest: bool,
    /// Whether an answered protection space is used for the next request without a new challenge [assumed].
    pub(super) preemptive: bool,
    /// Whether the connection is kept for the next request [assumed].
    pub(super) keep_alive: bool,
    /// Whether certificates were downloaded (`TRUSTCERTS`). If not, registration credentials are always sent [seed].
    pub(super) certificates_downloaded: bool,
    /// `BRAUTH`: whether registration credentials are sent when certificates were downloaded [doc].
    pub(super) brauth: bool,
    /// Whether registration credentials are sent over plain HTTP as well [assumed: no].
    pub(super) registration_over_http: bool,
    /// Call server's IPv4 address, the first half of the registration credentials [seed].
    pub(super) call_server: std::net::Ipv4Addr,
    /// Registration password, the second half; a template like the fleet's credentials [seed].
    pub(super) registration_password: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            bruri: "/backup".into(),
            settings_path: "/".into(),
            upgrade_file: "96x1Hupgrade.txt".into(),
            settings_file: "46xxsettings.txt".into(),
            scr_twin: false,
            language_files: Vec::new(),
            certificate_files: Vec::new(),
            firmware_file: String::new(),
            http_after_tls_failure: false,
            transfers_fall_back: false,
            settings_credentials: false,
            boot_delay: Delay::NONE,
            registration_delay: Delay { base: Duration::from_secs(2), spread: Duration::from_secs(6) },
            backup_delay: Delay { base: Duration::from_secs(5), spread: Duration::from_secs(25) },
            backup_at_restart: true,
            transfer_attempts: 1,
            transfer_retry: Delay::fixed(Duration::from_secs(60)),
            settings_retry: Delay::fixed(Duration::from_secs(15 * 60)),
            user_agent: "AVAYA".into(),
            encoding: backup::Encoding::Utf8,
            expect_continue: false,
            realm_star: false,
            digest: true,
            preemptive: true,
            keep_alive: true,
            certificates_downloaded: true,
            brauth: false,
            registration_over_http: false,
            call_server: std::net::Ipv4Addr::new(10, 1, 2, 3),
            registration_password: "{ext}".into(),
        }
    }
}
