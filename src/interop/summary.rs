//! The matrix in plain language: what users of each phone would see, and what to change on the server.

use super::matrix::{Column, whose};
use super::scenarios::{GROUPS, all};
use super::{Cell, Matrix, Scenario, advice};

/// The summary, a sentence or two a line.
pub fn of(matrix: &Matrix) -> Vec<String> {
    if let Some((failure, words)) = &matrix.blocked {
        let demanded =
            matrix.columns.iter().filter_map(|c| c.cell("tls.client-certificate")).find_map(|cell| match cell {
                Cell::Fails { why, .. } => advice::of_word(why),
                _ => None,
            });
        return vec![
            format!("No phone of any family gets as far as a request: {} ({words}).", failure.name()),
            format!("To change: {}.", demanded.unwrap_or(advice::of_failure(*failure))),
        ];
    }
    let mut out = Vec::new();
    for column in &matrix.columns {
        users(column, &mut out);
    }
    changes(matrix, &mut out);
    for path in &matrix.litter {
        if path.ends_with('/') {
            out.push(format!("An empty folder of ours may be left on the server: {path}. It may be deleted."));
            continue;
        }
        out.push(format!("Left on the server, because it could not be deleted: {path}. Delete it by hand."));
    }
    out
}

fn users(column: &Column, out: &mut Vec<String>) {
    let family = &column.family;
    let who = |words: &str| format!("Users of {family}: {words}");
    if let (Some(stored), Some(realm)) = (&column.stored_realm, &column.realm)
        && stored != realm
    {
        out.push(who(&format!(
            "the phones have stored realm {stored:?}; the server's realm is {realm:?}. Phones that compare the two \
             do not answer by themselves."
        )));
    }
    match column.cell("sign-in.right") {
        Some(Cell::Works { .. }) => {
            let by = column.answers.map_or_else(String::new, |scheme| format!(" with {}", scheme.name()));
            out.push(who(&format!("a phone with the right credentials gets in by itself{by}.")));
        }
        Some(Cell::Person { screen }) => out.push(who(&format!(
            "everybody must type once: the phone shows its {screen} screen although its credentials are right."
        ))),
        Some(Cell::Fails { why, .. }) => {
            out.push(who(&format!("nobody gets in, even with the right credentials ({why}).")));
        }
        Some(Cell::NotApplicable { reason }) => out.push(who(&format!("nobody signs in: {reason}."))),
        None => {}
    }
    let screens = ["sign-in.null", "sign-in.other-realm", "sign-in.wrong"].into_iter().filter_map(|key| {
        let Cell::Person { .. } = column.cell(key)? else { return None };
        Some(all().find(|s| s.key == key)?.about)
    });
    let screens: Vec<_> = screens.collect();
    if !screens.is_empty() {
        out.push(who(&format!("a person must type, and then it works, when: {}.", screens.join("; "))));
    }
    for (why, rows) in failures(column) {
        let Some((first, others)) = rows.split_first() else { continue };
        let others = match others.len() {
            0 => String::new(),
            _ => format!(" The same goes for: {}.", others.iter().map(|s| s.about).collect::<Vec<_>>().join("; ")),
        };
        out.push(who(&format!("{} -- {} ({why}).{others}", first.users, first.about)));
    }
}

/// What fails, and why, each reason once with all its rows; but for signing in with the right credentials, of which
/// there is a sentence already.
fn failures(column: &Column) -> Vec<(String, Vec<&'static Scenario>)> {
    let mut out: Vec<(String, Vec<&'static Scenario>)> = Vec::new();
    for (key, cell) in &column.cells {
        let Cell::Fails { why, fault } = cell else { continue };
        let Some(scenario) = all().find(|s| s.key == *key && s.key != "sign-in.right") else { continue };
        let why = format!("{why}, {}", whose(*fault));
        match out.iter_mut().find(|(known, _)| *known == why) {
            Some((_, rows)) => rows.push(scenario),
            None => out.push((why, vec![scenario])),
        }
    }
    out
}

/// What to change, each thing once, with the rows it would turn.
fn changes(matrix: &Matrix, out: &mut Vec<String>) {
    let mut advised: Vec<(String, Vec<&str>)> = Vec::new();
    let mut advise = |what: String, about: &'static str| match advised.iter_mut().find(|(known, _)| *known == what) {
        Some((_, rows)) if rows.contains(&about) => {}
        Some((_, rows)) => rows.push(about),
        None => advised.push((what, vec![about])),
    };
    for column in &matrix.columns {
        if let (Some(stored), Some(realm), Some(Cell::Person { .. })) =
            (&column.stored_realm, &column.realm, column.cell("sign-in.right"))
            && stored != realm
        {
            advise(
                format!("name the realm {stored:?} again, as the phones have it"),
                "stored credentials and realm are right",
            );
        }
    }
    for scenario in GROUPS.iter().flat_map(|group| group.scenarios) {
        for column in &matrix.columns {
            if let Some(Cell::Fails { why, .. }) = column.cell(scenario.key) {
                if scenario.change.starts_with("nothing") {
                    continue;
                }
                // Of TLS the row says more than the failure; of all else the failure.
                let by_failure = advice::of_word(why).filter(|_| !scenario.key.starts_with("tls."));
                advise(by_failure.unwrap_or(scenario.change).to_owned(), scenario.about);
            }
        }
    }
    if advised.is_empty() {
        out.push("To change on the server: nothing.".to_owned());
    }
    for (what, rows) in advised {
        out.push(format!("To change on the server: {what}. For: {}.", rows.join("; ")));
    }
}
