//! What values and variants are called.

use std::collections::BTreeSet;

use toml::de::DeValue;

/// Longest name of a folder made of values' names.
const LONGEST: usize = 96;

/// A value in a few words: texts and numbers as they are, the items of a list side by side.
pub(super) fn words(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(n) => n.to_string(),
        DeValue::Float(n) => n.to_string(),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(at) => at.to_string(),
        DeValue::Array(items) if items.is_empty() => "none".to_owned(),
        DeValue::Array(items) => items.iter().map(|v| words(v.get_ref())).collect::<Vec<_>>().join("+"),
        DeValue::Table(table) => {
            let pairs = table.iter().map(|(key, value)| match value.get_ref() {
                DeValue::Table(below) if below.is_empty() => key.get_ref().to_string(),
                value => format!("{} {}", key.get_ref(), words(value)),
            });
            pairs.collect::<Vec<_>>().join(", ")
        }
    }
}

/// A value as TOML, for a person who wants to set it by hand.
pub(super) fn toml(value: &DeValue<'_>) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    match value {
        DeValue::String(s) => text(s),
        DeValue::Array(items) => {
            format!("[{}]", items.iter().map(|v| toml(v.get_ref())).collect::<Vec<_>>().join(", "))
        }
        DeValue::Table(table) => {
            let bare = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            let key = |key: &str| if bare(key) && !key.is_empty() { key.to_owned() } else { text(key) };
            let pairs = table.iter().map(|(k, v)| format!("{} = {}", key(k.get_ref()), toml(v.get_ref())));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        plain => words(plain),
    }
}

/// A name for folders, of what the values are called: no two alike, also where case does not count.
pub(super) fn ids(names: &[Vec<String>]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    names
        .iter()
        .enumerate()
        .map(|(n, words)| {
            let joined = words.iter().map(|word| slug(word)).collect::<Vec<_>>().join("_");
            let fits = !joined.is_empty() && joined.len() <= LONGEST;
            let id = if fits { joined } else { format!("variant-{}", n + 1) };
            let id = if taken.contains(&id.to_lowercase()) { format!("{id}-{}", n + 1) } else { id };
            taken.insert(id.to_lowercase());
            id
        })
        .collect()
}

/// Letters, digits, `-` and `.`; the rest becomes `-`, one for any number of them, none at the ends.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '.' => out.push(c),
            _ if out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    out.trim_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_in_few_words_and_as_toml() {
        for (typed, short, whole) in [
            ("'1.2'", "1.2", "\"1.2\""),
            ("1.20", "1.20", "1.20"),
            ("[]", "none", "[]"),
            ("['basic', 'digest-md5']", "basic+digest-md5", "[\"basic\", \"digest-md5\"]"),
            ("{ constant = '200/s' }", "constant 200/s", "{ constant = \"200/s\" }"),
            ("{ 'a b' = { c = true } }", "a b c true", "{ \"a b\" = { c = true } }"),
        ] {
            let value = DeValue::parse(typed).unwrap();
            assert_eq!((words(value.get_ref()).as_str(), toml(value.get_ref()).as_str()), (short, whole));
        }
    }

    #[test]
    fn folders_are_plain_and_no_two_alike() {
        let names = |names: &[&[&str]]| {
            ids(&names.iter().map(|words| words.iter().map(|w| (*w).to_owned()).collect()).collect::<Vec<_>>())
        };
        let told = names(&[
            &["RSA-2048", "1.2"],
            &["rsa 2048", "1.2"],
            &["../ü", "x"],
            &["", ""],
            &["/"],
            &[&"x".repeat(200)],
        ]);
        assert_eq!(told, ["RSA-2048_1.2", "rsa-2048_1.2-2", "_x", "_", "variant-5", "variant-6"]);
    }
}
