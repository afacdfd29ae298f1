//! Challenges, answers and screens: what signing in came to.

use super::markup::Markup;
use super::table::{Cell, table};
use super::{Run, facts, lead, nothing, share, words};
use crate::phone::{ChallengeKind, Screen};
use crate::report::number::{count, figure};
use crate::report::summary::Named;

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let a = &run.summary.auth;
    let [challenges, answers, shown]: [u64; 3] = [&a.challenges, &a.answers, &a.prompts].map(|n| n.values().sum());
    if challenges + answers + shown == 0 {
        return nothing(m, "The server never asked for credentials, and no phone sent any.");
    }
    let rate = figure(a.retry_rate);
    lead(m, &format!("{rate} exchanges were sent again to answer a challenge, for each operation that began."));
    if challenges > 0 {
        let rows: Vec<_> = ChallengeKind::ALL
            .into_iter()
            .map(|kind| {
                let mut row = counted(kind.name(), &a.challenges, challenges);
                row.push(Cell::words(words::challenge(kind.name())));
                row
            })
            .collect();
        table(m, "ledger told", "Challenges by kind", &["challenge", "#times", "#share", "=", "what it is"], &rows);
    }
    if answers > 0 {
        let mut sorted: Vec<_> = a.answers.iter().filter(|(_, n)| **n > 0).collect();
        sorted.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), *name));
        let rows: Vec<_> = sorted.into_iter().map(|(name, _)| counted(name, &a.answers, answers)).collect();
        table(m, "ledger", "Answers by scheme", &["scheme", "#times", "#share", "="], &rows);
    }
    if shown > 0 {
        let rows: Vec<_> = Screen::ALL
            .into_iter()
            .filter(|screen| a.prompts.get(screen.name()).is_some_and(|n| *n > 0))
            .map(|screen| {
                let mut row = counted(screen.name(), &a.prompts, shown);
                row.push(Cell::words(format!("“{}”", screen.title())));
                row
            })
            .collect();
        table(
            m,
            "ledger told",
            "Screens that wait for a person",
            &["screen", "#times", "#share", "=", "it says"],
            &rows,
        );
    }
    let typed = (a.typed.right + a.typed.wrong > 0)
        .then(|| [("typed right", count(a.typed.right)), ("typed wrong", count(a.typed.wrong))]);
    let stored = (a.stored > 0).then(|| ("stored credentials or realm replaced", count(a.stored)));
    let waiting = (shown > 0).then(|| ("phones at a screen at the end", count(run.summary.phones.prompting)));
    facts(m, waiting.into_iter().chain(typed.into_iter().flatten()).chain(stored));
}

/// A name, how often, and which share of all that is.
fn counted(name: &str, of: &Named, all: u64) -> Vec<Cell> {
    let n = of.get(name).copied().unwrap_or(0);
    let bar = Cell::Share(n as f64 / all.max(1) as f64);
    vec![Cell::head(name), Cell::number(count(n)), Cell::number(share(n, all)), bar]
}
