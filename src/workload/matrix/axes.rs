//! What is varied, as the file has it: axes, their values, and the keys each value sets.

use toml::Spanned;
use toml::de::DeValue;

use super::super::document::{Document, Tree};
use super::super::error::Problem;
use super::super::locate::{KeyPath, Step, key};
use super::names;

/// One axis as read.
#[derive(Clone, Debug)]
pub(super) struct Axis<'i> {
    pub(super) name: String,
    /// Where it stands.
    pub(super) path: KeyPath,
    pub(super) values: Vec<Choice<'i>>,
}

/// One value of an axis.
#[derive(Clone, Debug)]
pub(super) struct Choice<'i> {
    pub(super) name: String,
    /// Where it stands.
    pub(super) path: KeyPath,
    /// The keys it sets.
    pub(super) sets: Vec<(String, Spanned<DeValue<'i>>)>,
}

impl Axis<'_> {
    /// All keys that any of its values sets, each once.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for (key, _) in self.values.iter().flat_map(|value| &value.sets) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        keys
    }
}

/// The axes of `[matrix.vary]` and `[[matrix.axis]]` in the order of the file, and what is wrong with them. Their shape
/// has been checked.
pub(super) fn read<'i>(doc: &Document<'i>, matrix: &Tree<'i>) -> (Vec<Axis<'i>>, Vec<Problem>) {
    let mut reader = Reader { doc, axes: Vec::new(), problems: Vec::new() };
    if let Some(vary) = matrix.get("vary").and_then(|v| v.get_ref().as_table()) {
        reader.vary(vary, &[], &key!["matrix", "vary"]);
    }
    for (n, axis) in matrix.get("axis").and_then(|v| v.get_ref().as_array()).into_iter().flatten().enumerate() {
        let path = key!["matrix", "axis", n];
        if let Some(table) = axis.get_ref().as_table() {
            reader.axis(table, axis.span().start, &path);
        }
    }
    reader.check()
}

struct Reader<'d, 'i> {
    doc: &'d Document<'i>,
    /// With the offset at which each begins.
    axes: Vec<(usize, Axis<'i>)>,
    problems: Vec<Problem>,
}

impl<'i> Reader<'_, 'i> {
    fn say(&mut self, path: &KeyPath, what: impl Into<String>, right: impl Into<String>) {
        self.problems.push(self.doc.problem(path, what, right));
    }

    /// Keys with their values; `tls.versions = […]` without quotes is a table in a table, and means the same.
    fn vary(&mut self, table: &Tree<'i>, above: &[String], path: &KeyPath) {
        for (key, value) in table {
            let path = path.then(key.get_ref().as_ref());
            let words = [above, &[key.get_ref().to_string()]].concat();
            match value.get_ref() {
                DeValue::Table(below) => self.vary(below, &words, &path),
                DeValue::Array(items) => {
                    let whole = joined(&words);
                    let choice = |(n, value): (usize, &Spanned<DeValue<'i>>)| Choice {
                        name: names::words(value.get_ref()),
                        path: path.then(n),
                        sets: vec![(whole.clone(), value.clone())],
                    };
                    let values = items.iter().enumerate().map(choice).collect();
                    self.axes.push((key.span().start, Axis { name: whole, path, values }));
                }
                _ => self.say(&path, "is no list", "write the values it takes in turn in brackets"),
            }
        }
    }

    fn axis(&mut self, table: &Tree<'i>, begins: usize, path: &KeyPath) {
        let Some(name) = table.get("name").and_then(|name| name.get_ref().as_str()).filter(|name| !name.is_empty())
        else {
            return self.say(&path.then("name"), "is missing", "say what the table calls this axis");
        };
        let mut values = Vec::new();
        let items = table.get("values").and_then(|v| v.get_ref().as_array());
        for (n, item) in items.into_iter().flatten().enumerate() {
            let path = path.then("values").then(n);
            let Some(item) = item.get_ref().as_table() else { continue };
            let mut sets = Vec::new();
            settings(item, &[], &mut sets);
            let name = match item.get("name").map(Spanned::get_ref) {
                Some(DeValue::String(name)) => name.to_string(),
                Some(_) => {
                    self.say(&path.then("name"), "is no text", "put it in quotes");
                    continue;
                }
                None => sets.iter().map(|(_, value)| names::words(value.get_ref())).collect::<Vec<_>>().join(", "),
            };
            values.push(Choice { name, path, sets });
        }
        self.axes.push((begins, Axis { name: name.to_owned(), path: path.clone(), values }));
    }

