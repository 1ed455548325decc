//! How a thread takes tasks out of its own deque: the newest, and one that it waits for, wherever that lies.
//!
//! A task that is taken out of the middle leaves a *hole*, a task that does nothing. Pops and steals pass over holes. Tasks that
//! are awaited in the order in which they were spawned leave a row of holes, which is dropped at once when it comes to the end
//! of the deque; at the old end of the deque nothing is left, and near the new end the others move down.

use std::ptr::NonNull;

use wyn_future::cell::Header;

use super::Context;
use crate::barrier::Asymmetric;
use crate::task::TaskRef;

/// So many of its own newest tasks a thread looks through for one that it waits for: a microsecond or two, which is less than
/// it takes to park.
const SEARCHED_TASKS: usize = 2048;
/// Among so many of the newest tasks an awaited one is looked for first, and taken without leaving a hole.
const NEAR_TASKS: usize = 8;
/// So many such searches in a row are left out at most when the last ones were in vain.
const MOST_OMITTED: u32 = 255;

impl Context {
    /// The newest task of the own deque.
    #[inline]
    pub(crate) fn pop(&self) -> Option<TaskRef> {
        loop {
            let task = self.deque().pop()?;
            if task != self.hole {
                return Some(task);
            }
            self.pass_holes();
        }
    }

    /// Takes the holes off the end of the own deque. A thread that only waits for its tasks pops nothing else.
    fn drop_holes(&self) {
        while self.deque().take_newest_if(|task| task == self.hole).is_some() {
            self.pass_holes();
        }
    }

    /// The newest item was a hole, and has been popped: so are those below it, if they are known.
    #[cold]
    fn pass_holes(&self) {
        let (first, end) = self.holes.take();
        let newest = self.deque().position();
        if first != end && newest.wrapping_add(1) == end && newest != first {
            // If a thief is there, they are popped one by one.
            let _ = self.deque().forget_from(first);
        }
    }

    /// Whether this is what a task leaves behind that was taken out of the middle of a deque.
    pub(crate) fn is_hole(&self, task: TaskRef) -> bool {
        task == self.hole
    }

    /// Takes the task of this cell out of the own deque if it lies where tasks lie that are awaited in order.
    pub(crate) fn take_own(&self, cell: NonNull<Header>) -> Option<TaskRef> {
        let found = self.find_own(cell);
        self.call_after_take();
        found
    }

    #[inline]
    fn find_own(&self, cell: NonNull<Header>) -> Option<TaskRef> {
        let deque = self.deque();
        let is_it = |task: TaskRef| task.header() == cell;
        let next = self.next.get();
        if next != deque.oldest_position() {
            if let Some(task) = self.take_out_if(next, is_it) {
                return Some(task);
            }
            self.drop_holes();
        }
        if let Some(task) = deque.take_oldest_if(is_it) {
            self.next.set(deque.oldest_position());
            return Some(task);
        }
        self.take_near(is_it)
    }

    /// The same for one of the newest few.
    fn take_near(&self, is_it: impl Fn(TaskRef) -> bool) -> Option<TaskRef> {
        let deque = self.deque();
        let mut at = deque.position();
        // A branch is known to its frame by its position.
        let mut may_move = true;
        for _ in 0..NEAR_TASKS {
            at = at.wrapping_sub(1);
            let task = deque.peek(at)?;
            if is_it(task) {
                return if may_move { self.remove(at) } else { self.take_out_if(at, is_it) };
            }
            may_move &= !task.is_branch();
        }
        None
    }

    /// The same for one that lies at none of these places, and may lie in another deque: looks at the newest
    /// [`SEARCHED_TASKS`]. After looks in vain it looks less often.
    pub(crate) fn search_own(&self, cell: NonNull<Header>) -> Option<TaskRef> {
        let (vain, left) = self.searches.get();
        if left > 0 {
            self.searches.set((vain, left - 1));
            return None;
        }
        let deque = self.deque();
        let newest = deque.position().wrapping_sub(1);
        let lies_at = |at: usize| deque.peek(at).is_some_and(|task| task.header() == cell);
        let found = (0..SEARCHED_TASKS.min(deque.len()))
            .map(|back| newest.wrapping_sub(back))
            .find(|&at| lies_at(at));
        let vain = if found.is_some() { 0 } else { (2 * vain + 1).min(MOST_OMITTED) };
        self.searches.set((vain, vain));
        self.take_out(found?).filter(|task| task.header() == cell)
    }

    /// Takes the task at this position out of the own deque if it is this one.
    pub(crate) fn take_at(&self, position: usize, task: TaskRef) -> bool {
        self.deque().peek(position) == Some(task) && self.take_out(position).is_some()
    }

    /// Takes the task at this position out of the own deque, and leaves a hole.
    fn take_out(&self, position: usize) -> Option<TaskRef> {
        let task = self.take_out_if(position, |_| true);
        self.call_after_take();
        task
    }

    /// The same if `wanted` says so.
    #[inline]
    fn take_out_if(&self, position: usize, wanted: impl FnOnce(TaskRef) -> bool) -> Option<TaskRef> {
        let task = self.deque().take_at_if(position, self.hole, wanted)?;
        let above = position.wrapping_add(1);
        self.next.set(above);
        // The newest leaves none.
        if self.deque().position() != position {
            let (first, end) = self.holes.get();
            self.holes.set(if end == position && first != end { (first, above) } else { (position, above) });
        }
        Some(task)
    }

    /// Takes the task at this position out of the own deque; those above it move down.
    fn remove(&self, position: usize) -> Option<TaskRef> {
        let task = self.deque().remove(position)?;
        // Those above have moved: the next one lies here.
        self.holes.set((0, 0));
        self.next.set(position);
        Some(task)
    }

    /// To thieves the tasks above one that was taken were gone for a moment, and have been pushed anew: the last worker to lie
    /// down may have missed them.
    #[inline]
    fn call_after_take(&self) {
        Asymmetric::light();
        if self.shared.roster.may_need_call() && !self.deque().is_empty() {
            self.call_for_push::<false>();
        }
    }

    /// Takes the task of this cell if it is the newest of this thread. Else the caller looks [further](Self::take_own), which
    /// also sees to a sleeper who has missed the newest task meanwhile.
    #[inline(always)]
    pub(crate) fn take_newest(&self, cell: NonNull<Header>) -> Option<TaskRef> {
        self.deque().take_newest_if(|task| task.header() == cell)
    }
}
