//! The ring of the Chase-Lev deque: places for tasks, and one flag each that hands a place back.
//!
//! Index `i` lives at position `i mod capacity`, in lap `i / capacity`. The flag of a position is
//! the parity of the lap it may be written in, so a push needs no other check that there is room:
//!
//! | flag of the position of index `i` | meaning |
//! |---|---|
//! | parity of the lap of `i` | writable for `i`, or written for `i` and not drained |
//! | the other one | `i` is drained: writable one lap later |
//!
//! Whoever takes index `i` out of the ring through `top` (thief, FIFO owner, LIFO owner taking the
//! last task) reads the value and then drains the position. A LIFO owner that takes `i` at `bottom`
//! leaves the flag alone, since `i` is what it pushes next. One bit suffices, since the owner never
//! passes a position that is not drained: it replaces the ring.
//!
//! Flags lie apart from the values: beside the value each would take the room of a whole value.
//!
//! All accesses to flags and values are in this file.
//!
//! | site | ordering | partner | dies in `tests/loom.rs` when weakened |
//! |---|---|---|---|
//! | [`Places::drain`] | Release | [`Places::is_free_for`] | `slot_reuse_over_a_lap` |
//! | [`Places::is_free_for`] | Acquire | [`Places::drain`] | `slot_reuse_over_a_lap` |
//!
//! This module knows neither who claims nor when rings are replaced.

use std::iter::repeat_n;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use crate::reclaim::{Liveness, Mortal};
use crate::sync::{AtomicU8, Ordering, UnsafeCell};

/// A power of two of places for tasks, behind plain pointers so that the owner can keep a copy.
pub(crate) struct Places<T> {
    /// Written by the owner while the flag permits the index it pushes; read once by whoever claimed
    /// that index, and copied bitwise by the owner when it replaces the ring.
    values: NonNull<UnsafeCell<MaybeUninit<T>>>,
    /// Parity of the lap that each position may be written in. Set by whoever drains the position,
    /// or by the owner before the ring is published; read by the owner.
    writable: NonNull<AtomicU8>,
    /// One less than the number of places.
    mask: usize,
    liveness: Liveness,
}

impl<T> Clone for Places<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Places<T> {}

impl<T> Places<T> {
    /// Number of places.
    #[inline]
    pub(crate) fn capacity(self) -> usize {
        self.mask + 1
    }

    #[inline]
    fn lap_parity(self, index: usize) -> u8 {
        u8::from(index & self.capacity() != 0)
    }

    #[inline]
    fn value(&self, index: usize) -> &UnsafeCell<MaybeUninit<T>> {
        self.liveness.check();
        // SAFETY: the mask keeps the position below the number of values.
        let value = unsafe { self.values.add(index & self.mask) };
        // SAFETY: whoever holds a `Places` sees to it that the ring lives (`Ring::places`).
        unsafe { value.as_ref() }
    }

    #[inline]
    fn flag(&self, index: usize) -> &AtomicU8 {
        self.liveness.check();
        // SAFETY: the mask keeps the position below the number of flags.
        let flag = unsafe { self.writable.add(index & self.mask) };
        // SAFETY: whoever holds a `Places` sees to it that the ring lives (`Ring::places`).
        unsafe { flag.as_ref() }
    }

    /// Whether the owner may write `index`.
    #[inline]
    pub(crate) fn is_free_for(self, index: usize) -> bool {
        // Ordering: Acquire pairs with the Release in `drain`: the read of the last value happens
        // before the write that this check permits.
        self.flag(index).load(Ordering::Acquire) == self.lap_parity(index)
    }

    /// Gives the place of `index` back to the owner, for one lap later.
    #[inline]
    pub(crate) fn drain(self, index: usize) {
        // Ordering: Release pairs with the Acquire in `is_free_for`; see there.
        self.flag(index).store(1 - self.lap_parity(index), Ordering::Release);
    }

    /// Puts a task in.
    ///
    /// # Safety
    ///
    /// - The caller is the owner, `is_free_for(index)` held, and `index` is not published.
    #[inline]
    pub(crate) unsafe fn write(self, index: usize, task: T) {
        // SAFETY: the owner is alone with a place that is free for an index it has not published:
        // thieves read only indices they claimed, and only published ones can be claimed.
        self.value(index).with_mut(|value| unsafe { value.write(MaybeUninit::new(task)) });
    }

