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
//! | site | ordering | partner | what a model says if it is weakened |
//! |---|---|---|---|
//! | `enlist`, store | SeqCst | the exchange in `claim_send`, `claim_recv` | `ring_of_one_hands_over` deadlocks (`side-sleeper`) |
//! | `notify_one`, load | SeqCst | `enlist` | `ring_of_one_hands_over` deadlocks (`side-peer`) |

use std::ptr;

use crate::list::{WaitList, Waiter, Wakes};
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
    /// Whether anybody is in the list. Written under the lock.
    occupied: AtomicBool,
    list: ShortLock<WaitList>,
}

impl Side {
    pub(super) fn new() -> Self {
        let inner = Inner { occupied: AtomicBool::new(false), list: ShortLock::new(WaitList::new()) };
        Self { inner: Padded(inner) }
    }

    /// Joins the list. The caller looks at the ring once more before it sleeps.
    ///
    /// # Safety
    /// As for [`WaitList::push`].
    pub(super) unsafe fn enlist(&self, waiter: *const Waiter) {
        let mut list = self.inner.list.lock();
        // SAFETY: the caller's contract.
        unsafe { list.push(waiter) };
        // Ordering: SeqCst: see the table: before the look that follows, in the order of all.
        self.inner.occupied.store(true, Ordering::SeqCst);
        drop(list);
        seq_cst_for_models("side-sleeper");
    }

    /// Leaves the list; `false` if the waiter has been claimed.
    pub(super) fn delist(&self, waiter: &Waiter) -> bool {
        let mut list = self.inner.list.lock();
        // SAFETY: it is in this list or in none.
        let removed = unsafe { list.remove(waiter) };
        // Ordering: SeqCst: as in `enlist`; a stale `true` costs a look only.
        self.inner.occupied.store(!list.is_empty(), Ordering::SeqCst);
        removed
    }

    /// Wakes the oldest waiter, and whoever waits for news.
    #[inline]
    pub(super) fn notify_one(&self) {
        seq_cst_for_models("side-peer");
        // Ordering: SeqCst: see the table: after the exchange that moved the position, in the order of all.
        if self.inner.occupied.load(Ordering::SeqCst) {
            self.notify_slow();
        }
    }

    #[cold]
    #[inline(never)]
    fn notify_slow(&self) {
        let mut wakes = Wakes::default();
        let mut list = self.inner.list.lock();
        list.notify_watchers(&mut wakes);
        let claimed = list.claim_first(ptr::null());
        // Ordering: SeqCst: as in `delist`.
        self.inner.occupied.store(!list.is_empty(), Ordering::SeqCst);
        drop(list);
        if let Some(claimed) = claimed {
            claimed.finish(Outcome::Served).send();
        }
        wakes.send();
    }

    /// Wakes everybody.
    pub(super) fn disconnect(&self) {
        let mut wakes = Wakes::default();
        let mut list = self.inner.list.lock();
        list.disconnect(&mut wakes);
        // Ordering: SeqCst: as in `delist`.
        self.inner.occupied.store(false, Ordering::SeqCst);
        drop(list);
        wakes.send();
    }
}
