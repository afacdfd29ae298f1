//! A journal summed up again: what its run's reports are made from.

use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use super::{End, Entry, Header, How, Reader};
use crate::metrics::{GeneratorFacts, MachineSample, Marks, Record, Tally, Timeline};

/// All that a journal tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// What was known before the run began.
    pub header: Header,
    /// The run as far as the journal goes. Its thresholds are not checked yet: that takes the figures of a report.
    pub record: Record,
    /// How the journal ended.
    pub end: End,
}

impl Replay {
    /// Reads a journal to its end. Memory grows with neither its length nor that of the run.
    ///
    /// # Errors
    /// If the system does not let it be read.
    pub fn of<R: Read>(mut reader: Reader<R>) -> io::Result<Replay> {
        let mut tally = Tally::default();
        let mut timeline = Timeline::default();
        let mut machine = MachineSum::default();
        let mut target = None;
        for entry in reader.by_ref() {
            match entry? {
                Entry::Slice(slice) => {
                    tally.add(&slice);
                    timeline.add(&slice);
                }
                Entry::Machine(sample) => {
                    timeline.look(&sample);
                    machine.add(&sample);
                    target = sample.target.or(target);
                }
                Entry::Header(_) | Entry::Closing(_) => {}
            }
        }
        let (header, closing, end) = reader.into_parts();
        let (marks, generator, target) = match (closing, end.how) {
            (Some(closing), How::Closed) => (closing.marks, closing.generator, closing.target),
            _ => {
                let ends_at_ms = u64::try_from(end.known_until.as_millis()).ok();
                let marks = Marks { partial: true, ends_at_ms, ..header.marks };
                (marks, machine.complete(header.generator.clone()), target)
            }
        };
        tally.until(end.known_until);
        timeline.until(end.known_until);
        let record = Record {
            plan: header.plan.clone(),
            started_at: SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_millis(header.started_at_ms))
                .unwrap_or(SystemTime::UNIX_EPOCH),
            wall: end.known_until,
            tally,
            timeline,
            generator,
            target,
            marks,
            thresholds: Vec::new(),
        };
        Ok(Replay { header, record, end })
    }
}

/// What looks at the machine tell of a generator that could not say it itself.
#[derive(Debug, Default)]
struct MachineSum {
    looks: u32,
    /// Of each shard, the sum of its shares.
    busy: Vec<f64>,
    cores: usize,
    open_files: u64,
    rss_bytes: u64,
    at_ms: u64,
}

impl MachineSum {
    fn add(&mut self, sample: &MachineSample) {
        self.looks += 1;
        if self.busy.len() < sample.shards.len() {
            self.busy.resize(sample.shards.len(), 0.0);
        }
        for (sum, shard) in self.busy.iter_mut().zip(&sample.shards) {
            *sum += f64::from(shard.busy);
        }
        self.cores = self.cores.max(sample.cores.len());
        self.open_files = self.open_files.max(sample.open_files);
        self.rss_bytes = self.rss_bytes.max(sample.rss_bytes);
        self.at_ms = self.at_ms.max(sample.at_ms);
    }

    /// What was known before the run, and what the looks add.
    fn complete(self, mut facts: GeneratorFacts) -> GeneratorFacts {
        facts.open_files = facts.open_files.max(self.open_files);
        facts.rss_bytes = facts.rss_bytes.max(self.rss_bytes);
        if self.looks == 0 || self.busy.is_empty() {
            return facts;
        }
        let means = self.busy.iter().map(|sum| sum / f64::from(self.looks));
        let sum: f64 = means.clone().sum();
        let room = if self.cores == 0 { self.busy.len() } else { self.busy.len().min(self.cores) };
        facts.cpu_busy = sum / room as f64;
        facts.cpu_busy_max = means.fold(0.0, f64::max);
        facts.cpu_seconds = sum * self.at_ms as f64 / 1e3;
        facts
    }
}
