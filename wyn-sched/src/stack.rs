//! How much stack the calling thread has left before it must stop running other tasks on top of its own.

use std::cell::Cell;

/// Never let a helper run below this many bytes of stack.
const LEAST: usize = 64 * 1024;
/// Assumed where the system does not say: what is left when the thread first comes to a runtime.
const ASSUMED: usize = 512 * 1024;

/// So much below the frame in which a thread first comes to a runtime nobody asks how much there is: asking
/// costs the main thread of a process 50 microseconds, since the C library reads it from `/proc`.
const UNASKED: usize = 4 * 1024;

/// The lowest stack address at which the owning thread may still start a task it helps with: a quarter of the
/// stack is kept for the task itself. Looked up when it is first needed.
#[derive(Debug)]
pub(crate) struct Limit {
    address: Cell<usize>,
    is_exact: Cell<bool>,
}

impl Limit {
    /// For the calling thread.
    pub(crate) fn new() -> Self {
        Self { address: Cell::new(here().saturating_sub(UNASKED)), is_exact: Cell::new(false) }
    }

    /// Whether the calling thread, which must be the one this was made for, is above its limit.
    #[inline(always)]
    pub(crate) fn is_above(&self) -> bool {
        here() > self.address.get() || self.is_above_exact()
    }

    #[cold]
    #[inline(never)]
    fn is_above_exact(&self) -> bool {
        if !self.is_exact.replace(true) {
            self.address.set(match bounds() {
                Some((low, size)) => low + (size / 4).max(LEAST).min(size / 2),
                None => (self.address.get() + UNASKED).saturating_sub(ASSUMED),
            });
        }
        here() > self.address.get()
    }
}

/// About where the stack pointer is.
#[inline(always)]
fn here() -> usize {
    let marker = 0_u8;
    (&raw const marker).addr()
}

/// Lowest address and size of the calling thread's stack.
#[cfg(target_os = "linux")]
fn bounds() -> Option<(usize, usize)> {
    let mut attr = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: no preconditions.
    let own = unsafe { libc::pthread_self() };
    // SAFETY: writes the attributes of the calling thread, which exists.
    if unsafe { libc::pthread_getattr_np(own, attr.as_mut_ptr()) } != 0 {
        return None;
    }
    let (mut low, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: initialised above; the out-pointers are ours.
    let known = unsafe { libc::pthread_attr_getstack(attr.as_ptr(), &raw mut low, &raw mut size) } == 0;
    // SAFETY: initialised above, destroyed once.
    unsafe { libc::pthread_attr_destroy(attr.as_mut_ptr()) };
    (known && size > LEAST).then(|| (low.addr(), size))
}

#[cfg(not(target_os = "linux"))]
fn bounds() -> Option<(usize, usize)> {
    None
}
