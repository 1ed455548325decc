//! A bounded ring: the algorithm of channels with room for two messages or more.
//!
//! Dmitry Vyukov's bounded queue with laps, as in crossbeam-channel's array flavour: a sender claims a position
//! by one exchange on `tail`, writes, and marks the slot full; a receiver the same on `head`. Senders and
//! receivers meet only in slots. Deviations: slots count laps only, so that a ring starts as zeroed memory; and a slot
//! may be held by a select that makes its message (`held.rs`).
//!
//! Whoever finds the ring empty (full) looks again for a little while, then joins a list and sleeps. Nothing is
//! handed over: who is woken looks again, and may find that somebody was faster.
//!
//! | site | ordering | partner | what a model says if it is weakened |
//! |---|---|---|---|
//! | `claim_send*`, stamp load | Acquire | `free`: the last message is out | `ring_of_one_hands_over` fails (`stamp-claim-send`) |
//! | `claim_recv*`, stamp load | Acquire | `publish`: the message is in | `ring_of_one_hands_over` fails (`stamp-claim-recv`) |
//! | `publish`, stamp store | Release | `claim_recv*` | `ring_of_one_hands_over` fails (`stamp-publish`) |
//! | `free`, stamp store | Release | `claim_send*` | `ring_of_one_hands_over` fails (`stamp-free`) |
//! | `claim_*`, exchange | SeqCst | `Side::enlist` | `ring_a_message_alone_wakes` deadlocks (`side-peer`) |
//! | `sleep`, the last look | SeqCst | the exchanges | `ring_a_message_alone_wakes` deadlocks (`last-look`) |
//! | `close`, fetch_or | SeqCst | `Side::enlist` | nothing: `disconnect` takes the lock |
//!
//! loom takes SeqCst accesses for AcqRel ones, so the models have a fence in `Side` where the accesses stand.

mod block;
mod held;
mod laps;
mod look;
mod poll;
mod select;
mod side;

use std::mem::{MaybeUninit, needs_drop};
use std::ptr;

use crate::discard::discard;
use crate::error::{TryRecvError, TrySendError};
use crate::spin::Spin;
use crate::sync::{AtomicUsize, Ordering, Padded, UnsafeCell, fence, needed};
use laps::Laps;
use side::Side;

/// In a stamp: the slot holds a message of its lap.
const FULL: usize = 1;
/// In a full stamp: there is no message after all.
const VOID: usize = 2;
/// In a stamp without `FULL`: a select holds the slot, whose position lies between `head` and `tail`.
const HELD: usize = 2;
/// In a stamp, alone: a select holds the slot, and receivers have passed its position.
const PASSED: usize = 4;

/// A place for one message.
struct Slot<T> {
    /// The lap for whose sender (or, with `FULL`, receiver) the slot is ready. One lap's number is the value of
    /// `tail` with the index taken out.
    stamp: AtomicUsize,
    /// The sender's between its claim and `FULL`, then the receiver's between its claim and the next lap.
    message: UnsafeCell<MaybeUninit<T>>,
}

/// A channel with a buffer.
pub(crate) struct Ring<T> {
    /// Where the next receiver takes: index and lap.
    head: Padded<AtomicUsize>,
    /// Where the next sender puts: index, `closed` bit and lap.
    tail: Padded<AtomicUsize>,
    slots: Box<[Slot<T>]>,
    /// The bit of `tail` that says that no message is taken any more: see [`Laps`].
    closed: usize,
    senders: Side,
    receivers: Side,
    /// How many slots selects hold.
    held: AtomicUsize,
}

// SAFETY: a slot is reached by the one who has claimed it, and hands the message from thread to thread.
unsafe impl<T: Send> Sync for Ring<T> {}
// SAFETY: it owns its messages.
unsafe impl<T: Send> Send for Ring<T> {}

/// A claimed position: nobody else uses its slot until the stamp changes.
struct Claim<'a, T> {
    slot: &'a Slot<T>,
    /// The lap of the position.
    lap: usize,
    position: usize,
}

/// Why a send could not claim a position.
enum Refused {
    Full,
    Closed,
}

