//! The backends of the deque group: Wyn's two deques, one of them with both barriers, and crossbeam's.

#[cfg(feature = "wyn")]
#[path = "../../../../wyn-deque/benches/support/membarrier.rs"]
mod membarrier;
#[cfg(feature = "wyn")]
mod split;

use crate::record::{Cell, Line};
use crate::workloads::deque::deque;

/// Measures a deque cell on the backend of that name; `None` if this build has no such backend.
pub(super) fn run(backend: &str, cell: &Cell) -> Option<Line> {
    Some(match backend {
        #[cfg(feature = "wyn")]
        "wyn" if membarrier::Membarrier::register() => deque::<split::Split<membarrier::Membarrier>>(cell),
        #[cfg(feature = "wyn")]
        "wyn" => super::no_such_notion("the kernel has no membarrier"),
        #[cfg(feature = "wyn")]
        "wyn_fences" => deque::<split::Split<wyn_deque::split::Fences>>(cell),
        #[cfg(feature = "wyn")]
        "wyn_chase_lev" => deque::<ChaseLev>(cell),
        #[cfg(feature = "peer-crossbeam")]
        "crossbeam" => deque::<Crossbeam>(cell),
        _ => return None,
    })
}

/// A deque with the interface of crossbeam-deque.
macro_rules! chase_lev {
    ($name:ident, $krate:ident) => {
        struct $name($krate::Worker<u64>);

        impl crate::backend::Deque for $name {
            type Thief = $krate::Stealer<u64>;

            fn open() -> Self {
                $name($krate::Worker::new_lifo())
            }

            #[inline]
            fn push(&self, item: u64) {
                self.0.push(item);
            }

            #[inline]
            fn pop(&self) -> Option<u64> {
                self.0.pop()
            }

            fn thief(&self) -> Self::Thief {
                self.0.stealer()
            }

            #[inline]
            fn steal(thief: &Self::Thief) -> Option<u64> {
                thief.steal().success()
            }

            #[inline]
            fn steal_batch(thief: &Self::Thief, dest: &Self, limit: usize) -> Option<u64> {
                thief.steal_batch_with_limit_and_pop(&dest.0, limit).success()
            }
        }
    };
}

#[cfg(feature = "wyn")]
chase_lev!(ChaseLev, wyn_deque);
#[cfg(feature = "peer-crossbeam")]
chase_lev!(Crossbeam, crossbeam_deque);
