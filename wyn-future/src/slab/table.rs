//! The slots: chunks that are added when all are in use, and never move or go away before the slab does.

use std::marker::PhantomData;
use std::ptr;
use std::sync::PoisonError;

use super::key::Index;
use super::slot::Slot;
use crate::sync::{AtomicPtr, Mutex, Ordering, needed};

/// The first chunk has `1 << FIRST_BITS` slots, each further one twice as many as the one before.
const FIRST_BITS: u32 = if cfg!(wyn_loom) { 0 } else { 10 };
const CHUNKS: usize = if cfg!(wyn_loom) { 3 } else { 18 };

/// How many entries can be open at once: 268 434 432.
pub(super) const MAX_SLOTS: u32 = ((1 << CHUNKS) - 1) << FIRST_BITS;

pub(super) struct Table<T> {
    /// Null until allocated. Written under `growing`, read by anybody.
    chunks: [AtomicPtr<Slot<T>>; CHUNKS],
    growing: Mutex<()>,
    /// What the pointers own, for the auto traits and the drop check.
    owned: PhantomData<Box<[Slot<T>]>>,
}

/// Number of the chunk and offset in it.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "offsets in chunks that exist fit, others are not used")]
const fn locate(index: Index) -> (usize, usize) {
    let at = index.0 as u64 + (1 << FIRST_BITS);
    let bits = at.ilog2();
    ((bits - FIRST_BITS) as usize, (at - (1 << bits)) as usize)
}

const fn chunk_slots(chunk: usize) -> usize {
    1 << (FIRST_BITS as usize + chunk)
}

impl<T> Table<T> {
    pub(super) fn new() -> Self {
        let chunks = std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut()));
        Self { chunks, growing: Mutex::new(()), owned: PhantomData }
    }

    /// The slot, if its chunk exists.
    #[inline]
    pub(super) fn get(&self, index: Index) -> Option<&Slot<T>> {
        let (chunk, offset) = locate(index);
        // Ordering: Acquire, pairs with the Release in `grow_to`: the slots are initialised.
        // (Dies without it: `two_open_at_once`.)
        let slots = self.chunks.get(chunk)?.load(needed("slab chunk", Ordering::Acquire));
        if slots.is_null() {
            return None;
        }
        // SAFETY: chunk `chunk` has `chunk_slots(chunk)` slots, and `locate` keeps the offset below that.
        let slot = unsafe { slots.add(offset) };
        // SAFETY: the slot is initialised, is reached only by shared references, and lives as long as `self`.
        Some(unsafe { &*slot })
    }

    /// Makes sure that the slot exists.
    ///
    /// # Panics
    /// If the chunk's size does not fit in an allocation. Running out of memory ends in `handle_alloc_error`.
    pub(super) fn grow_to(&self, index: Index) {
        let chunk = locate(index).0;
        // A poisoned lock means that allocating panicked: no chunk is half made.
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        // Ordering: Relaxed: written only under the lock.
        if self.chunks[chunk].load(Ordering::Relaxed).is_null() {
            let slots = Box::into_raw(allocate::<T>(chunk_slots(chunk))).cast::<Slot<T>>();
            // Ordering: Release, pairs with the Acquire in `get`: the slots are initialised.
            self.chunks[chunk].store(slots, needed("slab grow", Ordering::Release));
        }
    }

    /// Makes sure that at least `slots` slots exist.
    ///
    /// # Panics
    /// As `grow_to`; or if `slots` is above `MAX_SLOTS`.
    pub(super) fn grow_by_chunks(&self, slots: usize) {
        assert!(slots <= MAX_SLOTS as usize, "a slab has at most {MAX_SLOTS} slots");
        let mut first = 0_u32;
        while (first as usize) < slots {
            self.grow_to(Index(first));
            first = first * 2 + (1 << FIRST_BITS);
        }
    }

    /// How many slots exist.
    pub(super) fn capacity(&self) -> usize {
        let exists = |chunk: usize| {
            // Ordering: Relaxed: a number for people.
            !self.chunks[chunk].load(Ordering::Relaxed).is_null()
        };
        (0..CHUNKS).filter(|&chunk| exists(chunk)).map(chunk_slots).sum()
    }
}

/// Slots that have not served yet. The pages are not touched before they do.
#[cfg(not(wyn_loom))]
fn allocate<T>(slots: usize) -> Box<[Slot<T>]> {
    let zeroed = Box::<[Slot<T>]>::new_zeroed_slice(slots);
    // SAFETY: a slot is two atomic integers, for which zero is a value (`FREE` of generation 0, no link), and a
    // cell of `MaybeUninit`, for which everything is.
    unsafe { zeroed.assume_init() }
}

#[cfg(wyn_loom)]
fn allocate<T>(slots: usize) -> Box<[Slot<T>]> {
    (0..slots).map(|_| Slot::new()).collect()
}

impl<T> Drop for Table<T> {
    fn drop(&mut self) {
        // All chunks are owned by this array first: if a value's destructor panics, its drop goes on with the
        // other values and frees the memory.
        let _chunks: [Option<Box<[Slot<T>]>>; CHUNKS] = std::array::from_fn(|chunk| {
            // Ordering: Relaxed: `&mut self`, nobody else is left.
            let slots = self.chunks[chunk].load(Ordering::Relaxed);
            if slots.is_null() {
                return None;
            }
            let slots = ptr::slice_from_raw_parts_mut(slots, chunk_slots(chunk));
            // SAFETY: made by `Box::into_raw` in `grow_to` from a box of this length; taken back only here.
            Some(unsafe { Box::from_raw(slots) })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_has_its_own_place() {
        let mut expected = (0, 0);
        for index in 0..1_u32 << 16 {
            assert_eq!(locate(Index(index)), expected);
            expected.1 += 1;
            if expected.1 == chunk_slots(expected.0) {
                expected = (expected.0 + 1, 0);
            }
        }
        assert_eq!(locate(Index(MAX_SLOTS - 1)), (CHUNKS - 1, chunk_slots(CHUNKS - 1) - 1));
        assert_eq!(locate(Index(MAX_SLOTS)), (CHUNKS, 0));
        assert!(locate(Index(u32::MAX)).0 >= CHUNKS);
    }
}
