//! Every key there is, from the schema: for unknown and misplaced keys, for `--set`, for the reference.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::phone::Registration;

use super::error::{Problem, list, nearest};
use super::file;
use super::locate::{KeyPath, Step};

/// What the schema says of one key, and of the keys below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// Keys of a table.
    pub(crate) children: BTreeMap<String, Node>,
    /// What an array holds.
    pub(crate) items: Option<Box<Node>>,
    /// Whether a table takes any key.
    pub(crate) open: bool,
    /// Whether a table takes one of its keys only.
    pub(crate) one_of: bool,
    /// JSON types it takes.
    pub(crate) types: Vec<String>,
    /// The only texts it takes, with what each means.
    pub(crate) choices: Vec<(String, String)>,
    /// What it is.
    pub(crate) description: String,
    /// What it is when not given.
    pub(crate) default: Option<Value>,
    /// The kind of text: `duration`, `count`, …
    pub(crate) format: Option<String>,
}

impl Node {
    /// The tree of a whole file.
    pub(crate) fn of_file() -> Node {
        Node::of(&file::schema())
    }

    /// The tree of a schema.
    pub(crate) fn of(schema: &schemars::Schema) -> Node {
        let mut root = Node::default();
        root.merge(schema.as_value(), schema.as_value());
        root
    }

    /// Takes in what a schema says.
    fn merge(&mut self, schema: &Value, root: &Value) {
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let entries = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
        if self.description.is_empty() {
            self.description = text("description").unwrap_or_default().to_owned();
        }
        self.default = self.default.take().or_else(|| schema.get("default").cloned());
        self.format = self.format.take().or_else(|| text("format").map(str::to_owned));
        for name in text("type").into_iter().chain(entries("type").filter_map(Value::as_str)) {
            if name != "null" && !self.types.iter().any(|known| known == name) {
                self.types.push(name.to_owned());
            }
        }
        for value in schema.get("const").into_iter().chain(entries("enum")).filter_map(Value::as_str) {
            self.choices.push((value.to_owned(), text("description").unwrap_or_default().to_owned()));
        }
        for (key, below) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let child = self.children.entry(key.clone()).or_default();
            child.merge(below, root);
            // A variant is told where it is named, which is better than what is said of its kind of table.
            if let (Some(about), 1) = (text("description"), entries("required").count()) {
                child.description = about.to_owned();
            }
        }
        self.open |= schema.get("additionalProperties").is_some_and(|a| *a != Value::Bool(false));
        if let Some(items) = schema.get("items") {
            self.items.get_or_insert_default().merge(items, root);
        }
        self.one_of |= entries("oneOf").any(|v| v.get("properties").is_some());
        if let Some(named) = text("$ref").and_then(|name| root.pointer(name.trim_start_matches('#'))) {
            self.merge(named, root);
        }
        for variant in entries("anyOf").chain(entries("oneOf")) {
            self.merge(variant, root);
        }
    }

    /// The node of a path, if it is known.
    pub(crate) fn at(&self, path: &KeyPath) -> Option<&Node> {
        path.0.iter().try_fold(self, |node, step| match step {
            Step::Key(key) => node.children.get(key),
            Step::Index(_) => node.items.as_deref(),
        })
    }

    /// Whether values of this key are texts and nothing else.
    pub(crate) fn is_text(&self) -> bool {
        self.types.as_slice() == ["string"]
    }

    /// Every table that has this very key, as a file would head it.
    pub(crate) fn homes(&self, key: &str) -> Vec<String> {
        let mut homes = Vec::new();
        self.collect_homes(key, "", false, &mut homes);
        homes
    }

    /// The names of all keys, wherever they belong.
    fn all_keys(&self) -> BTreeSet<String> {
        let below = self.children.values().map(|child| child.items.as_deref().unwrap_or(child));
        self.children.keys().cloned().chain(below.flat_map(Node::all_keys)).collect()
    }

    fn collect_homes(&self, key: &str, here: &str, listed: bool, homes: &mut Vec<String>) {
        if self.children.contains_key(key) {
            homes.push(match (here, listed) {
                ("", _) => "at the top of the file".to_owned(),
                (_, true) => format!("in [[{here}]]"),
                (_, false) => format!("in [{here}]"),
            });
        }
        for (name, child) in &self.children {
            let below = if here.is_empty() { name.clone() } else { format!("{here}.{name}") };
            match &child.items {
                Some(items) => items.collect_homes(key, &below, true, homes),
                None => child.collect_homes(key, &below, false, homes),
            }
        }
    }
}

