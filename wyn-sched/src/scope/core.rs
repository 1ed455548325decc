//! How a scope knows that its children have ended.
//!
//! The children are counted in two parts. What is spawned and what ends on the thread that opened the scope, its
//! *home*, is counted in a plain cell; all else in an atomic. A child that is spawned and run at home costs no
//! locked instruction; one that is stolen costs one, when it ends. Only the sum means something, and only the
//! home can know it: until it has nothing to run any more and *folds* its part into the atomic, whose last child
//! then completes [`Core::done`].
//!
//! | `away` | meaning |
//! |---|---|
//! | bit 0 | folded: the whole count is here, and the last child completes `done` |
//! | from bit 1 | spawned less ended, elsewhere than at home; once folded, everywhere |
//!
//! | site | ordering | partner | what it carries |
//! |---|---|---|---|
//! | `end`, subtraction | `AcqRel` | `pending`, `fold`, `end` | what the child did, to the scope; the last child's right to complete |
//! | `pending`, load | Acquire | `end` | the same |
//! | `fold`, addition | `AcqRel` | `end` | the same, and `done` to the last child |
//! | `begin`, addition | Relaxed | | nothing: the spawner is counted itself, or is the home |

use std::any::Any;
use std::cell::Cell;
use std::panic::resume_unwind;
use std::ptr;

use wyn_future::cell::{Header, Outcome};

use crate::barrier::Asymmetric;
use crate::context::{self, Context};
use crate::family::Family;
use crate::fork;
use crate::sync::{AtomicIsize, Mutex, Ordering, lock};
use crate::task;

const FOLDED: isize = 1;
const CHILD: isize = 2;

/// What a scope and its children share. Lives in the frame that opened the scope, which waits for all of them.
#[repr(C)]
pub(super) struct Core {
    /// First: children carry the address of the core, where [`task::TaskRef::family`] reads it.
    family: Family,
    /// The context of the thread that opened the scope; null if it has none.
    home: *const Context,
    /// Home only: spawned less ended there.
    at_home: Cell<isize>,
    /// Home only: `at_home` is not used any more.
    is_folded: Cell<bool>,
    away: AtomicIsize,
    /// What the last child completes.
    done: Header,
    /// What the first panic left.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: the cells are used only by the thread whose running context is `home`; the rest is atomics and a lock.
unsafe impl Sync for Core {}
// SAFETY: a core is only shared, never moved, while there are children; without, it is plain data, and `home` is
// compared, not followed.
unsafe impl Send for Core {}

impl Core {
    pub(super) fn new(context: Option<&Context>) -> Self {
        let never_called: fn() = || ();
        Self {
            family: context.map_or(Family::of(ptr::null::<Context>()), Context::family),
            home: context.map_or(ptr::null(), ptr::from_ref),
            at_home: Cell::new(0),
            is_folded: Cell::new(false),
            away: AtomicIsize::new(0),
            done: Header::new(never_called as *mut (), None),
            panic: Mutex::new(None),
        }
    }

    #[inline(always)]
    fn counts_at_home(&self) -> bool {
        // The second look is the home's alone.
        !self.home.is_null() && ptr::eq(context::running(), self.home) && !self.is_folded.get()
    }

    /// Counts a child. For the scope's own frame, and for its children.
    #[inline]
    pub(super) fn begin(&self) {
        if self.counts_at_home() {
            self.at_home.set(self.at_home.get() + 1);
        } else {
            // Ordering: Relaxed: the spawner is counted or is the scope itself, so the count cannot end meanwhile.
            self.away.fetch_add(CHILD, Ordering::Relaxed);
        }
    }

    /// Counts a child out.
    ///
    /// # Safety
    /// `this` is alive; after the call it may be gone.
    #[inline]
    pub(super) unsafe fn end(this: *const Self) {
        // SAFETY: by contract.
        let core = unsafe { &*this };
        if core.counts_at_home() {
            core.at_home.set(core.at_home.get() - 1);
            return;
        }
        let done = &raw const core.done;
        // Ordering: AcqRel: pairs with the Acquire in `pending` and `fold`: what this child did; and what others did,
        // for the one that completes.
        // LAST TOUCH: unless it was the last of a folded count, the scope may end here.
        let before = core.away.fetch_sub(CHILD, Ordering::AcqRel);
        if before == CHILD + FOLDED {
            // LAST TOUCH: the scope waits for this completion. The handle's side never goes away before.
            // SAFETY: only the last child of a folded count comes here, once.
            let _ = unsafe { Header::complete::<Asymmetric>(done, Outcome::Value) };
        }
    }

    /// How many children have not ended, before the count is folded. Home only.
    fn pending(&self) -> isize {
        // Ordering: Acquire: pairs with the subtraction in `end`.
        self.at_home.get() + self.away.load(Ordering::Acquire) / CHILD
    }

    /// Moves the whole count to `away`; whether any child is left.
    fn fold(&self) -> bool {
        self.is_folded.set(true);
        let own = self.at_home.get() * CHILD + FOLDED;
        // Ordering: AcqRel: pairs with the subtraction in `end`, both ways.
        self.away.fetch_add(own, Ordering::AcqRel) + own != FOLDED
    }

    /// Keeps the first panic.
    #[cold]
    pub(super) fn record(&self, panic: Box<dyn Any + Send>) {
        let mut first = lock(&self.panic);
        if first.is_none() {
            *first = Some(panic);
        } else {
            drop(first);
            task::contain(|| drop(panic));
        }
    }

    /// Waits for all children. `position` is where the deque was when the scope was opened.
    pub(super) fn wait(&self, context: Option<&Context>, position: usize) {
        let Some(context) = context else {
            if self.fold() {
                // SAFETY: this frame is the only one that waits.
                unsafe { self.done.park::<Asymmetric>(None) };
            }
            return;
        };
        while self.pending() != 0 {
            let is_above = context.deque().position().wrapping_sub(position).cast_signed() > 0;
            let task = (is_above && context.has_stack()).then(|| context.deque().pop()).flatten();
            match task {
                Some(task) => context.run(task),
                None if self.fold() => return fork::wait(context, &self.done, position),
                None => return,
            }
        }
    }

    /// Goes on with the first panic, if there was one.
    pub(super) fn resume(&self) {
        let panic = lock(&self.panic).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}
