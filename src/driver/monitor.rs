//! Looks at the machine of the generator, once a second: cores, the shards' threads, memory, files, ports.
//!
//! Everything comes from `/proc` and costs well below a millisecond a look. Its files are kept open: a look must not fail
//! just when no file is left. Where the system does not tell, there is nothing or zero.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use super::ports::{Connections, Ports};
use crate::metrics::{CoreSample, MachineSample, ThreadSample};

/// How often the machine is looked at.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// Looks at the machine, and remembers the look before.
pub(super) struct Monitor {
    /// Cores this process may run on.
    cores: Vec<u32>,
    threads: Vec<Thread>,
    at: Duration,
    ticks: Vec<CoreTicks>,
    stat: Option<File>,
    memory: Option<File>,
    page: u64,
    open_files_limit: u64,
    /// Files open before the first connection.
    files_before: u64,
    /// Whether the server runs in this process: then each connection takes two files.
    embedded: bool,
    ports: Ports,
    ports_limit: Option<u64>,
}

/// What the monitor is told of the run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    pub(super) shards: usize,
    /// Whether the server runs in this process.
    pub(super) embedded: bool,
    /// Where connections go, as far as that many addresses are.
    pub(super) targets: [Option<SocketAddr>; 2],
    /// Most local ports there are towards the server, if that is known.
    pub(super) ports: Option<u64>,
}

/// One shard's thread.
#[derive(Default)]
struct Thread {
    /// Its `schedstat`, kept open.
    file: Option<File>,
    /// What it had told by the look before.
    before: ThreadClock,
    /// What it told at its end: then there is no file of it any more.
    last: Option<ThreadClock>,
}

/// What a thread has used since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ThreadClock {
    ran: Duration,
    /// It could have run, and had no core.
    waited: Duration,
}

/// A core's time since the machine started, in ticks of the system's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct CoreTicks {
    busy: u64,
    idle: u64,
    steal: u64,
}

impl Monitor {
    /// Looks for the first time, when the run begins.
    pub(super) fn begin(circumstances: &Circumstances) -> Monitor {
        let Circumstances { shards, embedded, targets, ports } = *circumstances;
        let targets: Vec<_> = targets.into_iter().flatten().collect();
        let cores = own_cores();
        let mut monitor = Monitor {
            ticks: vec![CoreTicks::default(); cores.len()],
            cores,
            stat: File::open("/proc/stat").ok(),
            memory: File::open("/proc/self/statm").ok(),
            embedded,
            ports: Ports::none_yet(&targets),
            ports_limit: ports,
            threads: std::iter::repeat_with(Thread::default).take(shards).collect(),
            at: Duration::ZERO,
            page: page_size(),
            open_files_limit: rlimit::getrlimit(rlimit::Resource::NOFILE).map_or(0, |(soft, _)| soft),
            files_before: open_files(),
        };
        monitor.look_at_cores();
        monitor
    }

    /// A shard runs on this thread (its number with the system).
    pub(super) fn watch(&mut self, shard: usize, thread: i32) {
        if let Some(one) = self.threads.get_mut(shard) {
            one.file = File::open(format!("/proc/self/task/{thread}/schedstat")).ok();
            one.before = one.read().unwrap_or_default();
        }
    }

    /// A shard's thread ended, and this was the last it told.
    pub(super) fn ended(&mut self, shard: usize, clock: ThreadClock) {
        if let Some(one) = self.threads.get_mut(shard) {
            one.file = None;
            one.last = Some(clock);
        }
    }

    /// When it looked last, since the run began.
    pub(super) fn looked_at(&self) -> Duration {
        self.at
    }

    /// Files open before the first connection.
    pub(super) fn files_before(&self) -> u64 {
        self.files_before
    }

    /// Looks, at this time since the run began.
    pub(super) fn look(&mut self, at: Duration, connections: Connections) -> MachineSample {
        let passed = at.saturating_sub(self.at);
        self.at = at;
        MachineSample {
            cores: self.look_at_cores(),
            shards: self.threads.iter_mut().map(|thread| thread.look(passed)).collect(),
            ..self.count(at, connections)
        }
    }