    fn check(mut self) -> (Vec<Axis<'i>>, Vec<Problem>) {
        self.axes.sort_by_key(|(begins, _)| *begins);
        let mut axes: Vec<Axis<'i>> = std::mem::take(&mut self.axes).into_iter().map(|(_, axis)| axis).collect();
        call_by_last_word(&mut axes);
        for (n, axis) in axes.iter().enumerate() {
            if axis.values.is_empty() {
                self.say(&axis.path, "has no values", "name at least one, better two");
            }
            for (m, value) in axis.values.iter().enumerate() {
                if value.name.is_empty() {
                    self.say(&value.path, "has no name", "say what the table calls it: { name = \"…\", … }");
                } else if axis.values[..m].iter().any(|earlier| earlier.name == value.name) {
                    self.say(&value.path, format!("`{}` is there twice", value.name), "values have different names");
                }
            }
            if axes[..n].iter().any(|earlier| earlier.name == axis.name) {
                self.say(&axis.path, format!("there are two axes `{}`", axis.name), "give one another name");
            }
            let before: Vec<String> = axes[..n].iter().flat_map(Axis::keys).collect();
            for key in axis.keys() {
                if before.contains(&key) {
                    self.say(&axis.path, format!("`{key}` is varied twice"), "let one axis set it");
                }
                if key.split('.').next() == Some("matrix") || key == "name" {
                    self.say(&axis.path, format!("`{key}` is the same in all variants"), "vary other keys");
                }
            }
        }
        if axes.is_empty() && self.problems.is_empty() {
            let right = "write [matrix.vary] with keys and lists of values, or [[matrix.axis]]";
            self.say(&key!["matrix"], "varies nothing", right);
        }
        (axes, self.problems)
    }
}

/// The keys a value's table sets. A quoted key with dots is set as it stands; a table under a key without dots is what
/// a dotted key without quotes makes.
fn settings<'i>(table: &Tree<'i>, above: &[String], into: &mut Vec<(String, Spanned<DeValue<'i>>)>) {
    let mut pairs: Vec<_> = table.iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in pairs {
        let name = key.get_ref().to_string();
        if above.is_empty() && name == "name" {
            continue;
        }
        let is_whole = name.contains('.');
        let words = [above, &[name]].concat();
        match value.get_ref() {
            DeValue::Table(below) if !is_whole => settings(below, &words, into),
            _ => into.push((joined(&words), value.clone())),
        }
    }
}

/// Words as one dotted key. What has dots already is dotted; other words that TOML would not take bare are quoted.
fn joined(words: &[String]) -> String {
    let word = |word: &String| match word.contains(['.', '"']) {
        true => word.clone(),
        false => KeyPath(vec![Step::Key(word.clone())]).to_string(),
    };
    words.iter().map(word).collect::<Vec<_>>().join(".")
}

/// Axes without a name of their own are called by the last word of their key, if no other is called so.
fn call_by_last_word(axes: &mut [Axis<'_>]) {
    let last = |name: &str| name.rsplit('.').next().unwrap_or(name).trim_matches('"').to_owned();
    let short: Vec<String> = axes.iter().map(|axis| last(&axis.name)).collect();
    for (n, axis) in axes.iter_mut().enumerate() {
        let is_key =
            axis.values.first().is_some_and(|value| value.sets.first().is_some_and(|(key, _)| *key == axis.name));
        if is_key && short.iter().filter(|name| **name == short[n]).count() == 1 {
            axis.name.clone_from(&short[n]);
        }
    }
}
