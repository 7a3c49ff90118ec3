//! What the kernel knows of this process (proc(5)), under the names that Prometheus's libraries use. Of Go's runtime only
//! `go_threads` has a counterpart here: there is no garbage collector and there are no goroutines.

use std::fs;

use metrics::gauge;

/// Ticks per second in `/proc`: a constant of the kernel's interface on x86-64 and aarch64.
const TICKS: f64 = 100.0;

/// How Prometheus's libraries show a limit that is none.
const NO_LIMIT: f64 = 18_446_744_073_709_551_615.0;

/// A reading.
#[derive(Debug, PartialEq)]
pub(crate) struct Process {
    cpu_seconds: f64,
    /// Since the epoch.
    start_seconds: f64,
    virtual_bytes: f64,
    most_virtual_bytes: f64,
    resident_bytes: f64,
    threads: f64,
    open_files: f64,
    most_files: f64,
}

impl Process {
    /// Reads `/proc`; `None` where there is none.
    pub(crate) fn read() -> Option<Self> {
        let read = |path: &str| fs::read_to_string(path).ok();
        // The directory that is being read is open itself.
        let open_files = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
        Self::parse(
            &read("/proc/self/stat")?,
            &read("/proc/self/status")?,
            &read("/proc/self/limits")?,
            &read("/proc/stat")?,
            open_files,
        )
    }

    fn parse(stat: &str, status: &str, limits: &str, system: &str, open_files: usize) -> Option<Self> {
        // The second field is the name of the program in parentheses, and may hold anything; the third comes after it.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
        let kibibytes = |key: &str| number_after(status, key).map(|kibibytes| kibibytes * 1024.0);
        Some(Self {
            cpu_seconds: (ticks(14)? + ticks(15)?) / TICKS,
            start_seconds: number_after(system, "btime")? + ticks(22)? / TICKS,
            virtual_bytes: kibibytes("VmSize:")?,
            most_virtual_bytes: number_after(limits, "Max address space").unwrap_or(NO_LIMIT),
            resident_bytes: kibibytes("VmRSS:")?,
            threads: number_after(status, "Threads:")?,
            open_files: u32::try_from(open_files).ok()?.into(),
            most_files: number_after(limits, "Max open files").unwrap_or(NO_LIMIT),
        })
    }

    /// Records it.
    pub(crate) fn record(&self) {
        gauge!("process_cpu_seconds_total").set(self.cpu_seconds);
        gauge!("process_open_fds").set(self.open_files);
        gauge!("process_max_fds").set(self.most_files);
        gauge!("process_virtual_memory_bytes").set(self.virtual_bytes);
        gauge!("process_virtual_memory_max_bytes").set(self.most_virtual_bytes);
        gauge!("process_resident_memory_bytes").set(self.resident_bytes);
        gauge!("process_threads").set(self.threads);
        gauge!("process_start_time_seconds").set(self.start_seconds);
    }
}

/// The number that stands behind a key at the beginning of a line.
fn number_after(text: &str, key: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_words_are_read() {
        let stat =
            "42 (a ) (b) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 4 0 1000 9 9 18446744073709551615";
        let status = "Name:\tapus\nVmPeak:\t  300 kB\nVmSize:\t  200 kB\nVmRSS:\t   100 kB\nThreads:\t4\n";
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024   4096   files\n\
                      Max address space         unlimited   unlimited   bytes\n";
        let process = Process::parse(stat, status, limits, "cpu 1 2\nbtime 1700000000\n", 7);
        assert_eq!(
            process,
            Some(Process {
                cpu_seconds: 2.0,
                start_seconds: 1_700_000_010.0,
                virtual_bytes: 204_800.0,
                most_virtual_bytes: 18_446_744_073_709_551_615.0,
                resident_bytes: 102_400.0,
                threads: 4.0,
                open_files: 7.0,
                most_files: 1024.0,
            })
        );
    }

    #[test]
    fn this_process_is_there() {
        let process = Process::read().unwrap();
        assert!(process.resident_bytes > 0.0 && process.open_files >= 3.0, "{process:?}");
    }
}
