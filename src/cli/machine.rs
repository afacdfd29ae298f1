//! What machine a run was made on.

use std::fs;

use crate::report::Machine;

/// This machine, as far as the system tells.
pub(super) fn describe() -> Machine {
    let kernel = nix::sys::utsname::uname()
        .map(|u| format!("{} {}", u.sysname().to_string_lossy(), u.release().to_string_lossy()))
        .unwrap_or_default();
    Machine {
        cores: std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX)),
        cpu_model: line_of("/proc/cpuinfo", "model name"),
        kernel,
        memory_bytes: line_of("/proc/meminfo", "MemTotal").as_deref().and_then(kib).unwrap_or(0),
        architecture: std::env::consts::ARCH.to_owned(),
    }
}

/// Resident memory of this process, in octets; 0 where the system does not say.
pub(super) fn resident() -> u64 {
    line_of("/proc/self/status", "VmRSS").as_deref().and_then(kib).unwrap_or(0)
}

/// Resident memory that is this process's own, without files mapped in, such as the program itself, in octets; 0 where the system does not say.
pub(super) fn own_memory() -> u64 {
    line_of("/proc/self/status", "RssAnon").as_deref().and_then(kib).unwrap_or(0)
}

/// Whether this process was told by its parent to ignore a signal; no where the system does not say.
pub(super) fn ignores(signal: i32) -> bool {
    let mask = line_of("/proc/self/status", "SigIgn").and_then(|mask| u64::from_str_radix(&mask, 16).ok());
    u32::try_from(signal - 1).ok().and_then(|bit| Some(mask? >> bit & 1 == 1)).unwrap_or(false)
}

/// The value of the first line `name: value` of a file.
fn line_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Octets of `1234 kB`.
fn kib(value: &str) -> Option<u64> {
    Some(value.trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}
