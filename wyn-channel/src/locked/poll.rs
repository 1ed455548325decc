//! Asynchronous operations on a [`Locked`] channel.

use super::{Locked, Refusal, recv::Nothing};
use crate::error::{RecvError, SendError};
use crate::list::{Role, Wakes};
use crate::pending::Pending;
use crate::select::token::GiveBack;
use crate::sync::planted;
use crate::wait::Outcome;

impl<T> Locked<T> {
    /// Sends, or leaves the message in `place`, which stays where it is, and joins the list; `None` then.
    pub(crate) fn start_send(
        &self,
        msg: T,
        place: &mut Option<Pending<T>>,
    ) -> Option<Result<(), SendError<T>>> {
        let (mut core, msg) = match self.offer(msg) {
            Ok(()) => return Some(Ok(())),
            Err(Refusal::Closed(msg)) => return Some(Err(SendError(msg))),
            Err(Refusal::Full(core, msg)) => (core, msg),
        };
        // With a buffer the message stays in the future until it is polled: if that is dropped, nothing is sent.
        let role = if self.cap == 0 { Role::Alone } else { Role::Place };
        let pending = Pending::start(place, role);
        // SAFETY: empty, and not in a list yet.
        unsafe { pending.put(msg) };
        // SAFETY: stays in place until `cancel_send`, or the verdict.
        unsafe { core.senders.push(&raw const pending.waiter) };
        let mut wakes = Wakes::default();
        core.receivers.notify_watchers(&mut wakes);
        drop(core);
        wakes.send();
        None
    }

    /// What the verdict on a send means.
    pub(crate) fn end_send(&self, pending: &Pending<T>, outcome: Outcome) -> Result<(), SendError<T>> {
        match outcome {
            Outcome::Served if self.cap == 0 => Ok(()),
            // SAFETY: decided, and nobody has taken the message.
            Outcome::Served => self.send_into_place(unsafe { pending.take() }).map_err(SendError),
            // SAFETY: decided, and nobody has taken the message.
            Outcome::Disconnected | Outcome::Retry => Err(SendError(unsafe { pending.take() })),
        }
    }

    /// Gives a send up; the message, if nobody has received it. A place that was promised is given back.
    pub(crate) fn cancel_send(&self, pending: &Pending<T>) -> Option<T> {
        let mut core = self.core.lock();
        // SAFETY: it was put into this list, and is alive.
        let removed = planted("stays-listed") || unsafe { core.senders.remove(&raw const pending.waiter) };
        drop(core);
        if !removed && pending.ticket.stay_for_claimant().outcome == Outcome::Served {
            if self.cap == 0 && !planted("taken-message") {
                return None;
            }
            self.give_back(0);
        }
        // SAFETY: in no list, decided or never claimed, and nobody has taken the message.
        Some(unsafe { pending.take() })
    }

    /// Receives, or joins the list with what is in `place`, which stays where it is; `None` then.
    pub(crate) fn start_recv(&self, place: &mut Option<Pending<T>>) -> Option<Result<T, RecvError>> {
        let mut core = match self.take() {
            Ok(msg) => return Some(Ok(msg)),
            Err(Nothing::Ever) => return Some(Err(RecvError)),
            Err(Nothing::Yet(core)) => core,
        };
        let pending = Pending::start(place, Role::Alone);
        // SAFETY: stays in place until `cancel_recv`, or the verdict.
        unsafe { core.receivers.push(&raw const pending.waiter) };
        let mut wakes = Wakes::default();
        core.senders.notify_watchers(&mut wakes);
        drop(core);
        wakes.send();
        None
    }

    /// What the verdict on a receive means; `None`: try again.
    pub(crate) fn end_recv(&self, pending: &Pending<T>, outcome: Outcome) -> Option<Result<T, RecvError>> {
        match outcome {
            // SAFETY: decided: a sender has left its message.
            Outcome::Served => Some(Ok(unsafe { pending.take() })),
            Outcome::Disconnected => Some(Err(RecvError)),
            Outcome::Retry => None,
        }
    }

    /// Gives a receive up. A message that was handed over already goes to the next receiver, or in front.
    pub(crate) fn cancel_recv(&self, pending: &Pending<T>) {
        // SAFETY: it was put into this list, and is alive.
        if unsafe { self.core.lock().receivers.remove(&raw const pending.waiter) } {
            return;
        }
        if pending.ticket.stay_for_claimant().outcome == Outcome::Served && !planted("put-back") {
            // SAFETY: decided: a sender has left its message.
            self.unreceive(unsafe { pending.take() });
        }
    }
}
