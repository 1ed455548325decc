//! Asynchronous operations on a [`Ring`]. The message of a send stays in the pinned future until there is room.

use super::Ring;
use crate::error::{RecvError, SendError, TryRecvError, TrySendError};
use crate::list::Role;
use crate::pending::Pending;
use crate::sync::planted;

impl<T> Ring<T> {
    /// Sends, or leaves the message in `place`, which stays where it is, and joins the list; `None` then.
    pub(crate) fn start_send(
        &self,
        mut msg: T,
        place: &mut Option<Pending<T>>,
    ) -> Option<Result<(), SendError<T>>> {
        loop {
            msg = match self.try_send(msg) {
                Ok(()) => return Some(Ok(())),
                Err(TrySendError::Disconnected(msg)) => return Some(Err(SendError(msg))),
                Err(TrySendError::Full(msg)) => msg,
            };
            let pending = Pending::start(place, Role::Alone);
            // SAFETY: stays in place until it is out of the list, and finished if it was claimed.
            unsafe { self.senders.enlist(&raw const pending.waiter) };
            if !self.can_send() {
                // SAFETY: empty; nobody but the owner uses the slot of a ring's waiter.
                unsafe { pending.put(msg) };
                self.call_before_waiting(&self.receivers);
                return None;
            }
            if !self.senders.delist(&pending.waiter) {
                pending.ticket.stay_for_claimant();
            }
        }
    }

    /// The message of a send that was called to try again.
    pub(crate) fn end_send(&self, pending: &Pending<T>) -> T {
        // SAFETY: decided; `start_send` has left the message.
        unsafe { pending.take() }
    }

    /// Gives a send up; the message. A wake-up that came for it goes to the next sender.
    pub(crate) fn cancel_send(&self, pending: &Pending<T>) -> T {
        if !self.senders.delist(&pending.waiter) {
            pending.ticket.stay_for_claimant();
            if !planted("pass-on-room") {
                self.senders.notify_one();
            }
        }
        // SAFETY: out of the list, and finished if it was claimed; `start_send` has left the message.
        unsafe { pending.take() }
    }

    /// Receives, or joins the list with what is in `place`, which stays where it is; `None` then.
    pub(crate) fn start_recv(&self, place: &mut Option<Pending<T>>) -> Option<Result<T, RecvError>> {
        loop {
            match self.try_recv() {
                Ok(msg) => return Some(Ok(msg)),
                Err(TryRecvError::Disconnected) => return Some(Err(RecvError)),
                Err(TryRecvError::Empty) => {}
            }
            let pending = Pending::start(place, Role::Alone);
            // SAFETY: stays in place until it is out of the list, and finished if it was claimed.
            unsafe { self.receivers.enlist(&raw const pending.waiter) };
            if !self.can_recv() {
                self.call_before_waiting(&self.senders);
                return None;
            }
            if !self.receivers.delist(&pending.waiter) {
                pending.ticket.stay_for_claimant();
            }
        }
    }

    /// Gives a receive up. A wake-up that came for it goes to the next receiver.
    pub(crate) fn cancel_recv(&self, pending: &Pending<T>) {
        if !self.receivers.delist(&pending.waiter) {
            pending.ticket.stay_for_claimant();
            if !planted("pass-on") {
                self.receivers.notify_one();
            }
        }
    }
}
