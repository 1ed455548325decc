//! The asymmetric barrier of wyn-sched, whose own is private: a compiler fence against a system call. For this
//! crate's benches and examples, and for wyn-bench.

use std::sync::Once;
use std::sync::atomic::{Ordering, compiler_fence, fence};

use wyn_deque::split::Barrier;

/// `membarrier` with `PRIVATE_EXPEDITED`; call [`Membarrier::register`] before the first use.
pub(crate) struct Membarrier;

impl Membarrier {
    /// Whether the kernel offers it.
    pub(crate) fn register() -> bool {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
        });
        call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }
}

// SAFETY: membarrier runs a full fence on every processor that executes a thread of this process, so of a
// thread in `light` and one in `heavy` at least one sees the other's store; neither unwinds, and both stop
// the compiler.
unsafe impl Barrier for Membarrier {
    #[inline(always)]
    fn light() {
        // Ordering: SeqCst for the compiler; the processor's part is in `heavy`.
        compiler_fence(Ordering::SeqCst);
    }

    #[inline(never)]
    fn heavy() {
        // Ordering: SeqCst: the calling thread's own half.
        fence(Ordering::SeqCst);
        if !call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
            std::process::abort();
        }
    }
}

fn call(command: libc::c_int) -> bool {
    // SAFETY: membarrier reads its integer arguments and no memory of ours.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}
