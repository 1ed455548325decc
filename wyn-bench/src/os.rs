//! What the operating system knows: sessions, CPU time, memory, processors.
//!
//! The only file of this crate with unsafe code. Linux is what the harness is made for; elsewhere the
//! calls that need `/proc` or affinity answer "unknown".

use std::time::Duration;

/// Puts this process into a session of its own and, where allowed, gives that session priority.
///
/// The kernel weighs sessions against each other (autogroups), so a build in another terminal would
/// otherwise take half of the machine beside a measurement, however nice it is. Returns whether the
/// priority was granted, which takes root.
pub fn own_session() -> bool {
    // SAFETY: setsid takes no argument; it fails harmlessly in a process that already leads a group.
    unsafe { libc::setsid() };
    std::fs::write("/proc/self/autogroup", "-20").is_ok()
}

/// Raises the limit of this process's stacks, of its main thread and of threads in other languages; `false`
/// if that is not allowed. What is executed next starts with it.
pub fn stack_limit(bytes: u64) -> bool {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writes and outlives the call.
    unsafe { libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit) };
    limit.rlim_cur = bytes.min(limit.rlim_max);
    // SAFETY: `limit` is valid for reads and outlives the call.
    unsafe { libc::setrlimit(libc::RLIMIT_STACK, &raw const limit) == 0 }
}

/// CPU time of all threads of this process so far. What threads that run right now have used since the
/// kernel's last tick is not in it.
pub fn cpu_time() -> Duration {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// CPU time of the calling thread so far.
pub fn thread_cpu_time() -> Duration {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn clock(which: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writes and outlives the call.
    unsafe { libc::clock_gettime(which, &raw mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// How often the threads of this process gave up or lost a processor.
pub fn context_switches() -> u64 {
    let usage = usage();
    (usage.ru_nvcsw + usage.ru_nivcsw).unsigned_abs()
}

/// How often this process touched a page for the first time, so that the kernel had to supply it.
pub fn minor_faults() -> u64 {
    usage().ru_minflt.unsigned_abs()
}

fn usage() -> libc::rusage {
    // SAFETY: rusage is plain numbers, for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is valid for writes and outlives the call.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    usage
}

/// Binds the calling thread to one processor; `false` if that cannot be done.
#[cfg(target_os = "linux")]
pub fn pin(cpu: usize) -> bool {
    // SAFETY: cpu_set_t is an array of words, for which all zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    if cpu >= 8 * size_of::<libc::cpu_set_t>() {
        return false;
    }
    // SAFETY: `cpu` was checked to lie inside the set.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: pid 0 means the calling thread; the size is that of `set`.
    unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) == 0 }
}

/// Binds the calling thread to one processor; unknown here.
#[cfg(not(target_os = "linux"))]
pub fn pin(_cpu: usize) -> bool {
    false
}

/// The processors this process may use, from `/proc/self/status`.
pub fn allowed_cpus() -> Vec<usize> {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = text.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or("0");
    list.split(',').filter_map(|range| cpu_range(range.trim())).flatten().collect()
}

/// `3` or `0-7`.
fn cpu_range(text: &str) -> Option<std::ops::RangeInclusive<usize>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

/// The largest memory this process itself ever held, in KiB.
///
/// `VmHWM`, not `ru_maxrss`: the latter keeps the parent's size from before exec.
pub fn peak_kib() -> Option<u64> {
    kib_in("/proc/self/status", "VmHWM:")
}

/// The memory this process holds now, in KiB, counted page by page.
///
/// `VmRSS` comes from per-processor counters that lag by up to hundreds of KiB.
pub fn resident_kib() -> Option<u64> {
    kib_in("/proc/self/smaps_rollup", "Rss:").or_else(|| kib_in("/proc/self/status", "VmRSS:"))
}

fn kib_in(file: &str, field: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(field))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_processors() {
        assert_eq!(cpu_range("3"), Some(3..=3));
        assert_eq!(cpu_range("0-7"), Some(0..=7));
        assert_eq!(cpu_range("x"), None);
    }

    #[test]
    fn work_costs_cpu_time() {
        let before = cpu_time();
        std::hint::black_box((0..2_000_000_u64).map(std::hint::black_box).sum::<u64>());
        assert!(cpu_time() > before);
    }
}