impl<T> Ring<T> {
    /// How many bytes a ring of that capacity takes, if that is a number at all.
    pub(crate) fn bytes(cap: usize) -> Option<usize> {
        cap.checked_mul(size_of::<Slot<T>>())
    }

    /// # Panics
    /// If the capacity is 0.
    pub(crate) fn new(cap: usize) -> Self {
        assert!(cap > 0, "a ring has at least one slot");
        Self {
            head: Padded(AtomicUsize::new(0)),
            tail: Padded(AtomicUsize::new(0)),
            slots: Slot::empty(cap),
            closed: Laps::closed_bit(cap),
            senders: Side::new(),
            receivers: Side::new(),
            held: AtomicUsize::new(0),
        }
    }

    pub(crate) fn id(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    #[inline]
    fn laps(&self) -> Laps {
        Laps::new(self.closed, self.slots.len())
    }

    #[inline]
    fn slot(&self, index: usize) -> &Slot<T> {
        debug_assert!(index < self.slots.len());
        // SAFETY: the index of a position, which `Laps::after` keeps within the slots.
        unsafe { self.slots.get_unchecked(index) }
    }

    /// What the owner of a position may use.
    fn claimed(&self, position: usize) -> Claim<'_, T> {
        let laps = self.laps();
        Claim { slot: self.slot(laps.index(position)), lap: laps.lap(position), position }
    }

