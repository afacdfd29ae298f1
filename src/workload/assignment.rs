//! Flags put in their places: `--set key=value`, and the values of flags with names of their own.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::document::{Document, Tree, remove};
use super::effective::mask_options;
use super::error::{Place, Problem, suggest};
use super::keys::Node;
use super::locate::{KeyPath, Step, is_secret_key};

/// What is wrong with a flag, and what would be right.
pub(crate) type Wrong = (String, String);

impl<'i> Document<'i> {
    /// Applies `--set key=value`.
    pub(crate) fn set(&mut self, assignment: &'i str, keys: &Node) -> Result<(), Problem> {
        let typed = assignment.split_once('=');
        let name = typed.map_or(assignment, |(key, _)| key).trim();
        let flag = format!("--set {name}");
        let wrong = |what: String, right: String| Problem {
            place: Place::Flag(flag.clone()),
            key: String::new(),
            what,
            right: (!right.is_empty()).then_some(right),
        };
        let Some((_, value)) = typed else {
            return Err(wrong("has no `=`".to_owned(), "write --set KEY=VALUE, for example --set seed=7".to_owned()));
        };
        let steps = dotted(name).ok_or_else(|| {
            wrong(
                "is no key".to_owned(),
                "write it with dots, for example fleet.0.count or fleet.avaya.count".to_owned(),
            )
        })?;
        let path = self.resolve(&steps).map_err(|(what, right)| wrong(what, right))?;
        if path.is_secret() || mask_options(value) != value || names_secret(value) {
            return Err(wrong(
                "passwords do not belong in arguments, where every user of this machine can read them".to_owned(),
                "write it in the workload file".to_owned(),
            ));
        }
        let start = self.sources.add_flag(&flag, value.len());
        let as_text = || Spanned::new(start..start + value.len(), DeValue::String(value.to_owned().into()));
        let value = match DeValue::parse(value) {
            Ok(parsed) if parsed.get_ref().is_str() || !keys.at(&path).is_some_and(Node::is_text) => {
                shifted(parsed, start)
            }
            _ => as_text(),
        };
        self.put(&path, value, keys).map_err(|(what, right)| wrong(what, right))
    }

    /// Puts a value that the file itself says elsewhere in the place `key` names, just as `--set key=value` would.
    pub(crate) fn assign(&mut self, key: &str, value: Spanned<DeValue<'i>>, keys: &Node) -> Result<(), Wrong> {
        let right = "write it with dots and in quotes, for example \"tls.versions\"".to_owned();
        let steps = dotted(key).ok_or_else(|| (format!("`{key}` is no key"), right))?;
        let path = self.resolve(&steps)?;
        let value = if keys.at(&path).is_some_and(Node::is_text) { as_text(value) } else { value };
        self.put(&path, value, keys)
    }

    /// Puts a value of a dedicated flag in its place.
    pub(crate) fn put_flag(&mut self, flag: &str, path: &KeyPath, value: DeValue<'i>, keys: &Node) {
        let start = self.sources.add_flag(flag, 1);
        // The paths of dedicated flags lead through tables only, so this cannot fail.
        let _ = self.put(path, Spanned::new(start..start + 1, value), keys);
    }

    /// Takes the value at `path` away; says whether it was there.
    pub(crate) fn remove(&mut self, path: &KeyPath) -> bool {
        remove(&mut self.root, &path.0)
    }

