//! The keeper: a thread beside the shards that writes the journal and looks at the machine.
//!
//! Shards hand it their slices as they end ([`Pen`]); no shard ever waits for a disk.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use tokio::time::Instant;

use super::Live;
use super::assembly::Assembly;
use super::monitor::{self, Circumstances, Monitor, ThreadClock};
use super::ports::Connections;
use crate::metrics::journal::{Closing, Entry, Header, Writer};
use crate::metrics::{Distribution, GeneratorFacts, MachineSample, Marks, Slice, TargetUse, TargetWatch};

/// Where a journal goes.
pub trait Durable: Write + Send {
    /// Returns when what was written will survive the machine.
    ///
    /// # Errors
    /// If that cannot be had.
    fn sync(&mut self) -> io::Result<()>;
}

impl Durable for std::fs::File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// The journal could not be written to its end. It reads up to there; the run went on.
#[derive(Debug, thiserror::Error)]
#[error("the journal could not be written any further {:.1} s after the run began ({reason})", .after.as_secs_f64())]
pub struct JournalError {
    /// When that was, since the run began.
    pub after: Duration,
    /// What the system said.
    pub reason: io::Error,
}

/// What a shard tells the keeper.
#[derive(Debug)]
pub(super) struct Told {
    shard: usize,
    what: What,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a few a second")]
enum What {
    /// It runs on this thread (its number with the system).
    Runs(i32),
    Passed(Passed),
    Ended(ThreadClock),
}

/// What a shard has closed, and what that cost.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Everything before this slice is closed.
    pub(super) until: u64,
    /// What has not been told yet.
    pub(super) slices: Vec<Slice>,
    /// How late the loop came, since it last told.
    pub(super) lag: Distribution,
    /// CPU time of the thread since the run began.
    pub(super) cpu: Duration,
    pub(super) connections: Connections,
}

/// By which a shard tells the keeper. When it is dropped, the shard has ended; its own thread must do that.
#[derive(Debug)]
pub(super) struct Pen {
    shard: usize,
    keeper: Sender<Told>,
}

impl Pen {
    pub(super) fn new(shard: usize, keeper: Sender<Told>) -> Pen {
        Pen { shard, keeper }
    }

    /// The shard runs on this thread.
    pub(super) fn runs_here(&self) {
        if let Some(thread) = monitor::own_thread() {
            self.tell(What::Runs(thread));
        }
    }

    pub(super) fn passed(&self, passed: Passed) {
        self.tell(What::Passed(passed));
    }

    fn tell(&self, what: What) {
        // Without a keeper there is nobody to tell; the run finds out at its end.
        let _ = self.keeper.send(Told { shard: self.shard, what });
    }
}

impl Drop for Pen {
    fn drop(&mut self) {
        self.tell(What::Ended(ThreadClock::own()));
    }
}

/// Writes the journal, adds up what is known, looks at the machine.
pub(super) struct Keeper {
    circumstances: Circumstances,
    journal: Option<Writer<Box<dyn Durable>>>,
    error: Option<JournalError>,
    live: Live,
    assembly: Assembly,
    monitor: Monitor,
    target: Option<TargetWatch>,
    cpu: Vec<Duration>,
    connections: Vec<Connections>,
    marks: Marks,
    /// Cores this process may use at once.
    cores: usize,
    /// Since the run began.
    at: Duration,
}

impl Keeper {
    /// Begins the journal, if there is one to be written.
    pub(super) fn begin(
        circumstances: Circumstances,
        journal: Option<Box<dyn Durable>>,
        header: Header,
        live: Live,
        target: Option<TargetWatch>,
    ) -> Keeper {
        live.known().generator = header.generator.clone();
        let shards = circumstances.shards;
        let mut keeper = Keeper {
            circumstances,
            journal: None,
            error: None,
            live,
            assembly: Assembly::new(shards),
            monitor: Monitor::begin(&circumstances),
            target,
            cpu: vec![Duration::ZERO; shards],
            connections: vec![Connections::default(); shards],
            marks: header.marks,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            at: Duration::ZERO,
        };
        match journal.map(Writer::begin) {
            Some(Ok(journal)) => keeper.journal = Some(journal),
            Some(Err(reason)) => keeper.gave_up(reason),
            None => {}
        }
        keeper.put(&Entry::Header(header));
        keeper
    }

