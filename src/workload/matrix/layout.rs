//! A matrix as read and checked, before its variants are given their meaning.

use toml::de::{DeArray, DeValue};

use super::super::document::{Document, Tree};
use super::super::error::{Place, Problem, suggest};
use super::super::file::{Combine, MatrixSection};
use super::super::keys::Node;
use super::super::locate::{KeyPath, is_secret_key, key};
use super::super::{Formula, Overrides, ThresholdError};
use super::axes::Axis;
use super::combine::{self, Rule};
use super::{MOST_RUNS, MOST_VARIANTS, Matrix, Variant, axes, names};

/// Most combinations that are looked at, those left out included.
const MOST_COMBINATIONS: usize = 10_000;

/// The matrix of a file: everything but the variants' plans.
#[derive(Clone, Debug)]
pub(in crate::workload) struct Layout<'i> {
    /// The matrix alone, for the places of its values.
    doc: Document<'i>,
    axes: Vec<Axis<'i>>,
    section: MatrixSection,
    combinations: Vec<Vec<usize>>,
    baseline: usize,
    ids: Vec<String>,
    names: Vec<String>,
    show: Vec<Formula>,
}

impl<'i> Layout<'i> {
    /// Reads the matrix. `doc` has nothing but it, `section` is what its plain keys say.
    pub(in crate::workload) fn read(doc: Document<'i>, section: MatrixSection) -> Result<Layout<'i>, Vec<Problem>> {
        let empty = Tree::new();
        let matrix = doc.root.get("matrix").and_then(|m| m.get_ref().as_table()).unwrap_or(&empty);
        let (axes, mut problems) = axes::read(&doc, matrix);
        let mut reader = Reader { doc: &doc, axes: &axes, problems: Vec::new() };
        let show = reader.show(&section.show);
        reader.bounds(&section);
        let (baseline, rules) = (reader.baseline(matrix), reader.rules(matrix));
        let sizes: Vec<usize> = axes.iter().map(|axis| axis.values.len()).collect();
        let combinations = reader.combinations(&section, &sizes, &baseline, &rules);
        problems.append(&mut reader.problems);
        let Some(at) = combinations.iter().position(|c| *c == baseline).filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        let (words, names) = name(&axes, &combinations, section.combine, at);
        let ids = names::ids(&words);
        Ok(Layout { doc, axes, section, combinations, baseline: at, ids, names, show })
    }

    /// Every key that is varied.
    pub(in crate::workload) fn keys(&self) -> impl Iterator<Item = String> {
        self.axes.iter().flat_map(Axis::keys)
    }

    /// How many variants there are.
    pub(in crate::workload) fn len(&self) -> usize {
        self.combinations.len()
    }

    /// Which variant is the baseline.
    pub(in crate::workload) fn baseline(&self) -> usize {
        self.baseline
    }

    /// The variant of this name, for people or of its folder.
    pub(in crate::workload) fn find(&self, name: &str) -> Result<usize, Problem> {
        let alike = |known: &String| known == name;
        self.ids.iter().position(alike).or_else(|| self.names.iter().position(alike)).ok_or_else(|| Problem {
            place: Place::Flag("--variant".to_owned()),
            key: String::new(),
            what: format!("there is no variant `{name}`"),
            right: Some(suggest(name, self.ids.iter().map(String::as_str))),
        })
    }

    /// Sets the keys of one variant in a workload, as `--set` would.
    pub(in crate::workload) fn apply(&self, variant: usize, to: &mut Document<'i>, keys: &Node) -> Vec<Problem> {
        let mut problems = Vec::new();
        let sets = self.sets(variant);
        let sets_embedded = sets.iter().any(|(_, key, _)| is_at(key, "target.embedded"));
        for (path, key, value) in sets {
            // As `--target` does: a server that is there already takes the place of the embedded one.
            if key == "target.url" && !sets_embedded {
                to.remove(&key!["target", "embedded"]);
            }
            if let Err((what, right)) = to.assign(key, value.clone(), keys) {
                let right = (!right.is_empty()).then_some(right);
                problems.push(Problem { place: self.doc.place(path), key: key.to_owned(), what, right });
            }
        }
        problems
    }

    /// What flags change and the matrix too: neither could be heeded without the other being forgotten.
    pub(in crate::workload) fn clashes(&self, overrides: &Overrides) -> Vec<Problem> {
        let clash = |flag: String, key: &str, right: String| Problem {
            place: Place::Flag(flag),
            key: String::new(),
            what: format!("the matrix varies `{key}`"),
            right: Some(right),
        };
        let mut problems = Vec::new();
        for key in self.keys() {
            for set in &overrides.sets {
                let set = set.split_once('=').map_or(set.as_str(), |(key, _)| key).trim();
                if is_at(set, &key) || is_at(&key, set) {
                    let right = format!("name the values it is to take: --set 'matrix.vary.\"{key}\"=[…]'");
                    let in_vary = self
                        .axes
                        .iter()
                        .any(|a| a.path.0.get(1).is_some_and(|s| *s == "vary".into()) && a.keys().contains(&key));
                    let right = if in_vary { right } else { "leave it out, or change the axis in the file".to_owned() };
                    problems.push(clash(format!("--set {set}"), &key, right));
                }
            }
            if overrides.target.is_some() && (is_at(&key, "target.url") || is_at(&key, "target.embedded")) {
                let right = "let the axis vary `target.url`, a server for each value, and leave --target out";
                problems.push(clash("--target".to_owned(), &key, right.to_owned()));
            }
            if overrides.seed.is_some() && key == "seed" {
                problems.push(clash("--seed".to_owned(), &key, "leave --seed out".to_owned()));
            }
            if overrides.phones.is_some() && key.starts_with("fleet.") && key.ends_with(".count") {
                problems.push(clash("--phones".to_owned(), &key, "leave --phones out".to_owned()));
            }
        }
        problems
    }

    /// The matrix with the variants' plans, of which there are as many.
    pub(in crate::workload) fn into_matrix(self, plans: Vec<super::Plan>) -> Matrix {
        let seed = plans.get(self.baseline).map_or(0, |plan| plan.seed);
        let sets: Vec<_> = (0..self.len()).map(|variant| self.masked(variant)).collect();
        let named = self.ids.into_iter().zip(self.names).zip(self.combinations).zip(sets).zip(plans);
        let variants = named.map(|((((id, name), values), sets), plan)| Variant { id, name, values, sets, plan });
        let axis = |axis: &Axis<'_>| super::Axis {
            name: axis.name.clone(),
            values: axis.values.iter().map(|value| value.name.clone()).collect(),
            keys: axis.keys(),
        };
        Matrix {
            axes: self.axes.iter().map(axis).collect(),
            one_at_a_time: self.section.combine == Combine::OneAtATime,
            variants: variants.collect(),
            baseline: self.baseline,
            repeats: u32::try_from(self.section.repeats.0).unwrap_or(1),
            interleaved: self.section.interleaved,
            rest: self.section.rest.0,
            show: self.show,
            seed,
        }
    }

