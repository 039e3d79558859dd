//! What this process and others have taken of the machine, as Linux tells it.

use anyhow::Context;
use std::time::Duration;

/// Processor time of all threads, also those that have ended.
pub fn process_time() -> anyhow::Result<Duration> {
    process_time_of(std::process::id())
}

/// The same of another process that runs.
pub fn process_time_of(process: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    // The name of the program stands in parentheses and may hold spaces.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // Fields 14 and 15 of proc_pid_stat(5), user and system time, of which the first two are before the parenthesis.
    let ticks = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<u64>().ok());
    let (user, system) = ticks(14).zip(ticks(15)).with_context(|| format!("{path} has another form"))?;
    // USER_HZ is 100 on every architecture that Linux runs on today.
    Ok(Duration::from_millis(10 * (user + system)))
}

/// Processor time of the calling thread alone.
pub fn thread_time() -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").context("reading /proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().and_then(|text| text.parse().ok());
    Ok(Duration::from_nanos(nanoseconds.context("/proc/thread-self/schedstat has another form")?))
}

/// Bytes of this process that are in memory now.
pub fn resident_bytes() -> anyhow::Result<u64> {
    status(std::process::id(), "VmRSS:")
}

/// The same of another process that runs.
pub fn resident_bytes_of(process: u32) -> anyhow::Result<u64> {
    status(process, "VmRSS:")
}

/// Bytes of this process that were in memory at most.
pub fn peak_resident_bytes() -> anyhow::Result<u64> {
    peak_resident_bytes_of(std::process::id())
}

/// The same of another process that runs.
pub fn peak_resident_bytes_of(process: u32) -> anyhow::Result<u64> {
    status(process, "VmHWM:")
}

fn status(process: u32, name: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(1024 * kibibytes.with_context(|| format!("{path} has no {name}"))?)
}
