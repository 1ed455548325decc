//! One slot: its state word, every legal transition of it, and the value cell that the word guards.
//!
//! Knows nothing of tables, free lists and waiters; the `link` it carries is a plain number to it.
//!
//! # The state word
//!
//! The upper half is the generation, the lower half the phase:
//!
//! | phase | meaning | who may leave it |
//! |---|---|---|
//! | `FREE` | generation is that of the last use | the one thread that took the index off the free list: [`Slot::open`] |
//! | `PENDING` | open, no result | anybody with the key: [`Slot::claim`], [`Slot::mark_waited`], [`Slot::close`] |
//! | `WAITED` | as `PENDING`, and somebody may be registered as waiting | [`Slot::claim`], [`Slot::close`] |
//! | `WRITING` | the claimant moves the result in; nobody else touches word, value or link | the claimant: [`Claim::publish`] |
//! | `READY` | the value cell is initialised | [`Slot::take`], [`Slot::close`] |
//! | `DROPPED` | there will be no result | [`Slot::take`], [`Slot::close`] |
//!
//! A transition to `FREE` makes the thread that did it the owner of the slot: it alone reads the value, wakes
//! the waiters, and gives the slot to the free list (or retires it after the last generation).
//! No waiter can register once `PENDING` and `WAITED` are left, so the claimant learns from its own exchange
//! whether there are any, and publishing is a plain store.
//!
//! Every exchange compares the generation as well, so a stale key changes nothing.
//!
//! # Orderings
//!
//! | site | ordering | partner and what it carries | model that dies without it |
//! |---|---|---|---|
//! | `open`: store | Release | `claim`, `mark_waited`, `close`: the previous life's last use of value and link | `a_key_`, `a_waiter_`, `a_close_without_synchronisation` |
//! | `claim`: exchange | Acquire | `open` (also through `mark_waited`) | `a_key_without_synchronisation` |
//! | `mark_waited`: exchange | Acquire | `open`: the link is reset | `a_waiter_without_synchronisation` |
//! | `publish`: store | Release | `take`, `close`: the value | `complete_meets_take`, `close_meets_complete` |
//! | `take`: exchange | Acquire | `publish` | `complete_meets_take` |
//! | `close`: exchange | Acquire | `publish`: the value; `open`: the link | `close_meets_complete`, `a_close_without_synchronisation` |
//!
//! `tests/loom_slab/weakened.rs` relaxes each in turn and expects the model to fail; `tests/mutants.toml` plants
//! flaws in the logic. Keys that reach another thread through something that synchronises would make the first three
//! redundant; the slab does not rely on it, since keys travel as numbers.

use std::mem::{MaybeUninit, needs_drop};

use super::error::SlabError;
use super::key::Generation;
use crate::sync::{AtomicU32, AtomicU64, Ordering, UnsafeCell, needed, spin_until};

const FREE: u32 = 0;
const PENDING: u32 = 1;
const WAITED: u32 = 2;
const WRITING: u32 = 3;
const READY: u32 = 4;
const DROPPED: u32 = 5;

#[inline]
const fn word(generation: Generation, phase: u32) -> u64 {
    (generation.0 as u64) << 32 | phase as u64
}

