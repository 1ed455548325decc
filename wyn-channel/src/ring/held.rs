//! Places that a select holds in a [`Ring`] while it makes its message.
//!
//! The message of a send arm is made when the arm is selected: foreign code, which may take for ever, come back into this
//! ring, or give up. So nobody waits for the slot. It is the select's until it is filled or given back, wherever its
//! position in the order is: the position is passed by receivers, and taken anew one lap later.
//!
//! | stamp | position | who | makes it |
//! |---|---|---|---|
//! | lap | claimed at `tail` | the select | lap, `HELD` |
//! | lap, `HELD` | from `head` to `tail` | the select, with its message | lap, `FULL` |
//! | | | the select that gives up | lap, `FULL`, `VOID` |
//! | | at `head` | a receiver, which moves `head` then | lap, `PASSED` |
//! | lap, `PASSED` | before `head` | a sender at `tail` one lap later, which moves `tail` then | next lap, `HELD` |
//! | | | the select, if `tail` stands at its slot, which it moves first | next lap, `FULL` |
//! | | | the select, once its message has another position at `tail`, or that gives up | next lap: free |
//!
//! Whoever finds `head` or `tail` not moved yet moves it. While a slot is `PASSED`, `tail` cannot get past it, nor be a
//! whole lap ahead of `head`: so there is a position at `tail` for the message.
//!
//! | site | ordering | partner | why |
//! |---|---|---|---|
//! | stamp, to `FULL` | Release | `claim_recv*` | the message is in |
//! | stamp, to the next lap | Release | `claim_send*` | the select is done with the slot |
//! | stamp, other changes | AcqRel | each other | whoever sees one sees the position moved that came before it |
//! | `head`, `tail` | SeqCst | `Side` | as where a message moves them |

use super::side::Side;
use super::{Claim, FULL, HELD, PASSED, Refused, Ring, Slot, VOID};
use crate::spin::Spin;
use crate::sync::{Ordering, planted};

impl<T> Ring<T> {
    /// Holds a position; its slot's number.
    pub(super) fn hold(&self) -> Result<usize, Refused> {
        let claim = self.claim_send()?;
        // Ordering: SeqCst: see `are_all_held`. Counted first: nobody skips or passes the slot before.
        self.held.fetch_add(1, Ordering::SeqCst);
        // Ordering: Release: see the table. Nobody else changes the stamp of a claimed slot.
        claim.slot.stamp.store(claim.lap | HELD, Ordering::Release);
        Ok(self.laps().index(claim.position))
    }

    /// A receiver that finds a held slot at `head` passes it; `false` if there is none.
    #[cold]
    pub(super) fn pass_held(&self, head: usize, stamp: usize) -> bool {
        let laps = self.laps();
        let lap = laps.lap(head);
        if stamp != lap | HELD && stamp != lap | PASSED {
            return false;
        }
        // Ordering: SeqCst: as in `can_recv`.
        if self.tail.load(Ordering::SeqCst) & !self.closed == head {
            // A sender is about to move `tail` over it.
            return false;
        }
        let slot = self.slot(laps.index(head));
        // Ordering: AcqRel: see the table. Failure is Relaxed: the select, or another receiver, was faster.
        let _ = slot.stamp.compare_exchange(lap | HELD, lap | PASSED, Ordering::AcqRel, Ordering::Relaxed);
        // Ordering: Acquire: as above.
        if slot.stamp.load(Ordering::Acquire) == lap | PASSED {
            self.move_head(head);
        }
        true
    }

    /// A sender that finds at `tail` a slot that receivers have passed leaves it to its select; `false` if it is none.
    #[cold]
    pub(super) fn skip_held(&self, tail: usize, stamp: usize) -> bool {
        let laps = self.laps();
        let lap = laps.lap(tail);
        if laps.next_lap(stamp) == lap | PASSED {
            // Ordering: SeqCst: see `Side`.
            let head = self.head.load(Ordering::SeqCst);
            if laps.next_lap(head) == tail {
                self.move_head(head);
            }
            let slot = self.slot(laps.index(tail));
            // Ordering: AcqRel, failure Acquire: see the table.
            let taken = slot.stamp.compare_exchange(stamp, lap | HELD, Ordering::AcqRel, Ordering::Acquire);
            if taken.is_err_and(|now| now != lap | HELD) && !planted("skip-what-is-free") {
                // The select has let go: the slot is free for the one who looks again.
                return true;
            }
        } else if stamp != lap | HELD {
            return false;
        }
        self.pull_tail(tail);
        true
    }

    /// Calls one who waits at the other `side`, before this side waits: a task that was called and does not come may have
    /// left it asleep. Not if all places are held: two that have nothing to do would call each other on and on.
    pub(super) fn call_before_waiting(&self, side: &Side) {
        if !self.are_all_held() {
            side.notify_one();
        }
    }

    /// Whether there is no place but those that selects hold: then nobody can send, whatever receivers pass.
    pub(super) fn are_all_held(&self) -> bool {
        // Ordering: SeqCst: as `head` in `can_send`: a sender that goes to sleep sees that a select has let go, or is seen.
        self.held.load(Ordering::SeqCst) >= self.capacity()
    }

