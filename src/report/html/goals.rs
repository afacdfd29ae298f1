//! The workload's thresholds: what was asked of this run, and whether it held.

use super::markup::Markup;
use super::{Run, lead, nothing};
use crate::workload::Judgement;

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let thresholds = &run.summary.thresholds;
    if thresholds.is_empty() {
        return nothing(m, "The workload sets no thresholds: nothing was asked of this run.");
    }
    let crossed = thresholds.iter().filter(|t| t.crossed()).count();
    lead(
        m,
        &match crossed {
            _ if thresholds.iter().all(|t| t.judgement == Judgement::NotJudged) => {
                "Not judged: the run did not come to its end.".to_owned()
            }
            0 if thresholds.len() == 1 => "The workload's one threshold holds.".to_owned(),
            0 => format!("All {} thresholds hold.", thresholds.len()),
            n => format!("{n} of {} crossed.", super::plural(thresholds.len() as u64, "threshold", "thresholds")),
        },
    );
    let name =
        [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", "What was asked of this run")];
    m.within("div", &name, |m| {
        m.within("table", &[("class", "goals")], |m| {
            m.leaf("caption", &[], "What was asked of this run");
            m.within("thead", &[], |m| {
                m.within("tr", &[], |m| {
                    m.leaf("th", &[("scope", "col")], "threshold");
                    m.leaf("th", &[("scope", "col"), ("class", "n")], "it is");
                    m.leaf("th", &[("scope", "col")], "held");
                });
            });
            m.within("tbody", &[], |m| {
                for threshold in thresholds {
                    m.within("tr", &[], |m| {
                        m.within("th", &[("scope", "row")], |m| m.leaf("code", &[], &threshold.text));
                        m.leaf("td", &[("class", "n")], &threshold.told());
                        let (class, word) = match threshold.judgement {
                            Judgement::NotJudged => ("", "not judged"),
                            _ if threshold.pass => ("good", "✓ pass"),
                            _ => ("bad", "✕ fail"),
                        };
                        m.within("td", &[], |m| m.leaf("span", &[("class", &format!("chip {class}"))], word));
                    });
                }
            });
        });
    });
}
