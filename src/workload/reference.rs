//! The reference of the workload format, made from the schema: the page and the program cannot disagree.

use std::fmt::Write as _;

use serde_json::Value;

use crate::phone::FAMILIES;

use super::keys::Node;

/// Every key of a workload file as Markdown: a section for each table, a row for each key, then the families' settings.
pub fn reference() -> String {
    let mut out = String::new();
    section(&mut out, &Node::of_file(), "", false);
    for family in FAMILIES {
        let node = Node::of(&(family.schema)());
        // Writing to a string cannot fail.
        let _ = writeln!(out, "### `[fleet.settings]` of `{}`\n\n{}.\n", family.name, text(family.about));
        rows(&mut out, &node);
    }
    out
}

fn section(out: &mut String, node: &Node, path: &str, listed: bool) {
    // Writing to a string cannot fail.
    let _ = match (path, listed) {
        ("", _) => writeln!(out, "### The top of the file\n"),
        (_, true) => writeln!(out, "### `[[{path}]]`\n"),
        (_, false) => writeln!(out, "### `[{path}]`\n"),
    };
    if !path.is_empty() && !node.description.is_empty() {
        let _ = writeln!(out, "{}\n", text(&node.description));
    }
    rows(out, node);
    for (key, child) in &node.children {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match &child.items {
            Some(items) if !items.children.is_empty() => section(out, items, &path, true),
            _ if !child.children.is_empty() => section(out, child, &path, false),
            _ => {}
        }
    }
}

fn rows(out: &mut String, node: &Node) {
    let _ = writeln!(out, "| key | takes | default | meaning |\n|---|---|---|---|");
    for (key, child) in &node.children {
        let _ = writeln!(out, "| `{key}` | {} | {} | {} |", takes(child), default(child), meaning(child));
    }
    let _ = writeln!(out);
}

/// What a key takes, in a few words.
fn takes(node: &Node) -> String {
    if node.items.as_deref().is_some_and(|items| !items.children.is_empty()) {
        return "tables".to_owned();
    }
    let mut kinds: Vec<String> = node.choices.iter().map(|(name, _)| format!("`\"{name}\"`")).collect();
    match (&node.format, kinds.is_empty()) {
        (Some(format), _) if !["uint64", "uint32", "double"].contains(&format.as_str()) => kinds.push(format.clone()),
        (_, false) => {}
        _ => kinds.extend(node.types.iter().filter_map(|t| {
            Some(match t.as_str() {
                "string" => "text".to_owned(),
                "integer" => "whole number".to_owned(),
                "boolean" => "`true`, `false`".to_owned(),
                "array" => match &node.items {
                    Some(items) => format!("list of {}", takes(items)),
                    None => "list".to_owned(),
                },
                "object" => return None,
                other => other.to_owned(),
            })
        })),
    }
    if node.open || !node.children.is_empty() {
        kinds.push("table".to_owned());
    }
    kinds.join(", ")
}

fn default(node: &Node) -> String {
    match &node.default {
        // On with all defaults is written `true` too.
        Some(Value::Object(_)) if node.types.iter().any(|t| t == "boolean") => "`true`".to_owned(),
        None | Some(Value::Null | Value::Object(_)) => String::new(),
        Some(Value::Array(items)) if items.is_empty() => String::new(),
        // A share reads better without its decimals.
        Some(Value::Number(n)) if n.as_f64().is_some_and(|f| f.fract() == 0.0) => {
            format!("`{}`", n.as_f64().unwrap_or_default())
        }
        Some(value) => format!("`{value}`"),
    }
}

/// The description, and what each choice means.
fn meaning(node: &Node) -> String {
    let mut out = text(&node.description);
    for (name, about) in node.choices.iter().filter(|(_, about)| !about.is_empty()) {
        let _ = write!(out, "<br>`{name}`: {}", text(about));
    }
    out
}

/// One line, safe in a table.
fn text(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- keys: made from the schema; UPDATE_DOCS=1 cargo test makes them anew -->\n";
    const END: &str = "<!-- end of keys -->\n";

    #[test]
    fn the_page_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/workload.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (head, rest) = page.split_once(BEGIN).unwrap();
        let (keys, tail) = rest.split_once(END).unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, format!("{head}{BEGIN}{}{END}{tail}", reference())).unwrap();
        } else {
            assert!(keys == reference(), "docs/workload.md is not current: UPDATE_DOCS=1 cargo test --lib reference");
        }
    }

    /// The page's examples are TOML that loads.
    #[test]
    fn the_examples_load() {
        let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/workload.md"));
        let examples: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(!examples.is_empty());
        for example in examples {
            let plan = super::super::parse(example, "example.toml", std::path::Path::new(""), &Default::default());
            plan.unwrap_or_else(|e| panic!("{e}\n{example}"));
        }
    }

    #[test]
    fn every_key_is_told() {
        fn undescribed(node: &Node, path: &str, into: &mut Vec<String>) {
            for (key, child) in &node.children {
                let path = format!("{path}.{key}");
                if child.description.is_empty() {
                    into.push(path.clone());
                }
                undescribed(child.items.as_deref().unwrap_or(child), &path, into);
            }
        }
        let mut found = Vec::new();
        undescribed(&Node::of_file(), "", &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
}
