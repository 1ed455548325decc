//! [`Barrier`]: how a store and a later load of two threads are kept in order.

use crate::sync::{Ordering, fence};

/// The pair of barriers in which the owner and a thief meet.
///
/// Both store one word and then load the other's; the barrier between the two excludes that both miss
/// the other's store. [`Fences`] is two full fences. Where a process-wide barrier exists (Linux:
/// `membarrier` with `PRIVATE_EXPEDITED`), `heavy` can be that call and `light` a compiler fence: the
/// owner then pays nothing.
///
/// # Safety
/// * For each call of `light` on one thread and each call of `heavy` on another: either what the first
///   thread stored before `light` is seen by the second after `heavy`, or what the second stored before
///   `heavy` is seen by the first after `light` (in each case the store or a later one to that word).
/// * `heavy` also is a sequentially consistent fence of its own thread, as a system call that executes a
///   full barrier is.
/// * The compiler moves no memory access over either.
/// * Neither unwinds.
#[allow(unsafe_code, reason = "an unsafe trait to implement, not an unsafe operation")]
pub unsafe trait Barrier: 'static {
    /// The owner's side, in each pop.
    fn light();

    /// The thieves' side, in each claim that the owner does not answer.
    fn heavy();

    /// How often a thief looks for the owner's answer, some 10 ns apart, before it gives up and runs `heavy`.
    ///
    /// It is not asked about an owner that was silent before and has not moved since: that one is hardly waited for.
    /// A thief should wait about as long as `heavy` costs all whom it disturbs: an answer costs next to nothing,
    /// and an owner gives it with its next operation.
    fn patience() -> u32 {
        150
    }
}

/// The portable [`Barrier`]: a sequentially consistent fence on both sides.
#[derive(Debug)]
pub struct Fences;

// SAFETY: of two SeqCst fences one comes first in their single order, and a load after the other one
// sees the stores before it. It is a fence of its own thread. Fences are compiler barriers too and do not unwind.
#[allow(unsafe_code, reason = "discharges the contract of `Barrier`")]
unsafe impl Barrier for Fences {
    #[inline]
    fn light() {
        // Ordering: SeqCst, pairs with the fence in `heavy`: excludes that the owner takes an item by
        // an old `split` while a thief confirms a claim on it by an old `head`.
        fence(Ordering::SeqCst);
    }

    #[inline]
    fn heavy() {
        // Ordering: SeqCst, pairs with the fence in `light`, see there.
        fence(Ordering::SeqCst);
    }
}
