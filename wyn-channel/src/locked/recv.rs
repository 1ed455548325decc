//! The receiving end of [`Locked`].

use std::mem::MaybeUninit;
use std::ptr;
use std::time::Instant;

use super::{Core, Locked};
use crate::error::{RecvTimeoutError, TryRecvError};
use crate::hook::What;
use crate::list::{Claimed, Role, Waiter, Wakes};
use crate::lock::Guard;
use crate::wait::{Outcome, Ticket, Verdict};

/// Why there was no message.
pub(super) enum Nothing<'a, T> {
    /// None has come; the lock is still held.
    Yet(Guard<'a, Core<T>>),
    /// None can come.
    Ever,
}

impl<T> Locked<T> {
    #[inline]
    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        self.take().map_err(|nothing| match nothing {
            Nothing::Yet(_) => TryRecvError::Empty,
            Nothing::Ever => TryRecvError::Disconnected,
        })
    }

    #[inline]
    pub(crate) fn recv(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        let mut core = self.core.lock();
        match core.queue.pop_front() {
            Some(msg) => Ok(self.taken(core, msg)),
            None => self.recv_slow(core, deadline),
        }
    }

    #[inline(never)]
    fn recv_slow(&self, core: Guard<'_, Core<T>>, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        let mut taken = self.take_slow(core);
        loop {
            let core = match taken {
                Ok(msg) => return Ok(msg),
                Err(Nothing::Ever) => return Err(RecvTimeoutError::Disconnected),
                Err(Nothing::Yet(core)) => core,
            };
            if let Some(result) = self.block_recv(core, deadline) {
                return result;
            }
            taken = self.take();
        }
    }

    /// Takes the first message of the queue, or that of a sender who waits for a receiver.
    #[inline]
    pub(super) fn take(&self) -> Result<T, Nothing<'_, T>> {
        self.take_under(self.core.lock())
    }

    #[inline]
    pub(super) fn take_under<'a>(&'a self, mut core: Guard<'a, Core<T>>) -> Result<T, Nothing<'a, T>> {
        match core.queue.pop_front() {
            Some(msg) => Ok(self.taken(core, msg)),
            None => self.take_slow(core),
        }
    }

    /// The message, once a sender that waits for its place has it.
    #[inline]
    fn taken(&self, core: Guard<'_, Core<T>>, msg: T) -> T {
        if !core.senders.is_empty() {
            self.refill_and_wake(core);
        }
        msg
    }

    /// With the queue empty.
    fn take_slow<'a>(&'a self, core: Guard<'a, Core<T>>) -> Result<T, Nothing<'a, T>> {
        if self.cap == 0 && !core.senders.is_empty() {
            return self.take_from_waiting(core);
        }
        if core.closed { Err(Nothing::Ever) } else { Err(Nothing::Yet(core)) }
    }

    #[inline(never)]
    fn refill_and_wake(&self, mut core: Guard<'_, Core<T>>) {
        let mut wakes = Wakes::default();
        self.refill(&mut core, &mut wakes);
        drop(core);
        wakes.send();
    }

    /// Without a buffer: takes the message from the stack of the oldest sender.
    fn take_from_waiting<'a>(&'a self, mut core: Guard<'a, Core<T>>) -> Result<T, Nothing<'a, T>> {
        loop {
            let Some(sender) = core.senders.claim_first(ptr::null()) else {
                return Err(Nothing::Yet(core));
            };
            drop(core);
            if sender.role() == Role::Alone {
                // SAFETY: whoever waits alone in `senders` sends a `T`.
                let (msg, wake) = unsafe { sender.collect() };
                wake.send();
                return Ok(msg);
            }
            if let Some(msg) = self.take_from_select(sender) {
                return Ok(msg);
            }
            core = self.core.lock();
            if let Some(msg) = core.queue.pop_front() {
                return Ok(msg);
            }
            if core.closed {
                return Err(Nothing::Ever);
            }
        }
    }

    /// Meets a select that has a send arm here: it makes its message only now. `None` if it never does.
    fn take_from_select(&self, sender: Claimed) -> Option<T> {
        let mut msg = MaybeUninit::<T>::uninit();
        let ticket = Ticket::new();
        let waiter = Waiter::new(Role::Alone, &raw const ticket, 0, (&raw mut msg).cast());
        sender.set_slot((&raw const waiter).cast_mut().cast());
        sender.finish(Outcome::Served).send();
        match ticket.wait_for_claimant(What::Recv { channel: self.id() }).outcome {
            Outcome::Served => {
                ticket.slot_use.read();
                // SAFETY: the select has written its message before it said `Served`.
                Some(unsafe { msg.assume_init() })
            }
            Outcome::Disconnected | Outcome::Retry => None,
        }
    }

    /// Waits for a sender, which puts its message on this stack; `None` means to look again.
    fn block_recv(
        &self,
        mut core: Guard<'_, Core<T>>,
        deadline: Option<Instant>,
    ) -> Option<Result<T, RecvTimeoutError>> {
        let mut msg = MaybeUninit::<T>::uninit();
        let ticket = Ticket::new();
        let waiter = Waiter::new(Role::Alone, &raw const ticket, 0, (&raw mut msg).cast());
        // SAFETY: `await_verdict` returns when the waiter is out of the list, and finished if it was claimed.
        unsafe { core.receivers.push(&raw const waiter) };
        let mut wakes = Wakes::default();
        core.senders.notify_watchers(&mut wakes);
        drop(core);
        wakes.send();
        let what = What::Recv { channel: self.id() };
        let verdict = self.await_verdict(&ticket, &waiter, deadline, what, |core| &mut core.receivers);
        match verdict {
            Some(Verdict { outcome: Outcome::Served, .. }) => {
                ticket.slot_use.read();
                // SAFETY: a sender has written its message before it said `Served`.
                Some(Ok(unsafe { msg.assume_init() }))
            }
            Some(Verdict { outcome: Outcome::Disconnected, .. }) => Some(Err(RecvTimeoutError::Disconnected)),
            Some(Verdict { outcome: Outcome::Retry, .. }) => None,
            None => Some(Err(RecvTimeoutError::Timeout)),
        }
    }
}
