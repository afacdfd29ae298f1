//! Reading a family's settings: one way for all families.

use http::HeaderValue;
use serde::de::DeserializeOwned;

use super::SettingsError;

/// The settings in `table`, strictly: an unknown name is an error.
pub(super) fn read<T: DeserializeOwned>(table: &toml::Table) -> Result<T, SettingsError> {
    // Key by key first, so that a wrong value names its key.
    T::deserialize(table.clone()).map_err(|error| SettingsError { key: None, message: error.message().to_owned() })
}

/// A folder path: begins and ends with `/`.
pub(super) fn path_setting(key: &str, value: &str) -> Result<String, SettingsError> {
    if value.contains("://") || !value.starts_with('/') {
        return Err(SettingsError {
            key: Some(key.to_owned()),
            message: format!("`{value}` must be a path such as `/backup`: the server itself is the target's url"),
        });
    }
    if unsendable(value).is_some() || value.contains('?') {
        return Err(SettingsError {
            key: Some(key.to_owned()),
            message: format!("`{value}` has a character that no URL path may have; percent-encode it"),
        });
    }
    Ok(if value.ends_with('/') { value.to_owned() } else { format!("{value}/") })
}

/// A file's name below a folder.
pub(super) fn file_setting(key: &str, value: &str) -> Result<String, SettingsError> {
    let wrong = |message: String| SettingsError { key: Some(key.to_owned()), message };
    if value.is_empty() || value.starts_with('/') {
        return Err(wrong(format!("`{value}` must be a file's name, without a `/` before it")));
    }
    if unsendable(value).is_some() {
        return Err(wrong(format!("`{value}` has a character that no URL path may have; percent-encode it")));
    }
    Ok(value.to_owned())
}

/// The first character that no request target may have (RFC 9112 3.2, RFC 3986 3.3 and 3.4): what is sent is then
/// just what a Digest answer was made for.
pub(super) fn unsendable(target: &str) -> Option<char> {
    // As a rule there is none: told octet by octet, since every request's path is looked through.
    if target.bytes().all(|octet| SENDABLE[usize::from(octet)]) {
        return None;
    }
    target.chars().find(|c| !u8::try_from(*c).is_ok_and(|octet| SENDABLE[usize::from(octet)]))
}

/// By octet, whether it may stand in a request target.
static SENDABLE: [bool; 256] = {
    let (mut sendable, mut octet, marks) = ([false; 256], 0, b"-._~%!$&'()*+,;=:@/?");
    while octet < 256 {
        sendable[octet] = (octet as u8).is_ascii_alphanumeric();
        octet += 1;
    }
    let mut mark = 0;
    while mark < marks.len() {
        sendable[marks[mark] as usize] = true;
        mark += 1;
    }
    sendable
};

/// A header's value.
pub(super) fn header_value(key: &str, value: &str) -> Result<HeaderValue, SettingsError> {
    HeaderValue::from_str(value).map_err(|_| SettingsError {
        key: Some(key.to_owned()),
        message: format!("{value:?} has a character that no header may have"),
    })
}

/// Durations written `20s`, `1h30m`.
pub(super) mod duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(in crate::phone) fn serialize<S: Serializer>(duration: &Duration, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&humantime::format_duration(*duration))
    }

    pub(in crate::phone) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(d)?;
        humantime::parse_duration(&text)
            .map_err(|e| de::Error::custom(format!("`{text}` is no duration ({e}); write `20s` or `1h30m`")))
    }
}
