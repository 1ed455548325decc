//! The asymmetric barrier: free on the hot path, a system call on the cold one.
//!
//! `membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)` runs a full fence on every processor that is executing a
//! thread of this process. Against it, a compiler fence is enough on the other side of a store-load race.
//! Whether the kernel offers it is decided once, before the first runtime starts its threads; without it
//! (other systems, old kernels, a seccomp filter) both halves are sequentially consistent fences, and
//! everything stays correct at 6 to 7 ns more per task.
//!
//! The pair is outside the formal memory model of Rust (and C++: see P1202), like `folly::asymmetric_*`,
//! liburcu and seastar, which rest on the same call. Setting `WYN_NO_MEMBARRIER` selects the fences.

use crate::cpus;
use crate::stats;
use crate::sync::{AtomicBool, AtomicU32, Ordering, compiler_fence, fence};

/// Whether `heavy` reaches the other threads. Written once, by [`decide`], before any runtime exists.
static ASYMMETRIC: AtomicBool = AtomicBool::new(false);

/// How often a thief looks for an answer before it runs `heavy`. Written with [`ASYMMETRIC`].
static PATIENCE: AtomicU32 = AtomicU32::new(PATIENCE_ROUNDS);

/// One to four microseconds, by what a pause takes: less than a barrier costs both when there are two processors.
const PATIENCE_ROUNDS: u32 = 150;
/// `membarrier` interrupts every processor that runs a thread of this process, for a microsecond or more. So many
/// of them are worth those rounds; with more, a thief looks longer, ...
const PROCESSORS: usize = 8;
/// ... up to so many times as long: a stuck owner's queue is halved by each claim, so several fit into 200 µs.
const MOST_PATIENCE: u32 = 8;

/// The barrier pair of this crate, for the deque and for the one-shot cell.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asymmetric;

impl Asymmetric {
    /// The half on the hot path.
    #[inline(always)]
    pub(crate) fn light() {
        // Ordering: Relaxed: written before the threads that read it could get to a runtime.
        if ASYMMETRIC.load(Ordering::Relaxed) {
            // Ordering: SeqCst compiler fence: with `heavy`'s membarrier on the other side, at least one of the
            // two racing loads sees the other's store.
            compiler_fence(Ordering::SeqCst);
        } else {
            // Ordering: SeqCst fence: the same promise, with the fence in `heavy`.
            fence(Ordering::SeqCst);
        }
    }

    /// The half on the cold path.
    #[inline(never)]
    pub(crate) fn heavy() {
        stats::barrier();
        // Ordering: SeqCst fence: the calling thread's own half, and all of it without membarrier.
        fence(Ordering::SeqCst);
        // Ordering: Relaxed: as in `light`.
        if ASYMMETRIC.load(Ordering::Relaxed) && !os::membarrier() {
            // It was registered and has worked once: the kernel does not take it back.
            std::process::abort();
        }
    }
}

// SAFETY: of two racing threads at least one executes `heavy`, and at least one sees the other's store.
unsafe impl wyn_deque::split::Barrier for Asymmetric {
    #[inline(always)]
    fn light() {
        Self::light();
    }
    fn heavy() {
        Self::heavy();
    }
    fn patience() -> u32 {
        // Ordering: Relaxed: as in `light`.
        PATIENCE.load(Ordering::Relaxed)
    }
}

impl wyn_future::Barrier for Asymmetric {
    #[inline(always)]
    fn light() {
        Self::light();
    }
    fn heavy() {
        Self::heavy();
    }
}

/// Chooses, once; every runtime calls it before it makes a queue or a thread.
pub(crate) fn decide() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let offered = std::env::var_os("WYN_NO_MEMBARRIER").is_none() && os::register() && os::membarrier();
        let times = u32::try_from(cpus::available() / PROCESSORS).unwrap_or(MOST_PATIENCE);
        let times = if offered { times.clamp(1, MOST_PATIENCE) } else { 1 };
        // Ordering: Relaxed: `Once` and the start of the threads publish them.
        PATIENCE.store(PATIENCE_ROUNDS * times, Ordering::Relaxed);
        // Ordering: Relaxed: as above.
        ASYMMETRIC.store(offered, Ordering::Relaxed);
    });
}

#[cfg(target_os = "linux")]
mod os {
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    fn call(command: libc::c_int) -> bool {
        let (flags, cpu): (libc::c_uint, libc::c_int) = (0, 0);
        // SAFETY: membarrier reads its integer arguments and no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, flags, cpu) == 0 }
    }

    pub(super) fn register() -> bool {
        call(REGISTER_PRIVATE_EXPEDITED)
    }

    pub(super) fn membarrier() -> bool {
        call(PRIVATE_EXPEDITED)
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    pub(super) fn register() -> bool {
        false
    }

    pub(super) fn membarrier() -> bool {
        false
    }
}
