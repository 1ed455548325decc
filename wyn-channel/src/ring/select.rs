//! The arms of a select on a [`Ring`].
//!
//! A receive arm takes its message at once, into the token. A send arm holds a place (`held.rs`) and fills it later.

use super::{Refused, Ring};
use crate::error::TryRecvError;
use crate::list::Waiter;
use crate::select::token::{GiveBack, Held, Token};

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
        token.held = match self.hold() {
            Ok(index) => Held::Place(self, index),
            Err(Refused::Closed) => Held::Disconnected,
            Err(Refused::Full) => return false,
        };
        true
    }

    /// Sends by the right that `held` gives; gives the message back if the channel is closed.
    pub(crate) fn complete_send(&self, held: &Held<'_>, msg: T) -> Result<(), T> {
        let Held::Place(_, index) = *held else { return Err(msg) };
        self.fill_held(index, msg)
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
    fn give_back(&self, index: usize) {
        self.let_go(index);
    }
}
