//! What processes use: processor time and memory, as Linux tells it.

use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// What a process, and all that it has started, have used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Processor time in seconds, in user and kernel mode, of those that have ended as well.
    pub(crate) cpu: f64,
    /// What the largest of those that live had in memory at its peak, in bytes.
    pub(crate) peak: f64,
    /// What the largest of them has in memory, in bytes.
    pub(crate) resident: f64,
}

impl Usage {
    /// The larger figure of each.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.max(other.cpu),
            peak: self.peak.max(other.peak),
            resident: self.resident.max(other.resident),
        }
    }

    /// What several use: all the time, and the memory of the largest.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, ..self.max(other) }
    }
}

/// What this process and its descendants have used so far. Nothing, if it has gone.
pub(crate) fn of(process: u32) -> Usage {
    children(process).into_iter().map(of).fold(of_one(process), Usage::and)
}

/// The processor time of this process so far, in seconds.
pub(crate) fn own_cpu() -> f64 {
    seconds(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap_or_default()
}

/// How long all processors of this machine have been busy since it started, in seconds together.
pub(crate) fn machine_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let fields: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; what follows is in these already.
    let busy = fields.iter().take(8).enumerate().filter(|(place, _)| !matches!(place, 3 | 4));
    busy.map(|(_, ticks)| ticks).sum::<f64>() / ticks_per_second()
}

fn children(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let ids = |list: String| list.split_whitespace().filter_map(|id| id.parse().ok()).collect();
    lists.flat_map(|list| -> Vec<u32> { ids(list) }).collect()
}

fn of_one(process: u32) -> Usage {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in brackets, may have anything in it.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let ticks = |field: usize| -> f64 {
        let field = fields.split(' ').nth(field).and_then(|field| field.parse().ok());
        field.unwrap_or(0.0) / ticks_per_second()
    };
    const OWN: [usize; 2] = [11, 12];
    const OF_ENDED_CHILDREN: [usize; 2] = [13, 14];
    // The clock is finer than the ticks, of which there are a hundred a second.
    let id = i32::try_from(process).map(Pid::from_raw).ok();
    let fine = id.and_then(|id| seconds(clock_getcpuclockid(id).ok()?));
    let own = fine.unwrap_or_default().max(OWN.map(ticks).iter().sum());
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    Usage {
        cpu: own + OF_ENDED_CHILDREN.map(ticks).iter().sum::<f64>(),
        peak: kilobytes(&status, "VmHWM:"),
        resident: kilobytes(&status, "VmRSS:"),
    }
}

fn seconds(clock: ClockId) -> Option<f64> {
    clock_gettime(clock).ok().map(|time| Duration::from(time).as_secs_f64())
}

fn ticks_per_second() -> f64 {
    sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100) as f64
}

/// A field of `/proc/PID/status`, in bytes.
fn kilobytes(status: &str, name: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    number.unwrap_or(0.0) * 1024.0
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio, id};

    use super::*;

    #[test]
    fn a_process_has_used_something() {
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(30) {
            std::hint::black_box(begun);
        }
        let usage = of(id());
        assert!(usage.cpu > 0.01 && own_cpu() > 0.01 && machine_cpu() > usage.cpu);
        assert!(usage.peak >= usage.resident && usage.resident > 1e6);
    }

    #[test]
    fn what_a_child_used_counts_also_when_it_has_ended() {
        let work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        let mut command = Command::new("sh");
        command.args(["-c", &format!("sh -c '{work}'; read line")]).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let used = || Some(()).filter(|()| of(child.id()).cpu > 0.02);
        let limit = Duration::from_secs(20);
        muster_integration::wait::until(limit, used, || "the child does nothing".to_owned());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(of(child.id()), Usage::default());
    }
}
