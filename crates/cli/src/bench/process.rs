//! What the kernel says about a process: CPU time, memory, system calls.
//!
//! Knows /proc and `perf`. Must not know what the process is for.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};

/// ESRCH on Linux.
const NO_SUCH_PROCESS: i32 = 3;

/// CPU time of all threads so far, in nanoseconds. A thread that ends takes its time with it.
pub(crate) fn cpu_nanos(pid: u32) -> io::Result<u64> {
    let mut nanos = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // Unlike `stat`, which counts in hundredths of a second.
        let text = match std::fs::read_to_string(task?.path().join("schedstat")) {
            // A thread may end between the listing and this: ENOENT, or ESRCH while it is read.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) if error.raw_os_error() == Some(NO_SUCH_PROCESS) => continue,
            text => text?,
        };
        let on_cpu = text.split(' ').next().and_then(|field| field.parse::<u64>().ok());
        nanos += on_cpu.ok_or(ErrorKind::InvalidData)?;
    }
    Ok(nanos)
}

/// The memory that is a process's own, in bytes: not mapped from files, resident or swapped out.
pub(crate) fn memory(pid: u32) -> io::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let field = |name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    let kib = field("Anonymous:").zip(field("Swap:")).map(|(here, swapped)| here + swapped);
    kib.map(|kib| kib * 1024).ok_or(ErrorKind::InvalidData.into())
}

/// Counts a process's system calls by `perf`, which needs the right to see the kernel's
/// tracepoints. It makes every call some 100 ns slower.
pub(crate) struct CallCounter {
    perf: Child,
    /// Ends the counting when dropped.
    stdin: ChildStdin,
}

impl CallCounter {
    /// Counts from when this returns.
    pub(crate) fn attach(pid: u32) -> io::Result<Self> {
        // perf runs `cat` while it counts, from when `cat` can answer to when its input ends.
        let mut perf = Command::new("perf")
            .args(["stat", "-x", ";", "-e", "raw_syscalls:sys_enter", "-p", &pid.to_string()])
            .args(["--", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (stdin, stdout) =
            perf.stdin.take().zip(perf.stdout.take()).ok_or(ErrorKind::BrokenPipe)?;
        let mut counter = Self { perf, stdin };
        counter.stdin.write_all(b"?\n")?;
        if BufReader::new(stdout).read_line(&mut String::new())? == 0 {
            let said = counter.said()?;
            return Err(io::Error::other(said));
        }
        Ok(counter)
    }

    /// How many there were.
    pub(crate) fn finish(self) -> io::Result<u64> {
        let said = self.said()?;
        let count = said.lines().find_map(|line| line.split(';').next()?.parse().ok());
        count.ok_or_else(|| io::Error::other(said))
    }

    fn said(self) -> io::Result<String> {
        drop(self.stdin);
        let output = self.perf.wait_with_output()?;
        Ok(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_figures_are_readable_and_plausible() {
        let pid = std::process::id();
        let before = cpu_nanos(pid).unwrap();
        let held = vec![1u8; 8 << 20];
        assert!(cpu_nanos(pid).unwrap() >= before);
        assert!(memory(pid).unwrap() > 8 << 20, "{}", held.len());
        assert!(cpu_nanos(u32::MAX).is_err() && memory(u32::MAX).is_err());
    }
}
