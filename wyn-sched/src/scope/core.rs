//! What a scope and its children share: to whom they belong, how many are left, and the first panic.

use std::any::Any;
use std::panic::resume_unwind;
use std::ptr;

use wyn_future::cell::{Header, Outcome};

use super::count::Count;
use crate::barrier::Asymmetric;
use crate::context::{self, Context};
use crate::fork;
use crate::lineage::Node;
use crate::sync::{Mutex, lock};
use crate::task;

/// What a scope and its children share. Lives in the frame that opened the scope, which waits for all of them.
#[repr(C)]
pub(super) struct Core {
    /// First: children carry the address of the core, and [`task::TaskRef::node`] takes it for that of the node.
    node: Node,
    /// The context of the thread that opened the scope; null if it has none.
    home: *const Context,
    count: Count,
    /// What the last child completes.
    done: Header,
    /// What the first panic left.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `home` is compared, not followed; the rest is `Sync`.
unsafe impl Sync for Core {}
// SAFETY: as above, and a core is only shared, never moved, while there are children.
unsafe impl Send for Core {}

impl Core {
    pub(super) fn new(context: Option<&Context>) -> Self {
        let never_called: fn() = || ();
        Self {
            node: Node::below(context.map_or(ptr::null(), Context::node)),
            home: context.map_or(ptr::null(), ptr::from_ref),
            count: Count::new(),
            done: Header::new(never_called as *mut (), None),
            panic: Mutex::new(None),
        }
    }

    /// Whether the calling thread is the home.
    #[inline(always)]
    fn is_home(&self) -> bool {
        !self.home.is_null() && ptr::eq(context::running(), self.home)
    }

    /// Counts a child. For the scope's own frame, and for its children.
    #[inline]
    pub(super) fn begin(&self) {
        // SAFETY: one thread at most is the home; the caller is the scope itself or a child that is counted.
        unsafe { self.count.begin(self.is_home()) };
    }

    /// Counts a child out.
    ///
    /// # Safety
    /// `this` is alive; after the call it may be gone.
    #[inline]
    pub(super) unsafe fn end(this: *const Self) {
        // SAFETY: by contract.
        let core = unsafe { &*this };
        let done = &raw const core.done;
        // LAST TOUCH: unless it was the last of a folded count, the scope may end here.
        // SAFETY: one thread at most is the home; a child that was counted ends once.
        let is_last = unsafe { Count::end(&raw const core.count, core.is_home()) };
        if is_last {
            // LAST TOUCH: the scope waits for this completion. The handle's side never goes away before.
            // SAFETY: only the last child of a folded count comes here, once.
            let _ = unsafe { Header::complete::<Asymmetric>(done, Outcome::Value) };
        }
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

    /// Waits for all children. `position` is where the deque was when the scope was opened. Children may lie lower, if a task from
    /// before the scope was joined inside.
    pub(super) fn wait(&self, context: Option<&Context>, position: usize) {
        let Some(context) = context else {
            // SAFETY: without a context there is no home.
            if unsafe { self.count.fold() } {
                // SAFETY: this frame is the only one that waits.
                unsafe { self.done.park::<Asymmetric>(None) };
            }
            return;
        };
        let _stays = context.stay();
        // SAFETY: this thread is the home.
        while unsafe { self.count.pending() } != 0 {
            let task = context.has_stack().then(|| context.pop()).flatten();
            match task {
                Some(task) if task.is_below(&raw const self.node) => {
                    context.run_in(task, task.node());
                    continue;
                }
                // Left behind by a child, and waited for by others if by anybody.
                Some(task) if context.deque().position().wrapping_sub(position).cast_signed() >= 0 => {
                    context.shared.inject(task);
                    continue;
                }
                // From before the scope, whose other children are elsewhere.
                Some(task) => context.push(task),
                None => {}
            }
            // SAFETY: as above.
            if unsafe { self.count.fold() } {
                fork::wait(context, &self.done, &raw const self.node);
            }
            return;
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
