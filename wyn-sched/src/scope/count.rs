//! How a scope knows that its children have ended.
//!
//! The children are counted in two parts. What is spawned and what ends on the thread that opened the scope, its
//! *home*, is counted in a plain cell; all else in an atomic. A child that is spawned and run at home costs no
//! locked instruction; one that is stolen costs one, when it ends. Only the sum means something, and only the
//! home can know it: until it has nothing to run any more and *folds* its part into the atomic, whose last child
//! then says that it is the last.
//!
//! | `away` | meaning |
//! |---|---|
//! | bit 0 | folded: the whole count is here, and the last child says so |
//! | from bit 1 | spawned less ended, elsewhere than at home; once folded, everywhere |
//!
//! | site | ordering | partner | what it carries | mutant: model that dies |
//! |---|---|---|---|---|
//! | `end`, subtraction | `AcqRel` | `pending`, `fold`, `end` | what the child did, to the scope, or to the last child, who speaks for it | Release: `the_last_child_speaks_for_all`; Acquire: that and more |
//! | `pending`, load | Acquire | `end` | the same | Relaxed: `a_count_that_is_never_folded` and more |
//! | `fold`, addition | Acquire | `end` | the same | Relaxed: `the_last_child_may_end_before_the_fold` and more |
//! | `begin`, addition | Relaxed | | nothing: the spawner is counted itself, or is the home | left out: `a_grandchild_ends_at_home_after_the_fold` |

use std::cell::Cell;

use crate::sync::{AtomicIsize, Ordering};

const FOLDED: isize = 1;
const CHILD: isize = 2;

/// The children that have not ended.
pub(super) struct Count {
    /// Home only: spawned less ended there.
    at_home: Cell<isize>,
    /// Home only: `at_home` is not used any more.
    is_folded: Cell<bool>,
    away: AtomicIsize,
}

// SAFETY: the cells are used only by the home, as the contracts of the methods say.
unsafe impl Sync for Count {}

impl Count {
    pub(super) fn new() -> Self {
        Self { at_home: Cell::new(0), is_folded: Cell::new(false), away: AtomicIsize::new(0) }
    }

    /// Counts a child.
    ///
    /// # Safety
    /// At most one thread says that it is the home. The caller is the home, or a child that is counted itself.
    #[inline(always)]
    pub(super) unsafe fn begin(&self, is_home: bool) {
        if is_home && !self.is_folded.get() {
            self.at_home.set(self.at_home.get() + 1);
        } else {
            // Ordering: Relaxed: the spawner is counted or is the scope itself, so the count cannot end meanwhile.
            self.away.fetch_add(CHILD, Ordering::Relaxed);
        }
    }

    /// Counts a child out; whether it was the last of a folded count. If not, the count may be gone.
    ///
    /// # Safety
    /// As [`begin`](Self::begin); `this` is alive, and the child has been counted and has not been counted out.
    #[inline(always)]
    pub(super) unsafe fn end(this: *const Self, is_home: bool) -> bool {
        // SAFETY: by contract.
        let count = unsafe { &*this };
        if is_home && !count.is_folded.get() {
            count.at_home.set(count.at_home.get() - 1);
            return false;
        }
        // Ordering: AcqRel: pairs with the Acquire in `pending` and `fold`: what this child did; and what others did,
        // for the one that is last.
        // LAST TOUCH: unless it is the last of a folded count.
        count.away.fetch_sub(CHILD, Ordering::AcqRel) == CHILD + FOLDED
    }

    /// How many children have not ended.
    ///
    /// # Safety
    /// The caller is the home, and has not folded the count.
    pub(super) unsafe fn pending(&self) -> isize {
        // Ordering: Acquire: pairs with the subtraction in `end`.
        self.at_home.get() + self.away.load(Ordering::Acquire) / CHILD
    }

    /// Moves the whole count to `away`; whether any child is left, the last of which will say so.
    ///
    /// # Safety
    /// As [`pending`](Self::pending), or there is no home; once.
    pub(super) unsafe fn fold(&self) -> bool {
        self.is_folded.set(true);
        let own = self.at_home.get() * CHILD + FOLDED;
        // Ordering: Acquire: pairs with the subtraction in `end`.
        self.away.fetch_add(own, Ordering::Acquire) + own != FOLDED
    }
}