#[inline]
const fn generation_of(word: u64) -> Generation {
    Generation((word >> 32) as u32)
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the low half is the phase")]
const fn phase_of(word: u64) -> u32 {
    word as u32
}

/// A place for one result at a time.
pub(super) struct Slot<T> {
    /// See the table above.
    state: AtomicU64,
    /// While `FREE`: the next slot of the free list. While open: the first waiter. Both as number + 1, 0 for none.
    link: AtomicU32,
    /// Initialised in `READY` and nowhere else. Written by the claimant in `WRITING`, moved out by the owner.
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: a shared slot moves values of `T` between threads, one at a time, hence `T: Send`. No two threads ever
// reach the value together (it belongs to the claimant in `WRITING` and to whoever left `READY`), so `T: Sync` is
// not needed.
unsafe impl<T: Send> Sync for Slot<T> {}

/// The right, and the duty, to settle a pending entry: the slot is in `WRITING` until [`publish`](Claim::publish).
pub(super) struct Claim<'a, T> {
    slot: &'a Slot<T>,
    generation: Generation,
    waited: bool,
}

/// What [`Slot::close`] found.
pub(super) struct Closed<T> {
    pub(super) value: Option<T>,
    /// Whether somebody may be registered as waiting.
    pub(super) waited: bool,
}

/// Why [`Slot::mark_waited`] did not.
pub(super) enum Unmarked {
    /// A claimant is about to publish.
    Writing,
    /// The entry is complete, or the key stale.
    Settled,
}

impl<T> Slot<T> {
    /// A slot that has not served yet.
    #[cfg(wyn_loom)]
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
            link: AtomicU32::new(0),
            value: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Starts the next life of a free slot and returns its generation.
    ///
    /// # Safety
    /// - The caller owns the slot: it alone was given it by the free list or as a fresh one, and has not opened it
    ///   since.
    /// - The generation so far is not the last one.
    #[inline]
    pub(super) unsafe fn open(&self) -> Generation {
        // Ordering: Relaxed: the owner alone writes the word, and the free list handed it over.
        let last = generation_of(self.state.load(Ordering::Relaxed));
        let generation = Generation(last.0 + 1);
        self.set_link(0);
        // Ordering: Release, pairs with the Acquire in `claim`, `mark_waited` and `close`: they write value and
        // link after all uses in earlier lives.
        self.state.store(word(generation, PENDING), needed("slab open", Ordering::Release));
        generation
    }

    /// Wins the right to settle the entry.
    #[inline]
    pub(super) fn claim(&self, generation: Generation) -> Result<Claim<'_, T>, SlabError> {
        let writing = word(generation, WRITING);
        let mut expected = word(generation, PENDING);
        loop {
            // Ordering: Acquire, pairs with the Release in `open`; Relaxed on failure: nothing is read.
            let acquire = needed("slab claim", Ordering::Acquire);
            match self.state.compare_exchange(expected, writing, acquire, Ordering::Relaxed) {
                Ok(_) => {
                    let waited = phase_of(expected) == WAITED;
                    return Ok(Claim { slot: self, generation, waited });
                }
                Err(seen) if seen == word(generation, WAITED) => expected = seen,
                Err(seen) if is_open(seen, generation) => return Err(SlabError::Completed),
                Err(_) => return Err(SlabError::Stale),
            }
        }
    }

    /// Makes the caller owner of a settled slot; `None` if it was abandoned.
    #[inline]
    pub(super) fn take(&self, generation: Generation) -> Result<Option<T>, SlabError> {
        // Ordering: Relaxed: only decides what to try; the exchange below acquires.
        let seen = self.state.load(Ordering::Relaxed);
        if !is_open(seen, generation) {
            return Err(SlabError::Stale);
        }
        if !is_settled(seen) {
            return Err(SlabError::Pending);
        }
        // Ordering: Acquire, pairs with the Release in `publish`; Relaxed on failure: somebody else won, and a
        // settled slot is left only by freeing it.
        let acquire = needed("slab take", Ordering::Acquire);
        self.state
            .compare_exchange(seen, word(generation, FREE), acquire, Ordering::Relaxed)
            .map_err(|_| SlabError::Stale)?;
        Ok((phase_of(seen) == READY).then(|| self.move_out()))
    }

    /// Makes the caller owner of the slot in whatever phase it is, waiting for a claimant in the middle of its
    /// move.
    pub(super) fn close(&self, generation: Generation) -> Result<Closed<T>, SlabError> {
        loop {
            // Ordering: Relaxed: only decides what to try; the exchange below acquires.
            let seen = self.state.load(Ordering::Relaxed);
            if !is_open(seen, generation) {
                return Err(SlabError::Stale);
            }
            if phase_of(seen) == WRITING {
                self.wait_for_claimant(generation);
                continue;
            }
            let free = word(generation, FREE);
            // Ordering: Acquire, pairs with the Release in `publish` for the value and in `open` for the link;
            // Relaxed on failure: the loop looks again.
            let acquire = needed("slab close", Ordering::Acquire);
            if self.state.compare_exchange(seen, free, acquire, Ordering::Relaxed).is_ok() {
                let value = (phase_of(seen) == READY).then(|| self.move_out());
                return Ok(Closed { value, waited: phase_of(seen) == WAITED });
            }
        }
    }

    /// Tells the future claimant that somebody waits.
    ///
    /// To be called under the lock under which the claimant will look for waiters.
    pub(super) fn mark_waited(&self, generation: Generation) -> Result<(), Unmarked> {
        let (pending, waited) = (word(generation, PENDING), word(generation, WAITED));
        // Ordering: Acquire, pairs with the Release in `open`: the link is that of this life; Relaxed on failure:
        // whoever registered before did so under the same lock.
        let acquire = needed("slab mark_waited", Ordering::Acquire);
        match self.state.compare_exchange(pending, waited, acquire, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(seen) if seen == waited => Ok(()),
            Err(seen) if seen == word(generation, WRITING) => Err(Unmarked::Writing),
            Err(_) => Err(Unmarked::Settled),
        }
    }

    /// Returns once no claimant of this generation is in the middle of its move.
    #[cold]
    pub(super) fn wait_for_claimant(&self, generation: Generation) {
        // Ordering: Relaxed: the caller looks again.
        spin_until(|| self.state.load(Ordering::Relaxed) != word(generation, WRITING));
    }

    /// Whether [`take`](Slot::take) would succeed.
    #[inline]
    pub(super) fn is_ready(&self, generation: Generation) -> Result<bool, SlabError> {
        // Ordering: Relaxed: an answer without access to the value.
        let seen = self.state.load(Ordering::Relaxed);
        if is_open(seen, generation) { Ok(is_settled(seen)) } else { Err(SlabError::Stale) }
    }

    /// Whether the slot serves an entry.
    pub(super) fn is_in_use(&self) -> bool {
        // Ordering: Relaxed: a number for people.
        phase_of(self.state.load(Ordering::Relaxed)) != FREE
    }

    #[inline]
    pub(super) fn link(&self) -> u32 {
        // Ordering: Relaxed: published by the head of the free list, or by the lock of the waiters.
        self.link.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_link(&self, link: u32) {
        // Ordering: Relaxed: as in `link`.
        self.link.store(link, Ordering::Relaxed);
    }

    /// To be called once by whoever left `READY`.
    #[inline]
    fn move_out(&self) -> T {
        self.value.with_mut(|value| {
            // SAFETY: the caller's exchange took the slot out of `READY`, where the cell is initialised; no other
            // thread gets at it before the slot is opened and claimed again, and only the caller moves it out.
            unsafe { value.cast::<T>().read() }
        })
    }

    /// Pretends that the slot has served up to `generation`.
    #[cfg(test)]
    pub(super) fn wear_to(&self, generation: Generation) {
        // Ordering: Relaxed: the only thread.
        self.state.store(word(generation, FREE), Ordering::Relaxed);
    }
}

#[inline]
fn is_open(word: u64, generation: Generation) -> bool {
    generation_of(word) == generation && phase_of(word) != FREE
}

#[inline]
fn is_settled(word: u64) -> bool {
    matches!(phase_of(word), READY | DROPPED)
}

impl<T> Claim<'_, T> {
    /// Whether somebody may be registered as waiting. They must be found before [`publish`](Claim::publish):
    /// afterwards the slot, and its link, may be anybody's.
    #[inline]
    pub(super) fn is_waited(&self) -> bool {
        self.waited
    }

    /// Settles the entry: with a value, or for good without.
    #[inline]
    pub(super) fn publish(self, value: Option<T>) {
        let phase = if value.is_some() { READY } else { DROPPED };
        if let Some(value) = value {
            self.slot.value.with_mut(|cell| {
                // SAFETY: in `WRITING` the cell is uninitialised and belongs to the one claimant.
                unsafe { (*cell).write(value) };
            });
        }
        // Ordering: Release, pairs with the Acquire in `take` and `close`: the value is visible to the owner.
        self.slot.state.store(word(self.generation, phase), needed("slab publish", Ordering::Release));
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        // Ordering: Relaxed: `&mut self`, nobody else is left.
        if needs_drop::<T>() && phase_of(self.state.load(Ordering::Relaxed)) == READY {
            // If the destructor panics, the value counts as dropped; the slice's drop goes on with the others.
            drop(self.move_out());
        }
    }
}
