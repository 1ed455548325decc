//! The arms of a select on a [`Locked`] channel.
//!
//! A receive arm is served like any receiver: the message goes into the token. A send arm has no message yet when it is
//! selected, so it gets a place: a number that others count with. Nobody waits for it.

use std::ptr;

use super::{Core, Locked, recv::Nothing};
use crate::list::{Waiter, Wakes};
use crate::select::token::{GiveBack, Held, Parcel, Token};
use crate::wait::Ticket;

impl<T> Core<T> {
    fn can_send(&self, cap: usize, me: *const Ticket) -> bool {
        self.closed || self.has_room(cap, me, 0)
    }

    /// Whether there is a message, or a sender that can be called for one.
    fn can_recv(&self, cap: usize, me: *const Ticket) -> bool {
        let could_call = || self.has_room(cap, ptr::null(), 1) && self.senders.claimable(me) > 0;
        let sender = || self.senders.can_offer() || could_call();
        self.closed || !self.queue.is_empty() || !self.senders.is_empty() && sender()
    }
}

impl<T> Locked<T> {
    pub(crate) fn select_recv(&self, token: &mut Token<'_>) -> bool {
        let core = self.core.lock();
        // Most looks of a select find nothing.
        if core.queue.is_empty() && !core.closed && core.senders.is_empty() {
            return false;
        }
        drop(core);
        match self.take_or_call(ptr::null()) {
            Ok(msg) => token.put(msg),
            Err(Nothing::Ever) => token.held = Held::Disconnected,
            Err(Nothing::Yet(_)) => return false,
        }
        true
    }

    pub(crate) fn select_send<'a>(&'a self, token: &mut Token<'a>) -> bool {
        let mut core = self.core.lock();
        token.held = if core.closed {
            Held::Disconnected
        } else if self.cap == usize::MAX {
            Held::Room
        } else if core.has_room(self.cap, ptr::null(), 0) {
            core.reserved += 1;
            Held::Place(self, 0)
        } else {
            return false;
        };
        true
    }

    /// Puts a receive arm into the list; `true`, and not in the list, if it could go on at once.
    ///
    /// # Safety
    /// As for [`WaitList::push`](crate::list::WaitList::push); `token` stays in place as well.
    pub(crate) unsafe fn enlist_recv(&self, waiter: &Waiter, me: *const Ticket, token: &Token<'_>) -> bool {
        waiter.set_slot(token.parcel.place_for::<T>().cast());
        let mut core = self.core.lock();
        if core.can_recv(self.cap, me) {
            return true;
        }
        // SAFETY: the caller's contract.
        unsafe { core.receivers.push(waiter) };
        let mut wakes = Wakes::default();
        core.senders.notify_watchers(&mut wakes);
        drop(core);
        wakes.send();
        false
    }

    /// As [`enlist_recv`](Self::enlist_recv), for a send arm.
    ///
    /// # Safety
    /// As there.
    pub(crate) unsafe fn enlist_send(&self, waiter: &Waiter, me: *const Ticket) -> bool {
        let mut core = self.core.lock();
        if core.can_send(self.cap, me) {
            return true;
        }
        // SAFETY: the caller's contract.
        unsafe { core.senders.push(waiter) };
        let mut wakes = Wakes::default();
        core.receivers.notify_watchers(&mut wakes);
        drop(core);
        wakes.send();
        false
    }

    /// Takes a receive arm out of the list; `won` if it was the one to be served.
    pub(crate) fn delist_recv(&self, waiter: &Waiter, won: bool) {
        // SAFETY: it is in this list or in none.
        unsafe { self.core.lock().receivers.remove(waiter) };
        if !won {
            // SAFETY: `enlist_recv` made the place, and nobody has filled it.
            unsafe { Parcel::discard::<T>(waiter.slot().cast()) };
        }
    }

    pub(crate) fn delist_send(&self, waiter: &Waiter) {
        // SAFETY: it is in this list or in none.
        unsafe { self.core.lock().senders.remove(waiter) };
    }

    /// Takes what a receive arm was served.
    ///
    /// # Safety
    /// The verdict on the arm is `Served`, and `token` is the one it was enlisted with.
    pub(crate) unsafe fn accept_recv(&self, waiter: &Waiter, token: &mut Token<'_>) {
        // SAFETY: the place is the token's, and has been filled.
        unsafe { token.keep::<T>(waiter.slot().cast()) };
    }

    /// Takes the place that a send arm was given.
    pub(crate) fn accept_send<'a>(&'a self, token: &mut Token<'a>) {
        token.held = Held::Place(self, 0);
    }

    /// Sends by the right that `held` gives; gives the message back if the channel is closed.
    pub(crate) fn complete_send(&self, held: &Held<'_>, msg: T) -> Result<(), T> {
        match *held {
            Held::Place(..) => self.send_into_place(msg),
            Held::Room => self.try_send(msg).map_err(|e| e.into_inner()),
            Held::Nothing | Held::Disconnected | Held::Message => Err(msg),
        }
    }

    /// Sends into a place that was held. The receiver that waited may have left: then the message waits for the next.
    fn send_into_place(&self, msg: T) -> Result<(), T> {
        let mut core = self.core.lock();
        core.reserved -= 1;
        if core.closed {
            drop(core);
            return Err(msg);
        }
        core.queue.push_back(msg);
        self.settle(core);
        Ok(())
    }

    pub(crate) fn can_recv(&self) -> bool {
        self.core.lock().can_recv(self.cap, ptr::null())
    }

    pub(crate) fn can_send(&self) -> bool {
        self.core.lock().can_send(self.cap, ptr::null())
    }

    /// Puts somebody who waits for news of the receiving end into its list; `true` if there is some already.
    ///
    /// # Safety
    /// As for [`WaitList::push`](crate::list::WaitList::push).
    pub(crate) unsafe fn watch_recv(&self, waiter: &Waiter) -> bool {
        let mut core = self.core.lock();
        let ready = core.can_recv(self.cap, ptr::null());
        if !ready {
            // SAFETY: the caller's contract.
            unsafe { core.receivers.push(waiter) };
        }
        ready
    }

    /// As [`watch_recv`](Self::watch_recv), for the sending end.
    ///
    /// # Safety
    /// As there.
    pub(crate) unsafe fn watch_send(&self, waiter: &Waiter) -> bool {
        let mut core = self.core.lock();
        let ready = core.can_send(self.cap, ptr::null());
        if !ready {
            // SAFETY: the caller's contract.
            unsafe { core.senders.push(waiter) };
        }
        ready
    }

    pub(crate) fn unwatch_recv(&self, waiter: &Waiter) {
        // SAFETY: it is in this list or in none.
        unsafe { self.core.lock().receivers.remove(waiter) };
    }
}

impl<T> GiveBack for Locked<T> {
    fn give_back(&self, _: usize) {
        let mut core = self.core.lock();
        core.reserved -= 1;
        if !core.closed {
            self.settle(core);
        }
    }
}
