//! What a process uses, as Linux tells it: resident memory and processor time.

use std::path::PathBuf;

/// The unit of `/proc`, in a second; the same on every Linux.
const TICKS: f64 = 100.0;

/// Resident memory in megabytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Now.
    pub resident: f64,
    /// At most, since the process began or [`Memory::forget_peak`].
    pub peak: f64,
}

impl Memory {
    /// That of a process; `None` where there is no `/proc`.
    pub fn of(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(file(pid, "status")).ok()?;
        Some(Self { resident: megabytes(&status, "VmRSS:")?, peak: megabytes(&status, "VmHWM:")? })
    }

    /// Begins the peak anew, where the system lets us.
    pub fn forget_peak(pid: u32) {
        drop(std::fs::write(file(pid, "clear_refs"), "5"));
    }
}

/// Seconds of processor time that a process has used; `None` where there is no `/proc`.
pub fn processor_time(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(file(pid, "stat")).ok()?;
    // The name in parentheses may hold anything; `utime` and `stime` are the 12th and the 13th field behind it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some((f64::from(ticks()?) + f64::from(ticks()?)) / TICKS)
}

fn file(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

fn megabytes(status: &str, key: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: u32 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(f64::from(kilobytes) / 1024.0)
}
