//! The effective workload: the file with every override applied and every default said, as text.

use sha2::{Digest, Sha256};

use super::file::File;
use super::locate::is_secret_key;
use super::schedule::hex;

/// What stands in place of a secret.
const MASK: &str = "***";

/// The effective workload with its secrets masked, and the SHA-256 (hex) of the unmasked text. Keys stand in
/// alphabetical order, so neither comments nor layout matter. `lists` are CSV files with their own hashes.
pub(crate) fn text(file: &File, lists: &[(String, String)]) -> (String, String) {
    let mut table = toml::Table::try_from(file).unwrap_or_default();
    let hash = hex(&Sha256::digest(written(&table, lists)));
    mask(&mut table);
    (written(&table, lists), hash)
}

fn written(table: &toml::Table, lists: &[(String, String)]) -> String {
    let head: String = lists.iter().map(|(name, hash)| format!("# {name}: SHA-256 {hash}\n")).collect();
    // A table of plain values is always TOML.
    head + &toml::to_string(table).unwrap_or_default()
}

fn mask(table: &mut toml::Table) {
    for (key, value) in table.iter_mut() {
        if is_secret_key(key) && value.is_str() {
            *value = MASK.into();
        } else {
            mask_value(value);
        }
    }
}

fn mask_value(value: &mut toml::Value) {
    match value {
        toml::Value::Table(below) => mask(below),
        toml::Value::Array(items) => items.iter_mut().for_each(mask_value),
        toml::Value::String(text) => *text = mask_options(text),
        _ => {}
    }
}

/// Masks what follows `--pwd` and `--key` in a Cisco profile rule.
pub(crate) fn mask_options(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["--pwd", "--key"].iter().filter_map(|option| rest.find(option)).min() {
        let (before, option) = rest.split_at(at);
        let value = option[5..].trim_start();
        out.push_str(before);
        out.push_str(&option[..option.len() - value.len()]);
        let end = value.find([' ', ']']).unwrap_or(value.len());
        if end > 0 {
            out.push_str(MASK);
        }
        rest = &value[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        for (rule, masked) in [
            ("[--uid u --pwd geheim] https://h/$MA.xml", "[--uid u --pwd ***] https://h/$MA.xml"),
            ("[--pwd geheim --uid u --key k3y] /a", "[--pwd *** --uid u --key ***] /a"),
            ("/$MA.xml", "/$MA.xml"),
            ("--pwd", "--pwd"),
            ("x --pwd  é", "x --pwd  ***"),
        ] {
            assert_eq!(mask_options(rule), masked);
        }
        let mut table: toml::Table = toml::from_str(
            "a = { password = 'geheim' }\nregistration-password = 'geheim'\nlist = [{ web-secret = 'geheim' }]",
        )
        .unwrap();
        mask(&mut table);
        assert!(!table.to_string().contains("geheim"));
    }
}
