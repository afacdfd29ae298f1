//! Loading: file and flags in, plan or problems out.

use std::path::Path;

use toml::de::DeValue;

use crate::phone::{FAMILIES, Registration};

use super::document::{Document, Tree};
use super::error::{Place, Problem, WorkloadError};
use super::keys::{FamilySettings, Node};
use super::locate::{Sources, key};
use super::matrix::Layout;
use super::meaning::Meaning;
use super::{Matrix, Plan, defaults};

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

/// Loads a workload file. Of one with a matrix, the baseline.
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
    let (name, text) = read(path)?;
    parse_with(&text, &name, beside(path), overrides, families)
}

/// Loads all variants of a workload file; `None` if it has no matrix.
///
/// # Errors
/// As [`load`], of any variant.
pub fn load_matrix(path: &Path, overrides: &Overrides) -> Result<Option<Matrix>, WorkloadError> {
    let (name, text) = read(path)?;
    parse_matrix(&text, &name, beside(path), overrides)
}

/// Loads one variant of a workload file with a matrix, by its name.
///
/// # Errors
/// As [`load`]; also if there is no such variant.
pub fn load_variant(path: &Path, overrides: &Overrides, variant: &str) -> Result<Plan, WorkloadError> {
    let (name, text) = read(path)?;
    let opened = Opened::new(&text, &name, beside(path), overrides, FAMILIES)?;
    let Some((opened, layout)) = opened.layout()? else {
        let what = format!("is missing, so there is no variant `{variant}`");
        let right = Some("leave --variant out, or say under [matrix.vary] what is to be varied".to_owned());
        return Err(WorkloadError::from(Problem { place: Place::File(name), key: "matrix".to_owned(), what, right }));
    };
    opened.variant(&layout, layout.find(variant)?)
}

/// The file's name as shown in errors, and its text.
fn read(path: &Path) -> Result<(String, String), WorkloadError> {
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
    let text = String::from_utf8(octets).map_err(|e| {
        let sound = e.as_bytes().get(..e.utf8_error().valid_up_to()).unwrap_or_default();
        let place = Sources::new(&name, &String::from_utf8_lossy(sound)).place(sound.len());
        let right = Some("save it as UTF-8".to_owned());
        WorkloadError::from(Problem { place, key: String::new(), what: "is not UTF-8".to_owned(), right })
    })?;
    Ok((name, text))
}

/// What relative paths in a workload start from.
fn beside(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
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
    let opened = Opened::new(text, name, base, overrides, families)?;
    match opened.layout()? {
        Some((opened, layout)) => opened.variant(&layout, layout.baseline()),
        None => opened.plan(opened.doc.clone(), opened.problems.clone()),
    }
}

/// All variants of a workload's text; `None` if it has no matrix.
///
/// # Errors
/// As [`load`], of any variant.
pub fn parse_matrix(
    text: &str,
    name: &str,
    base: &Path,
    overrides: &Overrides,
) -> Result<Option<Matrix>, WorkloadError> {
    let opened = Opened::new(text, name, base, overrides, FAMILIES)?;
    let Some((opened, layout)) = opened.layout()? else { return Ok(None) };
    let (mut plans, mut problems) = (Vec::new(), Vec::new());
    for variant in 0..layout.len() {
        match opened.variant(&layout, variant) {
            Ok(plan) => plans.push(plan),
            Err(error) => problems.extend_from_slice(error.problems()),
        }
    }
    match WorkloadError::of(problems) {
        Some(error) => Err(error),
        None => Ok(Some(layout.into_matrix(plans))),
    }
}

/// A workload's text with the flags applied, not yet given its meaning.
struct Opened<'i> {
    doc: Document<'i>,
    keys: Node,
    settings: Vec<FamilySettings>,
    name: &'i str,
    base: &'i Path,
    overrides: &'i Overrides,
    families: &'i [Registration],
    /// What is wrong with the flags.
    problems: Vec<Problem>,
}

impl<'i> Opened<'i> {
    fn new(
        text: &'i str,
        name: &'i str,
        base: &'i Path,
        overrides: &'i Overrides,
        families: &'i [Registration],
    ) -> Result<Opened<'i>, WorkloadError> {
        let keys = Node::of_file();
        let settings = families.iter().map(FamilySettings::of).collect();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut doc = Document::parse(name, text)
            .map_err(|problems| WorkloadError::of(problems).unwrap_or_else(|| nothing(name)))?;
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
        Ok(Opened { doc, keys, settings, name, base, overrides, families, problems })
    }

    /// Takes the matrix out of the workload, if there is one: what remains is what its variants have in common.
    fn layout(&self) -> Result<Option<(Opened<'i>, Layout<'i>)>, WorkloadError> {
        let mut doc = self.doc.clone();
        let Some((key, matrix)) = doc.root.remove_entry("matrix") else { return Ok(None) };
        let mut alone = Document { sources: doc.sources.clone(), root: Tree::new() };
        alone.root.insert(key, matrix);
        let read = alone.read(&self.keys, &self.settings).and_then(|file| match file.matrix {
            Some(section) => Layout::read(alone, section),
            None => Err(Vec::new()),
        });
        let mut problems = self.problems.clone();
        let layout = match read {
            Ok(layout) => {
                problems.extend(layout.clashes(self.overrides));
                Some(layout)
            }
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        match (layout, WorkloadError::of(problems)) {
            (Some(layout), None) => {
                let (keys, settings) = (self.keys.clone(), self.settings.clone());
                Ok(Some((Opened { doc, keys, settings, problems: Vec::new(), ..*self }, layout)))
            }
            (_, problems) => Err(problems.unwrap_or_else(|| nothing(self.name))),
        }
    }

    /// The plan of one variant.
    fn variant(&self, layout: &Layout<'i>, variant: usize) -> Result<Plan, WorkloadError> {
        let mut doc = self.doc.clone();
        let problems = layout.apply(variant, &mut doc, &self.keys);
        self.plan(doc, problems)
    }

    /// The plan that a text means, if there are no problems yet.
    fn plan(&self, doc: Document<'i>, mut problems: Vec<Problem>) -> Result<Plan, WorkloadError> {
        let Opened { keys, settings, families, base, overrides, .. } = self;
        let file = doc.read(keys, settings);
        problems.extend(file.as_ref().err().into_iter().flatten().cloned());
        let mut file = match (file, WorkloadError::of(problems)) {
            (Ok(file), None) => file,
            (_, problems) => return Err(problems.unwrap_or_else(|| nothing(self.name))),
        };
        if let Some(seed) = overrides.seed {
            file.seed = seed;
        }
        let stem = Path::new(self.name).file_stem().map_or_else(|| "workload".into(), |stem| stem.to_string_lossy());
        defaults::fill(&mut file, &stem);
        Meaning { doc: &doc, keys, settings, families, base, overrides, problems: Vec::new() }.plan(file)
    }
}

/// An error without a problem cannot be; if it is, it says so.
fn nothing(name: &str) -> WorkloadError {
    let (what, place) = ("cannot be read".to_owned(), Place::File(name.to_owned()));
    WorkloadError::from(Problem { place, key: String::new(), what, right: None })
}
