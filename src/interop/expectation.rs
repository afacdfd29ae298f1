//! What was expected of a server, kept as a file, and how it differs from what was found.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Matrix;

/// What a server is expected to do, by family and scenario. A TOML file a person may write or mend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// By family.
    pub family: BTreeMap<String, Expected>,
}

/// What is expected for one family.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The server's realm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The schemes it offers, in order.
    pub offers: Vec<String>,
    /// Scenario to cell, as `works`, `works, with a person (screen)`, `fails (why; whose)` or `not applicable`.
    pub cells: BTreeMap<String, String>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The family.
    pub family: String,
    /// The scenario, `realm` or `offers`.
    pub what: String,
    /// As expected.
    pub expected: String,
    /// As found.
    pub found: String,
}

/// A file that is no expectation.
#[derive(Debug, thiserror::Error)]
#[error("{0}; write it anew with --write-expectation FILE")]
pub struct NoExpectation(#[from] toml::de::Error);

impl Expectation {
    /// What was found, as what is expected from now on.
    pub fn of(matrix: &Matrix) -> Expectation {
        let family = matrix.columns.iter().map(|column| {
            let cells = column.cells.iter().map(|(key, cell)| ((*key).to_owned(), cell.to_string())).collect();
            (column.family.clone(), Expected { realm: column.realm.clone(), offers: column.offers.clone(), cells })
        });
        Expectation { family: family.collect() }
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// [`NoExpectation`] with line and key.
    pub fn parse(text: &str) -> Result<Expectation, NoExpectation> {
        Ok(toml::from_str(text)?)
    }

    /// The file's text.
    ///
    /// # Errors
    /// If it cannot be written as TOML, which it always can.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        let head = "# What `bootstorm interop` found; `bootstorm interop --expect` ends with 98 when it finds anything else.\n\n";
        Ok(format!("{head}{}", toml::to_string_pretty(self)?))
    }

    /// Everything in which what was found differs. What the file does not name is not compared, so that a new version
    /// with more scenarios does not fail an old file; but a family it names must have been played.
    pub fn differences(&self, matrix: &Matrix) -> Vec<Difference> {
        let found = Expectation::of(matrix);
        let mut out = Vec::new();
        for (family, expected) in &self.family {
            let Some(found) = found.family.get(family) else {
                out.push(difference(family, "family", "played", "not played"));
                continue;
            };
            if expected.realm != found.realm {
                let shown = |realm: &Option<String>| realm.as_ref().map_or("none".to_owned(), |r| format!("{r:?}"));
                out.push(difference(family, "realm", &shown(&expected.realm), &shown(&found.realm)));
            }
            if expected.offers != found.offers {
                out.push(difference(family, "offers", &expected.offers.join(", "), &found.offers.join(", ")));
            }
            for (key, cell) in &expected.cells {
                match found.cells.get(key) {
                    Some(now) if now == cell => {}
                    Some(now) => out.push(difference(family, key, cell, now)),
                    None => out.push(difference(family, key, cell, "no such scenario")),
                }
            }
        }
        out
    }
}

fn difference(family: &str, what: &str, expected: &str, found: &str) -> Difference {
    Difference { family: family.into(), what: what.into(), expected: expected.into(), found: found.into() }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { family, what, expected, found } = self;
        write!(f, "{family}, {what}: expected {expected}, found {found}")
    }
}
