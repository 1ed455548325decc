//! The calling thread's place in every pool: a small number, unique among living threads, reused when they exit.
//!
//! A typed pool keeps one cache per place, in buckets of doubling size, so that a cache never moves and a thread
//! finds its own by two loads. Two buckets that never exist stand for "no place yet" and "exiting": the fast path
//! then finds no cache and needs no check of its own.

use crate::shared;
use crate::sync::{Mutex, global, local};
use core::cell::Cell;

/// How many buckets a pool has; the last two stay empty.
pub(crate) const BUCKETS: usize = 32;
const NEW: Slot = Slot { bucket: 30, index: 0 };
const EXITING: Slot = Slot { bucket: 31, index: 0 };

/// Caches in the first bucket; each further bucket has twice as many as the one before.
const FIRST_CACHES: usize = if cfg!(wyn_loom) { 2 } else { 16 };

/// A thread's place. Held by one living thread at a time; the lock of `PLACES` orders one owner before the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) bucket: u32,
    pub(crate) index: u32,
}

impl Slot {
    #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2^32 threads")]
    fn new(place: usize) -> Self {
        let bucket = (place / FIRST_CACHES + 1).ilog2();
        let before = FIRST_CACHES * ((1 << bucket) - 1);
        let slot = Self { bucket, index: (place - before) as u32 };
        assert!(slot.bucket < NEW.bucket, "more than 2^32 threads");
        slot
    }

    fn place(self) -> usize {
        FIRST_CACHES * ((1 << self.bucket) - 1) + self.index as usize
    }

    /// Caches in the bucket.
    pub(crate) fn bucket_len(bucket: usize) -> usize {
        FIRST_CACHES << bucket
    }
}

/// Which places are taken.
struct Places {
    free: Vec<usize>,
    used: usize,
}

global!(PLACES: Mutex<Places> = Mutex::new(Places { free: Vec::new(), used: 0 }));

/// Flushes this thread's caches and gives its place back.
struct Guard(Cell<Option<Slot>>);

local!(SLOT: Cell<Slot> = Cell::new(NEW));
local!(GUARD: Guard = Guard(Cell::new(None)));

/// The thread's place, or one of the two that no pool has.
#[inline]
pub(crate) fn current() -> Slot {
    SLOT.try_with(Cell::get).unwrap_or(EXITING)
}

/// The thread's place, taken if it has none yet; `None` when the thread is exiting.
pub(crate) fn enter() -> Option<Slot> {
    match current() {
        EXITING => None,
        NEW => {
            let slot = GUARD
                .try_with(|guard| {
                    let slot = take();
                    guard.0.set(Some(slot));
                    slot
                })
                .ok();
            let _ = SLOT.try_with(|current| current.set(slot.unwrap_or(EXITING)));
            slot
        }
        slot => Some(slot),
    }
}

fn take() -> Slot {
    let mut places = PLACES.lock();
    let place = places.free.pop().unwrap_or_else(|| {
        places.used += 1;
        places.used - 1
    });
    Slot::new(place)
}

impl Guard {
    fn exit(&self) {
        let Some(slot) = self.0.take() else { return };
        let _ = SLOT.try_with(|current| current.set(EXITING));
        shared::leave(slot);
        PLACES.lock().free.push(slot.place());
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.exit();
    }
}

/// Does what the exit of the thread does, now: loom drops thread-locals in no certain order.
#[cfg(wyn_loom)]
pub(crate) fn exit() {
    GUARD.with(Guard::exit);
}

#[cfg(all(test, not(wyn_loom)))]
mod tests {
    use super::{FIRST_CACHES, Slot};

    #[test]
    fn places_and_slots_map_one_to_one() {
        for place in 0..1_000 {
            let slot = Slot::new(place);
            assert_eq!(slot.place(), place);
            assert!((slot.index as usize) < Slot::bucket_len(slot.bucket as usize));
        }
        assert_eq!(Slot::new(FIRST_CACHES), Slot { bucket: 1, index: 0 });
    }
}
