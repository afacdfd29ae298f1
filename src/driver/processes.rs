//! Processes of this machine whose CPU time and memory are watched: those that were named, and all they started.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use crate::metrics::TargetReading;

/// Most processes watched: a server with more than that is found out by its own tools.
const MOST: usize = 4_096;

/// Why a process cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// There is none of this number.
    #[error("there is no process {pid} on this machine; name one that runs, for example from `pgrep -o nginx`")]
    NoProcess {
        /// The number.
        pid: i32,
    },
    /// It is this process itself.
    #[error("process {pid} is this bootstorm itself: name the server's")]
    Itself {
        /// The number.
        pid: i32,
    },
    /// The system does not tell of it.
    #[error("process {pid} cannot be watched: {reason}")]
    Hidden {
        /// The number.
        pid: i32,
        /// What the system said.
        reason: String,
    },
}

/// The processes that were named, and all they started.
#[derive(Debug)]
pub struct Processes {
    named: Vec<i32>,
    watched: HashMap<i32, Process>,
    /// CPU time of those that are no more, as far as they were seen.
    ended: Duration,
    page: u64,
}

/// One process.
#[derive(Debug)]
struct Process {
    /// Its `stat`, kept open: what is read from it is of this process and of none that gets its number later.
    stat: File,
    cpu: Duration,
}

impl Processes {
    /// Begins to watch these, and what they have started.
    ///
    /// # Errors
    /// [`WatchError`] if one of them does not run, is this process, or cannot be looked at.
    pub fn watch(pids: &[i32]) -> Result<Processes, WatchError> {
        let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
        let page = size.and_then(|size| u64::try_from(size).ok()).unwrap_or(4096);
        let mut processes = Processes { named: Vec::new(), watched: HashMap::new(), ended: Duration::ZERO, page };
        for &pid in pids {
            if pid == Pid::this().as_raw() {
                return Err(WatchError::Itself { pid });
            }
            let process = Process::open(pid).ok_or(WatchError::NoProcess { pid })?;
            if process.cpu_now(pid).is_none() {
                let reason = "the system does not tell its CPU time".to_owned();
                return Err(WatchError::Hidden { pid, reason });
            }
            if !processes.named.contains(&pid) {
                processes.named.push(pid);
            }
            processes.watched.insert(pid, process);
        }
        Ok(processes)
    }

    /// What all of them have used, each since it began. What a process used between the last look and its end is not
    /// seen.
    pub fn read(&mut self) -> TargetReading {
        self.find_children();
        let (mut rss_pages, mut ended) = (0, Duration::ZERO);
        self.watched.retain(|pid, process| {
            let Some(pages) = process.resident_pages() else {
                ended += process.cpu;
                return false;
            };
            rss_pages += pages;
            process.cpu = process.cpu_now(*pid).unwrap_or(process.cpu);
            true
        });
        self.ended += ended;
        let living = self.watched.values().map(|process| process.cpu).sum::<Duration>();
        let gone = self.named.iter().filter(|pid| !self.watched.contains_key(pid)).count();
        TargetReading {
            cpu: self.ended + living,
            rss_bytes: Some(rss_pages * self.page),
            processes: u32::try_from(self.watched.len()).unwrap_or(u32::MAX),
            gone: u32::try_from(gone).unwrap_or(u32::MAX),
            handshakes: None,
        }
    }

    /// Takes in what the watched have started since.
    fn find_children(&mut self) {
        let mut to_ask: Vec<i32> = self.watched.keys().copied().collect();
        while let Some(parent) = to_ask.pop() {
            for child in children(parent) {
                let room = self.watched.len() < MOST;
                if !self.watched.contains_key(&child)
                    && room
                    && let Some(process) = Process::open(child)
                {
                    self.watched.insert(child, process);
                    to_ask.push(child);
                }
            }
        }
    }
}

impl Process {
    fn open(pid: i32) -> Option<Process> {
        let stat = File::open(format!("/proc/{pid}/stat")).ok()?;
        let process = Process { stat, cpu: Duration::ZERO };
        process.resident_pages()?;
        Some(process)
    }

    /// Pages resident; `None` if it is no more, or has ended and waits for its parent to take note.
    fn resident_pages(&self) -> Option<u64> {
        let mut octets = [0; 1024];
        let length = self.stat.read_at(&mut octets, 0).ok()?;
        living_pages(std::str::from_utf8(octets.get(..length)?).ok()?)
    }

    /// CPU time of all its threads, those that have ended among them, to the nanosecond.
    fn cpu_now(&self, pid: i32) -> Option<Duration> {
        clock_gettime(clock_getcpuclockid(Pid::from_raw(pid)).ok()?).ok().map(Duration::from)
    }
}

/// Field 24 of `/proc/PID/stat` (rss), unless field 3 (state) tells of a process that has ended. The name, in
/// parentheses, may hold anything.
fn living_pages(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(") ")?;
    let mut fields = behind_name.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(20)?.parse::<i64>().ok().map(|pages| u64::try_from(pages).unwrap_or(0))
}

/// Whom the threads of this process have started.
fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let told = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    told.flat_map(|pids| pids.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use super::*;

    #[test]
    fn a_stat_line_is_read_whatever_the_name() {
        let line = |state: &str| {
            format!(
                "7 (a) R (b) {state} 1 7 7 0 -1 4194560 100 0 0 0 3 4 0 0 20 0 1 0 99 1000000 321 18446744073709551615 1"
            )
        };
        assert_eq!(living_pages(&line("S")), Some(321));
        assert_eq!(living_pages(&line("Z")), None);
        assert_eq!(living_pages("7 (a"), None);
        assert_eq!(living_pages("7 (a) S 1 2"), None);
    }

    #[test]
    fn what_cannot_be_watched_is_refused_in_words() {
        let own = Pid::this().as_raw();
        let says = |pid: i32, words: &str| {
            let error = Processes::watch(&[pid]).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        says(own, "is this bootstorm itself");
        says(i32::MAX, "there is no process 2147483647");
        says(-1, "there is no process -1");
    }

    /// A shell that starts another, which works until its input ends.
    fn family() -> (Child, BufReader<std::process::ChildStdout>) {
        let script =
            "sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done; read x' & wait; echo over; read y";
        let mut shell = Command::new("sh")
            .args(["-c", &format!("exec 3<&0; {}", script.replace("read x", "read x <&3"))])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(shell.stdout.take().unwrap());
        (shell, out)
    }

    #[test]
    fn a_process_is_watched_with_what_it_starts_and_past_its_end() {
        use std::io::Write;
        let (mut shell, mut out) = family();
        let mut processes = Processes::watch(&[i32::try_from(shell.id()).unwrap()]).unwrap();
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
        let both = processes.read();
        assert_eq!((both.processes, both.gone), (2, 0));
        // Twenty thousand turns of a shell's loop take it some milliseconds: the parent has done next to nothing.
        assert!(both.cpu > Duration::from_millis(2) && both.rss_bytes.unwrap() > 500_000, "{both:?}");
        let mut input = shell.stdin.take().unwrap();
        input.write_all(b"x\n").unwrap();
        line.clear();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "over\n");
        let one = processes.read();
        assert!(
            (one.processes, one.gone) == (1, 0) && one.cpu >= both.cpu,
            "what a child used is not forgotten: {one:?}"
        );
        drop(input);
        shell.wait().unwrap();
        let none = processes.read();
        assert!((none.processes, none.gone) == (0, 1) && none.cpu >= one.cpu, "{none:?}");
    }
}
