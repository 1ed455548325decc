//! How much stack the calling thread has left before it must stop running other tasks on top of its own.

/// Never let a helper run below this many bytes of stack.
const LEAST: usize = 64 * 1024;
/// Assumed where the system does not say: what is left when the thread first comes to a runtime.
const ASSUMED: usize = 512 * 1024;

/// The lowest stack address at which the calling thread may still start a task it helps with: a quarter of
/// the stack is kept for the task itself.
pub(crate) fn limit() -> usize {
    match bounds() {
        Some((low, size)) => low + (size / 4).max(LEAST).min(size / 2),
        None => here().saturating_sub(ASSUMED),
    }
}

/// About where the stack pointer is.
#[inline(always)]
pub(crate) fn here() -> usize {
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
