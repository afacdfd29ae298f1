//! Files: stored, fetched, missing, large, in the wrong place.

use bytes::Bytes;
use http::{Method, StatusCode};
use toml::Table;

use super::super::act::Act;
use super::super::bench::Bench;
use super::super::lab::LabError;
use super::super::scenario::{Need, Play, Scenario, stored, with_person};
use super::super::subject::USUAL_BODY;
use super::super::{Cell, Exchange, Player, Stored, Tamper, Transcript};
use crate::phone::{BodyFacts, Operation, Outcome};

const UNTOUCHED: Tamper = Tamper { request: None, answer: None };
/// More than any phone sends, and than some servers take by default.
const LARGE: u32 = 2 * 1024 * 1024;
/// A folder of ours that is not there.
const FOLDER: &str = "bootstorm-interop";

const STORES: &[Need] = &[Need::Connection, Need::Stores];

const fn plays(acts: &'static [Act], body: u32, judge: fn(&Bench<'_>, &Transcript) -> Cell) -> Play {
    Play::Phone { stored: Stored::Right, body, tamper: UNTOUCHED, acts, judge }
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        key: "files.settings",
        about: "upgrade and settings files at boot",
        needs: &[Need::Connection, Need::Restores],
        play: plays(&[Act::PowerUp], USUAL_BODY, settings),
        users: "the phone boots with the settings it had, and tries again every 15 minutes",
        change: "put both files where the phones look, readable without credentials",
    },
    Scenario {
        key: "files.profile",
        about: "a profile under the phone's own name",
        needs: &[Need::Connection, Need::DoesNotRestore],
        play: Play::Own(profile),
        users: "the phone gets no profile, and tries again after 60, 120, 240 s",
        change: "let the account read the folder of the profiles",
    },
    Scenario {
        key: "files.first-upload",
        about: "first upload of the phone's own file",
        needs: STORES,
        play: Play::Own(first),
        users: "nothing is backed up or reported; the phone itself goes on working",
        change: "let the account write in that folder",
    },
    Scenario {
        key: "files.overwrite",
        about: "the same uploaded again (overwrite)",
        needs: STORES,
        play: plays(&[Act::Store, Act::TypeRight, Act::Store], USUAL_BODY, stored),
        users: "only the first upload is kept; later changes are lost",
        change: "let files be overwritten",
    },
    Scenario {
        key: "files.put",
        about: "report by PUT (HTTP_Report_Method)",
        needs: &[Need::Connection, Need::Stores, Need::Family("cisco-mpp")],
        play: Play::Own(by_put),
        users: "no report arrives, by PUT either",
        change: "let the account write in that folder",
    },
    Scenario {
        key: "files.restore",
        about: "what was stored comes back, octet for octet",
        needs: &[Need::Connection, Need::Restores],
        play: plays(&[Act::Store, Act::TypeRight, Act::Fetch], USUAL_BODY, restored),
        users: "contacts and options are not what they were",
        change: "let the account read what it wrote",
    },
    Scenario {
        key: "files.nothing",
        about: "own file not there yet: told by 404",
        needs: &[Need::Connection],
        play: Play::Own(nothing),
        users: "a phone without a file takes an error, or a page, for one",
        change: "answer 404 to what is not there",
    },
    Scenario {
        key: "files.wrong-url",
        about: "wrong URL: told by 404",
        needs: &[Need::Connection],
        play: Play::Own(wrong_url),
        users: "a phone with a wrong URL takes an error, or a page, for its file",
        change: "answer 404 to what is not there, without a catch-all page",
    },
    Scenario {
        key: "files.missing-folder",
        about: "upload into a folder that is missing",
        needs: STORES,
        play: Play::Own(missing_folder),
        users: "nothing is backed up or reported until somebody makes the folder",
        change: "make the folder by hand (nginx: or create_full_put_path on)",
    },
    Scenario {
        key: "files.large",
        about: "upload of 2 MiB (phones send up to about 60 KB)",
        needs: STORES,
        play: plays(&[Act::Store, Act::TypeRight], LARGE, stored),
        users: "nothing in ordinary life: no phone sends that much",
        change: "raise the body limit if other devices share the server",
    },
];

fn settings(_: &Bench<'_>, transcript: &Transcript) -> Cell {
    match transcript.outcomes(Operation::Resync).next() {
        Some(outcome) => Cell::ended(outcome),
        None => Cell::none("the phone fetched nothing"),
    }
}

fn restored(bench: &Bench<'_>, transcript: &Transcript) -> Cell {
    if let Some(cell @ Cell::Fails { .. }) = Some(stored(bench, transcript)) {
        let Cell::Fails { why, .. } = cell else { return cell };
        return Cell::none(format!("nothing could be stored: {why}"));
    }
    match transcript.outcomes(Operation::Restore).last() {
        Some(outcome) => with_person(Cell::ended(outcome), transcript),
        None => Cell::none("the phone restored nothing"),
    }
}

