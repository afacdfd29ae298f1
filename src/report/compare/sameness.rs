//! Whether two runs are of one workload: the same phones doing the same things at the same moments.
//!
//! The server, TLS, the network and how phones behave may differ: that is what comparisons are for. What phones there
//! are and when they do what may not: then every figure would differ, and not because of what is compared.

use std::collections::BTreeMap;

use crate::report::Manifest;

/// How the workload of B differs from that of A.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Keys without which it is another workload.
    pub forbidden: Vec<Difference>,
    /// All other keys: what is compared.
    pub allowed: Vec<Difference>,
    /// The workloads differ, but in nothing that is shown: in a password or a key.
    pub secret: bool,
}

/// One key that differs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Dotted, entries of a list counted from 0.
    pub key: String,
    /// Its value in A, as TOML; none if it is not there.
    pub a: Option<String>,
    /// Its value in B.
    pub b: Option<String>,
}

impl Differences {
    /// How B's workload differs from A's.
    pub fn between(a: &Manifest, b: &Manifest) -> Differences {
        let mut differences = Differences::of_texts(&a.effective, &b.effective);
        differences.secret = a.workload.sha256 != b.workload.sha256
            && differences.forbidden.is_empty()
            && differences.allowed.is_empty();
        differences
    }

    /// The same of two effective workloads.
    pub fn of_texts(a: &str, b: &str) -> Differences {
        let (mut a, b) = (keys(a), keys(b));
        let mut differences = Differences::default();
        let mut all: Vec<Difference> = b
            .iter()
            .filter(|(key, value)| a.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value))
            .map(|(key, value)| Difference { a: a.get(&key).cloned(), b: Some(value.clone()), key })
            .collect();
        a.retain(|key, _| !b.contains_key(key));
        all.extend(a.into_iter().map(|(key, value)| Difference { key, a: Some(value), b: None }));
        all.sort_by(|x, y| x.key.cmp(&y.key));
        for difference in all {
            let list =
                if is_forbidden(&difference.key) { &mut differences.forbidden } else { &mut differences.allowed };
            list.push(difference);
        }
        differences
    }

    /// Whether they are of one workload.
    pub fn comparable(&self) -> bool {
        self.forbidden.is_empty()
    }
}

impl std::fmt::Display for Difference {
    /// `tls.resumption: "none" in A, "per-phone" in B`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: {} in A, {} in B", self.key, value(&self.a), value(&self.b))
    }
}

/// Who the phones are and when they do what: the name, the seed, the phases, the run's length and speed; of the fleets
/// which and how many there are.
fn is_forbidden(key: &str) -> bool {
    let mut parts = key.split('.');
    match parts.next() {
        Some("name" | "seed" | "phase" | "run" | "list") => true,
        Some("fleet") => matches!(
            parts.nth(1),
            None | Some("name" | "family" | "count" | "csv" | "extension" | "mac" | "serial" | "starts-on")
        ),
        _ => false,
    }
}

/// Every value of an effective workload by its dotted key. Lists of phones (`# file: SHA-256 …`) are keys as well.
fn keys(effective: &str) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    for line in effective.lines().map_while(|line| line.strip_prefix("# ")) {
        if let Some((name, hash)) = line.split_once(": SHA-256 ") {
            keys.insert(format!("list.{name}"), hash.to_owned());
        }
    }
    match effective.parse::<toml::Table>() {
        Ok(table) => table.iter().for_each(|(key, value)| walk(key.clone(), value, &mut keys)),
        // No version wrote such a thing; two of them differ unless they are the same.
        Err(_) => _ = keys.insert("run.effective".to_owned(), effective.to_owned()),
    }
    keys
}

fn walk(path: String, value: &toml::Value, into: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            table.iter().for_each(|(key, value)| walk(format!("{path}.{key}"), value, into));
        }
        toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
            items.iter().enumerate().for_each(|(i, value)| walk(format!("{path}.{i}"), value, into));
        }
        plain => _ = into.insert(path, plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = r#"# branch.csv: SHA-256 4d23
name = "x"
seed = 1
[[fleet]]
count = 10
family = "avaya-96xx"
[fleet.settings]
brauth = true
[[phase]]
arrival = { constant = "1/s" }
does = "power-up"
[target.embedded]
likeness = "iis"
[tls]
resumption = "none"
"#;

    fn told(change: impl Fn(String) -> String) -> (Vec<String>, Vec<String>) {
        let found = Differences::of_texts(A, &change(A.to_owned()));
        let told = |list: &[Difference]| list.iter().map(ToString::to_string).collect();
        (told(&found.forbidden), told(&found.allowed))
    }

    #[test]
    fn what_is_compared_may_differ_and_what_makes_it_another_workload_may_not() {
        let none: Vec<String> = Vec::new();
        assert_eq!(told(|a| a), (none.clone(), none.clone()));
        for (from, to, allowed) in [
            ("\"iis\"", "\"nginx\"", r#"target.embedded.likeness: "iis" in A, "nginx" in B"#),
            ("\"none\"", "\"per-phone\"", r#"tls.resumption: "none" in A, "per-phone" in B"#),
            ("brauth = true", "brauth = false", "fleet.0.settings.brauth: true in A, false in B"),
            ("[tls]", "[network]\nidle = \"5s\"\n[tls]", r#"network.idle: nothing in A, "5s" in B"#),
        ] {
            assert_eq!(told(|a| a.replace(from, to)), (none.clone(), vec![allowed.to_owned()]));
        }
        for (from, to, forbidden) in [
            ("seed = 1", "seed = 2", "seed: 1 in A, 2 in B"),
            ("count = 10", "count = 11", "fleet.0.count: 10 in A, 11 in B"),
            ("1/s", "2/s", r#"phase.0.arrival.constant: "1/s" in A, "2/s" in B"#),
            ("4d23", "ffff", "list.branch.csv: 4d23 in A, ffff in B"),
        ] {
            assert_eq!(told(|a| a.replace(from, to)), (vec![forbidden.to_owned()], none.clone()));
        }
    }

    #[test]
    fn another_server_may_have_other_keys() {
        let (forbidden, allowed) =
            told(|a| a.replace("[target.embedded]\nlikeness = \"iis\"", "[target]\nurl = \"u\""));
        assert!(forbidden.is_empty());
        assert_eq!(allowed.len(), 2, "{allowed:?}");
    }
}