    /// Counts what a run may run out of. Of cores and threads it says nothing: too little time has passed.
    pub(super) fn count(&mut self, at: Duration, connections: Connections) -> MachineSample {
        MachineSample {
            at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            rss_bytes: self.memory.as_ref().and_then(|file| resident(&read::<256>(file)?)).unwrap_or(0) * self.page,
            open_files: told_open_files().unwrap_or_else(|| {
                let each = if self.embedded { 2 } else { 1 };
                self.files_before + connections.open * each
            }),
            open_files_limit: self.open_files_limit,
            ports: Some(self.ports.taken(at, connections)),
            ports_limit: self.ports_limit,
            ..MachineSample::default()
        }
    }

    fn look_at_cores(&mut self) -> Vec<CoreSample> {
        // The cores come first, and there are never more lines of them than fit.
        let stat = self.stat.as_ref().and_then(read::<{ 1 << 16 }>).unwrap_or_default();
        let looks = self.cores.iter().zip(&mut self.ticks).filter_map(|(&core, before)| {
            let now = core_ticks(&stat, core)?;
            let (busy, steal) = now.shares_since(std::mem::replace(before, now));
            Some(CoreSample { core, busy, steal })
        });
        looks.collect()
    }
}

impl Thread {
    fn read(&self) -> Option<ThreadClock> {
        ThreadClock::parse(&read::<128>(self.file.as_ref()?)?)
    }

    fn look(&mut self, passed: Duration) -> ThreadSample {
        let now = self.last.or_else(|| self.read()).unwrap_or(self.before);
        let before = std::mem::replace(&mut self.before, now);
        let share = |now: Duration, before: Duration| {
            let share = now.saturating_sub(before).as_secs_f32() / passed.as_secs_f32().max(1e-6);
            share.min(1.0)
        };
        ThreadSample { busy: share(now.ran, before.ran), waited: share(now.waited, before.waited) }
    }
}

impl ThreadClock {
    /// Of the thread that asks.
    pub(super) fn own() -> ThreadClock {
        let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
        told.and_then(|text| ThreadClock::parse(&text)).unwrap_or_default()
    }

    /// `ran waited turns`, in nanoseconds.
    fn parse(text: &str) -> Option<ThreadClock> {
        let mut nanos = text.split_ascii_whitespace().map(|word| word.parse().ok().map(Duration::from_nanos));
        Some(ThreadClock { ran: nanos.next()??, waited: nanos.next()?? })
    }
}

impl CoreTicks {
    /// The shares busy and stolen since; the clock ticks a hundred times a second.
    fn shares_since(self, before: CoreTicks) -> (f32, f32) {
        // Some of these run backwards now and then, by a tick.
        let [busy, idle, steal] = [
            self.busy.saturating_sub(before.busy),
            self.idle.saturating_sub(before.idle),
            self.steal.saturating_sub(before.steal),
        ]
        .map(|ticks| ticks as f32);
        let all = (busy + idle + steal).max(1.0);
        (busy / all, steal / all)
    }
}

/// The line of one core in `/proc/stat`: user, nice, system, idle, waiting for a disk, interrupts (two kinds), stolen;
/// what follows is within user and nice.
fn core_ticks(stat: &str, core: u32) -> Option<CoreTicks> {
    let name = format!("cpu{core}");
    let line = stat.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix(' '))?;
    let ticks = line.split_ascii_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
    let [user, nice, system, idle, disk, hard, soft, ..] = ticks[..] else { return None };
    let steal = ticks.get(7).copied().unwrap_or(0);
    Some(CoreTicks { busy: user + nice + system + hard + soft, idle: idle + disk, steal })
}

/// Pages resident: the second number of `/proc/self/statm`.
fn resident(statm: &str) -> Option<u64> {
    statm.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The first `MOST` octets of a file that says something new each time.
fn read<const MOST: usize>(file: &File) -> Option<String> {
    let mut text = vec![0; MOST];
    let octets = file.read_at(&mut text, 0).ok()?;
    text.truncate(octets);
    String::from_utf8(text).ok()
}

/// How many files this process has open, by the size of a folder: systems since 2022 tell it so at no cost.
fn told_open_files() -> Option<u64> {
    fs::metadata("/proc/self/fd").ok().map(|folder| folder.len()).filter(|files| *files > 0)
}

/// How many files this process has open; 0 where the system does not say.
fn open_files() -> u64 {
    told_open_files().unwrap_or_else(|| fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64))
}

/// The resident memory of this process, in octets; 0 where the system does not say.
pub(super) fn rss() -> u64 {
    fs::read_to_string("/proc/self/statm").ok().and_then(|statm| resident(&statm)).unwrap_or(0) * page_size()
}