fn play_store(bench: &Bench<'_>, changes: &Table) -> Result<Transcript, LabError> {
    bench.play(Stored::Right, changes, USUAL_BODY, UNTOUCHED, |player: &mut Player<'_>| {
        bench.act(player, Act::Store);
        bench.act(player, Act::TypeRight);
    })
}

fn first(bench: &Bench<'_>) -> Result<Cell, LabError> {
    if let Some(path) = bench.habits.stores.and_then(|operation| bench.own_path(operation, &Table::new())) {
        bench.remove(&path);
    }
    Ok(stored(bench, &play_store(bench, &Table::new())?))
}

fn by_put(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let mut changes = Table::new();
    changes.insert("http-report-method".into(), "PUT".into());
    Ok(stored(bench, &play_store(bench, &changes)?))
}

fn profile(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let Some(path) = bench.own_path(bench.habits.fetches, &Table::new()) else {
        return Ok(Cell::none("these phones fetch nothing"));
    };
    let content = Bytes::from_static(b"<device><flat-profile></flat-profile></device>\n");
    let put = bench.request(Method::PUT, &path, Vec::new(), content.clone());
    let made = bench.ask_as_account(&put, None);
    if !made.status().is_some_and(|s| s.is_success()) {
        return Ok(Cell::none(format!("no profile can be put there to be fetched: {}", made.ending())));
    }
    let transcript =
        bench.play(Stored::Right, &Table::new(), USUAL_BODY, UNTOUCHED, |player| bench.act(player, Act::Fetch))?;
    let last = transcript.exchanges().last().and_then(|e| e.answer.as_ref()).map(|a| a.body);
    Ok(match transcript.outcomes(bench.habits.fetches).last() {
        Some(Outcome::Ok) if last == Some(BodyFacts::of(&content)) => Cell::WORKS,
        Some(Outcome::Ok) => Cell::ended(Outcome::ContentMismatch),
        Some(outcome) => Cell::ended(outcome),
        None => Cell::none("the phone fetched nothing"),
    })
}

fn nothing(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let own = bench.own_path(bench.habits.fetches, &Table::new());
    if own.is_some_and(|path| !bench.remove(&path)) {
        return Ok(Cell::none("a file of an earlier time lies there and cannot be deleted"));
    }
    told_by_404(bench, &Table::new())
}

fn wrong_url(bench: &Bench<'_>) -> Result<Cell, LabError> {
    match bench.subject.moved(|knobs| knobs.fetch, &format!("{FOLDER}-no-such-folder")) {
        Some(changes) => told_by_404(bench, &changes),
        None => Ok(Cell::none("these phones' paths cannot be moved")),
    }
}

/// Fetches what is not there; the last answer must be 404.
fn told_by_404(bench: &Bench<'_>, changes: &Table) -> Result<Cell, LabError> {
    let transcript = bench.play(Stored::Right, changes, USUAL_BODY, UNTOUCHED, |player| {
        player.act(bench.habits.fetch);
        bench.act(player, Act::TypeRight);
    })?;
    Ok(match transcript.exchanges().last() {
        Some(last) if last.status() == Some(StatusCode::NOT_FOUND) => with_person(Cell::WORKS, &transcript),
        Some(last) => unlike_404(last, &transcript),
        None => Cell::none("the phone sent nothing"),
    })
}

fn unlike_404(last: &Exchange, transcript: &Transcript) -> Cell {
    match (last.failure(), last.status()) {
        (Some(failure), _) => Cell::failed(failure),
        (None, Some(StatusCode::UNAUTHORIZED)) => transcript
            .actions()
            .filter_map(|a| match a {
                crate::phone::Action::Finished(_, outcome) => Some(*outcome),
                _ => None,
            })
            .last()
            .map_or(Cell::status(StatusCode::UNAUTHORIZED), Cell::ended),
        (None, Some(status)) => Cell::status(status),
        (None, None) => Cell::server("no-answer"),
    }
}

fn missing_folder(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let folder = format!("{FOLDER}-{}", bench.subject.extension);
    let Some(changes) = bench.subject.moved(|knobs| knobs.upload, &folder) else {
        return Ok(Cell::none("these phones' paths cannot be moved"));
    };
    let transcript = play_store(bench, &changes)?;
    let cell = stored(bench, &transcript);
    let own = bench.habits.stores.and_then(|operation| bench.own_path(operation, &changes));
    if let (Some(path), false) = (own, cell.is_failure()) {
        let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
        bench.note_litter(&format!("{}{folder}/", bench.lab.ground.base));
    }
    Ok(cell)
}
