//! On which processor a worker that is called wakes up.
//!
//! Linux places a woken thread on the caller's processor when it sees no available one near it, and an idle
//! processor of a virtual machine counts as preempted, not as available. There the thread waits for the end of
//! the caller's time slice, milliseconds, beside idle processors. So a caller keeps the thread it calls off its
//! own processor for this one time, and the thread, once awake, takes that processor back into its mask.
//!
//! Elsewhere, and where the processor is not known, nothing is done.

#[cfg(all(target_os = "linux", not(wyn_loom)))]
pub(crate) use linux::{Sleeper, allow, processor};
#[cfg(not(all(target_os = "linux", not(wyn_loom))))]
pub(crate) use other::{Sleeper, allow, processor};

/// A processor's number plus one; zero if it is not known.
pub(crate) type Processor = u32;

/// Processors with higher numbers count as not known: so many fit into the system's mask.
pub(crate) const MOST_PROCESSORS: u32 = 1024;

#[cfg(all(target_os = "linux", not(wyn_loom)))]
mod linux {
    use std::mem::{MaybeUninit, size_of};

    use super::{MOST_PROCESSORS, Processor};

    const _: () = assert!(size_of::<libc::cpu_set_t>() * 8 >= MOST_PROCESSORS as usize);

    /// A thread that may be called.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Sleeper(libc::pid_t);

    impl Sleeper {
        pub(crate) fn current() -> Self {
            // SAFETY: no preconditions.
            Self(unsafe { libc::gettid() })
        }

        /// Keeps the thread off the caller's processor if it may run on another. It is to [`allow`] itself what
        /// this returns.
        pub(crate) fn keep_off(self) -> Processor {
            let own = processor();
            match affinity(self.0) {
                Some(mask) if own != 0 && holds_another(&mask, own) => {
                    let kept_off = set_affinity(self.0, &without(mask, own));
                    if kept_off { own } else { 0 }
                }
                _ => 0,
            }
        }
    }

    /// The one the calling thread runs on.
    pub(crate) fn processor() -> Processor {
        // SAFETY: no preconditions.
        let number = u32::try_from(unsafe { libc::sched_getcpu() });
        number.ok().filter(|&number| number < MOST_PROCESSORS).map_or(0, |number| number + 1)
    }

    /// Lets the calling thread run on this processor again.
    pub(crate) fn allow(processor: Processor) {
        if let (Some(mut mask), Some(number)) = (affinity(0), processor.checked_sub(1)) {
            // SAFETY: a processor's number is a bit of the mask.
            unsafe { libc::CPU_SET(number as usize, &mut mask) };
            set_affinity(0, &mask);
        }
    }

    fn holds_another(mask: &libc::cpu_set_t, processor: Processor) -> bool {
        // SAFETY: a processor's number is a bit of the mask.
        let holds_it = unsafe { libc::CPU_ISSET(processor as usize - 1, mask) };
        // SAFETY: reads the mask.
        holds_it && unsafe { libc::CPU_COUNT(mask) } > 1
    }

    fn without(mut mask: libc::cpu_set_t, processor: Processor) -> libc::cpu_set_t {
        // SAFETY: a processor's number is a bit of the mask.
        unsafe { libc::CPU_CLR(processor as usize - 1, &mut mask) };
        mask
    }

    /// On which processors a thread may run; 0 is the calling one.
    fn affinity(thread: libc::pid_t) -> Option<libc::cpu_set_t> {
        const SIZE: usize = size_of::<libc::cpu_set_t>();
        let mut mask = MaybeUninit::<libc::cpu_set_t>::zeroed();
        // SAFETY: writes at most the given size to memory of ours.
        let failed = unsafe { libc::sched_getaffinity(thread, SIZE, mask.as_mut_ptr()) };
        // SAFETY: all zero is a mask, whatever was written.
        (failed == 0).then(|| unsafe { mask.assume_init() })
    }

    fn set_affinity(thread: libc::pid_t, mask: &libc::cpu_set_t) -> bool {
        // SAFETY: reads the given size from a mask of ours.
        unsafe { libc::sched_setaffinity(thread, size_of::<libc::cpu_set_t>(), mask) == 0 }
    }
}

#[cfg(not(all(target_os = "linux", not(wyn_loom))))]
mod other {
    use super::Processor;

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Sleeper;

    impl Sleeper {
        pub(crate) fn current() -> Self {
            Self
        }

        pub(crate) fn keep_off(self) -> Processor {
            0
        }
    }

    pub(crate) fn processor() -> Processor {
        0
    }

    pub(crate) fn allow(_processor: Processor) {}
}