    /// Keeps what the shards tell until the last of them has ended.
    pub(super) fn keep(mut self, began: Instant, told: &Receiver<Told>) -> Keeper {
        loop {
            let next = self.monitor.looked_at() + monitor::EVERY;
            let wait = (began + next).saturating_duration_since(Instant::now());
            let told = told.recv_timeout(wait);
            self.at = began.elapsed();
            match told {
                Ok(told) => self.take_in(told),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.at >= next {
                self.look();
            }
        }
        // A look at less would tell of single ticks of the system's clock.
        if self.at >= self.monitor.looked_at() + monitor::EVERY / 2 {
            self.look();
        } else if self.monitor.looked_at().is_zero() {
            let sample = self.monitor.count(self.at, self.connections());
            self.keep_sample(sample);
        }
        self
    }

    fn take_in(&mut self, told: Told) {
        let shard = told.shard;
        match told.what {
            What::Runs(thread) => self.monitor.watch(shard, thread),
            What::Ended(clock) => {
                self.monitor.ended(shard, clock);
                self.assembly.end(shard);
            }
            What::Passed(passed) => {
                self.cpu[shard] = passed.cpu;
                self.connections[shard] = passed.connections;
                self.live.known().generator.loop_lag.merge(&passed.lag);
                self.assembly.pass(shard, passed.until, passed.slices);
            }
        }
        while let Some(slice) = self.assembly.next() {
            let entry = Entry::Slice(slice);
            self.put(&entry);
            if let Entry::Slice(slice) = entry {
                let mut known = self.live.known();
                known.until = slice.ends();
                known.tally.add(&slice);
            }
        }
    }

    /// Those of all shards.
    fn connections(&self) -> Connections {
        let sum = |count: fn(&Connections) -> u64| self.connections.iter().map(count).sum();
        Connections { open: sum(|c| c.open), opened: sum(|c| c.opened) }
    }

    fn look(&mut self) {
        let sample = self.monitor.look(self.at, self.connections());
        self.keep_sample(sample);
    }

    fn keep_sample(&mut self, mut sample: MachineSample) {
        sample.target = self.target.as_mut().map(|target| target.look(self.at));
        {
            let mut known = self.live.known();
            let generator = &mut known.generator;
            generator.open_files = generator.open_files.max(sample.open_files);
            generator.rss_bytes = generator.rss_bytes.max(sample.rss_bytes);
            add_cpu(generator, &self.cpu, self.at, self.cores);
            known.machine = Some(sample.clone());
        }
        self.put(&Entry::Machine(sample));
    }

    fn put(&mut self, entry: &Entry) {
        if let Some(journal) = &mut self.journal
            && let Err(reason) = journal.put(entry)
        {
            self.gave_up(reason);
        }
    }

    /// What was written so far is whole; the rest of the run is only in this process.
    fn gave_up(&mut self, reason: io::Error) {
        let error = JournalError { after: self.at, reason };
        tracing::warn!(
            "{error}; the run goes on and will be reported, but what happens from here on is lost if it is killed"
        );
        self.journal = None;
        self.error = Some(error);
    }

    /// Ends the journal of a run that came to its end.
    pub(super) fn close(mut self, wall: Duration, interrupted: bool, peak_connections: usize) -> Kept {
        self.at = wall;
        let marks = Marks { partial: interrupted, ..self.marks };
        let generator = {
            let mut known = self.live.known();
            known.until = wall;
            known.tally.until(wall);
            let generator = &mut known.generator;
            add_cpu(generator, &self.cpu, wall, self.cores);
            // Looks once a second may all have missed the most there were.
            let each = if self.circumstances.embedded { 2 } else { 1 };
            let files = self.monitor.files_before() + peak_connections as u64 * each;
            generator.open_files = generator.open_files.max(files);
            generator.rss_bytes = generator.rss_bytes.max(monitor::peak_rss());
            generator.clone()
        };
        let wall_us = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX);
        let target = self.target.as_mut().map(|target| target.look(wall));
        self.put(&Entry::Closing(Closing { wall_us, marks, generator, target }));
        if let Some(mut journal) = self.journal.take().map(Writer::into_inner)
            && let Err(reason) = journal.sync()
        {
            self.gave_up(reason);
        }
        Kept { error: self.error, marks, target }
    }
}

/// What the keeper leaves, besides what is known by then.
pub(super) struct Kept {
    pub(super) error: Option<JournalError>,
    pub(super) marks: Marks,
    pub(super) target: Option<TargetUse>,
}

/// The share of the time the shards' threads were busy. Threads beyond the cores share them: together they can be no
/// busier than these.
fn add_cpu(generator: &mut GeneratorFacts, cpu: &[Duration], wall: Duration, cores: usize) {
    let wall = wall.as_secs_f64().max(1e-9);
    let seconds = cpu.iter().map(Duration::as_secs_f64).sum::<f64>();
    let busiest = cpu.iter().max().copied().unwrap_or_default();
    generator.cpu_seconds = seconds;
    generator.cpu_busy = seconds / wall / cpu.len().min(cores).max(1) as f64;
    generator.cpu_busy_max = busiest.as_secs_f64() / wall;
}

#[cfg(test)]
mod tests;
