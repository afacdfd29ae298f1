//! The matrix for programs.

use serde_json::{Value, json};

use super::scenarios::GROUPS;
use super::{Cell, Matrix, summary};

impl Matrix {
    /// Everything as JSON: a contract, keys only added.
    pub fn to_json(&self) -> Value {
        let rows = GROUPS.iter().flat_map(|group| {
            group.scenarios.iter().map(move |scenario| {
                let cells: serde_json::Map<_, _> = self
                    .columns
                    .iter()
                    .filter_map(|c| Some((c.family.clone(), cell_json(c.cell(scenario.key)?))))
                    .collect();
                json!({ "key": scenario.key, "group": group.title, "about": scenario.about, "cells": cells })
            })
        });
        let families = self.columns.iter().map(|c| {
            json!({ "name": c.family, "offers": c.offers, "answers": c.answers.map(|a| a.name()),
                "realm": c.realm, "stored_realm": c.stored_realm })
        });
        json!({
            "schema_version": 1,
            "target": self.target,
            "blocked": self.blocked.as_ref().map(|(failure, words)| json!({ "why": failure.name(), "words": words })),
            "families": families.collect::<Vec<_>>(),
            "rows": rows.collect::<Vec<_>>(),
            "summary": summary::of(self),
            "left_on_server": self.litter,
        })
    }
}

fn cell_json(cell: &Cell) -> Value {
    let mut value = json!({ "state": cell.state() });
    match cell {
        Cell::Works { note } => value["note"] = json!(note),
        Cell::Person { screen } => value["screen"] = json!(screen),
        Cell::Fails { why, fault } => {
            value["why"] = json!(why);
            value["fault"] = json!(fault.name());
        }
        Cell::NotApplicable { reason } => value["reason"] = json!(reason),
    }
    value
}
