//! What the system says of a process (Linux).

use std::error::Error;
use std::fs::read_to_string;

/// Of which `/proc/self/stat` counts a second's parts.
const TICKS: f64 = 100.0;

/// Processor time of this process in seconds, of all its threads, user and system.
pub fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = read_to_string("/proc/self/stat")?;
    // Behind the name, which may contain spaces; `utime` and `stime` are the 14th and 15th field of all.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: Result<Vec<f64>, _> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / TICKS)
}

/// The most memory that this process ever held, in MB.
pub fn peak_memory_mb() -> Result<f64, Box<dyn Error>> {
    let status = read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(peak.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1e3)
}
