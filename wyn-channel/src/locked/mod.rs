//! Hand-off under a short lock: the algorithm of channels without a buffer, with one place, without a limit, and
//! with a limit beyond what one allocates at once.
//!
//! One lock guards the queue and the two lists of those who wait; every operation is one exchange and one
//! store. Whoever finds somebody waiting at the other end takes them out of the list, leaves the lock, and moves
//! the value straight between the two stacks (the idea of kanal, which this follows; the lists here are
//! intrusive). Order is that of the lock: messages are received in the order of the sends, waiters are served in
//! the order of their coming.
//!
//! Invariants, whenever the lock is free:
//! - receivers that wait (arms of a select aside) and queued messages exclude each other;
//! - senders wait only while `queue.len() + reserved >= cap`;
//! - after `closed`, nobody waits: both lists are emptied when it is set, and nobody joins.

mod poll;
mod recv;
mod select;

use std::collections::VecDeque;
use std::mem::{ManuallyDrop, needs_drop};
use std::ptr;
use std::time::Instant;

use crate::discard::discard;
use crate::error::{SendTimeoutError, TrySendError};
use crate::hook::What;
use crate::list::{Role, WaitList, Waiter, Wakes};
use crate::lock::{Guard, ShortLock};
use crate::sync::{Padded, planted};
use crate::wait::{Outcome, Ticket, Verdict};

/// A channel with hand-off.
#[derive(Debug)]
pub(crate) struct Locked<T> {
    core: Padded<ShortLock<Core<T>>>,
    /// `usize::MAX` means no limit.
    cap: usize,
}

/// What the lock guards.
#[derive(Debug)]
struct Core<T> {
    /// Longer than the capacity for a moment, when a cancelled receive has put its message back.
    queue: VecDeque<T>,
    /// Senders that wait for room, or for a receiver.
    senders: WaitList,
    /// Receivers that wait for a message.
    receivers: WaitList,
    /// Places promised to selects that are about to send.
    reserved: usize,
    /// No message is taken any more.
    closed: bool,
}

/// Why a message was not taken.
enum Refusal<'a, T> {
    /// There is no room; the lock is still held.
    Full(Guard<'a, Core<T>>, T),
    Closed(T),
}

impl<T> Core<T> {
    #[inline]
    fn has_room(&self, cap: usize) -> bool {
        self.queue.len() + self.reserved < cap
    }

    /// Whether a message may simply join the queue.
    #[inline]
    fn takes_at_once(&self, cap: usize) -> bool {
        !self.closed && self.receivers.is_empty() && self.has_room(cap)
    }
}

impl<T> Locked<T> {
    pub(crate) fn new(cap: usize) -> Self {
        let core = Core {
            queue: VecDeque::new(),
            senders: WaitList::new(),
            receivers: WaitList::new(),
            reserved: 0,
            closed: false,
        };
        Self { core: Padded(ShortLock::new(core)), cap }
    }

    pub(crate) fn id(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    #[inline]
    pub(crate) fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        self.offer(msg).map_err(|refusal| match refusal {
            Refusal::Full(core, msg) => {
                drop(core);
                TrySendError::Full(msg)
            }
            Refusal::Closed(msg) => TrySendError::Disconnected(msg),
        })
    }

    #[inline]
    pub(crate) fn send(&self, msg: T, deadline: Option<Instant>) -> Result<(), SendTimeoutError<T>> {
        let mut core = self.core.lock();
        if core.takes_at_once(self.cap) {
            core.queue.push_back(msg);
            return Ok(());
        }
        self.send_slow(core, msg, deadline)
    }

    #[inline(never)]
    fn send_slow(
        &self,
        core: Guard<'_, Core<T>>,
        msg: T,
        deadline: Option<Instant>,
    ) -> Result<(), SendTimeoutError<T>> {
        match self.offer_slow(core, msg) {
            Ok(()) => Ok(()),
            Err(Refusal::Closed(msg)) => Err(SendTimeoutError::Disconnected(msg)),
            Err(Refusal::Full(core, msg)) => self.block_send(core, msg, deadline),
        }
    }

