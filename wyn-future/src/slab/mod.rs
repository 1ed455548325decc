//! A slab of one-shot results that are named by plain numbers.
//!
//! [`slot`] owns the protocol of one entry, [`table`] the memory, [`free`] the choice of the next slot, [`waiters`]
//! and [`wait`] the cold side. This file puts them together. A slot moves in a circle:
//! free list → [`Slab::open`] → `complete` or `abandon` → `take` or `close` → free list.

#[deny(unsafe_code)]
mod error;
#[deny(unsafe_code)]
mod free;
#[deny(unsafe_code)]
mod key;
mod slot;
mod table;
#[cfg(all(test, not(wyn_loom)))]
mod tests;
#[deny(unsafe_code)]
mod wait;
#[deny(unsafe_code)]
mod waiters;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

pub use error::{CompleteError, SlabError};
pub use key::Key;
pub use wait::Wait;

use free::Free;
use key::Index;
use slot::{Claim, Slot};
use table::Table;
use waiters::{Waiters, Woken};

/// One-shot results under keys that are plain 64-bit numbers.
///
/// For callers that cannot hold a Rust handle: code behind a C interface, requests with an id on the wire. One side
/// [opens](Slab::open) an entry and passes its [`Key`] on; the other side [completes](Slab::complete) it; somebody
/// takes the result, at once ([`try_take`](Slab::try_take)), parked ([`take`](Slab::take),
/// [`take_timeout`](Slab::take_timeout)) or as a future ([`wait`](Slab::wait)). Every key serves one result.
///
/// Keys carry a generation: once an entry is taken or closed its key is [stale](SlabError::Stale), for ever, and
/// never reads the result of an entry that uses the same memory later. Of several that take or close the same entry
/// exactly one wins, the others are told `Stale`. A slot whose 2³² − 1 generations are used up is retired.
///
/// Entries whose key is lost stay until the slab is dropped. Where both sides are Rust, prefer
/// [`oneshot`](fn@crate::oneshot): its handles close the entry by themselves.
///
/// # Example
///
/// ```
/// use std::thread;
/// use std::time::Duration;
/// use wyn_future::{Key, Slab, SlabError};
///
/// # fn main() -> Result<(), SlabError> {
/// static REPLIES: std::sync::LazyLock<Slab<String>> = std::sync::LazyLock::new(Slab::new);
///
/// // The number travels; nothing of Rust goes with it.
/// let request: u64 = REPLIES.open().to_bits();
/// thread::spawn(move || {
///     let key = Key::from_bits(request).expect("a key is never zero");
///     REPLIES.complete(key, "pong".to_owned()).expect("nobody closed it");
/// });
///
/// let key = Key::from_bits(request).expect("a key is never zero");
/// assert_eq!(REPLIES.take_timeout(key, Duration::from_secs(60))?, "pong");
/// assert_eq!(REPLIES.try_take(key), Err(SlabError::Stale)); // also when its slot serves again
/// # Ok(())
/// # }
/// ```
///
/// # Cost
///
/// Opening, completing, taking: four atomic read-modify-writes in all, no lock, no allocation unless more entries
/// are open than ever before. Memory grows in chunks (1024 slots, then twice the last) that never move and stay until
/// the slab is dropped; pages of a chunk are touched when first needed. The slot freed last is reused first. Waiting
/// takes a lock and is meant to be rare beside completing.
///
/// # Memory ordering
///
/// What happened before [`complete`](Slab::complete) is visible to whoever takes or closes the result. The key
/// itself must reach the other thread by something that synchronises (a channel, a lock, a Release store): a thread
/// that gets it otherwise may be told `Stale`, but never gets a wrong result.
///
/// # Blocking
///
/// Between winning an entry and publishing its result, `complete` moves the value into the slab. In that window
/// `close`, `take` and the future spin (and yield) for it; `try_take` reports `Pending`.
///
/// # Source
///
/// The free list is Treiber's stack (*Systems Programming: Coping with Parallelism*, 1986) of slots that are never
/// deallocated, with a tag in its head.
pub struct Slab<T> {
    free: Free,
    table: Table<T>,
    waiters: Waiters,
}

