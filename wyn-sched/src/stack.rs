//! How much stack the calling thread has left before it must stop running other tasks on top of its own.
//!
//! A thread may be on another stack than the one it was born with: a coroutine's, or one that `stacker::grow` has made.
//! Such a stack may be gone as soon as the frames on it are, and another may lie at its addresses next, with other bounds.
//! So the check trusts two stacks only: the thread's own, and the one that a [`Stay`] is on, as long as it is there.
//!
//! | the stack pointer is | the check says | at the price of |
//! |---|---|---|
//! | in the thread's own stack, or in that of a [`Stay`], above the part that is kept | yes | one comparison |
//! | in the part of the own stack that is kept | no | a call |
//! | elsewhere | no, until somebody [stays](Limit::stay) | a call |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

use std::cell::Cell;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

/// Never let a helper run below this many bytes of stack: the runtime's own calls need about half in a debug build.
const LEAST: usize = 64 * 1024;
/// A frame that stays on a stack may reach so far above the place where it says so.
const FRAME: usize = 1024;
/// How many foreign stacks a thread remembers.
const REMEMBERED: usize = 4;

/// Addresses from `low` up to below `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    low: usize,
    high: usize,
}

impl Bounds {
    const NONE: Self = Self { low: 0, high: 0 };

    fn contains(self, address: usize) -> bool {
        (self.low..self.high).contains(&address)
    }

    /// The part of a stack in which a task may be started: a quarter is kept for the task itself, [`LEAST`] at least. Of a
    /// small stack half; one that is smaller than that is kept as a whole.
    fn above_kept(self) -> Self {
        let size = self.high - self.low;
        let kept = if size <= LEAST { size } else { (size / 4).max(LEAST).min(size / 2) };
        Self { low: self.low + kept, ..self }
    }
}

/// Where the owning thread may start a task that it helps with.
#[derive(Debug)]
pub(crate) struct Limit {
    /// The lowest such address of the stack that the thread was on last, and how many there are.
    low: Cell<usize>,
    span: Cell<usize>,
    /// The thread's own stack; looked up when it is first needed.
    own: Cell<Option<Bounds>>,
    /// Foreign stacks that were looked up, the latest first. They may be gone by now.
    seen: Cell<[Bounds; REMEMBERED]>,
}

impl Limit {
    /// For the calling thread.
    pub(crate) fn new() -> Self {
        Self {
            low: Cell::new(0),
            span: Cell::new(0),
            own: Cell::new(None),
            seen: Cell::new([Bounds::NONE; REMEMBERED]),
        }
    }

    /// Whether the calling thread, which must be the one this was made for, is above its limit.
    #[inline(always)]
    pub(crate) fn is_above(&self) -> bool {
        here().wrapping_sub(self.low.get()) < self.span.get() || self.is_above_on_own()
    }

    /// Until the guard is dropped, the stack that the caller is on is as good as the thread's own. The guard stays in the
    /// caller's frame.
    #[inline]
    pub(crate) fn stay(&self) -> Stay<'_> {
        let is_known = self.is_above() || !self.borrow_foreign();
        Stay((!is_known).then_some(self))
    }

    #[cold]
    #[inline(never)]
    fn is_above_on_own(&self) -> bool {
        let here = here();
        if let Some(top) = self.own.get().is_none().then(|| system::top_of_main(here)).flatten() {
            self.trust(top);
            return true;
        }
        let own = self.own();
        if !own.contains(here) {
            return false;
        }
        self.trust(own.above_kept());
        here >= own.above_kept().low
    }

    fn own(&self) -> Bounds {
        self.own.get().unwrap_or_else(|| {
            let own = system::own().unwrap_or(Bounds::NONE);
            self.own.set(Some(own));
            own
        })
    }

    /// Trusts the stack that the caller is on, if it is a foreign one and there is enough left of it.
    #[cold]
    #[inline(never)]
    fn borrow_foreign(&self) -> bool {
        let here = here();
        if self.own().contains(here) {
            return false;
        }
        let seen = self.seen.get();
        let known =
            seen.into_iter().find(|known| known.contains(here) && system::is_one_mapping(known.low, here));
        let Some(stack) = known.or_else(|| system::mapping(here)) else { return false };
        if known.is_none() {
            self.seen.set([stack, seen[0], seen[1], seen[2]]);
        }
        // Calls are below this frame; what lies above may be another stack, if none but its own end is guarded.
        let usable = Bounds { high: stack.high.min(here.saturating_add(FRAME)), ..stack.above_kept() };
        if !usable.contains(here) {
            return false;
        }
        self.trust(usable);
        true
    }

    fn trust(&self, usable: Bounds) {
        self.low.set(usable.low);
        self.span.set(usable.high.saturating_sub(usable.low));
    }
}

/// See [`Limit::stay`]: while this is there, so is the frame that has it, and the stack that the frame is on.
///
/// What was trusted before is not trusted again when this goes, since it may be gone by then: whoever switches between
/// stacks need not leave them in order. The next check looks it up.
#[must_use = "the stack is not trusted any more when this is dropped"]
pub(crate) struct Stay<'a>(Option<&'a Limit>);

impl Stay<'_> {
    /// Whether the caller is on a foreign stack, and nobody has stayed there before.
    pub(crate) fn is_first_on_foreign(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Stay<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(limit) = self.0 {
            limit.trust(Bounds::NONE);
        }
    }
}

/// About where the stack pointer is.
#[inline(always)]
fn here() -> usize {
    let marker = 0_u8;
    (&raw const marker).addr()
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