/// The most resident memory this process has had, in octets; 0 where the system does not say.
pub(super) fn peak_rss() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn page_size() -> u64 {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(4096)
}

#[cfg(target_os = "linux")]
fn own_cores() -> Vec<u32> {
    use nix::sched::{CpuSet, sched_getaffinity};

    let Ok(set) = sched_getaffinity(nix::unistd::Pid::from_raw(0)) else { return Vec::new() };
    let cores = 0..CpuSet::count();
    cores.filter(|&core| set.is_set(core).unwrap_or(false)).filter_map(|core| u32::try_from(core).ok()).collect()
}

#[cfg(not(target_os = "linux"))]
fn own_cores() -> Vec<u32> {
    Vec::new()
}

/// The number the system knows this thread by; `None` where threads have none.
pub(super) fn own_thread() -> Option<i32> {
    #[cfg(target_os = "linux")]
    return Some(nix::unistd::gettid().as_raw());
    #[cfg(not(target_os = "linux"))]
    return None;
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  30 0 30 300 0 0 0 9 0 0\n\
        cpu0 10 1 10 100 5 2 3 4 0 0\n\
        cpu1 10 0 10 100 0 0 0\n\
        cpu10 7 7 7 7 7 7 7 7 7 7\n\
        intr 1 2 3\n";

    #[test]
    fn core_ticks_table() {
        for (core, want) in [(0, Some((26, 105, 4))), (1, Some((20, 100, 0))), (10, Some((35, 14, 7))), (2, None)] {
            let want = want.map(|(busy, idle, steal)| CoreTicks { busy, idle, steal });
            assert_eq!(core_ticks(STAT, core), want, "{core}");
        }
    }

    #[test]
    fn shares_are_of_what_passed() {
        let before = CoreTicks { busy: 100, idle: 1000, steal: 7 };
        let now = CoreTicks { busy: 170, idle: 1020, steal: 17 };
        assert_eq!(now.shares_since(before), (0.7, 0.1));
        let back = CoreTicks { busy: 169, ..now };
        assert_eq!(back.shares_since(now), (0.0, 0.0), "a tick back is none");
    }

    #[test]
    fn schedstat_and_statm_are_read() {
        let ms = Duration::from_millis;
        let clock = ThreadClock { ran: ms(90), waited: ms(1283) };
        assert_eq!(ThreadClock::parse("90000000 1283000000 2\n"), Some(clock));
        assert_eq!(ThreadClock::parse("90000000"), None);
        assert_eq!(resident("1234 567 89 1 0 2 0\n"), Some(567));
    }

    #[test]
    fn a_thread_is_told_of_since_the_look_before_and_to_its_end() {
        let ms = Duration::from_millis;
        let mut thread = Thread { before: ThreadClock { ran: ms(500), waited: ms(20) }, ..Thread::default() };
        assert_eq!(thread.look(ms(1000)), ThreadSample::default(), "nothing can be read");
        thread.last = Some(ThreadClock { ran: ms(900), waited: ms(120) });
        let told = thread.look(ms(500));
        assert!((told.busy - 0.8).abs() < 1e-6 && (told.waited - 0.2).abs() < 1e-6, "{told:?}");
        assert_eq!(thread.look(ms(500)), ThreadSample::default(), "it has ended");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_tells() {
        let circumstances = Circumstances { shards: 1, embedded: false, targets: [None; 2], ports: None };
        let mut monitor = Monitor::begin(&circumstances);
        monitor.watch(0, own_thread().unwrap());
        let mut spun = 0_u64;
        while ThreadClock::own().ran <= monitor.threads[0].before.ran {
            spun += 1;
        }
        let sample = monitor.look(Duration::from_nanos(1 + spun), Connections::default());
        assert!(!sample.cores.is_empty() && sample.cores.iter().all(|c| (0.0..=1.0).contains(&c.busy)), "{sample:?}");
        assert!(sample.shards[0].busy > 0.0, "{sample:?}");
        assert!(sample.rss_bytes > 1_000_000 && sample.open_files > 2, "{sample:?}");
        assert!(sample.open_files <= sample.open_files_limit && peak_rss() >= 1_000_000, "{sample:?}");
        assert_eq!((sample.ports, sample.ports_limit), (Some(0), None));
    }
}
