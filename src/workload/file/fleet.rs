//! `[[fleet]]` and the tables below it.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::file::TlsSection;
use crate::workload::quantity::{Count, Share, SizeSpan, Time, TimeRange};

/// Phones of one family. Everything about a single phone derives from its index, or from a line of a CSV file.
///
/// In templates, `{index}` is the phone's number in the whole run and `{number}` its number in the fleet, both
/// from 0; they take `+N`, a width and hex: `{number+20000}`, `{index:06x}`. `{ext}`, `{mac}`, `{MAC}` and
/// `{serial}` stand in user and password only. `{{` and `}}` are the braces themselves.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct FleetSection {
    /// The fleet's name, for phases and figures; letters, digits, `-`, `_` and `.`. Default: the family's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// What these phones are: `avaya-96xx` or `cisco-mpp`. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
    pub(crate) family: Option<String>,
    /// How many phones: `1000` or `"20k"`. Required, unless `csv` lists them; then it takes only so many of the
    /// first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<Count>,
    /// A CSV file that lists the phones one by one, relative to the workload file. Its first line names the
    /// columns: `extension`, and if wanted `mac`, `serial`, `user`, `password`; what it has not follows from the
    /// templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) csv: Option<PathBuf>,
    /// Template of the extension; no two phones of the run may get the same.
    pub(crate) extension: String,
    /// Template of the MAC address: twelve hex digits (colons, dashes and upper case are taken too), different
    /// for every phone of the run.
    pub(crate) mac: String,
    /// Template of the serial number.
    pub(crate) serial: String,
    /// Whether the phones are up and provisioned when the run begins.
    pub(crate) starts_on: bool,
    /// How large a backup file is, uniform between both ends.
    pub(crate) backup_size: SizeSpan,
    /// The credentials the server knows, and how many phones hold something else.
    pub(crate) credentials: CredentialsSection,
    /// Who comes when a screen waits.
    pub(crate) people: PeopleSection,
    /// What these phones' TLS does, where it is not what `[tls]` says.
    #[serde(skip_serializing_if = "TlsSection::is_silent")]
    pub(crate) tls: TlsSection,
    /// The family's own settings: timers, paths, quirks.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub(crate) settings: toml::Table,
}

impl Default for FleetSection {
    fn default() -> Self {
        FleetSection {
            name: None,
            family: None,
            count: None,
            csv: None,
            extension: "{index+20000}".to_owned(),
            mac: "02{index:010x}".to_owned(),
            serial: "SN{index:010}".to_owned(),
            starts_on: false,
            backup_size: SizeSpan(1_000, 40_000),
            credentials: CredentialsSection::default(),
            people: PeopleSection::default(),
            tls: TlsSection::default(),
            settings: toml::Table::new(),
        }
    }
}

/// The credentials of a fleet: the right ones, and the shares of phones that hold others. The shares add up to at
/// most 1; all other phones hold the right ones.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct CredentialsSection {
    /// Template of the right user name.
    pub(crate) user: String,
    /// Template of the right password.
    pub(crate) password: Secret,
    /// The realm stored along with them. Default: the embedded target's; a target by `url` needs it said, as it
    /// stands in that server's challenges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) realm: Option<String>,
    /// Share of phones that store nothing, as when new.
    pub(crate) null: Share,
    /// Share of phones that store a wrong password.
    pub(crate) wrong: Share,
    /// Share of phones that store the right credentials under another realm, as after a move of the server.
    pub(crate) stale_realm: Share,
}

impl Default for CredentialsSection {
    fn default() -> Self {
        CredentialsSection {
            user: "{ext}".to_owned(),
            password: Secret("pw-{ext}".to_owned()),
            realm: None,
            null: Share(0.0),
            wrong: Share(0.0),
            stale_realm: Share(0.0),
        }
    }
}

/// The people near the phones.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct PeopleSection {
    /// Share of phones whose person comes to a waiting screen at all; 0: nobody is in the building.
    pub(crate) come: Share,
    /// How long until they have typed, uniform between both ends.
    pub(crate) think: TimeRange,
    /// Probability that what they type is right, each time.
    pub(crate) right: Share,
    /// How many times one person types before giving up.
    pub(crate) attempts: Count,
}

impl Default for PeopleSection {
    fn default() -> Self {
        PeopleSection {
            come: Share(0.0),
            think: TimeRange(Time::secs(30).0, Time::secs(300).0),
            right: Share(1.0),
            attempts: Count(3),
        }
    }
}

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"***\"")
    }
}