    /// Turns names and numbers into steps: `fleet.avaya` and `fleet.0` are both an index.
    pub(crate) fn resolve(&self, words: &[String]) -> Result<KeyPath, Wrong> {
        let mut path = KeyPath::default();
        let mut table = Some(&self.root);
        let mut array: Option<(&str, &DeArray<'i>)> = None;
        for word in words {
            let value = match array {
                None => {
                    path = path.then(word.as_str());
                    table.and_then(|t| t.get(word.as_str()))
                }
                Some((what, items)) => {
                    let index = index_of(what, items, word)?;
                    path = path.then(index);
                    items.get(index)
                }
            };
            table = value.and_then(|v| v.get_ref().as_table());
            array = value.and_then(|v| v.get_ref().as_array()).map(|a| (word.as_str(), a));
        }
        match path.0.last() {
            Some(Step::Key(_)) => Ok(path),
            _ => Err(("names a whole entry".to_owned(), "name one of its keys".to_owned())),
        }
    }

    /// Puts a value in its place, with the tables that lead to it.
    fn put(&mut self, path: &KeyPath, value: Spanned<DeValue<'i>>, keys: &Node) -> Result<(), Wrong> {
        let Some((Step::Key(last), above)) = path.0.split_last() else { return Ok(()) };
        let span = value.span();
        let mut table = &mut self.root;
        let mut node = Some(keys);
        let mut steps = above.iter();
        while let Some(step) = steps.next() {
            let Step::Key(key) = step else { continue };
            only(table, node, key);
            node = node.and_then(|n| n.children.get(key));
            let below = table
                .entry(Spanned::new(span.clone(), key.clone().into()))
                .or_insert_with(|| Spanned::new(span.clone(), DeValue::Table(Tree::new())));
            // `--set target.embedded.likeness=iis` where the file says `embedded = true`.
            if !below.get_ref().is_table() && !below.get_ref().is_array() {
                *below = Spanned::new(span.clone(), DeValue::Table(Tree::new()));
            }
            table = match below.get_mut() {
                DeValue::Table(inner) => inner,
                DeValue::Array(items) => {
                    node = node.and_then(|n| n.items.as_deref());
                    let Some(Step::Index(n)) = steps.next() else {
                        return Err(("names a list".to_owned(), "say which entry, for example fleet.0".to_owned()));
                    };
                    match items.get_mut(*n).map(Spanned::get_mut) {
                        Some(DeValue::Table(inner)) => inner,
                        _ => return Err(("names an entry without keys".to_owned(), String::new())),
                    }
                }
                _ => return Ok(()),
            };
        }
        only(table, node, last);
        table.remove(last.as_str());
        table.insert(Spanned::new(span, last.clone().into()), value);
        Ok(())
    }
}

/// Where a table takes one of its keys only, setting one takes the others away.
fn only(table: &mut Tree<'_>, node: Option<&Node>, key: &str) {
    if node.is_some_and(|n| n.one_of) {
        let others: Vec<_> = table.keys().filter(|k| k.get_ref() != key).cloned().collect();
        others.iter().for_each(|other| drop(table.remove(other)));
    }
}

/// Where a text is wanted, a bare number is that text: `1.2`.
fn as_text(value: Spanned<DeValue<'_>>) -> Spanned<DeValue<'_>> {
    let span = value.span();
    let text = match value.get_ref() {
        DeValue::Integer(n) => n.to_string(),
        DeValue::Float(n) => n.to_string(),
        DeValue::Boolean(b) => b.to_string(),
        _ => return value,
    };
    Spanned::new(span, DeValue::String(text.into()))
}

/// Whether the value is a table, or a list of them, with a secret among its keys; also if it is none for lack of a brace.
pub(crate) fn names_secret(value: &str) -> bool {
    let key = |before: &str| {
        let before = before.trim_end_matches([' ', '\t', '"', '\'']);
        is_secret_key(before.rsplit(|c: char| !c.is_alphanumeric() && !"-_".contains(c)).next().unwrap_or_default())
    };
    let pieces: Vec<_> = value.split('=').collect();
    value.trim_start().starts_with(['{', '[']) && pieces[..pieces.len() - 1].iter().any(|before| key(before))
}

/// The words of a dotted key, quotes and all, as TOML reads it.
pub(crate) fn dotted(text: &str) -> Option<Vec<String>> {
    let line = format!("{text} = 0");
    let root = DeTable::parse(&line).ok()?.into_inner();
    let mut words = Vec::new();
    let mut table = &root;
    loop {
        let (key, value) = table.iter().next()?;
        words.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(below) if table.len() == 1 => table = below,
            _ => return Some(words),
        }
    }
}

/// The position of an entry, by number or by name.
fn index_of(what: &str, items: &DeArray<'_>, word: &str) -> Result<usize, Wrong> {
    // An entry without a name is known by its default: a fleet's family, what a phase does.
    let name = |entry: &Spanned<DeValue<'_>>| {
        let table = entry.get_ref().as_table()?;
        let named = ["name", "family", "does"].into_iter().find_map(|key| table.get(key))?;
        named.get_ref().as_str().map(str::to_owned)
    };
    let names: Vec<Option<String>> = items.iter().map(name).collect();
    if let Some(n) = names.iter().position(|n| n.as_deref() == Some(word)) {
        return Ok(n);
    }
    match word.parse::<usize>() {
        Ok(n) if n < items.len() => Ok(n),
        Ok(n) => Err((format!("there is no {what} {n}"), format!("there are {}, counted from 0", items.len()))),
        Err(_) => {
            let right = suggest(word, names.iter().flatten().map(String::as_str));
            Err((format!("there is no {what} `{word}`"), right))
        }
    }
}

/// The value with all its spans moved.
fn shifted(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let move_span = |s: std::ops::Range<usize>| s.start + by..s.end + by;
    let span = move_span(value.span());
    let inner = match value.into_inner() {
        DeValue::Array(items) => {
            let mut moved = DeArray::new();
            items.into_iter().for_each(|item| moved.push(shifted(item, by)));
            DeValue::Array(moved)
        }
        DeValue::Table(table) => DeValue::Table(
            table
                .into_iter()
                .map(|(k, v)| (Spanned::new(move_span(k.span()), k.into_inner()), shifted(v, by)))
                .collect(),
        ),
        plain => plain,
    };
    Spanned::new(span, inner)
}