    /// Takes the task of `index` out, leaving the flag.
    ///
    /// # Safety
    ///
    /// - The caller has `index` to itself: claimed, or never published, or withdrawn from `bottom`.
    /// - It was written to this ring or to one this was copied from; that write, and the copying,
    ///   happen before this call; it has not been read or drained since.
    #[inline]
    pub(crate) unsafe fn read(self, index: usize) -> T {
        // SAFETY: written (by contract), and not overwritten before it is drained.
        let bytes = self.value(index).with(|value| unsafe { value.read() });
        // SAFETY: a task was written, and this is the only copy of its bytes taken for one.
        unsafe { bytes.assume_init() }
    }

    /// Takes the task of `index` out and gives its place back.
    ///
    /// # Safety
    ///
    /// - As for [`read`](Self::read), the claim having been made through `top`.
    #[inline]
    pub(crate) unsafe fn take(self, index: usize) -> T {
        // SAFETY: passed on to the caller.
        let task = unsafe { self.read(index) };
        self.drain(index);
        task
    }
}

/// The owner of the memory of some [`Places`].
pub(crate) struct Ring<T> {
    places: Places<T>,
}

impl<T> Ring<T> {
    /// An empty ring, free for `first .. first + capacity`.
    ///
    /// # Panics
    ///
    /// When `capacity` values exceed the address space.
    pub(crate) fn new(capacity: usize, first: usize) -> Self {
        assert!(capacity.is_power_of_two(), "indices are reduced by a mask");
        let lap = u8::from(first & capacity != 0);
        let start = first & (capacity - 1);
        let values: Box<[UnsafeCell<MaybeUninit<T>>]> =
            (0..capacity).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect();
        // The positions before that of `first` come round in the next lap.
        let parities = repeat_n(1 - lap, start).chain(repeat_n(lap, capacity - start));
        let writable: Box<[AtomicU8]> = parities.map(AtomicU8::new).collect();
        let places = Places {
            values: NonNull::from(Box::leak(values)).cast(),
            writable: NonNull::from(Box::leak(writable)).cast(),
            mask: capacity - 1,
            liveness: Liveness::new(),
        };
        Self { places }
    }

    /// The places.
    ///
    /// # Safety
    ///
    /// - The copy is not used after the ring is dropped.
    #[inline]
    pub(crate) unsafe fn places(&self) -> Places<T> {
        self.places
    }

    /// Heap bytes of the ring.
    pub(crate) fn bytes(&self) -> usize {
        self.places.capacity() * (size_of::<T>() + size_of::<AtomicU8>())
    }

    /// A ring of `capacity` places with the bytes of `top .. bottom` of `old`, not yet reachable by
    /// anybody.
    ///
    /// # Safety
    ///
    /// - The caller owns `old` and has written `top .. bottom` to it, at most a ringful; thieves
    ///   may have claimed any of them meanwhile.
    pub(crate) unsafe fn replica(old: Places<T>, capacity: usize, top: usize, bottom: usize) -> Self {
        debug_assert!(bottom.wrapping_sub(top) <= old.capacity().min(capacity));
        let replica = Self::new(capacity, top);
        for offset in 0..bottom.wrapping_sub(top) {
            let index = top.wrapping_add(offset);
            // SAFETY: only the owner, which is the caller, ever writes to `old`; thieves may read
            // meanwhile. The bytes are not taken for a value.
            let bytes = old.value(index).with(|value| unsafe { value.read() });
            // SAFETY: `replica` is a local.
            replica.places.value(index).with_mut(|value| unsafe { value.write(bytes) });
        }
        replica
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        let Places { values, writable, mask, .. } = self.places;
        let values = NonNull::slice_from_raw_parts(values, mask + 1);
        // SAFETY: leaked by `new`, with this length, and freed only here.
        drop(unsafe { Box::from_raw(values.as_ptr()) });
        let writable = NonNull::slice_from_raw_parts(writable, mask + 1);
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(writable.as_ptr()) });
    }
}

impl<T> Mortal for Ring<T> {
    fn kill(&self) {
        self.places.liveness.kill();
    }
}
