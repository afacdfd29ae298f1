//! Settings of the family, named as the phone's own web page names them, and what the vendor's texts leave open.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::timers::UnitDelay;
use crate::phone::{Delay, settings};

/// Settings of a `cisco-mpp` fleet, named as the phone's own web page names them.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Settings {
    /// `Profile_Rule`: `[--uid U --pwd P] /path/$MA.xml`, with conditions, alternatives and assigns; a leading `#`
    /// disables it [doc].
    pub(super) profile_rule: String,
    /// `Profile_Rule_B`, run after the first [doc].
    pub(super) profile_rule_b: String,
    /// `Profile_Rule_C` [doc].
    pub(super) profile_rule_c: String,
    /// `Profile_Rule_D` [doc].
    pub(super) profile_rule_d: String,
    /// Whether the phones know the server's address and nothing else, and try several names in turn in place of
    /// `profile-rule` [doc].
    pub(super) bare_ip: bool,
    /// Those names [doc for the first two; assumed for the rest].
    pub(super) bare_ip_names: Vec<String>,
    /// `Profile_Authentication_Type`: `basic-http-authentication` (default), `xsi-authentication`, or
    /// `disabled`, with which no setup screen is ever shown [seed].
    pub(super) profile_authentication_type: AuthenticationType,
    /// User name of `xsi-authentication`; a template; empty: the profile account is used [assumed].
    pub(super) xsi_user: String,
    /// Password of `xsi-authentication`; a template.
    pub(super) xsi_password: String,
    /// Whether the screen's three conditions must all hold [assumed]; false: an empty profile account and no
    /// credentials in the rule are enough, at any resync.
    pub(super) setup_screen_needs_all: bool,
    /// Share of phones whose person opens the setup screen later, by menu or by the Setup softkey, where it was missed
    /// or the profile account is wrong, 0 to 1 [assumed].
    pub(super) setup_by_menu: f64,
    /// How long after the failure that is [assumed].
    #[schemars(with = "String")]
    pub(super) setup_by_menu_after: Delay,
    /// `GPP_A` to `GPP_P` by letter (`{A = "north"}`), for the macros `$A` to `$P`; templates.
    pub(super) gpp: BTreeMap<String, String>,
    /// User name for the macro `$SA`; a template.
    pub(super) sa: String,
    /// Password for the macro `$SB`; a template.
    pub(super) sb: String,
    /// The macro `$SC`; a template.
    pub(super) sc: String,
    /// The macro `$SD`; a template.
    pub(super) sd: String,
    /// The macro `$IP`; a template; empty: the macro is not known.
    pub(super) ip: String,
    /// `Report_Rule`: where the configuration report goes; `[--delta]` sends what has changed only; empty: no
    /// reports [doc].
    pub(super) report_rule: String,
    /// `HTTP_Report_Method` [doc].
    pub(super) http_report_method: ReportMethod,
    /// When a report is sent besides on request and at a planned restart [doc].
    pub(super) report_to_server: ReportToServer,
    /// Time between reports sent `periodically` [doc].
    #[serde(with = "settings::duration")]
    #[schemars(with = "String")]
    pub(super) report_periodic: Duration,
    /// `Content-Type` of the report [assumed].
    pub(super) report_content_type: String,
    /// Time from a local change to its report [doc: 60 s].
    #[schemars(with = "String")]
    pub(super) report_delay: Delay,
    /// How many times a report is tried, 1 or more [assumed: once].
    pub(super) report_attempts: u8,
    /// Time to the next of these tries [assumed].
    #[schemars(with = "String")]
    pub(super) report_retry: Delay,
    /// `Resync_On_Reset`: whether the phone resyncs after power-up [doc].
    pub(super) resync_on_reset: bool,
    /// `Resync_Random_Delay`: uniform from zero to this before the first attempt after boot: a number of units [doc:
    /// 2], or a duration such as `20s`.
    #[schemars(with = "String")]
    pub(super) resync_random_delay: UnitDelay,
    /// The unit of `resync-random-delay`, which the vendor's texts dispute: `10s` or `1s`.
    #[serde(with = "settings::duration")]
    #[schemars(with = "String")]
    pub(super) resync_random_delay_unit: Duration,
    /// `Resync_Periodic`: armed after the first success; `0s` is off [doc].
    #[serde(with = "settings::duration")]
    #[schemars(with = "String")]
    pub(super) resync_periodic: Duration,
    /// `Resync_At`: a time of day, `HHmm`; it wins over the period; empty: none [doc].
    pub(super) resync_at: String,
    /// `Resync_At_Random_Delay`: uniform from zero to this on top [doc].
    #[serde(with = "settings::duration")]
    #[schemars(with = "String")]
    pub(super) resync_at_random_delay: Duration,
    /// The time of day when the run begins, `HHmm`, for `resync-at`.
    pub(super) run_begins_at: String,
    /// `Resync_Error_Retry_Delay`: seconds, a list whose last entry repeats; `a+b` adds a random 0..b [doc].
    pub(super) resync_error_retry_delay: String,
    /// Whether a `Retry-After` in seconds replaces the entry of the retry list [assumed: no].
    pub(super) retry_after: bool,
    /// `Resync_Fails_On_FNF`: whether a 404 is a failure [doc].
    pub(super) resync_fails_on_fnf: bool,
    /// `Forced_Resync_Delay`: the longest a resync waits for a phone that is in use [doc].
    #[serde(with = "settings::duration")]
    #[schemars(with = "String")]
    pub(super) forced_resync_delay: Duration,
    /// Share of resyncs, other than at boot, that find the phone in use, 0 to 1 [assumed].
    pub(super) in_use: f64,
    /// How long it is in use then [assumed].
    #[schemars(with = "String")]
    pub(super) in_use_for: Delay,
    /// Model, as `$PN` and in `User-Agent`.
    pub(super) model: String,
    /// Firmware version, as `$SWVER` and in `User-Agent`.
    pub(super) firmware: String,
    /// Hardware version, as `$HWVER`.
    pub(super) hardware: String,
    /// `Accept-Encoding` of every request; empty: none [assumed].
    pub(super) accept_encoding: String,
    /// Whether Digest challenges are answered at all; Basic always is [assumed].
    pub(super) digest: bool,
    /// Whether Digest with SHA-256 is answered [assumed: no].
    pub(super) digest_sha256: bool,
    /// Whether these phones speak TLS 1.3 [assumed: 1.2 at most]; what `interop` goes by. In a run, `versions` under
    /// `[tls]` decides.
    #[serde(rename = "tls-1-3")]
    pub(super) tls_1_3: bool,
    /// How many redirects of one request are followed [assumed].
    pub(super) max_redirects: u8,
    /// Whether an answered protection space is used without a new challenge; the first request of a resync
    /// carries no credentials [doc].
    pub(super) preemptive: bool,
    /// Whether the connection is kept for the next request [assumed].
    pub(super) keep_alive: bool,
}

