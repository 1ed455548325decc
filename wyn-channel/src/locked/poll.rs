//! Asynchronous operations on a [`Locked`] channel. A task that waits holds neither message nor place: it is called to
//! look again. Without a buffer its message may be taken out of the future, as from a thread that waits.

use std::ptr;

use super::{Locked, Refusal, recv::Nothing};
use crate::error::{RecvError, SendError};
use crate::list::{Role, Wakes};
use crate::pending::Pending;
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
        let role = if self.cap == 0 { Role::Alone } else { Role::Look };
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

    /// What the verdict on a send means; `Err`: try again with the message.
    pub(crate) fn end_send(&self, pending: &Pending<T>, outcome: Outcome) -> Result<(), T> {
        if self.cap == 0 && outcome == Outcome::Served {
            return Ok(());
        }
        // SAFETY: decided, and nobody has taken the message.
        Err(unsafe { pending.take() })
    }

    /// Gives a send up; the message, if nobody has received it. A call for room goes to the next sender.
    pub(crate) fn cancel_send(&self, pending: &Pending<T>) -> Option<T> {
        let mut core = self.core.lock();
        // SAFETY: it was put into this list, and is alive.
        let removed = planted("stays-listed") || unsafe { core.senders.remove(&raw const pending.waiter) };
        drop(core);
        if !removed && pending.ticket.stay_for_claimant().outcome == Outcome::Served {
            if self.cap == 0 && !planted("taken-message") {
                return None;
            }
            if !planted("pass-on-room") {
                let mut wakes = Wakes::default();
                self.relieve(&mut self.core.lock(), ptr::null(), 0, &mut wakes);
                wakes.send();
            }
        }
        // SAFETY: in no list, decided or never claimed, and nobody has taken the message.
        Some(unsafe { pending.take() })
    }

    /// Receives, or joins the list with what is in `place`, which stays where it is; `None` then.
    pub(crate) fn start_recv(&self, place: &mut Option<Pending<T>>) -> Option<Result<T, RecvError>> {
        let mut core = match self.take_or_call(ptr::null()) {
            Ok(msg) => return Some(Ok(msg)),
            Err(Nothing::Ever) => return Some(Err(RecvError)),
            Err(Nothing::Yet(core)) => core,
        };
        let pending = Pending::start(place, Role::Look);
        // SAFETY: stays in place until `cancel_recv`, or the verdict.
        unsafe { core.receivers.push(&raw const pending.waiter) };
        let mut wakes = Wakes::default();
        core.senders.notify_watchers(&mut wakes);
        drop(core);
        wakes.send();
        None
    }

    /// Gives a receive up. A call for a message goes to the next receiver.
    pub(crate) fn cancel_recv(&self, pending: &Pending<T>) {
        // SAFETY: it was put into this list, and is alive.
        if unsafe { self.core.lock().receivers.remove(&raw const pending.waiter) } {
            return;
        }
        pending.ticket.stay_for_claimant();
        if !planted("pass-on") {
            self.settle(self.core.lock());
        }
    }
}