    /// Gives the message to a receiver that waits, or to the queue if there is room.
    #[inline]
    fn offer(&self, msg: T) -> Result<(), Refusal<'_, T>> {
        let mut core = self.core.lock();
        if core.takes_at_once(self.cap) {
            core.queue.push_back(msg);
            return Ok(());
        }
        self.offer_slow(core, msg)
    }

    fn offer_slow<'a>(&'a self, mut core: Guard<'a, Core<T>>, msg: T) -> Result<(), Refusal<'a, T>> {
        if core.closed {
            drop(core);
            return Err(Refusal::Closed(msg));
        }
        if !core.receivers.is_empty() {
            return self.offer_to_waiting(core, msg);
        }
        if core.has_room(self.cap) {
            core.queue.push_back(msg);
            return Ok(());
        }
        Err(Refusal::Full(core, msg))
    }

    fn offer_to_waiting<'a>(&'a self, mut core: Guard<'a, Core<T>>, msg: T) -> Result<(), Refusal<'a, T>> {
        if let Some(receiver) = core.receivers.claim_first(ptr::null()) {
            drop(core);
            // SAFETY: whoever waits in `receivers` receives `T`s.
            unsafe { receiver.deliver(msg) }.send();
            return Ok(());
        }
        if !core.has_room(self.cap) {
            return Err(Refusal::Full(core, msg));
        }
        core.queue.push_back(msg);
        let mut wakes = Wakes::default();
        core.receivers.notify_watchers(&mut wakes);
        drop(core);
        wakes.send();
        Ok(())
    }

    /// Waits for room, or for a receiver, which takes the message from this stack.
    fn block_send(
        &self,
        mut core: Guard<'_, Core<T>>,
        msg: T,
        deadline: Option<Instant>,
    ) -> Result<(), SendTimeoutError<T>> {
        let mut msg = ManuallyDrop::new(msg);
        let ticket = Ticket::new();
        let waiter = Waiter::new(Role::Alone, &raw const ticket, 0, (&raw mut msg).cast());
        // SAFETY: `await_verdict` returns when the waiter is out of the list, and finished if it was claimed.
        unsafe { core.senders.push(&raw const waiter) };
        let mut wakes = Wakes::default();
        core.receivers.notify_watchers(&mut wakes);
        drop(core);
        wakes.send();
        let what = What::Send { channel: self.id() };
        let verdict = self.await_verdict(&ticket, &waiter, deadline, what, |core| &mut core.senders);
        let failed = match verdict {
            Some(Verdict { outcome: Outcome::Served, .. }) => return Ok(()),
            Some(_) => SendTimeoutError::Disconnected,
            None => SendTimeoutError::Timeout,
        };
        ticket.slot_use.read();
        Err(failed(ManuallyDrop::into_inner(msg)))
    }

    /// Waits for the verdict on a waiter that stands in a list of this channel; `None` if the deadline came
    /// first, or the hook has ended the wait, and nobody has claimed it or ever will.
    fn await_verdict(
        &self,
        ticket: &Ticket,
        waiter: &Waiter,
        deadline: Option<Instant>,
        what: What,
        list: impl FnOnce(&mut Core<T>) -> &mut WaitList,
    ) -> Option<Verdict> {
        if let Ok(verdict) = ticket.wait(deadline, what) {
            return Some(verdict);
        }
        // SAFETY: it was put into this list, and is alive.
        if unsafe { list(&mut self.core.lock()).remove(waiter) } {
            return None;
        }
        let verdict = ticket.wait_for_claimant(what);
        (!planted("late-verdict")).then_some(verdict)
    }

    /// Fills the room that a receive has made with the message of the oldest sender that waits.
    ///
    /// The caller sends the wake-ups when the lock is free.
    fn refill(&self, core: &mut Core<T>, wakes: &mut Wakes) {
        while core.has_room(self.cap) {
            let Some(sender) = core.senders.claim_first(ptr::null()) else {
                core.senders.notify_watchers(wakes);
                return;
            };
            let wake = if sender.role() == Role::Alone {
                // SAFETY: whoever waits alone in `senders` sends a `T`.
                let (msg, wake) = unsafe { sender.collect() };
                core.queue.push_back(msg);
                wake
            } else {
                core.reserved += 1;
                sender.finish(Outcome::Served)
            };
            wakes.add(wake);
        }
    }

    /// Restores the invariants after room or a message has appeared from elsewhere than a send or a receive.
    fn settle(&self, mut core: Guard<'_, Core<T>>) {
        let mut wakes = Wakes::default();
        loop {
            self.refill(&mut core, &mut wakes);
            if core.queue.is_empty() {
                break;
            }
            let Some(receiver) = core.receivers.claim_first(ptr::null()) else {
                core.receivers.notify_watchers(&mut wakes);
                break;
            };
            // This makes room for the next sender that waits.
            let msg = core.queue.pop_front().expect("not empty");
            // SAFETY: whoever waits in `receivers` receives `T`s.
            wakes.add(unsafe { receiver.deliver(msg) });
        }
        drop(core);
        wakes.send();
    }

    /// Puts a message that its receiver did not want in front of all others.
    fn unreceive(&self, msg: T) {
        let mut core = self.core.lock();
        core.queue.push_front(msg);
        self.settle(core);
    }

    /// Takes no more messages; whoever waits is told. Says whether this was the first time.
    pub(crate) fn close(&self) -> bool {
        let mut wakes = Wakes::default();
        let mut core = self.core.lock();
        let first = !std::mem::replace(&mut core.closed, true);
        if !planted("close-senders") {
            core.senders.disconnect(&mut wakes);
        }
        core.receivers.disconnect(&mut wakes);
        drop(core);
        wakes.send();
        first
    }

    /// After the last receiver: closes, and drops what nobody can receive any more.
    pub(crate) fn close_and_discard(&self) {
        self.close();
        if planted("discard") {
            return;
        }
        let mut queue = std::mem::take(&mut self.core.lock().queue);
        discard(|| queue.pop_front());
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.core.lock().closed
    }

    pub(crate) fn len(&self) -> usize {
        self.core.lock().queue.len().min(self.cap)
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        (self.cap != usize::MAX).then_some(self.cap)
    }

    pub(crate) fn is_full(&self) -> bool {
        !self.core.lock().has_room(self.cap)
    }
}

impl<T> Drop for Locked<T> {
    fn drop(&mut self) {
        if needs_drop::<T>() {
            let mut queue = std::mem::take(&mut self.core.lock().queue);
            discard(|| queue.pop_front());
        }
    }
}
