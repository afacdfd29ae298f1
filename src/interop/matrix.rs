//! The matrix: every scenario played for every family.

use std::time::Duration;

use rustls::pki_types::UnixTime;
use tokio::runtime::Runtime;

use super::bench::Bench;
use super::lab::{Ground, Lab, LabError};
use super::scenarios::all;
use super::{Cell, Subject};
use crate::auth::AnswerScheme;
use crate::phone::{Failure, Fault};

/// Every scenario played for every family, and what the server is.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// The server's URL.
    pub target: String,
    /// Every family, in the order of the columns.
    pub columns: Vec<Column>,
    /// What keeps every phone from a request, if something does, and what is said of it.
    pub blocked: Option<(Failure, String)>,
    /// Names of our own that are still on the server.
    pub litter: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// One family's column.
#[derive(Clone, Debug)]
pub struct Column {
    /// The family's name.
    pub family: String,
    /// The schemes the server offers it, in order.
    pub offers: Vec<String>,
    /// With which it answers.
    pub answers: Option<AnswerScheme>,
    /// The server's realm, as this family sees it.
    pub realm: Option<String>,
    /// The realm its phones are said to have stored; none if nobody said.
    pub stored_realm: Option<String>,
    /// The cells, by the scenario's key, in the order of the rows.
    pub cells: Vec<(&'static str, Cell)>,
}

impl Matrix {
    /// Plays every scenario for every family, one phone at a time, and cleans up. `progress` is told what is played.
    ///
    /// # Errors
    /// [`LabError`] if nothing can be played: settings a family does not take, TLS settings that do not do.
    pub fn play(
        ground: &Ground,
        subjects: &[Subject],
        runtime: &Runtime,
        clock: Clock,
        mut progress: impl FnMut(&str, &str),
    ) -> Result<Matrix, LabError> {
        let began = clock.elapsed();
        let lab = Lab::new(ground, runtime, clock.now)?;
        let mut columns = Vec::new();
        for subject in subjects {
            let bench = Bench::new(&lab, subject)?;
            let mut cells = Vec::new();
            for scenario in all() {
                progress(subject.registration.name, scenario.about);
                cells.push((scenario.key, scenario.play(&bench)?));
            }
            progress(subject.registration.name, "cleaning up");
            bench.clean();
            let name_of = super::scenarios::name_of;
            columns.push(Column {
                family: subject.registration.name.to_owned(),
                offers: bench.challenges().unwrap_or_default().iter().map(name_of).collect(),
                answers: bench.would_answer(),
                realm: bench.subject.server_realm.clone(),
                stored_realm: subject.realm.clone(),
                cells,
            });
        }
        let blocked = lab.blocked().map(|failure| (failure, words_of(&lab)));
        let target = format!("{}{}", ground.origin, ground.base);
        Ok(Matrix { target, columns, blocked, litter: lab.litter(), took: clock.elapsed().saturating_sub(began) })
    }

    /// The cell of a family and a scenario.
    pub fn cell(&self, family: &str, key: &str) -> Option<&Cell> {
        self.columns.iter().find(|c| c.family == family)?.cell(key)
    }
}

/// What the time is, and how long it has been.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// For certificates.
    pub now: UnixTime,
    /// For how long it took.
    pub began: std::time::Instant,
}

impl Clock {
    fn elapsed(self) -> Duration {
        self.began.elapsed()
    }
}

impl Column {
    /// The cell of a scenario.
    pub fn cell(&self, key: &str) -> Option<&Cell> {
        self.cells.iter().find(|(k, _)| *k == key).map(|(_, cell)| cell)
    }
}

/// What is wrong with the way to the server, in words.
fn words_of(lab: &Lab<'_>) -> String {
    let judged = lab.judged.as_ref();
    let said = judged.and_then(|j| {
        let parts = [Some(&j.trusted), j.valid_now.as_ref(), j.names_it.as_ref()];
        parts.into_iter().flatten().find_map(|part| part.as_ref().err().cloned())
    });
    let words = said.or_else(|| lab.tls.as_ref().map(|seen| seen.words.clone()).filter(|w| !w.is_empty()));
    words.unwrap_or_else(|| lab.ground.addresses_in_words())
}

impl Ground {
    fn addresses_in_words(&self) -> String {
        let addresses: Vec<_> =
            self.addresses.of(&self.origin).unwrap_or_default().iter().map(ToString::to_string).collect();
        format!("tried {}", addresses.join(", "))
    }
}

/// Whose fault, in words for a sentence.
pub(super) fn whose(fault: Fault) -> &'static str {
    match fault {
        Fault::Server => "the server's side",
        Fault::Phone => "the phone's side",
        Fault::Network => "the network between them",
        Fault::Generator => "this machine",
        Fault::None => "nobody's fault",
    }
}
