//! Hand-off under a short lock: the algorithm of channels without a buffer, with one place, without a limit, and
//! with a limit beyond what one allocates at once.
//!
//! One lock guards the queue and the two lists of those who wait; every operation is one exchange and one
//! store. Order is that of the lock: messages are received in the order of the sends, waiters are served in the order
//! of their coming. Who finds somebody at the other end takes them out of the list and serves them:
//!
//! | who waits | role | at the other end | how it is served |
//! |---|---|---|---|
//! | thread that receives, arm that receives | `Alone`, `Case` | send | the first message goes to its stack (the idea of kanal) |
//! | task that receives | `Look` | send | the message joins the queue, the task is called to look again |
//! | thread that sends; task, without a buffer | `Alone` | receive | its message is taken from its stack or future |
//! | task that sends into a buffer | `Look` | receive | called to look again; keeps its message, and holds no place |
//! | arm that sends | `Case` | receive | called, with a place held for the message that it makes now |
//!
//! Nobody holds a claim on anybody while code that is not ours runs: a place that is held is a number (`reserved`), and
//! others pass it. Without a buffer there are as many places as receivers wait. If such a receiver has left when the
//! message comes, the message waits in the queue for the next one.
//!
//! Invariants, whenever the lock is free:
//! - a thread that waits to receive finds the queue empty, or as many tasks were called as there are messages;
//! - senders wait only while there is no room, or as many tasks were called as there are places;
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
use crate::list::{Claimed, Role, WaitList, Waiter, Wakes};
use crate::lock::{Guard, ShortLock};
use crate::sync::{Padded, planted};
use crate::wait::{Outcome, Ticket, Verdict, Wake};

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
    /// Without a buffer: messages for which a receiver was there, or had asked, when they were sent.
    queue: VecDeque<T>,
    /// Senders that wait for room, or for a receiver.
    senders: WaitList,
    /// Receivers that wait for a message.
    receivers: WaitList,
    /// Places held by selects that are about to send.
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
    fn has_place(&self, cap: usize) -> bool {
        self.queue.len() + self.reserved < cap
    }

    /// Whether a message of `sender` has somewhere to go: a place in the buffer, or, if there is none, a receiver that
    /// is not its own other arm and that no place is held for. `more` receivers count beside those in the list.
    fn has_room(&self, cap: usize, sender: *const Ticket, more: usize) -> bool {
        if cap == 0 { self.receivers.claimable(sender) + more > self.reserved } else { self.has_place(cap) }
    }

    /// Whether a message may simply join the queue.
    #[inline]
    fn takes_at_once(&self, cap: usize) -> bool {
        !self.closed && self.receivers.is_empty() && self.has_place(cap)
    }

    /// The oldest receiver for which no place is held, else the oldest: whoever makes a message for it may be waiting for
    /// this one.
    fn claim_receiver(&mut self, cap: usize) -> Option<Claimed> {
        let spoken_for = if cap == 0 { self.reserved } else { 0 };
        self.receivers.claim_beyond(spoken_for).or_else(|| self.receivers.claim_first(ptr::null()))
    }

    /// Lets a claimed receiver go on, with the first message of the queue if it is a thread.
    fn serve(&mut self, receiver: Claimed) -> Wake {
        if receiver.role() == Role::Look {
            return receiver.finish(Outcome::Served);
        }
        let msg = self.queue.pop_front().expect("whoever claims a receiver has a message");
        // SAFETY: whoever waits in `receivers` receives `T`s.
        unsafe { receiver.deliver(msg) }
    }
}

impl<T> Locked<T> {
    pub(crate) fn new(cap: usize) -> Self {
        // One place is what the channel needs; a larger buffer grows as messages come.
        let queue = if cap == 1 { VecDeque::with_capacity(1) } else { VecDeque::new() };
        let core =
            Core { queue, senders: WaitList::new(), receivers: WaitList::new(), reserved: 0, closed: false };
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
        if core.has_place(self.cap) {
            core.queue.push_back(msg);
            return Ok(());
        }
        Err(Refusal::Full(core, msg))
    }

    fn offer_to_waiting<'a>(&'a self, mut core: Guard<'a, Core<T>>, msg: T) -> Result<(), Refusal<'a, T>> {
        let has_place = core.has_place(self.cap);
        // A task that is called needs a place for the message; a thread takes one away at once.
        let receiver = if has_place || self.cap == 0 {
            core.claim_receiver(self.cap)
        } else {
            core.receivers.claim_thread()
        };
        let mut wakes = Wakes::default();
        match receiver {
            Some(receiver) if core.queue.is_empty() && receiver.role() != Role::Look => {
                drop(core);
                // SAFETY: whoever waits in `receivers` receives `T`s.
                unsafe { receiver.deliver(msg) }.send();
                return Ok(());
            }
            Some(receiver) => {
                core.queue.push_back(msg);
                wakes.add(core.serve(receiver));
            }
            None if has_place => core.queue.push_back(msg),
            None => return Err(Refusal::Full(core, msg)),
        }
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
        // SAFETY: `await_verdict` returns when the waiter is out of the list, and finished if it was claimed. Nothing
        // before it unwinds: those who watch are threads, and waking one runs no code but the system's.
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

    /// Lets senders that wait go on, the oldest first, as long as there is room: threads join the queue, an arm gets a
    /// place, and one task is called. `me` receives and counts as `more` receivers, its own arms aside.
    ///
    /// The caller sends the wake-ups when the lock is free.
    fn relieve(&self, core: &mut Core<T>, me: *const Ticket, more: usize, wakes: &mut Wakes) {
        let cap = self.cap;
        loop {
            let Core { queue, senders, receivers, reserved, .. } = core;
            let has_room = |sender: *const Ticket| match cap {
                0 => receivers.claimable(sender) + more > *reserved,
                _ => queue.len() + *reserved < cap,
            };
            let Some(sender) = senders.claim_if(me, has_room) else {
                if core.has_room(cap, ptr::null(), more) {
                    core.senders.notify_watchers(wakes);
                }
                return;
            };
            match sender.role() {
                Role::Alone => {
                    // SAFETY: whoever waits alone in `senders` sends a `T`.
                    let (msg, wake) = unsafe { sender.collect() };
                    queue.push_back(msg);
                    wakes.add(wake);
                }
                Role::Case => {
                    *reserved += 1;
                    wakes.add(sender.finish(Outcome::Served));
                }
                // It may find that somebody was faster, or never look: that is why it holds nothing.
                _ => {
                    wakes.add(sender.finish(Outcome::Served));
                    return;
                }
            }
        }
    }

    /// Restores the invariants after room or a message has appeared from elsewhere than a send or a receive.
    fn settle(&self, mut core: Guard<'_, Core<T>>) {
        let mut wakes = Wakes::default();
        loop {
            self.relieve(&mut core, ptr::null(), 0, &mut wakes);
            if core.queue.is_empty() {
                break;
            }
            let receiver = core.receivers.claim_first(ptr::null());
            let goes_on = receiver.as_ref().is_some_and(|receiver| receiver.role() != Role::Look);
            wakes.add(receiver.map_or(Wake::Nobody, |receiver| core.serve(receiver)));
            // A thread has made room for the next sender that waits.
            if !goes_on {
                core.receivers.notify_watchers(&mut wakes);
                break;
            }
        }
        drop(core);
        wakes.send();
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
        !self.core.lock().has_place(self.cap)
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
