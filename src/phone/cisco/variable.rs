//! The variables a profile rule can name, for one phone and operation.

use std::collections::BTreeMap;

use super::profile::Settings;
use super::{Cisco, template};
use crate::phone::family::{Task, Why};
use crate::phone::{SettingsError, Template};

impl Cisco {
    /// A macro's value for this phone and operation [doc]; `None` for a name that is not known.
    pub(super) fn value(&self, name: &str, task: &Task<'_>) -> Option<String> {
        let Task { who, origin, .. } = task;
        Some(match name {
            "MA" => who.mac.clone(),
            "MAU" => who.mac.to_uppercase(),
            "MAC" => with_colons(&who.mac),
            "PN" => self.settings.model.clone(),
            "PSN" => self.settings.model.trim_start_matches("CP-").to_owned(),
            "SN" => who.serial.clone(),
            "SWVER" => self.settings.firmware.clone(),
            "HWVER" => self.settings.hardware.clone(),
            // Seconds since the last resync: known for the periodic one, 0 for any other [assumed].
            "PRVTMR" if task.why == Why::Periodic => self.settings.resync_periodic.as_secs().to_string(),
            "PRVTMR" => "0".to_owned(),
            "PRVST" => match task.why {
                Why::Asked => "-1",
                Why::PowerUp => "0",
                Why::Periodic => "1",
                Why::Retry => "2",
            }
            .to_owned(),
            "SCHEME" => if origin.tls { "https" } else { "http" }.to_owned(),
            "SERV" => origin.host.clone(),
            "PORT" => origin.port.to_string(),
            "UID1" => who.extension.clone(),
            _ => self.templates.get(name)?.fill(who),
        })
    }
}

/// `00:56:2b:04:36:15`.
fn with_colons(mac: &str) -> String {
    let pairs = mac.as_bytes().chunks(2).map(String::from_utf8_lossy);
    pairs.collect::<Vec<_>>().join(":")
}

/// `$A` to `$P` (also as `$GPP_A`), `$SA` to `$SD`, `$IP`.
pub(super) fn templates(settings: &Settings) -> Result<BTreeMap<String, Template>, SettingsError> {
    let mut templates = BTreeMap::new();
    for letter in 'A'..='P' {
        templates.insert(letter.to_string(), template("gpp", "")?);
    }
    for (letter, text) in &settings.gpp {
        let name = letter.to_uppercase();
        if templates.insert(name, template("gpp", text)?).is_none() {
            let message = format!("`{letter}` is none of the general purpose parameters; they are A to P");
            return Err(SettingsError { key: Some("gpp".into()), message });
        }
    }
    for (name, key, text) in
        [("SA", "sa", &settings.sa), ("SB", "sb", &settings.sb), ("SC", "sc", &settings.sc), ("SD", "sd", &settings.sd)]
    {
        templates.insert(name.to_owned(), template(key, text)?);
    }
    if !settings.ip.is_empty() {
        templates.insert("IP".to_owned(), template("ip", &settings.ip)?);
    }
    Ok(templates)
}