/// `Profile_Authentication_Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AuthenticationType {
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
pub(super) enum ReportMethod {
    /// POST, the default.
    Post,
    /// PUT.
    Put,
}

/// When reports are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReportToServer {
    /// Only on request.
    OnRequest,
    /// After a local change, too.
    OnLocalChange,
    /// From time to time, too.
    Periodically,
}

impl Default for Settings {
    fn default() -> Self {
        let none = String::new;
        Settings {
            profile_rule: "/$MA.xml".into(),
            profile_rule_b: none(),
            profile_rule_c: none(),
            profile_rule_d: none(),
            bare_ip: false,
            bare_ip_names: ["/$PSN.xml", "/Cisco/$PN/$MA.cfg", "/Cisco/$PN/$PSN.cfg", "/Cisco/$MA.cfg"]
                .map(Into::into)
                .into(),
            profile_authentication_type: AuthenticationType::BasicHttpAuthentication,
            xsi_user: none(),
            xsi_password: none(),
            setup_screen_needs_all: true,
            setup_by_menu: 0.0,
            setup_by_menu_after: Delay { base: Duration::from_secs(600), spread: Duration::from_secs(3_000) },
            gpp: BTreeMap::new(),
            sa: none(),
            sb: none(),
            sc: none(),
            sd: none(),
            ip: none(),
            report_rule: "/reports/$MA.xml".into(),
            http_report_method: ReportMethod::Post,
            report_to_server: ReportToServer::OnLocalChange,
            report_periodic: Duration::from_secs(3600),
            report_content_type: "application/xml".into(),
            report_delay: Delay::fixed(Duration::from_secs(60)),
            report_attempts: 1,
            report_retry: Delay::fixed(Duration::from_secs(60)),
            resync_on_reset: true,
            resync_random_delay: UnitDelay::Units(2),
            resync_random_delay_unit: Duration::from_secs(10),
            resync_periodic: Duration::from_secs(3600),
            resync_at: none(),
            resync_at_random_delay: Duration::from_secs(600),
            run_begins_at: "0000".into(),
            resync_error_retry_delay: "60,120,240,480,960,1920,3840,7680,15360,30720,61440,86400".into(),
            retry_after: false,
            resync_fails_on_fnf: true,
            forced_resync_delay: Duration::from_secs(14_400),
            in_use: 0.0,
            in_use_for: Delay::up_to(Duration::from_secs(600)),
            model: "CP-8841-3PCC".into(),
            firmware: "11.0".into(),
            hardware: "V01".into(),
            accept_encoding: none(),
            digest: true,
            digest_sha256: false,
            tls_1_3: false,
            max_redirects: 5,
            preemptive: false,
            keep_alive: true,
        }
    }
}
