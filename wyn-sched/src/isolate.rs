//! `isolate`: waits that run nothing from outside.

use crate::context;
use crate::family::Family;

/// Calls `f`; what waits inside it runs only what was started inside it.
///
/// A thread that waits in [`join`](crate::join), [`scope`](crate::scope) or
/// [`JoinHandle::join`](crate::JoinHandle::join) runs other work of the same computation meanwhile, on top of its
/// stack. If that work takes a lock which the waiting code holds, the thread meets its own lock. Around such
/// a wait goes `isolate`:
///
/// ```
/// use std::sync::Mutex;
///
/// let total = Mutex::new(0);
/// let work = || {
///     let mut held = total.lock().unwrap();
///     // Without `isolate`, the wait in here might run the other branch below, which wants `total`.
///     let (a, b) = wyn_sched::isolate(|| wyn_sched::join(|| 1, || 2));
///     *held += a + b;
/// };
/// wyn_sched::join(work, work);
/// assert_eq!(total.into_inner().unwrap(), 6);
/// ```
///
/// Other threads run what was started inside as ever. A thread that may not help parks, and another takes its
/// place.
pub fn isolate<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    let Some(context) = context::ambient() else {
        return f();
    };
    // An address that nothing else has while `f` runs.
    let mark = 0_u8;
    // SAFETY: it stays while this frame does.
    let _inside = unsafe { context.as_ref() }.isolate(Family::of(&raw const mark));
    f()
}
