//! How many processors this process may use: its affinity, less what a cgroup's quota takes away.

use crate::sync::{Mutex, lock};

/// At least one. `std` looks at the affinity mask and at the CPU quotas of cgroup v1 and v2, in the
/// process's own group and its ancestors, rounding down; a process that may use half a processor gets one.
///
/// That takes 35 microseconds, a quarter of a small runtime's start. So it is asked again only by a thread that may run on
/// another number of processors than the one that asked last; a quota that changes meanwhile is not noticed.
pub(crate) fn available() -> usize {
    static LAST: Mutex<Option<(usize, usize)>> = Mutex::new(None);
    let ask = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let Some(affine) = affine() else { return ask() };
    let mut last = lock(&LAST);
    match *last {
        Some((of, available)) if of == affine => available,
        _ => {
            let available = ask();
            *last = Some((affine, available));
            available
        }
    }
}

/// On how many processors the calling thread may run, where that is quickly told.
#[cfg(target_os = "linux")]
fn affine() -> Option<usize> {
    let mut mask = std::mem::MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: writes at most the given size to memory of ours.
    let failed = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), mask.as_mut_ptr()) };
    // SAFETY: all zero is a mask, whatever was written.
    let mask = unsafe { mask.assume_init() };
    // SAFETY: reads the mask.
    let count = unsafe { libc::CPU_COUNT(&mask) };
    usize::try_from(count).ok().filter(|&count| failed == 0 && count > 0)
}

#[cfg(not(target_os = "linux"))]
fn affine() -> Option<usize> {
    None
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