    /// Moves `head` from there, unless somebody has.
    fn move_head(&self, head: usize) {
        // Ordering: SeqCst: see `Side`. Failure is Relaxed: it has been moved.
        let _ =
            self.head.compare_exchange(head, self.laps().after(head), Ordering::SeqCst, Ordering::Relaxed);
    }

    /// Moves `tail` over a held position; `false` if it stands there for ever, for the channel is closed.
    fn pull_tail(&self, position: usize) -> bool {
        // Ordering: SeqCst: see `Side`. Failure is SeqCst, for the receivers that wait are looked at next.
        let moved = self.tail.compare_exchange(
            position,
            self.laps().after(position),
            Ordering::SeqCst,
            Ordering::SeqCst,
        );
        moved.err() != Some(position | self.closed)
    }

    /// Sends by the right that a held slot gives; gives the message back if the channel is closed. Does not block.
    pub(super) fn fill_held(&self, index: usize, mut msg: T) -> Result<(), T> {
        let slot = self.slot(index);
        let mut spin = Spin::new();
        loop {
            if self.is_closed() {
                self.let_go(index);
                return Err(msg);
            }
            // Ordering: Acquire: see the table.
            let stamp = slot.stamp.load(Ordering::Acquire);
            let lap = self.laps().lap(stamp);
            let filled = if stamp & HELD != 0 {
                let is_behind = self.pull_tail(lap | index);
                if is_behind { self.fill_in_place(slot, stamp, lap, msg) } else { Err(msg) }
            } else if self.take_up(lap | index) {
                // Its own slot, one lap further.
                self.fill_in_place(slot, stamp, self.laps().next_lap(lap), msg)
            } else if let Ok(claim) = self.claim_beyond_held() {
                Self::fill(claim, msg);
                self.let_go(index);
                self.receivers.notify_one();
                return Ok(());
            } else {
                Err(msg)
            };
            match filled {
                Ok(()) => {
                    self.uncount();
                    self.receivers.notify_one();
                    return Ok(());
                }
                Err(back) => msg = back,
            }
            // Passed, or taken one lap further, or closed meanwhile.
            spin.step_aside();
        }
    }

    /// Claims a passed slot's next position, if `tail` stands there.
    fn take_up(&self, passed: usize) -> bool {
        self.move_head(passed);
        let laps = self.laps();
        let next = laps.next_lap(laps.lap(passed)) | laps.index(passed);
        // Ordering: SeqCst: see `Side`. Failure is Relaxed: it publishes nothing.
        self.tail.compare_exchange(next, laps.after(next), Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    /// Fills a held slot for a lap whose position is in the order; gives the message back if the stamp has changed.
    fn fill_in_place(&self, slot: &Slot<T>, stamp: usize, lap: usize, msg: T) -> Result<(), T> {
        // SAFETY: the slot is the select's, and empty.
        slot.message.with_mut(|place| unsafe { place.cast::<T>().write(msg) });
        if planted("fill-blindly") {
            // Ordering: Release: a flaw in its place alone.
            slot.stamp.store(lap | FULL, Ordering::Release);
            return Ok(());
        }
        // Ordering: Release pairs with the Acquire in `claim_recv*`: the message is visible. Failure is Relaxed:
        // nobody has read it.
        if slot.stamp.compare_exchange(stamp, lap | FULL, Ordering::Release, Ordering::Relaxed).is_ok() {
            return Ok(());
        }
        // SAFETY: written above; the slot is still the select's.
        Err(slot.message.with(|place| unsafe { place.cast::<T>().read() }))
    }

    /// As `claim_send`, and skips a passed slot at `tail` even if all are held: one of them is the caller's.
    fn claim_beyond_held(&self) -> Result<Claim<'_, T>, Refused> {
        // Ordering: Relaxed: a guess that `skip_held` verifies.
        let tail = self.tail.load(Ordering::Relaxed) & !self.closed;
        // Ordering: Acquire: see the table.
        let stamp = self.slot(self.laps().index(tail)).stamp.load(Ordering::Acquire);
        self.skip_held(tail, stamp);
        self.claim_send()
    }

    fn uncount(&self) {
        // Ordering: SeqCst: see `are_all_held`. After the stamp has changed, for the same reason as it is counted first.
        self.held.fetch_sub(1, Ordering::SeqCst);
    }

    /// Gives a held slot back: as a void message where its position is in the order, else as a free slot.
    pub(super) fn let_go(&self, index: usize) {
        let laps = self.laps();
        let slot = self.slot(index);
        loop {
            // Ordering: Acquire: see the table.
            let stamp = slot.stamp.load(Ordering::Acquire);
            let lap = laps.lap(stamp);
            let is_in_order = stamp & HELD != 0;
            let new = if is_in_order {
                if !self.pull_tail(lap | index) {
                    // Closed right here: nobody comes this far.
                    return self.uncount();
                }
                lap | FULL | VOID
            } else {
                self.move_head(lap | index);
                laps.next_lap(lap)
            };
            // Ordering: Release: see the table. Failure is Relaxed: once more.
            if slot.stamp.compare_exchange(stamp, new, Ordering::Release, Ordering::Relaxed).is_err() {
                continue;
            }
            self.uncount();
            if is_in_order {
                self.skip_void();
                // Somebody who waits behind it looks again.
                self.receivers.notify_one();
            } else {
                self.senders.notify_one();
            }
            return;
        }
    }
}