// The slab's own state is consistent wherever a panic may pass through it (wakers, destructors of values).
impl<T> UnwindSafe for Slab<T> {}
impl<T> RefUnwindSafe for Slab<T> {}

impl<T> Slab<T> {
    /// An empty slab that has allocated nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { free: Free::new(), table: Table::new(), waiters: Waiters::new() }
    }

    /// An empty slab in which at least `entries` entries can be open without allocating.
    ///
    /// # Panics
    /// Above 268 434 432 entries, or if the memory for them is not addressable.
    #[must_use]
    pub fn with_capacity(entries: usize) -> Self {
        let slab = Self::new();
        slab.table.grow_by_chunks(entries);
        slab
    }

    /// Opens an entry that waits for its result.
    ///
    /// Never blocks, except on another thread that is allocating the chunk they both need.
    ///
    /// # Panics
    /// If 268 434 432 entries are open, or the memory for one more is not addressable.
    #[inline]
    #[must_use = "an entry whose key is lost stays until the slab is dropped"]
    pub fn open(&self) -> Key {
        let (index, slot) = self.free.pop(&self.table).unwrap_or_else(|| self.fresh());
        // SAFETY:
        // - popping an index, or drawing a fresh one, makes the slot this caller's alone;
        // - a slot of the last generation is not pushed (`release`), and a fresh one is of generation 0.
        let generation = unsafe { slot.open() };
        Key::new(index, generation)
    }

    #[cold]
    #[inline(never)]
    fn fresh(&self) -> (Index, &Slot<T>) {
        let index = self.free.fresh();
        let slot = self.table.get(index).unwrap_or_else(|| {
            self.table.grow_to(index);
            self.table.get(index).expect("the chunk was just allocated")
        });
        (index, slot)
    }

    /// Gives the entry its result and wakes all who wait for it.
    ///
    /// # Errors
    /// Hands the value back: [`Stale`](SlabError::Stale) if the entry was closed (or taken),
    /// [`Completed`](SlabError::Completed) if it has its result already.
    ///
    /// # Panics
    /// Only if a waker does; the result is delivered then, and the other waiters are woken.
    #[inline]
    pub fn complete(&self, key: Key, value: T) -> Result<(), CompleteError<T>> {
        match self.claim(key) {
            Ok(claim) => {
                self.settle(key, claim, Some(value));
                Ok(())
            }
            Err(error) => Err(CompleteError { value, error }),
        }
    }

    /// Says that the entry will never have a result: whoever takes it is told [`Dropped`](SlabError::Dropped), once.
    ///
    /// For the completing side; the taking side that has lost interest calls [`close`](Slab::close).
    ///
    /// # Errors
    /// As [`complete`](Slab::complete).
    pub fn abandon(&self, key: Key) -> Result<(), SlabError> {
        let claim = self.claim(key)?;
        self.settle(key, claim, None);
        Ok(())
    }

    #[inline]
    fn claim(&self, key: Key) -> Result<Claim<'_, T>, SlabError> {
        self.slot(key)?.claim(key.generation())
    }

    #[inline]
    fn settle(&self, key: Key, claim: Claim<'_, T>, value: Option<T>) {
        let woken = if claim.is_waited() { Some(self.drain(key)) } else { None };
        claim.publish(value);
        drop(woken);
    }

    /// The waiters of an entry that the caller has claimed or owns.
    fn drain(&self, key: Key) -> Woken {
        self.table.get(key.index()).map_or_else(Woken::default, |slot| self.waiters.drain(key.index(), slot))
    }

    /// Takes the result if it is there. Never blocks.
    ///
    /// # Errors
    /// [`Pending`](SlabError::Pending) if there is none yet; [`Dropped`](SlabError::Dropped) if there will be none
    /// (which ends the entry); [`Stale`](SlabError::Stale) if the entry was taken or closed.
    #[inline]
    pub fn try_take(&self, key: Key) -> Result<T, SlabError> {
        let slot = self.slot(key)?;
        let value = slot.take(key.generation())?;
        self.release(key, slot);
        value.ok_or(SlabError::Dropped)
    }

    /// Takes the result, parking the thread until it is there.
    ///
    /// # Errors
    /// [`Dropped`](SlabError::Dropped) if there will be none; [`Stale`](SlabError::Stale) if the entry was taken or
    /// closed, before or while waiting.
    #[inline]
    pub fn take(&self, key: Key) -> Result<T, SlabError> {
        match self.try_take(key) {
            Err(SlabError::Pending) => self.take_parked(key, None),
            result => result,
        }
    }

    /// Takes the result, parking the thread for at most about `timeout` until it is there.
    ///
    /// A timeout that lies beyond the clock's range is none.
    ///
    /// # Errors
    /// As [`take`](Slab::take); or [`Pending`](SlabError::Pending) if the time was up first: the entry stays open.
    pub fn take_timeout(&self, key: Key, timeout: Duration) -> Result<T, SlabError> {
        match self.try_take(key) {
            Err(SlabError::Pending) if !timeout.is_zero() => {
                self.take_parked(key, Instant::now().checked_add(timeout))
            }
            result => result,
        }
    }

    /// The result as a future, with the same errors as [`take`](Slab::take).
    ///
    /// Cancel-safe: dropping the future loses nothing, the entry stays open and can be taken or waited for again.
    pub fn wait(&self, key: Key) -> Wait<'_, T> {
        Wait::new(self, key)
    }

    /// Whether taking would not wait: the entry has its result or was abandoned. Synchronises nothing.
    ///
    /// # Errors
    /// [`Stale`](SlabError::Stale) if the entry was taken or closed.
    #[inline]
    pub fn is_ready(&self, key: Key) -> Result<bool, SlabError> {
        self.slot(key)?.is_ready(key.generation())
    }

    /// Ends the entry, pending or not, and returns the result if it has one.
    ///
    /// All who wait for it are woken and told [`Stale`](SlabError::Stale); so is a later
    /// [`complete`](Slab::complete), which gets its value back.
    ///
    /// # Errors
    /// [`Stale`](SlabError::Stale) if the entry was taken or closed before.
    ///
    /// # Panics
    /// Only if a waker does; the entry is closed then, and the other waiters are woken. A result cannot be lost to
    /// this: an entry that has one has no waiters.
    pub fn close(&self, key: Key) -> Result<Option<T>, SlabError> {
        let slot = self.slot(key)?;
        let closed = slot.close(key.generation())?;
        let woken = if closed.waited { Some(self.drain(key)) } else { None };
        self.release(key, slot);
        drop(woken);
        Ok(closed.value)
    }

    #[inline]
    fn slot(&self, key: Key) -> Result<&Slot<T>, SlabError> {
        self.table.get(key.index()).ok_or(SlabError::Stale)
    }

    /// Gives the caller's own slot to the free list, or retires it if its generations are used up.
    #[inline]
    fn release(&self, key: Key, slot: &Slot<T>) {
        if !key.generation().is_last() {
            self.free.push(key.index(), slot);
        }
    }

    /// How many entries are open. Looks at every slot that has ever served: for tests and statistics. Entries opened
    /// or ended meanwhile may count or not.
    #[must_use]
    pub fn len(&self) -> usize {
        let slots = self.free.served().filter_map(|index| self.table.get(index));
        slots.filter(|slot| slot.is_in_use()).count()
    }

    /// Whether no entry is open; as [`len`](Slab::len).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let mut slots = self.free.served().filter_map(|index| self.table.get(index));
        !slots.any(Slot::is_in_use)
    }

    /// How many slots there are, in use or not.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.table.capacity()
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Slab<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slab").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