    #[inline]
    fn claim_send(&self) -> Result<Claim<'_, T>, Refused> {
        self.claim_send_at_once().map_or_else(|| self.claim_send_slow(), Ok)
    }

    /// Claims a position if nothing is in the way.
    #[inline]
    fn claim_send_at_once(&self) -> Option<Claim<'_, T>> {
        let laps = self.laps();
        // Ordering: Relaxed: a guess that the exchange verifies.
        let tail = self.tail.load(Ordering::Relaxed);
        let slot = self.slot(laps.index(tail));
        // Ordering: Acquire pairs with the Release in `free`: the last receiver is done with the slot.
        let lap = slot.stamp.load(needed("stamp-claim-send", Ordering::Acquire));
        // A closed channel's `tail` has a bit that no stamp has.
        if lap != laps.without_index(tail) {
            return None;
        }
        // Ordering: SeqCst: see `Side`. Failure is Relaxed: it publishes nothing.
        let moved =
            self.tail.compare_exchange(tail, laps.after(tail), Ordering::SeqCst, Ordering::Relaxed).is_ok();
        moved.then_some(Claim { slot, lap, position: tail })
    }

    #[cold]
    #[inline(never)]
    fn claim_send_slow(&self) -> Result<Claim<'_, T>, Refused> {
        let laps = self.laps();
        let mut spin = Spin::new();
        // Ordering: Relaxed: a guess that the exchange verifies.
        let mut tail = self.tail.load(Ordering::Relaxed);
        loop {
            if tail & self.closed != 0 {
                return Err(Refused::Closed);
            }
            // Ordering: Acquire pairs with the Release in `free`: the last receiver is done with the slot.
            let stamp = self.slot(laps.index(tail)).stamp.load(needed("stamp-claim-send", Ordering::Acquire));
            if stamp == laps.lap(tail) {
                // Ordering: SeqCst: see `Side`. Failure is Relaxed: another guess.
                match self.tail.compare_exchange_weak(
                    tail,
                    laps.after(tail),
                    Ordering::SeqCst,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => return Ok(self.claimed(tail)),
                    Err(now) => tail = now,
                }
                spin.step_aside();
                continue;
            }
            if laps.next_lap(stamp) == laps.lap(tail) | PASSED && self.are_all_held() {
                return Err(Refused::Full);
            }
            if self.skip_held(tail, stamp) {
                // Ordering: Relaxed: as above.
                tail = self.tail.load(Ordering::Relaxed);
                continue;
            }
            let before = laps.next_lap(stamp);
            if before & !VOID == laps.lap(tail) | FULL || before == laps.lap(tail) | HELD {
                // The slot holds the message of the lap before, or is held for it.
                // Ordering: SeqCst: a receiver that went on before this was called is seen.
                fence(Ordering::SeqCst);
                // Ordering: Relaxed: ordered by the fence.
                if laps.next_lap(self.head.load(Ordering::Relaxed)) == tail && !self.skip_void() {
                    return Err(Refused::Full);
                }
            }
            // A receiver is about to free the slot, or `tail` was stale.
            spin.stay();
            // Ordering: Relaxed: as above.
            tail = self.tail.load(Ordering::Relaxed);
        }
    }

    /// Puts the message into a claimed slot and wakes a receiver.
    #[inline]
    fn publish(&self, claim: Claim<'_, T>, msg: T) {
        Self::fill(claim, msg);
        self.receivers.notify_one();
    }

    /// Puts the message into a claimed slot. The caller wakes a receiver.
    #[inline]
    fn fill(claim: Claim<'_, T>, msg: T) {
        // SAFETY: the claim makes the slot ours, and it is empty.
        claim.slot.message.with_mut(|place| unsafe { place.cast::<T>().write(msg) });
        // Ordering: Release pairs with the Acquire in `claim_recv*`: the message is visible.
        claim.slot.stamp.store(claim.lap | FULL, needed("stamp-publish", Ordering::Release));
    }

    #[inline]
    fn claim_recv(&self) -> Result<Claim<'_, T>, TryRecvError> {
        self.claim_recv_at_once().map_or_else(|| self.claim_recv_slow(), Ok)
    }

    /// As [`claim_send_at_once`](Self::claim_send_at_once), for a receive.
    #[inline]
    fn claim_recv_at_once(&self) -> Option<Claim<'_, T>> {
        let laps = self.laps();
        // Ordering: Relaxed: a guess that the exchange verifies.
        let head = self.head.load(Ordering::Relaxed);
        let (slot, lap) = (self.slot(laps.index(head)), laps.lap(head));
        // Ordering: Acquire pairs with the Release in `publish`: the message is visible.
        if slot.stamp.load(needed("stamp-claim-recv", Ordering::Acquire)) != lap | FULL {
            return None;
        }
        // Ordering: SeqCst: see `Side`. Failure is Relaxed: it publishes nothing.
        let moved =
            self.head.compare_exchange(head, laps.after(head), Ordering::SeqCst, Ordering::Relaxed).is_ok();
        moved.then_some(Claim { slot, lap, position: head })
    }

    #[cold]
    #[inline(never)]
    fn claim_recv_slow(&self) -> Result<Claim<'_, T>, TryRecvError> {
        let laps = self.laps();
        let mut spin = Spin::new();
        // Ordering: Relaxed: a guess that the exchange verifies.
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // Ordering: Acquire pairs with the Release in `publish`: the message is visible.
            let stamp = self.slot(laps.index(head)).stamp.load(needed("stamp-claim-recv", Ordering::Acquire));
            if stamp & !VOID == laps.lap(head) | FULL {
                // Ordering: SeqCst: see `Side`. Failure is Relaxed: another guess.
                match self.head.compare_exchange_weak(
                    head,
                    laps.after(head),
                    Ordering::SeqCst,
                    Ordering::Relaxed,
                ) {
                    Ok(_) if stamp & VOID == 0 => return Ok(self.claimed(head)),
                    Ok(_) => {
                        self.free(self.claimed(head));
                        // Ordering: Relaxed: as above.
                        head = self.head.load(Ordering::Relaxed);
                    }
                    Err(now) => head = now,
                }
                spin.step_aside();
                continue;
            }
            if self.pass_held(head, stamp) {
                // Ordering: Relaxed: as above.
                head = self.head.load(Ordering::Relaxed);
                continue;
            }
            let lap = laps.lap(head);
            if stamp == lap || stamp == lap | HELD || laps.next_lap(stamp) == lap | PASSED {
                // The slot waits for the sender of this lap, or the select that holds it has just been passed by `tail`.
                // Ordering: SeqCst: a sender that went on before this was called is seen.
                fence(Ordering::SeqCst);
                // Ordering: Relaxed: ordered by the fence.
                let tail = self.tail.load(Ordering::Relaxed);
                if tail & !self.closed == head {
                    let closed = tail & self.closed != 0;
                    return Err(if closed { TryRecvError::Disconnected } else { TryRecvError::Empty });
                }
            }
            // A sender is about to fill the slot, or `head` was stale.
            spin.stay();
            // Ordering: Relaxed: as above.
            head = self.head.load(Ordering::Relaxed);
        }
    }

    /// Takes the message out of a claimed slot and wakes a sender.
    #[inline]
    fn collect(&self, claim: Claim<'_, T>) -> T {
        // SAFETY: the claim makes the slot ours, and it is full.
        let msg = claim.slot.message.with(|place| unsafe { place.cast::<T>().read() });
        self.free(claim);
        msg
    }

    #[inline]
    fn free(&self, claim: Claim<'_, T>) {
        let next = self.laps().next_lap(claim.lap);
        // Ordering: Release pairs with the Acquire in `claim_send*`: we are done with the slot.
        claim.slot.stamp.store(next, needed("stamp-free", Ordering::Release));
        self.senders.notify_one();
    }

    /// Frees the slot at the head if it is void. Senders do that where no receiver comes by.
    #[cold]
    fn skip_void(&self) -> bool {
        let laps = self.laps();
        // Ordering: Relaxed: a guess that the exchange verifies.
        let head = self.head.load(Ordering::Relaxed);
        // Ordering: Acquire: as in `claim_recv`, though there is no message.
        let stamp = self.slot(laps.index(head)).stamp.load(Ordering::Acquire);
        let is_void = stamp == laps.lap(head) | FULL | VOID;
        // Ordering: SeqCst: see `Side`. Failure is Relaxed: somebody else has moved on.
        let moved = || {
            self.head.compare_exchange(head, laps.after(head), Ordering::SeqCst, Ordering::Relaxed).is_ok()
        };
        if is_void && moved() {
            self.free(self.claimed(head));
        }
        is_void
    }

    #[inline]
    pub(crate) fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        match self.claim_send() {
            Ok(claim) => {
                self.publish(claim, msg);
                Ok(())
            }
            Err(Refused::Full) => Err(TrySendError::Full(msg)),
            Err(Refused::Closed) => Err(TrySendError::Disconnected(msg)),
        }
    }

    #[inline]
    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        self.claim_recv().map(|claim| self.collect(claim))
    }

    /// Takes no more messages; whoever waits is told. Says whether this was the first time.
    pub(crate) fn close(&self) -> bool {
        // Ordering: SeqCst: see `Side`, though `disconnect` takes its locks in any case.
        let tail = self.tail.fetch_or(self.closed, Ordering::SeqCst);
        self.senders.disconnect();
        self.receivers.disconnect();
        tail & self.closed == 0
    }

    /// After the last receiver: closes, and drops what nobody can receive any more.
    pub(crate) fn close_and_discard(&self) {
        self.close();
        // A send that has claimed its position before is waited for.
        discard(|| self.try_recv().ok());
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        if needs_drop::<T>() {
            discard(|| self.try_recv().ok());
        }
    }
}

impl<T> Slot<T> {
    #[cfg(not(wyn_loom))]
    fn empty(cap: usize) -> Box<[Self]> {
        const PAGE: usize = 4096;
        let zeroed = Box::new_zeroed_slice(cap);
        // SAFETY: a zero is lap 0, and no message needs to be there.
        let slots: Box<[Self]> = unsafe { zeroed.assume_init() };
        // The pages are mapped here, not one by one under the first messages.
        for slot in slots.iter().step_by((PAGE / size_of::<Self>()).max(1)) {
            // Ordering: Relaxed: nobody else knows the slots yet.
            slot.stamp.store(0, Ordering::Relaxed);
        }
        slots
    }

    #[cfg(wyn_loom)]
    fn empty(cap: usize) -> Box<[Self]> {
        let slot = || Self { stamp: AtomicUsize::new(0), message: UnsafeCell::new(MaybeUninit::uninit()) };
        std::iter::repeat_with(slot).take(cap).collect()
    }
}
