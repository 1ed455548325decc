//! The receiving end of [`Locked`].

use std::mem::{MaybeUninit, take};
use std::ptr;
use std::time::Instant;

use super::{Core, Locked};
use crate::error::{RecvTimeoutError, TryRecvError};
use crate::hook::What;
use crate::list::{Role, Waiter, Wakes};
use crate::lock::Guard;
use crate::wait::{Outcome, Ticket, Verdict};

/// How much memory an empty queue may keep, in bytes.
const KEPT_BYTES: usize = 1 << 16;

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
        let mut core = self.core.lock();
        match core.queue.pop_front() {
            Some(msg) => Ok(self.taken(core, msg)),
            None => self.try_recv_slow(core),
        }
    }

    fn try_recv_slow(&self, core: Guard<'_, Core<T>>) -> Result<T, TryRecvError> {
        let taken = match self.take_slow(core) {
            Err(Nothing::Yet(core)) if !core.senders.is_empty() => self.call_senders(core, ptr::null()),
            taken => taken,
        };
        taken.map_err(|nothing| match nothing {
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
            let called = match taken {
                Err(Nothing::Yet(core)) if !core.senders.is_empty() => self.call_senders(core, ptr::null()),
                taken => taken,
            };
            let core = match called {
                Ok(msg) => return Ok(msg),
                Err(Nothing::Ever) => return Err(RecvTimeoutError::Disconnected),
                Err(Nothing::Yet(core)) => core,
            };
            if let Some(result) = self.block_recv(core, deadline) {
                return result;
            }
            taken = self.take_under(self.core.lock());
        }
    }

    #[inline]
    pub(super) fn take_under<'a>(&'a self, mut core: Guard<'a, Core<T>>) -> Result<T, Nothing<'a, T>> {
        match core.queue.pop_front() {
            Some(msg) => Ok(self.taken(core, msg)),
            None => self.take_slow(core),
        }
    }

    /// Takes a message, or calls senders that wait: whoever is about to wait, or to go away with nothing, may not leave
    /// somebody asleep who has a message for him. `me` is the receiver's ticket, if it is in lists.
    pub(super) fn take_or_call<'a>(&'a self, me: *const Ticket) -> Result<T, Nothing<'a, T>> {
        match self.take_under(self.core.lock()) {
            Err(Nothing::Yet(core)) if !core.senders.is_empty() => self.call_senders(core, me),
            taken => taken,
        }
    }

    /// With the queue empty: calls senders that have no message at hand, until there is none to be called, or one has
    /// left a message.
    fn call_senders<'a>(
        &'a self,
        mut core: Guard<'a, Core<T>>,
        me: *const Ticket,
    ) -> Result<T, Nothing<'a, T>> {
        loop {
            let mut wakes = Wakes::default();
            self.relieve(&mut core, me, 1, &mut wakes);
            if wakes.is_empty() && core.queue.is_empty() {
                return Err(Nothing::Yet(core));
            }
            drop(core);
            // A waker is foreign code: nobody of ours is in a list of this channel yet.
            wakes.send();
            match self.take_under(self.core.lock()) {
                Err(Nothing::Yet(again)) => core = again,
                taken => return taken,
            }
        }
    }

    /// The message, once a sender that waits for its place has it.
    #[inline]
    fn taken(&self, core: Guard<'_, Core<T>>, msg: T) -> T {
        if !core.senders.is_empty() {
            self.relieve_and_wake(core);
        }
        msg
    }

    /// With the queue empty: takes the message of the oldest sender that has one at hand.
    pub(super) fn take_slow<'a>(&'a self, mut core: Guard<'a, Core<T>>) -> Result<T, Nothing<'a, T>> {
        if core.queue.capacity().saturating_mul(size_of::<T>()) > KEPT_BYTES {
            let large = take(&mut core.queue);
            drop(core);
            drop(large);
            core = self.core.lock();
            if let Some(msg) = core.queue.pop_front() {
                return Ok(self.taken(core, msg));
            }
        }
        if let Some(sender) = core.senders.claim_offer() {
            drop(core);
            // SAFETY: whoever waits alone in `senders` sends a `T`.
            let (msg, wake) = unsafe { sender.collect() };
            wake.send();
            return Ok(msg);
        }
        if core.closed { Err(Nothing::Ever) } else { Err(Nothing::Yet(core)) }
    }

    #[inline(never)]
    fn relieve_and_wake(&self, mut core: Guard<'_, Core<T>>) {
        let mut wakes = Wakes::default();
        self.relieve(&mut core, ptr::null(), 0, &mut wakes);
        drop(core);
        wakes.send();
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
        // SAFETY: `await_verdict` returns when the waiter is out of the list, and finished if it was claimed. Nothing
        // before it unwinds: those who watch are threads, and waking one runs no code but the system's.
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
            // There may be a message left, for which a task was called.
            Some(Verdict { outcome: Outcome::Disconnected, .. }) => None,
            None => Some(Err(RecvTimeoutError::Timeout)),
        }
    }
}
