//! Holds `docs/families.md` and `docs/assumptions.md` against the program: the tests and settings they name exist, and
//! no family has a setting they pass over.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bootstorm::phone::FAMILIES;

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// The words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The rows of tables with these columns: the section's family, if it has one, and the cells.
fn rows<'p>(page: &'p str, head: &str) -> Vec<(Option<&'p str>, Vec<&'p str>)> {
    let (mut family, mut inside, mut rows) = (None, false, Vec::new());
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            family = quoted(heading).next();
        }
        inside = line == head || (inside && line.starts_with('|'));
        if inside && line != head && !line.starts_with("|---") {
            rows.push((family, line.trim_matches('|').split('|').map(str::trim).collect()));
        }
    }
    rows
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The names of all tests there are.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if let (true, Some(rest)) = (is_test, line.strip_prefix("fn ")) {
                names.extend(rest.split('(').next().map(str::to_owned));
            }
            is_test = line == "#[test]" || (is_test && line.starts_with("#["));
        }
    }
    names
}

fn settings(family: &str) -> BTreeSet<String> {
    let registration = FAMILIES.iter().find(|f| f.name == family).unwrap_or_else(|| panic!("no family `{family}`"));
    let schema = (registration.schema)();
    schema.as_value()["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_rule_names_tests_that_exist() {
    let page = page("families.md");
    let rows = rows(&page, "| rule | source | test | setting |");
    assert!(rows.len() > 50, "{} rules", rows.len());
    let tests = tests();
    for (_, cells) in rows {
        assert_eq!(cells.len(), 4, "{cells:?}");
        assert!(quoted(cells[2]).next().is_some(), "no test proves: {}", cells[0]);
        for test in quoted(cells[2]) {
            assert!(tests.contains(test), "there is no test `{test}`, which should prove: {}", cells[0]);
        }
    }
}

#[test]
fn every_setting_of_a_family_stands_on_the_page() {
    let page = page("families.md");
    let rows = rows(&page, "| rule | source | test | setting |");
    for family in FAMILIES {
        let of_family = rows.iter().filter(|(f, _)| *f == Some(family.name));
        let told: BTreeSet<String> = of_family.flat_map(|(_, cells)| quoted(cells[3])).map(str::to_owned).collect();
        assert_eq!(told, settings(family.name), "{}", family.name);
    }
}

/// An assumption names a setting of its family, or says where else the value stands, or why there is none.
#[test]
fn every_assumption_names_its_setting() {
    let page = page("assumptions.md");
    let rows = rows(&page, "| fact | basis | default | setting |");
    assert!(rows.len() > 30, "{} assumptions", rows.len());
    let manual = self::page("workload.md");
    for (family, cells) in rows {
        assert_eq!(cells.len(), 4, "{cells:?}");
        assert!(!cells[3].is_empty(), "no setting, and no word about it: {}", cells[0]);
        // Those of servers name values beside their keys.
        let Some(known) = family.filter(|f| FAMILIES.iter().any(|r| r.name == *f)).map(settings) else { continue };
        for key in quoted(cells[3]).filter(|key| !key.starts_with(['[', '"'])) {
            let in_manual = manual.contains(&format!("| `{key}` |")) || manual.contains(&format!("`{key}`"));
            let found = known.contains(key) || in_manual;
            assert!(found, "there is no setting `{key}`: {}", cells[0]);
        }
    }
}
