//! How many processors this process may use: its affinity, less what a cgroup's quota takes away.

/// At least one. `std` looks at the affinity mask and at the CPU quotas of cgroup v1 and v2, in the
/// process's own group and its ancestors, rounding down; a process that may use half a processor gets one.
pub(crate) fn available() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// How many workers the global runtime has: `WYN_WORKERS` if it is a number above zero, else one for each
/// available processor.
pub(crate) fn default_workers() -> usize {
    let asked = std::env::var("WYN_WORKERS").ok().and_then(|text| text.trim().parse().ok());
    match asked {
        Some(0) | None => available(),
        Some(workers) => workers,
    }
    .min(crate::MAX_WORKERS)
}
