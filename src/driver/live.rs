//! What is known of a run while it runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::metrics::{GeneratorFacts, MachineSample, Tally};

/// What is known of a run while it runs, for whoever watches. Clones share one state.
#[derive(Clone, Debug)]
pub struct Live(Arc<Mutex<Known>>);

/// What is known by now.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Until when, since the run began: the end of the last slice that all shards have passed.
    pub until: Duration,
    /// What all shards counted until then. Its intervals get coarser as the run gets longer.
    pub tally: Tally,
    /// The last look at the machine; none in the first second.
    pub machine: Option<MachineSample>,
    /// What the run has cost the generator so far.
    pub generator: GeneratorFacts,
}

/// Most intervals kept while a run runs: seconds for a quarter of an hour, and coarser from there on.
const INTERVALS: usize = 1024;

impl Default for Live {
    fn default() -> Self {
        let tally = Tally { intervals: crate::metrics::Intervals::with_most(INTERVALS), ..Tally::default() };
        Live(Arc::new(Mutex::new(Known { tally, ..Known::default() })))
    }
}

impl Live {
    /// What is known by now. While this is held the journal waits: copy what is needed and let go.
    pub fn known(&self) -> MutexGuard<'_, Known> {
        // Whoever panicked in the midst of reading has changed nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