    /// The keys a variant sets: where they stand, the key, the value.
    fn sets(&self, variant: usize) -> Vec<(&KeyPath, &str, &toml::Spanned<DeValue<'i>>)> {
        let picks = self.combinations.get(variant).into_iter().flatten().zip(&self.axes);
        let choices = picks.filter_map(|(pick, axis)| axis.values.get(*pick));
        choices.flat_map(|c| c.sets.iter().map(|(key, value)| (&c.path, key.as_str(), value))).collect()
    }

    fn masked(&self, variant: usize) -> Vec<(String, String)> {
        let shown = |key: &str, value: &DeValue<'_>| {
            let text = names::toml(value);
            let secret = key.split('.').any(is_secret_key) || super::super::effective::mask_options(&text) != text;
            if secret || super::super::assignment::names_secret(&text) { "***".to_owned() } else { text }
        };
        self.sets(variant).into_iter().map(|(_, key, value)| (key.to_owned(), shown(key, value.get_ref()))).collect()
    }
}

/// Whether a dotted key is this one, or one below it.
fn is_at(key: &str, above: &str) -> bool {
    key.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The words of each variant's folder, and its name for people.
fn name(
    axes: &[Axis<'_>],
    combinations: &[Vec<usize>],
    combine: Combine,
    baseline: usize,
) -> (Vec<Vec<String>>, Vec<String>) {
    let value = |axis: usize, pick: usize| axes[axis].values[pick].name.clone();
    let of = |combination: &Vec<usize>| -> (Vec<String>, String) {
        let all: Vec<String> = combination.iter().enumerate().map(|(axis, pick)| value(axis, *pick)).collect();
        if combine == Combine::All {
            return (all.clone(), all.join(", "));
        }
        let changed = combination.iter().zip(&combinations[baseline]).position(|(a, b)| a != b);
        match changed {
            None => (vec!["baseline".to_owned()], format!("baseline: {}", all.join(", "))),
            Some(axis) => {
                let words = vec![axes[axis].name.clone(), all[axis].clone()];
                let name = format!("{}: {}", words[0], words[1]);
                (words, name)
            }
        }
    };
    combinations.iter().map(of).unzip()
}

/// Reads what refers to the axes.
struct Reader<'d, 'i> {
    doc: &'d Document<'i>,
    axes: &'d [Axis<'i>],
    problems: Vec<Problem>,
}

impl Reader<'_, '_> {
    fn say(&mut self, path: &KeyPath, what: impl Into<String>, right: impl Into<String>) {
        self.problems.push(self.doc.problem(path, what, right));
    }

    fn show(&mut self, typed: &[String]) -> Vec<Formula> {
        let mut found = Vec::new();
        for (n, text) in typed.iter().enumerate() {
            let path = key!["matrix", "show", n];
            match Formula::parse(text) {
                Ok(formula) => found.push(formula),
                Err(ThresholdError::NoFigure { right, .. }) => {
                    self.say(&path, format!("the summary has no figure `{text}`"), right);
                }
                Err(error) => {
                    let told = error.to_string();
                    let (what, right) = told.rsplit_once("; ").unwrap_or((&told, ""));
                    self.say(&path, what, right);
                }
            }
        }
        found
    }

    fn bounds(&mut self, section: &MatrixSection) {
        let repeats = section.repeats.0;
        if !(1..=MOST_RUNS as u64).contains(&repeats) {
            let right = format!("1 to {MOST_RUNS} runs of each variant");
            self.say(&key!["matrix", "repeats"], format!("{repeats} is no number of runs"), right);
        }
    }

    /// The baseline: the first value of each axis, unless another is named.
    fn baseline(&mut self, matrix: &Tree<'_>) -> Vec<usize> {
        let mut picks = vec![0; self.axes.len()];
        let named = matrix.get("baseline").and_then(|b| b.get_ref().as_table());
        for (key, value) in named.into_iter().flatten() {
            let path = key!["matrix", "baseline"].then(key.get_ref().as_ref());
            let Some(axis) = self.axis(&path, key.get_ref()) else { continue };
            if let Some(pick) = self.value(&path, axis, value.get_ref()) {
                picks[axis] = pick;
            }
        }
        picks
    }

    fn rules(&mut self, matrix: &Tree<'_>) -> Vec<Rule> {
        let mut rules = Vec::new();
        let empty = DeArray::new();
        let listed = matrix.get("leave-out").and_then(|l| l.get_ref().as_array()).unwrap_or(&empty);
        for (n, rule) in listed.iter().enumerate() {
            let path = key!["matrix", "leave-out", n];
            let Some(table) = rule.get_ref().as_table() else { continue };
            if table.is_empty() {
                self.say(&path, "names no axis, and so leaves out everything", "name axes and values");
            }
            let mut read = Rule::new();
            for (key, value) in table {
                let path = path.then(key.get_ref().as_ref());
                let Some(axis) = self.axis(&path, key.get_ref()) else { continue };
                let values = match value.get_ref() {
                    DeValue::Array(items) => {
                        let items = items.iter().enumerate();
                        items.filter_map(|(n, item)| self.value(&path.then(n), axis, item.get_ref())).collect()
                    }
                    one => self.value(&path, axis, one).into_iter().collect(),
                };
                read.push((axis, values));
            }
            rules.push(read);
        }
        rules
    }

    /// An axis by its name, or by the one key it sets.
    fn axis(&mut self, path: &KeyPath, name: &str) -> Option<usize> {
        let by_name = self.axes.iter().position(|axis| axis.name == name);
        let found = by_name.or_else(|| self.axes.iter().position(|axis| axis.keys() == [name]));
        if found.is_none() {
            let right = suggest(name, self.axes.iter().map(|axis| axis.name.as_str()));
            self.say(path, format!("there is no axis `{name}`"), right);
        }
        found
    }

    fn value(&mut self, path: &KeyPath, axis: usize, value: &DeValue<'_>) -> Option<usize> {
        let name = names::words(value);
        let values = &self.axes[axis].values;
        let found = values.iter().position(|value| value.name == name);
        if found.is_none() {
            let right = suggest(&name, values.iter().map(|value| value.name.as_str()));
            self.say(path, format!("`{}` has no value `{name}`", self.axes[axis].name), right);
        }
        found
    }

    fn combinations(
        &mut self,
        section: &MatrixSection,
        sizes: &[usize],
        baseline: &[usize],
        rules: &[Rule],
    ) -> Vec<Vec<usize>> {
        if sizes.contains(&0) || !self.problems.is_empty() {
            return Vec::new();
        }
        let whole = key!["matrix"];
        let found = match section.combine {
            Combine::OneAtATime => combine::one_at_a_time(sizes, baseline, rules),
            Combine::All => {
                let all = sizes.iter().try_fold(1_usize, |all, size| all.checked_mul(*size));
                if all.is_none_or(|all| all > MOST_COMBINATIONS) {
                    let what = format!("there are more than {MOST_COMBINATIONS} combinations");
                    self.say(&whole, what, "vary less, or write combine = \"one-at-a-time\"");
                    return Vec::new();
                }
                combine::all(sizes, rules)
            }
        };
        let runs = found.len().saturating_mul(usize::try_from(section.repeats.0).unwrap_or(usize::MAX));
        if !found.iter().any(|combination| combination == baseline) {
            self.say(&whole, "the baseline is left out", "name another with `baseline`, or leave out less");
        } else if found.len() > MOST_VARIANTS {
            let what = format!("there are {} variants", found.len());
            self.say(
                &whole,
                what,
                format!("at most {MOST_VARIANTS}: vary less, leave more out, or write combine = \"one-at-a-time\""),
            );
        } else if runs > MOST_RUNS {
            let what = format!("{} runs of each of {} variants are {runs} runs", section.repeats.0, found.len());
            self.say(&key!["matrix", "repeats"], what, format!("at most {MOST_RUNS} in all"));
        }
        found
    }
}
