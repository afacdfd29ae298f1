//! A workload's text as a tree in which every value knows where it came from, flags applied.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::error::{Place, Problem, list, suggest};
use super::file::File;
use super::keys::{FamilySettings, Node, unknown_keys};
use super::locate::{KeyPath, Sources, Step};

/// A table with the places of its keys and values.
pub(crate) type Tree<'i> = DeTable<'i>;

/// A workload's text, parsed, with the flags' values in their places.
#[derive(Clone, Debug)]
pub(crate) struct Document<'i> {
    pub(crate) sources: Sources,
    pub(crate) root: Tree<'i>,
}

impl<'i> Document<'i> {
    /// Parses the text of `file`; syntax errors come all at once.
    pub(crate) fn parse(file: &str, text: &'i str) -> Result<Document<'i>, Vec<Problem>> {
        let sources = Sources::new(file, text);
        let (root, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Ok(Document { sources, root: root.into_inner() });
        }
        let problem = |e: toml::de::Error| Problem {
            place: e.span().map_or_else(|| sources.whole_file(), |s| sources.place(s.start)),
            key: String::new(),
            what: format!("is not TOML: {}", e.message()),
            right: None,
        };
        Err(errors.into_iter().map(problem).collect())
    }

    /// A problem with the value at `path` (or, if it is not there, with the nearest table above it).
    pub(crate) fn problem(&self, path: &KeyPath, what: impl Into<String>, right: impl Into<String>) -> Problem {
        let right = right.into();
        Problem {
            place: self.place(path),
            key: path.to_string(),
            what: what.into(),
            right: (!right.is_empty()).then_some(right),
        }
    }

    /// Where the key at `path`, or the nearest one above it, stands.
    pub(crate) fn place(&self, path: &KeyPath) -> Place {
        let mut place = self.sources.whole_file();
        let mut table = Some(&self.root);
        let mut array: Option<&DeArray<'i>> = None;
        for step in &path.0 {
            let (offset, value) = match step {
                Step::Key(key) => match table.and_then(|t| t.get_key_value(key.as_str())) {
                    Some((key, value)) => (key.span().start, value),
                    None => break,
                },
                Step::Index(n) => match array.and_then(|a| a.get(*n)) {
                    Some(value) => (value.span().start, value),
                    None => break,
                },
            };
            place = self.sources.place(offset);
            (table, array) = (value.get_ref().as_table(), value.get_ref().as_array());
        }
        place
    }

    /// Reads the file's structs; wrong keys and wrong types come all at once.
    pub(crate) fn read(&self, keys: &Node, families: &[FamilySettings]) -> Result<File, Vec<Problem>> {
        let mut root = self.root.clone();
        let mut all = Vec::new();
        paths(&root, &KeyPath::default(), &mut all);
        let mut problems = Vec::new();
        for (path, problem) in unknown_keys(keys, families, &all, |p| self.place(p)) {
            problems.push(problem);
            remove(&mut root, &path.0);
        }
        // Serde stops at the first wrong value: tell it, take it out, and try again.
        loop {
            let error = match File::deserialize(toml::Deserializer::from(Spanned::new(0..0, root.clone()))) {
                Ok(file) if problems.is_empty() => return Ok(file),
                Ok(_) => return Err(problems),
                Err(error) => error,
            };
            let path = error.span().and_then(|span| path_of(&root, &span)).unwrap_or_default();
            let (what, mut right) = rephrase(error.message(), path.is_secret());
            let choices = keys.at(&path).map_or(&[][..], |node| &node.choices);
            if error.message().starts_with("wanted string or table") && !choices.is_empty() {
                right = format!("known are {}", list(choices.iter().map(|(name, _)| name.as_str())));
            }
            problems.push(self.problem(&path, what, right));
            if !remove(&mut root, whole(&path)) {
                return Err(problems);
            }
        }
    }
}

/// Every key of the tree, whatever it holds.
fn paths(table: &Tree<'_>, above: &KeyPath, into: &mut Vec<KeyPath>) {
    for (key, value) in table {
        let path = above.then(key.get_ref().as_ref());
        into.push(path.clone());
        match value.get_ref() {
            DeValue::Table(below) => paths(below, &path, into),
            DeValue::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    if let Some(below) = item.get_ref().as_table() {
                        paths(below, &path.then(n), into);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The deepest key or value with this very span.
fn path_of(table: &Tree<'_>, span: &std::ops::Range<usize>) -> Option<KeyPath> {
    fn below(value: &Spanned<DeValue<'_>>, here: &KeyPath, span: &std::ops::Range<usize>) -> Option<KeyPath> {
        let deeper = match value.get_ref() {
            DeValue::Table(table) => within(table, here, span),
            DeValue::Array(items) => items.iter().enumerate().find_map(|(n, v)| below(v, &here.then(n), span)),
            _ => None,
        };
        deeper.or_else(|| (value.span() == *span).then(|| here.clone()))
    }
    fn within(table: &Tree<'_>, above: &KeyPath, span: &std::ops::Range<usize>) -> Option<KeyPath> {
        table.iter().find_map(|(key, value)| {
            let here = above.then(key.get_ref().as_ref());
            below(value, &here, span).or_else(|| (key.span() == *span).then(|| here.clone()))
        })
    }
    within(table, &KeyPath::default(), span)
}

/// What must go if the value at `path` is wrong: arrays lose no single entry (the others would be renumbered), and
/// an arrival plan makes sense as a whole only.
fn whole(path: &KeyPath) -> &[Step] {
    let steps = path.0.as_slice();
    let arrival = steps.iter().position(|s| *s == Step::from("arrival")).map(|n| n + 1);
    let steps = &steps[..arrival.unwrap_or(steps.len())];
    let keys = steps.iter().rposition(|s| matches!(s, Step::Key(_))).map_or(0, |n| n + 1);
    &steps[..keys]
}

/// Takes a value out of the tree; says whether it was there.
pub(crate) fn remove(table: &mut Tree<'_>, path: &[Step]) -> bool {
    match path {
        [Step::Key(last)] => table.remove(last.as_str()).is_some(),
        [Step::Key(key), Step::Index(n), rest @ ..] => match table.get_mut(key.as_str()).map(Spanned::get_mut) {
            Some(DeValue::Array(items)) => match items.get_mut(*n).map(Spanned::get_mut) {
                Some(DeValue::Table(below)) => remove(below, rest),
                _ => false,
            },
            _ => false,
        },
        [Step::Key(key), rest @ ..] => match table.get_mut(key.as_str()).map(Spanned::get_mut) {
            Some(DeValue::Table(below)) => remove(below, rest),
            _ => false,
        },
        _ => false,
    }
}

/// Serde's message as (what is wrong, what would be right), in the words of a person who writes TOML.
fn rephrase(message: &str, secret: bool) -> (String, String) {
    if secret {
        return ("is not a text".to_owned(), "put it in quotes".to_owned());
    }
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let (true, Some((typed, known))) = (message.starts_with("unknown variant "), quoted.split_first()) {
        return (format!("`{typed}` is none of its values"), suggest(typed, known.iter().copied()));
    }
    if let (true, [field]) = (message.starts_with("missing field "), quoted.as_slice()) {
        return (format!("`{field}` is missing"), "it has no default".to_owned());
    }
    if message.starts_with("wanted exactly 1 element") {
        return ("names none or more than one".to_owned(), "write exactly one of its keys".to_owned());
    }
    if message.starts_with("wanted string or table") {
        return ("is no text".to_owned(), "put it in quotes".to_owned());
    }
    if let Some((found, expected)) = message.split_once(", expected ") {
        let found = found.strip_prefix("invalid type: ").or(found.strip_prefix("invalid value: ")).unwrap_or(found);
        let found = found.replacen("string ", "text ", 1);
        let expected = match expected {
            "u64" | "u32" => "a whole number, 0 or more",
            "f64" => "a number",
            "a sequence" => "a list, in brackets",
            "a boolean" => "true or false",
            "a string" => "a text, in quotes",
            "a map" => "a table",
            other => other.strip_prefix("struct ").map_or(other, |_| "a table"),
        };
        return (format!("is {found}"), format!("expected {expected}"));
    }
    let (what, right) = message.split_once("; ").unwrap_or((message, ""));
    (what.to_owned(), right.to_owned())
}