/// A family's settings, for keys that belong there.
#[derive(Clone, Debug)]
pub(crate) struct FamilySettings {
    /// The family's name.
    pub(crate) family: &'static str,
    /// Its settings' names.
    pub(crate) settings: Vec<String>,
}

impl FamilySettings {
    /// The settings of a registered family.
    pub(crate) fn of(family: &Registration) -> FamilySettings {
        let settings = Node::of(&(family.schema)()).children.into_keys().collect();
        FamilySettings { family: family.name, settings }
    }
}

/// What is right instead of `key`, which is not among `here`.
pub(crate) fn right_key(root: &Node, families: &[FamilySettings], key: &str, here: &[&str]) -> String {
    let mut homes = root.homes(key);
    let of: Vec<&str> = families.iter().filter(|f| f.settings.iter().any(|s| s == key)).map(|f| f.family).collect();
    if !of.is_empty() {
        homes.push(format!("in [fleet.settings] of {}", of.join(" and ")));
    }
    if !homes.is_empty() {
        return format!("`{key}` belongs {}", homes.join(" or "));
    }
    match nearest(key, here.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let settings = families.iter().flat_map(|f| &f.settings).map(String::as_str);
            let elsewhere = root.all_keys();
            match (nearest(key, elsewhere.iter().map(String::as_str)), nearest(key, settings)) {
                (Some(near), _) => format!("did you mean `{near}`, which belongs {}?", root.homes(near).join(" or ")),
                (None, Some(near)) => format!("did you mean `{near}`, which belongs in [fleet.settings]?"),
                (None, None) => format!("keys here are {}", list(here.iter().copied())),
            }
        }
    }
}

/// Those of a file's keys that the schema does not know, each with its problem.
pub(crate) fn unknown_keys<'t>(
    root: &Node,
    families: &[FamilySettings],
    keys: impl IntoIterator<Item = &'t KeyPath>,
    place: impl Fn(&KeyPath) -> super::error::Place,
) -> Vec<(KeyPath, Problem)> {
    let mut unknown: Vec<(KeyPath, Problem)> = Vec::new();
    for path in keys {
        let Some((Step::Key(key), above)) = path.0.split_last() else { continue };
        let Some(node) = root.at(&KeyPath(above.to_vec())) else { continue };
        if node.open || node.children.is_empty() || node.children.contains_key(key) {
            continue;
        }
        let here: Vec<&str> = node.children.keys().map(String::as_str).collect();
        let problem = Problem {
            place: place(path),
            key: path.to_string(),
            what: "there is no such key here".to_owned(),
            right: Some(right_key(root, families, key, &here)),
        };
        unknown.push((path.clone(), problem));
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::super::locate::key;
    use super::*;

    #[test]
    fn the_tree_has_every_section() {
        let root = Node::of_file();
        for (path, open) in [
            (key!["run", "limit"], false),
            (key!["fleet", 0usize, "credentials", "stale-realm"], false),
            (key!["fleet", 3usize, "settings"], true),
            (key!["phase", 0usize, "arrival", "power-return", "dhcp-rate"], false),
            (key!["target", "embedded", "tls", "versions"], false),
            (key!["thresholds"], true),
        ] {
            let node = root.at(&path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(node.open, open, "{path}");
        }
        assert!(root.at(&key!["tls", "versions"]).unwrap().is_text());
        assert!(!root.at(&key!["fleet", 0usize, "count"]).unwrap().is_text());
        assert!(root.at(&key!["phase", 0usize, "arrival"]).unwrap().one_of);
        assert!(!root.at(&key!["target", "embedded"]).unwrap().one_of);
    }

    #[test]
    fn a_key_knows_its_home() {
        let root = Node::of_file();
        assert_eq!(root.homes("seed"), ["at the top of the file"]);
        assert_eq!(root.homes("dhcp-rate"), ["in [phase.arrival.power-return]"]);
        assert_eq!(root.homes("does"), ["in [[phase]]"]);
        assert_eq!(root.homes("nothing"), Vec::<String>::new());
    }
}
