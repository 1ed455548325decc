//! `isolate`: for code that comes from a runtime whose waits run other work.

/// Calls `f`.
///
/// Elsewhere (in oneTBB, say) such a function keeps the waits inside `f` from running work that was started outside of it. In
/// Wyn no wait does so: a thread that waits for [`join`](crate::join) or [`scope`](crate::scope()) runs only what these wait for,
/// and one that waits for a [`JoinHandle`](crate::JoinHandle::join) only that task. So a lock may be held across a wait as it may
/// be held across a call, and there is nothing to isolate.
///
/// ```
/// use std::sync::Mutex;
///
/// let total = Mutex::new(0);
/// let work = || {
///     let mut held = total.lock().unwrap();
///     let (a, b) = wyn_sched::isolate(|| wyn_sched::join(|| 1, || 2));
///     *held += a + b;
/// };
/// wyn_sched::join(work, work);
/// assert_eq!(total.into_inner().unwrap(), 6);
/// ```
#[inline]
pub fn isolate<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    f()
}
