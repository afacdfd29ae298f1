//! Loading: file and flags in, plan or problems out.

use std::path::Path;

use toml::de::DeValue;

use crate::phone::{FAMILIES, Registration};

use super::document::Document;
use super::error::{Place, Problem, WorkloadError};
use super::keys::{FamilySettings, Node};
use super::locate::{Sources, key};
use super::meaning::Meaning;
use super::{Plan, defaults};

/// What flags and environment say over the file's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The target's URL, in place of the file's `[target]` (`--target`).
    pub target: Option<String>,
    /// How many phones, shared out among the fleets in proportion (`--phones`).
    pub phones: Option<u32>,
    /// The seed (`--seed`).
    pub seed: Option<u64>,
    /// `KEY=VALUE` assignments, in order (`--set`). Keys are dotted, entries of a list are named or counted from 0
    /// (`fleet.avaya.count=500`, `fleet.0.count=500`); a value that is no TOML is a text.
    pub sets: Vec<String>,
}

/// Loads a workload file.
///
/// # Errors
/// Every problem found, each with its file, line (or flag) and key.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Plan, WorkloadError> {
    load_with(path, overrides, FAMILIES)
}

/// Loads a workload file for these families.
///
/// # Errors
/// As [`load`].
pub fn load_with(path: &Path, overrides: &Overrides, families: &[Registration]) -> Result<Plan, WorkloadError> {
    let name = path.display().to_string();
    let whole = |what: String, right: &str| {
        let right = Some(right.to_owned());
        WorkloadError::from(Problem { place: Place::File(name.clone()), key: String::new(), what, right })
    };
    let octets = std::fs::read(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            whole("there is no such file".to_owned(), "name a workload file, for example workloads/smoke.toml")
        }
        std::io::ErrorKind::IsADirectory => whole("is a folder".to_owned(), "name a workload file in it"),
        kind => whole(format!("cannot be read: {kind}"), "see that you may read it"),
    })?;
    let text = std::str::from_utf8(&octets).map_err(|e| {
        let sound = octets.get(..e.valid_up_to()).unwrap_or_default();
        let place = Sources::new(&name, &String::from_utf8_lossy(sound)).place(sound.len());
        let right = Some("save it as UTF-8".to_owned());
        WorkloadError::from(Problem { place, key: String::new(), what: "is not UTF-8".to_owned(), right })
    })?;
    let base = path.parent().unwrap_or(Path::new(""));
    parse_with(text, &name, base, overrides, families)
}

/// The plan of a workload's text; `name` is its file as shown in errors, `base` what relative paths start from.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, name: &str, base: &Path, overrides: &Overrides) -> Result<Plan, WorkloadError> {
    parse_with(text, name, base, overrides, FAMILIES)
}

/// As [`parse`], for these families.
///
/// # Errors
/// As [`load`].
pub fn parse_with(
    text: &str,
    name: &str,
    base: &Path,
    overrides: &Overrides,
    families: &[Registration],
) -> Result<Plan, WorkloadError> {
    let told = |problems| WorkloadError::of(problems);
    let keys = Node::of_file();
    let settings: Vec<FamilySettings> = families.iter().map(FamilySettings::of).collect();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut doc = Document::parse(name, text).map_err(|problems| told(problems).unwrap_or_else(|| nothing(name)))?;
    let mut problems: Vec<Problem> = overrides.sets.iter().filter_map(|set| doc.set(set, &keys).err()).collect();
    if let Some(url) = &overrides.target {
        doc.remove(&key!["target", "embedded"]);
        doc.put_flag("--target", &key!["target", "url"], DeValue::String(url.clone().into()), &keys);
    }
    if let Some(seed) = overrides.seed.filter(|seed| i64::try_from(*seed).is_err()) {
        let right = Some(format!("at most {}", i64::MAX));
        let place = Place::Flag("--seed".to_owned());
        problems.push(Problem { place, key: String::new(), what: format!("{seed} is too large"), right });
    }
    let file = doc.read(&keys, &settings);
    problems.extend(file.as_ref().err().into_iter().flatten().cloned());
    let mut file = match (file, told(problems)) {
        (Ok(file), None) => file,
        (_, problems) => return Err(problems.unwrap_or_else(|| nothing(name))),
    };
    if let Some(seed) = overrides.seed {
        file.seed = seed;
    }
    let stem = Path::new(name).file_stem().map_or_else(|| "workload".into(), |stem| stem.to_string_lossy());
    defaults::fill(&mut file, &stem);
    Meaning { doc: &doc, keys: &keys, settings: &settings, families, base, overrides, problems: Vec::new() }.plan(file)
}

/// An error without a problem cannot be; if it is, it says so.
fn nothing(name: &str) -> WorkloadError {
    let (what, place) = ("cannot be read".to_owned(), Place::File(name.to_owned()));
    WorkloadError::from(Problem { place, key: String::new(), what, right: None })
}
