//! The arms of a select on a [`Ring`].
//!
//! A receive arm takes its message at once, into the token. A send arm claims its position and fills it later;
//! if it never does, the position is published as void, and receivers pass over it.

use super::{FULL, Refused, Ring, VOID};
use crate::error::TryRecvError;
use crate::list::Waiter;
use crate::select::token::{GiveBack, Held, Token};
use crate::sync::Ordering;

impl<T> Ring<T> {
    pub(crate) fn select_recv(&self, token: &mut Token<'_>) -> bool {
        match self.try_recv() {
            Ok(msg) => token.put(msg),
            Err(TryRecvError::Disconnected) => token.held = Held::Disconnected,
            Err(TryRecvError::Empty) => return false,
        }
        true
    }

    pub(crate) fn select_send<'a>(&'a self, token: &mut Token<'a>) -> bool {
        token.held = match self.claim_send() {
            Ok(claim) => Held::Place(self, claim.position),
            Err(Refused::Closed) => Held::Disconnected,
            Err(Refused::Full) => return false,
        };
        true
    }

    /// Sends by the right that `held` gives; gives the message back if the channel is closed.
    pub(crate) fn complete_send(&self, held: &Held<'_>, msg: T) -> Result<(), T> {
        let Held::Place(_, position) = *held else { return Err(msg) };
        self.publish(self.claimed(position), msg);
        Ok(())
    }

    /// Joins the receivers that wait; `true` if a receive would not block.
    ///
    /// # Safety
    /// As for [`WaitList::push`](crate::list::WaitList::push).
    pub(crate) unsafe fn enlist_recv(&self, waiter: &Waiter) -> bool {
        // SAFETY: the caller's contract.
        unsafe { self.receivers.enlist(waiter) };
        self.can_recv()
    }

    /// As [`enlist_recv`](Self::enlist_recv), for a send.
    ///
    /// # Safety
    /// As there.
    pub(crate) unsafe fn enlist_send(&self, waiter: &Waiter) -> bool {
        // SAFETY: the caller's contract.
        unsafe { self.senders.enlist(waiter) };
        self.can_send()
    }

    /// Leaves the receivers that wait; `false` if it has been claimed.
    pub(crate) fn delist_recv(&self, waiter: &Waiter) -> bool {
        self.receivers.delist(waiter)
    }

    /// As [`delist_recv`](Self::delist_recv), for a send.
    pub(crate) fn delist_send(&self, waiter: &Waiter) -> bool {
        self.senders.delist(waiter)
    }
}

impl<T> GiveBack for Ring<T> {
    fn give_back(&self, place: usize) {
        let claim = self.claimed(place);
        // Ordering: Release pairs with the Acquire in `claim_recv*`, as in `publish`, though nothing is written.
        claim.slot.stamp.store(claim.lap | FULL | VOID, Ordering::Release);
        self.skip_void();
        self.receivers.notify_one();
    }
}
