//! Those who wait at one end of a [`Ring`](super::Ring), and the flag that keeps the other end from looking.
//!
//! A sender that has put a message must not miss a receiver that goes to sleep, and the other way round:
//!
//! | who comes | who goes to sleep |
//! |---|---|
//! | moves `tail` (or `head`), SeqCst | joins the list, `occupied` = true, SeqCst |
//! | looks at `occupied`, SeqCst | looks at `tail` and `head` once more, SeqCst |
//!
//! The excluded outcome is that both see nothing: the four accesses are in one total order. The look once more
//! counts a position that is claimed but not filled yet as filled, so it need not see the stamp.
//!
//! A sender that wants room is called one at a time, if it is a thread that goes on at once (`Role::Prompt`): until it
//! has, moves of the other side call nobody, for the places it does not take are passed on by itself. A receiver that
//! empties a full ring thus wakes one thread where it would wake one for each place. Who says that it goes on is in the
//! right column: `occupied` = true, then the look.
//!
//! | site | ordering | partner | what a model says if it is weakened |
//! |---|---|---|---|
//! | `enlist`, store | SeqCst | the exchange in `claim_send`, `claim_recv` | `ring_a_message_alone_wakes` deadlocks (`side-sleeper`) |
//! | `arrive`, store | SeqCst | as `enlist` | nothing; without the look that follows `ring_two_wait_for_room` deadlocks (`pass-on-call`) |
//! | `is_occupied`, load | SeqCst | `enlist` | `ring_a_message_alone_wakes` deadlocks (`side-peer`) |

use std::ptr;

use crate::list::{Role, WaitList, Waiter, Wakes};
use crate::lock::ShortLock;
use crate::sync::{AtomicBool, Ordering, Padded, seq_cst_for_models};
use crate::wait::Outcome;

/// One end's waiters.
#[derive(Debug)]
pub(super) struct Side {
    inner: Padded<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Whether there is somebody to call. Written under the lock.
    occupied: AtomicBool,
    queue: ShortLock<Queue>,
}

#[derive(Debug)]
struct Queue {
    list: WaitList,
    /// A `Prompt` waiter has been called and has not said yet that it goes on: nobody else is called meanwhile.
    coming: bool,
}

impl Queue {
    fn wants_call(&self) -> bool {
        !self.coming && !self.list.is_empty()
    }
}

impl Side {
    pub(super) fn new() -> Self {
        let queue = Queue { list: WaitList::new(), coming: false };
        let inner = Inner { occupied: AtomicBool::new(false), queue: ShortLock::new(queue) };
        Self { inner: Padded(inner) }
    }

    /// Joins the list. The caller looks at the ring once more before it sleeps.
    ///
    /// # Safety
    /// As for [`WaitList::push`].
    pub(super) unsafe fn enlist(&self, waiter: *const Waiter) {
        let mut queue = self.inner.queue.lock();
        // SAFETY: the caller's contract.
        unsafe { queue.list.push(waiter) };
        // Ordering: SeqCst: see the table: before the look that follows, in the order of all.
        self.inner.occupied.store(queue.wants_call(), Ordering::SeqCst);
        drop(queue);
        seq_cst_for_models("side-sleeper");
    }

    /// Leaves the list; `false` if the waiter has been claimed.
    pub(super) fn delist(&self, waiter: &Waiter) -> bool {
        let mut queue = self.inner.queue.lock();
        // SAFETY: it is in this list or in none.
        let removed = unsafe { queue.list.remove(waiter) };
        // Ordering: SeqCst: as in `enlist`; a stale `true` costs a look only.
        self.inner.occupied.store(queue.wants_call(), Ordering::SeqCst);
        removed
    }

    /// Says that a `Prompt` waiter that was called goes on. The caller looks at the ring once more afterwards, for
    /// those who were not called meanwhile.
    pub(super) fn arrive(&self) {
        let mut queue = self.inner.queue.lock();
        queue.coming = false;
        // Ordering: SeqCst: as in `enlist`.
        self.inner.occupied.store(queue.wants_call(), Ordering::SeqCst);
        drop(queue);
        seq_cst_for_models("side-arrival");
    }

    /// Wakes the oldest waiter, and whoever waits for news.
    #[inline]
    pub(super) fn notify_one(&self) {
        if self.is_occupied() {
            self.notify_slow();
        }
    }

    #[cold]
    #[inline(never)]
    fn notify_slow(&self) {
        let mut wakes = Wakes::default();
        self.call(&mut wakes);
        wakes.send();
    }

    /// As [`notify_one`](Self::notify_one), for a caller who sends the wake-ups himself.
    pub(super) fn call_one(&self, wakes: &mut Wakes) {
        if self.is_occupied() {
            self.call(wakes);
        }
    }

    #[inline]
    fn is_occupied(&self) -> bool {
        seq_cst_for_models("side-peer");
        // Ordering: SeqCst: see the table: after the exchange that moved the position, in the order of all.
        self.inner.occupied.load(Ordering::SeqCst)
    }

    fn call(&self, wakes: &mut Wakes) {
        let mut queue = self.inner.queue.lock();
        if queue.coming {
            return;
        }
        queue.list.notify_watchers(wakes);
        let claimed = queue.list.claim_first(ptr::null());
        queue.coming = claimed.as_ref().is_some_and(|claimed| claimed.role() == Role::Prompt);
        // Ordering: SeqCst: as in `delist`.
        self.inner.occupied.store(queue.wants_call(), Ordering::SeqCst);
        drop(queue);
        if let Some(claimed) = claimed {
            wakes.add(claimed.finish(Outcome::Served));
        }
    }

    /// Wakes everybody.
    pub(super) fn disconnect(&self) {
        let mut wakes = Wakes::default();
        let mut queue = self.inner.queue.lock();
        queue.list.disconnect(&mut wakes);
        // Ordering: SeqCst: as in `delist`.
        self.inner.occupied.store(false, Ordering::SeqCst);
        drop(queue);
        wakes.send();
    }
}
