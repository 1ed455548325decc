//! An asynchronous operation that waits: its ticket, its place in the list, and its message, all in the pinned
//! future.

use std::marker::PhantomPinned;
use std::mem::MaybeUninit;
use std::task::Waker;

use crate::foreign::TaskWaker;
use crate::list::{Role, Waiter};
use crate::luck::look_for_verdict;
use crate::sync::UnsafeCell;
use crate::wait::{Ticket, Verdict};

/// See the module. Stays in place from [`start`](Self::start) until it is out of all lists and finished.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    pub(crate) ticket: Ticket,
    pub(crate) waiter: Waiter,
    /// The message to be sent, or room for the one to be received. The claimant's between claim and verdict.
    slot: UnsafeCell<MaybeUninit<T>>,
    _pinned: PhantomPinned,
}

// SAFETY: the message may move between threads; the claimant's access is ordered by the ticket.
unsafe impl<T: Send> Send for Pending<T> {}
// SAFETY: as above; `&Pending` reaches the slot only through the unsafe methods below.
unsafe impl<T: Send> Sync for Pending<T> {}

impl<T> Pending<T> {
    /// Fills `place`, which does not move from now on.
    pub(crate) fn start(place: &mut Option<Self>, role: Role) -> &Self {
        let this = place.insert(Self {
            ticket: Ticket::new(),
            waiter: Waiter::new(role, std::ptr::null(), 0, std::ptr::null_mut()),
            slot: UnsafeCell::new(MaybeUninit::uninit()),
            _pinned: PhantomPinned,
        });
        let slot = this.slot.with_mut(<*mut MaybeUninit<T>>::cast);
        this.waiter = Waiter::new(role, &raw const this.ticket, 0, slot);
        this
    }

    /// Leaves a message for whoever claims this.
    ///
    /// # Safety
    /// The slot is empty, and the caller is the owner, not in a list.
    pub(crate) unsafe fn put(&self, msg: T) {
        // SAFETY: the caller's contract.
        self.slot.with_mut(|slot| unsafe { slot.cast::<T>().write(msg) });
    }

    /// Takes the message out.
    ///
    /// # Safety
    /// The slot holds one, and the caller is the owner, in no list and not claimed.
    pub(crate) unsafe fn take(&self) -> T {
        self.ticket.slot_use.read();
        // SAFETY: the caller's contract.
        self.slot.with_mut(|slot| unsafe { slot.cast::<T>().read() })
    }

    /// The verdict; if there is none yet, `waker` is woken when there is.
    pub(crate) fn poll(&self, waker: &Waker) -> Option<Verdict> {
        if let Some(verdict) = self.ticket.verdict() {
            return Some(verdict);
        }
        let will_be_woken = if self.ticket.is_parked() {
            self.ticket.renew(waker)
        } else if let Some(verdict) = look_for_verdict(&self.ticket) {
            return Some(verdict);
        } else {
            self.ticket.park_task(TaskWaker::of(waker))
        };
        // If not, the verdict is there or a few steps away.
        if will_be_woken { None } else { Some(self.ticket.stay_for_claimant()) }
    }
}
